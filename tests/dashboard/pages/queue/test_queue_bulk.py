"""Bulk acts in the queue: choosing applications, confirming, and the report."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text
from streamlit.testing.v1 import AppTest

from dashboard.forms import background
from dashboard.pages.queue import bulk_actions
from dashboard.shell.screens import QUEUE
from dashboard.ui import shortcuts
from data_access.db import tables
from data_access.db.errors import Refusal
from data_access.people.jobs import State
from data_access.review import bulk, bulk_runs, claims
from program.review.permissions import Act, Role, may
from tests.builders import add_application, add_refresh, scalar
from tests.dashboard.conftest import MET, SHORT, UNKNOWN
from tests.dashboard.pages.screen import PEOPLE, Desk, protos, texts
from tests.data_access import clicks

ACTS = {
    Act.CLAIM: "Claim",
    Act.ASSIGN: "Assign…",
    Act.DEFER: "Defer…",
    Act.REQUEST_INFORMATION: "Ask for information…",
    Act.DECIDE: "Reject…",
}
RATIONALE = "Rationale (internal, the same for all)"
MESSAGE = "Message to the applicant"


@pytest.fixture(autouse=True)
def _runs_end_within_their_click(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even on a busy machine; a run in progress has its own test."""
    monkeypatch.setattr(background, "PATIENCE_S", 60)


def test_every_bulk_act_has_its_key() -> None:
    widgets = [shortcut.widget for shortcut in shortcuts.BULK]

    assert widgets == [f"bulk-{one.act.name}" for one in bulk_actions.ACTS]


def tick(app: AppTest, *rows: int) -> AppTest:
    """Tick rows of the table, as clicks on their checkboxes do."""
    _, _, key = app.dataframe[0].proto.id.split("-", 2)
    app.session_state[key] = {"selection": {"rows": list(rows)}}
    return app.run()


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def offered(app: AppTest) -> list[str]:
    return [button.label for button in app.button if button.label in ACTS.values()]


ALSO_UNKNOWN = "Include those where this is not established; their message does not claim it"


def field(app: AppTest, kind: str, label: str) -> Any:
    (found,) = (element for element in getattr(app, kind) if element.label == label)
    return found


def begin(app: AppTest, act: Act) -> AppTest:
    return press(app, f"bulk-{act.name}")


@pytest.fixture
def ticked(queue: Desk) -> AppTest:
    """The page with the short and the unknown application ticked."""
    return tick(queue.open(QUEUE, eligibility="not_met,unknown", sort="waiting"), 0, 1)


def rows(desk: Desk, statement: str) -> list[Any]:
    with desk.engine.connect() as conn:
        return list(conn.exec_driver_sql(statement).scalars())


def test_nothing_is_offered_until_something_is_ticked(queue: Desk) -> None:
    app = queue.open(QUEUE)
    assert offered(app) == []

    tick(app, 1)

    assert "**1 chosen**" in texts(app)
    assert offered(app) == list(ACTS.values())


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_its_allowed_actions(role: Role, queue: Desk) -> None:
    queue.who = PEOPLE[role]
    app = queue.open(QUEUE)
    if app.dataframe[0].proto.selection_mode:
        tick(app, 0)

    assert offered(app) == [label for act, label in ACTS.items() if may(role, act)]


def test_approving_is_never_offered(ticked: AppTest) -> None:
    assert offered(ticked)
    assert not any("Approve" in one.label for one in bulk_actions.ACTS)


def test_a_set_aside_application_can_only_be_reassigned(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(
            insert(tables.desk).values(
                application_id=MET, status="deferred", deferred_until=queue.now + timedelta(days=9)
            )
        )

    app = tick(queue.open(QUEUE, status="deferred"), 0)

    assert offered(app) == ["Claim", "Assign…"]


def test_ticking_a_row_runs_no_query_of_the_queue(queue: Desk, statements: list[str]) -> None:
    """A tick reruns only the table; without a browser, the page."""
    app = queue.open(QUEUE)
    statements.clear()

    tick(app, 0)

    assert not any("insert" in statement.lower() for statement in statements)


def test_a_claim_names_them_and_waits_for_the_confirmation(ticked: AppTest, queue: Desk) -> None:
    begin(ticked, Act.CLAIM)

    assert "user2, user3" in texts(ticked)
    assert rows(queue, "select assignee from review.desk") == []

    press(ticked, "bulk-confirm")

    assert rows(queue, "select assignee from review.desk") == [queue.who] * 2
    assert ":material/check: **Claimed 2 of 2 applications**" in texts(ticked)
    assert "user2, user3" in texts(ticked, ["caption"])


def hold_for_ben(queue: Desk, id_: int) -> None:
    claims.claim(
        queue.engine,
        claims.Claim(application_id=id_, actor="ben@example.com", at=queue.now, request_id=uuid4()),
    )


def test_who_will_be_refused_is_named_before_anything_is_sent(ticked: AppTest, queue: Desk) -> None:
    assert not texts(ticked, ["warning"])
    hold_for_ben(queue, SHORT)

    begin(ticked, Act.CLAIM)

    [warning] = texts(ticked, ["warning"])
    assert "1 of 2 will be refused" in warning
    assert "Ben works on it until" in warning
    assert "user2" in warning


def test_closing_the_dialog_does_nothing(ticked: AppTest, queue: Desk) -> None:
    begin(ticked, Act.CLAIM)
    ticked.session_state["kept-bulk"] = None
    ticked.run()

    assert "bulk-confirm" not in {button.key for button in ticked.button}
    assert rows(queue, "select request_id from review.bulk_runs") == []


def test_an_assignment_needs_a_colleague_who_reviews(ticked: AppTest, queue: Desk) -> None:
    begin(ticked, Act.ASSIGN)
    people = field(ticked, "selectbox", "Colleague")
    assert set(people.options) == {"Ana", "Ben", "Mira"}
    press(ticked, "bulk-go-on")
    assert "Choose a colleague who reviews applications" in ticked.error[0].value

    field(ticked, "selectbox", "Colleague").set_value("ben@example.com").run()
    press(ticked, "bulk-go-on")
    assert "To Ben" in texts(ticked)
    press(ticked, "bulk-confirm")

    assert rows(queue, "select assignee from review.desk") == ["ben@example.com"] * 2


def test_a_deferral_needs_a_date_or_a_change(ticked: AppTest, queue: Desk) -> None:
    begin(ticked, Act.DEFER)
    press(ticked, "bulk-go-on")
    assert "Choose until when" in ticked.error[0].value

    until = queue.now.date() + timedelta(days=10)
    field(ticked, "date_input", "Until").set_value(until).run()
    press(ticked, "bulk-go-on")
    press(ticked, "bulk-confirm")

    assert rows(queue, "select distinct status from review.desk") == ["deferred"]
    assert "Pending 0 of 1" in texts(ticked)


def test_a_question_is_filled_for_the_first_and_sent_to_each(ticked: AppTest, queue: Desk) -> None:
    begin(ticked, Act.REQUEST_INFORMATION)
    press(ticked, "bulk-go-on")
    assert "Choose a question first" in ticked.error[0].value

    field(ticked, "selectbox", "Question").set_value("identity_verification").run()
    press(ticked, "bulk-go-on")
    assert any(words.startswith("Hello user2,") for words in texts(ticked, ["text"]))
    press(ticked, "bulk-confirm")

    sent = rows(queue, "select payload ->> 'message' from review.outbox order by application_id")
    assert [words.split(",")[0] for words in sent] == ["Hello user2", "Hello user3"]


def rejected_halfway(app: AppTest) -> AppTest:
    begin(app, Act.DECIDE)
    field(app, "selectbox", "Reason").set_value("below_minimums").run()
    field(app, "text_area", RATIONALE).set_value("Far from the minimums.").run()
    return press(app, "bulk-go-on")


def test_a_rejection_is_confirmed_with_all_its_content(ticked: AppTest) -> None:
    rejected_halfway(ticked)

    words = texts(ticked, ["text"])
    assert "Reason: Below the minimums" in words
    assert "Rationale: Far from the minimums." in words
    assert "May apply again: after 30 days" in words
    (preview,) = (line for line in words if line.startswith("Hello user2,"))
    assert "{{" not in preview


def test_a_rejection_of_many_warns_that_metrics_are_behind(queue: Desk) -> None:
    warning = "Metrics are behind; eligibility is provisional."
    with queue.engine.begin() as conn:
        conn.execute(text("update review.refreshes set data_through = data_through - 1"))
    app = tick(queue.open(QUEUE, eligibility="not_met,unknown", sort="waiting"), 0, 1)
    rejected_halfway(app)

    assert warning in [one.value for one in app.warning]


@pytest.mark.parametrize(
    ("label", "kind", "sentence"),
    [
        (RATIONALE, "text_area", "The rationale is empty"),
        (MESSAGE, "text_area", "The message to the applicant is empty"),
    ],
)
def test_a_rejection_lacks_nothing(label: str, kind: str, sentence: str, ticked: AppTest) -> None:
    begin(ticked, Act.DECIDE)
    field(ticked, "selectbox", "Reason").set_value("below_minimums").run()
    field(ticked, "text_area", RATIONALE).set_value("Far.").run()
    field(ticked, kind, label).set_value(" ").run()

    press(ticked, "bulk-go-on")

    assert sentence in ticked.error[0].value.replace("\\", "")
    assert "bulk-confirm" not in {button.key for button in ticked.button}


def test_going_back_finds_the_texts_again(ticked: AppTest) -> None:
    rejected_halfway(ticked)

    press(ticked, "bulk-back")

    assert field(ticked, "text_area", RATIONALE).value == "Far from the minimums."
    assert field(ticked, "selectbox", "Reason").value == "below_minimums"


def test_refusals_are_reported_with_reasons_and_the_rest_is_done(
    ticked: AppTest, queue: Desk
) -> None:
    """A colleague took one of the two meanwhile; the other one's facts are incomplete."""
    begin(ticked, Act.DECIDE)
    field(ticked, "selectbox", "Reason").set_value("below_minimums").run()
    field(ticked, "checkbox", ALSO_UNKNOWN).set_value(True)
    field(ticked, "text_area", RATIONALE).set_value("Far from the minimums.").run()
    press(ticked, "bulk-go-on")
    hold_for_ben(queue, SHORT)

    press(ticked, "bulk-confirm")

    assert ":material/info: **Rejected 1 of 2 applications** · 1 refused" in texts(ticked)
    assert any("Ben works on this" in words for words in texts(ticked, ["text"]))
    (link,) = (proto for proto in protos(ticked, "page_link") if proto.label == "user2")
    assert link.query_string == f"id={SHORT}"
    assert rows(queue, "select application_id from review.decisions") == [UNKNOWN]


def test_the_report_is_there_on_return_until_it_is_dismissed(ticked: AppTest, queue: Desk) -> None:
    begin(ticked, Act.CLAIM)
    press(ticked, "bulk-confirm")
    report = ":material/check: **Claimed 2 of 2 applications**"

    again = queue.open(QUEUE)
    assert report in texts(again)

    press(again, "bulk-dismiss")
    assert report not in texts(again)
    assert report not in texts(queue.open(QUEUE))


def test_a_colleague_does_not_see_my_report(ticked: AppTest, queue: Desk) -> None:
    begin(ticked, Act.CLAIM)
    press(ticked, "bulk-confirm")
    queue.who = PEOPLE[Role.MANAGER]

    assert not any("Claimed" in words for words in texts(queue.open(QUEUE)))


@pytest.mark.parametrize("results", [[], [{"application_id": 2, "done": True, "sentence": ""}]])
def test_an_interrupted_run_shows_its_progress(results: list[Any], queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(
            insert(tables.bulk_runs).values(
                request_id=uuid4(),
                actor=queue.who,
                act="DECIDE",
                at=queue.now,
                asked=[2, 3],
                results=results,
            )
        )

    sentences = texts(queue.open(QUEUE))

    ended = f"ended unfinished: the server stopped; {len(results)} of 2 were done."
    assert any(ended in words for words in sentences)


def test_a_second_press_of_the_same_form_changes_nothing(queue: Desk) -> None:
    command = clicks.command(bulk.ClaimEach, ids=[SHORT, UNKNOWN], actor=queue.who, now=queue.now)

    first = bulk.claim(queue.engine, command)
    second = bulk.claim(queue.engine, command)

    assert first == second
    assert len(rows(queue, "select event_id from review.events")) == 2


# All matching applications.


@pytest.fixture
def crowd(desk: Desk) -> Desk:
    with desk.engine.begin() as conn:
        add_refresh(conn, through=desk.yesterday, at=desk.now)
        for id_ in range(1, 54):
            add_application(conn, id_, submitted_at=desk.now - timedelta(hours=id_))
    return desk


def test_all_that_match_can_be_meant_once_the_whole_page_is(crowd: Desk) -> None:
    app = tick(crowd.open(QUEUE, sort="waiting"), *range(49))
    assert not app.toggle

    tick(app, *range(50))
    (toggle,) = app.toggle
    assert toggle.label == "All 53 that match"
    toggle.set_value(True).run()

    assert "**53 chosen**" in texts(app)
    begin(app, Act.CLAIM)
    named = [words for words in texts(app, ["text"]) if "and 41 more" in words]
    assert named[0].startswith("user53, user52, ")
    press(app, "bulk-confirm")

    assert len(rows(crowd, "select assignee from review.desk")) == 53


def test_other_rows_are_not_ticked_by_their_place(crowd: Desk) -> None:
    app = tick(crowd.open(QUEUE, sort="waiting"), 0, 1)
    assert "**2 chosen**" in texts(app)

    app.pagination[0].select(2).run()

    assert offered(app) == []


# Runs longer than a click.


def test_a_long_run_continues_and_shows_it(desk: Desk) -> None:
    go, number = Event(), uuid4()

    assert begun(go.wait, number, desk) is None
    assert background.is_running(number)
    begun(fail, number, desk)
    go.set()

    deadline = time.monotonic() + 10
    while background.is_running(number) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert background.state(number) is State.ENDED


def test_a_second_press_is_refused_in_the_words_of_the_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, number, wait = Event(), uuid4(), background._wait_for_other

    def refuse() -> None:
        go.wait()
        raise Refusal("No room.")

    def lets_go(request_id: UUID) -> None:
        go.set()
        wait(request_id)

    monkeypatch.setattr(background, "_wait_for_other", lets_go)
    begun(refuse, number, desk)

    with pytest.raises(Refusal, match=r"No room\."):
        background.begin(number, fail, actor=desk.who)


def begun(act: Callable[[], object], number: Any, desk: Desk) -> None:
    patience, background.PATIENCE_S = background.PATIENCE_S, 0.05
    try:
        background.begin(number, act, actor=desk.who)
    finally:
        background.PATIENCE_S = patience


def fail() -> None:
    raise AssertionError("the same request must not be begun twice")


def test_an_immediate_refusal_is_raised(desk: Desk) -> None:
    with pytest.raises(AssertionError, match="twice"):
        background.begin(uuid4(), fail, actor=desk.who)


def test_progress_is_kept_while_it_runs(crowd: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def one(id_: int, *_: object) -> bulk_runs.Result:
        with crowd.engine.connect() as conn:
            seen.append(scalar(conn, "select jsonb_array_length(results) from review.bulk_runs"))
        return bulk_runs.Result(application_id=id_, done=True)

    monkeypatch.setattr(bulk_runs, "_one", one)
    command = clicks.command(bulk.ClaimEach, ids=range(1, 54), actor=crowd.who, now=crowd.now)
    bulk.claim(crowd.engine, command)

    assert [seen[0], seen[20], seen[40], seen[52]] == [0, 20, 40, 40]

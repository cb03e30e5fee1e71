"""Around one application: owner, clock, checklist, and live changes."""

from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.pages.application import live
from dashboard.shell import sign_in
from dashboard.shell.screens import APPLICATION, QUEUE
from dashboard.ui import figures
from data_access.db.errors import DatabaseUnavailable
from data_access.review import claims, presence
from program.policy.checklist import CheckOutcome
from program.policy.policy import DEFAULT_CHECKLIST, DEFAULT_REQUIRED_CHECKS
from program.review.permissions import Role
from program.review.sending import SEEN_FOR
from tests.builders import add_application, add_evidence, add_refresh
from tests.dashboard.conftest import MET, SHORT, UNKNOWN
from tests.dashboard.pages.screen import PEOPLE, Desk, evidence_rows, open_popover, texts
from tests.data_access import clicks

ANA, BEN, MIRA = clicks.ANA, clicks.BEN, clicks.MIRA


def opened(desk: Desk, id_: int = MET, **query: str) -> AppTest:
    return desk.open(APPLICATION, id=str(id_), **query)


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def plain(texts: list[str]) -> str:
    return " | ".join(texts).replace("\\", "").replace("\u2060", "")


def offered(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def holder(desk: Desk, id_: int = MET) -> str | None:
    return clicks.read(desk.engine, id_, now=desk.now).desk.assignee(desk.now)


# Owner.


def test_claiming_and_releasing(queue: Desk) -> None:
    app = opened(queue)
    assert "Unassigned" in texts(app)

    press(app, f"Claim-{MET}")

    assert "yours until" in plain(texts(app, ["markdown"]))
    assert holder(queue) == ANA
    press(app, f"Release-{MET}")
    assert "Unassigned" in texts(app)
    assert [event.kind for event in clicks.events(queue.engine, MET)] == ["claimed", "released"]


def test_a_colleagues_claim_is_shown_with_its_end_and_can_be_taken_over(
    queue: Desk,
) -> None:
    clicks.claim(queue.engine, MET, actor=BEN, now=queue.now)
    app = opened(queue)
    until = queue.now + timedelta(minutes=30)
    assert f"**Ben** until {until:%H:%M} UTC" in plain(texts(app, ["markdown"]))
    assert "Claim" not in offered(app)

    press(app, f"Take over-{MET}")

    assert holder(queue) == ANA
    assert "taken over from Ben" in plain(texts(app, ["caption"]))


def test_a_faster_colleague_is_named(queue: Desk) -> None:
    app = opened(queue)
    clicks.claim(queue.engine, MET, actor=BEN, now=queue.now)

    press(app, f"Claim-{MET}")

    assert "Ben works on this" in plain(texts(app, ["error"]))
    assert holder(queue) == BEN


def test_an_assignment_to_a_reviewer_does_not_expire(queue: Desk) -> None:
    app = opened(queue)
    assert "Ben · reviewer" not in offered(app)
    open_popover(app, "Assign to…")
    assert {"Ben · reviewer", "Mira · manager"} <= offered(app)
    assert not {"Ana · reviewer", "Noor · analyst", "Ada · admin"} & offered(app)

    (ben,) = [button for button in app.button if button.label == "Ben · reviewer"]
    ben.click().run()

    assert "**Ben** (assigned)" in plain(texts(app, ["markdown"]))
    assert "Ben · reviewer" not in offered(app)
    assert clicks.read(queue.engine, MET).desk.claim.until is None


def test_viewing_extends_only_ones_own_claim(queue: Desk) -> None:
    began = queue.now - timedelta(minutes=20)
    clicks.claim(queue.engine, MET, now=began)
    clicks.claim(queue.engine, SHORT, actor=BEN, now=began)

    for id_ in (MET, SHORT):
        opened(queue, id_)

    mine, his = (clicks.read(queue.engine, id_).desk.claim.until for id_ in (MET, SHORT))
    assert mine >= queue.now + timedelta(minutes=30)
    assert his == began + timedelta(minutes=30)


def test_a_decided_one_is_nobodys(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    app = opened(queue)

    assert not {"Claim", "Take over", "Release", "Pass"} & offered(app)
    assert not any("priority" in proto.popover.label for proto in popovers(app))


def popovers(app: AppTest) -> list[Any]:
    return [block.proto for block in app.get("popover")]


def test_take_next_opens_the_best_unassigned_of_the_view(queue: Desk) -> None:
    clicks.claim(queue.engine, SHORT, actor=BEN, now=queue.now)
    app = opened(queue, SHORT, eligibility="unknown,not_met")

    press(app, "take-next")

    assert app.query_params == {"eligibility": "not_met,unknown", "id": str(UNKNOWN)}
    assert "user3" in texts(app)
    assert holder(queue, UNKNOWN) == ANA


def test_next_pressed_again_before_seeing_its_application_takes_the_same_one(
    queue: Desk, onlooker: Any
) -> None:
    clicks.claim(queue.engine, SHORT, actor=BEN, now=queue.now)
    app = press(queue.open(QUEUE), "take-next")
    assert app.query_params["id"] == str(MET)

    onlooker.looks_for = SEEN_FOR - timedelta(milliseconds=1)
    app = press(app, "take-next")
    assert app.query_params["id"] == str(MET)
    # The second press was sent before the application arrived there.
    onlooker.looks_for = SEEN_FOR
    del app.query_params["id"]
    app = press(app, "take-next")
    assert app.query_params["id"] == str(MET)
    assert holder(queue, UNKNOWN) is None

    app = press(app, "take-next")
    assert app.query_params["id"] == str(UNKNOWN)
    assert (holder(queue), holder(queue, UNKNOWN)) == (ANA, ANA)


def test_without_an_unassigned_application_next_stays_on_the_page(queue: Desk) -> None:
    for id_ in (MET, SHORT, UNKNOWN):
        clicks.claim(queue.engine, id_, actor=BEN, now=queue.now)
    app = opened(queue)

    press(app, "take-next")

    assert "no unassigned applications left" in plain([toast.value for toast in app.toast])
    assert "user1" in texts(app)


# Clock and priority.


@pytest.mark.parametrize(
    ("days", "color", "words"),
    [(0, "gray", "due in"), (0.5, "gray", "due in"), (21, "red", "overdue by")],
)
def test_the_clock_shows_when_the_review_is_due(
    days: float, color: str, words: str, queue: Desk
) -> None:
    with queue.engine.begin() as conn:
        add_application(conn, 9, submitted_at=queue.now - timedelta(days=days))

    found = texts(opened(queue, 9), ["markdown"])

    (badge,) = [line for line in found if words in line and "badge" in line]
    assert badge.startswith(f":{color}-badge[:material/")


def test_the_clock_is_paused_while_the_applicant_owes_information(queue: Desk) -> None:
    clicks.ask_applicant(queue.engine, MET, now=queue.now)

    found = plain(texts(opened(queue), ["markdown"]))

    assert ":gray-badge[:material/pause: clock paused]" in found
    assert "waiting for the applicant" in found


def test_the_priority_opens_to_its_parts(queue: Desk) -> None:
    app = opened(queue)

    (table,) = [words for words in texts(app, ["markdown"]) if words.startswith("| points |")]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    *parts, (total, most, word) = rows
    assert ["**25**", "25", "eligibility met"] in parts
    assert ["**5**", "15", "volume at the minimum or more"] in parts
    assert sum(int(points.strip("*")) for points, *_ in parts) == int(total.strip("*"))
    assert (most, word) == ("100", "together")


# Checklist.


def line(app: AppTest, item: str, id_: int = MET) -> str:
    return plain([app.button(key=f"check-open-{item}-{id_}").label])


def test_the_checklist_shows_what_is_open_and_what_is_required(queue: Desk) -> None:
    app = opened(queue)

    assert f"**Checklist** · 0 of {len(DEFAULT_CHECKLIST)}, 5 required left" in texts(app)
    for item in DEFAULT_CHECKLIST:
        word = "required" if item in DEFAULT_REQUIRED_CHECKS else "open"
        assert f"[:material/radio_button_unchecked: {word}]" in line(app, item)


def test_one_press_passes_an_item(queue: Desk) -> None:
    app = opened(queue)

    press(app, f"check-pass-no_prior_ban-{MET}")

    day = queue.now
    assert ":green[:material/check_circle: passed] No prior ban" in line(app, "no_prior_ban")
    assert f"Ana, {day.day} {day:%b}" in line(app, "no_prior_ban")
    assert "**Checklist** · 1 of 9, 4 required left" in texts(app)
    assert f"check-pass-no_prior_ban-{MET}" not in {button.key for button in app.button}


def test_two_items_passed_before_the_page_is_drawn_again_are_both_kept(queue: Desk) -> None:
    app = opened(queue)
    keys = [f"check-pass-{item}-{MET}" for item in ("no_prior_ban", "audience_real")]

    for key in keys:
        app.button(key=key).click()
    app.run()

    assert not app.error
    assert "**Checklist** · 2 of 9, 4 required left" in texts(app)


@pytest.mark.parametrize("outcome", CheckOutcome)
def test_an_opened_item_takes_any_answer_with_a_comment(outcome: CheckOutcome, queue: Desk) -> None:
    app = press(opened(queue), f"check-open-no_prior_ban-{MET}")
    assert "Was this person never banned from this program?" in texts(app, ["text"])

    comment(app).input("Case **1042**")
    press(app, f"check-no_prior_ban-{outcome}-{MET}")

    assert str(outcome).replace("_", " ") in line(app, "no_prior_ban")
    assert "Case **1042**" in plain(texts(app, ["caption"]))
    assert "Was this person never banned from this program?" not in texts(app)
    left = 5 if outcome is CheckOutcome.FAILED else 4
    assert f"**Checklist** · 1 of 9, {left} required left" in texts(app)


def comment(app: AppTest) -> Any:
    (found,) = [area for area in app.text_area if area.label.startswith("Comment")]
    return found


def test_a_failed_check_without_a_comment_is_refused(queue: Desk) -> None:
    app = press(opened(queue), f"check-open-no_prior_ban-{MET}")

    press(app, f"check-no_prior_ban-failed-{MET}")

    assert "a failed check needs a comment" in plain(texts(app, ["error"]))
    assert "required" in line(app, "no_prior_ban")


def test_people_who_may_not_answer_can_read_the_question(queue: Desk) -> None:
    queue.who = PEOPLE[Role.ANALYST]
    app = opened(queue)

    press(app, f"check-open-no_prior_ban-{MET}")

    assert "Was this person never banned from this program?" in texts(app)
    assert "Passed" not in offered(app)


# Conflicts of interest.


def test_a_reviewer_declares_a_conflict_of_their_own(queue: Desk) -> None:
    app = open_popover(opened(queue), "Conflict of interest…")
    (reason,) = [area for area in app.text_area if area.label.startswith("Link to")]
    reason.input("We studied **together**")

    press(app, f"declare-{MET}")

    assert "Ana does not decide" in plain(texts(app, ["success"]))
    assert "We studied **together**" in plain(texts(app, ["warning"]))
    assert not {"Declare", "Approve"} & offered(app)
    assert not [box for box in app.selectbox if box.label == "Person"]


def test_a_manager_declares_a_colleagues(queue: Desk) -> None:
    queue.who = MIRA
    app = open_popover(opened(queue), "Conflict of interest…")
    (person,) = [box for box in app.selectbox if box.label == "Person"]
    assert person.value == MIRA
    person.set_value(BEN)
    (reason,) = [area for area in app.text_area if area.label.startswith("Link to")]
    reason.input("His brother")

    press(app, f"declare-{MET}")

    assert "Ben does not decide" in plain(texts(app, ["success"]))
    assert "Approve" in offered(app)


def test_a_declaration_is_drawn_once_opened_and_keeps_its_text_when_closed(queue: Desk) -> None:
    app = opened(queue)
    assert "Declare" not in offered(app)

    open_popover(app, "Conflict of interest…")
    (reason,) = [area for area in app.text_area if area.label.startswith("Link to")]
    reason.input("His brother").run()
    open_popover(app, "Conflict of interest…", closed=True)

    (reason,) = [area for area in app.text_area if area.label.startswith("Link to")]
    assert reason.value == "His brother"


# Age of evidence.


def test_evidence_shows_its_age_and_when_it_expires(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        for days in (2, 90, 91, 95):
            add_evidence(conn, UNKNOWN, value=6000 + days, observed_at=ago(queue, days))

    app = opened(queue, UNKNOWN)

    found = evidence_rows(app)
    assert [row[2].partition(", ")[2] for row in found] == [
        *("2.0 d ago", "90.0 d ago", "91.0 d ago", "95.0 d ago"),
    ]
    # Data reach yesterday, so an observation of 91 days ago counts for the last day.
    assert [row[1] for row in found] == [
        "✓ counts, for 90 d more",
        "superseded, for 2 d more",
        "superseded, for 1 d more",
        "expired, since 4 d",
    ]


def test_equal_observations_are_told_apart(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        for _ in range(2):
            add_evidence(conn, UNKNOWN, value=6000, observed_at=ago(queue, 2))

    first, second = evidence_rows(opened(queue, UNKNOWN))

    assert first != second


def ago(desk: Desk, days: int) -> Any:
    return desk.now - timedelta(days=days)


def test_expired_evidence_makes_the_criterion_unknown_again_and_is_shown(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        add_evidence(conn, UNKNOWN, value=9000, observed_at=ago(queue, 93))
        add_evidence(conn, UNKNOWN, value=9000, observed_at=ago(queue, 120))

    app = opened(queue, UNKNOWN)

    captions, scorecard = texts(app, ["caption"]), " ".join(texts(app, ["markdown"]))
    assert "| evidence expired 2 d ago |" in scorecard
    assert "| no evidence |" in scorecard, "of the other criterion"
    assert any("Followers on X: expired 2 d ago, so the criterion" in words for words in captions)


def test_several_exchanges_show_their_sum(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        for name, value in (("ExA", "8000000"), ("Ex*B*", "12500000.50")):
            given = {"kind": "external_volume", "exchange_name": name, "value": Decimal(value)}
            add_evidence(conn, UNKNOWN, observed_at=ago(queue, 3), **given)

    captions = plain(texts(opened(queue, UNKNOWN), ["caption"]))

    assert "add up to **20.5 M USD** in 30 days: Ex*B* 12.5 M + ExA 8 M." in captions


# Live changes.


def test_a_page_without_news_shows_nothing(queue: Desk) -> None:
    app = opened(queue)

    assert not news(app)
    assert not any("looks at this too" in words for words in texts(app))


def news(app: AppTest) -> list[str]:
    return [
        plain([words]).partition("] **")[2].removesuffix("**")
        for words in texts(app, ["markdown"])
        if words.startswith(":orange[:material/notifications_active:]")
    ]


def test_other_viewers_are_shown_for_half_a_minute(queue: Desk) -> None:
    for who, seconds in ((BEN, 1), (MIRA, 40)):
        at = queue.now - timedelta(seconds=seconds)
        claims.record_view(queue.engine, application_id=MET, actor=who, now=at)

    assert ":material/visibility: Ben looks at this too" in texts(opened(queue))


def test_a_page_that_was_just_read_is_not_read_again(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    polled: list[Any] = []
    monkeypatch.setattr(presence, "glance", lambda *given, **_: polled.append(given))
    monkeypatch.setattr(claims, "record_view", lambda *given, **_: polled.append(given))

    app = opened(queue)

    assert polled == []
    assert not news(app)


class Watcher:
    """A page drawn some time ago, whose timer checks the application again."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, id_: int = MET) -> None:
        drawn: list[tuple[Any]] = []
        with monkeypatch.context() as patched:
            patched.setattr(live, "strip", lambda *given: drawn.append(given))
            opened(desk, id_)
        [(self.shown, _)] = drawn

    def look(self) -> AppTest:
        return AppTest.from_function(strip, args=(self.shown,)).run()


def strip(shown: object) -> None:
    """Runs as a script of its own, so it imports what it needs."""
    from dashboard.pages.application import live

    live.strip(shown, iter(()))


@pytest.fixture
def watcher(queue: Desk, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    return Watcher(queue, monkeypatch)


def hour(at: Any) -> str:
    return f"{at.astimezone(UTC):%H:%M} UTC"


def test_a_takeover_is_shown_to_the_former_holder(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicks.claim(queue.engine, MET, now=queue.now)
    watcher = Watcher(queue, monkeypatch)
    assert news(watcher.look()) == []

    clicks.take_over(queue.engine, MET, actor=MIRA, now=queue.now)

    app = watcher.look()
    assert news(app) == [f"Mira took this over at {hour(queue.now)}."]
    assert "Show 1 new entry" in offered(app)


def test_a_claim_of_a_colleague_is_shown(queue: Desk, watcher: Watcher) -> None:
    clicks.claim(queue.engine, MET, actor=BEN, now=queue.now)

    assert news(watcher.look()) == [f"Ben works on this since {hour(queue.now)}."]


def test_a_claim_that_lapsed_is_shown_to_its_holder(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicks.claim(queue.engine, MET, now=queue.now)
    watcher = Watcher(queue, monkeypatch)
    with queue.engine.begin() as conn:
        conn.execute(text("update review.desk set claim_until = now() - interval '1 second'"))

    assert news(watcher.look()) == ["Your claim has expired. The application is unassigned."]


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (clicks.reject, "Already rejected by Ben at {at}. Your text is kept."),
        (
            clicks.ask_applicant,
            "Now waiting for the applicant by Ben at {at}. Your text is kept.",
        ),
    ],
)
def test_a_status_that_a_colleague_changed_is_shown_with_who_and_when(
    act: Any, sentence: str, queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher(queue, monkeypatch, SHORT)

    act(queue.engine, SHORT, actor=BEN, now=queue.now)

    assert news(watcher.look()) == [sentence.format(at=hour(queue.now))]


def test_a_refresh_since_the_page_was_drawn_is_shown(queue: Desk, watcher: Watcher) -> None:
    with queue.engine.begin() as conn:
        add_refresh(conn, through=queue.yesterday, at=queue.now)

    assert news(watcher.look()) == [
        f"Metrics were refreshed at {hour(queue.now)}, with data through "
        f"{figures.day(queue.yesterday)}. Your text is kept."
    ]


def test_a_withdrawal_upstream_is_shown_without_a_name(queue: Desk, watcher: Watcher) -> None:
    with queue.engine.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    assert news(watcher.look()) == ["Already withdrawn. Your text is kept."]


def test_others_entries_are_counted_and_ones_own_are_not(queue: Desk, watcher: Watcher) -> None:
    clicks.note(queue.engine, MET)
    assert not watcher.look().button

    clicks.note(queue.engine, MET, actor=BEN)
    clicks.check(queue.engine, MET, actor=MIRA)

    assert offered(watcher.look()) == {"Show 2 new entries"}


@pytest.mark.parametrize("gone", ["signed out", "not on the staff list"])
def test_people_who_left_learn_nothing_more(
    gone: str, queue: Desk, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicks.claim(queue.engine, MET, actor=BEN, now=queue.now)
    if gone == "signed out":
        monkeypatch.setattr(sign_in, "session_key", lambda: None)
    else:
        with queue.engine.begin() as conn:
            conn.execute(text("update review.staff set active = false where email like 'ana@%'"))

    app = watcher.look()

    (sentence,) = news(app)
    assert sentence.startswith("You are no longer signed in.")
    assert not app.button


def test_an_outage_is_shown_beside_the_page(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(claims, "record_view", lost)

    app = watcher.look()

    assert not app.exception
    assert news(app) == ["The database is not responding. Your text is kept."]


# Unsent text.


def test_a_text_typed_for_a_decision_is_kept_when_a_colleague_decides_first(queue: Desk) -> None:
    app = press(press(opened(queue, SHORT), f"choose-r-{SHORT}"), f"reason-other-{SHORT}")
    (rationale,) = [area for area in app.text_area if area.label.startswith("Rationale")]
    rationale.input("My **own** reasons")
    press(app, f"preview-{SHORT}")
    clicks.reject(queue.engine, SHORT, actor=BEN, now=queue.now)

    for _ in range(2):
        app.run()
        assert "**What you had written**" in texts(app)
        assert "My **own** reasons" in texts(app, ["code"])


def test_a_text_typed_for_a_decision_is_kept_when_a_colleague_takes_over(queue: Desk) -> None:
    app = press(press(opened(queue, SHORT), f"choose-r-{SHORT}"), f"reason-other-{SHORT}")
    (rationale,) = [area for area in app.text_area if area.label.startswith("Rationale")]
    rationale.input("My own reasons")
    press(app, f"preview-{SHORT}")
    clicks.take_over(queue.engine, SHORT, actor=BEN, now=queue.now)

    app.run()

    assert "My own reasons" in texts(app, ["code"])
    press(app, f"Take over to decide-{SHORT}")
    assert holder(queue, SHORT) == ANA
    assert "My own reasons" not in texts(app, ["code"]), "it stands in its field again"

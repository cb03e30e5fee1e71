"""The decision panel: what each choice needs, what is sent, and what a refusal keeps."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import APPLICATION
from data_access.review import claims, decisions, proposals
from program.policy.checklist import ITEMS_BY_KEY
from program.policy.policy import DEFAULT_REQUIRED_CHECKS
from program.review.permissions import Role
from program.review.sending import LOOK_FIRST, SEEN_FOR
from program.review.workflow import REASONS
from tests.builders import pass_checks
from tests.cases import every
from tests.dashboard.conftest import MET, SHORT, UNKNOWN
from tests.dashboard.pages.screen import PEOPLE, Desk, texts
from tests.data_access import clicks

MARKUP = "<img src=x onerror=alert(1)> **bold** [link](http://evil.test)"


def opened(desk: Desk, id_: int = MET, **query: str) -> AppTest:
    return desk.open(APPLICATION, id=str(id_), **query)


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def field(app: AppTest, label: str) -> Any:
    (found,) = [area for area in app.text_area if area.label.startswith(label)]
    return found


def rate(app: AppTest) -> Any:
    (found,) = [one for one in app.text_input if one.label.startswith("Rebate")]
    return found


def approving(desk: Desk, id_: int = MET) -> AppTest:
    """Open the form of an approval whose checks are passed."""
    with desk.engine.begin() as conn:
        pass_checks(conn, id_)
    return press(opened(desk, id_), f"choose-a-{id_}")


def rejecting(desk: Desk, id_: int = SHORT, reason: str = "below_minimums") -> AppTest:
    app = press(opened(desk, id_), f"choose-r-{id_}")
    return press(app, f"reason-{reason}-{id_}")


def send(app: AppTest, id_: int) -> AppTest:
    return press(press(app, f"preview-{id_}"), f"send-{id_}")


def status(desk: Desk, id_: int) -> str:
    return str(clicks.read(desk.engine, id_, now=desk.now).status)


def made(desk: Desk, id_: int) -> list[dict[str, Any]]:
    statement = text("select * from review.decisions where application_id = :id")
    with desk.engine.connect() as conn:
        return [dict(row) for row in conn.execute(statement, {"id": id_}).mappings()]


def test_sending_needs_a_choice(queue: Desk) -> None:
    app = opened(queue)

    assert [f"choose-{key}-{MET}" for key in "arid"] == [
        button.key for button in app.button if str(button.key).startswith("choose-")
    ]
    assert not [button for button in app.button if button.key == f"send-{MET}"]


def test_one_list_says_what_an_approval_needs_and_what_one_press_passes(queue: Desk) -> None:
    app = press(opened(queue), f"choose-a-{MET}")

    listed = {
        str(button.key).split("-")[1]: button.label
        for button in app.button
        if str(button.key).startswith("obstacle-")
    }
    assert set(listed) == set(ITEMS_BY_KEY)
    assert {key for key, label in listed.items() if "required]" in label} == set(
        DEFAULT_REQUIRED_CHECKS
    )
    (lacking,) = [key for key, label in listed.items() if label.endswith(" · needs evidence")]
    assert ITEMS_BY_KEY[lacking].label == "External volume proven"

    app = press(app, f"pass-open-{MET}")

    assert rate(app).value == "20"
    assert not [one for one in app.info if "since you" in one.value], "their own are no news"
    with queue.engine.connect() as conn:
        passed = conn.execute(text("select item from review.checks where outcome = 'passed'"))
        assert set(passed.scalars()) == set(listed) - {lacking}


def test_a_press_before_anybody_could_look_sends_nothing(queue: Desk, onlooker: Any) -> None:
    app = press(approving(queue), f"preview-{MET}")
    onlooker.looks_for = SEEN_FOR - timedelta(milliseconds=1)

    app = press(app, f"send-{MET}")

    assert made(queue, MET) == []
    assert any(line.startswith(LOOK_FIRST.split(",")[0]) for line in texts(app))
    onlooker.looks_for = SEEN_FOR
    press(app, f"send-{MET}")
    assert len(made(queue, MET)) == 1


def test_an_approval_is_filled_previewed_and_sent(queue: Desk) -> None:
    app = press(approving(queue), f"preview-{MET}")

    preview = texts(app)
    assert any(line.startswith("Rebate 20") for line in preview)
    assert any("telegram" in line and "contact1" in line for line in preview)
    (message,) = [line for line in preview if line.startswith("Hello user1")]
    assert made(queue, MET) == []

    press(app, f"send-{MET}")

    (decision,) = made(queue, MET)
    assert decision["outcome"] == "approved"
    assert decision["rebate_rate"] == Decimal("0.2000")
    assert decision["message_to_applicant"] == message
    assert decision["decided_by"] == PEOPLE[Role.REVIEWER]


@pytest.mark.sampled
@pytest.mark.parametrize("reason", every(4, REASONS), ids=lambda reason: reason.code)
def test_each_reason_fills_rationale_and_message(queue: Desk, reason: Any) -> None:
    app = rejecting(queue, reason=reason.code)

    assert field(app, "Message").value.startswith("Hello user2,")
    assert reason.label in texts(app)


def test_a_plain_rejection_takes_two_choices_and_two_confirmations(queue: Desk) -> None:
    app = send(rejecting(queue), SHORT)

    (decision,) = made(queue, SHORT)
    assert decision["reason_code"] == "below_minimums"
    assert decision["reapply"] == "after_30_days"
    assert decision["rationale"].startswith("Volume 19,999,999.99 of 20,000,000 USD")
    assert "19.9" in decision["message_to_applicant"]
    # The next unassigned application of the view is open and claimed.
    assert app.query_params["id"] == str(MET)
    assert (
        clicks.read(queue.engine, MET, now=queue.now).desk.assignee(
            queue.now + timedelta(minutes=1)
        )
        == (PEOPLE[Role.REVIEWER])
    )


def test_moved_figures_and_changed_results_are_shown_separately(queue: Desk) -> None:
    app = rejecting(queue, reason="other")
    assert not [one for one in texts(app) if "since you" in one]

    def trade(volume: str, active: int) -> AppTest:
        with queue.engine.begin() as conn:
            conn.execute(
                text(
                    "update review.affiliate_window set volume_usd = :volume, active_users = :active "
                    "where affiliate_account_id = "
                    "(select account_id from exchange.applications where application_id = :id)"
                ),
                {"volume": volume, "active": active, "id": SHORT},
            )
        return app.run()

    trade("19000000.00", 14)
    assert [one.value for one in app.info if "since" in one.value] == [
        "Moved since you looked; no result changed."
    ]
    assert not [one for one in app.warning if "Changed since" in one.value]
    assert {"**Then**", "**Now**"} <= set(texts(app, ["markdown"]))

    trade("20000000.00", 14)
    (changed,) = (one.value for one in app.warning if "Changed since you began" in one.value)
    assert "(not met\\) → 20 M USD \\(met" in changed

    # The next form starts with the figures shown then.
    trade("19999999.99", 14)
    assert not [one for one in texts(app) if "since you" in one]


def test_only_what_colleagues_answer_and_record_is_news(queue: Desk) -> None:
    app = rejecting(queue, reason="other")
    clicks.check(queue.engine, SHORT, now=queue.now, item="no_prior_ban")
    clicks.record_evidence(queue.engine, SHORT, now=queue.now)
    app.run()
    assert not [one for one in (*app.info, *app.warning) if "since you" in one.value]

    clicks.check(queue.engine, SHORT, now=queue.now, actor=clicks.BEN)
    clicks.record_evidence(queue.engine, SHORT, now=queue.now, actor=clicks.BEN)
    app.run()
    (changed,) = (one.value for one in app.warning if "Changed since you began" in one.value)
    assert "evidence" in changed
    assert "Check “Jurisdiction allowed”" in texts(app)


def test_edited_text_survives_another_choice_and_the_preview(queue: Desk) -> None:
    app = rejecting(queue)
    field(app, "Rationale").input("In my own words")
    app = press(press(app, f"choose-d-{SHORT}"), f"choose-r-{SHORT}")

    assert field(app, "Rationale").value == "In my own words"

    app = press(press(app, f"preview-{SHORT}"), f"back-{SHORT}")

    assert field(app, "Rationale").value == "In my own words"


def test_an_invalid_form_is_refused_before_the_preview_and_kept(queue: Desk) -> None:
    app = rejecting(queue)
    for label, typed, sentence in (
        ("Rationale", "", "The rationale is empty"),
        ("Rationale", "x" * 20_000, "has 20,000 characters"),
        ("Message", "", "The message to the applicant is empty"),
        ("Message", "Dear {{nickname}}", "still has {{nickname}}"),
        ("Message", "a\0b", "NUL"),
    ):
        before = field(app, label).value
        field(app, label).input(typed)
        app = press(app, f"preview-{SHORT}")

        assert refuses(app, sentence)
        assert field(app, label).value == typed
        field(app, label).input(before).run()
    assert made(queue, SHORT) == []


def refuses(app: AppTest, sentence: str) -> bool:
    """Return whether the page shows this, without its escapes."""
    return any(sentence in line.replace("\\", "").replace("\u2060", "") for line in texts(app))


def test_the_rate_is_above_the_standard_and_at_most_the_maximum(queue: Desk) -> None:
    app = approving(queue)
    for percent, refused in (("10", True), ("50.01", True), ("10.01", False), ("50 %", False)):
        rate(app).set_value(percent).run()
        app = press(app, f"preview-{MET}")

        assert refuses(app, "must be above the standard") is refused, percent
        assert bool([b for b in app.button if b.key == f"send-{MET}"]) is not refused, percent
        if not refused:
            app = press(app, f"back-{MET}")


REMEDIES = (
    ("2,5", "has a decimal comma; write `2.5`"),
    ("12,5", "has a decimal comma; write `12.5`"),
    ("1.234,50", "has a decimal comma; write `1234.50`"),
    ("1,234", "has a thousands separator; write `1234`"),
    ("1 234", "must be above the standard"),
    ("１２", "has digits other than 0 to 9; write it with those"),
    ("2e1", "is written with an exponent; write all its digits"),
    ("", "is empty; write digits"),
    ("20.125", "takes at most two decimals of a percent"),
    ("-0", "must be above the standard"),
)


def test_a_rate_is_read_as_numbers_are_and_refused_at_its_field(queue: Desk) -> None:
    app = approving(queue)
    field(app, "Rationale").input("Of my own")
    for typed, remedy in REMEDIES:
        rate(app).set_value(typed).run()
        app = press(app, f"preview-{MET}")

        assert refuses(app, remedy), typed
        assert (rate(app).value, field(app, "Rationale").value) == (typed, "Of my own")
        assert not [one for one in app.button if one.key == f"send-{MET}"], typed
    rate(app).set_value("\u200b12.5\u00a0%").run()
    app = press(app, f"preview-{MET}")
    assert any("Rebate 12.5 % of net fees" in line for line in texts(app))


def test_an_override_needs_a_reason_and_a_second_person(queue: Desk) -> None:
    app = press(approving(queue, UNKNOWN), f"preview-{UNKNOWN}")

    assert any("Write the override reason" in line for line in texts(app))

    field(app, "Override reason").input("Known to us for years")
    app = press(app, f"preview-{UNKNOWN}")
    assert app.button(key=f"send-{UNKNOWN}").label == "Ask for a second approval"
    press(app, f"send-{UNKNOWN}")

    assert status(queue, UNKNOWN) == "awaiting_second_approval"
    assert made(queue, UNKNOWN) == []


def proposed(desk: Desk) -> None:
    with desk.engine.begin() as conn:
        pass_checks(conn, UNKNOWN)
    clicks.ask_second(desk.engine, UNKNOWN, now=desk.now, actor=PEOPLE[Role.REVIEWER])


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        (Role.REVIEWER, ["cancel"]),
        (Role.MANAGER, ["confirm", "decline", "cancel"]),
        (Role.ANALYST, []),
        (Role.ADMIN, []),
    ],
)
def test_the_second_person_is_a_manager_and_never_the_first(
    queue: Desk, who: Role, offered: list[str]
) -> None:
    proposed(queue)
    queue.who = PEOPLE[who]
    app = opened(queue, UNKNOWN)
    acts = ("confirm", "decline", "cancel")

    assert [
        act for act in acts if [b for b in app.button if b.key == f"{act}-{UNKNOWN}"]
    ] == offered


def test_a_manager_confirms_and_the_decision_names_both(queue: Desk) -> None:
    proposed(queue)
    queue.who = PEOPLE[Role.MANAGER]
    press(opened(queue, UNKNOWN), f"confirm-{UNKNOWN}")

    (decision,) = made(queue, UNKNOWN)
    assert (decision["decided_by"], decision["second_approver"]) == (
        PEOPLE[Role.REVIEWER],
        PEOPLE[Role.MANAGER],
    )


def test_declining_needs_a_reason_and_sends_it_back(queue: Desk) -> None:
    proposed(queue)
    queue.who = PEOPLE[Role.MANAGER]
    app = press(opened(queue, UNKNOWN), f"decline-{UNKNOWN}")
    assert any("The reason is empty" in line for line in texts(app))

    field(app, "Reason for declining").input("The reach is not shown")
    press(app, f"decline-{UNKNOWN}")

    assert status(queue, UNKNOWN) == "pending"
    with queue.engine.connect() as conn:
        (proposal,) = proposals.history(conn, UNKNOWN)
    assert proposal.closed_as == "declined"


def test_deferring_takes_a_preset_and_is_undone_by_bringing_back(queue: Desk) -> None:
    app = press(press(opened(queue), f"choose-d-{MET}"), f"defer-2-{MET}")
    send(app, MET)

    application = clicks.read(queue.engine, MET, now=queue.now)
    assert status(queue, MET) == "deferred"
    assert application.desk.deferred_until is not None
    assert (application.desk.deferred_until.date() - queue.now.date()).days == 7

    press(opened(queue), f"bring-back-{MET}")

    assert status(queue, MET) == "pending"


def test_asking_pauses_until_the_answer_is_recorded(queue: Desk) -> None:
    app = press(opened(queue), f"choose-i-{MET}")
    canned = next(b for b in app.button if str(b.key).startswith("ask-"))
    send(press(app, str(canned.key)), MET)
    assert status(queue, MET) == "more_info_needed"

    app = opened(queue)
    assert any(line.startswith("Hello user1") for line in texts(app))
    field(app, "The applicant's answer").input("Here is the statement")
    press(app, f"Record the answer-{MET}")

    assert status(queue, MET) == "pending"


def test_a_manager_reopens_and_the_old_decision_stays_readable(queue: Desk) -> None:
    send(rejecting(queue), SHORT)
    queue.who = PEOPLE[Role.MANAGER]
    app = opened(queue, SHORT)
    field(app, "Reason for reopening").input("New figures")
    app = press(app, f"reopen-{SHORT}")

    assert status(queue, SHORT) == "pending"
    assert any(line.startswith("Volume 19,999,999.99") for line in texts(app))


def test_a_reviewer_does_not_reopen(queue: Desk) -> None:
    send(rejecting(queue), SHORT)

    assert not [b for b in opened(queue, SHORT).button if b.key == f"reopen-{SHORT}"]


def test_a_colleague_who_decided_first_is_named(queue: Desk) -> None:
    app = press(rejecting(queue), f"preview-{SHORT}")
    clicks.reject(queue.engine, SHORT, actor="ben@example.com", now=queue.now)

    app = press(app, f"send-{SHORT}")

    said_plainly = [line.replace("\\", "").replace("\u2060", "") for line in texts(app)]
    assert any("Already rejected by Ben at" in line for line in said_plainly)
    assert len(made(queue, SHORT)) == 1


def test_while_a_colleague_holds_it_there_is_taking_over_and_no_form(queue: Desk) -> None:
    claims.claim(
        queue.engine,
        claims.Claim(
            application_id=MET, actor="ben@example.com", at=queue.now, request_id=uuid.uuid4()
        ),
    )
    app = opened(queue)
    assert any("Ben works on this" in line for line in texts(app))
    assert not [b for b in app.button if b.key == f"choose-a-{MET}"]

    app = press(app, f"Take over to decide-{MET}")

    assert [b for b in app.button if b.key == f"choose-a-{MET}"]


def test_a_conflict_of_interest_takes_the_form_away(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(
            text("update exchange.accounts set email = 'ANA@example.com' where account_id = :id"),
            {"id": MET},
        )
    app = opened(queue)

    assert any("You are the applicant" in line for line in texts(app))
    assert not [b for b in app.button if b.key == f"choose-a-{MET}"]


def test_markup_in_every_field_is_shown_as_typed(queue: Desk) -> None:
    app = rejecting(queue)
    field(app, "Rationale").input(MARKUP)
    field(app, "Message").input(MARKUP)
    app = press(app, f"preview-{SHORT}")

    assert MARKUP in [element.value for element in app.text]
    assert not any(MARKUP in element.value for element in app.markdown)

    press(app, f"send-{SHORT}")
    app = opened(queue, SHORT)

    assert [element.value for element in app.text].count(MARKUP) >= 2
    assert not any(MARKUP in element.value for element in app.markdown)


@pytest.mark.parametrize("who", [Role.ANALYST, Role.ADMIN])
def test_people_who_may_not_decide_see_a_notice_instead_of_the_form(queue: Desk, who: Role) -> None:
    queue.who = PEOPLE[who]
    app = opened(queue)

    assert any(f"Your role, {who}, does not decide" in line for line in texts(app))
    assert not [b for b in app.button if str(b.key).startswith("choose-")]
    assert decisions.LONGEST_TEXT == 4_000

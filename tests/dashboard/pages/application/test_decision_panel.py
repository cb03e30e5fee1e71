"""The decision panel: warnings, kept text, and earlier steps."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import APPLICATION
from dashboard.ui import keyboard
from program.policy.checklist import ITEMS
from program.policy.policy import DEFAULT_REQUIRED_CHECKS
from program.review.permissions import Role
from tests.builders import pass_checks
from tests.dashboard.conftest import MET, SHORT, UNKNOWN
from tests.dashboard.pages.screen import PEOPLE, ROOT, SAID, Desk, texts
from tests.data_access import clicks

STYLE = ROOT / "dashboard" / "style.css"
ANA, BEN, MIRA = clicks.ANA, clicks.BEN, clicks.MIRA
MARKUP = "<img src=x onerror=alert(1)> **bold** [link](http://evil.test) :red[no]"


def opened(desk: Desk, id_: int = MET, **query: str) -> AppTest:
    return desk.open(APPLICATION, id=str(id_), **query)


def press(app: AppTest, *keys: str) -> AppTest:
    for key in keys:
        app = app.button(key=key).click().run()
    return app


def press_again(app: AppTest, key: str) -> None:
    """Press twice, as a double click does: the second press knows nothing of the first."""
    states = app._tree.get_widget_states()
    states.widgets.add(id=app.button(key=key).proto.id).trigger_value = True
    app._run(states)
    app._run(states)


def field(app: AppTest, label: str) -> Any:
    (found,) = [area for area in app.text_area if area.label.startswith(label)]
    return found


def labeled(widgets: Any, label: str) -> Any:
    (found,) = [widget for widget in widgets if widget.label.startswith(label)]
    return found


def again(app: AppTest) -> Any:
    return labeled(app.selectbox, "May apply again")


def rate(app: AppTest) -> Any:
    return labeled(app.text_input, "Rebate")


def day(app: AppTest) -> Any:
    return labeled(app.date_input, "UTC day")


def change(app: AppTest) -> Any:
    return labeled(app.checkbox, "Or until")


def plain(app: AppTest) -> str:
    return " | ".join(texts(app, [*SAID, "info"])).replace("\\", "").replace("\u2060", "")


def offered(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def approving(desk: Desk, id_: int = MET) -> AppTest:
    with desk.engine.begin() as conn:
        pass_checks(conn, id_)
    return press(opened(desk, id_), f"choose-a-{id_}")


def rejecting(desk: Desk, id_: int = SHORT, reason: str = "below_minimums") -> AppTest:
    return press(opened(desk, id_), f"choose-r-{id_}", f"reason-{reason}-{id_}")


def made(desk: Desk, id_: int) -> list[dict[str, Any]]:
    statement = text("select * from review.decisions where application_id = :id")
    with desk.engine.connect() as conn:
        return [dict(row) for row in conn.execute(statement, {"id": id_}).mappings()]


def status(desk: Desk, id_: int) -> str:
    return str(clicks.read(desk.engine, id_, now=desk.now).status)


def earn(desk: Desk, id_: int, fees: Decimal) -> None:
    """Add net fees to the window."""
    with desk.engine.begin() as conn:
        conn.execute(
            text(
                "update review.affiliate_window set fees_usd = :fees "
                "where affiliate_account_id = :id"
            ),
            {"fees": fees, "id": id_},
        )


# Unsent text.


def test_another_reapply_rule_refills_unedited_text(queue: Desk) -> None:
    app = rejecting(queue)
    again(app).select("never").run()

    assert "We cannot consider another application" in field(app, "Message").value


def test_another_reapply_rule_keeps_edited_text_and_warns_what_it_lacks(
    queue: Desk,
) -> None:
    app = rejecting(queue)
    field(app, "Message").input("In my own words").run()
    again(app).select("never").run()

    assert field(app, "Message").value == "In my own words"
    assert "does not say: We cannot consider another application" in plain(app)

    app = press(app, f"refill-message-below_minimums-{SHORT}")

    assert "We cannot consider another application" in field(app, "Message").value
    assert "does not say" not in plain(app)


def test_another_rate_keeps_an_edited_message_and_warns_about_the_old_rate(queue: Desk) -> None:
    app = approving(queue)
    field(app, "Message").input("Welcome, your rebate is 20 %.").run()
    rate(app).set_value("25").run()

    assert field(app, "Message").value == "Welcome, your rebate is 20 %."
    assert "does not say: 25 %" in plain(app)
    assert "does not say: 25 %" in plain(press(app, f"preview-{MET}"))


def test_figures_that_move_while_one_types_leave_the_typed_text_alone(queue: Desk) -> None:
    app = rejecting(queue)
    field(app, "Rationale").input("In my own words").run()
    with queue.engine.begin() as conn:
        conn.execute(text("update review.affiliate_window set active_users = 13"))
    app.run()

    assert field(app, "Rationale").value == "In my own words"
    assert "13 of the required 15" in field(app, "Message").value


def test_a_double_click_decides_once_and_opens_the_next_all_the_same(queue: Desk) -> None:
    app = press(rejecting(queue), f"preview-{SHORT}")
    press_again(app, f"send-{SHORT}")

    assert len(made(queue, SHORT)) == 1
    assert app.query_params["id"] in (str(MET), [str(MET)])
    assert [toast.value.split("\\.")[0] for toast in app.toast] == [f"user{SHORT} is rejected"]


# Approving.


def test_the_pass_button_shows_how_many_checks_it_answers(queue: Desk) -> None:
    app = press(opened(queue), f"choose-a-{MET}")

    # All but the item without evidence.
    assert app.button(key=f"pass-open-{MET}").label == f"Pass these {len(ITEMS) - 1}"


def test_each_open_check_leads_to_its_answer(queue: Desk) -> None:
    first = DEFAULT_REQUIRED_CHECKS[0]
    app = press(opened(queue), f"choose-a-{MET}", f"obstacle-{first}-{MET}")

    assert [area.label for area in app.text_area if area.label.startswith("Comment")]


def test_a_failed_check_blocks_an_approval_and_is_not_passed_in_bulk(
    queue: Desk,
) -> None:
    first = DEFAULT_REQUIRED_CHECKS[0]
    with queue.engine.begin() as conn:
        pass_checks(conn, MET, but=(first,))
    clicks.check(queue.engine, MET, item=first, outcome="failed", comment="no", now=queue.now)
    app = press(opened(queue), f"choose-a-{MET}")

    (blocked,) = [one for one in app.button if str(one.key).startswith("obstacle-")]
    assert "failed" in blocked.label
    assert not any(label.startswith("Pass") and "open" in label for label in offered(app))
    assert f"send-{MET}" not in [button.key for button in app.button]


def test_the_rate_shows_its_cost(queue: Desk) -> None:
    earn(queue, MET, Decimal(50_000))

    words = plain(approving(queue))

    # 10 points above the standard rate, with 80 % of the fees left.
    assert "Costs **5 k USD more a month**" in words
    assert "60 k a year" in words
    assert "leaves 40 k of 50 k USD net fees" in words
    assert "data through" in words


def test_unknown_fees_are_shown_as_unknown(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(text("delete from review.refreshes"))

    assert "Net fees are unknown" in plain(approving(queue, UNKNOWN))


@pytest.mark.parametrize(("fees", "asks"), [(99_999, False), (100_000, True)])
def test_from_the_policys_cost_on_a_second_person_and_a_reason_are_needed(
    fees: int, asks: bool, queue: Desk
) -> None:
    earn(queue, MET, Decimal(fees))
    app = approving(queue)
    assert ("a second person decides" in plain(app)) is asks
    if asks:
        field(app, "Override reason").input("Worth it")

    app = press(app, f"preview-{MET}")

    word = "Ask for a second approval" if asks else "Approve"
    assert app.button(key=f"send-{MET}").label == word


def fall_behind(desk: Desk) -> None:
    with desk.engine.begin() as conn:
        conn.execute(
            text("update review.refreshes set data_through = :day, window_end = :day"),
            {"day": desk.yesterday - timedelta(days=1)},
        )


@pytest.mark.parametrize(("begin", "id_"), [(approving, MET), (rejecting, SHORT)])
def test_metrics_that_are_behind_warn_on_both_steps(begin: Any, id_: int, queue: Desk) -> None:
    # Not the page's own line, which stands there whatever is decided.
    warning = "eligibility is provisional. The decision records that."
    assert warning not in plain(begin(queue))
    fall_behind(queue)
    app = begin(queue)
    assert warning in plain(app)

    app = press(app, f"preview-{id_}")

    assert warning in plain(app)


def test_metrics_that_are_behind_warn_the_second_person(queue: Desk) -> None:
    propose(queue)
    fall_behind(queue)
    queue.who = MIRA

    assert "eligibility is provisional. The decision records that." in plain(opened(queue, UNKNOWN))


def test_a_rejection_looks_unlike_an_approval(queue: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    red: list[bool] = []
    sends = keyboard.sends

    def noted(token: str, *, destroys: bool = False, **look: Any) -> Any:
        red.append(destroys)
        return sends(token, destroys=destroys, **look)

    monkeypatch.setattr(keyboard, "sends", noted)
    looks = []
    for begin, id_ in ((approving, MET), (rejecting, SHORT)):
        app = press(begin(queue), f"preview-{id_}")
        red.clear()
        app.run()
        looks.append((app.button(key=f"send-{id_}").proto.icon, any(red)))

    assert looks == [(":material/check:", False), (":material/block:", True)]
    assert "st-key-sends-red" in STYLE.read_text()


# Rejecting a met application, and the day of reapplication.


def test_rejecting_a_met_application_needs_a_reason_and_a_second_person(queue: Desk) -> None:
    app = press(rejecting(queue, MET, "duplicate"), f"preview-{MET}")
    assert "Write the override reason" in plain(app)

    field(app, "Override reason").input("They spam")
    app = press(app, f"preview-{MET}", f"send-{MET}")

    assert status(queue, MET) == "awaiting_second_approval"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("after_30_days", "after 30 days, from "),
        ("never", "never"),
        ("at_once", "at any time"),
    ],
)
def test_the_preview_shows_when_the_applicant_may_apply_again(
    rule: str, words: str, queue: Desk
) -> None:
    app = rejecting(queue)
    again(app).select(rule).run()
    app = press(app, f"preview-{SHORT}")

    assert f"May apply again: {words}" in plain(app)


# Second approval.


def propose(desk: Desk, **given: Any) -> None:
    with desk.engine.begin() as conn:
        pass_checks(conn, UNKNOWN)
    draft = clicks.draft(message="Hello there", rationale="Steady", **given)
    clicks.ask_second(desk.engine, UNKNOWN, now=desk.now, draft=draft)


def test_a_proposal_is_shown_whole(queue: Desk) -> None:
    propose(queue)
    queue.who = MIRA

    words = plain(opened(queue, UNKNOWN))

    assert "Ana proposes to approve" in words
    assert "against the computed eligibility" in words
    for part in ("Rebate 20 % of net fees", clicks.OTHER_WAY, "Steady", "Hello there", "telegram"):
        assert part in words


def test_a_proposal_shows_figures_that_moved(queue: Desk) -> None:
    propose(queue)
    with queue.engine.begin() as conn:
        conn.execute(
            text(
                "update review.proposals set seen = jsonb_set(seen, "
                "'{facts,x_followers}', '\"900\"')"
            )
        )
    queue.who = MIRA

    assert "followers on x: 900 (not met) is now unknown" in plain(opened(queue, UNKNOWN)).lower()


def test_after_a_lapse_on_confirming_one_can_decide_without_reloading(queue: Desk) -> None:
    propose(queue)
    with queue.engine.begin() as conn:
        conn.execute(
            text(
                "update review.proposals set seen = jsonb_set(seen, '{facts,x_followers}', '\"900\"')"
            )
        )
    queue.who = MIRA
    app = press(opened(queue, UNKNOWN), f"confirm-{UNKNOWN}")

    assert "so the proposal expired" in plain(app)
    assert "followers on x: 900 (not met) is now unknown" in plain(app).lower()

    app = press(app, f"choose-r-{UNKNOWN}", f"reason-evidence_missing-{UNKNOWN}")
    app = press(app, f"preview-{UNKNOWN}", f"send-{UNKNOWN}")

    assert status(queue, UNKNOWN) == "rejected"


@pytest.mark.parametrize("who", [Role.ANALYST, Role.ADMIN])
def test_analysts_read_a_waiting_application_without_buttons(who: Role, queue: Desk) -> None:
    propose(queue)
    clicks.ask_applicant(queue.engine, MET, now=queue.now, message="Your own question")
    until = queue.now.date() + timedelta(days=3)
    clicks.defer(queue.engine, SHORT, now=queue.now, until=until, reason="Later")
    queue.who = PEOPLE[who]

    for id_, words in ((UNKNOWN, clicks.OTHER_WAY), (MET, "Your own question"), (SHORT, "Later")):
        app = opened(queue, id_)
        assert words in plain(app)
        keys = [str(button.key) for button in app.button]
        assert not {f"confirm-{id_}", f"cancel-{id_}", f"Record the answer-{id_}"} & set(keys)
        assert f"bring-back-{id_}" not in keys


def test_a_lapsed_proposal_shows_what_changed_and_what_was_proposed(queue: Desk) -> None:
    propose(queue)
    entry = clicks.followers(4000, observed_at=queue.now - timedelta(hours=1))
    clicks.record_evidence(queue.engine, UNKNOWN, now=queue.now, entry=entry, actor=BEN)
    assert status(queue, UNKNOWN) == "pending"

    words = plain(opened(queue, UNKNOWN))

    assert "Ana proposed to approve" in words
    assert "followers on x: unknown is now 4,000" in words.lower()
    assert "Hello there" in words

    clicks.reject(queue.engine, UNKNOWN, now=queue.now)
    clicks.reopen(queue.engine, UNKNOWN, now=queue.now)

    assert "proposed to approve" not in plain(opened(queue, UNKNOWN))


# Set-aside and decided applications.


def test_a_deferral_shows_its_end_and_its_reason(queue: Desk) -> None:
    app = press(opened(queue), f"choose-d-{MET}", f"defer-3-{MET}")
    field(app, "Reason").input(MARKUP)
    app = press(app, f"preview-{MET}")
    assert MARKUP in [element.value for element in app.text]

    press(app, f"send-{MET}")
    app = opened(queue)

    assert MARKUP in [element.value for element in app.text]
    until = queue.now.date() + timedelta(days=30)
    assert any(str(until.year) in line and "00:00 UTC" in line for line in texts(app))


def test_another_preset_sets_its_own_day(queue: Desk) -> None:
    app = press(opened(queue), f"choose-d-{MET}", f"defer-1-{MET}")
    day(app).set_value(queue.now.date() + timedelta(days=90))
    app = press(app, f"change-defer-{MET}", f"defer-2-{MET}")

    assert day(app).value == queue.now.date() + timedelta(days=7)


def test_a_deferral_that_waits_for_another_answer_needs_no_day(queue: Desk) -> None:
    app = press(opened(queue), f"choose-d-{MET}", f"defer-4-{MET}")
    assert day(app).value is None
    assert change(app).value

    press(app, f"preview-{MET}", f"send-{MET}")

    assert status(queue, MET) == "deferred"


@pytest.mark.parametrize("days", [0, 366])
def test_a_day_that_cannot_be_waited_for_is_refused(days: int, queue: Desk) -> None:
    app = press(opened(queue), f"choose-d-{MET}", f"defer-1-{MET}")
    day(app).set_value(queue.now.date() + timedelta(days=days))
    app = press(app, f"preview-{MET}")

    assert "Choose a" in plain(app)
    assert f"send-{MET}" not in [button.key for button in app.button]
    assert status(queue, MET) == "pending"


def test_the_facts_behind_a_decision_stay_readable(queue: Desk) -> None:
    press(rejecting(queue), f"preview-{SHORT}", f"send-{SHORT}")
    with queue.engine.begin() as conn:
        conn.execute(text("update review.affiliate_window set active_users = 99"))

    words = plain(opened(queue, SHORT))

    assert "− Referral volume, USD 19.9 M of 20 M" in words
    assert "− Active users 14 of 15" in words
    assert "− Followers on X 4,000 of > 5,000" in words


def test_an_earlier_decision_of_a_reopened_one_keeps_its_own_figures(queue: Desk) -> None:
    press(rejecting(queue), f"preview-{SHORT}", f"send-{SHORT}")
    with queue.engine.begin() as conn:
        conn.execute(text("update review.affiliate_window set active_users = 99"))
    clicks.reopen(queue.engine, SHORT, now=queue.now)

    app = opened(queue, SHORT)

    assert any("Earlier" in part.label for part in app.expander)
    assert "− Active users 14 of 15" in plain(app)
    assert f"choose-r-{SHORT}" in [button.key for button in app.button]


# Markup in every field.


def shows_as_typed(app: AppTest, times: int = 1) -> None:
    assert [element.value for element in app.text].count(MARKUP) >= times
    for kind in ("markdown", "caption", "info", "warning", "error", "success"):
        assert not any(MARKUP in str(element.value) for element in app.get(kind))


def test_markup_in_a_proposal_is_shown_as_typed(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        pass_checks(conn, UNKNOWN)
    draft = clicks.draft(message=MARKUP, rationale=MARKUP, override_reason=MARKUP)
    clicks.ask_second(queue.engine, UNKNOWN, now=queue.now, draft=draft)
    for who in (Role.REVIEWER, Role.MANAGER, Role.ANALYST):
        queue.who = PEOPLE[who]
        shows_as_typed(opened(queue, UNKNOWN), 3 if who is not Role.ANALYST else 0)

    clicks.confirm(queue.engine, UNKNOWN, now=queue.now)

    shows_as_typed(opened(queue, UNKNOWN), 3)


def test_markup_in_a_question_and_in_a_reason_for_reopening_is_shown_as_typed(
    queue: Desk,
) -> None:
    app = press(opened(queue), f"choose-i-{MET}", f"ask-free-{MET}")
    field(app, "Message").input(MARKUP)
    app = press(app, f"preview-{MET}")
    shows_as_typed(app)
    press(app, f"send-{MET}")
    shows_as_typed(opened(queue))

    press(rejecting(queue), f"preview-{SHORT}", f"send-{SHORT}")
    queue.who = MIRA
    app = opened(queue, SHORT)
    field(app, "Reason for reopening").input(MARKUP)
    press(app, f"reopen-{SHORT}")
    shows_as_typed(opened(queue, SHORT))


@pytest.mark.parametrize("key", ["profile_proof", "free"])
def test_a_custom_question_must_be_written_before_it_is_sent(key: str, queue: Desk) -> None:
    app = press(opened(queue), f"choose-i-{MET}", f"ask-{key}-{MET}", f"preview-{MET}")

    refused = key == "free"
    assert ("still has {{your question}}" in plain(app)) is refused
    assert (f"send-{MET}" in [button.key for button in app.button]) is not refused


@pytest.mark.parametrize("act", ["Record the answer", "Stop waiting"])
def test_going_on_needs_words(act: str, queue: Desk) -> None:
    clicks.ask_applicant(queue.engine, MET, now=queue.now)
    app = press(opened(queue), f"{act}-{MET}")

    assert "is empty. Enter some text" in plain(app)
    assert status(queue, MET) == "more_info_needed"

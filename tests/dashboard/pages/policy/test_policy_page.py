"""The policy page: who reads what, a draft from typing to publishing, and the what-if."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import POLICY
from data_access.eligibility import policies
from data_access.policy import drafts
from program.periods import day_start
from program.policy.drafts import Draft
from program.policy.policy import Policy
from program.policy.settings import changes
from program.review.permissions import Act, Role, may
from tests.dashboard.conftest import MET, SHORT, UNKNOWN
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, texts
from tests.data_access.clicks import command

LEO = "leo@example.com"
SAVE = "Save the draft"


@pytest.fixture
def office(queue: Desk) -> Desk:
    """Three open applications and two managers; mira is signed in."""
    with queue.engine.begin() as conn:
        conn.execute(text("insert into review.staff values ('leo@example.com', 'Leo', 'manager')"))
    queue.who = PEOPLE[Role.MANAGER]
    return queue


def draft_page(desk: Desk, **query: str) -> AppTest:
    return desk.open(POLICY, part="draft", **query)


def field(app: AppTest, kind: str, label: str) -> Any:
    (found,) = (one for one in app.get(kind) if one.label.startswith(label))
    return found


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (one for one in app.button if one.label == label)
    return button.click().run()


def written(desk: Desk, volume: str = "40,000,000") -> AppTest:
    app = draft_page(desk)
    field(app, "text_input", "Referral volume").set_value(volume)
    field(app, "text_area", "Reason for the change").set_value("More *volume*")
    return press(app, SAVE)


def kept(desk: Desk) -> drafts.Kept:
    with desk.engine.connect() as conn:
        return drafts.open_ones(conn)[0]


@pytest.mark.parametrize("role", Role)
def test_the_page_needs_permission_to_read_the_policy(role: Role, desk: Desk) -> None:
    desk.who = PEOPLE[role]

    app = desk.open(POLICY, part="draft")

    words = texts(app)
    assert ("Policy" in words) is may(role, Act.READ_POLICY)
    assert any(one.startswith(f"Your role, {role}, may not read") for one in words) is (
        not may(role, Act.READ_POLICY)
    )
    # People without permission to edit see the version in force instead of a form.
    assert any(one.label == SAVE for one in app.button) is may(role, Act.EDIT_POLICY)
    assert ("20,000,000 USD" in words) is (
        may(role, Act.READ_POLICY) and not may(role, Act.EDIT_POLICY)
    )


def listed(app: AppTest, column: str) -> list[Any]:
    """Return a column of the table of changed results."""
    (table,) = [one for one in app.dataframe if "number" in one.value]
    return list(table.value[column])


def test_a_draft_is_marked_replayed_and_published_by_two(office: Desk) -> None:
    app = written(office)
    assert "The draft is saved" in app.success[0].value
    assert any("changed" in one.label for one in app.text_input)
    assert "More *volume*" in texts(app, ["text"])
    assert any("20,000,000 USD" in one and "40,000,000 USD" in one for one in texts(app))

    app = press(app, "Replay")
    assert cells(app, "who", 0) == ["Open applications", "Past decisions", "Approved affiliates"]
    assert cells(app, "changed", 0) == [1, 0, 0]
    assert listed(app, "number") == [MET]
    assert listed(app, "move") == ["✓ met → ? unknown"]
    app = press(app, "Propose for publishing")
    assert any(one.value.startswith("Waiting for a second manager") for one in app.info)
    assert not [one for one in app.button if one.label.startswith("Publish")]

    office.who = LEO
    app = press(draft_page(office), "Publish as version 2")
    assert "Published as version 2" in app.success[0].value
    with office.engine.connect() as conn:
        assert policies.newest(conn).author == PEOPLE[Role.MANAGER]
    app = office.open(POLICY, part="history")
    words = texts(app)
    assert "**Version 2**" in words
    assert any("confirmed by Leo" in one.replace("\\", "") for one in words)


def test_changed_results_are_listed_by_the_move_in_the_address(office: Desk) -> None:
    written(office, volume="10,000,000")
    app = draft_page(office, replay=str(kept(office).draft_id), move="not_met-to-met")

    # 14 active users and 4 new ones fall short of 15 and 5 whatever the volume.
    assert "No result changes." in texts(app)
    app = draft_page(office)
    field(app, "text_input", "Active users").set_value("14")
    field(app, "text_input", "New users").set_value("4")
    press(app, SAVE)
    app = draft_page(office, replay=str(kept(office).draft_id), move="not_met-to-met", page="9")
    assert listed(app, "number") == [SHORT]
    assert "1 to 1 of 1" in texts(app, ["caption"])
    assert UNKNOWN not in listed(app, "number")


def test_an_unchanged_result_is_stated_only_for_replayed_cases(office: Desk) -> None:
    app = draft_page(office)
    # No rollup counts users from this floor.
    field(app, "text_input", "A user is active from").set_value("5")
    press(app, SAVE)
    app = draft_page(office, replay=str(kept(office).draft_id))

    met, undetermined = cells(app, "met", 0), cells(app, "undetermined", 0)
    assert undetermined == [1, 0, 0]
    assert met == ["0", "0", "0"]
    assert "No result changes among 2 replayed; 1 could not be." in texts(app)


@pytest.mark.parametrize(
    ("label", "typed", "sentence"),
    [
        ("Referral volume", "20.000.000", "“20.000.000” has points between its digits; write `2"),
        ("Followers on X", "5.000", "“5.000” is not a whole number; write it without decimals."),
        ("Highest rate", "2,5", "“2,5” has a decimal comma; write `2.5`."),
        ("Active users", "1e1", "“1e1” is written with an exponent; write all its digits."),
        ("Evidence", "９０", "“９０” has digits other than 0 to 9; write it with those."),
        ("New users", "", "New users, at least: enter a value."),
        ("Highest rate", "9", "The highest rate, 9 %, is below the standard one, 10 %"),
        ("Referral volume", "", "enter a value."),
    ],
)
def test_invalid_input_is_refused_in_words_and_stays_in_the_field(
    label: str, typed: str, sentence: str, office: Desk
) -> None:
    app = draft_page(office)
    field(app, "text_input", label).set_value(typed)

    app = press(app, SAVE)

    assert sentence in app.error[0].value.replace("\\", "").replace("\u2060", "")
    assert field(app, "text_input", label).value == typed
    with office.engine.connect() as conn:
        assert drafts.open_ones(conn) == []


def test_a_needed_refresh_is_announced_before_publishing(office: Desk) -> None:
    app = draft_page(office)
    field(app, "checkbox", "A new user must").set_value(True)
    app = press(app, SAVE)

    assert any("until `python -m data_access refresh`" in one.value for one in app.warning)
    # Without a reason it cannot be proposed.
    assert any("The note is empty" in one.value for one in app.error)
    (propose,) = (one for one in app.button if one.label == "Propose for publishing")
    assert propose.disabled


def planned(desk: Desk, days: int = 30) -> Any:
    """Schedule the next version, proposed by mira and confirmed by leo, in this many days."""
    with desk.engine.connect() as conn:
        base = policies.newest(conn)
    starts = day_start(desk.now.date() + timedelta(days=days))
    about = {"actor": PEOPLE[Role.MANAGER], "now": desk.now}
    draft = Draft(
        policy=replace(base, min_new_users=base.min_new_users + 1),
        note="Later",
        base_version=base.version,
        effective_from=starts,
    )
    drafts.save(desk.engine, command(drafts.SaveDraft, draft=draft, **about))
    one = {"draft_id": kept(desk).draft_id, "revision": kept(desk).revision}
    drafts.propose(desk.engine, command(drafts.ProposeDraft, **one, **about))
    one["revision"] = kept(desk).revision
    drafts.confirm(desk.engine, command(drafts.ConfirmDraft, **one, **about | {"actor": LEO}))
    return starts


def test_a_scheduled_version_is_withdrawn_by_two_from_the_page(office: Desk) -> None:
    planned(office)
    app = office.open(POLICY)
    assert any("**Version 2** takes effect on" in one for one in texts(app))

    refused = press(app, "Propose the withdrawal")
    assert any("is empty" in one.value for one in refused.error)
    field(refused, "text_area", "Reason").set_value("Too *early*")
    app = press(refused, "Propose the withdrawal")
    assert "A second manager withdraws version 2" in app.success[0].value
    # The proposer can only cancel it.
    assert not [one for one in app.button if one.label == "Withdraw version 2"]
    assert [one for one in app.button if one.label == "Take back"]

    office.who = LEO
    app = office.open(POLICY)
    assert any("proposes to withdraw version 2" in one.value for one in app.warning)
    app = press(app, "Withdraw version 2")

    assert "Version 2 is withdrawn and never takes effect" in app.success[0].value
    assert not any("takes effect on" in one for one in texts(app))
    app = office.open(POLICY, part="history")
    assert any("confirmed by Leo" in one.replace("\\", "") for one in texts(app))
    with office.engine.connect() as conn:
        assert policies.in_force(conn, now=office.now + timedelta(days=40)).version == 1


def test_of_two_versions_that_start_together_only_the_higher_takes_effect(
    office: Desk,
) -> None:
    planned(office)
    planned(office)

    lines = texts(office.open(POLICY))
    assert any("**Version 2** will not take effect: version 3 starts" in one for one in lines)
    assert any("**Version 3** takes effect on" in one for one in lines)

    lines = texts(office.open(POLICY, part="history"))
    assert any("was to take effect" in one and "replaced by version 3" in one for one in lines)


def test_a_proposed_withdrawal_is_taken_back_or_declined_with_a_reason(office: Desk) -> None:
    planned(office)
    for who, word in ((PEOPLE[Role.MANAGER], "Take back"), (LEO, "Keep it scheduled")):
        office.who = PEOPLE[Role.MANAGER]
        app = office.open(POLICY)
        field(app, "text_area", "Reason").set_value("Too early")
        press(app, "Propose the withdrawal")
        office.who = who
        app = office.open(POLICY)
        field(app, "text_area", "Reason").set_value("It stays")
        app = press(app, word)
        assert "Version 2 stays scheduled" in app.success[0].value
        assert [one for one in app.button if one.label == "Propose the withdrawal"]


def test_a_draft_is_based_on_the_scheduled_version_or_if_urgent_on_the_one_in_force(
    office: Desk,
) -> None:
    starts = planned(office)
    app = draft_page(office)
    (bases,) = (one for one in app.get("button_group") if one.label == "Build on")
    assert "version 1, in force: for urgent changes" in bases.options
    assert field(app, "text_input", "New users").value == "6"

    app = draft_page(office, base="1")
    assert field(app, "text_input", "New users").value == "5"
    app = draft_page(office, base="77")
    assert field(app, "text_input", "New users").value == "6"

    app = draft_page(office, base="2")
    field(app, "text_area", "Reason for the change").set_value("Sooner")
    field(app, "text_input", "New users").set_value("7")
    field(app, "date_input", "Takes effect on").set_value(starts.date() - timedelta(days=1))
    app = press(app, SAVE)
    assert any("and this one builds on it" in one.value for one in app.error)


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(366, "more than 365 days away. Choose a day up to"), (-1, "is past")],
)
def test_a_first_day_out_of_the_horizon_gets_a_sentence(
    days: int, sentence: str, office: Desk
) -> None:
    day = office.now.date() + timedelta(days=days)
    app = draft_page(office)
    field(app, "text_area", "Reason for the change").set_value("Some day")
    field(app, "text_input", "New users").set_value("7")
    field(app, "date_input", "Takes effect on").set_value(day)

    app = press(app, SAVE)

    assert any(sentence in one.value.replace("\\", "") for one in app.error)
    assert field(app, "date_input", "Takes effect on").value == day
    assert not [
        one for one in app.button if one.label == "Propose for publishing" and not one.disabled
    ]


def test_thresholds_of_a_chosen_family_are_edited_and_others_stay(office: Desk) -> None:
    app = draft_page(office)
    assert not [one for one in app.text_input if one.label.startswith("R0")]
    (choice,) = [one for one in app.get("button_group") if one.key == "policy-risk-families"]
    app = choice.set_value(["Timing"]).run()
    shown = {one.label for one in app.text_input if one.label.startswith(("R0", "R2"))}
    assert "R06 Spike before applying, warn (×)" in shown
    assert not any("R01" in one or "R04" in one for one in shown)

    field(app, "text_input", "R07 One-day volume, warn (%)").set_value("25")
    app = press(app, SAVE)
    assert "The draft is saved" in app.success[0].value
    found = kept(office).draft.policy
    assert [one.setting.name for one in changes(policy_in_force(office), found)] == ["R07.warn"]
    assert any("30 %" in one and "25 %" in one for one in texts(app))


def test_a_threshold_in_the_wrong_order_is_refused_in_words(office: Desk) -> None:
    app = draft_page(office)
    (choice,) = [one for one in app.get("button_group") if one.key == "policy-risk-families"]
    app = choice.set_value(["Timing"]).run()
    field(app, "text_input", "R07 One-day volume, warn").set_value("60")
    app = press(app, SAVE)

    sentence = app.error[0].value.replace("\\", "").replace("\u2060", "")
    assert "R07 One-day volume: warn at 60 % is beyond high at 50 %" in sentence


def policy_in_force(desk: Desk) -> Policy:
    with desk.engine.connect() as conn:
        return policies.newest(conn)


def test_the_calibration_is_for_managers_and_says_what_is_known(office: Desk) -> None:
    with office.engine.begin() as conn:
        for account, value in {MET: "0.65", SHORT: "0.32", UNKNOWN: None}.items():
            conn.execute(
                text(
                    "insert into review.risk_measures (account_id, data_through, policy_version,"
                    " measured_at, r19) select account_id, :day, 1, now(), :value"
                    " from exchange.applications where application_id = :id"
                ),
                {"id": account, "day": office.yesterday, "value": value},
            )

    app = office.open(POLICY, part="calibration", signal="R19")

    words = " ".join(texts(app))
    assert (
        "Of 2 affiliates with enough data (1 had not enough data), the level is warn for 1 (50\u00a0%)"
        in words
    )
    assert "Thresholds: warn 30 %, high 60 %." in words
    assert "It was never dismissed." in words
    assert "Approved of those decided while flagged: none yet; while clear: none yet." in words
    assert "3 affiliates with an open application or an approval" in words
    row = cells(app, "signal", 0).index("R19 Zero-fee share")
    assert cells(app, "high_flags", 0)[row] == 1
    office.who = PEOPLE[Role.ANALYST]
    assert "Risk calibration" not in " ".join(texts(office.open(POLICY, part="calibration")))


def test_before_the_first_measuring_there_is_nothing_to_calibrate(office: Desk) -> None:
    app = office.open(POLICY, part="calibration", signal="R99")

    assert any("Nothing was measured yet" in one for one in texts(app))


def test_a_what_if_counts_who_new_thresholds_would_flag(office: Desk) -> None:
    with office.engine.begin() as conn:
        conn.execute(
            text(
                "insert into review.risk_measures (account_id, data_through, policy_version,"
                " measured_at, r19) select account_id, :day, 1, now(), 0.27"
                " from exchange.applications where application_id = :id"
            ),
            {"id": MET, "day": office.yesterday},
        )
    app = draft_page(office)
    (choice,) = [one for one in app.get("button_group") if one.key == "policy-risk-families"]
    app = choice.set_value(["Economics"]).run()
    field(app, "text_input", "R19 Zero-fee share, warn").set_value("25")
    press(app, SAVE)

    app = draft_page(office, replay=str(kept(office).draft_id))

    assert "**Risk: who would be flagged**" in texts(app)
    assert cells(app, "warn", 1) == ["0 → 1", "0"]
    assert cells(app, "signal", 2) == ["R19 Zero-fee share"]
    assert any("2 were not measured yet" in one for one in texts(app))

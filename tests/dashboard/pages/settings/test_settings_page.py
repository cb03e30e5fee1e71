"""Settings: editing holidays, and reading the policy."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import SETTINGS
from data_access.db.errors import NeedsConfirming
from data_access.eligibility import holidays, judging
from data_access.policy import holiday_changes
from data_access.policy.holiday_changes import ChangeHoliday, ChangeKind
from data_access.queue import listing
from program.policy.policy import Policy
from program.review.permissions import Act, Role, may
from program.review.queue_filters import Due, Filters
from tests.builders import add_application
from tests.dashboard.pages.screen import PEOPLE, Desk, texts
from tests.data_access.clicks import command

KEEPERS = [role for role in Role if may(role, Act.KEEP_HOLIDAYS)]
NOTHING = "There are no upcoming holidays. Only weekends stop the review clock."


@pytest.fixture
def settings(desk: Desk) -> Desk:
    desk.who = PEOPLE[Role.MANAGER]
    return desk


def keep(desk: Desk, *days: date) -> None:
    for day in days:
        given = {"kind": ChangeKind.ADDED, "day": day, "name": f"Feast of {day}"}
        request = command(ChangeHoliday, reason="Law", actor=desk.who, now=desk.now, **given)
        try:
            holiday_changes.change(desk.engine, request)
        except NeedsConfirming as needed:
            holiday_changes.change(desk.engine, replace(request, confirmed=needed.effect))


def listed(desk: Desk) -> list[tuple[date, str]]:
    with desk.engine.connect() as conn:
        return [(holiday.day, holiday.name) for holiday in holidays.listed(conn)]


def add(app: AppTest, day: date | None, name: str) -> AppTest:
    app.date_input[0].set_value(day)
    app.text_input[0].set_value(name)
    app.text_input[1].set_value("By law")
    (send,) = (button for button in app.button if button.label == "Add")
    return send.click().run()


@pytest.mark.parametrize("role", Role)
def test_the_page_needs_permission_to_edit_holidays(role: Role, desk: Desk) -> None:
    desk.who = PEOPLE[role]

    app = desk.open(SETTINGS)

    assert ("Holidays" in texts(app)) is may(role, Act.KEEP_HOLIDAYS)
    refusal = f"Your role, {role}, may not manage holidays."
    assert any(words.startswith(refusal) for words in texts(app)) is (role not in KEEPERS)


def test_without_holidays_the_page_says_so(settings: Desk) -> None:
    assert NOTHING in texts(settings.open(SETTINGS))


def test_a_holiday_is_added_and_the_form_is_empty_again(settings: Desk) -> None:
    day = settings.now.date() + timedelta(days=20)

    app = add(settings.open(SETTINGS), day, "  *Harvest* ")

    assert listed(settings) == [(day, "*Harvest*")]
    assert "*Harvest*" in texts(app, ["text"])
    assert app.text_input[0].value == ""
    assert app.date_input[0].value is None
    assert [toast.value.endswith("is a holiday now\\.") for toast in app.toast] == [True]


@pytest.mark.parametrize(
    ("named", "name", "sentence"),
    [
        (False, "Harvest", "Choose a day first"),
        (True, "   ", "The holiday's name is empty"),
    ],
)
def test_a_holiday_needs_a_day_and_a_name(
    named: bool, name: str, sentence: str, settings: Desk
) -> None:
    day = settings.now.date() + timedelta(days=20) if named else None

    app = add(settings.open(SETTINGS), day, name)

    assert sentence in app.error[0].value.replace("\\", "")
    assert listed(settings) == []


def test_a_day_that_is_there_is_named_and_renamed_only_on_purpose(settings: Desk) -> None:
    day = settings.now.date() + timedelta(days=20)
    keep(settings, day)

    app = add(settings.open(SETTINGS), day, "Harvest")

    assert f"is already a holiday, “Feast of {day}”" in app.error[0].value.replace("\\", "")
    assert listed(settings) == [(day, f"Feast of {day}")]
    form = f"holiday-renamed-{day}"
    (name,) = (one for one in app.text_input if one.label == "New name")
    name.set_value("Harvest")
    reason(app, form).set_value("Its right name")
    app.button(key=f"{form}-send").click().run()
    assert listed(settings) == [(day, "Harvest")]


def test_a_past_day_shows_its_effect_and_waits_for_a_word(settings: Desk) -> None:
    with settings.engine.begin() as conn:
        add_application(conn, 1, submitted_at=settings.now - timedelta(days=12))
    today = settings.now.date()
    keep(settings, *(today - timedelta(days=back) for back in range(2, 14)))
    before = listed(settings)
    past = next(
        today - timedelta(days=back)
        for back in range(2, 14)
        if (today - timedelta(days=back)).weekday() < 5
    )
    app = settings.open(SETTINGS)
    form = f"holiday-removed-{past}"
    reason(app, form).set_value("Was no holiday")

    app = app.button(key=f"{form}-send").click().run()

    assert "overdue applications:" in app.warning[0].value.replace("\\", "").replace("\u2060", "")
    assert listed(settings) == before
    app = app.button(key="holiday-leave").click().run()
    assert listed(settings) == before
    reason(app, form).set_value("Was no holiday")
    app = app.button(key=f"{form}-send").click().run()
    app = app.button(key="holiday-confirm").click().run()
    assert past not in [day for day, _ in listed(settings)]
    entry = next(words for words in texts(app, ["text"]) if "removed" in words)
    assert "· Mira removed" in entry
    assert entry.endswith("Was no holiday")


def reason(app: AppTest, form: str) -> Any:
    (found,) = (one for one in app.text_input if str(one.key).startswith(f"{form}-reason"))
    return found


def test_coming_days_are_first_and_past_ones_separate(settings: Desk) -> None:
    today = settings.now.date()
    near, far = today + timedelta(days=3), today + timedelta(days=30)
    past, longer_past = today - timedelta(days=3), today - timedelta(days=30)
    keep(settings, past, far, today, longer_past, near)

    app = settings.open(SETTINGS)

    shown = [words for words in texts(app, ["text"]) if words.startswith("Feast of")]
    assert shown == [f"Feast of {day}" for day in (today, near, far, past, longer_past)]
    assert [block.label for block in app.expander] == ["Past holidays, 2", "Changes, the last 5"]


def test_a_holiday_is_removed(settings: Desk) -> None:
    day = settings.now.date() + timedelta(days=20)
    keep(settings, day)
    app = settings.open(SETTINGS)
    form = f"holiday-removed-{day}"

    app = app.button(key=f"{form}-send").click().run()
    assert "The reason is empty" in app.error[0].value
    reason(app, form).set_value("Moved to May")
    app.button(key=f"{form}-send").click().run()

    assert listed(settings) == []
    assert NOTHING in texts(app)


def test_a_holiday_moves_the_clock_of_the_queue(settings: Desk) -> None:
    """Every day since the application came was a holiday, so it is not overdue any more."""
    with settings.engine.begin() as conn:
        add_application(conn, 1, submitted_at=settings.now - timedelta(days=12))
    assert overdue(settings) == 1

    keep(settings, *(settings.now.date() - timedelta(days=back) for back in range(14)))

    assert overdue(settings) == 0


def overdue(desk: Desk) -> int:
    with desk.engine.connect() as conn:
        context = judging.read_context(conn, now=desk.now)
        return listing.count(conn, Filters(due=Due.OVERDUE), context)


def test_the_policy_is_shown_and_cannot_be_changed(settings: Desk) -> None:
    app = settings.open(SETTINGS)

    words = texts(app, ["text"])
    assert f"{Policy().review_sla_business_days} business days" in words
    assert f"{Policy().claim_idle_minutes} min without activity" in words
    assert "from 10,000 USD" in words
    assert "for decisions against the computed eligibility" in words
    assert sum(words_.endswith("· before an approval") for words_ in words) == 5
    assert (len(app.text_input), len(app.date_input)) == (2, 1)

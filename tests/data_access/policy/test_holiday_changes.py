"""Holidays are changed with a reason, on record, and past days only after confirmation."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from data_access.db.errors import Invalid, NeedsConfirming, NotAllowed, NotInState, RequestReused
from data_access.eligibility import holidays
from data_access.policy import holiday_changes
from data_access.policy.holiday_changes import ChangeHoliday, ChangeKind, Effect
from program.periods import utc_day
from tests.builders import NOW, STAFF, add_application, add_refresh, add_staff
from tests.data_access import clicks
from tests.data_access.clicks import ANA, MIRA

TODAY = utc_day(NOW)  # a Sunday
COMING, PAST = TODAY + timedelta(days=9), TODAY - timedelta(days=2)


@pytest.fixture
def desk(engine: Engine) -> Engine:
    """Three open applications; two are overdue by less than a day."""
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        for id_, days in ((1, 5), (2, 5), (3, 2)):
            add_application(conn, id_, submitted_at=NOW - timedelta(days=days))
    return engine


def change(engine: Engine, kind: str, **given: Any) -> int:
    whole = {"day": COMING, "reason": "By law", "actor": MIRA, **given}
    return holiday_changes.change(
        engine, clicks.command(ChangeHoliday, kind=ChangeKind(kind), **whole)
    )


def listed(engine: Engine) -> dict[Any, str]:
    with engine.connect() as conn:
        return {one.day: one.name for one in holidays.listed(conn)}


def test_every_change_is_recorded_with_actor_time_and_reason(desk: Engine) -> None:
    change(desk, "added", name="Harvest", actor="MIRA@example.com")
    change(desk, "renamed", name="Fair", reason="Its right name")
    change(desk, "removed", reason="Moved")

    with desk.connect() as conn:
        changes = [(c.kind, c.old_name, c.new_name, c.reason, c.actor, c.at) for c in
                reversed(holiday_changes.record(conn))]  # fmt: skip
    assert changes == [
        ("added", None, "Harvest", "By law", MIRA, NOW),
        ("renamed", "Harvest", "Fair", "Its right name", MIRA, NOW),
        ("removed", "Fair", None, "Moved", MIRA, NOW),
    ]
    assert listed(desk) == {}


def test_a_second_name_is_refused_naming_the_first(desk: Engine) -> None:
    change(desk, "added", name="Harvest")

    with pytest.raises(NotInState, match="already a holiday, “Harvest”"):
        change(desk, "added", name="Fair")

    assert listed(desk) == {COMING: "Harvest"}


def test_a_repeat_changes_nothing_and_another_name_under_its_id_is_refused(desk: Engine) -> None:
    once = {"name": "Harvest", "request_id": uuid4()}
    assert change(desk, "added", **once) == change(desk, "added", **once)

    for other in ({"name": "Fair"}, {"reason": "By custom"}, {"day": COMING + timedelta(days=1)}):
        with pytest.raises(RequestReused):
            change(desk, "added", **once | other)

    assert listed(desk) == {COMING: "Harvest"}


@pytest.mark.parametrize(("day", "asks"), [(COMING, False), (TODAY, True), (PAST, True)])
def test_a_day_that_has_begun_shows_its_effect_first(desk: Engine, day: Any, asks: bool) -> None:
    given = {"day": day, "name": "Harvest", "request_id": uuid4()}
    if not asks:
        change(desk, "added", **given)
        return
    with pytest.raises(NeedsConfirming, match="overdue applications: ") as needed:
        change(desk, "added", **given)
    assert listed(desk) == {}
    expected = Effect(overdue=2, overdue_then=2 if day == TODAY else 0)
    assert needed.value.effect == expected

    # A changed effect must be confirmed first.
    with pytest.raises(NeedsConfirming):
        change(desk, "added", **given, confirmed=Effect(overdue=9, overdue_then=9))
    change(desk, "added", **given, confirmed=expected)
    change(desk, "added", **given, confirmed=expected)
    assert listed(desk) == {day: "Harvest"}
    with desk.connect() as conn:
        kept = conn.execute(text("select effect from review.holiday_changes")).scalars().all()
    assert kept == [{"overdue": 2, "overdue_then": expected.overdue_then}]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"reason": "  "}, "The reason is empty"),
        ({"name": ""}, "The holiday's name is empty"),
        ({"day": TODAY + timedelta(days=3 * 366 + 1)}, "more than three years away"),
    ],
)
def test_invalid_input_is_refused_in_words(
    desk: Engine, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        change(desk, "added", **{"name": "Harvest", **given})


def test_managers_and_admins_keep_the_holidays(desk: Engine) -> None:
    for email, role in STAFF.items():
        if role in ("manager", "admin"):
            change(desk, "added", name="Harvest", actor=email)
            change(desk, "removed", actor=email)
        else:
            with pytest.raises(NotAllowed, match="manage holidays"):
                change(desk, "added", name="Harvest", actor=email)
    assert ANA in STAFF

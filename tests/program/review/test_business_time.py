"""Business time: whole UTC days without weekends and holidays, continuous within them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from operator import add
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.periods import day_start
from program.review.business_time import (
    business_days,
    due_at,
    elapsed,
    latest_start,
    latest_starts,
    resume,
    whole_days,
)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return a moment of March 2026; the 2nd, 9th, 16th are Mondays."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


FRIDAY, SATURDAY, SUNDAY, MONDAY = 6, 7, 8, 9
HOLIDAY = frozenset({date(2026, 3, 10), date(2026, 3, 14)})
# Hypothesis needs bounds without a zone and adds it to its values.
EARLIEST, LATEST = datetime(2024, 1, 1), datetime(2027, 12, 31)  # noqa: DTZ001
MOMENT = timedelta(microseconds=1)
midnights = st.dates(date(2024, 1, 1), date(2027, 12, 31)).map(day_start)
moments = st.one_of(
    st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
    st.builds(add, midnights, st.sampled_from([-MOMENT, timedelta(0), MOMENT])),
)
holidays = st.frozensets(st.dates(date(2024, 1, 1), date(2027, 12, 31)), max_size=40)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (at(2, 9), at(2, 17), 8),
        (at(FRIDAY, 14), at(SATURDAY, 3), 10),
        (at(FRIDAY, 14), at(MONDAY, 2), 12),
        (at(SATURDAY, 1), at(SUNDAY, 23), 0),
        (at(SUNDAY, 23), at(MONDAY, 1), 1),
        (at(2), at(9), 120),
        (at(3), at(2), 0),
        (at(2, 9), at(2, 9), 0),
    ],
)
def test_weekends_do_not_count(start: datetime, end: datetime, hours: int) -> None:
    assert elapsed(start, end) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (at(9, 12), at(11, 12), 24),
        (at(10, 1), at(10, 23), 0),
        (at(10, 1), at(11, 2), 2),
        (at(9, 23), at(10, 2), 1),
        (at(13), at(16), 24),
    ],
)
def test_holidays_do_not_count_and_one_on_a_weekend_takes_nothing(
    start: datetime, end: datetime, hours: int
) -> None:
    assert elapsed(start, end, HOLIDAY) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (at(2, 9), 3, at(5, 9)),
        (at(FRIDAY, 14), 3, at(11, 14)),
        (at(SATURDAY, 14), 3, at(12)),
        (at(SUNDAY, 23, 59), 1, at(10)),
        (at(FRIDAY, 14), 0, at(FRIDAY, 14)),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), 1, datetime(2027, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_review_is_due_after_so_many_business_days(
    start: datetime, days: int, due: datetime
) -> None:
    assert due_at(start, days) == due


def test_a_holiday_moves_due_dates() -> None:
    assert due_at(at(9, 9), 1, HOLIDAY) == at(11, 9)


@pytest.mark.parametrize(
    ("now", "days", "start"),
    [
        (at(5, 9), 3, at(2, 9)),
        # Every moment of a weekend is as late as the midnight that ends it.
        (at(MONDAY), 1, at(FRIDAY)),
        (at(SUNDAY, 9), 1, at(FRIDAY)),
        (at(10), 1, at(MONDAY)),
        (at(10) - MOMENT, 1, at(SATURDAY) - MOMENT),
        (at(SUNDAY, 9), 0, at(SUNDAY, 9)),
        (datetime(2027, 1, 1, 12, tzinfo=UTC), 1, datetime(2026, 12, 31, 12, tzinfo=UTC)),
    ],
)
def test_the_latest_start_of_clocks_due_now(now: datetime, days: int, start: datetime) -> None:
    assert latest_start(now, days) == start


def test_an_hour_into_a_day_after_holidays_reaches_back_over_them() -> None:
    assert latest_start(at(11, 1), 1, HOLIDAY) == at(9, 1)


@pytest.mark.parametrize(
    ("now", "days"), [(at(5, 9), 3), (at(5, 8, 59), 2), (at(5, 9, 1), 3), (at(2, 9), 0)]
)
def test_a_day_counts_when_it_is_whole(now: datetime, days: int) -> None:
    assert whole_days(at(2, 9), now) == days


def test_a_pause_costs_no_time() -> None:
    # One day was used by Tuesday 9:00; the pause lasts until Friday 15:00.
    clock = resume(at(2, 9), at(3, 9), at(FRIDAY, 15))

    assert elapsed(clock, at(FRIDAY, 15)) == timedelta(days=1)
    assert due_at(clock, 3) == at(10, 15)


ZONELESS = datetime(2026, 3, 3)  # noqa: DTZ001 - the point of it


@pytest.mark.parametrize(
    "ask",
    [
        lambda: elapsed(ZONELESS, at(4)),
        lambda: elapsed(at(2), ZONELESS),
        lambda: whole_days(ZONELESS, ZONELESS),
        lambda: due_at(ZONELESS, 0),
        lambda: due_at(ZONELESS, 3),
        lambda: latest_start(ZONELESS, 0),
        lambda: latest_start(ZONELESS, 3),
        lambda: latest_starts(ZONELESS, 0),
        lambda: resume(at(2), at(2), ZONELESS),
        lambda: resume(at(2), ZONELESS, at(4)),
    ],
)
def test_a_time_without_a_zone_has_no_business_day(ask: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="zone"):
        ask()


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        # Clocks change in Cairo within the next 24 hours.
        ("Africa/Cairo", datetime(2026, 4, 23, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2026, 10, 29, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 6, 12, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 3, 6, 12, tzinfo=UTC)),
    ],
)
def test_a_zone_and_its_daylight_saving_change_nothing(zone: str, start: datetime) -> None:
    there = start.astimezone(ZoneInfo(zone))

    for days in (0, 1, 2, 3):
        due = due_at(start, days)
        assert due_at(there, days) == due
        assert due_at(there, days).tzinfo is UTC
        assert latest_start(due.astimezone(ZoneInfo(zone)), days) == latest_start(due, days)
        assert elapsed(there, due.astimezone(ZoneInfo(zone))) == elapsed(start, due)


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    # 23:00 on Thursday the 29th of October 2026 comes twice there: at 20:00 and at 21:00 UTC.
    first = datetime(2026, 10, 29, 20, 30, tzinfo=UTC).astimezone(cairo)
    second = datetime(2026, 10, 29, 21, 10, tzinfo=UTC).astimezone(cairo)

    assert elapsed(first, second) == timedelta(minutes=40)


@given(moments, moments, holidays, st.integers(0, 12))
def test_clocks_started_at_the_latest_start_or_before_are_due(
    start: datetime, now: datetime, off: frozenset[date], days: int
) -> None:
    assert (due_at(start, days, off) <= now) == (start <= latest_start(now, days, off))


@given(moments, holidays, st.integers(0, 15))
def test_all_starts_in_one_walk_equal_the_single_ones(
    now: datetime, off: frozenset[date], most: int
) -> None:
    singly = [latest_start(now, days, off) for days in range(most + 1)]

    assert latest_starts(now, most, off) == singly


@given(st.dates(date(2024, 1, 1), date(2026, 1, 1)), st.integers(0, 400), holidays)
def test_days_are_counted_as_a_walk_would(first: date, count: int, off: frozenset[date]) -> None:
    days = [first + timedelta(days=n) for n in range(count)]
    walked = sum(day.weekday() < 5 and day not in off for day in days)

    assert business_days(first, first + timedelta(days=count), off) == walked


@given(moments, st.timedeltas(timedelta(0), timedelta(days=30)), moments, holidays)
def test_a_resumed_clock_keeps_its_used_time(
    start: datetime, before: timedelta, resumed: datetime, off: frozenset[date]
) -> None:
    paused = start + before
    clock = resume(start, paused, max(resumed, paused), off)

    assert elapsed(clock, max(resumed, paused), off) == elapsed(start, paused, off)

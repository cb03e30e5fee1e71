"""Business time, UTC days without weekends and holidays: when an application is due or overdue.

Business time is continuous. An application that arrives on a Friday at 14:00 is due after three
business days, on Wednesday at 14:00; one that arrives on a Saturday counts from Monday.

Times may have any zone and are returned in UTC; without a zone they raise ValueError.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from program.periods import ONE_DAY, day_start

SATURDAY = 5
NOTHING = timedelta(0)
Holidays = frozenset[date]


def is_business_day(day: date, holidays: Holidays = frozenset()) -> bool:
    """Whether the clock runs on this UTC day."""
    return day.weekday() < SATURDAY and day not in holidays


def elapsed(start: datetime, end: datetime, holidays: Holidays = frozenset()) -> timedelta:
    """Return the business time in ``[start, end)``; zero if ``end`` is not after ``start``."""
    start, end = _utc(start), _utc(end)
    if end <= start:
        return NOTHING
    first, last = start.date(), end.date()
    total = business_days(first, last, holidays) * ONE_DAY
    if is_business_day(first, holidays):
        total -= start - day_start(first)
    if is_business_day(last, holidays):
        total += end - day_start(last)
    return total


def business_days(first: date, after: date, holidays: Holidays = frozenset()) -> int:
    """Return the number of business days in ``[first, after)`` without iterating over them."""
    weeks, rest = divmod((after - first).days, 7)
    working = 5 * weeks + sum((first.weekday() + n) % 7 < SATURDAY for n in range(rest))
    off = sum(first <= day < after and day.weekday() < SATURDAY for day in holidays)
    return working - off


def whole_days(start: datetime, end: datetime, holidays: Holidays = frozenset()) -> int:
    """Return the number of whole business days between two times."""
    return elapsed(start, end, holidays) // ONE_DAY


def due_at(start: datetime, days: int, holidays: Holidays = frozenset()) -> datetime:
    """Return the earliest time at which ``days`` business days have passed since ``start``."""
    left, at = days * ONE_DAY, _utc(start)
    day = at.date()
    while left:
        if is_business_day(day, holidays):
            here = day_start(day + ONE_DAY) - at
            if here >= left:
                return at + left
            left -= here
        day += ONE_DAY
        at = day_start(day)
    return at


def latest_start(now: datetime, days: int, holidays: Holidays = frozenset()) -> datetime:
    """Return the latest start from which ``days`` business days have passed at ``now``.

    Whatever began at or before it is overdue, so queries need no calendar.
    """
    return _start_before(now, days * ONE_DAY, holidays)


def latest_starts(now: datetime, most: int, holidays: Holidays = frozenset()) -> list[datetime]:
    """Return `latest_start` for 0, 1, ... ``most`` days, in one walk."""
    starts = [_utc(now)]
    for _ in range(most):
        starts.append(_start_before(starts[-1], ONE_DAY, holidays))
    return starts


def resume(
    clock_from: datetime,
    paused_at: datetime,
    resumed_at: datetime,
    holidays: Holidays = frozenset(),
) -> datetime:
    """Return the clock's start after a pause: time used before counts, the pause does not."""
    return _start_before(resumed_at, elapsed(clock_from, paused_at, holidays), holidays)


def _start_before(end: datetime, span: timedelta, holidays: Holidays) -> datetime:
    """Return the latest time from which ``span`` of business time remains before ``end``."""
    left, at = span, _utc(end)
    if not left:
        return at
    for day in _days_back(at.date()):
        begin = day_start(day)
        if is_business_day(day, holidays):
            if at - begin >= left:
                return at - left
            left -= at - begin
        at = begin
    raise AssertionError("days go back for ever")


def _days_back(day: date) -> Iterator[date]:
    while True:
        yield day
        day -= ONE_DAY


def _utc(at: datetime) -> datetime:
    """Convert to UTC; in other zones Python adds wall-clock time, which daylight saving shifts."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no business day")
    return at.astimezone(UTC)

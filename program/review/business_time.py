"""Time that the review clock counts: whole UTC days but weekends and holidays.

Business time is continuous. An application that arrives on a Friday at 14:00 is due after
three business days on Wednesday at 14:00; one that arrives on a Saturday counts from Monday.

Moments may come in any zone and are given back in UTC; one without a zone is a ValueError.
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
    """The business time in ``[start, end)``; nothing where ``end`` is not after ``start``."""
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
    """How many business days lie in ``[first, after)``; no walk, however far apart they are."""
    weeks, rest = divmod((after - first).days, 7)
    working = 5 * weeks + sum((first.weekday() + n) % 7 < SATURDAY for n in range(rest))
    off = sum(first <= day < after and day.weekday() < SATURDAY for day in holidays)
    return working - off


def whole_days(start: datetime, end: datetime, holidays: Holidays = frozenset()) -> int:
    """How many whole business days have gone by."""
    return elapsed(start, end, holidays) // ONE_DAY


def due_at(start: datetime, days: int, holidays: Holidays = frozenset()) -> datetime:
    """The earliest moment at which ``days`` business days have gone by since ``start``."""
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
    """The latest start from which ``days`` business days have gone by at ``now``.

    So what began at or before it is due, which needs no calendar to ask.
    """
    return _start_before(now, days * ONE_DAY, holidays)


def latest_starts(now: datetime, most: int, holidays: Holidays = frozenset()) -> list[datetime]:
    """`latest_start` for 0, 1, ... ``most`` days, in one walk."""
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
    """From when the clock counts after a pause: what was used stays used, the pause costs none."""
    return _start_before(resumed_at, elapsed(clock_from, paused_at, holidays), holidays)


def _start_before(end: datetime, span: timedelta, holidays: Holidays) -> datetime:
    """The latest moment from which ``span`` of business time lies before ``end``."""
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
    """Within a zone of its own, Python adds by the wall clock, which daylight saving moves."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no business day")
    return at.astimezone(UTC)

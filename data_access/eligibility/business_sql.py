"""Business time as SQL, as `program.review.business_time` computes it; a test compares the two."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Interval,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from data_access.db import tables
from program.periods import ONE_DAY
from program.review.business_time import SATURDAY

Time = ColumnElement[datetime]
# Counted from here; with no weekday before it, divisions need no floor.
A_MONDAY = cast(literal("0001-01-01"), Date)
DAY = literal(ONE_DAY, Interval)


def elapsed(start: Time, end: Time) -> ColumnElement[timedelta]:
    """Return the business time from ``start`` to ``end``, which is not before it."""
    begun, ended = (func.timezone("UTC", moment) for moment in (start, end))
    off = tables.holidays.alias("off")
    midnight = cast(off.c.day, DateTime)
    of_one = func.least(ended, midnight + DAY) - func.greatest(begun, midnight)
    holidays = (
        select(func.coalesce(func.sum(of_one), literal(timedelta(0), Interval)))
        .where(_days(off.c.day) % 7 < SATURDAY, midnight < ended, midnight + DAY > begun)
        .scalar_subquery()
    )
    took: ColumnElement[timedelta] = _weekdays(ended) - _weekdays(begun) - holidays
    return took


def in_time(start: Time, end: Time, days: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether fewer than ``days`` business days passed; unknown if the end precedes the start."""
    limit = days * DAY
    # Of calendar days at least as many pass, and they are quick to compare.
    soon = or_(end - start < limit, elapsed(start, end) < limit)
    return case((end >= start, soon))


def _weekdays(moment: Any) -> Any:  # noqa: ANN401 - a time in UTC without its zone
    """Return the time of weekdays from the first Monday to ``moment``."""
    day = cast(moment, Date)
    number = _days(day)
    whole = number // 7 * SATURDAY + func.least(number % 7, SATURDAY)
    part = case((number % 7 < SATURDAY, moment - cast(day, DateTime)), else_=timedelta(0))
    return whole * DAY + part


def _days(day: Any) -> Any:  # noqa: ANN401 - a column of days
    return cast(day, Date) - A_MONDAY

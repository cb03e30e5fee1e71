"""Days on which a figure differs from what is usual for the weekday.

The usual value of a day is the median of its weekday over the 28 days before it. The usual
deviation is 1.4826 times the median absolute deviation of those 28 days, each from its own
weekday's median. A day stands out if it differs by more than four times that and by more than a
tenth of the usual value. If the day or one of the 28 days before it is unknown, it is not tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from statistics import median

DAYS_BEFORE = 28
WEEK = 7
TIMES_AS_FAR = 4
LEAST_SHARE = Decimal("0.1")
# Scales the median absolute deviation of a normal distribution to its standard deviation.
NORMAL = Decimal("1.4826")
FORMULA = (
    "A day is marked when it differs from the median of its weekday over the 28 days before by "
    "more than 4 times the usual deviation (1.4826 times the median absolute deviation of those "
    "days from their weekday's median) and by more than 10 % of that median."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """A day that stands out, with its usual value."""

    day: date
    value: Decimal
    usual: Decimal


def detect(days: Sequence[date], values: Sequence[Decimal | None]) -> list[Anomaly]:
    """Return the days that stand out; an unknown value is None.

    Raises ValueError unless ``days`` are consecutive.
    """
    if any((after - day).days != 1 for day, after in pairwise(days)):
        raise ValueError("the days must follow one another")
    standing_out = []
    for index in range(DAYS_BEFORE, len(days)):
        known = [v for v in values[index - DAYS_BEFORE : index + 1] if v is not None]
        if len(known) <= DAYS_BEFORE:
            continue
        *before, value = known
        if (usual := _stands_out(before, value)) is not None:
            standing_out.append(Anomaly(day=days[index], value=value, usual=usual))
    return standing_out


def _stands_out(before: Sequence[Decimal], value: Decimal) -> Decimal | None:
    by_weekday = [median(before[weekday::WEEK]) for weekday in range(WEEK)]
    # 28 days are four whole weeks, so the day has the weekday of the first of them.
    usual = by_weekday[0]
    strays = [abs(v - by_weekday[place % WEEK]) for place, v in enumerate(before)]
    far = max(TIMES_AS_FAR * NORMAL * median(strays), LEAST_SHARE * usual)
    return usual if abs(value - usual) > far else None

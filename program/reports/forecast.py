"""Which open applications will be overdue soon, at the pace of the last four weeks.

Whatever is overdue or falls due before a horizon is decided first, at the pace of as many working
days as lie before it; what is left will be overdue. The pace is that of every run of so many days
in a row: half of them were faster than the middle, and one in ten beyond each end of the range.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import quantiles

from program.periods import ONE_DAY, Window, day_start, utc_day
from program.review import business_time
from program.review.business_time import Holidays

PACE_DAYS = 28
# Fewer working days or decisions say too little about the next days.
LEAST_DAYS, LEAST_DECIDED = 10, 30
LATER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """How many will be overdue: in the middle of the paces, and with a fast and a slow one."""

    likely: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many were decided on each working day of the last four weeks, oldest first."""

    decided: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.decided)

    @property
    def says_too_little(self) -> str:
        """Why there is no forecast; empty if there is one."""
        if self.total >= LEAST_DECIDED and len(self.decided) >= LEAST_DAYS:
            return ""
        return (
            f"too little to forecast from: {self.total:,} decided on the last "
            f"{len(self.decided)} working days, {LEAST_DECIDED} are needed"
        )

    def forecast(self, due: int, span: timedelta) -> Overdue | None:
        """Return how many of ``due`` are overdue after ``span`` of business time."""
        if self.says_too_little:
            return None
        length = min(max(1, round(span / ONE_DAY)), len(self.decided) - 1)
        runs = [
            sum(self.decided[place : place + length]) * (span / (length * ONE_DAY))
            for place in range(len(self.decided) - length + 1)
        ]
        tenths = quantiles(runs, n=10, method="inclusive")
        low, likely, high = (max(0, due - round(tenths[place])) for place in (8, 4, 0))
        return Overdue(likely=likely, low=low, high=high)


def horizons(now: datetime, holidays: Holidays = frozenset()) -> tuple[datetime, datetime]:
    """Return the end of the next working day after today, and the time three working days on."""
    day = utc_day(now) + ONE_DAY
    while not business_time.is_business_day(day, holidays):
        day += ONE_DAY
    return day_start(day + ONE_DAY), business_time.due_at(now, LATER, holidays)


def pace_days(today: date) -> Window:
    """Return the days whose decisions are the pace."""
    return Window(today - PACE_DAYS * ONE_DAY, today)


def pace(decided: Mapping[date, int], today: date, holidays: Holidays = frozenset()) -> Pace:
    """Return the pace of the decisions by day; what weekends and holidays bring is left out."""
    days = pace_days(today)
    every = (days.start + number * ONE_DAY for number in range(days.days))
    return Pace(
        decided=tuple(
            decided.get(day, 0) for day in every if business_time.is_business_day(day, holidays)
        )
    )

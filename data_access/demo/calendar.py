"""The demo's days: the month that contains yesterday, and the twelve whole months before it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from program.periods import ONE_DAY, TRAILING_DAYS, day_start, month_start, months_later, utc_day

MONTHS_BEFORE = 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days are counted from ``first``; ``through`` is the last day with activity."""

    now: datetime
    first: date
    through: date

    @classmethod
    def ending_before(cls, now: datetime) -> "Calendar":
        """Return the demo's days as of ``now``, which must have a zone."""
        through = utc_day(now) - ONE_DAY
        return cls(now, months_later(month_start(through), -MONTHS_BEFORE), through)

    @property
    def length(self) -> int:
        """The number of days."""
        return (self.through - self.first).days + 1

    def index(self, day: date) -> int:
        """Return how many days ``day`` is after the first."""
        return (day - self.first).days

    def day(self, index: int) -> date:
        """Return the day with this index; before the first if negative."""
        return self.first + timedelta(days=int(index))

    def moment(self, index: int, seconds: float) -> datetime:
        """Return the time ``seconds`` into a day, to the second."""
        return day_start(self.day(index)) + timedelta(seconds=int(seconds))

    def window(self, end: int) -> slice:
        """Return the indexes of the 30 days that end before index ``end``."""
        return slice(max(0, end - TRAILING_DAYS), end)

"""Days, windows and months in UTC, always half-open: ``[start, end)``.

The data-through day T is the last complete UTC day that upstream has delivered. Every
function takes T or "now" as an argument; none reads a clock.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

TRAILING_DAYS = 30
ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(weeks=1)


class WindowKind(StrEnum):
    """What "a month" means."""

    TRAILING_30_DAYS = "trailing_30_days"
    CALENDAR_MONTH = "calendar_month"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The UTC days from ``start`` up to, and not including, ``end``."""

    start: date
    end: date

    @property
    def last_day(self) -> date:
        """The last day of the window, which screens show as its end."""
        return self.end - ONE_DAY

    @property
    def days(self) -> int:
        """The number of days in the window."""
        return (self.end - self.start).days

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day < self.end


def month_start(day: date) -> date:
    """Return the first day of the month that contains ``day``."""
    return day.replace(day=1)


def months_later(month: date, count: int) -> date:
    """Return the first day of the month ``count`` months after ``month`` (before, if negative)."""
    years, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(years, index + 1, 1)


def recent_months(last: date, count: int, begin: date | None) -> list[date]:
    """Return ``count`` months up to ``last``, oldest first, none before the month of ``begin``."""
    months = [months_later(last, back) for back in range(1 - count, 1)]
    return [month for month in months if begin is None or month >= month_start(begin)]


def around_months(days: Window) -> tuple[Window, Window, Window]:
    """Split days into those before the whole months, the whole months, and those after.

    Each may be empty; without a whole month, all days come before.
    """
    first, last = month_start(days.start), month_start(days.end)
    if first < days.start:
        first = months_later(first, 1)
    if first >= last:
        return days, Window(days.end, days.end), Window(days.end, days.end)
    return Window(days.start, first), Window(first, last), Window(last, days.end)


def window(kind: WindowKind, data_through: date) -> Window:
    """Return the policy's "month" at data-through day T.

    ``trailing_30_days``: the 30 days that end with T, T included. ``calendar_month``: the
    last calendar month that is complete at T, so T's own month only if T is its last day.
    """
    after = data_through + ONE_DAY
    if kind is WindowKind.CALENDAR_MONTH:
        end = month_start(after)
        return Window(months_later(end, -1), end)
    return Window(after - timedelta(days=TRAILING_DAYS), after)


def is_behind(data_through: date, today: date) -> bool:
    """Whether metrics end before yesterday, so that figures are provisional."""
    return (today - data_through).days > 1


def day_start(day: date) -> datetime:
    """Return the UTC midnight at which ``day`` begins."""
    return datetime.combine(day, time(), tzinfo=UTC)


def utc_day(at: datetime) -> date:
    """Return the UTC day of ``at``; raises ValueError if ``at`` has no zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no UTC day")
    return at.astimezone(UTC).date()


def evidence_cutoff(data_through: date, valid_days: int) -> datetime:
    """Return the earliest time at which evidence may have been observed and still count at T.

    "At most 90 days before T" is counted in UTC days, so the whole of day T - 90 counts.
    """
    return day_start(data_through - timedelta(days=valid_days))

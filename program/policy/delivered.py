"""Delivered days: the days for which figures are known.

A day of trading is delivered if any volume or fee was booked on it. Any other day is unknown, not
zero: before the first delivered day, in a gap, and after the data-through day. Referrals carry
their own times, so they are known from the first referral or the first delivered day on, whichever
is earlier.

With days missing, a sum is a lower bound. So a sum that reaches its minimum is met, and one that
does not is unknown.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from program import wording
from program.periods import ONE_DAY, Window
from program.policy.criteria import ACTIVE_USERS, NEW_USERS, VOLUME, Criterion

# Criteria that missing days can only raise.
ADDED_UP: tuple[Criterion, ...] = (VOLUME, ACTIVE_USERS, NEW_USERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How many ``days`` of ``window`` are known; ``begin`` is the first day with any data."""

    window: Window
    days: int
    begin: date | None

    @property
    def any(self) -> bool:
        """Whether a figure over these days is known."""
        return self.days > 0

    @property
    def whole(self) -> bool:
        """Whether no day is missing, so that figures can be compared."""
        return self.any and self.days == self.window.days

    @property
    def missing(self) -> int:
        """The number of days that were not delivered."""
        return self.window.days - self.days

    @property
    def gap(self) -> str:
        """The missing days in words; "" if there are none."""
        if self.whole:
            return ""
        if self.any:
            s = "" if self.days == 1 else "s"
            return f"over the {self.days:,} delivered day{s} of {self.window.days:,}"
        if self.begin is None:
            return "no data yet"
        if self.window.end <= self.begin:
            return f"data begin {wording.day(self.begin)}"
        return "none of these days was delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The delivered days of trading, in order, and when the first user was referred."""

    days: Sequence[date] = ()
    first_referral: date | None = None

    @property
    def begin(self) -> date | None:
        """The first delivered day of trading."""
        return self.days[0] if self.days else None

    def trading(self, window: Window) -> Known:
        """Return the days of ``window`` for which trading is known."""
        days = bisect_left(self.days, window.end) - bisect_left(self.days, window.start)
        return Known(window=window, days=max(days, 0), begin=self.begin)

    def referring(self, window: Window) -> Known:
        """Return the days of ``window`` with known referrals; it must not end after the data."""
        begin = min((day for day in (self.begin, self.first_referral) if day), default=None)
        if begin is None:
            return Known(window=window, days=0, begin=None)
        days = (window.end - max(window.start, begin)) // ONE_DAY
        return Known(window=window, days=max(days, 0), begin=begin)


def no_change(now: Known, before: Known) -> str:
    """Return why the change from ``before`` is unknown; "" if it is known."""
    if now.whole and before.whole:
        return ""
    missing = before if not before.whole else now
    if missing.any:
        s, were = ("", "was") if missing.missing == 1 else ("s", "were")
        return f"unknown, {missing.missing:,} day{s} {were} not delivered"
    return f"unknown, {missing.gap}"


def missing_words(missing: int, days: int) -> str:
    """Return how many days are missing: ``3 of 31 days not delivered``."""
    return f"{missing:,} of {days:,} days not delivered"

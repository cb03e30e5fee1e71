"""Outcomes of approvals: the 30 days that end 30, 60 and 90 days later, against application.

The figure at 60 days covers days 31 to 60 after the day of the approval. It is known once day 60 is
complete; a cohort's, once that holds for every day of its month.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from program.periods import ONE_DAY, TRAILING_DAYS, Window, months_later

HORIZONS = (30, 60, 90)
COHORTS = 12
# With fewer approvals, a reviewer's figures would mostly be chance.
LEAST_PER_REVIEWER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """Volume of days 31 to 60 of at most this share of the volume at application."""

    key: str
    label: str
    at_most: Decimal


COLLAPSE_HORIZON = 60
COLLAPSES: tuple[Collapse, ...] = (
    Collapse(key="collapsed", label="collapsed", at_most=Decimal("0.2")),
    Collapse(key="halved", label="halved", at_most=Decimal("0.5")),
)


def window_of(approved_on: date, horizon: int) -> Window:
    """Return the 30 days that end ``horizon`` days after the UTC day of the approval."""
    after = approved_on + timedelta(days=horizon) + ONE_DAY
    return Window(after - timedelta(days=TRAILING_DAYS), after)


def is_complete(cohort: date, horizon: int, data_through: date | None) -> bool:
    """Whether every approval of the month ``cohort`` is ``horizon`` complete days ago."""
    last = months_later(cohort, 1) - ONE_DAY
    return data_through is not None and last + timedelta(days=horizon) <= data_through


def collapse(at_application: Decimal | None, later: Decimal | None) -> Collapse | None:
    """Return how far the volume fell by days 31 to 60; ``None`` if less far, or unknown."""
    if not at_application or later is None:
        return None
    share = later / at_application
    return next((step for step in COLLAPSES if share <= step.at_most), None)

"""The affiliates page's address: which part of the page, and which affiliates of the board."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from program import query
from program.affiliates.requalification import Standing, Step
from program.policy.outcomes import Outcome
from program.query import Parameter
from program.review.queue_filters import clean_search

PAGE_SIZE = 50
ANY = "any"
SUGGESTIBLE = (Step.SUSPEND, Step.PUT_ON_NOTICE, Step.RESTORE)
UNTESTED = "untested"
MONTH_CHOICES = (*(str(outcome) for outcome in Outcome), UNTESTED)


class Figure(StrEnum):
    """The figure that the cohort outcomes show."""

    VOLUME = "volume"
    ACTIVE = "active"
    NEW = "new"
    QUALIFYING = "qualifying"


FIGURE_LABELS = {
    Figure.VOLUME: "Volume",
    Figure.ACTIVE: "Active users",
    Figure.NEW: "New users",
    Figure.QUALIFYING: "Still qualifying",
}


class AffiliatesPart(StrEnum):
    """The parts of the page."""

    REQUALIFICATION = "requalification"
    OUTCOMES = "outcomes"
    ALERTS = "alerts"
    NEAR_MISSES = "near-misses"


PART_LABELS = {
    AffiliatesPart.REQUALIFICATION: "Requalification",
    AffiliatesPart.OUTCOMES: "Outcomes",
    AffiliatesPart.ALERTS: "Alerts",
    AffiliatesPart.NEAR_MISSES: "Near misses",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilters(query.PagedRecord):
    """Which part of the page, and which affiliates of the board. Empty means all.

    ``suggested`` is a step, or `ANY` for any suggestion; ``month`` is the result of the newest
    tested month; ``day`` is the data-through day of alerts.
    """

    parameters = (
        Parameter(name="part", field="part", read=query.member(AffiliatesPart)),
        Parameter(name="standing", field="standing", read=query.member(Standing)),
        Parameter(name="suggested", field="suggested", read=query.one_of((ANY, *SUGGESTIBLE))),
        Parameter(name="month", field="month", read=query.one_of(MONTH_CHOICES)),
        Parameter(name="near", field="near", read=query.flag("1"), write=lambda _: "1"),
        Parameter(name="search", field="search", read=clean_search),
        Parameter(name="figure", field="figure", read=query.member(Figure)),
        Parameter(name="day", field="day", read=query.day),
        query.PAGE,
    )
    part: AffiliatesPart = AffiliatesPart.REQUALIFICATION
    standing: Standing | None = None
    suggested: str | None = None
    month: str | None = None
    near: bool = False
    search: str = ""
    figure: Figure = Figure.VOLUME
    day: date | None = None

    @classmethod
    def from_query(cls, found: Mapping[str, str]) -> "BoardFilters":
        """Parse the query parameters; anything malformed is ignored."""
        return cls(**cls.values(found))

    def on_day(self, day: date | None) -> "BoardFilters":
        """Return the alerts of a day."""
        return replace(self, part=AffiliatesPart.ALERTS, day=day, page=1)


QUERY_NAMES = tuple(one.name for one in BoardFilters.parameters)

"""The affiliates page's address: which part of the page, and which affiliates of the board."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from program import wording
from program.affiliates.requalification import Standing, Step
from program.policy.outcomes import Outcome
from program.review.queue_filters import clean_search

PAGE_SIZE = 50
# Query parameters that the filters write.
QUERY_NAMES = ("part", "standing", "suggested", "month", "near", "search", "figure", "page")
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
    """The three parts of the page."""

    REQUALIFICATION = "requalification"
    OUTCOMES = "outcomes"
    NEAR_MISSES = "near-misses"


PART_LABELS = {
    AffiliatesPart.REQUALIFICATION: "Requalification",
    AffiliatesPart.OUTCOMES: "Outcomes",
    AffiliatesPart.NEAR_MISSES: "Near misses",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilters:
    """Which part of the page, and which affiliates of the board. Empty means all.

    ``suggested`` is a step, or `ANY` for any suggestion; ``month`` is the result of the newest
    tested month.
    """

    part: AffiliatesPart = AffiliatesPart.REQUALIFICATION
    standing: Standing | None = None
    suggested: str | None = None
    month: str | None = None
    near: bool = False
    search: str = ""
    figure: Figure = Figure.VOLUME
    page: int = 1

    @property
    def narrows(self) -> bool:
        """Whether any filter is set; part, figure and page are not filters."""
        whole = replace(self, part=AffiliatesPart.REQUALIFICATION, figure=Figure.VOLUME, page=1)
        return whole != BoardFilters()

    def on_page(self, page: int) -> "BoardFilters":
        """Return the same view on another page."""
        return replace(self, page=page)

    def to_query(self) -> dict[str, str]:
        """Return the query parameters; defaults are left out."""
        spoken = {
            "part": "" if self.part is AffiliatesPart.REQUALIFICATION else str(self.part),
            "standing": self.standing or "",
            "suggested": self.suggested or "",
            "month": self.month or "",
            "near": "1" if self.near else "",
            "search": self.search,
            "figure": "" if self.figure is Figure.VOLUME else str(self.figure),
            "page": "" if self.page == 1 else str(self.page),
        }
        return {name: str(value) for name, value in spoken.items() if value}

    def left_out(self, query: Mapping[str, str]) -> str:
        """Return the sentence that names unused parts of the address; "" if there are none."""
        relevant = {name: text for name, text in query.items() if name != "page"}
        usual = {"part": str(AffiliatesPart.REQUALIFICATION), "figure": str(Figure.VOLUME)}
        return wording.left_out(relevant, self.to_query(), usual=usual)

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "BoardFilters":
        """Parse the query parameters; anything malformed is ignored."""
        part, standing = query.get("part"), query.get("standing")
        suggested, month = query.get("suggested"), query.get("month")
        figure, page = query.get("figure"), query.get("page", "")
        whole = page.isascii() and page.isdigit() and len(page) <= 6
        return cls(
            part=AffiliatesPart(part)
            if part in tuple(AffiliatesPart)
            else AffiliatesPart.REQUALIFICATION,
            standing=Standing(standing) if standing in tuple(Standing) else None,
            suggested=suggested if suggested in (ANY, *SUGGESTIBLE) else None,
            month=month if month in MONTH_CHOICES else None,
            near=query.get("near") == "1",
            search=clean_search(query.get("search", "")),
            figure=Figure(figure) if figure in tuple(Figure) else Figure.VOLUME,
            page=max(1, int(page)) if whole else 1,
        )

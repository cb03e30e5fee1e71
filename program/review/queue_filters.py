"""The queue's view: filters, order and page, as one frozen record.

The record travels in the address, so that a view can be shared. The address is untrusted text;
whatever cannot be parsed falls back to the default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from program import wording
from program.policy.criteria import BOTH_TRACKS, TRACKS
from program.policy.outcomes import Outcome
from program.review import drilldown
from program.review.drilldown import UNKNOWN_COUNTRY, WHOLE, Scope, Slice
from program.review.searching import link_names
from program.review.workflow import OPEN_STATUSES, Status
from program.text.folding import ZERO_WIDTH
from program.text.platforms import platform_key

Member = TypeVar("Member", bound=StrEnum)
PAGE_SIZE = 50
LONGEST_SEARCH = 100
WAITING_CHOICES = (3, 7, 14, 30)
# What the filters write into the address.
QUERY_NAMES = (
    "search",
    "eligibility",
    "track",
    "country",
    "platform",
    "waiting",
    "status",
    "owner",
    "due",
    "sort",
    "page",
    *drilldown.QUERY_NAMES,
)
SCOPE_STATUSES: dict[Scope, tuple[Status, ...]] = {
    Scope.OPEN: OPEN_STATUSES,
    Scope.DECIDED: (Status.APPROVED, Status.REJECTED),
    Scope.APPROVED: (Status.APPROVED,),
    Scope.REJECTED: (Status.REJECTED,),
    Scope.ALL: tuple(Status),
}
TRACK_CHOICES = (*(track.key for track in TRACKS), BOTH_TRACKS)


class Owner(StrEnum):
    """Whose applications. ``mine`` depends on the viewer."""

    MINE = "mine"
    UNASSIGNED = "unassigned"


class Due(StrEnum):
    """The state of the review clock."""

    OVERDUE = "overdue"
    SOON = "soon"


OWNER_LABELS = {Owner.MINE: "Mine", Owner.UNASSIGNED: "Unassigned", None: "Everyone"}
DUE_LABELS = {Due.OVERDUE: "overdue", Due.SOON: "due within a business day"}


class Sort(StrEnum):
    """The orders of the queue. Ties are broken by application id, in the same direction."""

    PRIORITY = "priority"
    DUE = "due"
    WAITING = "waiting"
    SUBMITTED = "submitted"
    VOLUME = "volume"
    ACTIVE = "active"
    NEW = "new"


# Prefix for a reversed order, in the address and on the command line.
REVERSED = "-"
SORT_LABELS = {
    Sort.PRIORITY: "priority",
    Sort.DUE: "due first",
    Sort.WAITING: "waiting longest",
    Sort.SUBMITTED: "newest first",
    Sort.VOLUME: "volume, largest first",
    Sort.ACTIVE: "active users, most first",
    Sort.NEW: "new users, most first",
}
# Labels of reversed orders; unknown values stay last.
REVERSED_LABELS = {
    Sort.PRIORITY: "lowest priority first",
    Sort.DUE: "due last first",
    Sort.WAITING: "waiting shortest",
    Sort.SUBMITTED: "oldest first",
    Sort.VOLUME: "volume, smallest first",
    Sort.ACTIVE: "active users, fewest first",
    Sort.NEW: "new users, fewest first",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which applications, in which order, which page. Empty means everything pending.

    ``platform`` is a key, however the address spells it. ``viewer`` is not in the address: in a
    shared link, "mine" is whoever opens it.
    """

    search: str = ""
    eligibility: tuple[Outcome, ...] = ()
    track: str | None = None
    country: str | None = None
    platform: str | None = None
    waiting_days: int | None = None
    status: Status = Status.PENDING
    owner: Owner | None = None
    due: Due | None = None
    sort: Sort = Sort.PRIORITY
    reverse: bool = False
    page: int = 1
    viewer: str = ""
    slice: Slice = WHOLE

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses of the list: one, or those of a slice."""
        scope = self.slice.scope
        return (self.status,) if scope is None else SCOPE_STATUSES[scope]

    @property
    def only_open(self) -> bool:
        """Whether the list contains only open applications."""
        return set(self.statuses) <= set(OPEN_STATUSES)

    @property
    def narrows(self) -> bool:
        """Whether any filter is set; status, order and page are not filters."""
        whole = replace(
            self, status=Status.PENDING, sort=Sort.PRIORITY, reverse=False, page=1, viewer=""
        )
        return whole != Filters()

    def for_viewer(self, viewer: str) -> "Filters":
        """Return the view for ``viewer``, an address."""
        return replace(self, viewer=viewer)

    def on_page(self, page: int) -> "Filters":
        """Return the same view on another page."""
        return replace(self, page=page)

    def in_order(self, sort: Sort, *, reverse: bool = False) -> "Filters":
        """Return the same view in another order."""
        return replace(self, sort=sort, reverse=reverse)

    @property
    def order(self) -> str:
        """The order as written in the address."""
        return f"{REVERSED if self.reverse else ''}{self.sort}"

    def to_query(self) -> dict[str, str]:
        """Return the query parameters; defaults are left out."""
        spoken = {
            "search": self.search,
            "eligibility": ",".join(self.eligibility),
            "track": self.track or "",
            "country": self.country or "",
            "platform": self.platform or "",
            "waiting": str(self.waiting_days or ""),
            "status": "" if self.status is Status.PENDING else str(self.status),
            "owner": self.owner or "",
            "due": self.due or "",
            "sort": self.order if self.order != Sort.PRIORITY else "",
            "page": "" if self.page == 1 else str(self.page),
        }
        return {name: value for name, value in spoken.items() if value} | self.slice.to_query()

    def left_out(self, query: Mapping[str, str]) -> str:
        """Return the sentence that names unused parts of the address; "" if there are none."""
        relevant = {name: text for name, text in query.items() if name != "page"}
        usual = {"status": str(Status.PENDING), "sort": str(Sort.PRIORITY)}
        return wording.left_out(relevant, self.to_query(), usual=usual, lists=("eligibility",))

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Filters":
        """Parse the query parameters; anything malformed is ignored."""
        eligibilities = query.get("eligibility", "").split(",")
        waiting = _whole_number(query.get("waiting"))
        sort = _one_of(query.get("sort", "").removeprefix(REVERSED), tuple(Sort))
        return cls(
            search=clean_search(query.get("search", "")),
            eligibility=tuple(outcome for outcome in Outcome if outcome in eligibilities),
            track=_one_of(query.get("track"), TRACK_CHOICES),
            country=_matching(query.get("country"), rf"[A-Z]{{2}}|{UNKNOWN_COUNTRY}"),
            platform=platform_key(clean_search(query.get("platform", ""))) or None,
            waiting_days=waiting if waiting in WAITING_CHOICES else None,
            status=Status(_one_of(query.get("status"), tuple(Status)) or Status.PENDING),
            owner=_member(Owner, query.get("owner")),
            due=_member(Due, query.get("due")),
            sort=Sort(sort or Sort.PRIORITY),
            reverse=sort is not None and query["sort"].startswith(REVERSED),
            page=max(1, min(_whole_number(query.get("page")) or 1, 1_000_000)),
            slice=Slice.from_query(query),
        )


def clean_search(text: str) -> str:
    """Normalize a search: no invisible characters, no outer spaces, bounded.

    Of a long link only the name in it is kept.
    """
    visible = re.sub(ZERO_WIDTH, "", text)
    printable = "".join(sign if sign.isprintable() else " " for sign in visible).strip()
    if len(printable) > LONGEST_SEARCH and (named := link_names(printable)):
        printable = named
    return printable[:LONGEST_SEARCH].strip()


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else None


def _one_of(text: str | None, choices: tuple[str, ...]) -> str | None:
    return text if text in choices else None


def _member(kind: type[Member], text: str | None) -> Member | None:
    return kind(text) if text in tuple(kind) else None


def _matching(text: str | None, pattern: str) -> str | None:
    return text if text and re.fullmatch(pattern, text) else None

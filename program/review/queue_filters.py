"""The queue's view: filters, order and page, as one frozen record.

The record travels in the address, so that a view can be shared. The address is untrusted text;
whatever cannot be parsed falls back to the default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from program import query
from program.policy.criteria import BOTH_TRACKS, TRACKS
from program.policy.outcomes import Outcome
from program.query import Parameter
from program.review import drilldown
from program.review.drilldown import UNKNOWN_COUNTRY, WHOLE, Scope, Slice
from program.review.searching import link_names
from program.review.workflow import OPEN_STATUSES, Status
from program.risk.signals import Severity
from program.text.folding import ZERO_WIDTH
from program.text.platforms import platform_key

PAGE_SIZE = 50
LONGEST_SEARCH = 100
WAITING_CHOICES = (3, 7, 14, 30)
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


class Robustness(StrEnum):
    """Whether eligibility on the exchange survives without a part of the activity."""

    FRAGILE = "fragile"
    ROBUST = "robust"


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


def clean_search(text: str) -> str:
    """Normalize a search: no invisible characters, no outer spaces, bounded.

    Of a long link only the name in it is kept.
    """
    visible = re.sub(ZERO_WIDTH, "", text)
    printable = "".join(sign if sign.isprintable() else " " for sign in visible).strip()
    if len(printable) > LONGEST_SEARCH and (named := link_names(printable)):
        printable = named
    return printable[:LONGEST_SEARCH].strip()


def _outcomes(text: str) -> tuple[Outcome, ...]:
    asked = text.split(",")
    return tuple(outcome for outcome in Outcome if outcome in asked)


def _levels(text: str) -> tuple[Severity, ...]:
    asked = text.split(",")
    return tuple(level for level in Severity if level in asked)


def _waiting(text: str) -> int | None:
    days = query.whole(text)
    return days if days in WAITING_CHOICES else None


def _order(text: str) -> tuple[Sort, bool] | None:
    sort = query.member(Sort)(text.removeprefix(REVERSED))
    return None if sort is None else (sort, text.startswith(REVERSED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters(query.PagedRecord):
    """Which applications, in which order, which page. Empty means everything pending.

    ``platform`` is a key, however the address spells it. ``viewer`` is not in the address: in a
    shared link, "mine" is whoever opens it.
    """

    parameters = (
        Parameter(name="search", field="search", read=clean_search),
        Parameter(name="eligibility", field="eligibility", read=_outcomes, write=query.joined),
        Parameter(name="track", field="track", read=query.one_of(TRACK_CHOICES)),
        Parameter(
            name="country", field="country", read=query.matching(rf"[A-Z]{{2}}|{UNKNOWN_COUNTRY}")
        ),
        Parameter(
            name="platform",
            field="platform",
            read=lambda text: platform_key(clean_search(text)) or None,
        ),
        Parameter(name="waiting", field="waiting_days", read=_waiting),
        Parameter(name="status", field="status", read=query.member(Status)),
        Parameter(name="owner", field="owner", read=query.member(Owner)),
        Parameter(name="due", field="due", read=query.member(Due)),
        Parameter(name="risk", field="risk", read=_levels, write=query.joined),
        Parameter(name="robust", field="robust", read=query.member(Robustness)),
        Parameter(name="sort", field="order", read=_order),
        query.PAGE,
    )
    search: str = ""
    eligibility: tuple[Outcome, ...] = ()
    track: str | None = None
    country: str | None = None
    platform: str | None = None
    waiting_days: int | None = None
    status: Status = Status.PENDING
    owner: Owner | None = None
    due: Due | None = None
    risk: tuple[Severity, ...] = ()
    robust: Robustness | None = None
    sort: Sort = Sort.PRIORITY
    reverse: bool = False
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
    def is_open(self) -> bool:
        """Whether the list is of one open status."""
        return self.slice.scope is None and self.only_open

    @property
    def narrows(self) -> bool:
        """Whether any filter is set; status, order and page are not filters."""
        whole = replace(
            self, status=Status.PENDING, sort=Sort.PRIORITY, reverse=False, page=1, viewer=""
        )
        return whole != Filters()

    @property
    def bare(self) -> "Filters":
        """The same list in the same order, without filters; the page too unless there are none."""
        found = Filters(
            status=self.status,
            sort=self.sort,
            reverse=self.reverse,
            viewer=self.viewer,
            slice=self.slice,
        )
        return self if found == replace(self, page=1) else found

    def for_viewer(self, viewer: str) -> "Filters":
        """Return the view for ``viewer``, an address."""
        return replace(self, viewer=viewer)

    def in_order(self, sort: Sort, *, reverse: bool = False) -> "Filters":
        """Return the same view in another order."""
        return replace(self, sort=sort, reverse=reverse)

    @property
    def order(self) -> str:
        """The order as written in the address."""
        return f"{REVERSED if self.reverse else ''}{self.sort}"

    def to_query(self) -> dict[str, str]:
        """Return the query parameters; defaults are left out."""
        return query.Record.to_query(self) | self.slice.to_query()

    @classmethod
    def from_query(cls, found: Mapping[str, str]) -> "Filters":
        """Parse the query parameters; anything malformed is ignored."""
        values = cls.values(found)
        sort, reverse = values.pop("order", (Sort.PRIORITY, False))
        return cls(**values, sort=sort, reverse=reverse, slice=Slice.from_query(found))


QUERY_NAMES = (*(one.name for one in Filters.parameters), *drilldown.QUERY_NAMES)

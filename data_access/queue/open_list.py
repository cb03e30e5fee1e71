"""Find and order open applications by their standings.

Each statement is written once for its shape: which filters, which order. What depends on the clock
is a comparison with a time, so that an index answers it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, CursorResult

from data_access.applications import conditions, searching
from data_access.eligibility.judging import JudgingContext
from data_access.queue import priority_sql, standings
from data_access.queue.standings import Source
from program.policy.criteria import BOTH_TRACKS, ON_EXCHANGE, TRACKS
from program.policy.outcomes import Outcome
from program.policy.robust import VARIANTS
from program.review import priority
from program.review.drilldown import UNKNOWN_COUNTRY
from program.review.queue_filters import Due, Filters, Owner, Robustness, Sort
from program.review.searching import sought
from program.review.workflow import Status

HELD = "(assignee is not null and (claim_until is null or claim_until > %(now)s))"
WAITING, RETURNED = "status = 'pending'", "(status = 'deferred' and deferred_until <= %(now)s)"
STATUSES = {
    Status.PENDING: f"({WAITING} or {RETURNED})",
    Status.DEFERRED: "(status = 'deferred' and (deferred_until <= %(now)s) is not true)",
    Status.MORE_INFO_NEEDED: "status = 'more_info_needed'",
    Status.AWAITING_SECOND_APPROVAL: "status = 'awaiting_second_approval'",
}
OUTCOMES = {
    Outcome.MET: "eligible",
    Outcome.NOT_MET: "not eligible",
    Outcome.UNKNOWN: "eligible is null",
}
ALL_MET = f"robust_met = {len(ON_EXCHANGE.criteria)}"
WEAKEST = f"least({', '.join(f'robust_{variant.key}' for variant in VARIANTS)})"
# On other activity than all, fewer criteria are met than all of them.
ROBUSTNESS = {
    Robustness.FRAGILE: f"{ALL_MET} and {WEAKEST} < robust_met",
    Robustness.ROBUST: f"{ALL_MET} and {WEAKEST} >= robust_met",
}
OWNERS = {Owner.MINE: f"assignee = %(viewer)s and {HELD}", Owner.UNASSIGNED: f"not {HELD}"}


@dataclass(frozen=True, slots=True)
class Clock:
    """A time, the UTC day of it, and the parameter until when it must have been."""

    column: str
    day: str
    until: str

    @property
    def reached(self) -> str:
        """The condition that it was until then."""
        return f"{self.column} <= %({self.until})s"

    @property
    def on_earlier_days(self) -> str:
        """The condition that it was on a day before that of ``until``."""
        return f"{self.day} < (%({self.until})s at time zone 'UTC')::date"

    @property
    def on_last_day(self) -> str:
        """The condition that it was on the day of ``until``, and until then."""
        return f"{self.reached} and {self.column} >= date_trunc('day', %({self.until})s, 'UTC')"


OVERDUE = Clock("clock_from", "clock_day", "overdue_since")
LONG_WAITING = Clock("submitted_at", "submitted_day", "waits_since")
TRACK_CONDITIONS = {BOTH_TRACKS: " and ".join(track.key for track in TRACKS)} | {
    track.key: " and ".join(
        other.key if other is track else f"{other.key} is not true" for other in TRACKS
    )
    for track in TRACKS
}
DUES = {
    Due.OVERDUE: f"paused_at is null and {OVERDUE.reached}",
    Due.SOON: f"paused_at is null and clock_from <= %(soon_since)s and not {OVERDUE.reached}",
}
# The reverse of an order swaps every direction; unknown figures come last in both.
ORDERS = {
    Sort.WAITING: "submitted_at, application_id",
    Sort.SUBMITTED: "submitted_at desc, application_id desc",
    Sort.DUE: "clock_from, application_id",
    Sort.VOLUME: "volume_usd desc nulls last, application_id",
    Sort.ACTIVE: "active_users desc nulls last, application_id",
    Sort.NEW: "new_users desc nulls last, application_id",
}
BACKWARD = {
    Sort.WAITING: "submitted_at desc, application_id desc",
    Sort.SUBMITTED: "submitted_at, application_id",
    Sort.DUE: "clock_from desc, application_id desc",
    Sort.VOLUME: "volume_usd nulls last, application_id desc",
    Sort.ACTIVE: "active_users nulls last, application_id desc",
    Sort.NEW: "new_users nulls last, application_id desc",
}
# From the other end, unknown figures come first.
FROM_THE_END = {
    "": "desc",
    "desc": "",
    "nulls last": "desc nulls first",
    "desc nulls last": "nulls first",
}
# An index of trigrams finds nothing shorter, and would be read whole.
INDEXED, UNINDEXED = 3, "(search_text || '')"
# Orders by what neither facts nor policy change.
UNJUDGED_ORDERS = (Sort.WAITING, Sort.SUBMITTED, Sort.DUE)
# The clock of these adds nothing to the priority.
STOPPED = (Status.MORE_INFO_NEEDED,)
# Ordering all matches is faster than taking the first of each group beyond so many rows, and where
# so few match that most of a group is looked through for them.
FEW, MANY = 1_000, 2_000
CLOCK_POINTS = (
    f"least({priority.HIGHEST}, points + (%(by_days)s::integer[])"
    "[width_bucket(clock_from, %(starts)s::timestamptz[]) + 1])"
)
# The clock's points never rise with a later start. So among applications of equal result and points
# the order is that of the clock, and the first of all are among the first of each group.
FIRST_BY_PRIORITY = """
select application_id from ({groups}) as first
order by {by_points} limit %(size)s offset %(offset)s
"""
FIRST_OF_OUTCOME = """
select first.* from unnest(%(points_{outcome})s::smallint[]) as possible (held)
cross join lateral (
    select application_id, clock_from, points from {source} as standing
    where {judged} and points = possible.held and {conditions}
    order by {by_index} limit %(most)s
) as first
"""
FOUND = """
select application_id from {source} as standing where {conditions}
order by {order} limit %(size)s offset %(offset)s
"""
# Rows that were found from the end, in the list's order.
TURNED = """
select application_id
from (select application_id, row_number() over () as number from ({near}) as near) as numbered
order by number desc
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its parameters; ``computed`` is the CTE it needs, if any."""

    text: str
    computed: str
    values: dict[str, Any]

    def run(self, connection: Connection) -> CursorResult[Any]:
        """Execute it."""
        return connection.exec_driver_sql(self.whole, self.values)

    @property
    def whole(self) -> str:
        """The statement with its CTE."""
        return f"with {self.computed} {self.text}" if self.computed else self.text


def found(
    filters: Filters,
    context: JudgingContext,
    *,
    size: int | None,
    offset: int = 0,
    total: int | None = None,
    from_end: bool = False,
) -> Statement:
    """Return the statement for ids of matches, in order; without ``size`` all of them.

    ``total`` is how many match, if known. ``from_end`` finds the last ones, the very last first.
    """
    by_facts = is_judged(filters) or filters.sort not in UNJUDGED_ORDERS
    source = standings.source(context, judged=by_facts)
    given = {**values(filters, context, source), "size": size, "offset": offset}
    groups: tuple[Outcome, ...] = ()
    if filters.sort is Sort.PRIORITY:
        few = size is not None and size + offset <= FEW
        if few and filters.status is Status.PENDING and (total is None or total > MANY):
            groups = _possible_outcomes(filters)
        possible = {f"points_{outcome}": list(_possible_points(outcome)) for outcome in groups}
        given |= {**_clock(context), **possible, "most": (size or 0) + offset}
    order = (filters.sort, filters.reverse, filters.status in STOPPED)
    matching = (tuple(unjudged(filters)), tuple(judged(filters)))
    text = _found(source, *matching, groups, order, from_end)
    return Statement(text, source.computed, given)


def page(
    filters: Filters, context: JudgingContext, *, size: int, offset: int, total: int | None
) -> Statement:
    """Return the statement for the ids of a page, taken from the nearer end of the list."""
    if total is None or offset * 2 <= total:
        return found(filters, context, size=size, offset=offset, total=total)
    behind = max(0, total - offset - size)
    rest = max(0, total - offset - behind)
    near = found(filters, context, size=rest, offset=behind, total=total, from_end=True)
    return replace(near, text=TURNED.format(near=near.text))


def _possible_outcomes(filters: Filters) -> tuple[Outcome, ...]:
    """Return the outcomes that a match can have; whoever meets a track is eligible."""
    possible = {Outcome.MET} if filters.track else set(Outcome)
    wanted = possible & set(filters.eligibility or Outcome)
    return tuple(outcome for outcome in Outcome if outcome in wanted)


@cache
def _possible_points(outcome: Outcome) -> Sequence[int]:
    """Return the points that a standing with this outcome can have, highest first."""
    given = priority.ELIGIBILITY_POINTS[outcome]
    found = {
        given + volume + near + answered + risk
        for risk in range(priority.RISK.cap + 1)
        for volume in (0, *(points for _, points in priority.VOLUME_STEPS))
        for near in (0, *([] if outcome is Outcome.MET else [priority.NEAR_MISS.cap]))
        for answered in (0, priority.ANSWERED.cap)
    }
    return sorted(found, reverse=True)


@cache
def _found(
    source: Source,
    conditions: tuple[str, ...],
    judged: tuple[str, ...],
    groups: tuple[Outcome, ...],
    order: tuple[Sort, bool, bool],
    from_end: bool,
) -> str:
    sort, reverse, stopped = order
    parts = {"source": source.name, "conditions": " and ".join([*conditions, *judged])}
    if sort is not Sort.PRIORITY:
        return FOUND.format(**parts, order=_directed(sort, reverse, from_end))
    by_clock = _directed(Sort.DUE, reverse, from_end)
    rising, falling = ("", " desc") if reverse is from_end else (" desc", "")
    points = "points" if stopped else CLOCK_POINTS
    by_points = f"{points}{falling}, {by_clock}"
    if not groups:
        return FOUND.format(**parts, order=by_points)
    # In a group these columns are alike; named, they are the order of an index, also if unknown.
    by_index = f"eligible{rising}, points{rising}, {by_clock}"
    first = " union all ".join(
        FIRST_OF_OUTCOME.format(
            **parts, outcome=outcome, judged=OUTCOMES[outcome], by_index=by_index
        )
        for outcome in groups
    )
    return FIRST_BY_PRIORITY.format(groups=first, by_points=by_points)


def _directed(sort: Sort, reverse: bool, from_end: bool) -> str:
    order = BACKWARD[sort] if reverse else ORDERS[sort]
    if not from_end:
        return order
    terms = [term.partition(" ") for term in order.split(", ")]
    return ", ".join(f"{column} {FROM_THE_END[direction]}" for column, _, direction in terms)


def unjudged(filters: Filters) -> Iterator[str]:
    """Return the conditions other than `judged`.

    Views with the same kinds of filters have the same text.
    """
    yield STATUSES[filters.status]
    if filters.owner:
        yield OWNERS[filters.owner]
    if filters.due:
        yield DUES[filters.due]
    if filters.platform:
        yield "platform_key = %(platform)s"
    if filters.country:
        unknown = filters.country == UNKNOWN_COUNTRY
        yield "country_code is null" if unknown else "country_code = %(country)s"
    if filters.waiting_days:
        yield LONG_WAITING.reached
    if filters.search:
        likes = [
            f"{'search_text' if len(text) >= INDEXED else UNINDEXED} like %(part_{number})s"
            for number, text in enumerate(sought(filters.search).texts)
        ]
        yield f"({' or '.join([*likes, 'search_keys && %(keys)s::text[]'])})"


def judged(filters: Filters) -> Iterator[str]:
    """Return the conditions on facts and results."""
    if filters.eligibility:
        yield f"({' or '.join(OUTCOMES[outcome] for outcome in filters.eligibility)})"
    if filters.track:
        # Whoever meets a track is eligible; said, since an index finds these.
        yield f"eligible and {TRACK_CONDITIONS[filters.track]}"
    if filters.risk:
        levels = ", ".join(f"'{level}'" for level in filters.risk)
        yield f"risk_level in ({levels})"
    if filters.robust:
        yield ROBUSTNESS[filters.robust]


def is_judged(filters: Filters) -> bool:
    """Whether the filters ask for facts or results."""
    return bool(filters.eligibility or filters.track or filters.risk or filters.robust)


def values(filters: Filters, context: JudgingContext, source: Source) -> dict[str, Any]:
    """Return the parameters of the conditions, and of computing standings if they are not kept."""
    given: dict[str, Any] = {
        "now": context.now,
        "viewer": filters.viewer,
        "platform": filters.platform,
        "country": filters.country,
    }
    if filters.waiting_days:
        given["waits_since"] = context.now - timedelta(days=filters.waiting_days)
    if filters.due:
        given["overdue_since"] = conditions.overdue_since(context)
        given["soon_since"] = conditions.soon_since(context)
    if filters.search:
        given |= _searched(filters.search)
    return {**standings.values(context), **given} if source.computed else given


def _searched(term: str) -> dict[str, Any]:
    wanted = sought(term)
    given: dict[str, Any] = {
        f"part_{part}": searching.part_of(text) for part, text in enumerate(wanted.texts)
    }
    number = None if wanted.number is None else str(wanted.number)
    return {**given, "keys": [key for key in (wanted.key, number) if key]}


def _clock(context: JudgingContext) -> dict[str, Any]:
    """Return the table of the clock's points: after which start they are how many."""
    starts, by_days = priority_sql.clock_steps(context)
    return {"starts": list(starts), "by_days": list(by_days)}

"""Find, order and count open applications by their standings.

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
from data_access.queue import news, priority_sql, standings
from data_access.queue.standings import Source
from program.policy.criteria import BOTH_TRACKS, TRACKS
from program.policy.outcomes import Outcome
from program.review import priority
from program.review.drilldown import UNKNOWN_COUNTRY
from program.review.queue_filters import REVERSED, Due, Filters, Owner, Sort
from program.review.searching import sought
from program.review.workflow import Status

HELD = "(assignee is not null and (claim_until is null or claim_until > %(now)s))"
STATUSES = {
    Status.PENDING: "(status = 'pending' or (status = 'deferred' and deferred_until <= %(now)s))",
    Status.DEFERRED: "(status = 'deferred' and (deferred_until <= %(now)s) is not true)",
    Status.MORE_INFO_NEEDED: "status = 'more_info_needed'",
    Status.AWAITING_SECOND_APPROVAL: "status = 'awaiting_second_approval'",
}
OUTCOMES = {
    Outcome.MET: "eligible",
    Outcome.NOT_MET: "not eligible",
    Outcome.UNKNOWN: "eligible is null",
}
OWNERS = {Owner.MINE: f"assignee = %(viewer)s and {HELD}", Owner.UNASSIGNED: f"not {HELD}"}
OVERDUE = "clock_from <= %(overdue_since)s"
TRACK_CONDITIONS = {BOTH_TRACKS: " and ".join(track.key for track in TRACKS)} | {
    track.key: " and ".join(
        other.key if other is track else f"{other.key} is not true" for other in TRACKS
    )
    for track in TRACKS
}
DUES = {
    Due.OVERDUE: f"paused_at is null and {OVERDUE}",
    Due.SOON: f"paused_at is null and clock_from <= %(soon_since)s and not {OVERDUE}",
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
    ORDERS[Sort.WAITING]: "submitted_at desc, application_id desc",
    ORDERS[Sort.SUBMITTED]: "submitted_at, application_id",
    ORDERS[Sort.DUE]: "clock_from desc, application_id desc",
    ORDERS[Sort.VOLUME]: "volume_usd nulls last, application_id desc",
    ORDERS[Sort.ACTIVE]: "active_users nulls last, application_id desc",
    ORDERS[Sort.NEW]: "new_users nulls last, application_id desc",
}
# Orders whose reverse is not from the other end: unknown figures come last in both.
LAST_IF_UNKNOWN = (Sort.VOLUME, Sort.ACTIVE, Sort.NEW)
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
# The clock's points never rise with a later start. So among applications of equal points the order
# is that of the clock, and the first of all are among the first of each group.
FIRST_BY_PRIORITY = """
select first.application_id
from unnest(%(points)s::smallint[]) as possible (held)
cross join lateral (
    select application_id, clock_from, points from {source} as standing
    where points = possible.held and {conditions}
    order by {by_clock} limit %(most)s
) as first
order by {by_points} limit %(size)s offset %(offset)s
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
COUNTS = f"""
select count(*) filter (where is_pending) as total,
    count(*) filter (where is_pending and eligible) as met,
    count(*) filter (where is_pending and not eligible) as not_met,
    count(*) filter (where is_pending and is_overdue) as overdue,
    count(*) filter (where is_pending and not is_held) as unassigned,
    count(*) filter (where is_pending and is_held and assignee = %(viewer)s) as mine,
    count(*) filter (where status = 'deferred' and not is_pending) as deferred,
    count(*) filter (where status = 'more_info_needed') as more_info_needed,
    count(*) filter (where status = 'awaiting_second_approval') as awaiting_second_approval{{more}}
from (
    select status, eligible, assignee, {OVERDUE} as is_overdue, {HELD} as is_held,
        {STATUSES[Status.PENDING]} is true as is_pending
    from {{source}} as standing
    offset 0
) as standing
"""  # noqa: S608 - parts written here
COUNTED = "select count(*) from {source} as standing where {conditions}"


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
) -> Statement:
    """Return the statement for ids of matches, in order; without ``size`` all of them.

    ``total`` is how many match, if known.
    """
    by_facts = _is_judged(filters) or filters.sort not in UNJUDGED_ORDERS
    source = standings.source(context, judged=by_facts)
    given = {**_values(filters, context, source), "size": size, "offset": offset}
    by_group = size is not None and size + offset <= FEW and (total is None or total > MANY)
    if filters.sort is Sort.PRIORITY:
        possible = _possible_points(_possible_outcomes(filters))
        given |= {**_clock(context), "points": list(possible), "most": (size or 0) + offset}
    text = _found(source, tuple(_conditions(filters)), filters.order, filters.status, by_group)
    return Statement(text, source.computed, given)


def counted(filters: Filters, context: JudgingContext) -> Statement:
    """Return the statement for the number of matches."""
    source = standings.source(context, judged=_is_judged(filters))
    text = _counted(source, tuple(_conditions(filters)))
    return Statement(text, source.computed, _values(filters, context, source))


def page(
    filters: Filters, context: JudgingContext, *, size: int, offset: int, total: int | None
) -> Statement:
    """Return the statement for the ids of a page, taken from the nearer end of the list."""
    if total is None or offset * 2 <= total or filters.sort in LAST_IF_UNKNOWN:
        return found(filters, context, size=size, offset=offset, total=total)
    backward = replace(filters, reverse=not filters.reverse)
    behind = max(0, total - offset - size)
    rest = max(0, total - offset - behind)
    near = found(backward, context, size=rest, offset=behind, total=total)
    text = TURNED.format(near=near.text)
    return replace(near, text=text)


def overview(filters: Filters, context: JudgingContext) -> Statement:
    """Return the statement for the counts of the whole queue and the pulse.

    If the view narrows an open list, its ``matching`` is counted too.
    """
    source = standings.source(context)
    overdue = {"overdue_since": conditions.overdue_since(context)}
    counted = filters.is_open and filters.narrows
    text = _overview(source, tuple(_conditions(filters)) if counted else ())
    return Statement(text, source.computed, {**_values(filters, context, source), **overdue})


@cache
def _overview(source: Source, conditions: tuple[str, ...]) -> str:
    matching = f", ({_counted(source, conditions)}) as matching" if conditions else ""
    return COUNTS.format(source=source.name, more=f", {news.PULSE}{matching}")


def _possible_outcomes(filters: Filters) -> frozenset[Outcome]:
    """Return the outcomes that a match can have; whoever meets a track is eligible."""
    wanted = set(filters.eligibility or Outcome)
    return frozenset(wanted & {Outcome.MET} if filters.track else wanted)


@cache
def _possible_points(outcomes: frozenset[Outcome]) -> Sequence[int]:
    """Return the points that a standing with one of these outcomes can have, highest first."""
    volumes = (0, *(points for _, points in priority.VOLUME_STEPS))
    found = {
        priority.ELIGIBILITY_POINTS[outcome] + volume + near + answered
        for outcome in outcomes
        for volume in volumes
        for near in (0, *([] if outcome is Outcome.MET else [priority.NEAR_MISS.cap]))
        for answered in (0, priority.ANSWERED.cap)
    }
    return sorted(found, reverse=True)


@cache
def _found(
    source: Source, conditions: tuple[str, ...], order: str, status: Status, by_group: bool
) -> str:
    reverse, sort = order.startswith(REVERSED), Sort(order.removeprefix(REVERSED))
    parts = {"source": source.name, "conditions": " and ".join(conditions)}
    if sort is not Sort.PRIORITY:
        return FOUND.format(**parts, order=_directed(ORDERS[sort], reverse))
    by_clock = _directed(ORDERS[Sort.DUE], reverse)
    points = "points" if status in STOPPED else CLOCK_POINTS
    by_points = f"{points}{'' if reverse else ' desc'}, {by_clock}"
    if by_group and status not in STOPPED:
        return FIRST_BY_PRIORITY.format(**parts, by_points=by_points, by_clock=by_clock)
    return FOUND.format(**parts, order=by_points)


@cache
def _counted(source: Source, conditions: tuple[str, ...]) -> str:
    return COUNTED.format(source=source.name, conditions=" and ".join(conditions))


def _directed(order: str, reverse: bool) -> str:
    return order if not reverse else BACKWARD[order]


def _conditions(filters: Filters) -> Iterator[str]:
    """Return the conditions; the same text for every view with the same kinds of filters."""
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
        yield "submitted_at <= %(waits_since)s"
    if filters.search:
        likes = [
            f"{'search_text' if len(text) >= INDEXED else UNINDEXED} like %(part_{number})s"
            for number, text in enumerate(sought(filters.search).texts)
        ]
        yield f"({' or '.join([*likes, 'search_keys && %(keys)s::text[]'])})"
    if filters.eligibility:
        yield f"({' or '.join(OUTCOMES[outcome] for outcome in filters.eligibility)})"
    if filters.track:
        yield TRACK_CONDITIONS[filters.track]


def _is_judged(filters: Filters) -> bool:
    """Whether the filters ask for facts or results."""
    return bool(filters.eligibility or filters.track)


def _values(filters: Filters, context: JudgingContext, source: Source) -> dict[str, Any]:
    """Return the parameters of `_conditions`, and of computing standings if they are not kept."""
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

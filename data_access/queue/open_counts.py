"""Count open applications, from sums where those say it.

`review.standing_sums` says how many are alike, by day. What a time of day decides, and what few
standings are, is counted in the standings: the last day, those that have returned, those held.
"""

from dataclasses import replace
from functools import cache

from data_access.applications import conditions
from data_access.eligibility.judging import JudgingContext
from data_access.queue import news, open_list, standings
from data_access.queue.open_list import (
    DUES,
    HELD,
    LONG_WAITING,
    OUTCOMES,
    OVERDUE,
    OWNERS,
    RETURNED,
    STATUSES,
    WAITING,
    Clock,
    Statement,
)
from data_access.queue.standings import Source
from program.policy.outcomes import Outcome
from program.review.queue_filters import Due, Filters, Owner
from program.review.workflow import OPEN_STATUSES, Status

SUM = "coalesce(sum(number) filter (where {}), 0)"
SET_ASIDE = ", ".join(
    SUM.format(f"status = '{status}'") + f" as {status}" for status in OPEN_STATUSES[1:]
)
COUNTS = f"""
select summed.waiting + returned.total as total,
    summed.met + returned.met as met,
    summed.not_met + returned.not_met as not_met,
    summed.overdue + last_day.overdue + returned.overdue as overdue,
    summed.waiting + returned.total - held.total as unassigned,
    held.mine as mine,
    summed.deferred - returned.total as deferred,
    summed.more_info_needed, summed.awaiting_second_approval{{more}}
from (
    select {SUM.format(WAITING)} as waiting,
        {SUM.format(f"{WAITING} and {OUTCOMES[Outcome.MET]}")} as met,
        {SUM.format(f"{WAITING} and {OUTCOMES[Outcome.NOT_MET]}")} as not_met,
        {SUM.format(f"{WAITING} and {OVERDUE.on_earlier_days}")} as overdue,
        {SET_ASIDE}
    from {{sums}} as standing
) as summed
cross join (
    select count(*) as overdue
    from {{source}} as standing where {WAITING} and {OVERDUE.on_last_day}
) as last_day
cross join (
    select count(*) as total,
        count(*) filter (where {OUTCOMES[Outcome.MET]}) as met,
        count(*) filter (where {OUTCOMES[Outcome.NOT_MET]}) as not_met,
        count(*) filter (where {OVERDUE.reached}) as overdue
    from {{source}} as standing where {RETURNED}
) as returned
cross join (
    select count(*) as total, count(*) filter (where assignee = %(viewer)s) as mine
    from {{source}} as standing where {HELD} and {STATUSES[Status.PENDING]}
) as held
"""  # noqa: S608 - parts written here
# Each is counted as if it were chosen in place of what is chosen of its kind.
FACETS = """(select array[{counts}] from {source} as standing where {base})"""
SUMMED = "(select coalesce(sum(number), 0) from {source} as standing where {conditions})"
COUNTED = "(select count(*) from {source} as standing where {conditions})"


def counted(filters: Filters, context: JudgingContext) -> Statement:
    """Return the statement for the number of matches."""
    source = standings.source(context, judged=open_list.is_judged(filters))
    text = f"select {_matching(filters, source)}"
    return Statement(text, source.computed, open_list.values(filters, context, source))


def overview(filters: Filters, context: JudgingContext) -> Statement:
    """Return the statement for the counts of the whole queue and the pulse.

    If the view narrows an open list, its ``matching`` and ``facets`` are counted too.
    """
    source = standings.source(context)
    clock = {
        "overdue_since": conditions.overdue_since(context),
        "soon_since": conditions.soon_since(context),
    }
    narrowed = filters.is_open and filters.narrows
    text = _overview(
        source,
        _matching(filters, source) if narrowed else "",
        _facets(filters, source) if narrowed else "",
    )
    given = open_list.values(filters, context, source)
    return Statement(text, source.computed, {**given, **clock})


def _facets(filters: Filters, source: Source) -> str:
    """Return the expression for how many each outcome, owner and clock would match."""
    others = replace(filters, eligibility=(), owner=None, due=None)
    judged = " and ".join(open_list.judged(Filters(eligibility=filters.eligibility))) or "true"
    owner = OWNERS[filters.owner] if filters.owner else "true"
    due = DUES[filters.due] if filters.due else "true"
    counts = [
        *((OUTCOMES[outcome], owner, due) for outcome in OUTCOMES),
        *((OWNERS[one], judged, due) for one in OWNERS),
        *((DUES[one], judged, owner) for one in DUES),
    ]
    return FACETS.format(
        counts=", ".join(
            f"count(*) filter (where {' and '.join(f'({one})' for one in parts)})"
            for parts in counts
        ),
        source=source.name,
        base=" and ".join([*open_list.unjudged(others), *open_list.judged(others)]),
    )


@cache
def _overview(source: Source, matching: str, facets: str) -> str:
    more = f", {news.PULSE}"
    if matching:
        more += f", {matching} as matching, {facets} as facets"
    return COUNTS.format(source=source.name, sums=source.sums, more=more)


def _matching(filters: Filters, source: Source) -> str:
    """Return the expression for the number of matches."""
    judged = tuple(open_list.judged(filters))
    if not _is_summed(filters):
        return _counted(source, (*open_list.unjudged(filters), *judged))
    asked = {OVERDUE: filters.due, LONG_WAITING: filters.waiting_days}
    clocks = tuple(clock for clock, is_asked in asked.items() if is_asked)
    return _summed(source, judged, clocks, filters.owner is Owner.UNASSIGNED)


def _is_summed(filters: Filters) -> bool:
    """Whether the sums know all that the filters ask for."""
    others = filters.country or filters.platform or filters.search or filters.risk or filters.robust
    return (
        filters.status is Status.PENDING
        and filters.owner is not Owner.MINE
        and filters.due is not Due.SOON
        and not others
    )


@cache
def _summed(
    source: Source, judged: tuple[str, ...], clocks: tuple[Clock, ...], unassigned: bool
) -> str:
    whole = (WAITING, *judged, *(clock.on_earlier_days for clock in clocks))
    parts = [SUMMED.format(source=source.sums, conditions=" and ".join(whole))]
    for place, clock in enumerate(clocks):
        # What the clocks before it have not left out yet.
        earlier = [other.on_earlier_days for other in clocks[:place]]
        later = [other.reached for other in clocks[place + 1 :]]
        parts.append(_counted(source, (WAITING, *judged, *earlier, clock.on_last_day, *later)))
    every = (*judged, *(clock.reached for clock in clocks))
    parts.append(_counted(source, (RETURNED, *every)))
    number = " + ".join(parts)
    if unassigned:
        number += f" - {_counted(source, (HELD, STATUSES[Status.PENDING], *every))}"
    return number


@cache
def _counted(source: Source, conditions: tuple[str, ...]) -> str:
    return COUNTED.format(source=source.name, conditions=" and ".join(conditions))

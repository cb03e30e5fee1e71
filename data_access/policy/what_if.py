"""Replay a draft of the policy: changed results, and consequences for the program.

Outcomes come from `judging`, applied to both sides of `what_if_values`. If an outcome depends on
values that are not stored, it is undetermined: not counted as met, not met or unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Numeric,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from data_access.affiliates import approved as affiliates_approved
from data_access.affiliates import board
from data_access.applications import conditions as application_conditions
from data_access.db import tables
from data_access.eligibility import judging, policies
from data_access.eligibility.judging import METRIC_TYPES, JudgingContext
from data_access.policy import what_if_risk, what_if_values
from data_access.policy.what_if_values import Sides, Values
from data_access.queue import listing
from program.affiliates.requalification import Standing, Step
from program.affiliates.what_if import (
    MOVES,
    PAGE_SIZE,
    Changer,
    Decided,
    Move,
    Population,
    Rebates,
    Replay,
    WhatIf,
    gap,
    unreplayed,
)
from program.policy import settings
from program.policy.criteria import ACTIVE_USERS, CRITERIA, NEW_USERS, VOLUME
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.review import rebates
from program.review.queue_filters import Due, Filters
from program.review.workflow import Decision, Status

# Affiliates who get the standard rate, until they are reinstated or approved again.
AT_STANDARD = (str(Standing.SUSPENDED), str(Standing.TERMINATED))
# Zero, and the highest minimum that a policy may have.
ENDS: Mapping[str, tuple[Decimal | int, Decimal | int]] = {
    VOLUME.key: (Decimal(0), settings.HIGHEST_MONEY),
    ACTIVE_USERS.key: (0, int(settings.HIGHEST_COUNT)),
    NEW_USERS.key: (0, int(settings.HIGHEST_COUNT)),
}


def replay(
    connection: Connection,
    context: JudgingContext,
    draft: Policy,
    *,
    progress: Callable[[Population], None] = lambda _: None,
) -> WhatIf:
    """Replay the draft against the policy of ``context``; ``progress`` gets the next population."""
    progress(Population.OPEN)
    waiting, joining = _replay_open(connection, context, draft)
    progress(Population.DECISIONS)
    then, decided = _replay_decisions(connection, context, draft)
    progress(Population.AFFILIATES)
    approved, costs = _replay_affiliates(connection, context, draft)
    costs = replace(costs, joining_usd=joining)
    replays = {one.population: one for one in (waiting, then, approved)}
    return WhatIf(
        replays=replays,
        decided=decided,
        rebates=costs,
        overdue=_overdue(connection, context, draft),
        suggested=_suggested(connection, context.policy, draft),
        risk=what_if_risk.replay(connection, context.policy, draft),
        gaps=_gaps(connection, context, draft, replays),
    )


def changers(
    connection: Connection,
    context: JudgingContext,
    draft: Policy,
    *,
    population: Population,
    moves: Sequence[Move] = MOVES,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> list[Changer]:
    """Return the applications with one of these moves, newest first; their count is in `replay`."""
    application, account = tables.applications, tables.accounts
    judged = _judged(connection, context, draft, population)
    ids = [judged.c.application_id, judged.c.decision_id]
    hit = (
        select(judged)
        .where(or_(*(_makes(judged, move) for move in moves)))
        .order_by(*(id_.desc().nulls_last() for id_ in reversed(ids)))
        .offset((page - 1) * size)
        .limit(size)
        .subquery("changers")
    )
    rows = connection.execute(
        select(*hit.c, account.c.username, application.c.social_handle, application.c.status)
        .join(application, application.c.application_id == hit.c.application_id)
        .join(account, account.c.account_id == application.c.account_id)
        .order_by(hit.c.decision_id.desc().nulls_last(), hit.c.application_id.desc())
    ).mappings()
    return [_changer(row) for row in rows]


def _replay_open(
    connection: Connection, context: JudgingContext, draft: Policy
) -> tuple[Replay, Decimal | None]:
    """Return the replay, and the added cost of newly met ones at the draft's highest rate."""
    judged = _judged(connection, context, draft, Population.OPEN, rates=True)
    fees = func.sum(judged.c.fees_usd).label("fees_usd")
    rows = connection.execute(_counted(judged, also=[fees])).all()
    replayed = _as_replay(Population.OPEN, [(row.before, row.after, row.number) for row in rows])
    if context.freshness is None:
        return replayed, None
    joining = sum((row.fees_usd for row in rows if _leaves(row.after, row.before)), Decimal(0))
    return replayed, joining * (draft.max_rebate_rate - draft.standard_rebate_rate)


def _leaves(old: str | None, new: str | None) -> bool:
    """Return whether the outcome was met and no longer is; undetermined ones do not count."""
    return old == Outcome.MET and new is not None and new != Outcome.MET


def _overdue(
    connection: Connection, context: JudgingContext, draft: Policy
) -> tuple[int, int] | None:
    """Return the overdue open applications under both, if the review time differs."""
    if context.policy.review_sla_business_days == draft.review_sla_business_days:
        return None
    overdue = Filters(due=Due.OVERDUE)
    old, new = (
        listing.count(connection, overdue, replace(context, policy=policy))
        for policy in (context.policy, draft)
    )
    return old, new


def _requalification(policy: Policy) -> tuple[int, int]:
    return policy.requalification_misses, policy.requalification_protection_months


def _suggested(
    connection: Connection, policy: Policy, draft: Policy
) -> tuple[Mapping[Step, int], Mapping[Step, int]] | None:
    """Return the suggested steps under both, if the rules for misses differ."""
    if _requalification(policy) == _requalification(draft):
        return None
    old, new = (board.counts(connection, one).by_suggestion for one in (policy, draft))
    return old, new


def _replay_decisions(
    connection: Connection, context: JudgingContext, draft: Policy
) -> tuple[Replay, Decided]:
    judged = _judged(connection, context, draft, Population.DECISIONS)
    recorded = func.count().filter(judged.c.is_override).label("recorded")
    rows = connection.execute(_counted(judged, judged.c.outcome, also=[recorded])).all()
    replayed = _as_replay(
        Population.DECISIONS, [(row.before, row.after, row.number) for row in rows]
    )
    replayed_rows = [row for row in rows if row.after is not None]
    decided = Decided(
        total=sum(row.number for row in replayed_rows),
        met=(replayed.before(Outcome.MET), replayed.after(Outcome.MET)),
        overrides=(
            sum(row.number for row in replayed_rows if _against(row.outcome, row.before)),
            sum(row.number for row in replayed_rows if _against(row.outcome, row.after)),
        ),
        recorded_overrides=sum(row.recorded for row in replayed_rows),
    )
    return replayed, decided


def _replay_affiliates(
    connection: Connection, context: JudgingContext, draft: Policy
) -> tuple[Replay, Rebates]:
    judged = _judged(connection, context, draft, Population.AFFILIATES, rates=True)
    both = (context.policy, draft)
    costly = [_costly(judged, policy).label(f"costly_{place}") for place, policy in enumerate(both)]
    fees = func.sum(judged.c.fees_usd).label("fees_usd")
    # Grouped by rate: there are few rates, so exact costs are computed in Python.
    rows = connection.execute(_counted(judged, judged.c.rate, also=[fees, *costly])).all()
    replayed = _as_replay(
        Population.AFFILIATES, [(row.before, row.after, row.number) for row in rows]
    )
    return replayed, _rebates(connection, context, draft, rows)


def _costly(judged: Subquery, policy: Policy) -> ColumnElement[Any]:
    """Return the number of approvals that need a second one for cost; a window is one month."""
    threshold = policy.second_approval_monthly_extra_usd
    if threshold is None:
        return literal(0)
    extra = (judged.c.rate - policy.standard_rebate_rate) * judged.c.fees_usd
    enough = extra >= threshold
    # Most have no fees, which saves the multiplication.
    return func.count().filter(and_(judged.c.fees_usd != 0, enough) if threshold else enough)


def _rebates(
    connection: Connection, context: JudgingContext, draft: Policy, rows: Sequence[Any]
) -> Rebates:
    """Return the rebate costs of the approved, from groups by rate, and of all others.

    Without a refresh only the counts are known.
    """
    both = (context.policy, draft)
    rated = [row for row in rows if row.rate is not None]
    above = [sum(row.number for row in _above(policy, rated)) for policy in both]
    counted = Rebates(
        affiliates=sum(row.number for row in rows),
        at_standard=sum(row.number for row in rows if row.rate is None),
        above_most=(above[0], above[1]),
    )
    if context.freshness is None:
        return counted
    assert context.freshness.window.days in rebates.MONTH_LENGTHS
    others = _all_fees(connection) - _usd(row.fees_usd for row in rated)
    over, granted = ([cost(policy, rated) for policy in both] for cost in (_over, _granted))
    return replace(
        counted,
        window=context.freshness.window,
        over_usd=(over[0], over[1]),
        costly=(sum(row.costly_0 for row in rows), sum(row.costly_1 for row in rows)),
        granted_usd=(granted[0], granted[1]),
        standard_usd=(
            others * context.policy.standard_rebate_rate,
            others * draft.standard_rebate_rate,
        ),
        leaving_usd=_usd(
            max(row.rate - draft.standard_rebate_rate, Decimal(0)) * row.fees_usd
            for row in rated
            if _leaves(row.before, row.after)
        ),
    )


def _above(policy: Policy, rated: Sequence[Any]) -> list[Any]:
    return [row for row in rated if row.rate > policy.max_rebate_rate]


def _over(policy: Policy, rated: Sequence[Any]) -> Decimal:
    """Return the cost above the highest rate, USD per window."""
    above = _above(policy, rated)
    return _usd((row.rate - policy.max_rebate_rate) * row.fees_usd for row in above)


def _granted(policy: Policy, rated: Sequence[Any]) -> Decimal:
    """Return the cost of affiliates with their own rates, USD per window."""
    return _usd(max(row.rate, policy.standard_rebate_rate) * row.fees_usd for row in rated)


def _all_fees(connection: Connection) -> Decimal:
    fees = connection.execute(select(func.sum(tables.affiliate_window.c.fees_usd))).scalar()
    return Decimal(fees or 0)


def _usd(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _judged(
    connection: Connection,
    context: JudgingContext,
    draft: Policy,
    population: Population,
    *,
    rates: bool = False,
) -> Subquery:
    """Return a population with its outcomes under both policies; NULL is undetermined.

    With ``rates`` net fees and each affiliate's own rate are included.
    """
    if population is Population.DECISIONS:
        return _judged_decisions(connection, context, draft)
    sides = what_if_values.current_sides(connection, context, draft)
    application = tables.applications
    columns: list[ColumnElement[Any]] = [
        application.c.application_id,
        cast(null(), Integer).label("decision_id"),
    ]
    source = sides.source
    if rates:
        columns.append(_fees(context).label("fees_usd"))
    if population is Population.OPEN:
        valued = select(*columns, *_both(sides)).where(application.c.status == Status.PENDING)
    else:
        one = _approved(rates=rates)
        source = source.join(one, one.c.application_id == application.c.application_id)
        if rates:
            columns.append(one.c.rate)
        # Redundant, but it spares the other applications the join.
        approved = application.c.status == Status.APPROVED
        valued = select(*columns, *_both(sides)).where(approved)
    return _with_outcomes(valued.select_from(source), context.policy, draft)


def _judged_decisions(connection: Connection, context: JudgingContext, draft: Policy) -> Subquery:
    sides = what_if_values.decision_sides(connection, context.policy, draft)
    decision = tables.decisions
    valued = select(
        decision.c.application_id,
        decision.c.decision_id,
        decision.c.outcome,
        decision.c.is_override,
        *_both(sides),
    ).select_from(sides.source)
    return _with_outcomes(valued, context.policy, draft)


def _both(sides: Sides) -> list[ColumnElement[Any]]:
    return [
        *(value.label(f"before_{key}") for key, value in sides.before.items()),
        *(value.label(f"after_{key}") for key, value in sides.after.items()),
        *(
            condition.label(f"barred_{side}_{key}")
            for side, conditions in sides.barred.items()
            for key, condition in conditions.items()
        ),
    ]


def _with_outcomes(valued: Select[Any], policy: Policy, draft: Policy) -> Subquery:
    """Compute both outcomes from each side's values; keep the draft's values."""
    row = valued.subquery("valued")
    words: dict[str, ColumnElement[Any]] = {}
    hinging: list[ColumnElement[bool]] = []
    for side, judge in (("before", policy), ("after", draft)):
        least = judging.whole_truth(_at(row, side, 0), judge)
        words[side] = judging.outcome_word(least)
        if any(column.name.startswith(f"barred_{side}") for column in row.c):
            most = judging.whole_truth(_at(row, side, 1), judge)
            hinging.append(least.is_distinct_from(most))
    after = words["after"]
    if hinging:
        after = case((or_(*hinging), null()), else_=after)
    kept = [column for column in row.c if not column.name.startswith(("before_", "barred_"))]
    return select(*kept, words["before"].label("before"), after.label("after")).subquery("judged")


def _at(row: Subquery, side: str, end: int) -> Values:
    """Return a side's values, with missing ones at zero (0) or at the highest minimum (1).

    If both give the same outcome, so does every value between.
    """
    values = _side(row, side)
    for key, ends in ENDS.items():
        name = f"barred_{side}_{key}"
        if name in row.c:
            values[key] = case((row.c[name], literal(ends[end])), else_=values[key])
    return values


def _side(row: Subquery, side: str) -> Values:
    return {criterion.key: row.c[f"{side}_{criterion.key}"] for criterion in CRITERIA}


def _counted(
    judged: Subquery, *keys: ColumnElement[Any], also: Sequence[ColumnElement[Any]] = ()
) -> Select[Any]:
    grouped = [judged.c.before, judged.c.after, *keys]
    number = func.count().label("number")
    return select(judged.c.before, judged.c.after, number, *keys, *also).group_by(*grouped)


def _makes(judged: Subquery, move: Move) -> ColumnElement[bool]:
    return and_(judged.c.before == str(move[0]), judged.c.after == str(move[1]))


def _against(decided: str, outcome: str) -> bool:
    return (decided == Decision.APPROVED) is not (outcome == Outcome.MET)


def _as_replay(population: Population, rows: Sequence[tuple[str, str | None, int]]) -> Replay:
    moves: dict[Move, int] = {}
    undetermined = 0
    for before, after, number in rows:
        if after is None:
            undetermined += number
            continue
        move = (Outcome(before), Outcome(after))
        moves[move] = moves.get(move, 0) + number
    return Replay(population=population, moves=moves, undetermined=undetermined)


def _changer(row: Any) -> Changer:  # noqa: ANN401 - a row of the list
    return Changer(
        application_id=row["application_id"],
        decision_id=row["decision_id"],
        username=row["username"],
        handle=row["social_handle"],
        status=row["status"],
        before=Outcome(row["before"]),
        after=Outcome(row["after"]),
        values={criterion.key: row[f"after_{criterion.key}"] for criterion in CRITERIA},
    )


def _approved(*, rates: bool) -> CTE:
    """Return the application of every approved affiliate.

    With ``rates`` also its granted rate, NULL if the affiliate has left since. Materialized,
    because row-by-row lookups take several times as long.
    """
    application, decision = tables.applications, tables.current_decisions
    source: FromClause = application_conditions.with_application()
    columns: list[ColumnElement[Any]] = []
    if rates:
        standing = tables.affiliate_standings
        source = source.outerjoin(standing, standing.c.account_id == application.c.account_id)
        out = and_(standing.c.status.in_(AT_STANDARD), standing.c.since >= decision.c.decided_at)
        columns.append(case((out, null()), else_=decision.c.rebate_rate).label("rate"))
    found = affiliates_approved.current_approvals(*columns, source=source)
    return found.cte("approved").prefix_with("materialized")


def _fees(context: JudgingContext) -> ColumnElement[Any]:
    if context.freshness is None:
        return cast(null(), Numeric(24, 6))
    return func.coalesce(tables.affiliate_window.c.fees_usd, 0)


def _gaps(
    connection: Connection,
    context: JudgingContext,
    draft: Policy,
    replays: Mapping[Population, Replay],
) -> tuple[str, ...]:
    """Return one sentence per setting that cannot be replayed; empty if all could be."""
    found: list[str] = []
    if replays[Population.OPEN].undetermined or replays[Population.AFFILIATES].undetermined:
        barred = what_if_values.current_sides(connection, context, draft).barred
        missing = barred.get("after", {})
        found += [gap(key, of=Population.OPEN) for key in METRIC_TYPES if key in missing]
    if replays[Population.DECISIONS].undetermined:
        versions = policies.every(connection)
        wanted = (context.policy, draft)
        found += [
            gap(key, of=Population.DECISIONS)
            for key in METRIC_TYPES
            if any(
                len(what_if_values.alike_versions(versions, one, key)) < len(versions)
                for one in wanted
            )
        ]
    moved = settings.changes(context.policy, draft)
    return (*found, *(words for change in moved if (words := unreplayed(change))))

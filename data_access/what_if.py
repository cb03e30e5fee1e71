"""Replaying a draft of the policy: two policies side by side over the same facts, in SQL.

Both sides are built from the one definition in `standings`. Where the draft counts something
in another way than the figures were counted, its value is computed from the rollups if they
hold it exactly. Otherwise it is NULL, and whoever hinges on it counts as untold: never as met,
not met or unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    FromClause,
    Integer,
    Numeric,
    Select,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONPATH, distinct_on

from data_access import freshness as refreshed
from data_access import policies, standings, tables
from data_access.freshness import Freshness
from data_access.standings import METRIC_TYPES, Basis
from program import policy_settings, rebates
from program.criteria import ACTIVE_USERS, CRITERIA, EXTERNAL_VOLUME, NEW_USERS, VOLUME, X_FOLLOWERS
from program.evidence import EvidenceKind
from program.outcomes import Outcome
from program.periods import Window, window
from program.policy import Policy, WindowKind
from program.what_if import (
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
)
from program.workflow import Decision, Status

Values = dict[str, ColumnElement[Any]]
EVIDENCE_KEYS = (X_FOLLOWERS.key, EXTERNAL_VOLUME.key)
# The rollup holds the users from this floor on as well.
KEPT_FLOOR = Decimal(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Rows with each criterion's value under both policies.

    ``untold`` names the draft's values that the rollups do not hold. ``barred`` is whether a
    row's own values cannot be taken for a side, by side; a side where all can is left out.
    """

    source: FromClause
    before: Values
    after: Values
    barred: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()


def replay(
    connection: Connection,
    ground: Basis,
    draft: Policy,
    *,
    tell: Callable[[Population], None] = lambda _: None,
) -> WhatIf:
    """The whole replay against the policy of ``ground``; ``tell`` hears what comes next."""
    tell(Population.OPEN)
    waiting = _replay_open(connection, ground, draft)
    tell(Population.DECISIONS)
    then, decided = _replay_decisions(connection, ground, draft)
    tell(Population.AFFILIATES)
    approved, costs = _replay_affiliates(connection, ground, draft)
    replays = {one.population: one for one in (waiting, then, approved)}
    return WhatIf(
        replays=replays,
        decided=decided,
        rebates=costs,
        gaps=_gaps(connection, ground, draft, replays),
    )


def changers(
    connection: Connection,
    ground: Basis,
    draft: Policy,
    *,
    population: Population,
    moves: Sequence[Move] = MOVES,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> list[Changer]:
    """Who makes one of these moves, newest first; as many as `replay` counted, over all pages."""
    application, account = tables.applications, tables.accounts
    judged = _judged(connection, ground, draft, population)
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


def _replay_open(connection: Connection, ground: Basis, draft: Policy) -> Replay:
    judged = _judged(connection, ground, draft, Population.OPEN)
    rows = connection.execute(_counted(judged))
    return _as_replay(Population.OPEN, [(row.before, row.after, row.number) for row in rows])


def _replay_decisions(
    connection: Connection, ground: Basis, draft: Policy
) -> tuple[Replay, Decided]:
    judged = _judged(connection, ground, draft, Population.DECISIONS)
    recorded = func.count().filter(judged.c.is_override).label("recorded")
    rows = connection.execute(_counted(judged, judged.c.outcome, also=[recorded])).all()
    replayed = _as_replay(
        Population.DECISIONS, [(row.before, row.after, row.number) for row in rows]
    )
    told = [row for row in rows if row.after is not None]
    decided = Decided(
        total=sum(row.number for row in told),
        met=(replayed.before(Outcome.MET), replayed.after(Outcome.MET)),
        overrides=(
            sum(row.number for row in told if _against(row.outcome, row.before)),
            sum(row.number for row in told if _against(row.outcome, row.after)),
        ),
        recorded_overrides=sum(row.recorded for row in rows),
    )
    return replayed, decided


def _replay_affiliates(
    connection: Connection, ground: Basis, draft: Policy
) -> tuple[Replay, Rebates]:
    judged = _judged(connection, ground, draft, Population.AFFILIATES)
    old, new = ground.policy, draft
    sums = [
        *(
            part
            for side, policy in (("old", old), ("new", new))
            for part in _costs(judged, side, policy)
        ),
        func.count().filter(judged.c.rate.is_(None)).label("without_rate"),
        func.sum(judged.c.fees_usd).filter(judged.c.rate.is_not(None)).label("granted_fees"),
    ]
    rows = connection.execute(_counted(judged, also=sums)).all()
    replayed = _as_replay(
        Population.AFFILIATES, [(row.before, row.after, row.number) for row in rows]
    )
    totals = (
        {
            name: sum((getattr(row, name) or 0 for row in rows), Decimal(0))
            for name in rows[0]._fields[3:]
        }
        if rows
        else {}
    )
    return replayed, _rebates(connection, ground, draft, replayed.total, totals)


def _costs(judged: Subquery, side: str, policy: Policy) -> list[ColumnElement[Any]]:
    """What granted rates come to under one policy; a window is a month, as `rebates` has it."""
    rate, fees = judged.c.rate, judged.c.fees_usd
    extra = (rate - policy.standard_rebate_rate) * fees
    above = rate > policy.max_rebate_rate
    threshold = policy.second_approval_monthly_extra_usd
    costly = literal(0) if threshold is None else func.count().filter(extra >= threshold)
    return [
        func.count().filter(above).label(f"above_{side}"),
        func.sum((rate - policy.max_rebate_rate) * fees).filter(above).label(f"over_{side}"),
        costly.label(f"costly_{side}"),
        func.sum(func.greatest(rate, policy.standard_rebate_rate) * fees).label(f"granted_{side}"),
    ]


def _rebates(
    connection: Connection,
    ground: Basis,
    draft: Policy,
    affiliates: int,
    totals: Mapping[str, Any],
) -> Rebates:
    fresh = ground.freshness
    zero = Decimal(0)

    def pair(name: str) -> tuple[Decimal, Decimal]:
        return totals.get(f"{name}_old", zero), totals.get(f"{name}_new", zero)

    above = tuple(int(number) for number in pair("above"))
    if fresh is None:
        return Rebates(
            window=None,
            affiliates=affiliates,
            without_rate=int(totals.get("without_rate", 0)),
            above_most=(above[0], above[1]),
            over_usd=None,
            costly=None,
            granted_usd=None,
            standard_usd=None,
        )
    assert fresh.window.days in rebates.MONTH_LENGTHS
    fees = connection.execute(select(func.sum(tables.affiliate_window.c.fees_usd))).scalar() or zero
    rest = fees - totals.get("granted_fees", zero)
    costly = pair("costly")
    return Rebates(
        window=fresh.window,
        affiliates=affiliates,
        without_rate=int(totals.get("without_rate", 0)),
        above_most=(above[0], above[1]),
        over_usd=pair("over"),
        costly=(int(costly[0]), int(costly[1])),
        granted_usd=pair("granted"),
        standard_usd=(
            rest * ground.policy.standard_rebate_rate,
            rest * draft.standard_rebate_rate,
        ),
    )


def _judged(
    connection: Connection, ground: Basis, draft: Policy, population: Population
) -> Subquery:
    """Everybody of a population with the outcome under both policies; NULL is untold."""
    if population is Population.DECISIONS:
        return _judged_decisions(connection, ground, draft)
    sides = _standing_sides(connection, ground, draft)
    application = tables.applications
    columns: list[ColumnElement[Any]] = [
        application.c.application_id,
        cast(null(), Integer).label("decision_id"),
    ]
    source = sides.source
    if population is Population.OPEN:
        valued = select(*columns, *_both(sides)).where(application.c.status == Status.PENDING)
    else:
        newest, decision = _newest_approved(), _standing_decisions()
        here = application.c.application_id
        source = source.join(newest, newest.c.application_id == here)
        source = source.outerjoin(decision, decision.c.application_id == here)
        rate, fees = decision.c.rebate_rate.label("rate"), _fees(ground).label("fees_usd")
        # Said again, since it spares the join the others.
        approved = application.c.status == Status.APPROVED
        valued = select(*columns, rate, fees, *_both(sides)).where(approved)
    return _with_outcomes(
        valued.select_from(source), ground.policy, draft, untold=bool(sides.untold)
    )


def _judged_decisions(connection: Connection, ground: Basis, draft: Policy) -> Subquery:
    sides = _decision_sides(connection, ground.policy, draft)
    decision = tables.decisions
    valued = select(
        decision.c.application_id,
        decision.c.decision_id,
        decision.c.outcome,
        decision.c.is_override,
        *_both(sides),
    ).select_from(sides.source)
    for side, barred in sides.barred.items():
        valued = valued.add_columns(barred.label(f"barred_{side}"))
    return _with_outcomes(valued, ground.policy, draft, untold=False)


def _both(sides: Sides) -> list[ColumnElement[Any]]:
    return [
        *(value.label(f"before_{key}") for key, value in sides.before.items()),
        *(value.label(f"after_{key}") for key, value in sides.after.items()),
    ]


def _with_outcomes(valued: Select[Any], policy: Policy, draft: Policy, *, untold: bool) -> Subquery:
    """Each side's truth from each side's values, with the values of the draft beside them."""
    row = valued.subquery("valued")
    before = standings.whole_truth(_side(row, "before"), policy)
    after = standings.whole_truth(_side(row, "after"), draft)
    word = standings.outcome_word(after)
    for side, truth in (("before", before), ("after", after)):
        if f"barred_{side}" in row.c:
            word = case((and_(truth.is_(None), row.c[f"barred_{side}"]), null()), else_=word)
    if untold:
        word = case((after.is_(None), null()), else_=word)
    kept = [column for column in row.c if not column.name.startswith(("before_", "barred_"))]
    return select(
        *kept, standings.outcome_word(before).label("before"), word.label("after")
    ).subquery("judged")


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
    untold = 0
    for before, after, number in rows:
        if after is None:
            untold += number
            continue
        move = (Outcome(before), Outcome(after))
        moves[move] = moves.get(move, 0) + number
    return Replay(population=population, moves=moves, untold=untold)


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


# ---- as they stand now


def _standing_sides(connection: Connection, ground: Basis, draft: Policy) -> Sides:
    """Applications with today's values under both policies."""
    judging = standings.judging(ground)
    source, before = judging.source, judging.values
    after = dict(before)
    moved = policy_settings.recounted(ground.policy, draft)
    if moved & set(EVIDENCE_KEYS):
        drafted = standings.established_evidence(replace(ground, policy=draft))
        evidence = drafted.alias("drafted_evidence")
        application = tables.applications
        source = source.outerjoin(
            evidence, evidence.c.application_id == application.c.application_id
        )
        after |= {key: evidence.c[key] for key in EVIDENCE_KEYS}
    metrics = moved & set(METRIC_TYPES)
    if not metrics:
        return Sides(source=source, before=before, after=after)
    source, found = _recounted(connection, ground, draft, source)
    after |= {key: found[key] for key in metrics if key in found}
    missing = frozenset(metrics - set(found))
    after |= {key: cast(null(), METRIC_TYPES[key]) for key in missing}
    return Sides(source=source, before=before, after=after, untold=missing)


def _recounted(
    connection: Connection, ground: Basis, draft: Policy, source: FromClause
) -> tuple[FromClause, Values]:
    """The window metrics as the draft counts them, those that a rollup holds exactly."""
    fresh = refreshed.newest(connection)
    if fresh is None:
        return source, {}
    counted_by = policies.version(connection, fresh.policy_version)
    arrived = standings.uncovered(replace(ground, freshness=fresh))
    assert arrived is not None
    late = arrived.alias("drafted_late")
    account = tables.applications.c.account_id
    source = source.outerjoin(late, late.c.account_id == account)
    columns = _window_columns(counted_by, draft)
    period = _period(fresh, draft)
    source = source.outerjoin(period, period.c.affiliate_account_id == account)
    for key, exact in _period_columns(draft).items():
        if exact and key not in columns:
            columns[key] = period.c[key]
    return source, {key: standings.counted(column, key, late) for key, column in columns.items()}


def _window_columns(counted_by: Policy, draft: Policy) -> Values:
    """What the rollup of the window holds as the draft counts it."""
    table = tables.affiliate_window
    if counted_by.window_kind is not draft.window_kind:
        return {}
    found: Values = {VOLUME.key: table.c.volume_usd}
    if counted_by.active_user_min_volume_usd == draft.active_user_min_volume_usd:
        found[ACTIVE_USERS.key] = table.c.active_users
    elif draft.active_user_min_volume_usd == KEPT_FLOOR:
        found[ACTIVE_USERS.key] = table.c.users_over_1000_usd
    if counted_by.new_user_must_trade == draft.new_user_must_trade:
        found[NEW_USERS.key] = table.c.new_users
    return found


def _period_columns(draft: Policy) -> dict[str, bool]:
    """Which metrics the rollups of days or months hold exactly as the draft counts them.

    Users active in a month are counted; over other days they cannot be added up from days.
    """
    whole_month = draft.window_kind is WindowKind.CALENDAR_MONTH
    return {
        VOLUME.key: True,
        ACTIVE_USERS.key: whole_month and not draft.active_user_min_volume_usd,
        NEW_USERS.key: not draft.new_user_must_trade,
    }


def _period(fresh: Freshness, draft: Policy) -> Subquery:
    """Per affiliate, the draft's window from the rollup that has it."""
    days: Window = window(draft.window_kind, fresh.data_through)
    if draft.window_kind is WindowKind.CALENDAR_MONTH:
        month = tables.affiliate_monthly
        return (
            select(
                month.c.affiliate_account_id,
                month.c.volume_usd,
                month.c.active_users,
                month.c.new_users,
            )
            .where(month.c.month == days.start)
            .subquery("drafted_month")
        )
    day = tables.affiliate_daily
    return (
        select(
            day.c.affiliate_account_id,
            func.sum(day.c.volume_usd).label(VOLUME.key),
            func.sum(day.c.new_users).label(NEW_USERS.key),
        )
        .where(day.c.day >= days.start, day.c.day < days.end)
        .group_by(day.c.affiliate_account_id)
        .subquery("drafted_days")
    )


def _newest_approved() -> CTE:
    """One application for each account that has an approved one: ids count up as they arrive."""
    table = tables.applications
    return _once(
        select(func.max(table.c.application_id).label("application_id"))
        .where(table.c.status == Status.APPROVED)
        .group_by(table.c.account_id),
        "newest_approved",
    )


def _standing_decisions() -> CTE:
    """The approval of each application that no other decision supersedes."""
    table = tables.decisions
    later = table.alias("later")
    superseded = and_(later.c.supersedes == table.c.decision_id, later.c.supersedes.is_not(None))
    return _once(
        select(table.c.application_id, table.c.rebate_rate)
        .outerjoin(later, superseded)
        .where(table.c.outcome == Decision.APPROVED, later.c.decision_id.is_(None)),
        "standing",
    )


def _once(statement: Select[Any], name: str) -> CTE:
    """Read once from end to end: looked up a row at a time, it would take several times as long."""
    return statement.cte(name).prefix_with("materialized")


def _fees(ground: Basis) -> ColumnElement[Any]:
    if ground.freshness is None:
        return cast(null(), Numeric(24, 6))
    return func.coalesce(tables.affiliate_window.c.fees_usd, 0)


# ---- as they were decided


def _decision_sides(connection: Connection, policy: Policy, draft: Policy) -> Sides:
    """Decisions with the values of their own snapshots under both policies."""
    decision = tables.decisions
    # OFFSET 0 keeps the planner from reading a value out of a snapshot wherever it is named.
    kept_values = (
        select(*(_kept_value(place).label(one.key) for place, one in enumerate(CRITERIA)))
        .correlate(decision)
        .offset(literal_column("0"))
        .lateral("kept")
    )
    source: FromClause = decision.join(kept_values, true())
    versions = policies.every(connection)
    kept: Values = {criterion.key: kept_values.c[criterion.key] for criterion in CRITERIA}
    sides: dict[str, Values] = {}
    barred: dict[str, ColumnElement[bool]] = {}
    for side, wanted in (("before", policy), ("after", draft)):
        values = dict(kept)
        for key in METRIC_TYPES:
            alike = _alike(versions, wanted, key)
            if len(alike) < len(versions):
                usable = decision.c.policy_version.in_(alike)
                values[key] = case((usable, values[key]))
                barred[side] = or_(barred.get(side, false()), ~usable)
        alike = _alike(versions, wanted, X_FOLLOWERS.key)
        if len(alike) < len(versions):
            evidence = _evidence_then(wanted.evidence_valid_days, f"evidence_{side}")
            here = decision.c.decision_id
            source = source.outerjoin(evidence, evidence.c.decision_id == here)
            usable = decision.c.policy_version.in_(alike)
            for key in EVIDENCE_KEYS:
                values[key] = case((usable, values[key]), else_=evidence.c[key])
        sides[side] = values
    return Sides(source=source, before=sides["before"], after=sides["after"], barred=barred)


def _alike(versions: Sequence[Policy], wanted: Policy, key: str) -> list[int]:
    """The versions that count criterion ``key`` as ``wanted`` does."""
    return [one.version for one in versions if key not in policy_settings.recounted(one, wanted)]


def _kept_value(place: int) -> ColumnElement[Any]:
    """A criterion's value in the snapshot: at its usual place, or wherever it stands."""
    key, snapshot = CRITERIA[place].key, tables.decisions.c.snapshot
    path = cast(literal(f'$.criteria[*] ? (@.key == "{key}")'), JSONPATH)
    elsewhere = func.jsonb_path_query_first(snapshot, path).op("->>")("value")
    usual = ("criteria", str(place))
    text = case(
        (snapshot[(*usual, "key")].astext == key, snapshot[(*usual, "value")].astext),
        else_=elsewhere,
    )
    return cast(text, Numeric)


def _evidence_then(valid_days: int, name: str) -> Subquery:
    """What was current when each decision was made, had evidence been valid for so many days.

    Evidence is append-only, so what was recorded by then is what the reviewer could see.
    """
    seen, decision = tables.evidence, tables.decisions
    through = func.coalesce(
        cast(decision.c.snapshot["data_through"].astext, Date),
        cast(func.timezone("UTC", decision.c.decided_at), Date),
    )
    cutoff = func.timezone("UTC", cast(through - valid_days, DateTime()))
    keys = (decision.c.decision_id, seen.c.kind, seen.c.exchange_key)
    found = (
        select(decision.c.decision_id, seen.c.kind, seen.c.value)
        .join(seen, seen.c.application_id == decision.c.application_id)
        .where(
            seen.c.recorded_at <= decision.c.decided_at,
            seen.c.observed_at <= decision.c.decided_at,
            seen.c.observed_at >= cutoff,
        )
        .ext(distinct_on(*keys))
        .order_by(*keys, seen.c.observed_at.desc(), seen.c.evidence_id.desc())
        .subquery(f"{name}_newest")
    )
    return (
        select(
            found.c.decision_id,
            func.max(found.c.value)
            .filter(found.c.kind == EvidenceKind.X_FOLLOWERS)
            .label(X_FOLLOWERS.key),
            func.sum(found.c.value)
            .filter(found.c.kind == EvidenceKind.EXTERNAL_VOLUME)
            .label(EXTERNAL_VOLUME.key),
        )
        .group_by(found.c.decision_id)
        .subquery(name)
    )


def _gaps(
    connection: Connection, ground: Basis, draft: Policy, replays: Mapping[Population, Replay]
) -> tuple[str, ...]:
    """What is not replayed, a sentence each; nothing where everybody is."""
    found: list[str] = []
    if replays[Population.OPEN].untold or replays[Population.AFFILIATES].untold:
        missing = _standing_sides(connection, ground, draft).untold
        found += [gap(key, of=Population.OPEN) for key in METRIC_TYPES if key in missing]
    if replays[Population.DECISIONS].untold:
        versions = policies.every(connection)
        wanted = (ground.policy, draft)
        found += [
            gap(key, of=Population.DECISIONS)
            for key in METRIC_TYPES
            if any(len(_alike(versions, one, key)) < len(versions) for one in wanted)
        ]
    return tuple(found)

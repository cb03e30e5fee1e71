"""Values under two policies: current ones from the rollups, past ones from snapshots.

Where the draft counts something differently, its value is computed from the rollups if they hold it
exactly; otherwise it is NULL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    DateTime,
    FromClause,
    Numeric,
    Subquery,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONPATH, distinct_on

from data_access.db import tables
from data_access.eligibility import freshness as refreshed
from data_access.eligibility import judging as eligibility_judging
from data_access.eligibility import policies
from data_access.eligibility.freshness import Freshness
from data_access.eligibility.judging import METRIC_TYPES, JudgingContext
from program.periods import Window, WindowKind, window
from program.policy import settings
from program.policy.criteria import (
    ACTIVE_USERS,
    CRITERIA,
    EXTERNAL_VOLUME,
    NEW_USERS,
    VOLUME,
    X_FOLLOWERS,
)
from program.policy.policy import Policy

Values = dict[str, ColumnElement[Any]]
EVIDENCE_KEYS = (X_FOLLOWERS.key, EXTERNAL_VOLUME.key)
# The rollup also holds the users with at least this volume.
KEPT_FLOOR = Decimal(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Rows with each criterion's value under both policies.

    ``barred`` maps side and criterion to a condition: rows for which no stored value is counted as
    that side counts it. Criteria without such rows are absent.
    """

    source: FromClause
    before: Values
    after: Values
    barred: Mapping[str, Mapping[str, ColumnElement[bool]]] = field(default_factory=dict)


def current_sides(connection: Connection, context: JudgingContext, draft: Policy) -> Sides:
    """Return applications with current values under both policies."""
    judging = eligibility_judging.judging(context)
    source, before = judging.source, judging.values
    after = dict(before)
    moved = settings.recounted(context.policy, draft)
    if moved & set(EVIDENCE_KEYS):
        drafted = eligibility_judging.established_evidence(replace(context, policy=draft))
        evidence = drafted.alias("drafted_evidence")
        application = tables.applications
        source = source.outerjoin(
            evidence, evidence.c.application_id == application.c.application_id
        )
        after |= {key: evidence.c[key] for key in EVIDENCE_KEYS}
    metrics = moved & set(METRIC_TYPES)
    fresh = refreshed.newest(connection)
    if not metrics or fresh is None:
        # Before the first refresh nothing is known, however it is counted.
        return Sides(source=source, before=before, after=after)
    source, found, countable = _recounted(
        connection, replace(context, freshness=fresh), draft, source
    )
    after |= {key: found[key] for key in metrics if key in found}
    missing = metrics - set(found)
    after |= {key: cast(null(), METRIC_TYPES[key]) for key in missing}
    barred = {"after": dict.fromkeys(missing, countable)} if missing else {}
    return Sides(source=source, before=before, after=after, barred=barred)


def _recounted(
    connection: Connection, context: JudgingContext, draft: Policy, source: FromClause
) -> tuple[FromClause, Values, ColumnElement[bool]]:
    """Return the window metrics as the draft counts them, where a rollup has them exactly.

    The condition holds for accounts that could be counted; those that arrived later are unknown.
    """
    fresh = context.freshness
    assert fresh is not None
    counted_by = policies.version(connection, fresh.policy_version)
    arrived = eligibility_judging.uncovered(context)
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
    found = {key: eligibility_judging.counted(column, key, late) for key, column in columns.items()}
    held = (tables.affiliate_window.c.affiliate_account_id, period.c.affiliate_account_id)
    countable = or_(late.c.account_id.is_(None), *(id_.is_not(None) for id_ in held))
    return source, found, countable


def _window_columns(counted_by: Policy, draft: Policy) -> Values:
    """Return the columns of the window's rollup that equal the draft's counts."""
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
    """Return which metrics the daily or monthly rollups hold exactly as the draft counts them.

    Active users of a month are stored; over other days they cannot be summed from days.
    """
    whole_month = draft.window_kind is WindowKind.CALENDAR_MONTH
    return {
        VOLUME.key: True,
        ACTIVE_USERS.key: whole_month and not draft.active_user_min_volume_usd,
        NEW_USERS.key: not draft.new_user_must_trade,
    }


def _period(fresh: Freshness, draft: Policy) -> Subquery:
    """Return the draft's window per affiliate, from the rollup that has it."""
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


def decision_sides(connection: Connection, policy: Policy, draft: Policy) -> Sides:
    """Return decisions with the values of their snapshots under both policies."""
    decision = tables.decisions
    versions = policies.every(connection)
    wanted = {"before": policy, "after": draft}
    alike = {
        (side, key): tuple(alike_versions(versions, wanted[side], key))
        for side in wanted
        for key in (*METRIC_TYPES, X_FOLLOWERS.key)
    }
    some = {those for those in alike.values() if 0 < len(those) < len(versions)}
    labels = {those: f"alike_{place}" for place, those in enumerate(sorted(some))}
    # OFFSET 0 keeps the planner from extracting a snapshot's value at every mention.
    kept = (
        select(
            *(_kept_value(place).label(one.key) for place, one in enumerate(CRITERIA)),
            *(decision.c.policy_version.in_(those).label(name) for those, name in labels.items()),
        )
        .correlate(decision)
        .offset(literal_column("0"))
        .lateral("kept")
    )
    source: FromClause = decision.join(kept, true())
    sides: dict[str, Values] = {}
    barred: dict[str, Values] = {}
    for side in wanted:
        values = sides[side] = {criterion.key: kept.c[criterion.key] for criterion in CRITERIA}
        barred[side] = {}
        for key in METRIC_TYPES:
            those = alike[side, key]
            if len(those) < len(versions):
                usable = kept.c[labels[those]] if those else false()
                values[key] = case((usable, values[key]))
                barred[side][key] = not_(usable)
        those = alike[side, X_FOLLOWERS.key]
        if len(those) < len(versions):
            evidence = _evidence_then(wanted[side].evidence_valid_days, f"evidence_{side}")
            source = source.outerjoin(evidence, evidence.c.decision_id == decision.c.decision_id)
            usable = kept.c[labels[those]] if those else false()
            for key in EVIDENCE_KEYS:
                values[key] = case((usable, values[key]), else_=evidence.c[key])
    return Sides(source=source, before=sides["before"], after=sides["after"], barred=barred)


def alike_versions(versions: Sequence[Policy], wanted: Policy, key: str) -> list[int]:
    """Return the versions that count criterion ``key`` as ``wanted`` does."""
    return [one.version for one in versions if key not in settings.recounted(one, wanted)]


def _kept_value(place: int) -> ColumnElement[Any]:
    """Return a criterion's value in the snapshot: at its usual position, otherwise by its key."""
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
    """Return the evidence valid at each decision, for the given days of validity.

    Evidence is append-only, so everything recorded by then was visible to the reviewer.
    """
    evidence, decision = tables.evidence, tables.decisions
    through = func.coalesce(
        cast(decision.c.snapshot["data_through"].astext, Date),
        cast(func.timezone("UTC", decision.c.decided_at), Date),
    )
    cutoff = func.timezone("UTC", cast(through - valid_days, DateTime()))
    keys = (decision.c.decision_id, evidence.c.kind, evidence.c.exchange_key)
    found = (
        select(decision.c.decision_id, evidence.c.kind, evidence.c.value)
        .join(evidence, evidence.c.application_id == decision.c.application_id)
        .where(
            evidence.c.recorded_at <= decision.c.decided_at,
            evidence.c.observed_at <= decision.c.decided_at,
            evidence.c.observed_at >= cutoff,
        )
        .ext(distinct_on(*keys))
        .order_by(*keys, evidence.c.observed_at.desc(), evidence.c.evidence_id.desc())
        .subquery(f"{name}_newest")
    )
    return eligibility_judging.added_up(found, found.c.decision_id, name=name)

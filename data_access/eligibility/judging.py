"""Facts and eligibility of every application, as SQL.

The statements are built from the criteria that ``program.policy.eligibility`` judges with. SQL's
NULL logic is the program's three-valued logic, so a track is an AND or OR of comparisons; a
property test compares the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
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
    text,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.types import TypeEngine

from data_access.db import tables
from data_access.eligibility import freshness, policies
from data_access.eligibility.freshness import Freshness
from program.periods import evidence_cutoff
from program.policy.criteria import (
    ACTIVE_USERS,
    BOTH_TRACKS,
    EXTERNAL_VOLUME,
    NEW_USERS,
    TRACKS,
    VOLUME,
    X_FOLLOWERS,
    Comparison,
    Criterion,
    Requires,
    Track,
)
from program.policy.evidence import EvidenceKind
from program.policy.outcomes import Outcome
from program.policy.policy import Policy

Truth = ColumnElement[bool]
# Application ids, or a statement that selects them.
Only: TypeAlias = Sequence[int] | Select[Any]
METRIC_TYPES: dict[str, TypeEngine[Any]] = {
    VOLUME.key: Numeric(24, 2),
    ACTIVE_USERS.key: Integer(),
    NEW_USERS.key: Integer(),
}
# Not criteria; used for the cost of a rebate and the makeup of the volume.
FEES = "fees_usd"
TRADES, TRADING_DAYS = "trade_count", "trading_days"
_TYPES: dict[str, TypeEngine[Any]] = {
    **METRIC_TYPES,
    FEES: Numeric(24, 6),
    TRADES: BigInteger(),
    TRADING_DAYS: Integer(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What standings are computed with; ``refresh_id`` is 0 if metrics are unknown.

    ``policy`` is ``None`` for one that is not in force.
    """

    policy: Policy | None
    refresh_id: int
    evidence_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingContext:
    """The inputs of judging: the policy in force, the newest refresh, the clock, the holidays.

    ``kept`` is the basis of the kept standings, if there are any; ``future_evidence`` is whether
    some of their evidence was observed after ``now``, and does not count yet.
    """

    policy: Policy
    freshness: Freshness | None
    now: datetime
    holidays: frozenset[date] = frozenset()
    kept: Basis | None = None
    future_evidence: bool = False

    @property
    def evidence_from(self) -> datetime:
        """The earliest time at which evidence may have been observed and still count."""
        through = self.freshness.data_through if self.freshness else None
        day = through or self.now.astimezone(UTC).date()
        return evidence_cutoff(day, self.policy.evidence_valid_days)

    @property
    def basis(self) -> Basis:
        """What standings are computed with in this context."""
        refresh_id = self.freshness.refresh_id if self.freshness else 0
        return Basis(policy=self.policy, refresh_id=refresh_id, evidence_from=self.evidence_from)

    @property
    def is_kept(self) -> bool:
        """Whether the kept standings are what judging in this context gives."""
        return self.kept == self.basis and not self.future_evidence


_CONTEXT = text(
    f"""
select {", ".join(f"policy.{name}" for name in policies.NAMES)},
    fresh.refresh_id, fresh.data_through, fresh.window_start, fresh.window_end,
    fresh.window_kind as counted_window, fresh.policy_version as counted_policy, fresh.refreshed_at,
    fresh.window_kind = policy.window_kind
        and counted.active_user_min_volume_usd = policy.active_user_min_volume_usd
        and counted.new_user_must_trade = policy.new_user_must_trade as measures_alike,
    array(select day from review.holidays) as holidays,
    basis.policy_version as kept_policy, basis.refresh_id as kept_refresh,
    basis.evidence_from as kept_evidence_from,
    exists (select from review.standings where newest_observed_at > :now) as future_evidence
from review.policies as policy
left join lateral (select * from review.refreshes order by refresh_id desc limit 1) as fresh on true
left join review.policies as counted on counted.version = fresh.policy_version
left join review.standing_basis as basis on true
where policy.version = review.policy_in_force(:now)
"""  # noqa: S608 - names of columns
)


def read_context(connection: Connection, *, now: datetime) -> JudgingContext:
    """Read the inputs of judging at ``now``."""
    row = connection.execute(_CONTEXT, {"now": now}).mappings().first()
    if row is None:
        raise policies.none_in_force()
    policy = policies.of_row(row)
    return JudgingContext(
        policy=policy,
        # Else the metrics were counted over another window or by other rules than this policy's.
        freshness=freshness.of_row(
            {**row, "window_kind": row["counted_window"], "policy_version": row["counted_policy"]}
        )
        if row["measures_alike"]
        else None,
        now=now,
        holidays=frozenset(row["holidays"]),
        kept=None
        if row["kept_policy"] is None
        else Basis(
            policy=policy if row["kept_policy"] == policy.version else None,
            refresh_id=row["kept_refresh"],
            evidence_from=row["kept_evidence_from"],
        ),
        future_evidence=row["future_evidence"],
    )


def uncovered(context: JudgingContext) -> Subquery | None:
    """Return accounts added after the metrics were computed; ``None`` if they never were."""
    return added_after(context.freshness.refreshed_at) if context.freshness else None


def added_after(refreshed_at: datetime | ColumnElement[datetime]) -> Subquery:
    """Return accounts added after this time."""
    account = tables.accounts.alias("arrived")
    return (
        select(account.c.account_id)
        .where(account.c.first_seen_at > refreshed_at)
        .subquery("uncovered")
    )


def metric(key: str, late: Subquery | None) -> ColumnElement[Any]:
    """Return the window metric ``key`` of the row's account, or NULL if it is unknown.

    An account without a row in the rollup has no referrals, which is a known zero, unless the
    account is ``late``, as returned by `uncovered`.
    """
    if late is None:
        return cast(null(), _TYPES[key])
    return counted(tables.affiliate_window.c[key], key, late)


def counted(found: ColumnElement[Any], key: str, late: FromClause) -> ColumnElement[Any]:
    """Return a rollup's value for the row's account, or zero if it has no row and is not late."""
    zero: ColumnElement[Any] = cast(literal(0), _TYPES[key])
    return func.coalesce(found, case((late.c.account_id.is_(None), zero)))


def established_evidence(context: JudgingContext, only: Only = ()) -> Subquery:
    """Return per application what its current evidence establishes: followers and volume.

    ``only`` restricts it to these applications.
    """
    evidence = tables.evidence
    keys = (evidence.c.application_id, evidence.c.kind, evidence.c.exchange_key)
    newest = (
        select(evidence.c.application_id, evidence.c.kind, evidence.c.value)
        .where(
            evidence.c.observed_at >= context.evidence_from,
            evidence.c.observed_at <= context.now,
        )
        .ext(distinct_on(*keys))
        .order_by(*keys, evidence.c.observed_at.desc(), evidence.c.evidence_id.desc())
    )
    if isinstance(only, Select) or only:
        newest = newest.where(evidence.c.application_id.in_(only))
    found = newest.subquery("newest_evidence")
    return added_up(found, found.c.application_id, name="established")


def added_up(newest: Subquery, key: ColumnElement[int], *, name: str) -> Subquery:
    """Return per ``key`` what the newest evidence of each kind and exchange establishes."""
    return (
        select(
            key,
            func.max(newest.c.value)
            .filter(newest.c.kind == EvidenceKind.X_FOLLOWERS)
            .label(X_FOLLOWERS.key),
            func.sum(newest.c.value)
            .filter(newest.c.kind == EvidenceKind.EXTERNAL_VOLUME)
            .label(EXTERNAL_VOLUME.key),
        )
        .group_by(key)
        .subquery(name)
    )


@dataclass(frozen=True, slots=True)
class Judging:
    """Applications joined with all inputs, and the SQL of each criterion's value.

    ``late`` are the accounts that `metric` does not know, as joined.
    """

    source: FromClause
    values: dict[str, ColumnElement[Any]]
    late: Subquery | None


def judging(context: JudgingContext, *, only: Only = ()) -> Judging:
    """Return applications joined with window metrics and established evidence.

    ``only`` restricts the evidence that is read, not the applications.
    """
    evidence = established_evidence(context, only)
    late = uncovered(context)
    application = tables.applications
    source = measured(late).outerjoin(
        evidence, evidence.c.application_id == application.c.application_id
    )
    values = {key: metric(key, late) for key in METRIC_TYPES}
    values |= {key: evidence.c[key] for key in (X_FOLLOWERS.key, EXTERNAL_VOLUME.key)}
    return Judging(source, values, late)


def measured(late: Subquery | None) -> FromClause:
    """Return applications joined with the window metrics of their account."""
    application, window = tables.applications, tables.affiliate_window
    source = application.outerjoin(
        window, window.c.affiliate_account_id == application.c.account_id
    )
    if late is None:
        return source
    return source.outerjoin(late, late.c.account_id == application.c.account_id)


def with_account(source: FromClause) -> FromClause:
    """Return ``source`` joined with the applicant's account."""
    account = tables.accounts
    return source.join(account, account.c.account_id == tables.applications.c.account_id)


def criterion_truth(criterion: Criterion, value: ColumnElement[Any], policy: Policy) -> Truth:
    """Compare a value with its minimum; NULL in, NULL out."""
    minimum: Decimal | int = getattr(policy, criterion.minimum)
    more = criterion.comparison is Comparison.MORE_THAN
    truth: Truth = value > minimum if more else value >= minimum
    return truth


def track_truth(track: Track, values: dict[str, ColumnElement[Any]], policy: Policy) -> Truth:
    """Combine the track's comparisons with AND or OR, as the track requires."""
    truths = [criterion_truth(c, values[c.key], policy) for c in track.criteria]
    return and_(*truths) if track.requires is Requires.ALL else or_(*truths)


def whole_truth(values: dict[str, ColumnElement[Any]], policy: Policy) -> Truth:
    """Combine the tracks with OR."""
    return or_(*(track_truth(track, values, policy) for track in TRACKS))


def outcome_word(truth: Truth) -> ColumnElement[str]:
    """Return met, not_met or, for NULL, unknown."""
    return case(
        (truth, str(Outcome.MET)), (~truth, str(Outcome.NOT_MET)), else_=str(Outcome.UNKNOWN)
    )


def track_word(truths: Mapping[str, Truth]) -> ColumnElement[str]:
    """Return the track that is met, from each track's truth: its key, ``both``, or NULL."""
    return case((and_(*truths.values()), BOTH_TRACKS), *((t, key) for key, t in truths.items()))

"""Read what calibrates the risk signals: measures, dismissals, and how decisions turned out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from data_access.risk import columns, judging_sql
from program.policy.calibration import Calibration, Endings, Portion, calibrate
from program.policy.criteria import ON_EXCHANGE
from program.policy.policy import Policy
from program.risk.signals import SIGNALS, Signal

# A random part of more affiliates says the same, in a fraction of the time: at this many a share is
# off by at most 1.4 percentage points, 19 times in 20.
MOST_MEASURED = 5_000
MOST_DECISIONS = 20_000
DECIDED_WITHIN = timedelta(days=365)
SEEN = text("select count(*) as measured, max(data_through) as through from review.risk_measures")
# A hash of the number is as good as chance, and the same each time.
MEASURES = f"""
with sampled as materialized (
    select * from review.risk_measures order by hashint8(account_id) limit :most)
select {{columns}},
    case when without_top + without_small + fee_bearing is not null then whole.lost end::float8
        as {columns.DERIVED.lower()},
    whole.met::float8 as {columns.DERIVED.lower()}_sample
from sampled as measure
left join review.affiliate_window as affiliate
    on affiliate.affiliate_account_id = measure.account_id
cross join (select {{minimums}}) as limits
cross join lateral (
    select {", ".join(judging_sql.counts())}
    from (select {", ".join(judging_sql.met())}) as truth
) as whole
"""  # noqa: S608 - names of columns
DISMISSED = text(
    "select signal, count(*) as number, count(distinct account_id) as accounts"
    " from review.risk_dismissals group by 1"
)
# A dismissed signal was flagged too. The month after the approval, against that before.
ENDED = text(
    """
    with decided as materialized (
        select decision_id, outcome, snapshot -> 'risk_signals' as signals
        from review.current_decisions
        where decided_at > :since and jsonb_typeof(snapshot -> 'risk_signals') = 'array'
        order by decision_id desc limit :most)
    select found.signal, found.severity in ('warn', 'high') as flagged,
        count(*) as decided, count(*) filter (where decided.outcome = 'approved') as approved,
        count(*) filter (where before.volume_usd > 0 and later.volume_usd is not null) as compared,
        count(*) filter (where before.volume_usd > 0
            and later.volume_usd >= before.volume_usd / 2) as kept
    from decided
    cross join lateral (
        select one ->> 'id' as signal, one ->> 'severity' as severity
        from jsonb_array_elements(signals) as one) as found
    left join review.affiliate_outcomes as before
        on before.decision_id = decided.decision_id and before.horizon_days = 0
        and decided.outcome = 'approved'
    left join review.affiliate_outcomes as later
        on later.decision_id = decided.decision_id and later.horizon_days = 30
    where found.severity in ('clear', 'warn', 'high')
    group by 1, 2
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """All signals over ``affiliates`` with measures, of which ``sampled`` were read."""

    signals: tuple[Calibration, ...]
    affiliates: int
    sampled: int
    through: date | None


def read(connection: Connection, policy: Policy, *, now: datetime) -> Calibrated:
    """Return the calibration of every signal under a policy."""
    seen = connection.execute(SEEN).one()
    rows = connection.execute(text(_measures()), _minimums(policy)).all()
    dismissed = {row.signal: row for row in connection.execute(DISMISSED)}
    given = {"since": now - DECIDED_WITHIN, "most": MOST_DECISIONS}
    ended = {(row.signal, row.flagged): row for row in connection.execute(ENDED, given)}
    return Calibrated(
        signals=tuple(_signal(one, policy, rows, dismissed, ended) for one in SIGNALS),
        affiliates=seen.measured,
        sampled=len(rows),
        through=seen.through,
    )


def _signal(
    signal: Signal,
    policy: Policy,
    rows: Any,  # noqa: ANN401 - rows of the statement
    dismissed: Mapping[str, Row[Any]],
    ended: Mapping[tuple[str, bool], Row[Any]],
) -> Calibration:
    sample = f"{signal.column}_sample"
    found = calibrate(
        signal,
        policy,
        [getattr(row, signal.column) for row in rows],
        [getattr(row, sample) for row in rows] if signal.sample else [None] * len(rows),
    )
    row = dismissed.get(signal.id)
    return replace(
        found,
        dismissed=row.number if row else 0,
        dismissed_accounts=row.accounts if row else 0,
        when_flagged=_endings(ended.get((signal.id, True))),
        when_clear=_endings(ended.get((signal.id, False))),
    )


def _endings(row: Row[Any] | None) -> Endings:
    if row is None:
        return Endings()
    return Endings(
        approved=Portion(number=row.approved, of=row.decided),
        kept=Portion(number=row.kept, of=row.compared),
    )


def _measures() -> str:
    names = [name for signal in columns.MEASURED for name in columns.of(signal)]
    minimums = [f"cast(:{m} as numeric) as {m}" for m in _minimum_names()]
    return MEASURES.format(
        columns=", ".join(f"measure.{name}::float8 as {name}" for name in names),
        minimums=", ".join(minimums),
    )


def _minimum_names() -> list[str]:
    return [criterion.minimum for criterion in ON_EXCHANGE.criteria]


def _minimums(policy: Policy) -> dict[str, Any]:
    return {"most": MOST_MEASURED, **{m: getattr(policy, m) for m in _minimum_names()}}

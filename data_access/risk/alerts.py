"""Note breaks of approved affiliates that were not flagged when they were measured before.

Both values are judged by the policy in force, so that stricter thresholds alone are no break. An
account that was never measured before breaks nothing: nothing is known about the time before.
"""

from collections.abc import Iterator

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier, Literal

from data_access.risk import columns, judging_sql
from data_access.risk.frame import Measuring
from program.policy import thresholds
from program.policy.policy import Policy
from program.risk.signals import BREAKS, BY_ID, Signal

BEFORE = SQL(
    """
    create temporary table risk_before on commit drop as
    select measure.account_id, {columns}
    from review.risk_measures as measure
    join pg_temp.risk_scope as scope using (account_id)
    where scope.approved_on is not null and not exists (
        select from review.affiliate_standings as standing
        where standing.account_id = measure.account_id and standing.status = 'terminated')
    """
)
NOTICE = SQL(
    """
    insert into review.risk_alerts
        (account_id, signal, severity, value, threshold, data_through, noticed_at)
    select account_id, found.signal, case found.severity when {high} then 'high' else 'warn' end,
        found.value,
        case found.severity when {high} then found.high else found.warn end, {through}, {now}
    from (select account_id, {columns} from review.risk_measures) as measure
    join pg_temp.risk_before as before using (account_id)
    cross join lateral ({breaks}) as found
    where found.severity >= {warn} and found.severity_before < {warn}
        and not exists (
            select from review.standing_dismissals as dismissal
            where dismissal.account_id = measure.account_id and dismissal.signal = found.signal
                and dismissal.until > {through})
    order by account_id, found.signal
    on conflict on constraint risk_alerts_once do nothing
    """
)
BREAK = SQL(
    """
    select {id} as signal, measure.{value} as value, {warn} as warn, {high} as high,
        {now} as severity, {before} as severity_before
    """
)


def remember(cursor: Cursor[DictRow], measuring: Measuring) -> None:  # noqa: ARG001 - as `notice`
    """Keep the values of approved affiliates before they are replaced."""
    cursor.execute(BEFORE.format(columns=_columns()))


def notice(cursor: Cursor[DictRow], measuring: Measuring) -> int:
    """Write an alert for each break since `remember`; returns how many.

    Safe to repeat: an account has one alert for a signal and data-through day.
    """
    cursor.execute(
        NOTICE.format(
            columns=_columns(),
            through=Literal(measuring.through),
            now=Literal(measuring.now),
            warn=Literal(judging_sql.WARN),
            high=Literal(judging_sql.HIGH),
            breaks=SQL(" union all ").join(_breaks(measuring.policy)),
        )
    )
    return cursor.rowcount


def _columns() -> Composable:
    names = (name for id_ in BREAKS for name in columns.of(BY_ID[id_]))
    return SQL(", ").join(map(Identifier, names))


def _breaks(policy: Policy) -> Iterator[Composable]:
    for signal in map(BY_ID.__getitem__, BREAKS):
        yield BREAK.format(
            id=Literal(signal.id),
            value=Identifier(signal.column),
            warn=_limit(policy, signal, judging_sql.WARN),
            high=_limit(policy, signal, judging_sql.HIGH),
            now=_severity(policy, signal, "measure"),
            before=_severity(policy, signal, "before"),
        )


def _limit(policy: Policy, signal: Signal, severity: int) -> Composable:
    """Return the threshold for the measured sample; null if there is none."""
    found = judging_sql.threshold(signal, severity, _sample(signal, "measure"), _of(policy))
    return SQL(found or "null::numeric")


def _severity(policy: Policy, signal: Signal, row: str) -> Composable:
    """Return the severity, as a number, of the values in ``row``."""
    value = f"{row}.{signal.column}"
    return SQL(judging_sql.alone(signal, value, _sample(signal, row), _of(policy)))


def _of(policy: Policy) -> judging_sql.Limit:
    return lambda one: f"{thresholds.value(policy, one):f}"


def _sample(signal: Signal, row: str) -> str:
    return f"{row}.{signal.column}_sample" if signal.sample else "null"

"""Note breaks of approved affiliates that were not flagged when they were measured before.

Both values are judged by the policy in force, so that stricter thresholds alone are no break. An
account that was never measured before breaks nothing: nothing is known about the time before.
"""

from collections.abc import Iterator

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier, Literal

from data_access.risk.frame import Measuring
from program.policy import thresholds
from program.policy.policy import Policy
from program.risk.signals import BREAKS, BY_ID, THRESHOLDS, Severity, Signal

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
    select account_id, found.signal, found.severity, found.value,
        case found.severity when 'high' then found.high else found.warn end, {through}, {now}
    from (select account_id, {columns} from review.risk_measures) as measure
    join pg_temp.risk_before as before using (account_id)
    cross join lateral ({breaks}) as found
    where found.severity in ('warn', 'high') and found.severity_before not in ('warn', 'high')
        and not exists (
            select from review.risk_dismissals as dismissal
            where dismissal.account_id = measure.account_id and dismissal.signal = found.signal
                and dismissal.until > {through} and not exists (
                    select from review.risk_dismissals as later
                    where later.account_id = dismissal.account_id
                        and later.signal = dismissal.signal
                        and later.dismissal_id > dismissal.dismissal_id))
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
WORSE = {True: SQL("<="), False: SQL(">=")}


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
            breaks=SQL(" union all ").join(_breaks(measuring.policy)),
        )
    )
    return cursor.rowcount


def _columns() -> Composable:
    return SQL(", ").join(
        Identifier(name)
        for signal in map(BY_ID.__getitem__, BREAKS)
        for name in (signal.column, *([f"{signal.column}_sample"] if signal.sample else []))
    )


def _breaks(policy: Policy) -> Iterator[Composable]:
    for signal in map(BY_ID.__getitem__, BREAKS):
        yield BREAK.format(
            id=Literal(signal.id),
            value=Identifier(signal.column),
            warn=_limit(policy, signal, Severity.WARN, "measure"),
            high=_limit(policy, signal, Severity.HIGH, "measure"),
            now=_severity(policy, signal, "measure"),
            before=_severity(policy, signal, "before"),
        )


def _limit(policy: Policy, signal: Signal, severity: Severity, row: str) -> Composable:
    """Return the threshold for the sample of ``row``; null if there is none."""
    steps = [
        SQL("when {} >= {} then {}").format(
            _sample(signal, row), Literal(one.sample), Literal(thresholds.value(policy, one))
        )
        for one in reversed(THRESHOLDS)
        if one.signal is signal and one.severity is severity
    ]
    if not steps:
        return SQL("null::numeric")
    return SQL("case {} end").format(SQL(" ").join(steps))


def _severity(policy: Policy, signal: Signal, row: str) -> Composable:
    """Return the severity of the values in ``row``, as `program.risk.judging` judges them."""
    value = Identifier(row, signal.column)
    steps = [
        SQL("when {} {} {} then {}").format(
            value,
            WORSE[signal.lower_is_worse],
            _limit(policy, signal, severity, row),
            Literal(str(severity)),
        )
        for severity in (Severity.HIGH, Severity.WARN)
    ]
    return SQL("case when {} is null or {} < {} then 'not_enough_data' {} else 'clear' end").format(
        value, _sample(signal, row), Literal(signal.least_sample), SQL(" ").join(steps)
    )


def _sample(signal: Signal, row: str) -> Composable:
    if not signal.sample:
        return Literal(0)
    return SQL("coalesce({}, 0)").format(Identifier(row, f"{signal.column}_sample"))

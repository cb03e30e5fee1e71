"""Measure the risk signals of affiliates after a refresh, in one transaction.

The scope is every account with an open application, and every approved affiliate with referrals.
Each part fills a temporary table with some signals' columns, one row per account it knows; the rows
of all parts together replace those of the scope in ``review.risk_measures``.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Engine

from data_access.db import alone, locks, planner
from data_access.eligibility import freshness, policies
from data_access.risk import (
    alerts,
    columns,
    days,
    origins,
    outliers,
    people,
    signups,
    targets,
    together,
    user_days,
    user_sums,
)
from data_access.risk.frame import Measuring, Part, Whose
from program.periods import Window

LOG = logging.getLogger(__name__)
# For this transaction only: sums over millions of rows, read once. The statements over activity are
# unions of shares (`risk.shares`); so make workers cheap and single scans not worth splitting.
SETTINGS = {
    "timezone": "UTC",
    "work_mem": "256MB",
    "jit": "off",
    "enable_gathermerge": "off",
    "min_parallel_table_scan_size": "5TB",
    "min_parallel_index_scan_size": "5TB",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
    "enable_parallel_append": "on",
    "max_parallel_workers_per_gather": "2",
}

MERGING = {"enable_hashjoin": "off"}
SCOPE = SQL(
    """
    create temporary table risk_scope on commit drop as
    with waiting as (
        select account_id, max(application_id) as application_id
        from exchange.applications
        where status = 'pending' and {only}
        group by account_id
    ),
    approved as (
        select account_id, tested.application_id, decision_id, approved_at
        from review.affiliate_tested as tested {who_wait}
        where {only} and exists (
            select from exchange.referrals where affiliate_account_id = account_id)
    )
    select account_id, application.application_id, waiting.application_id is not null as is_open,
           (submitted_at at time zone 'UTC')::date as applied_on,
           (approved.approved_at at time zone 'UTC')::date as approved_on,
           decision.rebate_rate, account.country_code, account.email
    from waiting
    full join approved using (account_id)
    cross join lateral (
        select application_id, submitted_at from exchange.applications
        where application_id = coalesce(waiting.application_id, approved.application_id)
    ) as application
    join exchange.accounts as account using (account_id)
    left join review.decisions as decision on decision.decision_id = approved.decision_id
    where {waiting} or waiting.application_id is null
    """
)
# A join, as the planner expects far more of a condition and would read all referrals.
WHO_WAIT = SQL("join waiting using (account_id)")
FORGET = SQL(
    """
    delete from review.risk_measures
    where {only} and account_id not in (
        select account_id from exchange.applications where status = 'pending'
        union all
        select account_id from review.affiliate_tested)
    """
)
REPLACE = SQL(
    """
    insert into review.risk_measures (
        account_id, data_through, policy_version, measured_at, {columns}, inputs)
    select scope.account_id, {through}, {policy_version}, {now}, {columns},
           concat('{{', concat_ws(', ', {inputs}), '}}')::jsonb
    from pg_temp.risk_scope as scope
    {parts}
    on conflict (account_id) do update set
        (data_through, policy_version, measured_at, {columns}, inputs) = row(
            excluded.data_through, excluded.policy_version, excluded.measured_at,
            {excluded}, excluded.inputs)
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured: how many accounts, up to which day."""

    through: date
    accounts: int


# Users are read first, and then days: those after them need them.
PARTS: tuple[Part, ...] = (
    *user_sums.PARTS,
    *origins.PARTS,
    *user_days.PARTS,
    *outliers.PARTS,
    *days.PARTS,
    *targets.PARTS,
    *signups.PARTS,
    *together.PARTS,
    *people.PARTS,
)


def measure(
    engine: Engine,
    *,
    now: datetime,
    whose: Whose = Whose.ALL,
    only: Sequence[int] | None = None,
    parts: Sequence[Part] = PARTS,
) -> Measured | None:
    """Measure all signals after the newest refresh; ``None`` if there was none.

    ``only`` restricts it to these accounts. Waits while another measures. The engine is a loader's.
    """
    with alone.running(engine, "measuring of risk", locks.RISK, others="Another one") as opened:
        connection, cursor = opened
        fresh = freshness.newest(connection)
        if fresh is None:
            return None
        measuring = Measuring(
            through=fresh.data_through,
            window=Window(fresh.window.start, fresh.window.end),
            policy=policies.in_force(connection, now=now),
            now=now,
            whose=whose,
            only=None if only is None else tuple(only),
        )
        return _measure(cursor, measuring, parts)


def _measure(cursor: Cursor[DictRow], measuring: Measuring, parts: Sequence[Part]) -> Measured:
    planner.set_for_transaction(cursor, SETTINGS)
    cursor.execute(
        SCOPE.format(
            only=measuring.within("account_id"),
            waiting=Literal(measuring.whose is not Whose.OTHERS),
            who_wait=WHO_WAIT if measuring.whose is Whose.WAITING else SQL(""),
        )
    )
    cursor.execute("alter table pg_temp.risk_scope add primary key (account_id)")
    cursor.execute("analyze pg_temp.risk_scope")
    for part in parts:
        began = time.perf_counter()
        part.fill(cursor, measuring)
        LOG.info("risk: %s took %.2f s", part.name, time.perf_counter() - began)
    alerts.remember(cursor, measuring)
    accounts = _replace(cursor, measuring, parts)
    alerts.notice(cursor, measuring)
    return Measured(through=measuring.through, accounts=accounts)


def _replace(cursor: Cursor[DictRow], measuring: Measuring, parts: Sequence[Part]) -> int:
    """Replace the scope's rows by those of all parts; returns how many they are."""
    cursor.execute(FORGET.format(only=measuring.within("account_id")))
    listed = [name for part in parts for name in part.columns]
    unknown = set(listed) - set(columns.names())
    assert not unknown, f"no such columns: {unknown}"
    names = SQL(", ").join(Identifier(name) for name in listed)
    joins = [
        SQL("left join pg_temp.{0} using (account_id)").format(Identifier(part.name))
        for part in parts
    ]
    inputs = [SQL("{}.inputs").format(Identifier(part.name)) for part in parts]
    statement = REPLACE.format(
        columns=names,
        excluded=SQL(", ").join(SQL("excluded.{}").format(Identifier(n)) for n in listed),
        inputs=SQL(", ").join(inputs),
        parts=SQL(" ").join(joins),
        through=Literal(measuring.through),
        policy_version=Literal(measuring.policy.version),
        now=Literal(measuring.now),
    )
    # In the order of accounts, since hashing would copy the wide rows once for each part.
    with planner.planning(cursor, MERGING):
        return cursor.execute(statement).rowcount

"""Refresh the rollups up to the data-through day, in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from typing import Any, LiteralString

import psycopg
from psycopg import ClientCursor, Cursor
from psycopg.errors import LockNotAvailable
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from data_access.affiliates import approved, cohort_outcomes, monthly_counts, requalification
from data_access.affiliates.requalification import Refreshed
from data_access.db import locks
from data_access.db.errors import DatabaseUnavailable, Refusal
from data_access.eligibility import freshness, policies
from data_access.eligibility.freshness import Freshness
from data_access.people import preferences
from data_access.queue import standings
from data_access.rollups import plan, program_sums, replacing, statements, work_sums
from data_access.rollups.plan import Plan, Span
from program.periods import Window, month_start

# Called with (steps done, total steps).
Progress = Callable[[int, int], None]
# More shares than workers, so that a worker that is done takes the next and none waits long.
SHARES = 8
# So few days are read by index in one go; shares would each scan them again.
FEW_DAYS = 3
FEW_MONTHS = 2
PERIOD = Identifier("pg_temp", "fresh_period")

# For this transaction only. By default the planner has all workers share each scan and merge their
# partial sums, or hashes a million users; one worker per share, in key order, takes half the time.
# Hence: make workers cheap and single scans not worth splitting. The planner also underestimates
# the affiliates of a share by far and would use nested loops.
SETTINGS = {
    "timezone": "UTC",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "jit": "off",
    "enable_hashagg": "off",
    "enable_nestloop": "off",
    "enable_gathermerge": "off",
    "min_parallel_table_scan_size": "5TB",
    "min_parallel_index_scan_size": "5TB",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
    "enable_parallel_append": "on",
    "max_parallel_workers_per_gather": "2",
}


def refresh(
    engine: Engine,
    *,
    now: datetime,
    since: date | None = None,
    through: date | None = None,
    progress: Progress | None = None,
) -> Freshness:
    """Bring the rollups up to T, the newest complete day with activity, or ``through``.

    Days are recomputed from the last T, from the first day touched by a load since, or from
    ``since``, whichever is earliest. All or nothing: readers see the old state until the commit,
    and a killed refresh changes nothing. Raises Refusal if there is no T or another refresh runs
    for too long, Invalid if ``through`` is not complete yet, DatabaseUnavailable if Postgres fails.
    """
    try:
        with engine.connect() as connection, _alone(connection):
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                policy = policies.in_force(connection, now=now)
                cursor = _cursor(connection)
                before = freshness.newest(connection)
                made = plan.make(cursor, policy=policy, now=now, since=since, through=through)
                done = Refreshed(
                    start=made.start, through=made.through, policy=policy, before=before, now=now
                )
                # Steps that depend on the rollups, in the same transaction.
                then = (
                    partial(_test_affiliates, connection, done),
                    partial(cohort_outcomes.update, connection, done),
                )
                _carry_out(cursor, made, progress or _ignore_progress, then)
                _record(cursor, made, now)
                preferences.forget_requests(connection, now=now)
                fresh = freshness.newest(connection)
    except (psycopg.OperationalError, OperationalError) as error:
        raise DatabaseUnavailable(
            "The refresh failed and changed nothing. Check that Postgres is running and has space, "
            f"then run it again. Postgres says: {_first_line(error)}"
        ) from error
    assert fresh is not None
    # In a transaction of its own: it must see what was recorded meanwhile, and acts wait for it.
    standings.restate(engine, now=now)
    return fresh


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the refresh lock, taken before the transaction so that the snapshot comes after it."""
    connection.execution_options(isolation_level="AUTOCOMMIT")
    cursor = _cursor(connection)
    _wait(cursor, "select pg_advisory_lock(%s)", locks.REFRESH, "Another refresh")
    try:
        # Wait for a running load: its accounts carry its start time and would count as covered, but
        # their facts are not visible yet.
        _wait(cursor, "select pg_advisory_lock_shared(%s)", locks.LOAD, "A load")
        cursor.execute("select pg_advisory_unlock_shared(%s)", [locks.LOAD])
        yield
    finally:
        if not connection.invalidated and not _driver(connection).closed:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            _cursor(connection).execute("select pg_advisory_unlock(%s)", [locks.REFRESH])


def _wait(cursor: Cursor[DictRow], statement: LiteralString, lock: int, who: str) -> None:
    try:
        cursor.execute(statement, [lock])
    except LockNotAvailable as error:
        raise Refusal(f"{who} is running. Wait until it has finished and try again.") from error


def _cursor(connection: Connection) -> Cursor[DictRow]:
    """A cursor that interpolates on the client, since `create table as` accepts no parameters."""
    return ClientCursor(_driver(connection), row_factory=dict_row)


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().split("\n")[0]


def _carry_out(
    cursor: Cursor[DictRow], made: Plan, progress: Progress, then: Sequence[Callable[[], None]]
) -> None:
    for name, value in SETTINGS.items():
        cursor.execute("select set_config(%s, %s, true)", [name, value])
    cuts = _cuts(cursor)
    steps: list[Callable[[], None]] = [
        *(partial(_write_days, cursor, days, cuts) for days in made.chunks),
        *(partial(_write_periods, cursor, made, span, cuts) for span in made.spans),
        partial(_drop_later, cursor, made),
        partial(program_sums.write, cursor, made),
        partial(_take_statistics, cursor, made),
        *then,
    ]
    for done, step in enumerate(steps):
        progress(done, len(steps))
        step()
    progress(len(steps), len(steps))


def _cuts(cursor: Cursor[DictRow]) -> list[int]:
    """Return the affiliates at which to cut the work into shares of similar size."""
    fractions = [index / SHARES for index in range(1, SHARES)]
    row = cursor.execute(
        """select percentile_disc(%s::float8[]) within group (order by affiliate_account_id) as cuts
           from exchange.referrals tablesample system (1) repeatable (1)""",
        [fractions],
    ).fetchone()
    return sorted(set(row["cuts"] or [])) if row else []


def _write_days(cursor: Cursor[DictRow], days: Window, cuts: list[int]) -> None:
    shares = cuts if days.days > FEW_DAYS else []
    replacing.compute(cursor, replacing.DAILY.fresh, statements.daily(days, shares))
    if not replacing.add_month(cursor, month_start(days.start)):
        scope = SQL("held.day >= {} and held.day < {}").format(
            Literal(days.start), Literal(days.end)
        )
        replacing.replace(cursor, replacing.DAILY, scope)


def _write_periods(cursor: Cursor[DictRow], made: Plan, span: Span, cuts: list[int]) -> None:
    replacing.compute(cursor, PERIOD, statements.period(span, made.policy, cuts))
    if span.months:
        replacing.compute(cursor, replacing.MONTHLY.fresh, statements.monthly(span))
        scope = SQL("held.month = any({})").format(Literal(list(span.months)))
        replacing.replace(cursor, replacing.MONTHLY, scope)
    if span.window is not None:
        replacing.compute(cursor, replacing.WINDOW.fresh, statements.WINDOW)
        if made.policy.new_user_must_trade:
            cursor.execute(statements.new_users_who_traded(span.window))
        replacing.replace(cursor, replacing.WINDOW, SQL("true"))


def _drop_later(cursor: Cursor[DictRow], made: Plan) -> None:
    cursor.execute("delete from review.affiliate_daily where day >= %s", [made.end])
    cursor.execute("delete from review.affiliate_monthly where month >= %s", [made.end])


def _take_statistics(cursor: Cursor[DictRow], made: Plan) -> None:
    """Update the planner's statistics, unless few rows changed and autovacuum will do."""
    for days in made.chunks:
        if days.days > FEW_DAYS:
            cursor.execute(SQL("analyze {}").format(replacing.month_part(days.start)))
    if len(made.chunks) > FEW_MONTHS:
        cursor.execute("analyze review.affiliate_monthly, review.affiliate_window")


def _test_affiliates(connection: Connection, done: Refreshed) -> None:
    """Update work sums, then test the affiliates among the applications that changed."""
    changed = work_sums.write(connection, done)
    connection.execute(monthly_counts.SETTINGS)
    changed_accounts = approved.keep(connection, changed)
    requalification.test(connection, done, changed_accounts=changed_accounts)


def _record(cursor: Cursor[DictRow], made: Plan, now: datetime) -> None:
    cursor.execute(
        """insert into review.refreshes (data_through, recomputed_from, policy_version, window_kind,
               window_start, window_end, load_id, refreshed_at, decision_id, event_id)
           select %s, %s, %s, %s, %s, %s, %s, %s,
               (select coalesce(max(decision_id), 0) from review.decisions),
               (select coalesce(max(event_id), 0) from review.events)""",
        [
            *(made.through, made.start, made.policy.version, str(made.policy.window_kind)),
            *(made.window.start, made.window.end, made.load_id, now),
        ],
    )


def _ignore_progress(done: int, total: int) -> None:
    """Ignore progress."""

"""The transaction of a refresh: one at a time, with one snapshot and settings of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import ClientCursor, Cursor
from psycopg.errors import LockNotAvailable
from psycopg.rows import DictRow, dict_row
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from data_access.db import locks
from data_access.db.errors import DatabaseUnavailable, Refusal

# More shares than workers, so that a worker that is done takes the next and none waits long.
SHARES = 8

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


@contextmanager
def alone(engine: Engine, what: str) -> Iterator[tuple[Connection, Cursor[DictRow]]]:
    """Open the transaction, when no other refresh and no load is running.

    Raises Refusal if one runs for too long, and DatabaseUnavailable, which names ``what`` failed.
    """
    try:
        with engine.connect() as connection, _locked(connection):
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection, _cursor(connection)
    except (psycopg.OperationalError, OperationalError) as error:
        raise DatabaseUnavailable(
            f"The {what} failed and changed nothing. Check that Postgres is running and has space, "
            f"then run it again. Postgres says: {_first_line(error)}"
        ) from error


def set_plans(cursor: Cursor[DictRow]) -> None:
    """Set the planner's settings for the rest of the transaction."""
    for name, value in SETTINGS.items():
        cursor.execute("select set_config(%s, %s, true)", [name, value])


@contextmanager
def planning(cursor: Cursor[DictRow], settings: dict[str, str]) -> Iterator[None]:
    """Change the planner's settings for some statements."""
    names = list(settings)
    before = [cursor.execute("select current_setting(%s) as value", [n]).fetchone() for n in names]
    for name, value in settings.items():
        cursor.execute("select set_config(%s, %s, true)", [name, value])
    yield
    for name, row in zip(names, before, strict=True):
        cursor.execute("select set_config(%s, %s, true)", [name, row and row["value"]])


def cuts(cursor: Cursor[DictRow]) -> list[int]:
    """Return the affiliates at which to cut the work into shares of similar size."""
    fractions = [index / SHARES for index in range(1, SHARES)]
    row = cursor.execute(
        """select percentile_disc(%s::float8[]) within group (order by affiliate_account_id) as cuts
           from exchange.referrals tablesample system (1) repeatable (1)""",
        [fractions],
    ).fetchone()
    return sorted(set(row["cuts"] or [])) if row else []


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
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

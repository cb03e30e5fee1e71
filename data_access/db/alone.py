"""A transaction of which one runs at a time; its snapshot is taken after waiting for the others."""

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


@contextmanager
def running(
    engine: Engine,
    what: str,
    lock: int,
    *,
    others: str,
    after_loads: bool = False,
    no_loads: bool = False,
) -> Iterator[tuple[Connection, Cursor[DictRow]]]:
    """Open the transaction when nobody else holds ``lock``, and no load is running if that matters.

    With ``no_loads`` none begins to merge until it has ended, either.

    Raises Refusal, which names ``others``, if one runs for too long, and DatabaseUnavailable, which
    names ``what`` failed.
    """
    try:
        with (
            engine.connect() as connection,
            _locked(connection, lock, others, after_loads=after_loads, no_loads=no_loads),
        ):
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection, _cursor(connection)
    except (psycopg.OperationalError, OperationalError) as error:
        raise DatabaseUnavailable(
            f"The {what} failed and changed nothing. Check that Postgres is running and has space, "
            f"then run it again. Postgres says: {_first_line(error)}"
        ) from error


@contextmanager
def _locked(
    connection: Connection, lock: int, others: str, *, after_loads: bool, no_loads: bool
) -> Iterator[None]:
    """Hold the lock, taken before the transaction so that the snapshot comes after it."""
    connection.execution_options(isolation_level="AUTOCOMMIT")
    cursor = _cursor(connection)
    held: list[int] = []
    try:
        _wait(cursor, "select pg_advisory_lock(%s)", lock, others)
        held.append(lock)
        if after_loads:
            # Its accounts carry its start time and would count as covered, but their facts are not
            # visible yet.
            _wait(cursor, "select pg_advisory_lock_shared(%s)", locks.LOAD, "A load")
            cursor.execute("select pg_advisory_unlock_shared(%s)", [locks.LOAD])
        if no_loads:
            _wait(cursor, "select pg_advisory_lock(%s)", locks.LOAD, "A load")
            held.append(locks.LOAD)
        yield
    finally:
        if not connection.invalidated and not _driver(connection).closed:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            for one in reversed(held):
                _cursor(connection).execute("select pg_advisory_unlock(%s)", [one])


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

"""Connections, requested by purpose. Only this module knows which database is used."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import cache, partial
from typing import Any

import psycopg
from psycopg.errors import (
    DeadlockDetected,
    IdleInTransactionSessionTimeout,
    InvalidSchemaName,
    LockNotAvailable,
    QueryCanceled,
    ReadOnlySqlTransaction,
    SerializationFailure,
    TooManyConnections,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedTable,
)
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data_access.db import addresses, environment
from data_access.db.embedded import Cluster
from data_access.db.errors import (
    Busy,
    DatabaseRefused,
    DatabaseUnavailable,
    RightsMissing,
    SchemaOutdated,
    SettingMissing,
    lacks_rights,
)
from data_access.db.replica import State, Watch
from data_access.db.roles import HISTORY_OWNER, Login, passwords_set, variable
from program.reports.export_formats import LONGEST_S


class Purpose(StrEnum):
    """What a connection is for."""

    OWNER = "owner"
    WRITER = "writer"
    READER = "reader"
    REPORTER = "reporter"
    LOADER = "loader"
    DELIVERER = "deliverer"
    EXPORTER = "exporter"


# Who signs in for each purpose, where the logins are separate; owner is the login of DATABASE_URL.
LOGINS: dict[Purpose, Login] = {
    Purpose.WRITER: Login.WRITER,
    Purpose.READER: Login.READER,
    Purpose.REPORTER: Login.READER,
    Purpose.LOADER: Login.LOADER,
    Purpose.DELIVERER: Login.DELIVERER,
    Purpose.EXPORTER: Login.READER,
}
# Limits against accidents: a page never hangs on a query, a verb never on a lock.
TIMEOUTS_MS: dict[Purpose, dict[str, int]] = {
    Purpose.OWNER: {"statement_timeout": 0, "lock_timeout": 10_000},
    Purpose.WRITER: {"statement_timeout": 10_000, "lock_timeout": 5_000},
    Purpose.READER: {"statement_timeout": 10_000, "lock_timeout": 5_000},
    Purpose.REPORTER: {"statement_timeout": 120_000, "lock_timeout": 5_000},
    Purpose.LOADER: {"statement_timeout": 0, "lock_timeout": 60_000},
    Purpose.DELIVERER: {"statement_timeout": 10_000, "lock_timeout": 5_000},
    # A query whose reader has gone ends within a second, not when it has its first row to send.
    Purpose.EXPORTER: {
        "statement_timeout": LONGEST_S * 1_000,
        "lock_timeout": 5_000,
        "client_connection_check_interval": 1_000,
    },
}
# Settings that every statement relies on. A database, a login or the environment may set them
# otherwise, which would change what a date, an amount or a name means.
SESSION: dict[str, str] = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "search_path": "public",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_numeric": "C",
    "lc_time": "C",
    "lc_monetary": "C",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "idle_in_transaction_session_timeout": "120000",
}
# A screen's queries are short and many at once: parallel workers would only take turns away.
SETTINGS: dict[Purpose, dict[str, int]] = {
    Purpose.READER: {"max_parallel_workers_per_gather": 0},
    Purpose.WRITER: {"max_parallel_workers_per_gather": 0},
    # A million rows are sorted in memory; few people export at once.
    Purpose.REPORTER: {"work_mem": 262_144},
    Purpose.EXPORTER: {"work_mem": 262_144},
}
READING = (Purpose.READER, Purpose.REPORTER, Purpose.EXPORTER)
READ_ONLY = {"default_transaction_read_only": "on"}
# Migrations act as the owner of the history, if this database has one and the login may.
AS_OWNER = """
select set_config('role', %s, false) from pg_namespace
where nspname = 'review' and nspowner = to_regrole(%s)::oid and pg_has_role(nspowner, 'member')
"""
MAIN, REPLICA = "DATABASE_URL", "DATABASE_REPLICA_URL"
DIRECT = "DATABASE_DIRECT_URL"
# The purposes that leave nothing in a session from one transaction to the next, so that a pooler
# may give them another session for each. The others hold session locks or raise a login's limits.
THROUGH_POOLER = (Purpose.WRITER, Purpose.READER, Purpose.DELIVERER)
# Another transaction holds the rows; no connection is free; this connection is broken.
HELD = (DeadlockDetected, LockNotAvailable, SerializationFailure)
SLOW = (PoolTimeout, QueryCanceled, TooManyConnections)
LOST = (IdleInTransactionSessionTimeout, ReadOnlySqlTransaction)
SCHEMA_MISSING = (InvalidSchemaName, UndefinedColumn, UndefinedFunction, UndefinedTable)
SEND_AGAIN = "The database is busy or did not respond. Send it again; nothing is done twice."
LOOK_AGAIN = "The database is busy and did not respond in time. Try again in a moment."
AWAY = "The database is not responding. Confirmed work is safe. Try again in a moment."
# Every engine of this process.
_made: list[tuple["Purpose", Engine]] = []
POOL_SIZE = {Purpose.WRITER: 8, Purpose.READER: 12, Purpose.REPORTER: 4}


def is_embedded() -> bool:
    """Whether the embedded Postgres is used, that is, DATABASE_URL is unset."""
    return not environment.get("DATABASE_URL")


def engine(purpose: Purpose) -> Engine:
    """Return the engine for ``purpose``; one per purpose and address in a process."""
    address = _address_in(_main(purpose), purpose)
    return _engine(purpose, address, pooled=_is_pooled(purpose))


def owner() -> Engine:
    """Return the engine for migrations."""
    return engine(Purpose.OWNER)


def writer() -> Engine:
    """Return the engine for verbs: decisions, notes, evidence."""
    return engine(Purpose.WRITER)


def reader() -> Engine:
    """Return the engine for screens."""
    return engine(Purpose.READER)


def reporter() -> Engine:
    """Return the engine for figures and previews: the replica's, while it may be read."""
    return _of_replica(Purpose.REPORTER)


def exporter() -> Engine:
    """Return the engine for long exports: the replica's, while it may be read."""
    return _of_replica(Purpose.EXPORTER)


def replica() -> State | None:
    """Return whether the replica may be read; ``None`` if there is none."""
    if not environment.get(REPLICA):
        return None
    # An address that is none is refused before a server is started for the other.
    theirs = _replicas(Purpose.READER)
    return _watch(engine(Purpose.READER), theirs).state()


def _of_replica(purpose: Purpose) -> Engine:
    found = replica()
    usable = found is not None and found.obstacle is None
    return _replicas(purpose) if usable else engine(purpose)


def _replicas(purpose: Purpose) -> Engine:
    return _engine(purpose, _address_in(REPLICA, purpose), pooled=False)


@cache
def _watch(main: Engine, other: Engine) -> Watch:
    return Watch(main, other)


def loader() -> Engine:
    """Return the engine for loads and refreshes."""
    return engine(Purpose.LOADER)


def deliverer() -> Engine:
    """Return the engine for the worker that delivers messages."""
    return engine(Purpose.DELIVERER)


def connections_in_use() -> dict[Purpose, int]:
    """Return how many connections of each pool are in use in this process."""
    found = dict.fromkeys(Purpose, 0)
    for purpose, made in _made:
        found[purpose] += made.pool.checkedout()  # type: ignore[attr-defined]
    return found


@contextmanager
def acting(engine: Engine) -> Iterator[Connection]:
    """Run one transaction. Raises DatabaseUnavailable if the server is lost, or Busy."""
    with _in_words(SEND_AGAIN), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection for consistent reads. Raises DatabaseUnavailable or Busy."""
    with _in_words(), engine.connect() as connection:
        yield connection


def refusal_for(error: BaseException, sentence: str | None = None) -> DatabaseUnavailable | None:
    """Return the refusal for an error that is not about the request; ``None`` for any other.

    ``sentence`` replaces the usual text if the database is busy or unavailable.
    """
    if isinstance(error, DatabaseUnavailable):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, SCHEMA_MISSING):
        return SchemaOutdated()
    if lacks_rights(cause):
        return RightsMissing()
    if isinstance(cause, HELD):
        return Busy(sentence or LOOK_AGAIN)
    if isinstance(cause, SLOW):
        return DatabaseUnavailable(sentence or LOOK_AGAIN)
    gone = (OperationalError, InterfaceError, PendingRollbackError, psycopg.OperationalError)
    if isinstance(error, gone) or isinstance(cause, LOST) or _was_cut(error):
        return DatabaseUnavailable(sentence or AWAY)
    return None


@contextmanager
def _in_words(sentence: str | None = None) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        refusal = refusal_for(error, sentence)
        if refusal is None or refusal is error:
            raise
        raise refusal from error


def _was_cut(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def require_settings() -> None:
    """Raise SettingMissing if an address is malformed, or a pooler's lacks the logins it needs."""
    for name in (MAIN, DIRECT, REPLICA):
        _address_in(name, Purpose.READER)
    for purpose in (Purpose.READER, Purpose.WRITER):
        _is_pooled(purpose)


def _is_pooled(purpose: Purpose) -> bool:
    """Whether a pooler in transaction mode is between this purpose and the server."""
    if is_embedded() or not environment.get(DIRECT) or purpose not in THROUGH_POOLER:
        return False
    login = LOGINS[purpose]
    if login not in passwords_set():
        raise SettingMissing(
            f"{DIRECT} is set, so DATABASE_URL leads to a pooler, through which only the separate "
            f"logins have their limits. Set {variable(login)} too, or unset {DIRECT}; see "
            "docs/deploy.md."
        )
    return True


def _main(purpose: Purpose) -> str:
    """Return the setting with the address of the database for this purpose."""
    direct = purpose not in THROUGH_POOLER and not is_embedded() and environment.get(DIRECT)
    return DIRECT if direct else MAIN


def require_admission() -> None:
    """Raise DatabaseRefused if the database refuses the dashboard's logins.

    A database that does not respond may come back, so that is no obstacle to a start.
    """
    for purpose in (Purpose.READER, Purpose.WRITER):
        try:
            with reading(engine(purpose)):
                pass
        except DatabaseRefused:
            raise
        except DatabaseUnavailable:
            return


def _address_in(name: str, purpose: Purpose) -> str:
    """Return the address in a setting, for this purpose's login; empty if it is unset."""
    value = environment.get(name)
    return addresses.joined(_as_login(addresses.parse(name, value), purpose)) if value else ""


def without_login() -> list[str]:
    """Return the logins whose password is not set, so that DATABASE_URL's own login is used."""
    if is_embedded():
        return []
    return sorted({*map(str, LOGINS.values())} - passwords_set().keys())


def _as_login(parameters: dict[str, str], purpose: Purpose) -> dict[str, str]:
    """Return the address for the purpose's own login, if its password is set, even to nothing."""
    login = LOGINS.get(purpose)
    password = passwords_set().get(login or "")
    if login is None or password is None:
        return parameters
    others = {key: value for key, value in parameters.items() if key != "password"}
    return {**others, "user": str(login), **({"password": password} if password else {})}


@cache
def _engine(purpose: Purpose, address: str, *, pooled: bool = False) -> Engine:
    cluster = None if address else Cluster()
    if cluster is not None:
        cluster.ensure_running()
        address = cluster.url(login=LOGINS.get(purpose))
    arguments: dict[str, Any] = {
        **addresses.split(address),
        "application_name": f"affiliate-review {purpose}",
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        "tcp_user_timeout": 15_000,
    }
    if pooled:
        # A statement that was prepared in one session does not exist in the next.
        arguments["prepare_threshold"] = None
    elif arguments.get("user") not in set(Login):
        # The separate logins have them as their own settings (privileges.py), since a pooler drops
        # or refuses start-up options.
        arguments["options"] = _as_options(settings_of(purpose))
    made = create_engine(
        "postgresql+psycopg://",
        creator=partial(_connect, arguments, purpose, cluster, pooled=pooled),
        # A screen or a file is read in several statements that must be consistent.
        isolation_level="REPEATABLE READ" if purpose in READING else "READ COMMITTED",
        pool_size=POOL_SIZE.get(purpose, 2),
        max_overflow=4,
        pool_timeout=5,
        pool_pre_ping=True,
        # Keep typed text out of logs.
        hide_parameters=True,
    )
    _made.append((purpose, made))
    return made


def settings_of(purpose: Purpose) -> dict[str, str]:
    """Return the settings of a connection, as text by name."""
    numbers = {**TIMEOUTS_MS[purpose], **SETTINGS.get(purpose, {})}
    texts = {name: str(value) for name, value in numbers.items()}
    return {**SESSION, **(READ_ONLY if purpose in READING else {}), **texts}


def _as_options(settings: Mapping[str, str]) -> str:
    escaped = {name: value.replace(" ", "\\ ") for name, value in settings.items()}
    return " ".join(f"-c {name}={value}" for name, value in escaped.items())


def _connect(
    arguments: dict[str, Any], purpose: Purpose, cluster: Cluster | None, *, pooled: bool = False
) -> psycopg.Connection[Any]:
    try:
        connection = psycopg.connect(**arguments)
        # A pooler's session is everybody's.
        return connection if pooled else _settled(connection, purpose)
    except psycopg.OperationalError as error:
        if cluster is None:
            user = arguments.get("user")
            raise addresses.refusal(
                error,
                setting=variable(user) if user in passwords_set() else MAIN,
                address=MAIN,
                parameters=arguments,
            ) from error
        cluster.ensure_running()
        return _settled(psycopg.connect(**arguments), purpose)


def _settled(connection: psycopg.Connection[Any], purpose: Purpose) -> psycopg.Connection[Any]:
    # PGTZ and PGDATESTYLE override options and a login's own settings, so all are set again.
    settings = settings_of(purpose)
    connection.autocommit = True
    if purpose is Purpose.OWNER:
        connection.execute(AS_OWNER, [HISTORY_OWNER, HISTORY_OWNER])
    connection.execute(
        "select set_config(name, value, false) from unnest(%s::text[], %s::text[]) s (name, value)",
        [list(settings), list(settings.values())],
    )
    connection.autocommit = False
    return connection

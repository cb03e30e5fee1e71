"""Databases for tests: copies of a migrated, otherwise empty template.

A copy is some three hundred files, and a file system is slow to create files where many were just
removed. So no copy is dropped before all tests have run. Tests that need their own database get the
same one in turn, reset in between to the template's state.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, QueuePool, create_engine, text
from sqlalchemy.exc import OperationalError

from data_access.db import migrate

UTC = {"options": "-c timezone=UTC"}
SPARE_BYTES = 8 * 1024 * 1024
PATIENCE_SECONDS = 10
# A database is weighed after this many resets, and its triggers are followed this far.
WEIGHED = 8
MOST_PASSES = 5

TABLES = """
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition
    and n.nspname not in ('pg_catalog', 'information_schema')
"""
REFERENCES = """
select conrelid::regclass::text, confrelid::regclass::text from pg_constraint
where contype = 'f' and conparentid = 0 and conrelid <> confrelid
"""
# Triggers fill these as other tables are emptied, so they are emptied last, and always.
FOLLOWING = ("review.standings", "review.standing_sums", "review.uncounted")
# Functions of the triggers that keep tables append-only and the history's chain.
GUARDS = """
select function, pg_get_functiondef(function) from (
    select distinct tgfoid::regprocedure as function from pg_trigger where tgenabled = 'A'
) as guards
"""
# Other bodies for a while: switching triggers off would make every session learn the tables anew.
RESTING = (
    "create or replace function {} returns trigger language plpgsql as 'begin return new; end'"
)
SEQUENCES = "select c.oid::regclass::text from pg_class c where relkind = 'S' order by 1"
# Statistics that change with definitions; writing rows, analyze and vacuum do not change them.
DEFINITIONS = """
with temporary as (
    select oid from pg_namespace where nspname like 'pg\\_temp%' or nspname like 'pg\\_toast\\_temp%'
), last as (
    select count(*), max(xmin::text::bigint) from pg_class
    where relnamespace not in (table temporary)
    union all
    select count(*), max(xmin::text::bigint) from pg_attribute where attrelid not in (
        select oid from pg_class where relnamespace in (table temporary))
    union all select count(*), max(xmin::text::bigint) from pg_constraint
    -- A guard's function is written anew by each reset.
    union all select count(*), sum(hashtext(
        prosrc || prosecdef::text || coalesce(proacl::text, '') || coalesce(proconfig::text, '')))
    from pg_proc where oid >= 16384 and prorettype = 'trigger'::regtype
    -- Below are the server's own thousands, which only a superuser could change.
    union all select count(*), max(xmin::text::bigint) from pg_proc
    where oid >= 16384 and prorettype <> 'trigger'::regtype
    -- Switching a trigger off and on again writes its row anew.
    union all select count(*), sum(hashtext(tgname::text || tgenabled::text)) from pg_trigger
    union all select count(*), max(xmin::text::bigint) from pg_index
    union all select count(*), max(xmin::text::bigint) from pg_inherits
    union all select count(*), max(xmin::text::bigint) from pg_namespace
    where oid not in (table temporary)
    union all select count(*), max(s.xmin::text::bigint) from pg_db_role_setting s
    join pg_database d on d.oid = s.setdatabase where d.datname = current_database()
)
select array_agg(last::text) from last
"""
# What the catalog says of a partitioned table once it has had a partition stays after the last.
HAVE_HAD_PARTITIONS = """
do $$ declare parent regclass; begin
    for parent in select oid from pg_class where relkind = 'p' loop
        execute 'create table public.first_partition partition of ' || parent || ' default';
        drop table public.first_partition;
    end loop;
end $$
"""
PARTITIONS = """
select string_agg(oid::regclass::text, ', ') from pg_class where relispartition and relkind = 'r'
"""
OTHERS = """
select count(*) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
# What a test may have set for its session.
FORGET = "reset all; close all; unlisten *; discard temp; select pg_advisory_unlock_all()"


class Databases:
    """Makes copies on one server, and removes them all at the end."""

    def __init__(self, server: Engine) -> None:
        self.server = server
        self.names: list[str] = []
        self.template = self._create("template")
        engine = create_engine(self.url(self.template))
        migrate.migrate(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(HAVE_HAD_PARTITIONS)
        engine.dispose()

    def url(self, name: str) -> URL:
        return self.server.url.set(database=name)

    def copy(self, kind: str, of: str | None = None) -> str:
        """Return the name of a new copy of ``of``, or of the template."""
        return self._create(kind, f" template {of or self.template}")

    def empty(self, kind: str) -> str:
        """Return the name of a new database without the schema."""
        return self._create(kind)

    @contextmanager
    def engine(self, kind: str, of: str | None = None, **options: Any) -> Iterator[Engine]:
        """A new copy, for a module whose tests share it."""
        made = create_engine(self.url(self.copy(kind, of)), connect_args=UTC, **options)
        yield made
        made.dispose()

    def drop(self) -> None:
        with self.server.connect() as maintenance:
            for name in self.names:
                # Not "with (force)": this login cannot end an autovacuum worker.
                maintenance.execute(text(f"drop database if exists {name}"))

    def _create(self, kind: str, like: str = "") -> str:
        name = f"{kind}_{uuid.uuid4().hex[:12]}"
        with self.server.connect() as maintenance:
            maintenance.execute(text(f"create database {name}{like}"))
        self.names.append(name)
        return name


class Reused:
    """One copy used by one test at a time, reset in between.

    The resets share a connection, which knows the tables: a new one would spend most of its time
    on learning them.
    """

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.resets = 0
        self.kept: Engine | None = None
        self._take_copy()
        self.definitions, self.size = _definitions(self.conn), _size(self.conn)
        self.template = Template(self.conn)

    @property
    def url(self) -> URL:
        return self.databases.url(self.name)

    def engine(self) -> Engine:
        """Return an engine of its own for a test, over connections that stay open between tests.

        A new connection would learn tables and functions anew, half of a small test's time.
        """
        if self.kept is None:
            self.kept = create_engine(self.url, connect_args=UTC)
        return self.kept.execution_options()

    def put_back(self) -> None:
        """Reset it to the template; copy it again if definitions changed or it has grown."""
        if not _responds(self.conn):
            self.conn.close()
            self._connect()
        _wait_until_alone(self.conn, self._idle)
        self._forget_sessions()
        self.resets += 1
        if self._is_as_defined() and not self._has_grown():
            self.template.restore(self.conn)
        else:
            self.close()
            self._take_copy()

    def close(self) -> None:
        self.conn.close()
        if self.kept is not None:
            self.kept.dispose()
            self.kept = None

    def _forget_sessions(self) -> None:
        """Make the kept connections as they were when they opened, but those that a test ended."""
        with ExitStack() as stack:
            for _ in range(self._idle()):
                assert self.kept is not None
                connection = stack.enter_context(self.kept.connect())
                with suppress(OperationalError):
                    connection.exec_driver_sql(FORGET)
                    connection.commit()

    def _idle(self) -> int:
        """Return how many kept connections wait for the next test; none if one is in use."""
        pool = self.kept and self.kept.pool
        return pool.checkedin() if isinstance(pool, QueuePool) and not pool.checkedout() else 0

    def _is_as_defined(self) -> bool:
        """Return whether definitions are the template's; partitions that came with data are dropped.

        A new copy would cost ten times as much, and all its sessions would learn it anew.
        """
        return self._has_definitions() or (_drop_partitions(self.conn) and self._has_definitions())

    def _has_definitions(self) -> bool:
        return bool(_definitions(self.conn) == self.definitions)

    def _has_grown(self) -> bool:
        return self.resets % WEIGHED == 0 and _size(self.conn) > self.size + SPARE_BYTES

    def _take_copy(self) -> None:
        self.name = self.databases.copy("test")
        self._connect()

    def _connect(self) -> None:
        address = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.conn = psycopg.connect(address, autocommit=True)


class Template:
    """The rows and sequences of a database as they are now, and the way back to them."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        order = TopologicalSorter({name: set() for (name,) in conn.execute(TABLES)})
        self.references = conn.execute(REFERENCES).fetchall()
        for referring, referred in self.references:
            order.add(referred, referring)
        emptying = [name for name in order.static_order() if name not in FOLLOWING]
        self.emptying = [*emptying, *FOLLOWING]
        self.guards = conn.execute(GUARDS).fetchall()
        self.filled = {
            name: _inserting(conn, name)
            for name in self.emptying
            if _one(conn, f"select exists (select from {name})") == (True,)
        }
        self.differing = " union all ".join(self._difference(conn, name) for name in self.emptying)
        self.numbering = _numbering(conn)

    def restore(self, conn: psycopg.Connection[Any]) -> None:
        """Undo what was written, and what triggers write meanwhile, until nothing differs."""
        for _ in range(MOST_PASSES):
            changed = {name for (name,) in conn.execute(self.differing, prepare=True)}
            if not changed:
                conn.execute(self.numbering)
                return
            conn.execute(self._undoing(self._with_referring(changed)))
        raise AssertionError(f"Still changed after resetting them: {sorted(changed)}")

    def _difference(self, conn: psycopg.Connection[Any], name: str) -> str:
        """Return a query for the table's name if its rows are others."""
        if name not in self.filled:
            return f"select '{name}' where exists (select from {name})"
        of_rows = f"(select md5(string_agg(t::text, ' ' order by t::text)) from {name} t)"
        (now,) = _one(conn, f"select {of_rows}")
        return f"select '{name}' where {of_rows} is distinct from '{now}'"

    def _with_referring(self, changed: set[str]) -> set[str]:
        """Add the filled tables whose rows refer to rows that are removed for a while."""
        more = {by for by, to in self.references if to in changed and by in self.filled} - changed
        return self._with_referring(changed | more) if more else changed

    def _undoing(self, changed: set[str]) -> str:
        emptying = [name for name in self.emptying if name in changed or name in FOLLOWING]
        parts = [RESTING.format(name) for name, _ in self.guards]
        parts += [f"delete from {name}" for name in emptying]
        parts += [self.filled[name] for name in reversed(emptying) if name in self.filled]
        parts += ["set constraints all immediate", *(made for _, made in self.guards)]
        return f"begin; {'; '.join(parts)}; commit"


def _drop_partitions(conn: psycopg.Connection[Any]) -> bool:
    """Drop every partition, of which the template has none; returns whether there were any."""
    (names,) = _one(conn, PARTITIONS)
    if names:
        conn.execute(f"drop table {names}")
    return bool(names)


def _responds(conn: psycopg.Connection[Any]) -> bool:
    """Return whether no test has ended the connection."""
    try:
        conn.execute("select")
    except psycopg.OperationalError:
        return False
    return True


def _wait_until_alone(conn: psycopg.Connection[Any], idle: Callable[[], int]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _one(conn, OTHERS)[0] > idle():
        assert time.monotonic() < deadline, "The test left a connection to its database open."
        time.sleep(0.002)


def _definitions(conn: psycopg.Connection[Any]) -> Any:
    return conn.execute(DEFINITIONS, prepare=True).fetchone()


def _size(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("select pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def _numbering(conn: psycopg.Connection[Any]) -> str:
    """Return a statement that sets every sequence to what it is now."""
    states = [
        "('{}'::regclass, {}::bigint, {})".format(
            name, *_one(conn, f"select last_value, is_called from {name}")
        )
        for (name,) in conn.execute(SEQUENCES).fetchall()
    ]
    of_each = f"(values {', '.join(states)}) s (name, last, called)"
    return f"select setval(name, last, called) from {of_each}"


def _inserting(conn: psycopg.Connection[Any], name: str) -> str:
    rows = _one(conn, f"select quote_literal(json_agg(t)::text) from {name} t")[0]
    of_rows = f"json_populate_recordset(null::{name}, {rows})"
    return f"insert into {name} overriding system value select * from {of_rows}"


def _one(conn: psycopg.Connection[Any], statement: str) -> tuple[Any, ...]:
    row = conn.execute(statement).fetchone()
    assert row is not None
    return tuple(row)

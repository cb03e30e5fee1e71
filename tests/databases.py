"""Databases for tests: copies of a migrated, otherwise empty template.

A copy is some three hundred files, and a file system is slow to create files where many were just
removed. So no copy is dropped before all tests have run. Tests that need their own database get the
same one in turn, reset in between to the template's state.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, create_engine, text

from data_access.db import migrate

UTC = {"options": "-c timezone=UTC"}
SPARE_BYTES = 8 * 1024 * 1024
PATIENCE_SECONDS = 10

TABLES = """
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition
    and n.nspname not in ('pg_catalog', 'information_schema')
"""
REFERENCES = """
select conrelid::regclass::text, confrelid::regclass::text from pg_constraint
where contype = 'f' and conparentid = 0 and conrelid <> confrelid
"""
# Triggers fill these as other tables are emptied, so they are emptied last.
FOLLOWING = ("review.standings", "review.standing_sums")
# Triggers that keep tables append-only and the history's chain.
GUARDS = (
    "select tgrelid::regclass::text, tgname from pg_trigger where tgenabled = 'A' order by 1, 2"
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
    select count(*), max(a.xmin::text::bigint) from pg_attribute a
    join pg_class c on c.oid = a.attrelid where relnamespace not in (table temporary)
    union all select count(*), max(xmin::text::bigint) from pg_constraint
    union all select count(*), max(xmin::text::bigint) from pg_proc
    -- Switching a guard off and on again writes its row anew.
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
OTHERS = """
select count(*) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""


class Databases:
    """Makes copies on one server, and removes them all at the end."""

    def __init__(self, server: Engine) -> None:
        self.server = server
        self.names: list[str] = []
        self.template = self._create("template")
        engine = create_engine(self.url(self.template))
        migrate.migrate(engine)
        engine.dispose()

    def url(self, name: str) -> URL:
        return self.server.url.set(database=name)

    def copy(self, kind: str, of: str | None = None) -> str:
        """Return the name of a new copy of ``of``, or of the template."""
        return self._create(kind, f" template {of or self.template}")

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
    """One copy used by one test at a time, reset in between."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.name = databases.copy("test")
        with self._connected() as conn:
            self.definitions, self.size = _definitions(conn), _size(conn)
            self.undo = _undo(conn)

    @property
    def url(self) -> URL:
        return self.databases.url(self.name)

    def put_back(self) -> None:
        """Reset it to the template; copy it again if definitions changed or it has grown."""
        with self._connected() as conn:
            _wait_until_alone(conn)
            if _definitions(conn) == self.definitions and _size(conn) < self.size + SPARE_BYTES:
                conn.execute(self.undo)
                return
        self.name = self.databases.copy("test")

    def _connected(self) -> psycopg.Connection[Any]:
        address = self.url.set(drivername="postgresql")
        return psycopg.connect(address.render_as_string(hide_password=False), autocommit=True)


def _wait_until_alone(conn: psycopg.Connection[Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while conn.execute(OTHERS).fetchone() != (0,):
        assert time.monotonic() < deadline, "The test left a connection to its database open."
        time.sleep(0.002)


def _definitions(conn: psycopg.Connection[Any]) -> Any:
    return conn.execute(DEFINITIONS).fetchone()


def _size(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute("select pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def _undo(conn: psycopg.Connection[Any]) -> sql.Composed:
    """Return statements that restore the rows and sequences of ``conn``'s database."""
    order = TopologicalSorter({name: set() for (name,) in conn.execute(TABLES)})
    for referring, referred in conn.execute(REFERENCES):
        order.add(referred, referring)
    emptying = [name for name in order.static_order() if name not in FOLLOWING]
    emptying += FOLLOWING
    guards = conn.execute(GUARDS).fetchall()
    parts = [_switch(guard, "disable") for guard in guards]
    parts += [sql.SQL("delete from {}").format(sql.SQL(name)) for name in emptying]
    for name in reversed(emptying):
        row = conn.execute(sql.SQL("select json_agg(t) from {} t").format(sql.SQL(name))).fetchone()
        if row is not None and row[0] is not None:
            parts.append(_inserting(conn, name))
    for (name,) in conn.execute(SEQUENCES).fetchall():
        (last, called) = _one(conn, f"select last_value, is_called from {name}")
        parts.append(sql.SQL("select setval({}, {}, {})").format(name, last, called))
    parts += [_switch(guard, "enable always") for guard in guards]
    return sql.SQL("begin; {}; commit").format(sql.SQL("; ").join(parts))


def _inserting(conn: psycopg.Connection[Any], name: str) -> sql.Composed:
    (rows,) = _one(conn, f"select json_agg(t)::text from {name} t")
    return sql.SQL(
        "insert into {table} overriding system value "
        "select * from json_populate_recordset(null::{table}, {rows})"
    ).format(table=sql.SQL(name), rows=rows)


def _switch(guard: tuple[str, str], order: str) -> sql.Composed:
    table, trigger = guard
    return sql.SQL("alter table {} {} trigger {}").format(
        sql.SQL(table), sql.SQL(order), sql.Identifier(trigger)
    )


def _one(conn: psycopg.Connection[Any], statement: str) -> tuple[Any, ...]:
    row = conn.execute(statement).fetchone()
    assert row is not None
    return tuple(row)

"""A migration that is killed leaves nothing, and the next one makes the whole schema."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from data_access.db import embedded, migrate
from tests.databases import Databases

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 120
# What a migration has made so far, seen from outside: it holds a lock on each until it commits.
MADE = """
select count(*) from pg_locks l join pg_database d on d.oid = l.database
where d.datname = :name and l.mode = 'AccessExclusiveLock'
"""
ALL = """
select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('exchange', 'review', 'report')
"""


@pytest.mark.parametrize(
    "kills",
    [pytest.param(2, id="2 kills"), pytest.param(20, id="20 kills", marks=pytest.mark.slow)],
)
def test_a_migration_that_is_killed_anywhere_is_made_whole_by_the_next(
    databases: Databases, kills: int
) -> None:
    expected = schema(databases, databases.template)
    template = create_engine(databases.url(databases.template))
    with template.connect() as connection:
        most: int = connection.execute(text(ALL)).scalar_one()
    template.dispose()
    assert most > 100

    for kill in range(1, kills + 1):
        name = databases._create("killed")
        enough = most * kill // (kills + 1)

        ended = killed_after(databases, name, enough)

        assert ended == -signal.SIGKILL, f"it had ended before {enough} of {most}"
        engine = create_engine(databases.url(name))
        assert migrate.migrate(engine) == (None, migrate.head()), enough
        engine.dispose()
        assert schema(databases, name) == expected, enough


def killed_after(databases: Databases, name: str, enough: int) -> int:
    """Migrate in a process that is killed once it has made so many; returns how it ended."""
    url = databases.url(name).set(drivername="postgresql").render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-m", "data_access", "migrate"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None:
            assert time.monotonic() < deadline
            if made_so_far(databases.server, name) >= enough:
                process.kill()
                break
            time.sleep(0.005)
        return process.wait(PATIENCE_S)


def made_so_far(server: Engine, name: str) -> int:
    with server.connect() as connection:
        made: int = connection.execute(text(MADE), {"name": name}).scalar_one()
    return made


def schema(databases: Databases, name: str) -> str:
    """Return all definitions in a database, without the random word of each dump."""
    url = databases.url(name).set(drivername="postgresql").render_as_string(hide_password=False)
    dump = subprocess.run(
        [embedded.binaries() / "pg_dump", "--schema-only", "--dbname", url],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    lines = dump.splitlines()
    return "\n".join(one for one in lines if not one.startswith(("\\restrict", "\\unrestrict")))

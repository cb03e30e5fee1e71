"""The drill of docs/operations.md: a dump, restored into an empty database, is the same desk."""

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from data_access import demo, doctor, rollups
from data_access.db.embedded import binaries
from data_access.history import chain
from tests.builders import NOW
from tests.databases import Databases

pytestmark = pytest.mark.slow
TABLES = """
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where nspname in ('review', 'exchange') and c.relkind in ('r', 'p') and c.relpersistence = 'p'
order by 1
"""


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as conn:
        names = list(conn.execute(text(TABLES)).scalars())
        return {
            name: conn.execute(text(f"select count(*) from {name}")).scalar_one() for name in names
        }


def run(program: str, *arguments: str) -> None:
    subprocess.run([binaries() / program, *arguments], check=True, capture_output=True)


def test_a_restored_dump_has_the_same_rows_and_the_same_history(
    databases: Databases, tmp_path: Path
) -> None:
    source, target = databases.copy("dumped"), databases._create("restored", " template template0")
    addresses = [
        databases.url(name).set(drivername="postgresql").render_as_string(hide_password=False)
        for name in (source, target)
    ]
    engines = [create_engine(databases.url(name)) for name in (source, target)]
    demo.fill(engines[0], now=NOW, affiliates=60)
    rollups.refresh(engines[0], now=NOW)
    demo.work_desk(engines[0])
    dump = str(tmp_path / "dump")

    run("pg_dump", "--format=directory", "--jobs=2", f"--file={dump}", addresses[0])
    run("pg_restore", "--jobs=2", "--exit-on-error", f"--dbname={addresses[1]}", dump)

    assert counts(engines[1]) == counts(engines[0])
    assert chain.head(engines[1]) == chain.head(engines[0])
    assert chain.verify(engines[1]) == chain.verify(engines[0])
    findings = {one.what: one.ok for one in doctor.examine(engines[1], now=NOW)}
    assert findings["guards"]
    assert findings["standings"]
    for engine in engines:
        engine.dispose()

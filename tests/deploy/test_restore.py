"""The drill of docs/operations.md: a backup, restored into an empty database, is the same desk."""

import os
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from bench import build
from data_access import demo, doctor, rollups
from data_access.db.embedded import binaries
from data_access.eligibility import judging
from data_access.history import chain
from data_access.queue import listing, standings
from program.review.queue_filters import Filters
from tests.browser.serving import served
from tests.builders import NOW, T
from tests.data_access.rollups.test_refreshing import Referral, Trade, deliver
from tests.databases import UTC, Databases
from tests.deploy.files import DEPLOY

LARGE = 1_000_000
MOST_S = 120


def scripted(script: str, address: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DEPLOY / script, folder],
        env={**os.environ, "PATH": f"{binaries()}:{os.environ['PATH']}", "DATABASE_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )


def plain(databases: Databases, name: str) -> str:
    url = databases.url(name).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def drilled(
    databases: Databases, folder: Path, fill: Callable[[Engine], None]
) -> tuple[Engine, Engine, float]:
    """Fill a database, back it up and restore it; returns both, and how long restoring took."""
    names = databases.copy("source"), databases._create("restored", " template template0")
    source, restored = (
        create_engine(databases.url(name), connect_args=UTC, poolclass=NullPool) for name in names
    )
    fill(source)
    backup = scripted("backup.sh", plain(databases, names[0]), folder)
    assert backup.returncode == 0, backup.stderr
    began = time.monotonic()
    done = scripted("restore.sh", plain(databases, names[1]), folder)
    took = time.monotonic() - began
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "each is equal to the backup's" in done.stdout
    return source, restored, took


def small_desk(engine: Engine) -> None:
    demo.fill(engine, now=NOW, affiliates=30)
    rollups.refresh(engine, now=NOW, risk=None)
    demo.work_desk(engine)


def queue(engine: Engine) -> list[object]:
    with engine.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        found = listing.page(conn, Filters(), context)
        return [listing.count(conn, Filters(), context), *map(str, found)]


def test_a_restored_backup_is_the_same_desk_with_the_same_history(
    databases: Databases, tmp_path: Path
) -> None:
    source, restored, _ = drilled(databases, tmp_path / "backup", small_desk)

    assert queue(restored) == queue(source) != [0]
    assert chain.head(restored) == chain.head(source)
    assert chain.verify(restored) == chain.verify(source)
    findings = {one.what: one.ok for one in doctor.examine(restored, now=NOW)}
    assert findings["guards"]
    assert findings["standings"]
    digests = (tmp_path / "backup" / "digests").read_text().splitlines()
    assert {one.partition("|")[0] for one in digests} >= {"review.decisions", "exchange.accounts"}

    # What is there is never restored over, and a table that differs is told.
    name = str(restored.url.database)
    again = scripted("restore.sh", plain(databases, name), tmp_path / "backup")
    assert (again.returncode, again.stdout) == (1, "")
    assert "is not empty" in again.stderr
    taken = scripted("backup.sh", plain(databases, name), tmp_path / "backup")
    assert "is there already" in taken.stderr
    (tmp_path / "backup" / "digests").write_text("\n".join(digests[:-1]) + "\nreview.none|0|0\n")
    other = databases._create("other", " template template0")
    differing = scripted("restore.sh", plain(databases, other), tmp_path / "backup")
    assert differing.returncode == 1
    assert digests[-1] in differing.stdout
    assert "differ from the backup" in differing.stderr


def test_a_changed_value_of_one_row_changes_the_digest_of_its_table_alone(
    engine: Engine, databases: Databases
) -> None:
    deliver(engine, Referral(at=NOW, user=21), Referral(at=NOW, user=22), Trade(day=T))
    address = plain(databases, str(engine.url.database))

    def digests() -> set[str]:
        told = subprocess.run(
            [binaries() / "psql", "-XqAt", f"--file={DEPLOY / 'digests.sql'}", address],
            check=True,
            capture_output=True,
            text=True,
        )
        return set(told.stdout.splitlines())

    before = digests()
    with engine.begin() as conn:
        conn.execute(
            text(
                "update exchange.referrals set referred_at = referred_at + interval '1 microsecond'"
                " where ctid = (select min(ctid) from exchange.referrals)"
            )
        )

    assert {line.partition("|")[0] for line in digests() ^ before} == {"exchange.referrals"}


def large_desk(engine: Engine) -> None:
    """A million applications, a fortieth of them decided here, by plain SQL."""
    size = build.Size(scale=LARGE / 1_000_000, through=T)
    decided = build.DECISIONS.replace("order by status_changed_at", "and application_id % 40 = 0")
    steps = [build.DRAW, build.ACCOUNTS, build.APPLICATIONS, build.STAFF, decided, build.EVIDENCE]
    build._run(engine, size, "a large desk", steps)
    few = build.Size(scale=LARGE / 10_000_000, through=T)
    build._run(engine, few, "referrals", [build.REFERRALS])
    with engine.begin() as conn:
        for back in range(0, 30, 3):
            day = T - timedelta(days=back)
            demo.filling.partitions.ensure_months(conn, day, day)
            conn.execute(
                text(
                    "insert into exchange.referral_activity select affiliate_account_id,"
                    " referred_account_id, :day, 1234.50, 0.5, 3 from exchange.referrals"
                    " where referred_account_id % 5 = 0"
                ),
                {"day": day},
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("analyze"))
    rollups.refresh(engine, now=NOW, risk=None)
    standings.restate(engine, now=NOW)


@pytest.mark.slow
def test_a_million_applications_are_a_working_dashboard_within_two_minutes(
    databases: Databases, tmp_path: Path
) -> None:
    source, restored, took = drilled(databases, tmp_path / "backup", large_desk)
    began = time.monotonic()
    address = plain(databases, str(restored.url.database))
    with served(tmp_path, DATABASE_URL=address):
        took += time.monotonic() - began

    assert took <= MOST_S
    assert queue(restored) == queue(source)
    assert chain.verify(restored) == chain.verify(source)

"""Interrupted exports: one true sentence, a non-zero status, nothing left behind or open.

Each as the process that a person or a timer starts, in every format.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tests.builders import T, add_refresh
from tests.cases import every
from tests.conftest import ROOT
from tests.databases import Databases

ROWS, DAYS = 150_000, 100
FORMS = ("x.csv", "x.csv.gz", "x.xlsx", "x.parquet")
LEAST_BYTES = 100_000
PATIENCE_S = 120


def each(*quick: str, of: Sequence[str]) -> list[Any]:
    """Return all in the longer proof, otherwise the ``quick`` ones."""
    return [one if one in quick else pytest.param(one, marks=pytest.mark.slow) for one in of]


@pytest.fixture(scope="module")
def many(databases: Databases) -> Iterator[Engine]:
    """Much activity, so that an export has started long before it ends."""
    with databases.engine("faults") as engine:
        with engine.begin() as conn:
            add_refresh(conn)
            conn.execute(
                text(
                    "create table review.affiliate_daily_all"
                    " partition of review.affiliate_daily default"
                )
            )
            conn.execute(
                text(
                    "insert into review.affiliate_daily (affiliate_account_id, day, volume_usd,"
                    " fees_usd, trade_count, zero_fee_volume_usd, active_users, new_users)"
                    " select n / 100, cast(:last as date) - n % 100, n * 7919 % 100000007, n / 7.0,"
                    " n, 0, 1, 1 from generate_series(0, cast(:rows as int) - 1) n"
                ),
                {"last": T, "rows": ROWS},
            )
        yield engine


class Exporting:
    """``python -m data_access export activity`` with its own temporary folder."""

    def __init__(self, engine: Engine, folder: Path, target: str, **given: Any) -> None:
        self.engine, self.folder, self.temporary = engine, folder, folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "DATABASE_URL": engine.url.render_as_string(hide_password=False),
            "TMPDIR": str(self.temporary),
        }
        environment.pop("DATABASE_REPLICA_URL", None)
        form = ["--format", given.pop("form")] if "form" in given else []
        largest = given.pop("largest_file", resource.RLIM_INFINITY)
        days = f"day={T - timedelta(days=given.pop('days', DAYS) - 1)}..{T}"
        command = ["data_access", "export", "activity", target, "--filter", days, *form]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: _begin_with(largest),
            **{"stdout": subprocess.DEVNULL, **given},
        )

    def ends(self, *, saying: str, status: int = 1, outcome: str = "failed") -> None:
        """Wait for the end, and check for anything left behind."""
        try:
            _, output = self.process.communicate(timeout=PATIENCE_S)
        finally:
            self.process.kill()
        assert (output.count("\n"), self.process.returncode) == (1, status), output
        assert saying in output
        left = {file.name for file in self.folder.rglob("*") if file.is_file()}
        assert left == set()
        assert list(self.temporary.iterdir()) == []
        until(lambda: self.connections() == 0)
        with self.engine.connect() as conn:
            last = text("select outcome from review.exports order by export_id desc limit 1")
            assert conn.execute(last).scalar_one() == outcome

    def connections(self, *, waiting: bool = False) -> int:
        query = "select count(*) from pg_stat_activity where datname = current_database()"
        query += " and application_name = 'affiliate-review exporter'"
        query += " and wait_event_type = 'Lock'" if waiting else ""
        with self.engine.connect() as conn:
            return int(conn.execute(text(query)).scalar_one())

    def begun(self) -> bool:
        """Return whether rows have been written, to the file or beside it."""
        assert self.process.poll() is None
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        return any(file.stat().st_size > LEAST_BYTES for file in files)


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _begin_with(largest_file: int) -> None:
    """Simulate a full disk: no file of this process grows beyond this size."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    # Reset signals that the test runner may have ignored.
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)


@pytest.mark.parametrize("name", each("x.xlsx", of=FORMS))
def test_a_full_disk_is_named_by_the_path_that_is_full(
    many: Engine, tmp_path: Path, name: str
) -> None:
    target = tmp_path / name
    made = Exporting(many, tmp_path, str(target), largest_file=200_000)

    full = f"folder for temporary files, {made.temporary}," if "xlsx" in name else str(target)
    made.ends(saying=f"{full} cannot be written: File too large")


@pytest.mark.parametrize("form", each(of=["csv", "xlsx", "parquet"]))
def test_a_target_that_is_full_is_named(many: Engine, tmp_path: Path, form: str) -> None:
    made = Exporting(many, tmp_path, "/dev/full", form=form, days=10)

    made.ends(saying="/dev/full cannot be written: No space left on device")


@pytest.mark.parametrize("form", each("csv", of=["csv", "xlsx", "parquet"]))
def test_a_reader_that_disconnects_is_reported_as_such(
    many: Engine, tmp_path: Path, form: str
) -> None:
    made = Exporting(many, tmp_path, "-", form=form, days=10, stdout=subprocess.PIPE)
    assert made.process.stdout is not None
    made.process.stdout.buffer.read(4)  # type: ignore[attr-defined]
    made.process.stdout.close()
    made.process.stdout = None

    made.ends(saying="Standard output was closed by its reader", outcome="cancelled")


@pytest.mark.parametrize("stop", each("SIGINT", of=["SIGINT", "SIGTERM", "SIGHUP"]))
@pytest.mark.parametrize("name", each("x.xlsx", of=FORMS))
def test_a_signal_midway_ends_it(many: Engine, tmp_path: Path, name: str, stop: str) -> None:
    number = signal.Signals[stop]
    target = tmp_path / name
    made = Exporting(many, tmp_path, str(target))
    until(made.begun)

    made.process.send_signal(number)

    made.ends(
        saying=f"Canceled before everything was written to {target}.",
        status=128 + number,
        outcome="cancelled",
    )


ENDINGS = (
    ("pg_terminate_backend", "The connection to the database was lost"),
    # As the server does when a statement exceeds its timeout.
    ("pg_cancel_backend", "The export took longer than 15 minutes"),
)


@pytest.mark.sampled
@pytest.mark.parametrize("name", each("x.xlsx", of=FORMS))
def test_canceling_a_waiting_query_ends_the_file(many: Engine, tmp_path: Path, name: str) -> None:
    for ending, saying in every(2, ENDINGS):
        with locked(many) as holder:
            made = Exporting(many, tmp_path, str(tmp_path / name))
            until(lambda made=made: made.connections(waiting=True))
            holder.execute(
                text(
                    f"select {ending}(pid) from pg_stat_activity where wait_event_type = 'Lock'"
                    " and datname = current_database()"
                )
            )
            made.ends(saying=saying)


@pytest.mark.parametrize("name", each("x.parquet", of=FORMS))
def test_a_signal_is_heard_while_the_database_is_waited_for(
    many: Engine, tmp_path: Path, name: str
) -> None:
    with locked(many):
        made = Exporting(many, tmp_path, str(tmp_path / name))
        until(lambda: made.connections(waiting=True))
        made.process.send_signal(signal.SIGINT)
        made.ends(saying="Canceled before everything was", status=130, outcome="cancelled")


@contextmanager
def locked(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as holder, holder.begin():
        holder.execute(text("lock table review.affiliate_daily in access exclusive mode"))
        yield holder

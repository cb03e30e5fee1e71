"""Exports over a real connection whose database, client or dashboard goes away midway."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Engine, create_engine, text
from starlette.applications import Starlette

import serve
from dashboard.shell import browsers, downloads, export_links, identity, routes
from dashboard.shell.export_links import Promise
from data_access.db import database, migrate, privileges
from data_access.db.embedded import Cluster
from data_access.exports import jobs, spool
from data_access.exports.jobs import HUNG_UP, Job
from program.reports.export_formats import Ending
from program.review.permissions import Role
from tests.builders import T, add_refresh, add_staff, member

ANA = "ana@example.com"
BROWSER = "what this browser was given"
ROWS = 600_000
# This process's exports, newest last.
begun: list[Job] = []
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # Not pytest's own folder, which another user's server cannot enter.
    home = Path(tempfile.mkdtemp(prefix="affiliate-review-outages-"))
    home.chmod(0o755)
    made = Cluster(home)
    made.ensure_running()
    yield made
    made.stop("immediate")
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def engine(cluster: Cluster) -> Iterator[Engine]:
    """The configured database, on a server of these tests, with much activity."""
    made = create_engine(cluster.url(), pool_pre_ping=True)
    migrate.migrate(made)
    privileges.apply(made, {})
    with made.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        conn.execute(
            text(
                "create table review.affiliate_daily_all"
                " partition of review.affiliate_daily default"
            )
        )
        conn.execute(
            text(
                "insert into review.affiliate_daily (affiliate_account_id, day, volume_usd, fees_usd,"
                " trade_count, zero_fee_volume_usd, active_users, new_users)"
                " select n / 100, cast(:last as date) - n % 100, n, n / 7.0, n, 0, 1, 1"
                " from generate_series(0, :rows - 1) n"
            ),
            {"last": T, "rows": ROWS},
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", cluster.url())
        patch.delenv("DATABASE_REPLICA_URL", raising=False)
        patch.setattr(identity, "person", lambda _: member(ANA))
        patch.setattr(downloads.jobs, "begin", noted(jobs.begin))
        jobs.stop()
        yield made
        jobs.stop()
        for purpose in database.Purpose:
            database.engine(purpose).dispose()
    made.dispose()


@pytest.fixture(scope="module")
def port(engine: Engine) -> Iterator[int]:
    """The export's route on a real port."""
    app = Starlette(routes=routes.ROUTES)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


def noted(begin: Callable[..., Job]) -> Callable[..., Job]:
    def begins(*given: Any, **named: Any) -> Job:
        begun.append(begin(*given, **named))
        return begun[-1]

    return begins


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def following(port: int) -> Iterator[http.client.HTTPResponse]:
    """Follow a link to all activity; the response has started."""
    first = date(2025, 6, 1)
    query = {"dataset": "activity", "day": f"{first}..{T + timedelta(days=1)}"}
    made = Promise(email=ANA, role=Role.REVIEWER, query=query)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(
        "GET",
        "/" + export_links.view_link(made, "activity", browser=BROWSER),
        headers={"Cookie": f"{browsers.MARK_COOKIE}={BROWSER}"},
    )
    with closing(connection), connection.getresponse() as answer:
        assert answer.read(10) == b"day,accoun"
        yield answer


def midway() -> Job:
    """Return the newest export, with rows being sent and more to come."""
    until(lambda: begun and begun[-1].ending is None and begun[-1].rows)
    job = begun[-1]
    assert 0 < job.rows < ROWS
    return job


def open_transactions(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.execute(
            text(
                "select count(*) from pg_stat_activity where xact_start is not null"
                " and application_name = 'affiliate-review exporter'"
            )
        ).scalar_one()


def outcomes(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        query = text("select outcome from review.exports order by export_id")
        return list(conn.execute(query).scalars())


def test_a_restarted_database_interrupts_the_file_and_the_person_is_informed(
    cluster: Cluster, engine: Engine, port: int
) -> None:
    before = len(outcomes(engine))
    with following(port) as answer:
        job = midway()

        cluster.stop("fast")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
    until(lambda: job.ending is not None)
    cluster.ensure_running()

    assert job.ending is Ending.FAILED
    assert job.sentence == (
        "The connection to the database was lost, so the file is incomplete. Export again."
    )
    assert open_transactions(engine) == 0
    until(lambda: outcomes(engine)[before:] == ["failed"])
    assert (Ending.FAILED, job.sentence) in [(one.ending, one.sentence) for one in jobs.of(ANA)]
    until(lambda: not job.folder.exists())


def test_a_client_that_disconnects_ends_the_query_and_the_person_is_informed(
    engine: Engine, port: int
) -> None:
    before = len(outcomes(engine))
    with following(port):
        job = midway()

    until(lambda: open_transactions(engine) == 0, 5)
    until(lambda: job.ending is not None)
    assert (job.ending, job.sentence) == (Ending.CANCELLED, HUNG_UP)
    until(lambda: outcomes(engine)[before:] == ["cancelled"])


SERVER = """
import time
from datetime import UTC, datetime
from data_access.exports import jobs
from data_access.exports.files import OfView, Order
from program.reports.export_formats import Form
from program.reports.views import View

view = View.from_query({"dataset": "activity", "day": "2025-06-01..2026-03-14"}, personal=True)
order = Order(
    selection=OfView(view=view), form=Form(), exported_by="ana@example.com", now=datetime.now(UTC)
)
job = jobs.begin(order)
while not jobs.of("ana@example.com")[-1].rows:
    time.sleep(0.01)
print(job.process.pid, flush=True)
time.sleep(60)
"""


def test_an_export_of_a_killed_dashboard_is_logged_as_failed(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(outcomes(engine))
    monkeypatch.setattr(spool, "SPOOL", tmp_path / "spool")
    living = spool.new_folder()
    dashboard = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**os.environ, "AFFILIATE_REVIEW_HOME": str(tmp_path)},
        cwd=serve.ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with dashboard:
        assert dashboard.stdout is not None
        worker = int(dashboard.stdout.readline())
        spool.clear()
        assert len(list((tmp_path / "spool").glob("*/"))) == 2
        dashboard.send_signal(signal.SIGKILL)
    with engine.begin() as conn:
        conn.execute(text("update review.jobs set lease_until = now() where ended_at is null"))

    jobs.clear()
    jobs.clear()

    assert outcomes(engine)[before:] == ["failed"]
    with engine.connect() as conn:
        rows = text("select row_count from review.exports order by export_id desc limit 1")
        assert conn.execute(rows).scalar_one() > 0
    assert list((tmp_path / "spool").glob("*/")) == [living.parent]
    until(lambda: not Path(f"/proc/{worker}").exists(), 5)
    until(lambda: open_transactions(engine) == 0, 5)

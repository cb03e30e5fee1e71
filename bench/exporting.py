"""Exports of a million applications with every column, as the dashboard's server writes them."""

import os
import re
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest import mock

import psycopg
from sqlalchemy import Engine

from bench.desk import address, deciding, opening
from bench.facts import moment
from bench.measurements import Failures
from data_access.db.embedded import binaries
from data_access.eligibility import judging
from data_access.explore import cells, queries
from data_access.exports import files
from data_access.exports import jobs as export_jobs
from data_access.exports.files import OfView, Order
from data_access.exports.jobs import Job
from program.reports.datasets import APPLICATIONS
from program.reports.export_formats import FileFormat, Form
from program.reports.views import View

EVERYTHING = View(dataset=APPLICATIONS, columns=APPLICATIONS.names)
CSV = Form()
XLSX = Form(file_format=FileFormat.XLSX)
PARQUET = Form(file_format=FileFormat.PARQUET)
TIMES = {CSV: 5, PARQUET: 3, XLSX: 1}
RATIO_BARS = {CSV: 1.2, PARQUET: 2.5}
FIRST_BYTE_MS, SERVER_MB, XLSX_MB, P95_MS = 300, 60, 300, 500
TOGETHER = 5


@dataclass(frozen=True, kw_only=True)
class Exported:
    """One export: seconds to the first byte and to the last, its size, and memory in MB."""

    first_s: float
    seconds: float
    rows: int
    size_mb: float
    worker_mb: float
    server_mb: float


def report(engine: Engine, failures: Failures) -> None:
    """Measure everything and print each row as soon as it is known."""
    with served(engine):
        for form, times in TIMES.items():
            failures.print_row(f"files, {form.ending}", partial(side_by_side, engine, form, times))
        for name, act, prepare in (
            ("open the next application", opening.ours, opening.find),
            ("decide", deciding.ours, deciding.next),
        ):
            failures.print_row(f"files, {name}", partial(beside, engine, name, act, prepare))
        deciding.take_back(engine)


def side_by_side(engine: Engine, form: Form, times: int) -> str:
    """Return the row of one form; runs alternate with the plain query, so that load hits both."""
    pairs = [(copied(engine), exported(engine, form)) for _ in range(times)]
    plain = statistics.median(plain for plain, _ in pairs)
    return line(form, middle([found for _, found in pairs]), plain)


@contextmanager
def served(engine: Engine) -> Iterator[None]:
    """Make exports read the bench's database, without log entries."""
    environment = {"DATABASE_URL": address(engine)}
    with mock.patch.dict(os.environ, environment), mock.patch.object(files, "record"):
        export_jobs.stop()
        export_jobs.prepare()
        time.sleep(3)
        yield
        export_jobs.stop()


def middle(found: Sequence[Exported]) -> Exported:
    """Return the export with the median duration, with the worst of the other figures."""
    by_time = sorted(found, key=lambda one: one.seconds)
    return replace(
        by_time[len(by_time) // 2],
        first_s=max(one.first_s for one in found),
        worker_mb=max(one.worker_mb for one in found),
        server_mb=max(one.server_mb for one in found),
    )


def line(form: Form, found: Exported, plain: float) -> str:
    """Format one export, compared with psql's time for the query."""
    bar = RATIO_BARS.get(form)
    return (
        f"{form.ending:<8} {found.rows:,} rows, {found.seconds:.1f} s = {found.seconds / plain:.2f}x {plain:.1f} s"
        f"{f' of at most {bar}x' if bar else ''}; first byte {found.first_s * 1000:.0f} ms"
        f"{f' of at most {FIRST_BYTE_MS}' if form == CSV else ''}; {found.size_mb:.0f} MB; "
        f"the server grew by {found.server_mb:.0f} MB of at most {SERVER_MB}, "
        f"the writing process to {found.worker_mb:.0f} MB"
        f"{f' of at most {XLSX_MB}' if form == XLSX else ''}"
    )


def exported(engine: Engine, form: Form, *, person: str = "bench@example.com") -> Exported:
    """Export everything as the server does, discarding the file."""
    before, began = resident_mb("self"), time.perf_counter()
    job = export_jobs.begin(order(engine, form, person))
    first_s, size, server_mb, worker_mb = 0.0, 0, 0.0, 0.0
    while not job.can_be_read:
        worker_mb = max(worker_mb, resident_mb(job.process.pid, peak=True))
        time.sleep(0.005)
    for piece in export_jobs.pieces(job):
        worker_mb = max(worker_mb, resident_mb(job.process.pid, peak=True))
        server_mb = max(server_mb, resident_mb("self") - before)
        if piece is None:
            time.sleep(0.01)
            continue
        first_s = first_s or time.perf_counter() - began
        size += len(piece)
    job.handed_over()
    return Exported(
        first_s=first_s,
        seconds=time.perf_counter() - began,
        rows=job.rows,
        size_mb=size / 1e6,
        worker_mb=worker_mb,
        server_mb=server_mb,
    )


def order(engine: Engine, form: Form, person: str) -> Order:
    """Return the order for every application with every column."""
    return Order(
        selection=OfView(view=EVERYTHING), form=form, exported_by=person, now=moment(engine)
    )


def copied(engine: Engine) -> float:
    """Return the seconds that ``\\copy`` of the same query takes."""
    with engine.connect() as connection:
        context = judging.read_context(connection, now=moment(engine))
        made = queries.statement(EVERYTHING, context, write=cells.guarded)
        compiled = made.compile(
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        driver = connection.connection.driver_connection
        query = psycopg.ClientCursor(driver).mogrify(str(compiled), compiled.params)
    command = f"\\copy ({' '.join(query.split())}) to /dev/null with (format csv, header)"
    server = address(engine).replace("postgresql+psycopg", "postgresql")
    began = time.perf_counter()
    subprocess.run(
        [binaries() / "psql", server, "-c", "set work_mem = '256MB'", "-c", command],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def beside(
    engine: Engine,
    name: str,
    act: Callable[[Engine], object],
    prepare: Callable[[Engine], object],
    *,
    turns: int = 60,
) -> str:
    """Time an act while several exports run."""
    jobs: list[Job] = [
        export_jobs.begin(order(engine, CSV, f"bench{number}@example.com"))
        for number in range(TOGETHER)
    ]
    for job in jobs:
        threading.Thread(target=_drain, args=[job], daemon=True).start()
    took = []
    for _ in range(turns):
        prepare(engine)
        began = time.perf_counter()
        act(engine)
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(0.1)
    running = sum(job.ending is None for job in jobs)
    for job in jobs:
        job.cancel()
    # Wait for the threads that write log entries, since the log is replaced until then.
    for thread in threading.enumerate():
        if thread.name == "export-log":
            thread.join()
    p95 = statistics.quantiles(took, n=20)[-1]
    return (
        f"{name}, beside {TOGETHER} exports ({running} still ran at the end): median "
        f"{statistics.median(took):.0f} ms, p95 {p95:.0f} ms of at most {P95_MS}"
    )


def _drain(job: Job) -> None:
    while not job.can_be_read:
        time.sleep(0.02)
    try:
        for piece in export_jobs.pieces(job):
            time.sleep(0 if piece else 0.02)
    except (files.DatabaseUnavailable, export_jobs.Refusal, FileNotFoundError):
        return


def resident_mb(process: int | str, *, peak: bool = False) -> float:
    """Return the current or peak memory of a process in MB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0

"""Exports for people in the browser: each in its own process, into a spool file.

The database is read as fast as it delivers, whatever the reader's bandwidth; the reader is served
from the spool. So no transaction waits for a reader, and a reader who disconnects ends their own
export.

Running exports are in ``review.jobs``, where every dashboard process sees them and can cancel them.
`Job` is the serving process's handle on its child process and its file.
"""

import atexit
import json
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from data_access.db import database, locks
from data_access.db.errors import Refusal
from data_access.exports import files
from data_access.exports import spool as export_spool
from data_access.exports.files import Order
from data_access.exports.target import naming
from data_access.people import job_leases
from data_access.people import jobs as people_jobs
from data_access.people.identities import known_by
from data_access.people.job_leases import Held
from data_access.people.jobs import JobKind, NewJob, State
from program.reports.export_formats import AT_ONCE, AT_ONCE_EACH, Ending, FileFormat

LOG = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent.parent
PIECE_BYTES = 1 << 18
# How long an ended export is shown, so that its owner sees how it ended.
SEEN_FOR = timedelta(seconds=30)
LOG_TRIES_S = (1.0, 3.0, 6.0)
FAILED = (
    "The export failed, so the file is incomplete. "
    "Export again; if it fails again, tell an administrator."
)
HUNG_UP = "The download was interrupted, so the file is incomplete. Export again."


class TooManyExports(Refusal):
    """The server runs as many exports as it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One of a person's exports as every process sees it, with the number of rows so far."""

    job_id: UUID
    file_name: str
    rows: int
    expected: int | None
    ending: Ending | None
    sentence: str


@dataclass(slots=True)
class Job:
    """One export that this process serves. ``rows`` is the number of rows so far."""

    order: Order
    process: subprocess.Popen[str]
    folder: Path
    held: Held
    ending: Ending | None = None
    sentence: str = ""
    _written: threading.Event = field(default_factory=threading.Event)
    _begun: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def job_id(self) -> UUID:
        """The job's id in ``review.jobs``."""
        return self.held.job_id

    @property
    def rows(self) -> int:
        """The number of rows written."""
        return self.held.done

    @property
    def path(self) -> Path:
        """The spool file."""
        return self.folder / "file"

    @property
    def is_written(self) -> bool:
        """Whether the process has ended, successfully or not."""
        return self._written.is_set()

    @property
    def can_be_read(self) -> bool:
        """Whether the file can be read, or never will be."""
        if self.is_written:
            return True
        if self.order.form.file_format is FileFormat.CSV:
            return self.path.exists() and self.path.stat().st_size > 0
        # By then the limits on its size have been checked.
        return self._begun.is_set()

    def cancel(self) -> None:
        """Cancel it for its owner."""
        self._end(Ending.CANCELLED, "Canceled. The file is incomplete.")

    def hang_up(self) -> None:
        """Record that nobody reads any more; has no effect after the last byte."""
        self._end(Ending.CANCELLED, HUNG_UP)

    def handed_over(self) -> None:
        """Record that the last byte is about to be sent; returns when the log entry is written."""
        self._end(Ending.COMPLETE, f"{self.rows:,} rows exported.", wait=True)

    def watch(self) -> None:
        """Read the process's reports until it ends; runs in its own thread."""
        assert self.process.stdout is not None
        report: dict[str, Any] = {}
        with self.process.stdout as lines:
            for line in lines:
                report = json.loads(line)
                self.held.done = report.get("rows", self.rows)
                if not {"refused", "failed"} & report.keys():
                    # A refusal or a failure is reported as a sentence, without a file.
                    self._begun.set()
        self.process.wait()
        if not report.get("done"):
            self._end(Ending.FAILED, report.get("refused") or FAILED)
        self._written.set()

    def _end(self, ending: Ending, sentence: str, *, wait: bool = False) -> None:
        with self._lock:
            if self.ending is not None:
                return
            self.ending, self.sentence = ending, sentence
        # Its connection closes with it, and its query ends within a second.
        self.process.kill()
        tidying = threading.Thread(target=self._tidy, name="export-log")
        tidying.start()
        if wait:
            tidying.join()

    def _tidy(self) -> None:
        self.process.wait()
        assert self.ending is not None
        outcome = self.ending

        def log(connection: Connection) -> None:
            files.record(connection, self.order, rows=self.rows, outcome=outcome)

        shutil.rmtree(self.folder, ignore_errors=True)
        self.held.end(outcome, self.sentence, also=log)
        for wait in LOG_TRIES_S:
            if self.held.is_over():
                return
            time.sleep(wait)
        # While this process lives it renews the lease and retries the end.
        LOG.error(
            "not in the export log yet: %s took %s rows of %s",
            *(self.order.exported_by, self.rows, self.order.selection.dataset),
        )


# Child processes that wait for an export; safe to lose.
_waiting: list[subprocess.Popen[str]] = []
_serving: list[subprocess.Popen[str]] = []
_lock = threading.Lock()


def begin(order: Order, *, expected: int | None = None) -> Job:
    """Start writing the file. Raises TooManyExports, or Unwritable if there is no space."""
    engine = database.writer()
    with database.acting(engine) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(locks.EXPORT_JOBS)))
        _require_room(connection, order.exported_by)
        with naming(f"The server's folder for exports, {export_spool.SPOOL},"):
            folder = export_spool.new_folder()
        new_job = NewJob(
            job_id=uuid4(),
            kind=JobKind.EXPORT,
            person=order.exported_by,
            request=order.to_json(),
            expected=expected,
            folder=str(folder),
        )
        lease = people_jobs.claim(connection, new_job)
    assert lease is not None
    job = Job(
        order=order,
        process=_worker(),
        folder=folder,
        held=Held(engine=engine, job_id=new_job.job_id, lease=lease),
    )
    job.held.cancel = job.cancel
    job_leases.hold(job.held)
    _give_order(job)
    threading.Thread(target=job.watch, name="export", daemon=True).start()
    threading.Thread(target=prepare, name="export-prepare", daemon=True).start()
    return job


def _worker() -> subprocess.Popen[str]:
    """Return a waiting process, or a new one."""
    with _lock:
        process = _waiting.pop() if _waiting and _waiting[-1].poll() is None else _start()
        _serving[:] = [one for one in _serving if one.poll() is None] + [process]
    return process


def _give_order(job: Job) -> None:
    assert job.process.stdin is not None
    order = {"order": job.order.to_json(), "path": str(job.path)}
    try:
        job.process.stdin.write(json.dumps(order) + "\n")
        job.process.stdin.close()
    except OSError:
        LOG.warning("the export process ended before it started")


def prepare() -> None:
    """Start a process that waits for the next export, if there is none."""
    with _lock:
        for process in [process for process in _waiting if process.poll() is not None]:
            # It ended because the database did not respond.
            process.communicate()
            _waiting.remove(process)
        if not _waiting:
            _waiting.append(_start())


@known_by("person")
def of(person: str) -> list[Shown]:
    """Return the person's running exports and those that just ended, oldest first."""
    found = _of(person)
    if any(job.state is State.LEFT for job in found):
        end_orphaned()
        found = _of(person)
    return [_shown(job) for job in found]


def _of(person: str) -> list[people_jobs.Job]:
    with database.reading(database.reader()) as connection:
        return people_jobs.of(connection, kind=JobKind.EXPORT, person=person, seen_for=SEEN_FOR)


def _shown(job: people_jobs.Job) -> Shown:
    return Shown(
        job_id=job.job_id,
        file_name=Order.from_json(job.request).file_name,
        rows=job.done,
        expected=job.expected,
        ending=None if job.outcome is None else Ending(job.outcome),
        sentence=job.sentence,
    )


@known_by("actor")
def cancel(job_id: UUID, *, actor: str) -> None:
    """Cancel the actor's own export; any other, or an ended one, is left alone."""
    job_leases.cancel(database.writer(), job_id, actor=actor)


def end_orphaned() -> None:
    """End the exports whose server is gone: a log entry, and a sentence for their owner."""
    with database.acting(database.writer()) as connection:
        for job in people_jobs.take_left(
            connection, JobKind.EXPORT, outcome=Ending.FAILED, sentence=_left_sentence
        ):
            order = Order.from_json(job.request)
            files.record(connection, order, rows=job.done, outcome=Ending.FAILED)


def _left_sentence(job: people_jobs.Job) -> str:
    of = f" of {job.expected:,}" if job.expected else ""
    done = f"{job.done:,}{of} rows were written"
    return f"Ended unfinished: {people_jobs.STOPPED}; {done}. Export again."


def clear() -> None:
    """Clean up after servers that are gone; call it when a server starts."""
    try:
        end_orphaned()
        people_jobs.forget_old(database.writer())
    except (Refusal, SQLAlchemyError):
        LOG.warning("the export log cannot be written now", exc_info=True)
    export_spool.clear()


def pieces(job: Job) -> Iterator[bytes | None]:
    """Yield the growing file in pieces, and ``None`` while the next piece is not written.

    The caller reports the end with `Job.handed_over`. Raises Refusal if the export failed, so that
    nobody takes half a file for a whole one.
    """
    with job.path.open("rb") as spool:
        while True:
            # Checked before reading: everything written until then is read below.
            finished = job.is_written
            piece = spool.read(PIECE_BYTES)
            if piece:
                yield piece
            elif job.ending is not None:
                raise Refusal(job.sentence)
            elif finished:
                return
            else:
                yield None


@atexit.register
def stop() -> None:
    """End every export and every waiting process."""
    with _lock:
        unused, serving = [*_waiting], [*_serving]
        _waiting.clear()
        _serving.clear()
    for process in [*unused, *serving]:
        process.kill()
        process.wait()
    for process in unused:
        process.communicate()


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "data_access.exports.worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _require_room(connection: Connection, person: str) -> None:
    """Raise TooManyExports if as many run as may, in all processes."""
    running = Counter(people_jobs.running(connection, JobKind.EXPORT))
    if running.total() >= AT_ONCE:
        raise TooManyExports(
            f"{running.total()} exports are running, the server's limit. "
            "Try again when one has ended."
        )
    if running[person] >= AT_ONCE_EACH:
        raise TooManyExports(
            f"You already have {running[person]} running exports. Wait for one, or cancel one."
        )

"""Exports that run for people in the browser: each in a process of its own, into a spool file.

The database is read as fast as it gives, whatever the reader's line; the reader is served
from the spool. So no transaction waits for anybody, and one who hangs up ends their own.
"""

import atexit
import json
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.exc import SQLAlchemyError

from data_access.db.errors import Refusal
from data_access.exports import files
from data_access.exports import spool as export_spool
from data_access.exports.files import Order
from data_access.exports.target import naming
from data_access.people.identities import known_by
from program.reports.export_formats import AT_ONCE, AT_ONCE_EACH, Ending, FileFormat

LOG = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent.parent
PIECE_BYTES = 1 << 18
# An ended export stays in sight so long, so that its asker sees how it ended.
SEEN_FOR_S = 30.0
LOG_TRIES_S = (0.0, 1.0, 3.0, 6.0)
FAILED = (
    "The export failed, so the file is incomplete. "
    "Export again; if it fails again, tell an administrator."
)
HUNG_UP = "The download was interrupted, so the file is incomplete. Export again."


class TooManyExports(Refusal):
    """As many exports run as the server takes."""


@dataclass(slots=True)
class Job:
    """One export on its way. ``rows`` are those written so far, of ``expected`` at a guess."""

    order: Order
    process: subprocess.Popen[str]
    folder: Path
    expected: int | None = None
    job_id: UUID = field(default_factory=uuid4)
    rows: int = 0
    ending: Ending | None = None
    sentence: str = ""
    ended_at: float | None = None
    _written: threading.Event = field(default_factory=threading.Event)
    _begun: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _noting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def path(self) -> Path:
        """The spool file."""
        return self.folder / "file"

    @property
    def is_written(self) -> bool:
        """Whether the process has ended, well or not."""
        return self._written.is_set()

    @property
    def can_be_read(self) -> bool:
        """Whether there is something to hand over, or never will be."""
        if self.is_written:
            return True
        if self.order.form.file_format is FileFormat.CSV:
            return self.path.exists() and self.path.stat().st_size > 0
        # What can be refused for its size has then been counted.
        return self._begun.is_set()

    def cancel(self) -> None:
        """Stop it for whoever asked for it."""
        self._end(Ending.CANCELLED, "Canceled. The file is incomplete.")

    def hang_up(self) -> None:
        """Note that nobody reads any more; after the last byte this changes nothing."""
        self._end(Ending.CANCELLED, HUNG_UP)

    def handed_over(self) -> None:
        """Note that the last byte is about to leave; returns when the log has its line."""
        self._end(Ending.COMPLETE, f"{self.rows:,} rows exported.", wait=True)

    def follow(self) -> None:
        """Read what the process tells until it ends; runs in a thread of its own."""
        assert self.process.stdout is not None
        told: dict[str, Any] = {}
        with self.process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                self.rows = told.get("rows", self.rows)
                self._note()
                if not {"refused", "failed"} & told.keys():
                    # Otherwise there is a sentence to hand over, and no file.
                    self._begun.set()
        self.process.wait()
        if not told.get("done"):
            self._end(Ending.FAILED, told.get("refused") or FAILED)
        self._written.set()

    def _end(self, ending: Ending, sentence: str, *, wait: bool = False) -> None:
        with self._lock:
            if self.ending is not None:
                return
            self.ending, self.sentence, self.ended_at = ending, sentence, time.monotonic()
        # Its connection goes with it, and the query within the second.
        self.process.kill()
        tidying = threading.Thread(target=self._tidy, name="export-log")
        tidying.start()
        if wait:
            tidying.join()

    def _note(self) -> None:
        with self._noting:
            export_spool.note(self.folder, self.order, rows=self.rows, ending=self.ending)

    def _tidy(self) -> None:
        self.process.wait()
        self.path.unlink(missing_ok=True)
        self._note()
        assert self.ending is not None
        for wait in LOG_TRIES_S:
            time.sleep(wait)
            try:
                files.keep(self.order, rows=self.rows, outcome=self.ending)
            except (Refusal, SQLAlchemyError):
                LOG.warning("the export log cannot be written now", exc_info=True)
            else:
                shutil.rmtree(self.folder, ignore_errors=True)
                return
        # Its note stays, from which the next server puts it into the log.
        LOG.error(
            "not in the export log yet: %s took %s rows of %s",
            *(self.order.exported_by, self.rows, self.order.selection.dataset),
        )


_jobs: dict[UUID, Job] = {}
_lock = threading.Lock()
_waiting: list[subprocess.Popen[str]] = []


def begin(order: Order, *, expected: int | None = None) -> Job:
    """Start writing the file. Raises TooManyExports, or Unwritable where there is no room."""
    with _lock:
        _forget()
        _require_room(order.exported_by)
        with naming(f"The server's folder for exports, {export_spool.SPOOL},"):
            folder = export_spool.new_folder()
        export_spool.note(folder, order, rows=0, ending=None)
        process = _waiting.pop() if _waiting and _waiting[-1].poll() is None else _start()
        job = Job(order=order, process=process, folder=folder, expected=expected)
        _jobs[job.job_id] = job
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps({"order": order.to_json(), "path": str(job.path)}) + "\n")
        process.stdin.close()
    except OSError:
        LOG.warning("the export process ended before it started")
    threading.Thread(target=job.follow, name="export", daemon=True).start()
    threading.Thread(target=prepare, name="export-prepare", daemon=True).start()
    return job


def prepare() -> None:
    """Have a process wait for the next export, where none does."""
    with _lock:
        for process in [process for process in _waiting if process.poll() is not None]:
            # It met a database that did not answer.
            process.communicate()
            _waiting.remove(process)
        if not _waiting:
            _waiting.append(_start())


@known_by("person")
def of(person: str, *, now: float | None = None) -> list[Job]:
    """The person's exports that run, and those that just ended, oldest first."""
    seen_from = (time.monotonic() if now is None else now) - SEEN_FOR_S
    with _lock:
        return [
            job
            for job in _jobs.values()
            if job.order.exported_by == person
            and (job.ended_at is None or job.ended_at >= seen_from)
        ]


@known_by("actor")
def cancel(job_id: UUID, *, actor: str) -> None:
    """Stop one's own export; what is not one's own, or has ended, is left alone."""
    with _lock:
        job = _jobs.get(job_id)
    if job is not None and job.order.exported_by == actor:
        job.cancel()


def pieces(job: Job) -> Iterator[bytes | None]:
    """The file as it grows: pieces, and ``None`` where the next is not written yet.

    Whoever hands them over says so at the end by `Job.handed_over`.
    Raises Refusal where it broke off, so that nobody takes half a file for a whole one.
    """
    with job.path.open("rb") as spool:
        while True:
            # Asked before reading: what was written until then is read below.
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
    """End every export and every process that waits for one."""
    with _lock:
        unused = [*_waiting]
        _waiting.clear()
        running = [job.process for job in _jobs.values()]
    for process in [*unused, *running]:
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


def _forget() -> None:
    long_ago = time.monotonic() - SEEN_FOR_S
    for job_id in [j.job_id for j in _jobs.values() if j.ended_at and j.ended_at < long_ago]:
        del _jobs[job_id]


def _require_room(person: str) -> None:
    running = [job for job in _jobs.values() if job.ending is None]
    if len(running) >= AT_ONCE:
        raise TooManyExports(
            f"{len(running)} exports run already, as many as the server takes. "
            "Try again when one has ended."
        )
    own = [job for job in running if job.order.exported_by == person]
    if len(own) >= AT_ONCE_EACH:
        raise TooManyExports(
            f"{len(own)} exports of yours run already. Wait for one, or cancel one."
        )

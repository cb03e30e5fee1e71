"""The jobs that this process does: their leases are renewed by a thread until each has ended.

What is kept here is about this process's own threads and children and dies with them. What other
processes have to know stands in ``review.jobs``.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import sleep
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from data_access.db import database
from data_access.db.errors import Refusal
from data_access.people import jobs
from data_access.people.identities import known_by

LOG = logging.getLogger(__name__)
RENEW_EVERY_S = 1.0


@dataclass(slots=True, kw_only=True)
class Held:
    """A job that this process does, with its lease.

    ``cancel`` is called when somebody asked for that in another process, or the lease was lost.
    """

    engine: Engine
    job_id: UUID
    lease: UUID
    cancel: Callable[[], None] = lambda: None
    done: int = 0
    _last_write: Callable[[Connection], None] | None = None

    def end(
        self,
        outcome: str,
        sentence: str = "",
        *,
        also: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """End the job and do ``also`` in the same transaction, if the lease still holds.

        Where the database does not answer it is tried again while the process lives.
        """

        def write(connection: Connection) -> None:
            ended = jobs.end(
                connection,
                self.job_id,
                self.lease,
                done=self.done,
                outcome=outcome,
                sentence=sentence,
            )
            if ended:
                also(connection)

        self._last_write = write
        self.is_over()

    def is_over(self) -> bool:
        """Whether the job has ended and that is written, which is tried here."""
        with _lock:
            if self.lease not in _held:
                return True
        if self._last_write is None:
            return False
        try:
            with database.acting(self.engine) as connection:
                self._last_write(connection)
        except (Refusal, SQLAlchemyError):
            LOG.warning("the end of a job cannot be written just now", exc_info=True)
            return False
        with _lock:
            _held.pop(self.lease, None)
        return True


_held: dict[UUID, Held] = {}
_lock = threading.Lock()
_renewing: threading.Thread | None = None


def hold(held: Held) -> Held:
    """Renew the lease from now on, until the job ends."""
    global _renewing
    with _lock:
        _held[held.lease] = held
        if _renewing is None:
            _renewing = threading.Thread(target=_renew, name="job-leases", daemon=True)
            _renewing.start()
    return held


@known_by("actor")
def cancel(engine: Engine, job_id: UUID, *, actor: str) -> None:
    """Stop one's own job, whichever process does it; any other is left alone."""
    if not jobs.ask_to_cancel(engine, job_id, actor=actor):
        return
    # What runs here need not wait for its next renewal.
    with _lock:
        here = [held for held in _held.values() if held.job_id == job_id]
    for held in here:
        held.cancel()


def _renew() -> None:
    global _renewing
    while True:
        sleep(RENEW_EVERY_S)
        with _lock:
            all_held = list(_held.values())
            if not all_held:
                _renewing = None
                return
        for held in all_held:
            if not held.is_over():
                _renew_one(held)


def _renew_one(held: Held) -> None:
    try:
        with database.acting(held.engine) as connection:
            asked = jobs.renew(connection, held.job_id, held.lease, done=held.done)
    except (Refusal, SQLAlchemyError):
        LOG.warning("the lease of a job cannot be renewed just now", exc_info=True)
        return
    if asked is not jobs.Renewed.HELD:
        held.cancel()
    if asked is jobs.Renewed.LOST:
        with _lock:
            _held.pop(held.lease, None)

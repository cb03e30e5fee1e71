"""The jobs of this process: a thread renews their leases until each has ended.

The state here is about this process's own threads and children. What other processes need to know
is in ``review.jobs``.
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
    """A job of this process, with its lease.

    ``cancel`` is called when another process asks for it, or when the lease was lost.
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
        """End the job and run ``also`` in the same transaction, if the lease still holds.

        Retries while the database does not respond and the process lives.
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
        """Return whether the job has ended and the end is stored; tries to store it."""
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
    """Cancel the actor's own job, whichever process runs it; any other job is left alone."""
    if not jobs.ask_to_cancel(engine, job_id, actor=actor):
        return
    # A job of this process need not wait for its next renewal.
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
            renewed = jobs.renew(connection, held.job_id, held.lease, done=held.done)
    except (Refusal, SQLAlchemyError):
        LOG.warning("the lease of a job cannot be renewed just now", exc_info=True)
        return
    if renewed is not jobs.Renewed.HELD:
        held.cancel()
    if renewed is jobs.Renewed.LOST:
        with _lock:
            _held.pop(held.lease, None)

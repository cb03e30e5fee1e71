"""Background jobs: one row each in ``review.jobs``, leased by the process that runs them.

Every dashboard process sees every job: its progress, its result, and whether somebody asked to
cancel it. The holder renews its lease while it lives. An expired lease means that the process is
gone; then any process may take the job, and exactly one does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from data_access.db import database, tables
from data_access.people.identities import known_by
from program.review import people

LEASE = timedelta(seconds=10)
# Shown for a job whose process is gone.
STOPPED = "the server stopped"
KEPT_FOR = timedelta(days=7)


class JobKind(StrEnum):
    """The type of a job."""

    EXPORT = "export"
    RUN = "run"
    IMPORT = "import"


class State(StrEnum):
    """The state of a job: running, ended by its holder, or left by a process that is gone."""

    RUNNING = "running"
    ENDED = "ended"
    LEFT = "left"


class Renewed(StrEnum):
    """The result of renewing a lease."""

    HELD = "held"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as stored. ``done`` of ``expected`` is its progress."""

    job_id: UUID
    kind: JobKind
    person: str
    request: Mapping[str, Any]
    done: int
    expected: int | None
    state: State
    outcome: str | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to start. ``request`` is the request as plain JSON values."""

    job_id: UUID
    kind: JobKind
    person: str
    request: Mapping[str, Any] = field(default_factory=dict)
    expected: int | None = None
    folder: str | None = None


def claim(connection: Connection, job: NewJob) -> UUID | None:
    """Take a job that is new, has ended, or lost its holder; ``None`` if another holds it.

    Returns the lease, which `job_leases.hold` renews after the transaction.
    """
    table, lease = tables.jobs, uuid4()
    fresh = {
        "lease": lease,
        "lease_until": func.clock_timestamp() + LEASE,
        "done": 0,
        "cancel_asked_at": None,
        "ended_at": None,
        "outcome": None,
        "sentence": "",
    }
    made = connection.execute(
        insert(table)
        .values(
            job_id=job.job_id,
            kind=str(job.kind),
            person=people.normal(job.person),
            request=dict(job.request),
            expected=job.expected,
            folder=job.folder,
            begun_at=func.clock_timestamp(),
            **fresh,
        )
        .on_conflict_do_nothing()
        .returning(table.c.job_id)
    ).first()
    if made is None:
        free = (
            select(table.c.job_id)
            .where(table.c.job_id == job.job_id, ~_is_running())
            .with_for_update(skip_locked=True)
        )
        taken = connection.execute(update(table).where(table.c.job_id.in_(free)).values(**fresh))
        if taken.rowcount == 0:
            return None
    return lease


def find(engine: Engine, job_id: UUID) -> Job | None:
    """Return a job by its id, or ``None``."""
    with database.reading(engine) as connection:
        row = connection.execute(_selected().where(tables.jobs.c.job_id == job_id)).first()
    return None if row is None else _job(row)


@known_by("person")
def of(connection: Connection, *, kind: JobKind, person: str, seen_for: timedelta) -> list[Job]:
    """Return a person's running jobs, and those that ended within ``seen_for``."""
    table = tables.jobs
    lately = table.c.ended_at > func.clock_timestamp() - seen_for
    rows = connection.execute(
        _selected()
        .where(
            table.c.kind == kind,
            table.c.person == person,
            or_(table.c.ended_at.is_(None), lately),
        )
        .order_by(table.c.begun_at, table.c.job_id)
    )
    return [_job(row) for row in rows]


def running(connection: Connection, kind: JobKind) -> Sequence[str]:
    """Return the people with running jobs of this kind, each once."""
    table = tables.jobs
    statement = select(table.c.person).where(table.c.kind == kind, _is_running())
    return connection.execute(statement).scalars().all()


@known_by("actor")
def ask_to_cancel(engine: Engine, job_id: UUID, *, actor: str) -> bool:
    """Ask the holder to stop; returns whether the job is the actor's and running."""
    table = tables.jobs
    with database.acting(engine) as connection:
        requested = connection.execute(
            update(table)
            .where(table.c.job_id == job_id, table.c.person == actor, table.c.ended_at.is_(None))
            .values(cancel_asked_at=func.clock_timestamp())
        )
    return requested.rowcount == 1


def renew(connection: Connection, job_id: UUID, lease: UUID, *, done: int) -> Renewed:
    """Renew a lease and store the progress."""
    table = tables.jobs
    cancelled = connection.execute(
        update(table)
        .where(table.c.job_id == job_id, table.c.lease == lease, table.c.ended_at.is_(None))
        .values(lease_until=func.clock_timestamp() + LEASE, done=done)
        .returning(table.c.cancel_asked_at.is_not(None))
    ).scalar_one_or_none()
    if cancelled is None:
        return Renewed.LOST
    return Renewed.CANCELLED if cancelled else Renewed.HELD


def end(
    connection: Connection, job_id: UUID, lease: UUID, *, done: int, outcome: str, sentence: str
) -> bool:
    """End a job; returns whether the lease still held."""
    table = tables.jobs
    ended = connection.execute(
        update(table)
        .where(table.c.job_id == job_id, table.c.lease == lease, table.c.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), done=done, outcome=outcome, sentence=sentence)
    )
    return ended.rowcount == 1


def take_left(
    connection: Connection, kind: JobKind, *, outcome: str, sentence: Callable[[Job], str]
) -> list[Job]:
    """End the jobs whose process is gone; each is returned to one caller only."""
    table = tables.jobs
    rows = connection.execute(
        _selected()
        .where(table.c.kind == kind, table.c.ended_at.is_(None), ~_is_running())
        .with_for_update(skip_locked=True)
    )
    left = [_job(row) for row in rows]
    for job in left:
        connection.execute(
            update(table)
            .where(table.c.job_id == job.job_id)
            .values(ended_at=func.clock_timestamp(), outcome=outcome, sentence=sentence(job))
        )
    return left


def forget_old(engine: Engine) -> None:
    """Remove jobs that ended long ago."""
    table = tables.jobs
    with database.acting(engine) as connection:
        long_ago = func.clock_timestamp() - KEPT_FOR
        connection.execute(delete(table).where(table.c.lease_until < long_ago))


def _is_running() -> ColumnElement[bool]:
    table = tables.jobs
    return table.c.ended_at.is_(None) & (table.c.lease_until > func.clock_timestamp())


def _selected() -> Select[Any]:
    table = tables.jobs
    state = case(
        (table.c.ended_at.is_not(None), State.ENDED),
        (_is_running(), State.RUNNING),
        else_=State.LEFT,
    )
    return select(table, state.label("state"))


def _job(row: Row[Any]) -> Job:
    return Job(
        job_id=row.job_id,
        kind=JobKind(row.kind),
        person=row.person,
        request=row.request,
        done=row.done,
        expected=row.expected,
        state=State(row.state),
        outcome=row.outcome,
        sentence=row.sentence,
    )

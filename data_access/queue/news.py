"""Count what changed since a person last looked; cheap enough for frequent polling."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, func, select, union

from data_access.db import tables
from data_access.people.identities import known_by
from program.messages.delivery import DELIVERY
from program.review.workflow import Move, Status

DECIDING = (Move.APPROVE, Move.REJECT, Move.CONFIRM)
ELDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The newest event, application and pending arrival at one time."""

    event_id: int
    application_id: int
    submitted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Numbers of applications that arrived, and that colleagues decided or moved."""

    arrived: int = 0
    decided: int = 0
    moved: int = 0

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return self != News()


# Columns of a statement, as `pulse_of` reads them.
PULSE = """
(select max(event_id) from review.events) as newest_event,
(select max(application_id) from exchange.applications) as newest_application,
(select max(submitted_at) from exchange.applications where status = 'pending') as newest_arrival
"""


def pulse_of(row: RowMapping) -> Pulse:
    """Return the pulse in the columns of `PULSE`."""
    return Pulse(
        event_id=row["newest_event"] or 0,
        application_id=row["newest_application"] or 0,
        submitted_at=row["newest_arrival"] or ELDEST,
    )


@known_by("viewer")
def since(connection: Connection, pulse: Pulse, *, viewer: str) -> News:
    """Count what happened after ``seen``, except what ``viewer`` did.

    An arrival has an id or a time beyond the highest that was seen. Upstream assigns the ids of
    applications, so that either alone could miss one.
    """
    event, application = tables.events.c, tables.applications.c
    waits = application.status == Status.PENDING
    # A union, not an "or": each half reads the end of an index.
    arrived = union(
        select(application.application_id).where(
            waits, application.application_id > pulse.application_id
        ),
        select(application.application_id).where(
            waits, application.submitted_at > pulse.submitted_at
        ),
    ).subquery()
    is_decision = event.kind.in_(DECIDING)
    subject = event.application_id.distinct()
    counts = (
        select(
            func.count(subject).filter(is_decision).label("decided"),
            func.count(subject).filter(~is_decision).label("moved"),
        )
        .where(event.event_id > pulse.event_id, event.actor.not_in((viewer, DELIVERY)))
        .subquery()
    )
    row = connection.execute(
        select(
            select(func.count()).select_from(arrived).scalar_subquery().label("arrived"),
            counts.c.decided,
            counts.c.moved,
        )
    ).one()
    return News(arrived=row.arrived, decided=row.decided, moved=row.moved)

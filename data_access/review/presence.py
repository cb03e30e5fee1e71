"""Watch one application while its page is open; cheap enough for a poll every few seconds."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from data_access.applications import read
from data_access.applications.read import Application
from data_access.db import tables
from data_access.people.identities import known_by
from data_access.review import claims
from program.messages.delivery import DELIVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """An application's current state, its other viewers, and how much others have written.

    ``others_wrote`` counts all entries on the thread that are not the viewer's; the difference of
    two glances is what is new.
    """

    application: Application
    viewers: tuple[str, ...]
    others_wrote: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Who changed the status last, and when."""

    by: str
    at: datetime


@known_by("viewer")
def glance(connection: Connection, application_id: int, *, viewer: str, now: datetime) -> Glance:
    """Return an application's state as ``viewer`` sees it; raises NotFound."""
    return Glance(
        application=read.read(connection, application_id, now=now),
        viewers=tuple(
            claims.other_viewers(connection, application_id=application_id, actor=viewer, now=now)
        ),
        others_wrote=others_wrote(connection, application_id, viewer=viewer),
    )


@known_by("viewer")
def others_wrote(connection: Connection, application_id: int, *, viewer: str) -> int:
    """Count the notes, observations, checks and events of others, in one statement."""
    written = (
        (tables.notes, tables.notes.c.author),
        (tables.evidence, tables.evidence.c.recorded_by),
        (tables.checks, tables.checks.c.author),
        (tables.events, tables.events.c.actor),
    )
    each = [
        select(func.count())
        .select_from(table)
        .where(table.c.application_id == application_id, by.not_in((viewer, DELIVERY)))
        .scalar_subquery()
        for table, by in written
    ]
    total: int = connection.execute(select(sum(each[1:], each[0]))).scalar_one()
    return total


def last_move(connection: Connection, application_id: int) -> Moved | None:
    """Return the newest event that changed the status; ``None`` if only upstream did."""
    event = tables.events
    row = connection.execute(
        select(event.c.actor, event.c.at)
        .where(event.c.application_id == application_id, event.c.detail.has_key("status"))
        .order_by(event.c.event_id.desc())
        .limit(1)
    ).first()
    return Moved(by=row.actor, at=row.at) if row is not None else None

"""Watch one application while its page is open; cheap enough for a poll every few seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, bindparam, func, select

from data_access.applications import read
from data_access.applications.read import NOW, Application
from data_access.db import tables
from data_access.db.records import APPLICATION_ID
from data_access.people.identities import known_by
from data_access.review import written

VIEWING_FOR = timedelta(seconds=30)
# A parameter of statements that are built once: whose page it is.
VIEWER = bindparam("viewer", type_=Text())


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


def viewers() -> ColumnElement[Sequence[str]]:
    """Return the addresses of the application's viewers besides `VIEWER`, as a column."""
    table = tables.viewers
    found = (
        select(table.c.email)
        .where(
            table.c.application_id == APPLICATION_ID,
            table.c.email != VIEWER,
            table.c.seen_at > NOW - VIEWING_FOR,
        )
        .order_by(table.c.email)
    )
    return func.array(found.scalar_subquery(), type_=ARRAY(Text())).label("viewers")


_GLANCE = read.selected().add_columns(viewers(), written.count_by_others(VIEWER))


@known_by("viewer")
def glance(connection: Connection, application_id: int, *, viewer: str, now: datetime) -> Glance:
    """Return an application's state as ``viewer`` sees it; raises NotFound."""
    row = read.row_of(connection, _GLANCE, application_id, now=now, viewer=viewer)
    return Glance(
        application=read.of_row(row), viewers=viewers_of(row), others_wrote=row["others_wrote"]
    )


def viewers_of(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return the addresses in the column of `viewers`."""
    return tuple(row["viewers"])


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

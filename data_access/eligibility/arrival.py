"""Read what the frame of every page shows: the person signed in, and the newest refresh."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, true

from data_access.db import tables
from data_access.eligibility import freshness
from data_access.eligibility.freshness import Freshness
from data_access.people import sessions, staff
from data_access.people.staff import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An active member of staff who opens a page; ``newest`` is the newest refresh, if any."""

    person: Person
    newest: Freshness | None


_NEWEST = select(tables.refreshes).order_by(tables.refreshes.c.refresh_id.desc()).limit(1)
_REFRESH = _NEWEST.subquery("refresh")
_ARRIVAL = (
    select(tables.staff, _REFRESH)
    .select_from(sessions.WITH_STAFF.outerjoin(_REFRESH, true()))
    .where(sessions.OPEN)
)


def read(connection: Connection, *, key: str) -> Arrival | None:
    """Return the arrival of the active member of staff with this session, or ``None``."""
    query = _ARRIVAL.where(tables.sessions.c.session_key == key)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    newest = freshness.of_row(row) if row["refresh_id"] is not None else None
    return Arrival(person=staff.of_row(row), newest=newest)

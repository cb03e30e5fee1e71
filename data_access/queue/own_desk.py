"""Read what the queue shows of its person: settings, the newest bulk run, and colleagues' names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from data_access.db import tables
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.people.staff import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDesk:
    """A person's settings by name, and their newest run of the named acts.

    ``colleagues`` are all who are or were on the staff.
    """

    settings: Mapping[str, Any]
    newest_run: UUID | None
    colleagues: Sequence[Person]


@known_by("viewer")
def read(
    connection: Connection, *, viewer: str, settings: Sequence[str], acts: Sequence[str]
) -> OwnDesk:
    """Return the desk of a member of staff, in one query."""
    setting, run = tables.preferences.c, tables.bulk_runs.c
    own = select(func.jsonb_object_agg(setting.name, setting.value)).where(
        setting.email == viewer, setting.name.in_(settings)
    )
    newest = (
        select(run.request_id)
        .where(run.actor == viewer, run.act.in_(acts))
        .order_by(run.at.desc())
        .limit(1)
    )
    query = select(
        tables.staff,
        own.scalar_subquery().label("settings"),
        newest.scalar_subquery().label("newest_run"),
    )
    rows = connection.execute(query).mappings().all()
    return OwnDesk(
        settings=(rows[0]["settings"] if rows else None) or {},
        newest_run=rows[0]["newest_run"] if rows else None,
        colleagues=[staff.of_row(row) for row in rows],
    )

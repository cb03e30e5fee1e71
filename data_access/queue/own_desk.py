"""Read what the queue shows of its person: settings, the newest bulk run, and colleagues' names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, func, select

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


SETTING, RUN = tables.preferences.c, tables.bulk_runs.c
VIEWER = bindparam("viewer", type_=Text)
SETTINGS = select(func.jsonb_object_agg(SETTING.name, SETTING.value)).where(
    SETTING.email == VIEWER, SETTING.name == any_(bindparam("settings", type_=ARRAY(Text)))
)
NEWEST_RUN = (
    select(RUN.request_id)
    .where(RUN.actor == VIEWER, RUN.act == any_(bindparam("acts", type_=ARRAY(Text))))
    .order_by(RUN.at.desc())
    .limit(1)
)
OWN_DESK = select(
    tables.staff,
    SETTINGS.scalar_subquery().label("settings"),
    NEWEST_RUN.scalar_subquery().label("newest_run"),
)


@known_by("viewer")
def read(
    connection: Connection, *, viewer: str, settings: Sequence[str], acts: Sequence[str]
) -> OwnDesk:
    """Return the desk of a member of staff, in one query."""
    given = {"viewer": viewer, "settings": list(settings), "acts": list(acts)}
    rows = connection.execute(OWN_DESK, given).mappings().all()
    return OwnDesk(
        settings=(rows[0]["settings"] if rows else None) or {},
        newest_run=rows[0]["newest_run"] if rows else None,
        colleagues=[staff.of_row(row) for row in rows],
    )

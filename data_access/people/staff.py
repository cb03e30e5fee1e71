"""Staff, read from the database for every act, so that changes apply at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from data_access.db import tables
from data_access.db.errors import NotAllowed
from data_access.people.identities import known_by
from program.review import people
from program.review.permissions import Act, Role, may


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of staff who may sign in."""

    email: str
    display_name: str
    role: Role

    def may(self, act: Act) -> bool:
        """Return whether this person may do ``act``; for drawing buttons. Verbs call `require`."""
        return may(self.role, act)


@known_by("email")
def find(connection: Connection, email: str) -> Person | None:
    """Return the active member of staff with this address in any case, or ``None``."""
    if people.fault(email) is not None:
        # Not an address, and perhaps not storable text.
        return None
    table = tables.staff
    query = select(table).where(table.c.email == email, table.c.active)
    row = connection.execute(query).mappings().first()
    return None if row is None else of_row(row)


def of_row(row: Mapping[Any, Any]) -> Person:
    """Return the person in the columns of ``review.staff``."""
    return Person(email=row["email"], display_name=row["display_name"], role=Role(row["role"]))


# All active staff, by role and name.
EVERYONE = (
    select(tables.staff)
    .where(tables.staff.c.active)
    .order_by(tables.staff.c.role, tables.staff.c.email)
)


def everyone(connection: Connection) -> list[Person]:
    """Return all active staff, by role and name."""
    return [of_row(row) for row in connection.execute(EVERYONE).mappings()]


@known_by("actor")
def require(connection: Connection, actor: str, act: Act) -> Person:
    """Return the actor if their role in the database allows ``act``; raises NotAllowed."""
    person = find(connection, actor)
    require_role(person.role if person else None, act)
    assert person is not None
    return person


def require_role(role: str | None, act: Act) -> None:
    """Raise NotAllowed unless the role allows ``act``; ``None`` is somebody not on the list."""
    if role is None:
        raise NotAllowed("You are not on the staff list. Ask an administrator.")
    if not may(Role(role), act):
        raise NotAllowed(f"Your role, {role}, may not {act}.")

"""Who the people are. Read from the database at every act, so a change counts at once."""

from dataclasses import dataclass

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
        """Whether this person may do ``act``; draws buttons, while `require` guards verbs."""
        return may(self.role, act)


@known_by("email")
def find(connection: Connection, email: str) -> Person | None:
    """The active member of staff with this address, in any case; ``None`` if there is none."""
    if people.fault(email) is not None:
        # Nobody's address, and perhaps nothing that the database could be asked for.
        return None
    table = tables.staff
    row = connection.execute(select(table).where(table.c.email == email, table.c.active)).first()
    if row is None:
        return None
    return Person(email=row.email, display_name=row.display_name, role=Role(row.role))


def everyone(connection: Connection) -> list[Person]:
    """All active staff, by role and name."""
    table = tables.staff
    rows = connection.execute(
        select(table).where(table.c.active).order_by(table.c.role, table.c.email)
    )
    return [
        Person(email=row.email, display_name=row.display_name, role=Role(row.role)) for row in rows
    ]


@known_by("actor")
def require(connection: Connection, actor: str, act: Act) -> Person:
    """The actor, if their role in the database allows ``act`` now; raises NotAllowed."""
    person = find(connection, actor)
    require_role(person.role if person else None, act)
    assert person is not None
    return person


def require_role(role: str | None, act: Act) -> None:
    """Raise NotAllowed unless the role, ``None`` for somebody not on the list, allows ``act``."""
    if role is None:
        raise NotAllowed("You are not on the staff list. Ask an administrator.")
    if not may(Role(role), act):
        raise NotAllowed(f"Your role, {role}, may not {act}.")

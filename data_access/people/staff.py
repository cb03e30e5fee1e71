"""Staff, read from the database for every act, so that changes apply at once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, bindparam, func, select

from data_access.db import tables
from data_access.db.errors import Invalid, NotAllowed
from data_access.people.identities import known_by
from program import wording
from program.review import people
from program.review.permissions import Act, Role, may

NOBODY_YET = "Nobody is on the staff list yet. Add the first administrator:"
ADD_FIRST = "python -m data_access staff add you@example.com --role admin --name 'Your Name'"


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


# A CTE: the active member of staff who acts. Statements that run often check the role with it.
ACTING = """person as (
    select email, role from review.staff where email = :actor and active
)"""
# All active staff, by role and name.
EVERYONE = (
    select(tables.staff)
    .where(tables.staff.c.active)
    .order_by(tables.staff.c.role, tables.staff.c.email)
)


# Everybody who is or was on the staff: whoever acted keeps their name.
EVER = select(tables.staff)


def everyone(connection: Connection) -> list[Person]:
    """Return all active staff, by role and name."""
    return [of_row(row) for row in connection.execute(EVERYONE).mappings()]


def names(connection: Connection) -> dict[str, str]:
    """Return the names of everybody who is or was on the staff, by address: see `names_of`."""
    return names_of(map(of_row, connection.execute(EVER).mappings()))


@known_by("email")
def name_of(connection: Connection, email: str) -> str:
    """Return a person's name for a sentence; the address if they never were on the staff."""
    return names(connection).get(email, email)


def names_of(people: Iterable[Person]) -> dict[str, str]:
    """Return names by address; with the address if several people have the same name."""
    listed = list(people)
    held = Counter(one.display_name for one in listed)
    return {
        one.email: one.display_name
        if held[one.display_name] == 1
        else f"{one.display_name} ({one.email})"
        for one in listed
    }


def _on_leave(day: ColumnElement[date]) -> ColumnElement[bool]:
    leave = tables.leave
    return (
        select(leave.c.leave_id)
        .where(
            leave.c.email == tables.staff.c.email, day.between(leave.c.first_day, leave.c.last_day)
        )
        .exists()
    )


# Active staff who are not on leave on the day bound as `TODAY`.
TODAY = bindparam("today", type_=Date)
PRESENT = EVERYONE.where(~_on_leave(TODAY))


def assignable(connection: Connection, *, today: date) -> list[Person]:
    """Return whom applications may be assigned to on this day, by role and name."""
    rows = connection.execute(PRESENT, {TODAY.key: today}).mappings()
    return [person for person in map(of_row, rows) if person.may(Act.CLAIM)]


@known_by("email")
def require_assignable(connection: Connection, email: str, *, today: date) -> Person:
    """Return the person if applications may be assigned to them on this day; raises Invalid."""
    person = find(connection, email)
    if person is None or not person.may(Act.CLAIM):
        raise Invalid("Choose a colleague who reviews applications.")
    leave = tables.leave
    until = connection.execute(
        select(func.max(leave.c.last_day)).where(
            leave.c.email == person.email, leave.c.first_day <= today, leave.c.last_day >= today
        )
    ).scalar()
    if until is not None:
        who = name_of(connection, person.email)
        raise Invalid(f"{who} is on leave through {wording.day(until)}. Choose another colleague.")
    return person


def nobody_yet(connection: Connection) -> bool:
    """Return whether no active person is on the staff list."""
    return connection.execute(EVERYONE.limit(1)).first() is None


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

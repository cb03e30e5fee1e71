"""Leave: the days on which nothing is assigned to a person. Who set them is in the staff's events.

Days are UTC and stored as first and last day; here they are half-open, as all windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from sqlalchemy import Connection, Engine, delete, insert, select

from data_access.db import tables
from data_access.db.errors import Invalid, NotFound, NotInState
from data_access.people import staff, staff_changes
from data_access.people.identities import known_by
from data_access.people.staff_changes import Change, StaffCommand
from program import wording
from program.periods import ONE_DAY, Window, utc_day
from program.review.permissions import Act

LONGEST = timedelta(days=366)
FURTHEST = timedelta(days=2 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """One leave of a person."""

    leave_id: int
    days: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLeave(StaffCommand):
    """Put a person on leave, from the first to the last day."""

    act: ClassVar[Act] = Act.KEEP_LEAVE
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLeave(StaffCommand):
    """Remove a leave that was set."""

    act: ClassVar[Act] = Act.KEEP_LEAVE
    leave_id: int


def add(engine: Engine, command: AddLeave) -> int:
    """Put an active person on leave; returns the event's id.

    Raises NotAllowed, NotFound, Invalid, NotInState if they are away on one of the days already, or
    RequestReused.
    """
    return staff_changes.carry_out(engine, command, _add)


def remove(engine: Engine, command: RemoveLeave) -> int:
    """Remove a leave; returns the event's id. Raises NotAllowed, NotFound or RequestReused."""
    return staff_changes.carry_out(engine, command, _remove)


@known_by("email")
def listed(connection: Connection, *, email: str, since: date) -> list[Leave]:
    """Return the person's leaves that end on ``since`` or later, in order."""
    table = tables.leave
    rows = connection.execute(
        select(table)
        .where(table.c.email == email, table.c.last_day >= since)
        .order_by(table.c.first_day)
    )
    return [
        Leave(leave_id=row.leave_id, days=Window(row.first_day, row.last_day + ONE_DAY))
        for row in rows
    ]


def _add(connection: Connection, command: AddLeave) -> Change:
    staff_changes.require_active(connection, command.email)
    days = Window(command.first_day, command.last_day + ONE_DAY)
    _require_sensible(days, utc_day(command.at))
    others = listed(connection, email=command.email, since=days.start)
    _require_apart(days, others, staff.name_of(connection, command.email))
    table = tables.leave
    connection.execute(
        insert(table).values(
            email=command.email, first_day=command.first_day, last_day=command.last_day
        )
    )
    return Change(kind="leave_added", new=_as_json(days))


def _remove(connection: Connection, command: RemoveLeave) -> Change:
    table = tables.leave
    row = connection.execute(
        delete(table)
        .where(table.c.leave_id == command.leave_id, table.c.email == command.email)
        .returning(table.c.first_day, table.c.last_day)
    ).first()
    if row is None:
        raise NotFound("This leave was already removed. Reload the page.")
    return Change(kind="leave_removed", old=_as_json(Window(row.first_day, row.last_day + ONE_DAY)))


def _require_sensible(days: Window, today: date) -> None:
    if days.days < 1:
        raise Invalid("The last day is before the first. Choose a later one.")
    if days.end <= today:
        raise Invalid("These days are over. Choose days that are not.")
    if days.days > LONGEST.days:
        raise Invalid("A leave of more than a year is too long. Disable the person instead.")
    if days.start - today > FURTHEST:
        raise Invalid(f"{wording.day(days.start)} is more than two years away.")


def _require_apart(days: Window, others: Sequence[Leave], name: str) -> None:
    for other in others:
        if other.days.start < days.end:
            raise NotInState(
                f"{name} is on leave {wording.span(other.days)} already. Remove that leave first."
            )


def _as_json(days: Window) -> dict[str, str]:
    return {"first_day": days.start.isoformat(), "last_day": days.last_day.isoformat()}

"""Changing who may use the dashboard: people, roles, access, and the accounts they sign in with.

Each change is one append-only event with old and new values, under one lock for all staff, so that
the last active administrator stays even if two remove each other at the same moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from data_access.db import database, locks, tables, text_rules
from data_access.db.errors import (
    Invalid,
    LastAdministrator,
    NotAllowed,
    NotFound,
    NotInState,
)
from data_access.people import commands, staff
from data_access.people.commands import Command, CommandT
from data_access.people.identities import known_by
from program import wording
from program.review import people
from program.review.permissions import MANAGES, Act, Role
from program.review.sign_in import DEMO_ISSUER, account_fault
from program.text.mail_addresses import mail_address

LONGEST_NAME = 100
LONGEST_REASON = 500
COMMAND_LINE = "command line"
BOUND = "bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCommand(Command):
    """A change of the person with this address, and why."""

    act: ClassVar[Act] = Act.MANAGE_STAFF
    email: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPerson(StaffCommand):
    """Add a person to the staff."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRole(StaffCommand):
    """Give a person another role; ``shown`` is the role that the sender saw."""

    role: Role
    shown: Role | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disable(StaffCommand):
    """End a person's access."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable(StaffCommand):
    """Give a person access again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind(StaffCommand):
    """Let a person sign in with this account of the identity provider, and with no other."""

    act: ClassVar[Act] = Act.BIND_STAFF
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbind(StaffCommand):
    """Let the address sign in with another account of the identity provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a change did: its kind, and the values before and after."""

    kind: str
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffEvent:
    """A recorded change; ``reason`` and names are typed text."""

    email: str
    kind: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    reason: str
    actor: str
    at: datetime


def add(engine: Engine, command: AddPerson) -> int:
    """Add a person; returns the event's id.

    Raises NotAllowed, Invalid, NotInState if they are on the list, or RequestReused.
    """
    return carry_out(engine, command, _add)


def change_role(engine: Engine, command: ChangeRole) -> int:
    """Change a person's role; returns the event's id.

    Raises NotAllowed, NotFound, Invalid, NotInState if they have the role or another one than was
    shown, LastAdministrator or RequestReused.
    """
    return carry_out(engine, command, _change_role)


def disable(engine: Engine, command: Disable) -> int:
    """End a person's access at their next act; returns the event's id.

    Raises NotAllowed, NotFound, Invalid, NotInState, LastAdministrator or RequestReused.
    """
    return carry_out(engine, command, _disable)


def enable(engine: Engine, command: Enable) -> int:
    """Give a person access again, in their former role; returns the event's id.

    Raises NotAllowed, NotFound, Invalid, NotInState or RequestReused.
    """
    return carry_out(engine, command, _enable)


def bind(engine: Engine, command: Bind) -> int:
    """Bind a person to an account of the identity provider; returns the event's id.

    Raises NotAllowed, NotFound, Invalid, NotInState if they or the account are bound already, or
    RequestReused.
    """
    return carry_out(engine, command, _bind)


def unbind(engine: Engine, command: Unbind) -> int:
    """Release the address for another account of the identity provider; returns the event's id.

    Raises NotAllowed, NotFound, Invalid, NotInState if it is bound to none, or RequestReused.
    """
    return carry_out(engine, command, _unbind)


def carry_out(
    engine: Engine, command: CommandT, do: Callable[[Connection, CommandT], Change]
) -> int:
    """Run a change of the staff for a member of staff and record it; returns the event's id."""
    assert isinstance(command, StaffCommand)
    text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)

    def run(connection: Connection) -> int:
        if command.act is not Act.KEEP_LEAVE:
            _require_may_manage(connection, command)
        return _record(connection, command, do(connection, command))

    return commands.perform(engine, command, run, lock=locks.STAFF)


def from_command_line(engine: Engine, command: StaffCommand) -> int:
    """Run a change for the command line, whose user is not staff; returns the event's id.

    Its reason may be empty. Raises as the verb, but never NotAllowed.
    """
    text_rules.allow(command.reason, what="The reason", longest=LONGEST_REASON)
    with database.acting(engine) as connection:
        locks.hold(connection, locks.STAFF)
        return _record(connection, command, _CHANGES[type(command)](connection, command))


@known_by("email")
def events(
    connection: Connection, *, email: str | None = None, most: int = 100
) -> list[StaffEvent]:
    """Return the changes, of one person or of all, newest first."""
    table = tables.staff_events
    names = ("email", "kind", "old", "new", "reason", "actor", "at")
    query = select(*(table.c[name] for name in names)).order_by(table.c.event_id.desc())
    if email is not None:
        query = query.where(table.c.email == email)
    return [StaffEvent(**row) for row in connection.execute(query.limit(most)).mappings()]


@known_by("email")
def require_active(connection: Connection, email: str) -> None:
    """Raise NotFound or NotInState unless this is an active member of staff."""
    row = _row(connection, email)
    if not row.active:
        raise NotInState(f"{_name(connection, row)} is disabled.")


def _require_may_manage(connection: Connection, command: StaffCommand) -> None:
    """Raise NotAllowed if it is the actor's own access, or of a role that theirs may not manage."""
    actor = staff.require(connection, command.actor, command.act)
    if people.same(actor.email, command.email):
        raise NotAllowed("Nobody changes their own access. Ask another administrator.")
    roles = {getattr(command, "role", None)}
    found = _find(connection, command.email)
    roles.add(Role(found.role) if found is not None else None)
    if not (roles - {None}) <= MANAGES[actor.role]:
        raise NotAllowed(
            f"Your role, {actor.role}, may manage {managed(actor.role)} only. Ask an administrator."
        )


def managed(role: Role) -> str:
    """Return whose access a role may change, in words."""
    return wording.listed([f"{one}s" for one in Role if one in MANAGES[role]])


def _add(connection: Connection, command: AddPerson) -> Change:
    fault = people.fault(command.email)
    if fault is not None or mail_address(command.email) is None:
        raise Invalid(fault or "This is not an email address. Enter one such as ana@example.com.")
    name = text_rules.require(command.name, what="The name", longest=LONGEST_NAME)
    found = _find(connection, command.email)
    if found is not None:
        now = found.role if found.active else f"{found.role}, disabled"
        raise NotInState(f"{command.email} is on the staff list already, as {now}.")
    values = {"display_name": name, "role": str(command.role)}
    connection.execute(insert(tables.staff).values(email=command.email, **values))
    return Change(kind="added", new={"name": name, "role": str(command.role)})


def _change_role(connection: Connection, command: ChangeRole) -> Change:
    row = _row(connection, command.email)
    if command.shown is not None and row.role != command.shown:
        raise NotInState(
            f"{_name(connection, row)} is {row.role} now, no longer {command.shown}. Look again."
        )
    if row.role == command.role:
        raise NotInState(f"{_name(connection, row)} is {row.role} already.")
    _require_another_administrator(connection, row)
    _set(connection, row, role=str(command.role))
    return Change(kind="role_changed", old={"role": row.role}, new={"role": str(command.role)})


def _disable(connection: Connection, command: Disable) -> Change:
    row = _row(connection, command.email)
    if not row.active:
        raise NotInState(f"{_name(connection, row)} is disabled already.")
    _require_another_administrator(connection, row)
    _set(connection, row, active=False)
    return Change(kind="disabled", old={"active": True}, new={"active": False})


def _enable(connection: Connection, command: Enable) -> Change:
    row = _row(connection, command.email)
    if row.active:
        raise NotInState(f"{_name(connection, row)} is active already.")
    _set(connection, row, active=True)
    return Change(kind="enabled", old={"active": False}, new={"active": True})


def _bind(connection: Connection, command: Bind) -> Change:
    fault = account_fault(command.issuer, command.subject)
    if fault:
        raise Invalid(fault)
    row = _row(connection, command.email)
    if row.issuer == DEMO_ISSUER:
        raise NotInState(f"{_name(connection, row)} is a person of the demo, who stays one.")
    if row.issuer is not None:
        raise NotInState(
            f"{_name(connection, row)} is bound to an account already. Unbind it first."
        )
    account = {"issuer": command.issuer, "subject": command.subject}
    holder = connection.execute(select(tables.staff.c.email).filter_by(**account)).scalar()
    if holder is not None:
        who = staff.name_of(connection, holder)
        raise NotInState(f"{who} signs in with this account. Unbind it there first.")
    _set(connection, row, **account)
    return Change(kind=BOUND, new=account)


def _unbind(connection: Connection, command: Unbind) -> Change:
    row = _row(connection, command.email)
    if row.issuer is None:
        raise NotInState(f"{_name(connection, row)} is not bound to an account yet.")
    if row.issuer == DEMO_ISSUER:
        raise NotInState(f"{_name(connection, row)} is a person of the demo, who stays one.")
    _set(connection, row, issuer=None, subject=None)
    return Change(kind="unbound", old={"issuer": row.issuer, "subject": row.subject})


_CHANGES: dict[type[StaffCommand], Callable[[Connection, Any], Change]] = {
    AddPerson: _add,
    ChangeRole: _change_role,
    Disable: _disable,
    Enable: _enable,
    Bind: _bind,
    Unbind: _unbind,
}


def _require_another_administrator(connection: Connection, row: Row[Any]) -> None:
    """Raise LastAdministrator if this is the last active one; the caller takes away the role."""
    if row.role != Role.ADMIN or not row.active:
        return
    table = tables.staff
    others = select(func.count()).where(
        table.c.role == str(Role.ADMIN), table.c.active, table.c.email != row.email
    )
    if connection.execute(others).scalar_one() == 0:
        raise LastAdministrator(_name(connection, row))


def _name(connection: Connection, row: Row[Any]) -> str:
    return staff.name_of(connection, row.email)


def _row(connection: Connection, email: str) -> Row[Any]:
    fault = people.fault(email)
    if fault is not None:
        raise Invalid(fault)
    row = _find(connection, email)
    if row is None:
        raise NotFound(f"{email} is not on the staff list.")
    return row


def _find(connection: Connection, email: str) -> Row[Any] | None:
    table = tables.staff
    if people.fault(email) is not None:
        return None
    return connection.execute(select(table).where(table.c.email == email)).first()


def _set(connection: Connection, row: Row[Any], **values: Any) -> None:  # noqa: ANN401
    connection.execute(update(tables.staff).where(tables.staff.c.email == row.email).values(values))


def _record(connection: Connection, command: StaffCommand, change: Change) -> int:
    table = tables.staff_events
    event_id: int = connection.execute(
        insert(table)
        .values(
            email=command.email,
            kind=change.kind,
            old=change.old,
            new=change.new,
            reason=command.reason.strip(),
            actor=command.actor,
            at=command.at,
            request_id=command.request_id,
        )
        .returning(table.c.event_id)
    ).scalar_one()
    return event_id

"""Changing holidays: with a reason, on record, and past days only after confirmation.

A past day changes clocks that have already run, and so which applications were overdue.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import Connection, Engine, delete, insert, select, update

from data_access.db import locks, tables, text_rules
from data_access.db.errors import Invalid, NeedsConfirming, NotInState
from data_access.eligibility import judging
from data_access.people import commands
from data_access.people.commands import Command
from data_access.queue import listing
from program import wording
from program.periods import utc_day
from program.review.permissions import Act

LONGEST_NAME = 100
LONGEST_REASON = 500
FURTHEST = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Number of overdue open applications, without and with the change."""

    overdue: int
    overdue_then: int

    def __str__(self) -> str:
        """Return it as part of a sentence."""
        return f"overdue applications: {self.overdue:,} now, {self.overdue_then:,} with the change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One recorded change; names and reason are typed text."""

    day: date
    kind: str
    old_name: str | None
    new_name: str | None
    reason: str
    actor: str
    at: datetime


class ChangeKind(StrEnum):
    """Make a day a holiday, rename a holiday, or remove it."""

    ADDED = "added"
    RENAMED = "renamed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHoliday(Command):
    """Change one day. ``confirmed`` is the effect on the past that the person confirmed."""

    act: ClassVar[Act] = Act.KEEP_HOLIDAYS
    kind: ChangeKind
    day: date
    name: str = ""
    reason: str
    confirmed: Effect | None = field(default=None, compare=False)


def change(engine: Engine, command: ChangeHoliday) -> int:
    """Add, rename or remove a holiday; returns the change's id.

    Raises NotAllowed, Invalid, NotInState if the day does not allow this change, RequestReused, or
    NeedsConfirming for a day that has begun, unless its current effect was ``confirmed``.
    """
    day, kind, name = command.day, command.kind, None
    if kind is not ChangeKind.REMOVED:
        name = text_rules.require(command.name, what="The holiday's name", longest=LONGEST_NAME)
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)

    def do(connection: Connection) -> int:
        old = _require_way(connection, command, name)
        effect = _effect(connection, command)
        if effect is not None and effect != command.confirmed:
            raise NeedsConfirming(_effect_sentence(day, effect), effect)
        _write(connection, day, name)
        table = tables.holiday_changes
        change_id: int = connection.execute(
            insert(table)
            .values(
                day=day,
                kind=str(kind),
                old_name=old,
                new_name=name,
                reason=reason,
                effect=None if effect is None else asdict(effect),
                actor=command.actor,
                at=command.at,
                request_id=command.request_id,
            )
            .returning(table.c.change_id)
        ).scalar_one()
        return change_id

    return commands.perform(engine, command, do, lock=locks.HOLIDAYS)


def record(connection: Connection, *, most: int = 100) -> list[Change]:
    """Return the changes, newest first."""
    table = tables.holiday_changes
    names = ("day", "kind", "old_name", "new_name", "reason", "actor", "at")
    rows = connection.execute(
        select(*(table.c[name] for name in names)).order_by(table.c.change_id.desc()).limit(most)
    )
    return [Change(**row) for row in rows.mappings()]


def _require_way(connection: Connection, command: ChangeHoliday, name: str | None) -> str | None:
    """Return the day's current name if the change is allowed."""
    day, kind, held = command.day, command.kind, tables.holidays
    old = connection.execute(select(held.c.name).where(held.c.day == day)).scalar()
    words = wording.day(day)
    added = kind is ChangeKind.ADDED
    if added and old is not None:
        raise NotInState(f"{words} is already a holiday, “{old}”. Rename it in the list.")
    if not added and old is None:
        raise NotInState(f"{words} is no longer a holiday. Reload the page.")
    if kind is ChangeKind.RENAMED and old == name:
        raise Invalid(f"{words} is already called “{old}”. Enter another name.")
    if added and abs(day - utc_day(command.at)) > FURTHEST:
        raise Invalid(f"{words} is more than three years away. Choose a day nearer to today.")
    return old


def _effect(connection: Connection, command: ChangeHoliday) -> Effect | None:
    """Return the effect on a day that has begun; ``None`` for a future day or a new name."""
    day, kind = command.day, command.kind
    if kind is ChangeKind.RENAMED or day > utc_day(command.at):
        return None
    context = judging.read_context(connection, now=command.at)
    added = kind is ChangeKind.ADDED
    changed = context.holidays | {day} if added else context.holidays - {day}
    return Effect(
        overdue=listing.counts(connection, context).overdue,
        overdue_then=listing.counts(connection, replace(context, holidays=changed)).overdue,
    )


def _effect_sentence(day: date, effect: Effect) -> str:
    return (
        f"{wording.day(day)} has begun, so review clocks that include it change: {effect}. "
        "Confirm to change the past."
    )


def _write(connection: Connection, day: date, name: str | None) -> None:
    held = tables.holidays
    if name is None:
        connection.execute(delete(held).where(held.c.day == day))
        return
    known = connection.execute(update(held).where(held.c.day == day).values(name=name))
    if known.rowcount == 0:
        connection.execute(insert(held).values(day=day, name=name))

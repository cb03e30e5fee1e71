"""Changing the holidays: with a reason, on record, and for a past day with its effect confirmed.

A past day moves clocks that have run already, so what was overdue may not have been.
"""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from data_access.db import database, locks, tables, text_rules
from data_access.db.errors import Invalid, NeedsConfirming, NotInState, RequestReused
from data_access.eligibility import judging
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.queue import listing
from program import wording
from program.periods import utc_day
from program.review.permissions import Act

LONGEST_NAME = 100
LONGEST_REASON = 500
FURTHEST = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How many open applications are overdue, as the list stands and with the change."""

    overdue: int
    overdue_then: int

    def __str__(self) -> str:
        """As a sentence says it."""
        return f"overdue applications: {self.overdue:,} now, {self.overdue_then:,} with the change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the record; names and reason are typed text."""

    day: date
    kind: str
    old_name: str | None
    new_name: str | None
    reason: str
    actor: str
    at: datetime


@known_by("actor")
def add(
    engine: Engine,
    *,
    day: date,
    name: str,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
    confirmed: Effect | None = None,
) -> None:
    """Make a day a holiday.

    Raises NotAllowed, Invalid, NotInState where it is one already, RequestReused, and
    NeedsConfirming for a day that has begun, unless its present effect was ``confirmed``.
    """
    text = text_rules.require(name, what="The holiday's name", longest=LONGEST_NAME)
    _change(engine, day, "added", text, reason, actor, now, request_id, confirmed)


@known_by("actor")
def rename(
    engine: Engine,
    *,
    day: date,
    name: str,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> None:
    """Call a holiday something else. Raises NotAllowed, Invalid, NotInState or RequestReused."""
    text = text_rules.require(name, what="The holiday's name", longest=LONGEST_NAME)
    _change(engine, day, "renamed", text, reason, actor, now, request_id, None)


@known_by("actor")
def remove(
    engine: Engine,
    *,
    day: date,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
    confirmed: Effect | None = None,
) -> None:
    """Make a day an ordinary one again; raises as `add` does."""
    _change(engine, day, "removed", None, reason, actor, now, request_id, confirmed)


def record(connection: Connection, *, most: int = 100) -> list[Change]:
    """Who changed what, newest first."""
    table = tables.holiday_changes
    names = ("day", "kind", "old_name", "new_name", "reason", "actor", "at")
    rows = connection.execute(
        select(*(table.c[name] for name in names)).order_by(table.c.change_id.desc()).limit(most)
    )
    return [Change(**row) for row in rows.mappings()]


def _change(
    engine: Engine,
    day: date,
    kind: str,
    name: str | None,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
    confirmed: Effect | None,
) -> None:
    why = text_rules.require(reason, what="The reason", longest=LONGEST_REASON)
    table = tables.holiday_changes
    with database.acting(engine) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(locks.HOLIDAYS)))
        staff.require(connection, actor, Act.KEEP_HOLIDAYS)
        earlier = connection.execute(select(table).where(table.c.request_id == request_id)).first()
        if earlier is not None:
            if (earlier.day, earlier.kind, earlier.actor) != (day, kind, actor):
                raise RequestReused
            return
        old = _require_way(connection, day, kind, name, now)
        effect = None if kind == "renamed" else _effect(connection, day, kind, now)
        if effect is not None and effect != confirmed:
            raise NeedsConfirming(_effect_sentence(day, effect), effect)
        _write(connection, day, name)
        connection.execute(
            insert(table).values(
                day=day,
                kind=kind,
                old_name=old,
                new_name=name,
                reason=why,
                effect=None if effect is None else asdict(effect),
                actor=actor,
                at=now,
                request_id=request_id,
            )
        )


def _require_way(
    connection: Connection, day: date, kind: str, name: str | None, now: datetime
) -> str | None:
    """The day's present name, if it can be changed so."""
    held = tables.holidays
    old = connection.execute(select(held.c.name).where(held.c.day == day)).scalar()
    words = wording.day(day)
    if kind == "added" and old is not None:
        raise NotInState(f"{words} is already a holiday, “{old}”. Rename it in the list.")
    if kind != "added" and old is None:
        raise NotInState(f"{words} is no longer a holiday. Reload the page.")
    if kind == "renamed" and old == name:
        raise Invalid(f"{words} is already called “{old}”. Enter another name.")
    if kind == "added" and abs(day - utc_day(now)) > FURTHEST:
        raise Invalid(f"{words} is more than three years away. Choose a day nearer to today.")
    return old


def _effect(connection: Connection, day: date, kind: str, now: datetime) -> Effect | None:
    """What changing a day that has begun does; ``None`` for one that is still to come."""
    if day > utc_day(now):
        return None
    context = judging.read_context(connection, now=now)
    changed = context.holidays | {day} if kind == "added" else context.holidays - {day}
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

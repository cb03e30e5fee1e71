"""Mail to staff: leased and sent one by one, each at most once.

If a worker dies while it sends, or the server did not answer, nobody knows whether the mail
arrived; it is not sent again, since a page of the dashboard shows the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Null,
    Row,
    Table,
    and_,
    case,
    func,
    null,
    or_,
    select,
    update,
)

from data_access.db import logs, tables
from data_access.db.database import acting
from data_access.messages import settings as message_settings
from data_access.messages.leases import LONGEST_ERROR, Failure, Outgoing
from program.messages import letters
from program.messages.delivery import Patience, Reason
from program.review.permissions import Role

NO_END = "The attempt had no known end, so it is not repeated."


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMail:
    """A kind of mail. ``table`` holds one row a mail, with ``key`` and the recipient in ``to``.

    Only active staff in one of ``roles`` get it; ``gone`` says that somebody no longer is. ``make``
    adds the rows that are due and is safe to repeat; ``render`` returns what is sent. ``withheld``
    is a row's reason not to be sent by the settings in force; null if it may be.
    """

    plural: str
    table: Table
    key: Column[Any]
    to: Column[Any]
    roles: tuple[Role, ...]
    gone: str
    make: Callable[[Engine, datetime], int]
    render: Callable[[Connection, Row[Any]], Outgoing]
    withheld: ColumnElement[str | None] | Null = field(default_factory=null)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A leased mail as it is sent; ``tries`` counts the failures so far."""

    mail: StaffMail
    mail_id: UUID
    lease: UUID
    tries: int
    outgoing: Outgoing


def take(engine: Engine, mail: StaffMail, *, now: datetime, lease: timedelta) -> Leased | None:
    """Lease the mail that has waited longest, if any is due; ends those that must not be sent."""
    with acting(engine) as connection:
        if message_settings.in_force(connection).silent:
            return None
        _end_unsent(connection, mail, now)
        row = _lease(connection, mail, now, now + lease)
        if row is None:
            return None
        return Leased(
            mail=mail,
            mail_id=row._mapping[mail.key],
            lease=row.leased_by,
            tries=row.attempts,
            outgoing=mail.render(connection, row),
        )


def finish(engine: Engine, leased: Leased, *, now: datetime) -> bool:
    """Record that the server took it. Returns whether the lease still held."""
    return _end(engine, leased, tried=0, ended_at=now, sent=True, last_error=None)


def fail(
    engine: Engine,
    leased: Leased,
    failure: Failure,
    *,
    patience: Patience,
    chance: float,
    now: datetime,
) -> bool:
    """Record a failed attempt: try again later, or give up. Returns whether the lease held."""
    tries = leased.tries + 1
    error = letters.harmless_line(logs.without_secrets(failure.sentence))[:LONGEST_ERROR]
    unsure = failure.reason is Reason.NO_ANSWER
    if failure.final or unsure or tries >= patience.tries:
        return _end(engine, leased, ended_at=now, sent=False, last_error=error)
    wait = failure.after or patience.wait(tries, chance)
    return _end(engine, leased, next_attempt_at=now + wait, last_error=error)


def withheld(mail: StaffMail) -> ColumnElement[str | None]:
    """Return why a mail that waits must not be sent any more; null if it may, or has ended."""
    of = mail.table.c
    waits = and_(of.ended_at.is_(None), of.leased_by.is_(None))
    why = func.coalesce(case((~_is_recipient(mail), mail.gone)), mail.withheld)
    return case((waits, why))


def _end_unsent(connection: Connection, mail: StaffMail, now: datetime) -> None:
    """End mails whose lease expired, and those that must not be sent any more."""
    of, why = mail.table.c, withheld(mail)
    connection.execute(
        update(mail.table)
        .where(of.ended_at.is_(None), or_(of.lease_until <= now, why.is_not(None)))
        .values(
            ended_at=now,
            sent=False,
            leased_by=None,
            lease_until=None,
            last_error=func.coalesce(why, NO_END),
        )
    )


def _is_recipient(mail: StaffMail) -> ColumnElement[bool]:
    person = tables.staff.c
    is_one = and_(person.email == mail.to, person.active, person.role.in_(map(str, mail.roles)))
    return select(person.email).where(is_one).correlate(mail.table).exists()


def _lease(
    connection: Connection, mail: StaffMail, now: datetime, until: datetime
) -> Row[Any] | None:
    of = mail.table.c
    due = and_(of.ended_at.is_(None), of.leased_by.is_(None), of.next_attempt_at <= now)
    oldest = (
        select(mail.key)
        .where(due)
        .order_by(of.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(
        update(mail.table)
        .where(mail.key == oldest.scalar_subquery())
        .values(leased_by=uuid4(), lease_until=until)
        .returning(*of)
    ).first()


def _end(engine: Engine, leased: Leased, *, tried: int = 1, **changes: Any) -> bool:  # noqa: ANN401
    mail, of = leased.mail, leased.mail.table.c
    with acting(engine) as connection:
        ended = connection.execute(
            update(mail.table)
            .where(mail.key == leased.mail_id, of.leased_by == leased.lease, of.ended_at.is_(None))
            .values(attempts=of.attempts + tried, leased_by=None, lease_until=None, **changes)
        )
        return ended.rowcount == 1

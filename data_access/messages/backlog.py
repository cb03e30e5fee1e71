"""The backlog of the outbox and its failures. Cheap however many messages were delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select

from data_access.db import tables
from data_access.messages import rendering
from data_access.messages import settings as message_settings
from data_access.messages import templates as message_templates
from data_access.messages.leases import is_waiting
from data_access.messages.outbox import BACKEND, reached_at
from program.messages.delivery import DeliverySettings, Reason, Stopped
from program.messages.letters import Template

LATE = timedelta(hours=1)
LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many wait, since when, how many of them failed before, and how many are undeliverable."""

    waiting: int
    oldest: datetime | None
    failing: int
    parked: int

    def is_late(self, now: datetime) -> bool:
        """Return whether the oldest has waited too long."""
        return self.oldest is not None and now - self.oldest >= LATE


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCount:
    """How many messages wait or are undeliverable after the same kind of failure."""

    reason: Reason
    waiting: int
    parked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the outbox. Recipient, text and error are typed or foreign text.

    Of one that is still to be made, channel, recipient and text are those it would leave with
    now; ``obstacle`` says why it could not, if so. ``is_hidden`` is of one whose recipient its
    reader may not see.
    """

    message_id: UUID
    application_id: int
    username: str
    kind: str
    channel: str
    recipient: str | None
    text: str
    sent_to: str | None
    created_at: datetime
    attempts: int
    next_attempt_at: datetime
    delivered_at: datetime | None
    stopped_as: Stopped | None
    stopped_at: datetime | None
    reason: Reason | None
    last_error: str | None
    obstacle: str | None = None
    is_hidden: bool = False

    @property
    def addressee(self) -> str | None:
        """The recipient as shown."""
        return "hidden" if self.is_hidden else self.sent_to or self.recipient

    @property
    def to(self) -> str:
        """Channel and recipient in words."""
        return f"{self.channel} {self.addressee or 'nobody'}"

    def hidden(self) -> "Message":
        """Return it without its recipient, which errors may name too."""
        return replace(self, recipient=None, sent_to=None, last_error=None, is_hidden=True)


def since() -> ColumnElement[datetime]:
    """Return since when a message waits: its creation, or the last manual retry."""
    return func.coalesce(tables.outbox.c.retried_at, tables.outbox.c.created_at)


def read(connection: Connection) -> Backlog:
    """Return the current backlog."""
    table = tables.outbox
    waits = connection.execute(
        select(func.count(), func.min(since()), func.count().filter(table.c.attempts > 0)).where(
            is_waiting()
        )
    ).one()
    parked = connection.execute(
        select(func.count()).where(table.c.stopped_as == Stopped.PARKED)
    ).scalar_one()
    return Backlog(waiting=waits[0], oldest=waits[1], failing=waits[2], parked=parked)


def failures(connection: Connection) -> list[FailureCount]:
    """Return failures by reason, most undeliverable first."""
    table = tables.outbox
    waits, parked = is_waiting(), table.c.stopped_as == Stopped.PARKED
    counted = (
        select(
            table.c.last_reason,
            func.count().filter(waits).label("waiting"),
            func.count().filter(parked).label("parked"),
        )
        .where(waits | parked, table.c.last_reason.is_not(None))
        .group_by(table.c.last_reason)
        .order_by(func.count().filter(parked).desc(), table.c.last_reason)
    )
    return [
        FailureCount(reason=Reason(row.last_reason), waiting=row.waiting, parked=row.parked)
        for row in connection.execute(counted)
    ]


def waiting(connection: Connection) -> list[Message]:
    """Return waiting messages, oldest first, at most LISTED."""
    return _listed(connection, is_waiting(), since())


def stopped(
    connection: Connection, stopped_as: Stopped, *, reason: Reason | None = None
) -> list[Message]:
    """Return messages stopped in this way, latest first, at most LISTED; optionally by reason."""
    table = tables.outbox
    matches = table.c.stopped_as == stopped_as
    if reason is not None:
        matches &= table.c.last_reason == reason
    return _listed(connection, matches, table.c.stopped_at.desc())


def delivered(connection: Connection, *, count: int = 50) -> list[Message]:
    """Return the last delivered messages, latest first."""
    table = tables.outbox
    order = table.c.delivered_at.desc()
    return _listed(connection, table.c.delivered_at.is_not(None), order, count=count)


def _listed(
    connection: Connection,
    matches: ColumnElement[bool],
    order: ColumnElement[datetime],
    *,
    count: int = LISTED,
) -> list[Message]:
    table, application, account = tables.outbox, tables.applications, tables.accounts
    rows = connection.execute(
        select(
            table,
            *(account.c.username, account.c.email, account.c.country_code),
            *(application.c.social_handle, application.c.contact_platform),
            application.c.contact_handle,
        )
        .join_from(table, application, application.c.application_id == table.c.application_id)
        .join(account, account.c.account_id == application.c.account_id)
        .where(matches)
        .order_by(order, table.c.message_id)
        .limit(count)
    ).mappings()
    settings = message_settings.in_force(connection)
    templates = message_templates.in_force(connection)
    return [_message(row, settings, templates) for row in rows]


def _written(payload: Mapping[str, Any]) -> str:
    """Return the text that was sent, or that a silent policy withheld."""
    return str(payload.get("message") or payload.get("withheld_message") or "")


def _message(row: RowMapping, settings: DeliverySettings, templates: Sequence[Template]) -> Message:
    stopped_as = Stopped(row["stopped_as"]) if row["stopped_as"] else None
    sent = row["sent"] or {}
    made = None
    if stopped_as is Stopped.WITHHELD or (stopped_as is Stopped.PARKED and not sent):
        made = rendering.preview_of(_to_make(row), settings, templates)
    return Message(
        **{name: row[name] for name in _AS_STORED},
        kind=str(row["payload"].get("kind") or ""),
        channel=made.channel if made else row["channel"],
        recipient=made.recipient if made else row["recipient"],
        text=made.text if made else sent.get("text") or _written(row["payload"]),
        sent_to=None if made else sent.get("to"),
        stopped_as=stopped_as,
        reason=Reason(row["last_reason"]) if row["last_reason"] else None,
        obstacle=made.obstacle if made else None,
    )


_AS_STORED = (
    *("message_id", "application_id", "username", "created_at", "attempts", "next_attempt_at"),
    *("delivered_at", "stopped_at", "last_error"),
)


def _to_make(row: RowMapping) -> dict[str, Any]:
    """A row as it would be sent: what a silent policy kept back goes to the applicant."""
    channel, recipient = row["channel"], row["recipient"]
    if channel == BACKEND:
        contact = (row["contact_platform"], row["contact_handle"], row["email"])
        channel, recipient = reached_at(*contact)
    payload = {**row["payload"], "message": _written(row["payload"])}
    return {**row, "channel": channel, "recipient": recipient, "payload": payload}

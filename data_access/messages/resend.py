"""What managers do with unsent messages: retry, correct, cancel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, Row, insert, null, select, update

from data_access.applications import commands, decision_history
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import tables, text_rules
from data_access.db.errors import Invalid, NotFound, NotInState, Refusal
from data_access.messages import settings as message_settings
from data_access.messages.backlog import Message
from data_access.messages.outbox import BACKEND, message_id, reached_by
from data_access.people.commands import Command
from program.messages import delivery, letters
from program.messages.delivery import STOPPED_WORDS, Stopped
from program.review.permissions import Act
from program.text.platforms import EMAIL, platform_name

LONGEST_REASON = 500
# Withheld messages can still be sent.
RETRIABLE = (Stopped.PARKED, Stopped.WITHHELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCommand(ApplicationCommand):
    """A command on a message that was not sent."""

    act: ClassVar[Act] = Act.KEEP_OUTBOX
    message_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(MessageCommand):
    """Retry an undeliverable or withheld message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect(MessageCommand):
    """Send an undeliverable message to another recipient."""

    platform: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMessage(MessageCommand):
    """Cancel an undeliverable message."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAll(Command):
    """Retry each of these messages."""

    act: ClassVar[Act] = Act.KEEP_OUTBOX
    messages: Sequence[Message]


def retry(engine: Engine, command: Retry) -> int:
    """Retry an undeliverable or withheld message; returns the event's id.

    Raises NotAllowed, NotFound, NotInState or RequestReused.
    """

    def do(connection: Connection, application: Application) -> int:
        row = _stopped(connection, command, RETRIABLE)
        _require_sendable(connection, row)
        _require_current(connection, application, row)
        if row.channel == BACKEND:
            return _send_kept(connection, application, command, row)
        # It was never queued, so it is rendered with current data.
        made_anew = {"sent": null()} if row.stopped_as == Stopped.WITHHELD else {}
        _set(
            connection,
            command.message_id,
            stopped_as=None,
            stopped_at=None,
            attempts=0,
            next_attempt_at=command.at,
            retried_at=command.at,
            **made_anew,
        )
        return _record_event(connection, command, "message_retried", row)

    return commands.perform(engine, command, do)


def retry_all(engine: Engine, command: RetryAll) -> tuple[int, tuple[str, ...]]:
    """Retry each of these; returns how many succeeded and the refusals of the others."""
    refused = []
    for message in command.messages:
        one = Retry(
            application_id=message.application_id,
            message_id=message.message_id,
            actor=command.actor,
            at=command.at,
            request_id=uuid5(command.request_id, str(message.message_id)),
        )
        try:
            retry(engine, one)
        except (NotInState, NotFound) as refusal:
            refused.append(str(refusal))
    return len(command.messages) - len(refused), tuple(refused)


def redirect(engine: Engine, command: Redirect) -> int:
    """Send it to another recipient as a new message that replaces it; returns the event's id.

    The new message has its own id, since the first receiver may have accepted the old one. Raises
    NotAllowed, NotFound, NotInState, Invalid or RequestReused.
    """
    channel, to = contact(command.platform, command.recipient)
    command = replace(command, platform=channel, recipient=to)

    def do(connection: Connection, _: Application) -> int:
        row = _stopped(connection, command, (Stopped.PARKED,))
        successor = _replace(connection, command, row, channel, to, row.payload)
        moved = {"old": [row.channel, row.recipient], "new": [channel, to]}
        return _record_event(
            connection, command, "message_redirected", row, to=moved, replaced_by=str(successor)
        )

    return commands.perform(engine, command, do)


def cancel(engine: Engine, command: CancelMessage) -> int:
    """Cancel an undeliverable message, with a reason; returns the event's id.

    Raises NotAllowed, NotFound, NotInState, Invalid or RequestReused.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)
    command = replace(command, reason=reason)

    def do(connection: Connection, _: Application) -> int:
        row = _stopped(connection, command, (Stopped.PARKED,))
        _set(
            connection,
            command.message_id,
            stopped_as=str(Stopped.CANCELLED),
            stopped_at=command.at,
        )
        return _record_event(connection, command, "message_cancelled", row, reason=reason)

    return commands.perform(engine, command, do)


def contact(platform: str, recipient: str) -> tuple[str, str]:
    """Return platform and recipient in usable form. Raises Invalid."""
    try:
        channel = platform_name(letters.platform(platform))
        by_mail = channel == EMAIL
        return channel, letters.address(recipient) if by_mail else letters.handle(recipient)
    except letters.Unsendable as unsendable:
        raise Invalid(str(unsendable)) from unsendable


def _stopped(
    connection: Connection, command: MessageCommand, allowed: Sequence[Stopped]
) -> Row[Any]:
    table = tables.outbox
    row = connection.execute(
        select(table)
        .where(
            table.c.message_id == command.message_id,
            table.c.application_id == command.application_id,
        )
        .with_for_update()
    ).first()
    if row is None:
        raise NotFound("This message does not exist.")
    if row.stopped_as not in allowed:
        raise _not_stopped(row)
    return row


def _send_kept(
    connection: Connection, application: Application, command: Retry, row: Row[Any]
) -> int:
    """Send a withheld message to the applicant, as a message that replaces it."""
    text = row.payload.get("withheld_message")
    if not text:
        raise NotInState("No text was saved with this message, so it cannot be sent.")
    channel, to = reached_by(application)
    kept = {key: value for key, value in row.payload.items() if key != "withheld_message"}
    successor = _replace(connection, command, row, channel, to, {**kept, "message": text})
    return _record_event(connection, command, "message_retried", row, replaced_by=str(successor))


def _replace(
    connection: Connection,
    command: MessageCommand,
    row: Row[Any],
    channel: str,
    recipient: str | None,
    payload: Mapping[str, Any],
) -> UUID:
    """Stop a message and insert its replacement; returns the new message's id."""
    _set(connection, row.message_id, stopped_as=str(Stopped.REPLACED), stopped_at=command.at)
    successor = message_id(command.request_id)
    connection.execute(
        insert(tables.outbox).values(
            message_id=successor,
            application_id=row.application_id,
            decision_id=row.decision_id,
            channel=channel,
            recipient=recipient,
            payload=dict(payload),
            created_at=command.at,
            next_attempt_at=command.at,
            replaces=row.message_id,
        )
    )
    return successor


def _not_stopped(row: Row[Any]) -> Refusal:
    if row.delivered_at is not None:
        return NotInState("This message was sent meanwhile. There is nothing to do.")
    if row.stopped_as is None:
        return NotInState(
            "This message is already queued for delivery. Wait until it is sent or fails."
        )
    return NotInState(f"This message is already {STOPPED_WORDS[row.stopped_as]}. Reload the page.")


def _require_sendable(connection: Connection, row: Row[Any]) -> None:
    """Raise NotInState if the settings would withhold it again."""
    settings = message_settings.in_force(connection)
    why = delivery.withheld(str(row.payload.get("kind")), settings)
    if why is not None:
        raise NotInState(f"It would be withheld again, because {why}. Change the settings first.")


def _require_current(connection: Connection, application: Application, row: Row[Any]) -> None:
    """Raise NotInState if the decision that the message is about no longer applies."""
    if row.decision_id is None:
        return
    made = decision_history.current(connection, application.application_id)
    if made is None or (made.decision_id, str(made.outcome)) != (
        row.decision_id,
        str(application.status),
    ):
        raise NotInState(
            "The decision in this message no longer applies, so it is not sent. "
            "The application was reopened, decided again or withdrawn since."
        )


def _set(connection: Connection, id_: UUID, **state: Any) -> None:  # noqa: ANN401
    table = tables.outbox
    connection.execute(update(table).where(table.c.message_id == id_).values(**state))


def _record_event(
    connection: Connection,
    command: MessageCommand,
    kind: str,
    row: Row[Any],
    **more: Any,  # noqa: ANN401 - plain JSON values
) -> int:
    return commands.record_event(
        connection,
        command,
        kind,
        message_id=str(row.message_id),
        stopped_as={"old": row.stopped_as},
        last_error=row.last_error,
        **more,
    )

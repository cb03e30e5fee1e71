"""What a manager does with a message that did not leave: retry, correct, cancel."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, Row, insert, null, select, update

from data_access.applications import commands
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import tables, text_rules
from data_access.db.errors import Invalid, NotFound, NotInState, Refusal
from data_access.messages import settings as message_settings
from data_access.messages.backlog import Message
from data_access.messages.outbox import BACKEND, reached_by
from data_access.people.identities import known_by
from program.messages import delivery, letters
from program.messages.delivery import STOPPED_WORDS, Stopped
from program.review.permissions import Act
from program.text.platforms import EMAIL, platform_name

LONGEST_REASON = 500
# Withheld ones may still be sent, by somebody who wants that.
RETRIABLE = (Stopped.PARKED, Stopped.WITHHELD)


@known_by("actor")
def retry(
    engine: Engine,
    *,
    application_id: int,
    message_id: UUID,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Send a parked or withheld message on its way again; returns the event's id.

    Raises NotAllowed, NotFound, NotInState or RequestReused.
    """
    form = _form("retry", message_id, {}, application_id, actor, now, request_id)

    def do(connection: Connection, application: Application) -> int:
        row = _stopped(connection, form, message_id, RETRIABLE)
        _require_told(connection, row)
        if row.channel == BACKEND:
            return _send_kept(connection, application, form, row)
        # It never was on its way: it is made anew from what is now.
        made_anew = {"sent": null()} if row.stopped_as == Stopped.WITHHELD else {}
        _set(
            connection,
            message_id,
            stopped_as=None,
            stopped_at=None,
            attempts=0,
            next_attempt_at=now,
            retried_at=now,
            **made_anew,
        )
        return _tell(connection, form, "message_retried", row)

    return commands.perform(engine, form, do)


@known_by("actor")
def retry_all(
    engine: Engine,
    messages: Sequence[Message],
    *,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> tuple[int, tuple[str, ...]]:
    """Retry each of these; returns how many went and what was said of the others."""
    refused = []
    for message in messages:
        try:
            retry(
                engine,
                application_id=message.application_id,
                message_id=message.message_id,
                actor=actor,
                now=now,
                request_id=uuid5(request_id, str(message.message_id)),
            )
        except (NotInState, NotFound) as refusal:
            refused.append(str(refusal))
    return len(messages) - len(refused), tuple(refused)


@known_by("actor")
def redirect(
    engine: Engine,
    *,
    application_id: int,
    message_id: UUID,
    platform: str,
    recipient: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Send it to another recipient, as a new message that replaces it; returns the event's id.

    It gets an id of its own: the first receiver may have taken the old one after all. Raises
    NotAllowed, NotFound, NotInState, Invalid or RequestReused.
    """
    channel, to = contact(platform, recipient)
    content = {"platform": channel, "recipient": to}
    form = _form("redirect", message_id, content, application_id, actor, now, request_id)

    def do(connection: Connection, _: Application) -> int:
        row = _stopped(connection, form, message_id, (Stopped.PARKED,))
        _set(connection, message_id, stopped_as=str(Stopped.REPLACED), stopped_at=now)
        successor = uuid5(request_id, "outbox")
        _put_successor(connection, row, successor, channel, to, row.payload, now)
        moved = {"old": [row.channel, row.recipient], "new": [channel, to]}
        return _tell(
            connection, form, "message_redirected", row, to=moved, replaced_by=str(successor)
        )

    return commands.perform(engine, form, do)


@known_by("actor")
def cancel(
    engine: Engine,
    *,
    application_id: int,
    message_id: UUID,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Give a parked message up, with a reason; returns the event's id.

    Raises NotAllowed, NotFound, NotInState, Invalid or RequestReused.
    """
    why = text_rules.require(reason, what="The reason", longest=LONGEST_REASON)
    content = {"reason": why}
    form = _form("cancel", message_id, content, application_id, actor, now, request_id)

    def do(connection: Connection, _: Application) -> int:
        row = _stopped(connection, form, message_id, (Stopped.PARKED,))
        _set(connection, message_id, stopped_as=str(Stopped.CANCELLED), stopped_at=now)
        return _tell(connection, form, "message_cancelled", row, reason=why)

    return commands.perform(engine, form, do)


def contact(platform: str, recipient: str) -> tuple[str, str]:
    """Platform and recipient as they can be used. Raises Invalid."""
    try:
        channel = platform_name(letters.platform(platform))
        by_mail = channel == EMAIL
        return channel, letters.address(recipient) if by_mail else letters.handle(recipient)
    except letters.Unsendable as unsendable:
        raise Invalid(str(unsendable)) from unsendable


def _form(
    what: str,
    message_id: UUID,
    content: Mapping[str, Any],
    application_id: int,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> Form:
    return Form(
        request_id=request_id,
        act=Act.KEEP_OUTBOX,
        actor=actor,
        application_id=application_id,
        content={"what": what, "message_id": str(message_id), **content},
        at=now,
    )


def _stopped(
    connection: Connection, form: Form, message_id: UUID, allowed: Sequence[Stopped]
) -> Row[Any]:
    table = tables.outbox
    row = connection.execute(
        select(table)
        .where(table.c.message_id == message_id, table.c.application_id == form.application_id)
        .with_for_update()
    ).first()
    if row is None:
        raise NotFound("This message does not exist.")
    if row.stopped_as not in allowed:
        raise _not_stopped(row)
    return row


def _send_kept(connection: Connection, application: Application, form: Form, row: Row[Any]) -> int:
    """Send what a silent policy kept back, to the applicant, as a message that replaces it."""
    text = row.payload.get("withheld_message")
    if not text:
        raise NotInState("No text was saved with this message, so it cannot be sent.")
    channel, to = reached_by(application)
    _set(connection, row.message_id, stopped_as=str(Stopped.REPLACED), stopped_at=form.at)
    successor = uuid5(form.request_id, "outbox")
    kept = {key: value for key, value in row.payload.items() if key != "withheld_message"}
    _put_successor(connection, row, successor, channel, to, {**kept, "message": text}, form.at)
    return _tell(connection, form, "message_retried", row, replaced_by=str(successor))


def _put_successor(
    connection: Connection,
    row: Row[Any],
    successor: UUID,
    channel: str,
    recipient: str | None,
    payload: Mapping[str, Any],
    now: datetime,
) -> None:
    connection.execute(
        insert(tables.outbox).values(
            message_id=successor,
            application_id=row.application_id,
            decision_id=row.decision_id,
            channel=channel,
            recipient=recipient,
            payload=dict(payload),
            created_at=now,
            next_attempt_at=now,
            replaces=row.message_id,
        )
    )


def _not_stopped(row: Row[Any]) -> Refusal:
    if row.delivered_at is not None:
        return NotInState("This message was sent meanwhile. There is nothing to do.")
    if row.stopped_as is None:
        return NotInState(
            "This message is already queued for delivery. Wait until it is sent or fails."
        )
    return NotInState(f"This message is already {STOPPED_WORDS[row.stopped_as]}. Reload the page.")


def _require_told(connection: Connection, row: Row[Any]) -> None:
    """Raise NotInState while the settings would withhold it again."""
    settings = message_settings.in_force(connection)
    why = delivery.withheld(str(row.payload.get("kind")), settings)
    if why is not None:
        raise NotInState(f"It would be withheld again, because {why}. Change the settings first.")


def _set(connection: Connection, message_id: UUID, **state: Any) -> None:  # noqa: ANN401
    table = tables.outbox
    connection.execute(update(table).where(table.c.message_id == message_id).values(**state))


def _tell(connection: Connection, form: Form, kind: str, row: Row[Any], **more: Any) -> int:  # noqa: ANN401
    return commands.tell(
        connection,
        form,
        kind,
        message_id=str(row.message_id),
        stopped_as={"old": row.stopped_as},
        last_error=row.last_error,
        **more,
    )

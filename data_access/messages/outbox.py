"""Messages to applicants, written in the transaction of the act that they announce.

The exchange's backend reads all of them. Acts that the applicant is not told about are for it only.
"""

from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, insert

from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import tables
from program.text.platforms import EMAIL, platform_name

# Withheld from the start, so that no worker leases it.
BACKEND, EXCHANGE = "backend", "exchange"


def message_id(request_id: UUID) -> UUID:
    """Return the id of the message that an act writes."""
    return uuid5(request_id, "outbox")


def reached_by(application: Application) -> tuple[str, str | None]:
    """Return channel and recipient: the contact given by the applicant, or their email."""
    return reached_at(application.contact_platform, application.contact_handle, application.email)


def reached_at(
    contact_platform: str | None, contact_handle: str | None, account_email: str | None
) -> tuple[str, str | None]:
    """The same from contact platform, contact handle and account email."""
    # A platform without a handle is useless; a handle without a platform is used as it is.
    platform = platform_name(contact_platform or "")
    if platform and contact_handle:
        return platform, contact_handle
    return EMAIL, account_email


def put(
    connection: Connection,
    application: Application,
    command: ApplicationCommand,
    *,
    kind: str,
    message: str | None,
    decision_id: int | None = None,
    withheld_message: str | None = None,
    **more: Any,  # noqa: ANN401 - plain JSON values
) -> None:
    """Add one message; ``kind`` is what it announces.

    It waits while the act can be undone. Without a ``message`` it is for the exchange's backend
    only; ``withheld_message`` is the text that can be sent later.
    """
    channel, recipient = reached_by(application) if message is not None else (BACKEND, EXCHANGE)
    withheld = {"stopped_as": "withheld", "stopped_at": command.at} if message is None else {}
    payload = {
        "kind": kind,
        "application_id": application.application_id,
        "account_id": application.account_id,
        "username": application.username,
        **({} if message is None else {"message": message}),
        **({} if withheld_message is None else {"withheld_message": withheld_message}),
        **more,
    }
    row = {
        "message_id": message_id(command.request_id),
        "application_id": application.application_id,
        "decision_id": decision_id,
        "channel": channel,
        "recipient": recipient,
        "payload": payload,
        "created_at": command.at,
        "next_attempt_at": command.at + command.leaves_after,
        **withheld,
    }
    connection.execute(_PUT, row)


# Composed once: a statement takes longer to compose than to send.
_PUT = insert(tables.outbox)

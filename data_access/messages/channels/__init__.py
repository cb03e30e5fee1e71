"""Delivery channels: mail server, webhook, and a folder for trials. Each sends one message.

A channel raises NotTaken if the receiver refused it or did not confirm.
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from data_access.db.errors import SettingMissing
from data_access.messages.leases import Failure, Outgoing
from program.messages.delivery import Route

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotTaken(Exception):
    """The message was refused, or may be. ``is_down`` if others would fail too."""

    def __init__(self, failure: Failure, *, is_down: bool = False) -> None:
        super().__init__(failure.sentence)
        self.failure = failure
        self.is_down = is_down


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The receiver accepted it. ``delivered`` if it confirms that the applicant has it."""

    sentence: str
    delivered: bool = False


class Channel(Protocol):
    """One channel, used by one worker at a time."""

    def send(self, outgoing: Outgoing, *, now: datetime) -> Receipt:
        """Send one message. Raises NotTaken."""

    def close(self) -> None:
        """Close connections; sending again opens new ones."""


def body_of(outgoing: Outgoing) -> bytes:
    """Return the webhook's body: the same bytes for every attempt."""
    return json.dumps(
        outgoing.payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    ).encode()


def trusted() -> ssl.SSLContext:
    """Return a context that trusts the system's certificates, or those in SSL_CERT_FILE."""
    return ssl.create_default_context()


def from_environment(environment: Mapping[str, str]) -> dict[Route, Channel]:
    """Return the configured channels. Raises SettingMissing if none is, or one is malformed."""
    from data_access.messages.channels.smtp import MailServer
    from data_access.messages.channels.webhook import Webhook

    channels: dict[Route, Channel] = {}
    if environment.get("SMTP_URL"):
        channels[Route.EMAIL] = MailServer.from_url(environment["SMTP_URL"])
    if environment.get("NOTIFY_WEBHOOK_URL"):
        channels[Route.WEBHOOK] = Webhook.from_settings(environment)
    if not channels:
        raise SettingMissing(
            "No way of delivery is set up. Set SMTP_URL, or NOTIFY_WEBHOOK_URL with "
            "NOTIFY_WEBHOOK_SECRET; or write to a folder with --mailbox FOLDER."
        )
    return channels

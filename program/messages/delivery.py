"""Delivery of messages: route, language, retries, and reasons for failure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from program.text.platforms import EMAIL, platform_key

DELIVERY = "delivery"  # The worker's name as an actor; never a person's address.
ENGLISH = "en"
LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
# Delay before a message leaves, during which its sender can undo it.
UNDO_FOR = timedelta(seconds=10)
# Added per message of a bulk run, so that the run ends before the first message leaves.
UNDO_EACH = timedelta(milliseconds=100)


def undo_for(many: int) -> timedelta:
    """Return the delay for each message of a run of ``many`` acts."""
    return UNDO_FOR + UNDO_EACH * many


class Route(StrEnum):
    """The route by which a message leaves."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class MessageKind(StrEnum):
    """What a message announces; any other event uses OTHER."""

    APPROVED = "approved"
    REJECTED = "rejected"
    INFORMATION_REQUESTED = "information_requested"
    PUT_ON_NOTICE = "affiliate_put_on_notice"
    SUSPENDED = "affiliate_suspended"
    RESTORED = "affiliate_restored"
    TERMINATED = "affiliate_terminated"
    REINSTATED = "affiliate_reinstated"
    OTHER = "other"

    @classmethod
    def of(cls, name: str) -> "MessageKind":
        """Return the kind with this name, or OTHER if there is none."""
        return cls(name) if name in set(cls) else cls.OTHER


KIND_WORDS = {
    MessageKind.APPROVED: "approval",
    MessageKind.REJECTED: "rejection",
    MessageKind.INFORMATION_REQUESTED: "question to the applicant",
    MessageKind.PUT_ON_NOTICE: "notice to an affiliate",
    MessageKind.SUSPENDED: "suspension of an affiliate",
    MessageKind.RESTORED: "restoration of an affiliate",
    MessageKind.TERMINATED: "end of an affiliate's membership",
    MessageKind.REINSTATED: "reinstatement of an affiliate",
    MessageKind.OTHER: "anything else",
}


class Stopped(StrEnum):
    """Why a message was taken out of the queue unsent."""

    PARKED = "parked"
    CANCELLED = "cancelled"
    WITHHELD = "withheld"
    REPLACED = "replaced"


STOPPED_WORDS = {
    Stopped.PARKED: "undeliverable",
    Stopped.CANCELLED: "canceled",
    Stopped.WITHHELD: "withheld",
    Stopped.REPLACED: "replaced",
}


class Reason(StrEnum):
    """The kind of failure."""

    NO_CONTACT = "no_contact"
    BAD_CONTACT = "bad_contact"
    BAD_TEXT = "bad_text"
    NOT_SET_UP = "not_set_up"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonWords:
    """A failure as screens name it, and what to do about it; ``retries`` if that is to retry."""

    label: str
    way_on: str
    retries: bool = False


REASON_WORDS: dict[Reason, ReasonWords] = {
    Reason.NO_CONTACT: ReasonWords(
        label="No contact is known", way_on="Correct the recipient, or cancel it."
    ),
    Reason.BAD_CONTACT: ReasonWords(
        label="The contact cannot be used", way_on="Correct the recipient, or cancel it."
    ),
    Reason.BAD_TEXT: ReasonWords(
        label="The text cannot be sent", way_on="Cancel it and contact the applicant yourself."
    ),
    Reason.NOT_SET_UP: ReasonWords(
        label="This delivery channel is not set up",
        way_on="Have SMTP_URL or NOTIFY_WEBHOOK_URL set, then retry.",
        retries=True,
    ),
    Reason.REFUSED: ReasonWords(
        label="The receiver refused it", way_on="Correct the recipient, or cancel it."
    ),
    Reason.UNREACHABLE: ReasonWords(
        label="The receiver could not be reached",
        way_on="Retry once it answers again.",
        retries=True,
    ),
    Reason.NO_ANSWER: ReasonWords(
        label="The receiver did not confirm receipt",
        way_on="Retry; the receiver recognizes a repeat by its id.",
        retries=True,
    ),
    Reason.BUSY: ReasonWords(
        label="The receiver was busy or failed",
        way_on="Retry once it answers again.",
        retries=True,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """One version of the delivery settings.

    ``email_instead`` holds keys of contact platforms whose applicants are written to at their
    account's address; ``language_by_country`` is keyed by ISO code.
    """

    version: int = 1
    silent: bool = False
    send_rejections: bool = True
    email_instead: tuple[str, ...] = ()
    language_by_country: Mapping[str, str] = field(default_factory=dict)


def route(platform: str, settings: DeliverySettings) -> Route:
    """Return the route to a contact on ``platform``, however that is spelled."""
    return Route.EMAIL if platform_key(platform) in email_platforms(settings) else Route.WEBHOOK


def email_platforms(settings: DeliverySettings) -> frozenset[str]:
    """Return the keys of the contact platforms that are reached by email."""
    return frozenset({EMAIL, *map(platform_key, settings.email_instead)})


def withheld(kind: str, settings: DeliverySettings) -> str | None:
    """Return why a message of this kind must not leave; ``None`` if it may."""
    if settings.silent:
        return "silent mode is on"
    if kind == MessageKind.REJECTED and not settings.send_rejections:
        return "rejection messages are off"
    return None


def language(country_code: str | None, settings: DeliverySettings) -> str:
    """Return the language for people of a country."""
    return settings.language_by_country.get(country_code or "", ENGLISH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The retry schedule."""

    tries: int = 10
    first_wait: timedelta = timedelta(seconds=30)
    longest_wait: timedelta = timedelta(hours=1)

    def wait(self, tries: int, chance: float) -> timedelta:
        """Return the delay after ``tries`` failures: exponential, half of it scaled by ``chance``.

        ``chance`` is in [0, 1) and spreads messages that failed together.
        """
        doublings = min(max(tries - 1, 0), 20)
        grown = min(self.first_wait * float(1 << doublings), self.longest_wait)
        return grown * (0.5 + chance)

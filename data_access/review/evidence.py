"""Record external evidence: dated observations, kept forever."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, insert, select

from data_access.applications import commands
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import tables
from data_access.db.errors import ExchangeInDoubt, Invalid
from data_access.review import reactions
from program.periods import utc_day
from program.policy.evidence import EvidenceKind, EvidenceMethod
from program.policy.exchanges import Stated, in_doubt, was_told_apart
from program.review.permissions import Act
from program.text import invisible
from program.text.folding import word

LARGEST_COUNT = Decimal(10_000_000_000)
LARGEST_USD = Decimal(10) ** 16
LONGEST_NAME = 100
LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class ExchangeAnswer:
    """The recorded exchange that ``name`` means; ``None`` if it is a different one."""

    name: str
    same_as: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One observation as typed. ``value`` is followers, or USD in a 30-day period.

    ``answer`` is needed if the exchange's name resembles a recorded one.
    """

    kind: EvidenceKind
    value: Decimal
    observed_at: datetime
    method: EvidenceMethod
    exchange_name: str = ""
    source_url: str = ""
    answer: ExchangeAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvidence(ApplicationCommand):
    """Add an observation."""

    act: ClassVar[Act] = Act.RECORD_EVIDENCE
    entry: Entry

    @property
    def given(self) -> dict[str, Any]:
        """Return the observation as it was typed."""
        return dict(_typed(_values(self.entry), self.entry))


def record(engine: Engine, command: RecordEvidence) -> int:
    """Add an observation and return its id.

    Raises NotAllowed, NotFound, Invalid, RequestReused, and ExchangeInDoubt if the name
    resembles a recorded one and the entry does not say whether it is that one.
    """
    entry = command.entry
    _check(entry, command.at)

    def do(connection: Connection, application: Application) -> int:
        evidence_id: int = connection.execute(
            insert(tables.evidence)
            .values(
                **_values(entry),
                **_exchange(connection, command.application_id, entry),
                application_id=command.application_id,
                recorded_by=command.actor,
                recorded_at=command.at,
            )
            .returning(tables.evidence.c.evidence_id)
        ).scalar_one()
        reactions.react(connection, application, command)
        return evidence_id

    return commands.perform(engine, command, do)


def _exchange(connection: Connection, application_id: int, entry: Entry) -> dict[str, object]:
    """Return the exchange's recorded name, and whether it is confirmed as a different one."""
    if entry.kind is not EvidenceKind.EXTERNAL_VOLUME:
        return {"exchange_name": None}
    name, answer = entry.exchange_name.strip(), entry.answer
    stated = _stated(connection, application_id)
    doubts = in_doubt(name, stated)
    if not doubts:
        return {"exchange_name": name, "told_apart": was_told_apart(name, stated)}
    if answer is None or word(answer.name) != word(name):
        raise ExchangeInDoubt(name, doubts)
    if answer.same_as is None:
        return {"exchange_name": name, "told_apart": True}
    if answer.same_as not in doubts:
        raise ExchangeInDoubt(name, doubts)
    return {"exchange_name": answer.same_as}


def _stated(connection: Connection, application_id: int) -> list[Stated]:
    """Return the exchanges recorded for an application, oldest first."""
    table = tables.evidence
    rows = connection.execute(
        select(table.c.exchange_name, table.c.told_apart)
        .where(
            table.c.application_id == application_id,
            table.c.kind == EvidenceKind.EXTERNAL_VOLUME,
            table.c.exchange_name.is_not(None),
        )
        .order_by(table.c.observed_at, table.c.evidence_id)
    )
    return [Stated(name=row.exchange_name, told_apart=row.told_apart) for row in rows]


def _typed(values: dict[str, object], entry: Entry) -> dict[str, str]:
    # Only the day is typed; the time may be that of the click, which a repeat of the form does not
    # share.
    typed = {name: str(value) for name, value in values.items() if value is not None}
    if entry.kind is EvidenceKind.EXTERNAL_VOLUME:
        typed["exchange_name"] = entry.exchange_name.strip()
    if entry.answer is not None:
        typed["same_as"] = entry.answer.same_as or ""
    return {**typed, "observed_at": utc_day(entry.observed_at).isoformat()}


def _check(entry: Entry, now: datetime) -> None:
    if entry.observed_at > now:
        raise Invalid("The observation is in the future. Enter the day it was seen.")
    _check_value(entry)
    name, url = entry.exchange_name.strip(), entry.source_url.strip()
    external = entry.kind is EvidenceKind.EXTERNAL_VOLUME
    if external and invisible.shows_nothing(name):
        raise Invalid("Enter the exchange of the volume; several exchanges add up.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"The exchange's name is not valid; keep it under {LONGEST_NAME} characters.")
    if url and not _is_web_address(url):
        raise Invalid("The source is not a web address. Write it as https://… or leave it empty.")


def _values(entry: Entry) -> dict[str, object]:
    return {
        "kind": str(entry.kind),
        "value": entry.value,
        "observed_at": entry.observed_at,
        "method": str(entry.method),
        "source_url": entry.source_url.strip() or None,
    }


def _check_value(entry: Entry) -> None:
    value = entry.value
    if not value.is_finite() or value < 0:
        raise Invalid("The value must be zero or more.")
    followers = entry.kind is EvidenceKind.X_FOLLOWERS
    largest = LARGEST_COUNT if followers else LARGEST_USD
    if value > largest:
        raise Invalid(f"The value can be at most {largest:,}.")
    if followers and value != value.to_integral_value():
        raise Invalid("Followers must be a whole number.")
    if not followers and -int(value.as_tuple().exponent) > 2:
        raise Invalid("The volume must be in USD with at most two decimals.")


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    safe = url.isprintable() and " " not in url and len(url) <= LONGEST_URL
    return safe and parts.scheme in ("http", "https") and bool(parts.hostname)

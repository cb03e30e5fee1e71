"""Recording external evidence: dated observations, kept for ever."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Connection, Engine, insert

from data_access import acts, changes, tables
from data_access.applications import Application
from data_access.people import known_by
from data_access.refusals import Invalid
from data_access.requests import Form
from program.evidence import EvidenceKind, EvidenceMethod
from program.periods import utc_day
from program.permissions import Act

LARGEST_COUNT = Decimal(10_000_000_000)
LARGEST_USD = Decimal(10) ** 16
LONGEST_NAME = 100
LONGEST_URL = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One observation as typed. ``value`` is followers, or USD in a 30-day period."""

    kind: EvidenceKind
    value: Decimal
    observed_at: datetime
    method: EvidenceMethod
    exchange_name: str = ""
    source_url: str = ""


@known_by("actor")
def record(
    engine: Engine,
    *,
    application_id: int,
    entry: Entry,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Add an observation and return its id.

    Raises NotAllowed, NotFound, Invalid, RequestReused.
    """
    values = _checked(entry, now)
    form = Form(
        request_id=request_id,
        act=Act.RECORD_EVIDENCE,
        actor=actor,
        application_id=application_id,
        content=_typed(values, entry),
        at=now,
    )

    def do(connection: Connection, application: Application) -> int:
        evidence_id: int = connection.execute(
            insert(tables.evidence)
            .values(**values, application_id=application_id, recorded_by=actor, recorded_at=now)
            .returning(tables.evidence.c.evidence_id)
        ).scalar_one()
        changes.follow(connection, application, form)
        return evidence_id

    return acts.perform(engine, form, do)


def _typed(values: dict[str, object], entry: Entry) -> dict[str, str]:
    # Of the moment only the day is typed; its time may be that of the click, which a repeat
    # of the same form does not share.
    typed = {name: str(value) for name, value in values.items() if value is not None}
    return {**typed, "observed_at": utc_day(entry.observed_at).isoformat()}


def _checked(entry: Entry, now: datetime) -> dict[str, object]:
    if entry.observed_at > now:
        raise Invalid("The observation lies in the future. Give the day it was seen.")
    _check_value(entry)
    name, url = entry.exchange_name.strip(), entry.source_url.strip()
    external = entry.kind is EvidenceKind.EXTERNAL_VOLUME
    if external and not name:
        raise Invalid("Say which exchange the volume was on; several exchanges add up.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(
            f"The exchange's name is not usable; keep it under {LONGEST_NAME} characters."
        )
    if url and not _is_web_address(url):
        raise Invalid("The source is not a web address. Write it as https://… or leave it empty.")
    return {
        "kind": str(entry.kind),
        "value": entry.value,
        "observed_at": entry.observed_at,
        "method": str(entry.method),
        "exchange_name": name if external else None,
        "source_url": url or None,
    }


def _check_value(entry: Entry) -> None:
    value = entry.value
    if not value.is_finite() or value < 0:
        raise Invalid("The value must be a number that is not negative.")
    if entry.kind is EvidenceKind.X_FOLLOWERS:
        if value != value.to_integral_value() or value > LARGEST_COUNT:
            raise Invalid("Followers are a whole number.")
    elif value > LARGEST_USD or -int(value.as_tuple().exponent) > 2:
        raise Invalid("The volume is in USD with at most two decimals.")


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    safe = url.isprintable() and " " not in url and len(url) <= LONGEST_URL
    return safe and parts.scheme in ("http", "https") and bool(parts.hostname)

"""How applicants are told: the settings in force, and saving a new version of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, text

from data_access import database, letter_templates, locks, staff, tables, texts
from data_access.people import known_by
from data_access.refusals import Invalid, Outdated
from program import letters
from program.delivery import LANGUAGE, DeliverySettings, MessageKind
from program.letters import Unsendable
from program.permissions import Act
from program.platforms import platform_key

LONGEST_NOTE = 500
COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSettings:
    """A version with who saved it; ``note`` is typed text."""

    settings: DeliverySettings
    author: str
    note: str
    saved_at: datetime


def in_force(connection: Connection) -> DeliverySettings:
    """The newest version."""
    return versions(connection, count=1)[0].settings


def versions(connection: Connection, *, count: int = 20) -> list[SavedSettings]:
    """The newest versions, newest first."""
    table = tables.delivery_settings
    rows = connection.execute(select(table).order_by(table.c.version.desc()).limit(count))
    return [
        SavedSettings(
            settings=DeliverySettings(
                version=row.version,
                silent=row.silent,
                send_rejections=row.send_rejections,
                email_instead=tuple(dict.fromkeys(map(platform_key, row.email_instead))),
                language_by_country=dict(row.language_by_country),
            ),
            author=row.author,
            note=row.note,
            saved_at=row.saved_at,
        )
        for row in rows
    ]


@known_by("actor")
def save(
    engine: Engine,
    *,
    silent: bool,
    send_rejections: bool,
    email_instead: Sequence[str],
    language_by_country: Mapping[str, str],
    note: str,
    shown_version: int,
    actor: str,
    now: datetime,
) -> int:
    """Save a version and return its number; the same again makes no new one.

    Raises NotAllowed, Invalid, and Outdated where somebody saved another version since.
    """
    languages = dict(_pair(*pair) for pair in language_by_country.items())
    kept = {
        "silent": silent,
        "send_rejections": send_rejections,
        "email_instead": sorted({_platform(name) for name in email_instead}),
        "language_by_country": languages,
        "note": texts.allow(note, what="The note", longest=LONGEST_NOTE),
    }
    table = tables.delivery_settings
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.KEEP_OUTBOX)
        connection.execute(text("select pg_advisory_xact_lock(:k)"), {"k": locks.DELIVERY_SETTINGS})
        newest = connection.execute(
            select(table).order_by(table.c.version.desc()).limit(1)
        ).mappings()
        before = newest.one()
        if all(before[name] == value for name, value in kept.items()):
            return int(before["version"])
        if before["version"] != shown_version:
            raise Outdated
        _require_templates(connection, languages)
        values = {**kept, "version": shown_version + 1, "author": actor, "saved_at": now}
        connection.execute(insert(table).values(values))
    return shown_version + 1


def _require_templates(connection: Connection, language_by_country: Mapping[str, str]) -> None:
    """Raise Invalid for a language that has no template at all."""
    templates = letter_templates.in_force(connection)
    for country, language in sorted(language_by_country.items()):
        if len(letters.missing_kinds(templates, language)) == len(MessageKind):
            raise Invalid(
                f"There is no template in {language}, so {country} would be told in English. "
                f"Save one in {language} under Templates first."
            )


def _platform(name: str) -> str:
    try:
        return platform_key(letters.platform(name))
    except Unsendable as unsendable:
        raise Invalid(f"{unsendable} Name one, such as Telegram.") from unsendable


def _pair(country: str, language: str) -> tuple[str, str]:
    if not COUNTRY.fullmatch(country) or not LANGUAGE.fullmatch(language):
        raise Invalid("Write a country and its language as codes, such as BR: pt.")
    return country, language

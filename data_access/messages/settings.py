"""Delivery settings: the version in force, and saving a new version."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Row, insert, select, update

from data_access.db import locks, tables, text_rules
from data_access.db.errors import (
    Invalid,
    NotAllowed,
    NotInState,
    Outdated,
    SecondApprovalNeeded,
)
from data_access.messages import templates as message_templates
from data_access.people import commands
from data_access.people.commands import Command
from program.messages import letters
from program.messages.delivery import LANGUAGE, DeliverySettings, MessageKind
from program.messages.letters import Unsendable
from program.review.permissions import Act
from program.text.platforms import platform_key

LONGEST_NOTE = 500
COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSettings:
    """A version and its author; ``note`` is typed text."""

    settings: DeliverySettings
    author: str
    note: str
    saved_at: datetime


def in_force(connection: Connection) -> DeliverySettings:
    """Return the newest version."""
    return versions(connection, count=1)[0].settings


def versions(connection: Connection, *, count: int = 20) -> list[SavedSettings]:
    """Return the newest versions, newest first."""
    table = tables.delivery_settings
    rows = connection.execute(select(table).order_by(table.c.version.desc()).limit(count))
    return [
        SavedSettings(
            settings=_settings(row, row["version"]),
            author=row["author"],
            note=row["note"],
            saved_at=row["saved_at"],
        )
        for row in rows.mappings()
    ]


def _settings(kept: Mapping[Any, Any], version: int) -> DeliverySettings:
    return DeliverySettings(
        version=version,
        silent=kept["silent"],
        send_rejections=kept["send_rejections"],
        email_instead=tuple(dict.fromkeys(map(platform_key, kept["email_instead"]))),
        language_by_country=dict(kept["language_by_country"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Silencing:
    """Proposed settings that send fewer messages; ``note`` is typed text."""

    proposal_id: int
    settings: DeliverySettings
    note: str
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsCommand(Command):
    """A command on the delivery settings."""

    act: ClassVar[Act] = Act.KEEP_OUTBOX


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSettings(SettingsCommand):
    """Save a version of the settings; the form was filled from ``shown_version``.

    With ``ask``, a change that needs a second person becomes a proposal.
    """

    silent: bool
    send_rejections: bool
    email_instead: Sequence[str]
    language_by_country: Mapping[str, str]
    note: str
    shown_version: int
    ask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmSilencing(SettingsCommand):
    """Put a colleague's proposal to send fewer messages into force."""

    proposal_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineSilencing(SettingsCommand):
    """Decline a proposal to send fewer messages, or cancel one's own."""

    proposal_id: int


def save(engine: Engine, command: SaveSettings) -> int:
    """Save a version and return its number; unchanged settings make no new version.

    Sending fewer messages needs a second person: with ``ask`` the change becomes a proposal and the
    version in force is returned. Raises NotAllowed, Invalid, NotInState if such a proposal is open,
    SecondApprovalNeeded, RequestReused, or Outdated if a newer version was saved.
    """
    kept: dict[str, Any] = {
        "silent": command.silent,
        "send_rejections": command.send_rejections,
        "email_instead": sorted({_platform(name) for name in command.email_instead}),
        "language_by_country": dict(_pair(*pair) for pair in command.language_by_country.items()),
        "note": text_rules.allow(command.note, what="The note", longest=LONGEST_NOTE),
    }

    def do(connection: Connection) -> int:
        before = _newest(connection)
        version = int(before["version"])
        if all(before[name] == value for name, value in kept.items()):
            return version
        if version != command.shown_version:
            raise Outdated
        _require_templates(connection, kept["language_by_country"])
        if not _silences(before, kept):
            return _insert(connection, kept, version + 1, command.actor, command.at)
        _propose(connection, kept, command)
        return version

    return _perform(engine, command, do)


def confirm(engine: Engine, command: ConfirmSilencing) -> int:
    """Put a colleague's proposal into force as the second person; returns the version.

    Raises NotAllowed, NotInState, RequestReused, or Outdated if a newer version was saved.
    """

    def do(connection: Connection) -> int:
        row = _require_waiting(connection, command.proposal_id)
        if command.actor == row.proposed_by:
            raise NotAllowed("You proposed this yourself; another person must confirm it.")
        if _newest(connection)["version"] != row.shown_version:
            raise Outdated
        _close(connection, command, "confirmed")
        version = row.shown_version + 1
        return _insert(connection, row.settings, version, row.proposed_by, command.at)

    return _perform(engine, command, do)


def decline(engine: Engine, command: DeclineSilencing) -> int:
    """Close a proposal without a change; its author cancels it in the same way.

    Returns the proposal's id. Raises as `confirm`.
    """

    def do(connection: Connection) -> int:
        _require_waiting(connection, command.proposal_id)
        _close(connection, command, "declined")
        return command.proposal_id

    return _perform(engine, command, do)


def waiting(connection: Connection) -> Silencing | None:
    """Return the open proposal, if there is one."""
    table = tables.delivery_proposals
    row = connection.execute(select(table).where(table.c.closed_as.is_(None))).first()
    if row is None:
        return None
    return Silencing(
        proposal_id=row.proposal_id,
        settings=_settings(row.settings, row.shown_version + 1),
        note=row.settings["note"],
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
    )


def _silences(before: Mapping[Any, Any], after: Mapping[str, Any]) -> bool:
    """Return whether fewer messages are sent than before."""
    return (after["silent"] and not before["silent"]) or (
        before["send_rejections"] and not after["send_rejections"]
    )


def _perform(engine: Engine, command: SettingsCommand, do: Callable[[Connection], int]) -> int:
    return commands.perform(engine, command, do, lock=locks.DELIVERY_SETTINGS)


def _newest(connection: Connection) -> Mapping[Any, Any]:
    table = tables.delivery_settings
    newest = connection.execute(select(table).order_by(table.c.version.desc()).limit(1))
    return newest.mappings().one()


def _insert(
    connection: Connection, kept: Mapping[str, Any], version: int, author: str, now: datetime
) -> int:
    values = {**kept, "version": version, "author": author, "saved_at": now}
    connection.execute(insert(tables.delivery_settings).values(values))
    return version


def _propose(connection: Connection, kept: Mapping[str, Any], command: SaveSettings) -> None:
    if not command.ask:
        raise SecondApprovalNeeded(
            "Sending fewer messages needs a second person. Propose it; another person who "
            "manages the outbox confirms it."
        )
    if waiting(connection) is not None:
        raise NotInState("Such a change already waits for a second person. Reload the page.")
    connection.execute(
        insert(tables.delivery_proposals).values(
            shown_version=command.shown_version,
            settings=kept,
            proposed_by=command.actor,
            proposed_at=command.at,
        )
    )


def _require_waiting(connection: Connection, proposal_id: int) -> Row[Any]:
    table = tables.delivery_proposals
    row = connection.execute(
        select(table).where(table.c.proposal_id == proposal_id, table.c.closed_as.is_(None))
    ).first()
    if row is None:
        raise NotInState("This proposal is no longer open. Reload the page.")
    return row


def _close(
    connection: Connection, command: ConfirmSilencing | DeclineSilencing, closed_as: str
) -> None:
    table = tables.delivery_proposals
    connection.execute(
        update(table)
        .where(table.c.proposal_id == command.proposal_id)
        .values(closed_as=closed_as, closed_by=command.actor, closed_at=command.at)
    )


def _require_templates(connection: Connection, language_by_country: Mapping[str, str]) -> None:
    """Raise Invalid for a language without any template."""
    templates = message_templates.in_force(connection)
    for country, language in sorted(language_by_country.items()):
        if len(letters.missing_kinds(templates, language)) == len(MessageKind):
            raise Invalid(
                f"There is no template in {language}, so {country} would get English. "
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

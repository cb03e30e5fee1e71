"""Render an outgoing message: channel, recipient, text; for previews too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from data_access.applications.read import Application
from data_access.db import tables
from data_access.messages import outbox
from data_access.messages import settings as message_settings
from data_access.messages import templates as message_templates
from program.messages import delivery, letters
from program.messages.delivery import DeliverySettings, Route
from program.messages.letters import Letter, Template, Unsendable
from program.text.platforms import EMAIL, platform_key, platform_name

LONGEST_KIND = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The rendered message. ``obstacle`` says why it could not be sent, if so."""

    channel: str
    recipient: str | None
    text: str
    obstacle: str | None = None


def preview(
    connection: Connection, application: Application, *, kind: str, message: str
) -> Preview:
    """Render a message of ``kind`` with the current settings and templates."""
    settings = message_settings.in_force(connection)
    channel, recipient = outbox.reached_by(application)
    row = {
        "channel": channel,
        "recipient": recipient,
        "email": application.email,
        "country_code": application.country_code,
        "username": application.username,
        "application_id": application.application_id,
        "social_handle": application.social_handle,
        "payload": {"kind": kind, "message": message},
    }
    return preview_of(row, settings, message_templates.in_force(connection))


def preview_of(
    row: Mapping[str, Any], settings: DeliverySettings, templates: Sequence[Template]
) -> Preview:
    """The same of a row of the outbox beside its applicant."""
    channel, payload = row["channel"], row["payload"]
    kind, message = str(payload.get("kind") or ""), str(payload.get("message") or "")
    try:
        route, to = _way(row, settings)
        letter, _ = _letter(row, settings, templates)
    except Unsendable as unsendable:
        return Preview(
            channel=channel, recipient=row["recipient"], text=message, obstacle=str(unsendable)
        )
    withheld = delivery.withheld(kind, settings)
    return Preview(
        channel=EMAIL if route is Route.EMAIL else channel,
        recipient=to,
        text=letter.text,
        obstacle=f"It is withheld, because {withheld}." if withheld else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """A person whom a message cannot reach, and the reason as a sentence."""

    application_id: int
    username: str
    reason: str


def unreachable(connection: Connection, ids: Sequence[int]) -> list[Unreachable]:
    """Return the applicants of ``ids`` whom no message can reach."""
    settings = message_settings.in_force(connection)
    application, account = tables.applications, tables.accounts
    rows = connection.execute(
        select(
            *(application.c.application_id, application.c.contact_platform),
            *(application.c.contact_handle, account.c.username, account.c.email),
        )
        .join_from(application, account, account.c.account_id == application.c.account_id)
        .where(application.c.application_id.in_(ids))
        .order_by(application.c.application_id)
    )
    found = []
    for row in rows:
        channel, recipient = outbox.reached_at(row.contact_platform, row.contact_handle, row.email)
        try:
            _way({"channel": channel, "recipient": recipient, "email": row.email}, settings)
        except Unsendable as reason:
            found.append(
                Unreachable(
                    application_id=row.application_id, username=row.username, reason=str(reason)
                )
            )
    return found


def sent(
    row: Mapping[str, Any],
    settings: DeliverySettings,
    templates: Sequence[Template],
    now: datetime,
) -> dict[str, Any]:
    """Return the content to store, from an outbox row with its applicant. Raises Unsendable."""
    route, to = _way(row, settings)
    letter, template = _letter(row, settings, templates)
    return {
        "route": str(route),
        "to": to,
        "subject": letter.subject,
        "text": letter.text,
        "template": [str(template.kind), template.language, template.version],
        "made_at": now.isoformat(),
        "payload": _payload(row, to, letter, template.language),
    }


def _way(row: Mapping[str, Any], settings: DeliverySettings) -> tuple[Route, str]:
    platform = row["channel"]
    route = delivery.route(platform, settings)
    if route is Route.EMAIL:
        own = platform_key(platform) == EMAIL
        return route, letters.address(row["recipient"] if own else row["email"])
    letters.platform(platform)
    return route, letters.handle(row["recipient"])


def _letter(
    row: Mapping[str, Any], settings: DeliverySettings, templates: Sequence[Template]
) -> tuple[Letter, Template]:
    payload = row["payload"]
    spoken = payload.get("language") or delivery.language(row["country_code"], settings)
    template = letters.choose(templates, str(payload.get("kind") or ""), str(spoken))
    values = message_templates.values_for(
        username=row["username"],
        application_id=row["application_id"],
        social_handle=row["social_handle"],
    )
    return letters.compose(template, str(payload.get("message") or ""), values), template


def _payload(row: Mapping[str, Any], to: str, letter: Letter, language: str) -> dict[str, Any]:
    """Return the payload for the exchange's endpoint: docs/message.schema.json."""
    kind = letters.harmless_line(str(row["payload"].get("kind") or ""))
    return {
        "version": 1,
        "message_id": str(row["message_id"]),
        "kind": kind[:LONGEST_KIND],
        "application_id": row["application_id"],
        "account_id": row["account_id"],
        "decision_id": row["decision_id"],
        "created_at": row["created_at"].isoformat(),
        "contact": {"platform": platform_name(row["channel"]), "handle": to},
        "language": language,
        "subject": letter.subject,
        "text": letter.text,
        "reason_code": row["payload"].get("reason_code"),
        "rebate_rate": row["payload"].get("rebate_rate"),
    }

"""Message templates: versions by kind and language, validated when saved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Row, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from data_access.applications.read import Application
from data_access.db import locks, tables
from data_access.db.errors import Invalid, Outdated
from data_access.people import commands
from data_access.people.commands import Command
from program.messages import canned_texts, letters
from program.messages.delivery import LANGUAGE, MessageKind
from program.messages.letters import Letter, Template
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTemplate:
    """A version, its author and when it was saved."""

    template: Template
    author: str
    saved_at: datetime


def in_force(connection: Connection) -> list[Template]:
    """Return the newest version per kind and language, the shipped text where none was saved."""
    table = tables.message_templates
    rows = connection.execute(
        select(table)
        .ext(distinct_on(table.c.kind, table.c.language))
        .order_by(table.c.kind, table.c.language, table.c.version.desc())
    )
    saved = [_template(row) for row in rows]
    there = {(one.kind, one.language) for one in saved}
    return saved + [one for one in letters.SHIPPED if (one.kind, one.language) not in there]


def history(connection: Connection, kind: MessageKind, language: str) -> list[SavedTemplate]:
    """Return every version for a kind and a language, newest first."""
    table = tables.message_templates
    rows = connection.execute(
        select(table)
        .where(table.c.kind == kind, table.c.language == language)
        .order_by(table.c.version.desc())
    )
    return [
        SavedTemplate(template=_template(row), author=row.author, saved_at=row.saved_at)
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTemplate(Command):
    """Save a version of a template.

    ``shown_version`` is the version that filled the form, 0 for a new language.
    """

    act: ClassVar[Act] = Act.KEEP_OUTBOX
    kind: MessageKind
    language: str
    subject: str
    body: str
    shown_version: int


def save(engine: Engine, command: SaveTemplate) -> int:
    """Save a version and return its number; unchanged text makes no new version.

    Raises NotAllowed, Invalid, RequestReused, or Outdated if a newer version was saved.
    """
    kind, language = command.kind, command.language
    subject, body = command.subject.strip(), command.body.strip()
    if not LANGUAGE.fullmatch(language):
        raise Invalid("A language is a code such as es or pt-BR.")
    found = letters.problems(subject, body)
    if found:
        raise Invalid(" ".join(found))

    def do(connection: Connection) -> int:
        newest = next(iter(history(connection, kind, language)), None)
        before = newest.template if newest else letters.shipped(kind, language)
        if before is not None and (before.subject, before.body) == (subject, body):
            return before.version
        if (before.version if before else 0) != command.shown_version:
            raise Outdated
        version = command.shown_version + 1
        connection.execute(
            insert(tables.message_templates).values(
                kind=str(kind),
                language=language,
                version=version,
                subject=subject,
                body=body,
                author=command.actor,
                saved_at=command.at,
            )
        )
        return version

    return commands.perform(engine, command, do, lock=locks.TEMPLATES)


def preview(application: Application, *, subject: str, body: str, message: str) -> Letter:
    """Render a message as the applicant gets it. Raises Invalid if it cannot be sent."""
    found = letters.problems(subject.strip(), body.strip())
    if found:
        raise Invalid(" ".join(found))
    draft = Template(
        kind=MessageKind.OTHER, language="en", version=0, subject=subject.strip(), body=body
    )
    values = values_for(
        username=application.username,
        application_id=application.application_id,
        social_handle=application.social_handle,
    )
    try:
        return letters.compose(draft, message, values)
    except letters.Unsendable as unsendable:
        raise Invalid(str(unsendable)) from unsendable


def values_for(*, username: str, application_id: int, social_handle: str) -> dict[str, str]:
    """Return the values of a template's placeholders."""
    return {
        "username": username,
        "application_id": str(application_id),
        "social_handle": social_handle,
        "exchange": canned_texts.EXCHANGE,
    }


def _template(row: Row[Any]) -> Template:
    return Template(
        kind=MessageKind(row.kind),
        language=row.language,
        version=row.version,
        subject=row.subject,
        body=row.body,
    )

"""Templates of messages: versions by kind and language, checked when they are saved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from data_access.applications.read import Application
from data_access.db import database, locks, tables
from data_access.db.errors import Invalid, Outdated
from data_access.people import staff
from data_access.people.identities import known_by
from program.messages import canned_texts, letters
from program.messages.delivery import LANGUAGE, MessageKind
from program.messages.letters import Letter, Template
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTemplate:
    """A version with who saved it and when."""

    template: Template
    author: str
    saved_at: datetime


def in_force(connection: Connection) -> list[Template]:
    """The newest version for every kind and language, shipped words where none was saved."""
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
    """Every version for a kind and a language, newest first."""
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


@known_by("actor")
def save(
    engine: Engine,
    *,
    kind: MessageKind,
    language: str,
    subject: str,
    body: str,
    shown_version: int,
    actor: str,
    now: datetime,
) -> int:
    """Save a version and return its number; the same again makes no new one.

    ``shown_version`` is the one the form was filled with, 0 for a new language. Raises
    NotAllowed, Invalid, and Outdated where somebody saved another version since.
    """
    subject, body = subject.strip(), body.strip()
    if not LANGUAGE.fullmatch(language):
        raise Invalid("A language is a code such as es or pt-BR.")
    found = letters.problems(subject, body)
    if found:
        raise Invalid(" ".join(found))
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.KEEP_OUTBOX)
        connection.execute(text("select pg_advisory_xact_lock(:k)"), {"k": locks.TEMPLATES})
        newest = next(iter(history(connection, kind, language)), None)
        before = newest.template if newest else letters.shipped(kind, language)
        if before is not None and (before.subject, before.body) == (subject, body):
            return before.version
        if (before.version if before else 0) != shown_version:
            raise Outdated
        values = {"kind": str(kind), "language": language, "subject": subject, "body": body}
        connection.execute(
            insert(tables.message_templates).values(
                {**values, "version": shown_version + 1, "author": actor, "saved_at": now}
            )
        )
    return shown_version + 1


def preview(application: Application, *, subject: str, body: str, message: str) -> Letter:
    """What an applicant would get. Raises Invalid where the template or the text cannot go."""
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
    """What stands for the placeholders around a message."""
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

"""Internal notes on an application: plain text, never shown to the applicant."""

from dataclasses import dataclass, replace
from typing import ClassVar

from sqlalchemy import Connection, Engine, insert

from data_access.applications import commands
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import tables, text_rules
from program.review.permissions import Act

LONGEST_NOTE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteNote(ApplicationCommand):
    """Add an internal note."""

    act: ClassVar[Act] = Act.WRITE_NOTE
    body: str


def write(engine: Engine, command: WriteNote) -> int:
    """Add a note and return its id. Raises NotAllowed, NotFound, Invalid, RequestReused."""
    body = text_rules.require(command.body, what="The note", longest=LONGEST_NOTE)
    command = replace(command, body=body)

    def do(connection: Connection, _application: Application) -> int:
        note_id: int = connection.execute(
            insert(tables.notes)
            .values(
                application_id=command.application_id,
                body=body,
                author=command.actor,
                created_at=command.at,
            )
            .returning(tables.notes.c.note_id)
        ).scalar_one()
        return note_id

    return commands.perform(engine, command, do)

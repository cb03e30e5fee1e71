"""Internal notes on an application: plain text, never shown to the applicant."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, insert

from data_access.applications import commands
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import tables, text_rules
from data_access.people.identities import known_by
from program.review.permissions import Act

LONGEST_NOTE = 10_000


@known_by("actor")
def write(
    engine: Engine,
    *,
    application_id: int,
    body: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Add a note and return its id. Raises NotAllowed, NotFound, Invalid, RequestReused."""
    text = text_rules.require(body, what="The note", longest=LONGEST_NOTE)
    form = Form(
        request_id=request_id,
        act=Act.WRITE_NOTE,
        actor=actor,
        application_id=application_id,
        content={"body": text},
        at=now,
    )

    def do(connection: Connection, _application: Application) -> int:
        note_id: int = connection.execute(
            insert(tables.notes)
            .values(application_id=application_id, body=text, author=actor, created_at=now)
            .returning(tables.notes.c.note_id)
        ).scalar_one()
        return note_id

    return commands.perform(engine, form, do)

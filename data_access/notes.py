"""Internal notes on an application: plain text, never shown to the applicant."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, insert

from data_access import applications, database, requests, staff, tables
from data_access.refusals import Invalid
from data_access.requests import Form
from program.permissions import Act

LONGEST_NOTE = 10_000


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
    text = require_text(body, what="The note", longest=LONGEST_NOTE)
    form = Form(
        request_id=request_id,
        act=Act.WRITE_NOTE,
        actor=actor,
        application_id=application_id,
        content={"body": text},
        at=now,
    )
    with database.acting(engine) as connection:
        applications.read(connection, application_id, lock=True)
        earlier = requests.first_result(connection, form)
        if earlier is not None:
            return earlier
        staff.require(connection, actor, Act.WRITE_NOTE)
        note_id: int = connection.execute(
            insert(tables.notes)
            .values(application_id=application_id, body=text, author=actor, created_at=now)
            .returning(tables.notes.c.note_id)
        ).scalar_one()
        requests.record(connection, form, result=note_id)
        return note_id


def require_text(text: str, *, what: str, longest: int) -> str:
    """The text without outer spaces; raises Invalid when empty, too long or holding NUL."""
    kept = text.strip()
    if not kept:
        raise Invalid(f"{what} is empty. Write a sentence first.")
    if len(kept) > longest:
        raise Invalid(f"{what} has {len(kept):,} characters; {longest:,} fit. Shorten it.")
    if "\0" in kept:
        raise Invalid(f"{what} holds a NUL character, which cannot be kept. Remove it.")
    if any("\ud800" <= sign <= "\udfff" for sign in kept):
        raise Invalid(f"{what} holds half a character, which cannot be kept. Type it again.")
    return kept

"""Every form carries an id made when it was shown; a repeat returns the first result.

A double click, a retry after a lost answer and an impatient reload all send the same id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from data_access.db import tables
from data_access.db.errors import RequestReused
from data_access.people.identities import known_by
from program.messages.delivery import UNDO_FOR
from program.review import people
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form as it was sent. ``content`` is what was typed, as plain JSON values."""

    request_id: UUID
    act: Act
    actor: str
    application_id: int
    content: dict[str, Any]
    at: datetime
    # How long its message waits before it may leave; until then the act can be undone.
    leaves_after: timedelta = UNDO_FOR

    def __post_init__(self) -> None:
        """Whoever made the form: what is stored and compared is the actor's normal form."""
        object.__setattr__(self, "actor", people.normal(self.actor))


@known_by("actor")
def form(
    act: Act,
    content: dict[str, Any],
    application_id: int,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> Form:
    """The form of one act, as the verbs give its parts."""
    return Form(
        request_id=request_id,
        act=act,
        actor=actor,
        application_id=application_id,
        content=content,
        at=now,
    )


def first_result(connection: Connection, form: Form) -> int | None:
    """The result this request already had, or ``None`` if it is new.

    Call it with the application's row locked, so that two of the same wait for each other.
    Raises RequestReused if the id came before with anything else in the form.
    """
    table = tables.requests
    row = connection.execute(select(table).where(table.c.request_id == form.request_id)).first()
    if row is None:
        return None
    before = (row.act, row.actor, row.application_id, row.content)
    if before != (form.act.name, form.actor, form.application_id, form.content):
        raise RequestReused
    result: int = row.result
    return result


def record(connection: Connection, form: Form, *, result: int) -> None:
    """Keep the result, in the act's own transaction."""
    connection.execute(
        insert(tables.requests).values(
            request_id=form.request_id,
            act=form.act.name,
            actor=form.actor,
            application_id=form.application_id,
            content=form.content,
            result=result,
            at=form.at,
        )
    )

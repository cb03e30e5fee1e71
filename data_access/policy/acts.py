"""The one shape of every act on the policy: one lock, the first result of a repeat, one trail.

Two drafts, and a draft and a withdrawal, can stand against the same schedule of versions, so they
take turns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, func, insert, select

from data_access.db import database, locks, tables
from data_access.db.errors import RequestReused
from data_access.people import staff
from program.review import people
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An act as it was sent. ``content`` is what was typed, as plain JSON values."""

    kind: str
    actor: str
    now: datetime
    request_id: UUID
    content: dict[str, Any]

    def __post_init__(self) -> None:
        """What is stored and compared is the actor's normal form."""
        object.__setattr__(self, "actor", people.normal(self.actor))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvent:
    """One entry of the trail, of a draft or of a version; ``detail`` holds old and new values."""

    draft_id: int | None
    kind: str
    actor: str
    at: datetime
    detail: dict[str, Any]


def perform(engine: Engine, asked: Asked, do: Callable[[Connection], int]) -> int:
    """Run ``do`` under the policy's lock and return its result, the first one of a repeat."""
    with database.acting(engine) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(locks.POLICY)))
        earlier = _first_result(connection, asked)
        if earlier is not None:
            return earlier
        staff.require(connection, asked.actor, Act.EDIT_POLICY)
        return do(connection)


def record_event(
    connection: Connection,
    asked: Asked,
    draft_id: int | None,
    result: int,
    **detail: Any,  # noqa: ANN401 - plain JSON values
) -> None:
    """Add the act to the trail; ``result`` is what a repeat of it gets."""
    connection.execute(
        insert(tables.policy_events).values(
            draft_id=draft_id,
            kind=asked.kind,
            actor=asked.actor,
            at=asked.now,
            detail=detail,
            request_id=asked.request_id,
            asked=asked.content,
            result=result,
        )
    )


def trail(connection: Connection, *, most: int = 100) -> list[PolicyEvent]:
    """Who did what, newest first."""
    table = tables.policy_events
    names = ("draft_id", "kind", "actor", "at", "detail")
    rows = connection.execute(
        select(*(table.c[name] for name in names)).order_by(table.c.event_id.desc()).limit(most)
    ).mappings()
    return [PolicyEvent(**row) for row in rows]


def _first_result(connection: Connection, asked: Asked) -> int | None:
    table = tables.policy_events
    row = connection.execute(select(table).where(table.c.request_id == asked.request_id)).first()
    if row is None:
        return None
    if (row.kind, row.actor, row.asked) != (asked.kind, asked.actor, asked.content):
        raise RequestReused
    result: int = row.result
    return result

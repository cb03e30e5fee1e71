"""Commands on an application: they lock its row and write its timeline."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, insert
from sqlalchemy.sql.dml import ReturningInsert

from data_access.applications import read
from data_access.applications.read import Application
from data_access.db import database, tables
from data_access.db.errors import NotFound
from data_access.people import staff
from data_access.people.commands import (
    ASKED,
    Command,
    Named,
    Result,
    asked_values,
    once,
    with_asked,
)
from program.messages.delivery import UNDO_FOR


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationCommand(Command):
    """A command on one application."""

    application_id: int
    # How long its message waits before it may leave; until then the act can be undone.
    leaves_after: timedelta = field(default=UNDO_FOR, compare=False)

    @property
    def about(self) -> int | None:
        """Return the application."""
        return self.application_id


def perform(
    engine: Engine,
    command: ApplicationCommand,
    do: Callable[[Connection, Application], int],
) -> int:
    """Run ``do`` on the locked application and return its result, the first one of a repeat.

    Raises NotAllowed, NotFound, RequestReused, and whatever ``do`` raises.
    """

    def named(connection: Connection, application: Application) -> Result:
        return Result(do(connection, application))

    return perform_as(Result, engine, command, named).id


def perform_as(
    kind: type[Named],
    engine: Engine,
    command: ApplicationCommand,
    do: Callable[[Connection, Application], Named],
) -> Named:
    """The same for a result of another type, ``kind`` or a subclass of it."""
    with database.acting(engine) as connection:
        row = _locked(connection, command)
        application = read.of_row(row)
        return once(connection, command, kind, lambda: do(connection, application), asked=row)


def _locked(connection: Connection, command: ApplicationCommand) -> RowMapping:
    id_, given = command.application_id, asked_values(command)
    read.hold(connection, id_)
    try:
        return read.row_of(connection, _ASKED, id_, now=command.at, **given)
    except NotFound:
        # Whoever may not act learns that, and not which applications exist.
        staff.require(connection, command.actor, command.act)
        raise


_ASKED = read.selected(with_asked(tables.applications)).add_columns(*ASKED)


def record_event(
    connection: Connection,
    command: ApplicationCommand,
    kind: str,
    **detail: Any,  # noqa: ANN401 - plain JSON values
) -> int:
    """Record an event on the timeline and return its id; ``detail`` holds old and new values."""
    event_id: int = connection.execute(event(command, kind, detail)).scalar_one()
    return event_id


def event(
    command: ApplicationCommand, kind: str, detail: Mapping[str, Any]
) -> ReturningInsert[int]:
    """Return the statement of `record_event`."""
    written = insert(tables.events).values(
        application_id=command.application_id,
        kind=kind,
        actor=command.actor,
        at=command.at,
        detail=detail,
    )
    return written.returning(tables.events.c.event_id)


def newest_detail(events: Iterable[Mapping[str, Any]], kind: str, key: str) -> str | None:
    """Return ``key`` of the newest event of this kind; ``None`` if there is none.

    ``events`` are rows of ``review.events``, newest first.
    """
    details = (event["detail"] for event in events if event["kind"] == kind)
    value: str | None = (next(details, None) or {}).get(key)
    return value

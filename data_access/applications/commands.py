"""Commands on an application: what a person asked for, and how commands run.

A command is a frozen record of a request; its verb takes the engine and the record. It carries an
id made when its form was drawn: a double click, a retry after a lost response and a reload send the
same id, and a repeat returns the first result.

The order matters. First the application's row is locked, so that concurrent requests wait for each
other; then a repeated request gets its first result; then the role is checked; and only then is the
request validated and written, all in one transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select

from data_access.applications import read
from data_access.applications.read import Application
from data_access.db import database, tables
from data_access.db.errors import RequestReused
from data_access.people import identities, staff
from program.messages.delivery import UNDO_FOR
from program.review import people
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A person's request; addresses of people in it are stored in normal form."""

    actor: str
    at: datetime
    request_id: UUID

    def __post_init__(self) -> None:
        """Convert every address of a person to its normal form."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in identities.PARAMETERS and isinstance(value, str):
                object.__setattr__(self, field.name, people.normal(value))


Asked = TypeVar("Asked", bound=Command)
Done = TypeVar("Done")
# A verb takes the engine and the request.
Verb: TypeAlias = Callable[[Engine, Asked], Done]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationCommand(Command):
    """A command on one application. Each subclass names its act and adds its own fields."""

    act: ClassVar[Act]
    application_id: int
    # How long its message waits before it may leave; until then the act can be undone.
    leaves_after: timedelta = UNDO_FOR

    @property
    def content(self) -> dict[str, Any]:
        """Return the request as plain JSON values, to tell a repeat from a different form.

        These are the subclass's fields, without those that are not compared: a repeat may be sent
        from a redrawn page that shows other facts.
        """
        own = [one.name for one in fields(self) if one.compare and one.name not in _COMMON]
        content = {name: _plain(getattr(self, name)) for name in own}
        return {"command": type(self).__name__, **content}


_COMMON = {one.name for one in fields(ApplicationCommand)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field's value, and any JSON value
    match value:
        case str():
            return value.strip()
        case None | bool() | int():
            return value
        case Decimal():
            return str(value.normalize())
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Sequence():
            return [_plain(one) for one in value]
    return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}


@dataclass(frozen=True)
class Result:
    """The result of a command: the id of the row it wrote; subclasses name it."""

    id: int


Named = TypeVar("Named", bound=Result)


def perform(
    engine: Engine,
    command: ApplicationCommand,
    do: Callable[[Connection, Application], int],
) -> int:
    """Run ``do`` on the locked application and return its result, or a repeat's first result.

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
        application = read.read(connection, command.application_id, now=command.at, lock=True)
        earlier = first_result(connection, command, kind)
        if earlier is not None:
            return earlier
        staff.require(connection, command.actor, command.act)
        result = do(connection, application)
        record_result(connection, command, result)
        return result


def first_result(
    connection: Connection, command: ApplicationCommand, kind: type[Named]
) -> Named | None:
    """Return the earlier result of this request, or ``None`` if the request is new.

    Call it with the application's row locked, so that identical requests wait for each other.
    Raises RequestReused if the id was used with different content.
    """
    table = tables.requests
    row = connection.execute(select(table).where(table.c.request_id == command.request_id)).first()
    if row is None:
        return None
    before = (row.act, row.actor, row.application_id, row.content)
    if before != (command.act.name, command.actor, command.application_id, command.content):
        raise RequestReused
    kinds = {one.__name__: one for one in (kind, *kind.__subclasses__())}
    return kinds[row.result_kind](row.result)


def record_result(connection: Connection, command: ApplicationCommand, result: Result) -> None:
    """Store the result in the command's own transaction."""
    connection.execute(
        insert(tables.requests).values(
            request_id=command.request_id,
            act=command.act.name,
            actor=command.actor,
            application_id=command.application_id,
            content=command.content,
            result=result.id,
            result_kind=type(result).__name__,
            at=command.at,
        )
    )


def record_event(
    connection: Connection,
    command: ApplicationCommand,
    kind: str,
    **detail: Any,  # noqa: ANN401 - plain JSON values
) -> int:
    """Record an event on the timeline and return its id; ``detail`` holds old and new values."""
    event_id: int = connection.execute(
        insert(tables.events)
        .values(
            application_id=command.application_id,
            kind=kind,
            actor=command.actor,
            at=command.at,
            detail=detail,
        )
        .returning(tables.events.c.event_id)
    ).scalar_one()
    return event_id


def newest_detail(connection: Connection, application_id: int, kind: str, key: str) -> str | None:
    """Return ``key`` of the newest event of this kind; ``None`` if there is none."""
    table = tables.events
    value: str | None = connection.execute(
        select(table.c.detail[key].astext)
        .where(table.c.application_id == application_id, table.c.kind == str(kind))
        .order_by(table.c.event_id.desc())
        .limit(1)
    ).scalar()
    return value

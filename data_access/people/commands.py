"""Commands: what a person asked for, and how commands run.

A command is a frozen record of a request; its verb takes the engine and the record. It carries an
id made when its form was drawn: a double click, a retry after a lost response and a reload send the
same id, and a repeat returns the first result.

The order matters. First what the command changes is locked, so that concurrent requests wait for
each other; then a repeated request gets its first result; then the role is checked; and only then
anything is written, all in one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar, TypeAlias, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import (
    Connection,
    Engine,
    FromClause,
    Label,
    RowMapping,
    Text,
    Uuid,
    and_,
    bindparam,
    insert,
    literal,
    select,
)

from data_access.db import database, locks, tables
from data_access.db.errors import RequestReused
from data_access.people import identities, staff
from program.query import Record
from program.review import people
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A person's request; addresses of people in it are stored in normal form.

    Each subclass names its act and adds its own fields.
    """

    act: ClassVar[Act]
    # Whether its verb runs on the connection for loads, which may take long.
    loads: ClassVar[bool] = False
    actor: str
    at: datetime
    request_id: UUID

    def __post_init__(self) -> None:
        """Convert every address of a person to its normal form."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in identities.PARAMETERS and isinstance(value, str):
                object.__setattr__(self, field.name, people.normal(value))

    @property
    def content(self) -> dict[str, Any]:
        """Return the command's name and what was given, to tell a repeat from a different form."""
        return {"command": type(self).__name__, **self.given}

    @property
    def given(self) -> dict[str, Any]:
        """Return the subclass's fields as plain JSON values.

        Without those that are not compared: a repeat may be sent from a redrawn page that shows
        other facts.
        """
        own = [one.name for one in fields(self) if one.compare and one.name not in _COMMON]
        return {name: _plain(getattr(self, name)) for name in own}

    @property
    def about(self) -> int | None:
        """Return the application it is about, if it is about one."""
        return None


_COMMON = {one.name for one in fields(Command)}
CommandT = TypeVar("CommandT", bound=Command)
ResultT = TypeVar("ResultT")
# A verb takes the engine and the request.
Verb: TypeAlias = Callable[[Engine, CommandT], ResultT]


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field's value, and any JSON value
    match value:
        case str():
            return value.strip()
        case None | bool() | int():
            return value
        case bytes():
            return sha256(value).hexdigest()
        case Decimal():
            return str(value.normalize())
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Record():
            return urlencode(value.to_query())
        case Mapping():
            return {str(name): _plain(one) for name, one in value.items()}
        case Sequence():
            return [_plain(one) for one in value]
    return {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.compare}


@dataclass(frozen=True)
class Result:
    """The result of a command: the id of the row it wrote; subclasses name it."""

    id: int


Named = TypeVar("Named", bound=Result)


def perform(
    engine: Engine,
    command: Command,
    do: Callable[[Connection], int],
    *,
    lock: int | None = None,
    of: str = "",
) -> int:
    """Run ``do`` under a lock and return its result, the first one of a repeat.

    ``of`` is which of the things under one lock; without a lock only repeats of the request wait
    for it. Raises NotAllowed, RequestReused, and whatever ``do`` raises.
    """
    held = (locks.REQUESTS, str(command.request_id)) if lock is None else (lock, of)
    with database.acting(engine) as connection:
        locks.hold(connection, *held)
        return once(connection, command, Result, lambda: Result(do(connection))).id


def once(
    connection: Connection,
    command: Command,
    kind: type[Named],
    do: Callable[[], Named],
    *,
    asked: Mapping[Any, Any] | None = None,
) -> Named:
    """Return the earlier result of this request, or check the role, run ``do`` and record.

    Call it with a lock held, so that identical requests wait for each other. ``asked`` has the
    columns `ASKED`, if they were read already. Raises NotAllowed, RequestReused if the id was used
    with different content, and whatever ``do`` raises.
    """
    asked = asked or read_asked(connection, command)
    earlier = _first_result(asked, command, kind)
    if earlier is not None:
        return earlier
    staff.require_role(asked["role_of_actor"], command.act)
    result = do()
    record_result(connection, command, result)
    return result


def _first_result(asked: Mapping[Any, Any], command: Command, kind: type[Named]) -> Named | None:
    act, *before = (asked[f"asked_{name}"] for name in _CONTENT)
    if act is None:
        return None
    if [act, *before] != [command.act.name, command.actor, command.about, command.content]:
        raise RequestReused
    kinds = {one.__name__: one for one in (kind, *kind.__subclasses__())}
    return kinds[asked["asked_result_kind"]](asked["asked_result"])


# What was asked for with this id before, if anything, and the role of who asks now, if any. Read
# together, and beside what a command locks, since each turn to the server takes its time.
_CONTENT = ("act", "actor", "application_id", "content")
_REQUEST = bindparam("request_asked", type_=Uuid())
_ACTOR = bindparam("actor_asking", type_=Text())
ASKED: list[Label[Any]] = [
    *(tables.requests.c[n].label(f"asked_{n}") for n in (*_CONTENT, "result", "result_kind")),
    tables.staff.c.role.label("role_of_actor"),
]


def with_asked(source: FromClause) -> FromClause:
    """Join what `ASKED` selects; needs `asked_values`."""
    request, person = tables.requests, tables.staff
    return source.outerjoin(request, request.c.request_id == _REQUEST).outerjoin(
        person, and_(person.c.email == _ACTOR, person.c.active)
    )


def asked_values(command: Command) -> dict[str, Any]:
    """Return the parameters of `with_asked`."""
    # What is not an address is perhaps not storable text.
    actor = command.actor if people.fault(command.actor) is None else None
    return {_REQUEST.key: command.request_id, _ACTOR.key: actor}


def read_asked(connection: Connection, command: Command) -> RowMapping:
    """Return the columns `ASKED` of a command."""
    return connection.execute(_ASKED, asked_values(command)).mappings().one()


_ASKED = select(*ASKED).select_from(with_asked(select(literal(1).label("one")).subquery("alone")))


def record_result(connection: Connection, command: Command, result: Result) -> None:
    """Store the result in the command's own transaction."""
    row = {
        "request_id": command.request_id,
        "act": command.act.name,
        "actor": command.actor,
        "application_id": command.about,
        "content": command.content,
        "result": result.id,
        "result_kind": type(result).__name__,
        "at": command.at,
    }
    connection.execute(_RECORD, row)


# Composed once: a statement takes longer to compose than to send.
_RECORD = insert(tables.requests)

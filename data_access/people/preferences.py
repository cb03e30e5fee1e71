"""Personal settings, such as the columns of the queue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from data_access.db import tables
from data_access.people import commands
from data_access.people.commands import Command
from data_access.people.identities import known_by
from program.review.permissions import Act

REQUESTS_KEPT_FOR = timedelta(days=7)


@known_by("email")
def read(connection: Connection, *, email: str, name: str) -> Any:  # noqa: ANN401 - plain JSON values
    """Return the stored value, or ``None``."""
    table = tables.preferences
    return connection.execute(
        select(table.c.value).where(table.c.email == email, table.c.name == name)
    ).scalar_one_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPreference(Command):
    """Set the actor's own value, as plain JSON values."""

    act: ClassVar[Act] = Act.READ
    name: str
    value: Any


def put(engine: Engine, command: PutPreference) -> int:
    """Set the actor's own value; returns how many were set. Raises NotAllowed or RequestReused."""
    table = tables.preferences

    def do(connection: Connection) -> int:
        connection.execute(
            insert(table)
            .values(email=command.actor, name=command.name, value=command.value)
            .on_conflict_do_update(
                index_elements=[table.c.email, table.c.name], set_={"value": command.value}
            )
        )
        return 1

    return commands.perform(engine, command, do)


def forget_requests(connection: Connection, *, now: datetime) -> None:
    """Remove the requests that set a value long ago; the values stay.

    Each click in the queue's column chooser leaves one. Their repeats come within minutes, and one
    that came later would only set the value again. Requests of all other acts are kept for good.
    """
    table = tables.requests
    connection.execute(
        delete(table).where(
            table.c.content["command"].astext == PutPreference.__name__,
            table.c.at < now - REQUESTS_KEPT_FOR,
        )
    )

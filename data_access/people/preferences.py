"""Personal settings, such as the columns of the queue."""

from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert

from data_access.db import database, tables
from data_access.people import staff
from data_access.people.identities import known_by
from program.review.permissions import Act


@known_by("email")
def read(connection: Connection, *, email: str, name: str) -> Any:  # noqa: ANN401 - plain JSON values
    """Return the stored value, or ``None``."""
    table = tables.preferences
    return connection.execute(
        select(table.c.value).where(table.c.email == email, table.c.name == name)
    ).scalar_one_or_none()


@known_by("actor")
def put(engine: Engine, *, name: str, value: Any, actor: str) -> None:  # noqa: ANN401
    """Store the actor's own value. Raises NotAllowed."""
    table = tables.preferences
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.READ)
        connection.execute(
            insert(table)
            .values(email=actor, name=name, value=value)
            .on_conflict_do_update(
                index_elements=[table.c.email, table.c.name], set_={"value": value}
            )
        )

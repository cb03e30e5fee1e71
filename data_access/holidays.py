"""The days, beside weekends, on which the review clock stands still."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from data_access import database, staff, tables, texts
from data_access.people import known_by
from program.permissions import Act

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """One UTC day off; ``name`` is typed text."""

    day: date
    name: str


def listed(connection: Connection) -> list[Holiday]:
    """All of them, earliest first."""
    table = tables.holidays
    return [
        Holiday(day=row.day, name=row.name)
        for row in connection.execute(select(table).order_by(table.c.day))
    ]


def days(connection: Connection) -> frozenset[date]:
    """The days alone, as business time asks for them."""
    return frozenset(connection.execute(select(tables.holidays.c.day)).scalars())


@known_by("actor")
def keep(engine: Engine, *, day: date, name: str, actor: str) -> None:
    """Add a holiday, or rename the one on that day. Raises NotAllowed or Invalid."""
    text = texts.require(name, what="The holiday's name", longest=LONGEST_NAME)
    table = tables.holidays
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.KEEP_HOLIDAYS)
        connection.execute(
            insert(table)
            .values(day=day, name=text)
            .on_conflict_do_update(index_elements=[table.c.day], set_={"name": text})
        )


@known_by("actor")
def drop(engine: Engine, *, day: date, actor: str) -> None:
    """Make the day an ordinary one again. Raises NotAllowed."""
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.KEEP_HOLIDAYS)
        connection.execute(delete(tables.holidays).where(tables.holidays.c.day == day))

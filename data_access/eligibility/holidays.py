"""The days, beside weekends, on which the review clock stands still.

`holiday_changes` is what changes them.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from data_access.db import tables


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

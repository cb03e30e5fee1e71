"""Holidays: days besides weekends on which the review clock stops.

`data_access.policy.holiday_changes` changes them.
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
    """Return all holidays, earliest first."""
    table = tables.holidays
    return [
        Holiday(day=row.day, name=row.name)
        for row in connection.execute(select(table).order_by(table.c.day))
    ]


def days(connection: Connection) -> frozenset[date]:
    """Return the days only, for business time."""
    return frozenset(connection.execute(select(tables.holidays.c.day)).scalars())

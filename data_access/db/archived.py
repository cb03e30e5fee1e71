"""The months whose activity is in archives; their sums stay in the rollups."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, select

from data_access.db import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedMonth:
    """A month that was archived: its file, and what the file holds. Sums in USD."""

    month: date
    file: str
    sha256: str
    row_count: int
    volume_usd: Decimal
    fees_usd: Decimal
    trade_count: int
    archived_at: datetime


def read(connection: Connection) -> list[ArchivedMonth]:
    """Return the archived months, oldest first."""
    table = tables.archived_months
    found = connection.execute(select(table).order_by(table.c.month)).mappings()
    return [ArchivedMonth(**row) for row in found]


def in_words(months: Collection[date]) -> str:
    """Return months as they are written: the first and the last, or the only one."""
    first, last = min(months), max(months)
    return f"{first:%Y-%m}" if first == last else f"{first:%Y-%m} to {last:%Y-%m}"

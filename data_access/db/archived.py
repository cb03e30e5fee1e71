"""The months whose activity is in archives; their sums stay in the rollups."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, select

from data_access.db import tables
from program import wording
from program.periods import months_later


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
    """Return months as they are written, such as ``2024-10 and 2025-01 to 2025-02``."""
    runs: list[list[date]] = []
    for month in sorted(months):
        if runs and month == months_later(runs[-1][-1], 1):
            runs[-1].append(month)
        else:
            runs.append([month])
    return wording.listed([" to ".join(f"{end:%Y-%m}" for end in _ends(run)) for run in runs])


def _ends(run: list[date]) -> list[date]:
    return [run[0], run[-1]] if len(run) > 1 else run


def way_back(months: Iterable[ArchivedMonth]) -> str:
    """Return what to run so that months that have a partition all the same are whole again."""
    files = " ".join(one.file for one in months)
    return f"`python -m data_access load activity {files}`, then `python -m data_access refresh`"

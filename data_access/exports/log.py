"""The log of exports: an entry for every file, complete or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from data_access.db import database, tables
from data_access.people import staff
from data_access.people.identities import known_by
from program.reports.export_formats import Ending
from program.review import people
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who exported what, and how it ended. Filters are as requested; view names are typed text."""

    exported_by: str
    dataset: str
    file_format: str
    filters: Mapping[str, Any]
    columns: Sequence[str]
    row_count: int
    outcome: Ending = Ending.COMPLETE
    view_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported(Entry):
    """An entry as the log has it."""

    export_id: int
    exported_at: datetime


def record(connection: Connection, entry: Entry) -> None:
    """Add an entry to the log."""
    connection.execute(
        insert(tables.exports).values(
            exported_by=people.normal(entry.exported_by),
            dataset=entry.dataset,
            format=str(entry.file_format),
            filters=dict(entry.filters),
            columns=list(entry.columns),
            row_count=entry.row_count,
            outcome=str(entry.outcome),
            view_name=entry.view_name,
        )
    )


@known_by("viewer")
def log(
    engine: Engine, *, viewer: str, before: int | None = None, limit: int = 100
) -> list[Exported]:
    """Return the newest exports, or those ``before`` an id. Raises NotAllowed."""
    table = tables.exports
    with database.reading(engine) as connection:
        staff.require(connection, viewer, Act.SEE_EXPORTS)
        query = select(table).order_by(table.c.export_id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.export_id < before)
        rows = connection.execute(query).all()
    return [
        Exported(
            export_id=row.export_id,
            exported_by=row.exported_by,
            exported_at=row.exported_at,
            dataset=row.dataset,
            file_format=row.format,
            filters=row.filters,
            columns=tuple(row.columns),
            row_count=row.row_count,
            outcome=Ending(row.outcome),
            view_name=row.view_name,
        )
        for row in rows
    ]

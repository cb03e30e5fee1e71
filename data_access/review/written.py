"""Everything that was written about an application, read in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, literal, select

from data_access.db import records, tables
from data_access.db.bundles import Row
from data_access.people.identities import known_by
from program.messages.delivery import DELIVERY

# Where colleagues write on the thread, and the column that says who did.
WRITERS: dict[Table, str] = {
    tables.notes: "author",
    tables.evidence: "recorded_by",
    tables.checks: "author",
    tables.events: "actor",
}
PARTS: dict[str, Select[Any]] = {
    table.name: records.newest_first(table)
    for table in (*WRITERS, tables.decisions, tables.proposals)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The rows of each table about an application, newest first."""

    notes: list[Row]
    evidence: list[Row]
    checks: list[Row]
    events: list[Row]
    decisions: list[Row]
    proposals: list[Row]


def of_rows(found: Mapping[str, list[Row]]) -> Written:
    """Return the rows of `PARTS`."""
    return Written(**{name: found[name] for name in PARTS})


def count_by_others(viewer: ColumnElement[str]) -> ColumnElement[int]:
    """Return `by_others`, counted in the database, as the column ``others_wrote``."""
    each = [
        select(func.count())
        .select_from(table)
        .where(
            table.c.application_id == records.APPLICATION_ID,
            table.c[by].not_in([viewer, literal(DELIVERY)]),
        )
        .scalar_subquery()
        for table, by in WRITERS.items()
    ]
    return sum(each[1:], start=each[0]).label("others_wrote")


@known_by("viewer")
def by_others(written: Written, *, viewer: str) -> int:
    """Count the notes, observations, checks and events that are not ``viewer``'s."""
    authors = [row[by] for table, by in WRITERS.items() for row in getattr(written, table.name)]
    return sum(author not in (viewer, DELIVERY) for author in authors)

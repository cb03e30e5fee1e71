"""The staging table: the rows of a call, typed and numbered, before the merge.

Rows are numbered in the order of the files, so that an error that only the database finds (an
unknown account, a repeated key) still names file and line.
"""

# ruff: noqa: S608 - names come from the tables in `kinds`; what a file says is never in a text

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from psycopg import Cursor, sql
from sqlalchemy import Connection, text

from data_access.loading.kinds import FactKind

TABLE = "arrivals"


@dataclass
class Places:
    """Where each staged row came from."""

    files: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    rows: int = 0
    # Runs of consecutive lines: (number of the first row, index of its file, its line).
    _runs: list[tuple[int, int, int]] = field(default_factory=list)

    def begin(self, file: str) -> None:
        """Start a file; the following rows are its."""
        self.files.append(file)
        self.starts.append(self.rows + 1)

    def add(self, lines: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Add staged rows from these lines."""
        if not len(lines):
            return
        breaks = np.concatenate([[0], np.flatnonzero(np.diff(lines) != 1) + 1])
        for index in breaks.tolist():
            self._runs.append((self.rows + 1 + index, len(self.files) - 1, int(lines[index])))
        self.rows += len(lines)

    def of(self, number: int) -> tuple[str, int]:
        """Return file and line of the row with that number, counting from 1."""
        first, file, line = next(run for run in reversed(self._runs) if run[0] <= number)
        return self.files[file], line + number - first

    def span(self, index: int) -> tuple[int, int]:
        """Return the first and last row number of the call's file with that index."""
        ends = [*self.starts[1:], self.rows + 1]
        return self.starts[index], ends[index] - 1


def create(connection: Connection, kind: FactKind) -> None:
    """Create the empty staging table of ``kind``, dropped at the end of the transaction.

    Replaces that of an earlier call in the same transaction.
    """
    columns = ", ".join(f"{column.name} {column.sql_type}" for column in kind.columns)
    connection.execute(text(f"drop table if exists pg_temp.{TABLE}"))
    connection.execute(
        text(
            f"create temporary table {TABLE} "
            f"(staged bigint generated always as identity (cache 1000), {columns}) on commit drop"
        )
    )


def copy_statement(kind: FactKind, names: Iterable[str]) -> sql.Composed:
    """Return the COPY statement for a file with those columns; empty optional values are null."""
    names = list(names)
    optional = [name for name in names if not kind.by_name[name].required]
    empty = sql.SQL(", force_null ({})").format(_listed(optional)) if optional else sql.SQL("")
    return sql.SQL("copy {} ({}) from stdin (format csv{})").format(
        sql.Identifier(TABLE), _listed(names), empty
    )


def _listed(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def cursor(connection: Connection) -> Cursor[Any]:
    """Return the driver's cursor in the transaction of ``connection``, for COPY."""
    driver = connection.connection.driver_connection
    assert driver is not None
    made: Cursor[Any] = driver.cursor()
    return made


def totals(
    connection: Connection, columns: Iterable[str], span: tuple[int, int]
) -> dict[str, Decimal]:
    """Return the sums of those columns over the staged rows from the first to the last number."""
    return {
        name: connection.execute(
            text(
                f"select coalesce(sum({name}), 0)::numeric from {TABLE} "
                "where staged between :first and :last"
            ),
            {"first": span[0], "last": span[1]},
        ).scalar_one()
        for name in columns
    }

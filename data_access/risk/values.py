"""Numbers from the database to NumPy and back, for what SQL does not compute."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.rows import DictRow, tuple_row
from psycopg.sql import SQL, Composable, Identifier

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
# The types of a query's columns, by name.
Columns = dict[str, type[Any]]
# As Postgres sends them, and as NumPy reads that.
SENT = {int: SQL("int8send({}::bigint)"), float: SQL("float8send({}::float8)")}
WIRE = {int: ">i8", float: ">f8"}


def fetch(cursor: Cursor[DictRow], query: Composable, columns: Columns) -> dict[str, NDArray[Any]]:
    """Return the columns of a query of numbers without nulls, in the order of its rows.

    Each column comes as one value, since a row at a time takes Python ten times as long.
    """
    statement = SQL("select {} from ({}) as numbers ({})").format(
        SQL(", ").join(
            SQL("string_agg({}, '')").format(SENT[kind].format(Identifier(name)))
            for name, kind in columns.items()
        ),
        query,
        SQL(", ").join(map(Identifier, columns)),
    )
    with cursor.connection.cursor(binary=True, row_factory=tuple_row) as binary:
        row = binary.execute(statement).fetchone()
    assert row is not None
    return {
        name: np.frombuffer(sent or b"", WIRE[kind]).astype(kind)
        for (name, kind), sent in zip(columns.items(), row, strict=True)
    }


def write(cursor: Cursor[DictRow], table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Add rows to a temporary table."""
    with cursor.copy(SQL("copy pg_temp.{} from stdin").format(Identifier(table))) as copy:
        for row in rows:
            copy.write_row(row)

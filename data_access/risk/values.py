"""Numbers from the database to NumPy and back, for what SQL does not compute."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
# The types of a query's columns, by name.
Columns = dict[str, type[Any]]
CASTS = {int: SQL("bigint"), float: SQL("float8")}
# Postgres' binary format of copying.
WIRE = {int: ">i8", float: ">f8"}
HEADER_BYTES, TRAILER_BYTES = 19, 2


def fetch(cursor: Cursor[DictRow], query: Composable, columns: Columns) -> dict[str, NDArray[Any]]:
    """Return the columns of a query of numbers without nulls; millions of rows in seconds."""
    statement = SQL("copy (select {} from ({}) as numbers ({})) to stdout (format binary)").format(
        SQL(", ").join(SQL("{}::{}").format(Identifier(n), CASTS[t]) for n, t in columns.items()),
        query,
        SQL(", ").join(map(Identifier, columns)),
    )
    with cursor.copy(statement) as copy:
        rows = b"".join(copy)
    # Without nulls all rows have the same length: a count, and each number after its size.
    row = [("count", ">i2")]
    for name, kind in columns.items():
        row += [(f"size of {name}", ">i4"), (name, WIRE[kind])]
    read = np.frombuffer(rows[HEADER_BYTES:-TRAILER_BYTES], np.dtype(row))
    return {name: read[name].astype(kind) for name, kind in columns.items()}


def write(cursor: Cursor[DictRow], table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Add rows to a temporary table."""
    with cursor.copy(SQL("copy pg_temp.{} from stdin").format(Identifier(table))) as copy:
        for row in rows:
            copy.write_row(row)

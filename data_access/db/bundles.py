"""Rows of several selections in one statement: each comes as one value, an array of arrays."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Numeric,
    Select,
    Text,
    Uuid,
    cast,
    func,
    select,
)
from sqlalchemy.types import NullType, TypeEngine

Row = dict[str, Any]
# How a cell is read whose type JSON does not have. Amounts are sent as text, since a JSON number
# with a point would be read as a binary one.
READERS: tuple[tuple[type[TypeEngine[Any]], Callable[[str], Any]], ...] = (
    (Numeric, Decimal),
    (DateTime, datetime.fromisoformat),
    (Date, date.fromisoformat),
    (Uuid, UUID),
)


class Bundle:
    """A statement that reads all rows of named selections at once.

    Build it once: most of the time of a large statement goes into composing it.
    """

    def __init__(self, **parts: Select[Any]) -> None:
        self._readers = {
            name: {column.name: _reader(column.type) for column in part.selected_columns}
            for name, part in parts.items()
        }
        self._statement = select(*(_as_json(part).label(name) for name, part in parts.items()))

    def read(self, connection: Connection, **values: Any) -> dict[str, list[Row]]:  # noqa: ANN401 - bound parameters
        """Return the rows of each selection in its order, by its name."""
        found = connection.execute(self._statement, values).mappings().one()
        return {name: _rows(readers, found[name]) for name, readers in self._readers.items()}


def _as_json(part: Select[Any]) -> ColumnElement[Any]:
    rows = part.subquery()
    cells = [cast(cell, Text) if isinstance(cell.type, Numeric) else cell for cell in rows.c]
    return select(func.json_agg(func.json_build_array(*cells), type_=JSON())).scalar_subquery()


def _reader(kind: TypeEngine[Any]) -> Callable[[str], Any] | None:
    if isinstance(kind, NullType):
        raise TypeError("A column without a type cannot be read from JSON.")
    return next((reader for its, reader in READERS if isinstance(kind, its)), None)


def _rows(
    readers: Mapping[str, Callable[[str], Any] | None], found: Sequence[Sequence[Any]] | None
) -> list[Row]:
    return [
        {
            name: cell if reader is None or cell is None else reader(cell)
            for (name, reader), cell in zip(readers.items(), cells, strict=True)
        }
        for cells in found or ()
    ]

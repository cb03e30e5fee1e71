"""Rows read together are those read one by one, cell by cell and of the same types."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from data_access.db.bundles import Bundle

CELLS: tuple[tuple[TypeEngine[Any], Any], ...] = (
    (Numeric(), Decimal("12345678901234567890.10")),
    (Numeric(24, 6), Decimal("-0.000001")),
    (Numeric(), Decimal(5)),
    (Numeric(), Decimal("NaN")),
    (Numeric(), None),
    (BigInteger(), 2**63 - 1),
    (Integer(), -1),
    (Boolean(), True),
    (Date(), date(2024, 2, 29)),
    (Date(), None),
    (DateTime(timezone=True), datetime(2026, 10, 5, 21, 16, 22, 892740, UTC)),
    (DateTime(timezone=True), datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
    (Uuid(), UUID(int=7)),
    (Text(), 'a "b" \\ \n\t\u2028 \U0001f600 {}'),
    (Text(), ""),
    (Text(), None),
    (ARRAY(Text()), ["x", "y, z"]),
    (ARRAY(Text()), []),
    (JSONB(), {"share": 0.5, "many": 10**20, "list": [None, True, "1.50"], "": {}}),
    (JSONB(), None),
)


def all_cells() -> Select[Any]:
    return select(
        *(cast(literal(cell, kind), kind).label(f"c{n}") for n, (kind, cell) in enumerate(CELLS))
    )


def test_a_cell_read_together_is_the_one_read_alone(conn: Connection) -> None:
    alone = dict(conn.execute(all_cells()).mappings().one())

    [together] = Bundle(cells=all_cells()).read(conn)["cells"]

    assert [*map(repr, together.values())] == [
        repr(cell).replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc")
        for cell in alone.values()
    ]
    assert list(together) == list(alone)


def test_each_selection_keeps_its_rows_and_their_order(conn: Connection) -> None:
    series = func.generate_series(1, bindparam("most", type_=Integer()))
    numbers = series.table_valued(column("n", Integer())).render_derived()
    few = select(numbers.c.n).order_by(numbers.c.n % 3, numbers.c.n.desc())
    none = select(numbers.c.n).where(numbers.c.n < 0)

    found = Bundle(few=few, none=none).read(conn, most=5)

    assert [row["n"] for row in found["few"]] == [3, 4, 1, 5, 2]
    assert found["none"] == []


def test_a_column_without_a_type_is_refused() -> None:
    with pytest.raises(TypeError):
        Bundle(rows=select(func.now(), func.mystery()))


def test_a_selection_may_be_a_union(conn: Connection) -> None:
    both = union_all(select(literal(1).label("n")), select(literal(2).label("n"))).subquery()

    assert Bundle(both=select(both)).read(conn) == {"both": [{"n": 1}, {"n": 2}]}

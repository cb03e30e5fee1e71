"""A pivot as SQL: every cell, and the totals of rows and of columns, over the rows themselves.

So a median or average of a row is that of all its rows, whatever its cells are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Select,
    Subquery,
    Text,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from data_access.eligibility.judging import JudgingContext
from data_access.explore.cells import Expression
from data_access.explore.statements import ViewQuery, figure, in_order, measured
from program.reports import pivots
from program.reports.datasets import ColumnKind
from program.reports.pivots import MOST_ACROSS, Heads, Pivoted
from program.reports.views import PAGE_SIZE

# In place of the number of a column: those of all other values, and of the unknown.
OTHERS, UNKNOWN = 0, -1
TYPES: Mapping[ColumnKind, TypeEngine[Any]] = {
    ColumnKind.ID: BigInteger(),
    ColumnKind.WHOLE: BigInteger(),
    ColumnKind.TRUTH: Boolean(),
    ColumnKind.DAY: Date(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PivotCell:
    """A figure and the number of rows behind it; ``None`` of some rows is unknown."""

    value: Any
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PivotRow:
    """One group: its values by name, a cell for each head, and the figure of all its rows."""

    by: Mapping[str, Any]
    cells: tuple[PivotCell, ...]
    whole: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot:
    """A page of rows, and ``totals``, a row over all pages without values of groups.

    ``total`` is the number of rows on all pages, ``pairs`` that of the groups down and across.
    """

    pivoted: Pivoted
    heads: Heads
    rows: list[PivotRow]
    totals: PivotRow
    total: int
    pairs: int


def read(
    connection: Connection,
    pivoted: Pivoted,
    context: JudgingContext,
    *,
    page: int = 1,
    size: int = PAGE_SIZE,
    most: int = MOST_ACROSS,
) -> Pivot:
    """Read the columns, at most ``most`` and that of the others, then a page of rows."""
    keyed = ViewQuery(pivoted.view, context).keyed()
    heads = _heads(connection, keyed, pivoted, most)
    numbered = _numbered(keyed, pivoted, heads).subquery("numbered")
    start = 1 + (page - 1) * size
    number = numbered.c.number
    wanted = or_(number == 1, number.between(start + 1, start + size))
    rows = connection.execute(select(numbered).where(wanted).order_by(number)).mappings().all()
    totals, *shown = (_row(dict(row), pivoted, heads) for row in rows)
    return Pivot(
        pivoted=pivoted,
        heads=heads,
        rows=shown,
        totals=totals,
        total=rows[0]["total"],
        pairs=int(rows[0]["all_pairs"] or 0),
    )


def _heads(connection: Connection, keyed: Subquery, pivoted: Pivoted, most: int) -> Heads:
    """Return the newest or the largest values; the most frequent if figures do not add up."""
    value = keyed.c[pivoted.across.name]
    size = _figure(pivoted, keyed) if pivoted.adds_up else func.count()
    order = value if pivoted.in_time else size
    found = connection.execute(
        select(value, func.count().over())
        .group_by(value)
        .order_by(value.is_not(None), order.desc().nulls_last(), value)
        .limit(most + 1)
    ).all()
    has_unknown = bool(found) and found[0][0] is None
    known = [row[0] for row in found if row[0] is not None][:most]
    number = found[0][1] - has_unknown if found else 0
    column = pivoted.column(pivoted.across.name)
    return Heads(
        values=pivots.in_order(known, column, in_time=pivoted.in_time),
        others=number - len(known),
        has_unknown=has_unknown,
    )


def _figure(
    pivoted: Pivoted, rows: Subquery, *, only: ColumnElement[bool] | None = None
) -> Expression:
    measure = pivoted.measure
    return figure(measure, measured(rows), pivoted.column(measure.name), only=only)


def _numbered(keyed: Subquery, pivoted: Pivoted, heads: Heads) -> Select[Any]:
    """Return the row of totals and the rows, numbered in their order from one on."""
    placed = _placed(keyed, pivoted, heads)
    by = {group.name: placed.c[group.name] for group in pivoted.down}
    across, is_totals = placed.c[pivoted.across.name], func.grouping(next(iter(by.values())))
    whole = _figure(pivoted, placed)
    unknown = case((func.count().filter(across.is_(None)) > 0, 1), else_=0)
    pairs = case((is_totals == 0, func.count(across.distinct()) + unknown))
    order = [is_totals.desc(), *_order(pivoted, by, whole)]
    return select(
        *by.values(),
        *_cells(placed, pivoted, heads),
        whole.label("whole"),
        func.row_number().over(order_by=order).label("number"),
        (func.count().over() - 1).label("total"),
        func.sum(pairs).over().label("all_pairs"),
    ).group_by(func.rollup(tuple_(*by.values())))


def _cells(placed: Subquery, pivoted: Pivoted, heads: Heads) -> list[ColumnElement[Any]]:
    cells: list[ColumnElement[Any]] = []
    for index, place in enumerate(_places(heads)):
        only = placed.c.place == place
        cells.append(_figure(pivoted, placed, only=only).label(f"cell_{index}"))
        cells.append(func.count().filter(only).label(f"rows_{index}"))
    return cells


def _placed(keyed: Subquery, pivoted: Pivoted, heads: Heads) -> Subquery:
    """Add the number of the column in which each row counts."""
    value = keyed.c[pivoted.across.name]
    kind = pivoted.column(pivoted.across.name).kind
    values = literal(list(heads.values), ARRAY(TYPES.get(kind, Text())))
    known = func.coalesce(func.array_position(values, value), OTHERS)
    place = case((value.is_(None), UNKNOWN), else_=known).label("place")
    # OFFSET 0, so that the number is worked out once per row and not at each use.
    return select(*keyed.c, place).offset(0).subquery("placed")


def _places(heads: Heads) -> list[int]:
    known = list(range(1, len(heads.values) + 1))
    return [*known, *([OTHERS] * bool(heads.others)), *([UNKNOWN] * heads.has_unknown)]


def _order(
    pivoted: Pivoted, by: Mapping[str, Expression], whole: Expression
) -> list[ColumnElement[Any]]:
    """Sort by what lies down, or by the whole of a row; measures that are not shown do not sort."""
    known = {**by, pivoted.measure.name: whole}
    chosen = {
        order.column: order.descending for order in pivoted.view.sorted_by if order.column in known
    }
    names = chosen | {name: False for name in by if name not in chosen}
    return [
        in_order(known[name], pivoted.column(name), descending=descending)
        for name, descending in names.items()
    ]


def _row(row: Mapping[str, Any], pivoted: Pivoted, heads: Heads) -> PivotRow:
    return PivotRow(
        by={group.name: row[group.name] for group in pivoted.down},
        cells=tuple(
            PivotCell(value=row[f"cell_{index}"], rows=row[f"rows_{index}"])
            for index in range(heads.number)
        ),
        whole=row["whole"],
    )

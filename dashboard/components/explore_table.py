"""The explore page's table and chart: values as cells, exact, and never read as markup."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard.components import charts, figures, headings
from dashboard.components.charts import Chart
from program.datasets import AMOUNTS, NUMBERS, TIMES, WORDS, Column, Kind
from program.periods import utc_day
from program.views import Order

ROW_HEIGHT = 32
MOST_ROWS_HIGH = 20
MOST_WIDE = 260
LETTER_WIDTH = 7
WIDTHS = {
    Kind.ID: 84,
    Kind.WHOLE: 84,
    Kind.MONEY: 124,
    Kind.SHARE: 84,
    Kind.NUMBER: 84,
    Kind.TEXT: 136,
    Kind.CHOICE: 92,
    Kind.TRUTH: 72,
    Kind.DAY: 92,
    Kind.MOMENT: 130,
}
Row = Mapping[str, Any]


def draw(
    rows: Sequence[Row],
    columns: Sequence[Column],
    *,
    key: str,
    what: str,
    first: Order,
    on_heading: headings.Press,
) -> None:
    """Draw one page of rows, sorted by ``first``; headings explain themselves and sort."""
    cells = {column.name: [cell(row[column.name], column) for row in rows] for column in columns}
    headings.table(
        pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()}),
        key=key,
        on_heading=on_heading,
        alt=what,
        row_height=ROW_HEIGHT,
        height=ROW_HEIGHT * (min(len(rows), MOST_ROWS_HIGH) + 1) + 3,
        placeholder=figures.DASH,
        column_config={
            column.name: _config(column, cells[column.name], first) for column in columns
        },
    )


def cell(value: Any, column: Column) -> str | None:  # noqa: ANN401 - whatever the column holds
    """A value to its last digit, as text; ``None`` is unknown."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
    if column.kind is Kind.ID or column.kind not in NUMBERS:
        return str(value)
    if isinstance(value, Decimal):
        places = max(min(column.scale, 2), -_exponent(value)) if column.scale else 0
        return f"{value:,.{places}f}"
    return f"{value:,}"


def chart_of(rows: Sequence[Row], across: Column, up: Column, *, what: str) -> Chart:
    """The rows that are shown as bars, those of the same label or day added up."""
    totals: dict[Any, Decimal | int | None] = {}
    for row in rows:
        label, value = row[across.name], row[up.name]
        if isinstance(label, datetime):
            label = utc_day(label)
        held = totals.setdefault(label, None)
        totals[label] = value if held is None else held + (value or 0)
    unit = "USD" if up.kind is Kind.MONEY else ""
    title = f"{up.label} by {across.label.lower()}, {what}"
    if across.kind not in TIMES:
        labels = [cell(label, across) or figures.UNKNOWN for label in totals]
        return charts.category_bars(labels, list(totals.values()), title=title, unit=unit)
    days = sorted(day for day in totals if day is not None)
    values = [totals[day] for day in days]
    months = all(day.day == 1 for day in days)
    draw_bars = charts.monthly_bars if months else charts.daily_bars
    return draw_bars(days, values, title=title, unit=unit)


def can_go_across(column: Column) -> bool:
    """Whether the column can name a chart's bars."""
    return column.kind in WORDS or column.kind in TIMES or column.kind is Kind.TRUTH


def can_go_up(column: Column) -> bool:
    """Whether the column can be the height of bars."""
    return column.kind in AMOUNTS


def _exponent(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _config(column: Column, cells: Sequence[str | None], first: Order) -> Any:  # noqa: ANN401 - Streamlit's own
    label = headings.numeric(column.label) if column.kind in NUMBERS else column.label
    if column.name == first.column:
        label = headings.signed(label, descending=first.descending)
    # Wide enough for its heading and for all that stands in it, within reason.
    longest = max((len(text) for text in cells if text), default=0)
    return st.column_config.TextColumn(
        label,
        help=f"{column.name}: {column.description}",
        width=max(
            WIDTHS[column.kind],
            LETTER_WIDTH * len(label) + 18,
            min(MOST_WIDE, LETTER_WIDTH * longest + 18),
        ),
        alignment="right" if column.kind in NUMBERS else "left",
    )

"""Explore's table and chart: exact values, never read as markup."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard.ui import badges, charts, figures, grid, headings
from dashboard.ui.badges import Badge
from dashboard.ui.charts import Chart
from data_access.explore.queries import Chartable
from program import wording
from program.periods import utc_day
from program.reports import value_words
from program.reports.datasets import (
    AMOUNTS,
    MONTH,
    NUMBERS,
    OUTCOMES,
    RISK_LEVELS,
    TIMES,
    WORDS,
    ColumnKind,
    DatasetColumn,
)
from program.reports.views import Bucket, Order
from program.wording import rounded

ROW_HEIGHT = 32
MOST_ROWS_HIGH = 20
MOST_WIDE = 260
# The largest integer and the decimals that a grid shows; files have all digits.
MOST_WHOLE = 2**53 - 1
MOST_PLACES = 8
DAY, MOMENT = "YYYY-MM-DD", "YYYY-MM-DD HH:mm"
LETTER_WIDTH = 7
WIDTHS = {
    ColumnKind.ID: 84,
    ColumnKind.WHOLE: 84,
    ColumnKind.MONEY: 124,
    ColumnKind.SHARE: 84,
    ColumnKind.NUMBER: 84,
    ColumnKind.TEXT: 136,
    ColumnKind.CHOICE: 92,
    ColumnKind.TRUTH: 72,
    ColumnKind.DAY: 92,
    ColumnKind.MOMENT: 130,
}
# Their cells open the application.
OPENED = frozenset({"application_id", "last_application_id"})
# Columns whose words have a sign and a color, by the words they may hold.
BADGES: dict[tuple[str, ...], dict[str, Badge]] = {
    OUTCOMES: {str(outcome): badge for outcome, badge in badges.OUTCOMES.items()},
    RISK_LEVELS: {str(level): badge for level, badge in badges.RISKS.items()},
}
ExploreRow = Mapping[str, Any]


def draw(
    rows: Sequence[ExploreRow],
    columns: Sequence[DatasetColumn],
    *,
    key: str,
    what: str,
    first: Order,
    months: Collection[str],
    on_heading: headings.Press,
) -> None:
    """Draw one page of rows, sorted by ``first``; headings have tooltips and sort.

    The days of the columns ``months`` stand for months.
    """
    cells = {column.name: [row[column.name] for row in rows] for column in columns}
    grid.draw(
        {
            column.name: _months(column, cells[column.name], first)
            if column.name in months
            else _column(column, cells[column.name], first)
            for column in columns
        },
        key=key,
        alt=what,
        row_height=ROW_HEIGHT,
        most_high=MOST_ROWS_HIGH,
        on_heading=on_heading,
        cells=True,
        placeholder=figures.DASH,
    )


def cell(value: Any, column: DatasetColumn, *, places: int = 0) -> str | None:  # noqa: ANN401 - whatever the column holds
    """Format a value with every digit, and at least ``places`` decimals; ``None`` is unknown."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
    if column.kind is ColumnKind.ID or column.kind not in NUMBERS:
        return value_words.word(column.name, str(value))
    if isinstance(value, Decimal):
        if column.scale:
            places = max(places, min(column.scale, 2), -_exponent(value))
        return f"{value:,.{places}f}"
    return f"{value:,}"


def chart_of(
    rows: Sequence[ExploreRow],
    across: DatasetColumn,
    up: DatasetColumn,
    *,
    what: str,
    bucket: Bucket | None = None,
    running: date | None = None,
) -> Chart:
    """Return rows as bars, adding up those with the same label or day.

    ``bucket`` is what a day of ``across`` stands for, if for more than itself; ``running`` is the
    month that is not over.
    """
    totals: dict[Any, Decimal | int | None] = {}
    for row in rows:
        label, value = row[across.name], row[up.name]
        if isinstance(label, datetime):
            label = utc_day(label)
        held = totals.setdefault(label, None)
        totals[label] = value if held is None else held + (value or 0)
    unit = "USD" if up.kind is ColumnKind.MONEY else ""
    title = f"{up.label} by {wording.inline(across.label)}, {what}"
    if across.kind not in TIMES:
        labels = [cell(label, across) or figures.UNKNOWN for label in totals]
        return charts.category_bars(labels, list(totals.values()), title=title, unit=unit)
    days = sorted(day for day in totals if day is not None)
    values = [totals[day] for day in days]
    if bucket is Bucket.MONTH or across.name == MONTH:
        return charts.monthly_bars(days, values, title=title, unit=unit, running=running)
    ends = [bucket.end(day) for day in days] if bucket is Bucket.WEEK else []
    return charts.step_bars(days, values, title=title, unit=unit, ends=ends)


def charted(found: Chartable, *, running: date) -> Chart:
    """Return the groups of all rows that match as bars."""
    wanted = found.charted
    columns = {column.name: column for column in wanted.view.shown}
    return chart_of(
        found.rows,
        columns[wanted.across],
        columns[wanted.up],
        what=wanted.words(has_more=found.has_more),
        bucket=wanted.bucket,
        running=running,
    )


def can_go_across(column: DatasetColumn) -> bool:
    """Whether the column can label a chart's bars."""
    return column.kind in WORDS or column.kind in TIMES or column.kind is ColumnKind.TRUTH


def can_go_up(column: DatasetColumn) -> bool:
    """Whether the column can be the height of bars."""
    return column.kind in AMOUNTS


def _exponent(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _held(values: Sequence[Any], column: DatasetColumn) -> pa.Array:
    """Return the cells: numbers, days and times as such; text if a grid would lose digits."""
    if column.kind is ColumnKind.DAY:
        return grid.day_cells(values)
    if column.kind is ColumnKind.MOMENT:
        return grid.moment_cells(values)
    if _are_numbers(values, column):
        return grid.number_cells(values) if column.scale else grid.whole_cells(values)
    # As many decimals in every cell, so that they stand below each other.
    places = most_places(values) if column.scale else 0
    return pa.array([cell(value, column, places=places) for value in values], pa.string())


def _are_numbers(values: Sequence[Any], column: DatasetColumn) -> bool:
    """Whether the column has numbers that a grid shows with all their digits."""
    if column.kind not in NUMBERS:
        return False
    places = _places(values, column)
    known = (Decimal(value) for value in values if value is not None)
    return all(
        abs(value) <= MOST_WHOLE
        and rounded(Decimal(repr(float(value))), places) == rounded(value, places)
        for value in known
    )


def _places(values: Sequence[Any], column: DatasetColumn) -> int:
    """Return the decimals of the column: those of its most precise cell."""
    if not column.scale:
        return 0
    return min(MOST_PLACES, max(min(column.scale, 2), most_places(values)))


def most_places(values: Sequence[Any]) -> int:
    """Return the decimals of the most precise value."""
    exact = (-_exponent(value) for value in values if isinstance(value, Decimal))
    return max((0, *exact))


def _column(column: DatasetColumn, values: Sequence[Any], first: Order) -> grid.GridColumn:
    look = _look(column, values, first)
    label = look.pop("label")
    if column.name in OPENED:
        # Frozen: whatever else is scrolled to, it says whose row it is.
        return grid.applications(values, label=label, pinned=True, **look)
    shown = BADGES.get(column.choices)
    if shown is not None:
        return grid.badges(
            label,
            [shown[value].text if value in shown else None for value in values],
            {badge.text: badge.color for badge in shown.values()},
            **look,
        )
    return grid.GridColumn(
        cells=_held(values, column), config=_config(column, values, {"label": label, **look})
    )


def _months(column: DatasetColumn, values: Sequence[Any], first: Order) -> grid.GridColumn:
    look = _look(column, values, first)
    return grid.month(look.pop("label"), values, alignment="left", **look)


def _look(column: DatasetColumn, values: Sequence[Any], first: Order) -> dict[str, Any]:
    """Return the heading with its tooltip, and a width for it and the content, within bounds."""
    label = headings.numeric(column.label) if _is_figure(column) else column.label
    if column.name == first.column:
        label = headings.signed(label, descending=first.descending)
    longest = max((len(cell(value, column) or "") for value in values), default=0)
    return {
        "label": label,
        "help": f"{column.name}: {column.description}",
        "width": max(
            WIDTHS[column.kind],
            LETTER_WIDTH * len(label) + 18,
            min(MOST_WIDE, LETTER_WIDTH * longest + 18),
        ),
    }


def _is_figure(column: DatasetColumn) -> bool:
    return column.kind in NUMBERS and column.name not in OPENED


def _config(column: DatasetColumn, values: Sequence[Any], look: dict[str, Any]) -> Any:  # noqa: ANN401 - Streamlit's own
    given = {**look, "alignment": "right" if _is_figure(column) else "left"}
    if column.kind is ColumnKind.DAY:
        return st.column_config.DateColumn(format=DAY, **given)
    if column.kind is ColumnKind.MOMENT:
        return st.column_config.DatetimeColumn(format=MOMENT, timezone="UTC", **given)
    if _are_numbers(values, column):
        written = "%d" if column.kind is ColumnKind.ID else f"%,.{_places(values, column)}f"
        return st.column_config.NumberColumn(format=written, **given)
    return st.column_config.TextColumn(**given)

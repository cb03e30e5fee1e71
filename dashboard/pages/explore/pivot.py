"""Explore's pivot: values of a group as columns, with the totals of rows and of columns."""

from collections.abc import Callable, Sequence
from typing import Any

from dashboard.pages.explore import table
from dashboard.ui import figures, grid, headings
from dashboard.ui.safe_text import visible
from data_access.explore.pivots import Pivot, PivotCell
from program import wording
from program.reports import pivots
from program.reports.datasets import DatasetColumn
from program.reports.views import Bucket, Group, Order, sortable

IN_ALL, OTHERS, EARLIER = "In all", "Others", "Earlier"
LONGEST_HEAD = 30
LEAST_WIDE, MOST_WIDE = 72, 180


def draw(pivot: Pivot, *, key: str, first: Order, on_heading: Callable[[str], None]) -> None:
    """Draw a page of rows and the totals below them; groups and the whole of rows sort."""
    shown = pivot.pivoted
    rows = [*pivot.rows, pivot.totals]
    measure = shown.column(shown.measure.name)
    sorting = sortable(shown.view)
    columns = {
        group.name: _group(pivot, group, first, leads=not place)
        for place, group in enumerate(shown.down)
    }
    for place, label in enumerate(heads(pivot)):
        cells = [row.cells[place] for row in rows]
        columns[f"cell_{place}"] = _figures(headings.typed(label), cells, measure)
    wholes = [PivotCell(value=row.whole, rows=1) for row in rows]
    label = headings.signed(IN_ALL, descending=first.descending)
    columns[measure.name] = _figures(
        label if first.column == measure.name else IN_ALL, wholes, measure, help=_help(measure)
    )
    grid.draw(
        columns,
        key=key,
        alt=f"{measure.label} by {words_across(pivot)}",
        row_height=table.ROW_HEIGHT,
        most_high=table.MOST_ROWS_HIGH,
        on_heading=lambda name: on_heading(name) if name in sorting else None,
        cells=True,
        placeholder="",
    )


def heads(pivot: Pivot) -> list[str]:
    """Return the headings across, as plain text."""
    shown, found = pivot.pivoted, pivot.heads
    column = shown.column(shown.across.name)
    labels = [_called(value, shown.across, column) for value in found.values]
    if found.others:
        labels.append(EARLIER if shown.in_time else OTHERS)
    if found.has_unknown:
        labels.append(figures.UNKNOWN)
    return _told_apart(labels)


def _called(value: Any, group: Group, column: DatasetColumn) -> str:  # noqa: ANN401 - any column's
    """Return a group's value as it is read, months by their names."""
    if value is None:
        return figures.UNKNOWN
    if group.bucket is Bucket.MONTH:
        return figures.month(value)
    return visible(table.cell(value, column) or "")[:LONGEST_HEAD]


def _told_apart(labels: Sequence[str]) -> list[str]:
    """Number labels that are alike: typed texts are cut, or may be called like our own."""
    return [
        f"{label} ({before + 1})" if (before := labels[:place].count(label)) else label
        for place, label in enumerate(labels)
    ]


def words(pivot: Pivot) -> str:
    """Say what the columns and the cells are, and which values share a column."""
    shown = pivot.pivoted
    cut = pivots.cut_words(shown, pivot.heads)
    measure, across = shown.column(shown.measure.name), shown.column(shown.across.name)
    found = f"{measure.label} across {_inline(across)}"
    return f"{found}: {cut}, others in one column" if cut else found


def words_across(pivot: Pivot) -> str:
    """Name the groups down and that across."""
    shown = pivot.pivoted
    down = wording.listed([_inline(shown.column(group.name)) for group in shown.down])
    return f"{down}, across {_inline(shown.column(shown.across.name))}"


def _inline(column: DatasetColumn) -> str:
    return wording.inline(column.label)


def _group(pivot: Pivot, group: Group, first: Order, *, leads: bool) -> grid.GridColumn:
    """Return the values of a group as text, since the last cell says what the totals are."""
    column = pivot.pivoted.column(group.name)
    label = column.label
    if column.name == first.column:
        label = headings.signed(label, descending=first.descending)
    cells = [_called(row.by[group.name], group, column) for row in pivot.rows]
    cells.append(IN_ALL if leads else "")
    width = _width(label, cells, most=table.MOST_WIDE)
    return grid.text(label, cells, pinned=True, width=width, help=_help(column))


def _figures(
    label: str,
    cells: Sequence[PivotCell],
    measure: DatasetColumn,
    **look: Any,  # noqa: ANN401 - what a column's settings take
) -> grid.GridColumn:
    """Return figures with as many decimals each; empty where there is no row."""
    places = table.most_places([cell.value for cell in cells]) if measure.scale else 0
    texts = [
        table.cell(cell.value, measure, places=places) or (figures.UNKNOWN if cell.rows else None)
        for cell in cells
    ]
    return grid.figure_text(label, texts, width=_width(label, texts, most=MOST_WIDE), **look)


def _width(label: str, cells: Sequence[str | None], *, most: int) -> int:
    longest = max([len(label), *(len(cell or "") for cell in cells)])
    return min(most, max(LEAST_WIDE, table.LETTER_WIDTH * longest + 18))


def _help(column: DatasetColumn) -> str:
    return f"{column.name}: {column.description}"

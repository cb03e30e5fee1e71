"""The chart of a pivot: a stack or a line for each value across."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dashboard.pages.explore import pivot, table
from dashboard.ui import charts, figures, stacked_charts
from dashboard.ui.charts import Chart
from dashboard.ui.stacked_charts import NO_LOOKS, Look
from data_access.explore.pivots import Pivot, PivotCell, PivotRow
from data_access.explore.queries import Chartable
from program.reports import pivots
from program.reports.datasets import ColumnKind
from program.reports.views import Bucket


def chart_of(found: Chartable, read: Pivot, *, running: date) -> Chart:
    """Return stacks over time or by category, or lines over time of what does not add up."""
    wanted, shown = found.charted, read.pivoted
    (down,) = shown.down
    measure = shown.column(wanted.up)
    unit = "USD" if measure.kind is ColumnKind.MONEY else ""
    title = f"{measure.label} by {pivot.words_across(read)}, {_words(found, read)}"
    looks = _looks(read)
    if down.bucket is None:
        column = shown.column(down.name)
        labels = [table.cell(row.by[down.name], column) or figures.UNKNOWN for row in read.rows]
        return stacked_charts.across(
            labels, _parts(read, read.rows), title=title, unit=unit, looks=looks
        )
    rows = sorted(
        (row for row in read.rows if row.by[down.name] is not None),
        key=lambda row: row.by[down.name],
    )
    days, parts = [row.by[down.name] for row in rows], _parts(read, rows)
    ends = [down.bucket.end(day) for day in days]
    if not shown.adds_up:
        return charts.lines(days, parts, title=title, unit=unit, ends=ends)
    notes = [
        "still running" if down.bucket is Bucket.MONTH and day == running else "" for day in days
    ]
    return stacked_charts.over_time(
        days, parts, title=title, unit=unit, ends=ends, notes=notes, looks=looks
    )


def _words(found: Chartable, read: Pivot) -> str:
    words = found.charted.words(has_more=found.has_more)
    cut = pivots.cut_words(read.pivoted, read.heads)
    return f"{words}; {cut}, all others together" if cut else words


def _looks(read: Pivot) -> Mapping[str, Look]:
    """Return colors in the order of time, or those of the theme."""
    if not read.pivoted.in_time:
        return NO_LOOKS
    labels, own = pivot.heads(read), len(read.heads.values)
    return stacked_charts.in_order(labels[:own], others=labels[own:])


def _parts(read: Pivot, rows: Sequence[PivotRow]) -> dict[str, list[Any]]:
    return {
        label: [_height(row.cells[place], read) for row in rows]
        for place, label in enumerate(pivot.heads(read))
    }


def _height(cell: PivotCell, read: Pivot) -> Any:  # noqa: ANN401 - whatever is measured
    """Return the figure; nothing adds up to zero, but has no average."""
    return cell.value if cell.rows or not read.pivoted.adds_up else 0

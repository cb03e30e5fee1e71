"""One set of rows for a chart, its table and its file, so that they cannot differ."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.ui import charts, figures, grid, headings, popovers
from dashboard.ui.charts import Chart
from dashboard.ui.safe_text import escape
from program import wording
from program.periods import Window
from program.reports.csv_guard import guarded
from program.reports.export_formats import CSV_FORMS, Form
from program.review.queue_filters import Filters
from program.wording import counted, rounded

Cell = str | int | Decimal | date | None
Open = Callable[[Sequence[Filters | None], str], None]
OpenOne = Callable[[Filters], None]
# Builds the file of a sheet on demand; None for a person who may not export.
Take = Callable[["Sheet", Form], bytes] | None
# The query parameter of the tables' orders: each one's key and column, with - for descending.
SORT = "sort"
# Decimals of a fraction in a file.
SHARE_PLACES = 6
ROW_HEIGHT = 32
ROWS_SHOWN = 12
# The line above the rows, with its gap.
TOTALS_HEIGHT = 40


class CellKind(StrEnum):
    """The type of a column, which decides its format.

    Shares and changes are fractions; a month is its first day; figures are text with numbers.
    """

    TEXT = "text"
    FIGURE = "figure"
    ID = "id"
    DAY = "day"
    MONTH = "month"
    COUNT = "count"
    USD = "usd"
    SHARE = "share"
    CHANGE = "change"
    HOURS = "hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who sees a sheet: ``take`` makes files in their name.

    ``stay`` reruns the page if another person is signed in by now; what reruns alone calls it.
    """

    take: Take
    stay: Callable[[], None]


DATES = {CellKind.DAY: grid.DAY, CellKind.MONTH: grid.MONTH}
TEXTS = frozenset({CellKind.TEXT, CellKind.FIGURE})
NO_NUMBERS = frozenset({*TEXTS, *DATES})


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetColumn:
    """One column. ``drilldowns`` are the drill-down lists of its numbers, row by row.

    ``total`` is what all rows together come to, if that means something.
    """

    key: str
    label: str
    kind: CellKind
    cells: Sequence[Cell]
    help: str | None = None
    drilldowns: Sequence[Filters | None] = ()
    total: Cell = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """The columns of a chart's series of bars, in order, and what opens the list behind a bar."""

    columns: Sequence[str]
    on_press: OpenOne


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Rows over ``window``, whose days are UTC. ``name`` is the stem of its file names."""

    name: str
    window: Window | None
    columns: tuple[SheetColumn, ...]

    def cells(self, key: str) -> Sequence[Any]:
        """Return the cells of a column."""
        return self._column(key).cells

    def drilldowns(self, key: str) -> Sequence[Filters | None]:
        """Return the drill-down lists of a column."""
        return self._column(key).drilldowns

    def _column(self, key: str) -> SheetColumn:
        return next(column for column in self.columns if column.key == key)

    def sorted_by(self, key: str, *, descending: bool) -> "Sheet":
        """Return the rows sorted by a column; unknown values come last in either direction."""
        cells = self.cells(key)
        known = [place for place, cell in enumerate(cells) if cell is not None]
        known.sort(key=lambda place: _rank(cells[place]), reverse=descending)
        places = [*known, *(place for place, cell in enumerate(cells) if cell is None)]

        def moved(of: Sequence[Any]) -> list[Any]:
            return [of[place] for place in places] if of else []

        columns = (
            replace(c, cells=moved(c.cells), drilldowns=moved(c.drilldowns)) for c in self.columns
        )
        return replace(self, columns=tuple(columns))

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.columns[0].cells)

    @property
    def file(self) -> str:
        """The stem of its file names, with its days."""
        if self.window is None:
            return f"{self.name}-now"
        return f"{self.name}-{self.window.start}-to-{self.window.last_day}-utc"


def _rank(cell: Any) -> Any:  # noqa: ANN401 - cells of one column have one type
    """Return the sort key: numbers and days unchanged; text without case, its numbers by value."""
    if not isinstance(cell, str):
        return cell
    parts = re.split(r"([0-9]+)", cell.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def as_csv(sheet: Sheet, form: Form) -> bytes:
    """Return the rows as CSV of this form; each row has the days of its period, in UTC.

    Values are exact; shares and changes are fractions rounded to six decimals.
    """
    written = io.StringIO()
    writer = csv.writer(written, delimiter=form.separator)
    span, columns = sheet.window, sheet.columns
    days = [span.start.isoformat(), span.last_day.isoformat()] if span else ["", ""]
    writer.writerow(
        ["window_first_day_utc", "window_last_day_utc", *(column.key for column in columns)]
    )
    written_cells = (
        [_written(column.kind, cell, form) for cell in column.cells] for column in columns
    )
    for row in zip(*written_cells, strict=True):
        writer.writerow([*days, *row])
    return form.mark + written.getvalue().encode()


def summed(cells: Sequence[Any]) -> Any:  # noqa: ANN401 - whole numbers or money
    """Return the sum of a column, ``None`` while one of its cells is unknown."""
    return None if any(cell is None for cell in cells) else sum(cells)


def totals(sheet: Sheet) -> str:
    """Return the number of rows, and their totals: ``30 rows · in all: Decided 303``."""
    rows = counted(sheet.rows, "row")
    parts = [
        f"{column.label} {_worded(column.kind, column.total)}"
        for column in sheet.columns
        if column.total is not None
    ]
    return f"{rows} · in all: {', '.join(parts)}" if parts and sheet.rows > 1 else rows


def words(sheet: Sheet, *, more: str = "") -> str:
    """Return the days and the zone, to show beside the figures."""
    span = sheet.window
    days = "now" if span is None else figures.day_range(span.start, span.last_day)
    return " · ".join(part for part in (days, "UTC", more) if part)


def card(
    sheet: Sheet,
    chart: Chart,
    *,
    key: str,
    on_open: Open,
    viewer: Viewer,
    more: str = "",
    bars: Bars | None = None,
) -> None:
    """Draw a chart with its data as a table and as a file; a click on one of ``bars`` opens it."""
    with st.container(border=True, gap="xsmall", height="stretch"):
        pressed = None
        if bars is not None:
            behind = [sheet.drilldowns(column) for column in bars.columns]
            pressed = partial(_open_bar, chart, behind, key, bars.on_press)
        charts.draw(chart, key=key, picture=sheet.file, on_bar=pressed)
        _under_chart(sheet, words(sheet, more=more), key, on_open=on_open, viewer=viewer)


@st.fragment
def _under_chart(sheet: Sheet, caption: str, key: str, *, on_open: Open, viewer: Viewer) -> None:
    """Draw the line below a chart, with its table and its file.

    A fragment, so that opening and sorting the table runs nothing else of the page.
    """
    viewer.stay()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(caption, width="content")
        st.space("stretch")
        popovers.draw(
            "Table",
            partial(table, sheet, key=f"{key}-table", on_open=on_open),
            key=f"popover-{key}-table",
            height=TOTALS_HEIGHT + _height(sheet),
            keeps=False,
            type="tertiary",
            icon=":material/table_rows:",
        )
        download(_sorted(sheet, f"{key}-table"), key=f"{key}-csv", take=viewer.take)


def _open_bar(
    chart: Chart, behind: Sequence[Sequence[Filters | None]], key: str, on_press: OpenOne
) -> None:
    """Open the list behind the clicked bar, if it has one."""
    clicked = charts.clicked(chart, key)
    if clicked is None:
        return
    series, place = clicked
    if series < len(behind) and place < len(behind[series]):
        found = behind[series][place]
        if found is not None:
            on_press(found)


def listing(
    sheet: Sheet, title: str, *, key: str, on_open: Open, take: Take, more: str = ""
) -> None:
    """Draw a table without a chart, with its title and its file."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{title}**", width="content")
            st.caption(words(sheet, more=more), width="content")
            st.space("stretch")
            download(_sorted(sheet, key), key=f"{key}-csv", take=take)
        table(sheet, key=key, on_open=on_open)


def download(sheet: Sheet, *, key: str, take: Take) -> None:
    """Draw a download for each form of CSV; the file is built on demand."""
    if take is None:
        return
    with st.popover("CSV", type="tertiary", icon=":material/download:"):
        for number, (label, form, words) in enumerate(CSV_FORMS):
            st.download_button(
                label,
                partial(take, sheet, form),
                file_name=f"{sheet.file}.{form.ending}",
                mime=form.media,
                key=f"{key}-{number}",
                on_click="ignore",
                icon=":material/download:",
                help=words,
                width="stretch",
            )


def table(sheet: Sheet, *, key: str, on_open: Open) -> None:
    """Draw the rows; a number with a drill-down is a button that opens its list.

    Pressing a heading sorts the rows and their file; the address keeps the order.
    """
    sheet, order = _sorted(sheet, key), _order(sheet, key)
    # Above the rows, where it stays in sight while they scroll.
    st.caption(escape(totals(sheet)))
    headings.table(
        _styled(sheet),
        # Another order is another table, so that a click refers to the row that was shown.
        key=f"{key}-{order.removeprefix('-')}{'-down' * order.startswith('-')}" if order else key,
        on_heading=partial(_sort, sheet, key),
        alt=sheet.name.replace("-", " "),
        row_height=ROW_HEIGHT,
        height=_height(sheet),
        placeholder=figures.DASH,
        column_config={
            column.key: _config(column, f"{key}-{column.key}", on_open, order)
            for column in sheet.columns
        },
    )


def _height(sheet: Sheet) -> int:
    return grid.HEADER_HEIGHT + ROW_HEIGHT * min(sheet.rows, ROWS_SHOWN)


def _order(sheet: Sheet, key: str) -> str:
    """Return the column by which the address sorts this table, with - for descending."""
    order = _orders().get(key, "")
    known = any(column.key == order.removeprefix("-") for column in sheet.columns)
    return order if known else ""


def _orders() -> dict[str, str]:
    """Return the orders in the address, by their tables' keys."""
    parts = (one.partition(":") for one in st.query_params.get(SORT, "").split(","))
    return {key: order for key, _, order in parts if key and order}


def _sorted(sheet: Sheet, key: str) -> Sheet:
    order = _order(sheet, key)
    if not order:
        return sheet
    return sheet.sorted_by(order.removeprefix("-"), descending=order.startswith("-"))


def _sort(sheet: Sheet, key: str, heading: str) -> None:
    """Sort text ascending, numbers and days descending; pressed again, reverse."""
    column = next(column for column in sheet.columns if column.key == heading)
    before = _order(sheet, key)
    falls = column.kind not in TEXTS if before.removeprefix("-") != heading else None
    descending = not before.startswith("-") if falls is None else falls
    orders = {**_orders(), key: f"{'-' if descending else ''}{heading}"}
    st.query_params[SORT] = ",".join(f"{one}:{order}" for one, order in orders.items())


def _written(kind: CellKind, cell: Cell, form: Form) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return guarded(cell)
    if isinstance(cell, Decimal) and kind in (CellKind.SHARE, CellKind.CHANGE):
        cell = rounded(cell, SHARE_PLACES).normalize()
    return form.number(f"{cell:f}") if isinstance(cell, Decimal) else str(cell)


def _styled(sheet: Sheet) -> Styler:
    """Style the cells: numbers, so that the table can sort, in the format of the cards."""
    shown = {column.key: _shown(column) for column in sheet.columns}
    said = {column.key: _sayer(column) for column in sheet.columns if _is_number(column)}
    return grid.styled(shown, said, unknown=figures.DASH)


def _is_number(column: SheetColumn) -> bool:
    return not column.drilldowns and column.kind not in NO_NUMBERS


def _sayer(column: SheetColumn) -> Callable[[float], str]:
    words = _words_of(column)
    return lambda number: words(Decimal(repr(number)))


def _shown(column: SheetColumn) -> Sequence[Cell]:
    """Return numbers and days unchanged; buttons get formatted text."""
    if column.drilldowns:
        words = None if column.kind in NO_NUMBERS else _words_of(column)
        return [_worded(column.kind, cell, words) for cell in column.cells]
    return column.cells


def _words_of(column: SheetColumn) -> Callable[[Decimal], str]:
    """Return how the numbers of a column are written, all alike."""
    if column.kind in BY_COLUMN:
        return BY_COLUMN[column.kind](column.cells)  # type: ignore[arg-type]
    return WORDED[column.kind]


def _worded(
    kind: CellKind, cell: Cell, words: Callable[[Decimal], str] | None = None
) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, date):
        return figures.month(cell) if kind is CellKind.MONTH else figures.day(cell, year=True)
    return (words or WORDED[kind])(Decimal(cell))


WORDED: Mapping[CellKind, Callable[[Decimal], str]] = {
    CellKind.ID: lambda number: str(int(number)),
    CellKind.COUNT: lambda number: figures.count(int(number)),
    CellKind.USD: figures.usd,
    CellKind.SHARE: figures.whole_percent,
    CellKind.CHANGE: figures.percent,
    CellKind.HOURS: figures.took,
}
# Those whose format depends on the other cells of the column.
BY_COLUMN = {CellKind.USD: wording.column_usd, CellKind.HOURS: wording.column_took}


def _config(column: SheetColumn, key: str, on_open: Open, order: str) -> Any:  # noqa: ANN401 - streamlit's own
    given: dict[str, Any] = {"help": column.help}
    is_left = column.kind in NO_NUMBERS and column.kind is not CellKind.FIGURE
    label = column.label if is_left else headings.numeric(column.label)
    if order.removeprefix("-") == column.key:
        label = headings.signed(label, descending=order.startswith("-"))
    if column.drilldowns:
        return st.column_config.ButtonColumn(
            label,
            key=key,
            on_click=on_open,
            args=(column.drilldowns, key),
            type="tertiary",
            alignment="right",
            **given,
        )
    if _is_number(column):
        return st.column_config.NumberColumn(label, alignment="right", **given)
    if column.kind in DATES:
        written = DATES[column.kind]
        return st.column_config.DateColumn(label, format=written, alignment="left", **given)
    side = "left" if is_left else "right"
    return st.column_config.TextColumn(label, alignment=side, **given)

"""One set of rows for a chart, its table and its file, so that the three cannot differ."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard.components import charts, figures
from dashboard.components.charts import Chart
from program.formulas import guarded
from program.periods import Window
from program.queue import Filters

Cell = str | int | Decimal | date | None
Open = Callable[[Sequence[Filters | None], str], None]
# Makes the file of a sheet when somebody asks for it; None for a person who may not have it.
Take = Callable[["Sheet"], bytes] | None
ROW_HEIGHT = 32
ROWS_SHOWN = 12


class Kind(StrEnum):
    """What a column holds, and so how it is shown. Shares are fractions."""

    TEXT = "text"
    DAY = "day"
    COUNT = "count"
    USD = "usd"
    SHARE = "share"
    HOURS = "hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. ``doors`` are the lists behind its numbers, row by row."""

    key: str
    label: str
    kind: Kind
    cells: Sequence[Cell]
    help: str | None = None
    doors: Sequence[Filters | None] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Rows about ``window``, whose days are UTC. ``name`` is the stem of its files."""

    name: str
    window: Window | None
    columns: tuple[Column, ...]

    def cells(self, key: str) -> Sequence[Any]:
        """The cells of a column."""
        return next(column.cells for column in self.columns if column.key == key)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0].cells)

    @property
    def file(self) -> str:
        """The stem of its files, with its days."""
        if self.window is None:
            return f"{self.name}-now"
        return f"{self.name}-{self.window.start}-to-{self.window.last_day}-utc"


def as_csv(sheet: Sheet) -> bytes:
    """The rows as CSV with exact values; each row names the days it is about, in UTC."""
    written = io.StringIO()
    writer = csv.writer(written)
    span = sheet.window
    days = [span.start.isoformat(), span.last_day.isoformat()] if span else ["", ""]
    writer.writerow(
        ["window_first_day_utc", "window_last_day_utc", *(column.key for column in sheet.columns)]
    )
    for row in zip(*(column.cells for column in sheet.columns), strict=True):
        writer.writerow([*days, *map(_written, row)])
    return written.getvalue().encode()


def words(sheet: Sheet, *, more: str = "") -> str:
    """The days and the zone, as they stand beside the figures."""
    span = sheet.window
    said = "now" if span is None else figures.day_range(span.start, span.last_day)
    return " · ".join(part for part in (said, "UTC", more) if part)


def card(
    sheet: Sheet, chart: Chart, *, key: str, on_open: Open, take: Take, more: str = ""
) -> None:
    """A chart with what it shows as a table and as a file."""
    with st.container(border=True, gap="xsmall", height="stretch"):
        charts.draw(chart, key=key, picture=sheet.file)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(words(sheet, more=more), width="content")
            st.space("stretch")
            with st.popover("Table", type="tertiary", icon=":material/table_rows:"):
                table(sheet, key=f"{key}-table", on_open=on_open)
            download(sheet, key=f"{key}-csv", take=take)


def listing(
    sheet: Sheet, title: str, *, key: str, on_open: Open, take: Take, more: str = ""
) -> None:
    """A table that stands for itself, with its title and its file."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{title}**", width="content")
            st.caption(words(sheet, more=more), width="content")
            st.space("stretch")
            download(sheet, key=f"{key}-csv", take=take)
        table(sheet, key=key, on_open=on_open)


def download(sheet: Sheet, *, key: str, take: Take) -> None:
    """The rows as a file, made only when somebody asks for it."""
    if take is None:
        return
    st.download_button(
        "CSV",
        partial(take, sheet),
        file_name=f"{sheet.file}.csv",
        mime="text/csv",
        key=key,
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def table(sheet: Sheet, *, key: str, on_open: Open) -> None:
    """The rows; a number with a list behind it is a button that opens the list."""
    st.dataframe(
        pa.table({column.key: _shown(column) for column in sheet.columns}),
        hide_index=True,
        key=key,
        alt=sheet.name.replace("-", " "),
        row_height=ROW_HEIGHT,
        height=ROW_HEIGHT * (min(sheet.rows, ROWS_SHOWN) + 1) + 3,
        placeholder=figures.DASH,
        column_config={
            column.key: _config(column, f"{key}-{column.key}", on_open) for column in sheet.columns
        },
    )


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return guarded(cell)
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def _shown(column: Column) -> pa.Array:
    if column.doors:
        return pa.array([_worded(column.kind, cell) for cell in column.cells], pa.string())
    if column.kind in (Kind.TEXT, Kind.HOURS, Kind.DAY):
        return pa.array([_worded(column.kind, cell) for cell in column.cells], pa.string())
    # Binary numbers only here, so that a table sorts by them.
    times = 100 if column.kind is Kind.SHARE else 1
    numbers = [None if cell is None else float(cell) * times for cell in column.cells]  # type: ignore[arg-type]
    return pa.array(numbers, pa.float64())


def _worded(kind: Kind, cell: Cell) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, date):
        return figures.day(cell, year=True)
    if isinstance(cell, Decimal):
        return figures.took(cell) if kind is Kind.HOURS else figures.whole_percent(cell)
    return f"{cell:,}" if isinstance(cell, int) else cell


def _config(column: Column, key: str, on_open: Open) -> Any:  # noqa: ANN401 - streamlit's own
    given: dict[str, Any] = {"help": column.help}
    if column.doors:
        return st.column_config.ButtonColumn(
            column.label,
            key=key,
            on_click=on_open,
            args=(column.doors, key),
            type="tertiary",
            alignment="right",
            **given,
        )
    if column.kind is Kind.SHARE:
        return st.column_config.NumberColumn(column.label, format="%.1f %%", **given)
    if column.kind in (Kind.COUNT, Kind.USD):
        return st.column_config.NumberColumn(
            column.label, format="compact" if column.kind is Kind.USD else "localized", **given
        )
    side = "left" if column.kind in (Kind.TEXT, Kind.DAY) else "right"
    return st.column_config.TextColumn(column.label, alignment=side, **given)

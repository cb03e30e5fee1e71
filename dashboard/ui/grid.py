"""Tables of rows: each column defines its cells, heading, format and width in one place.

Cells carry numbers and times as such; ``None`` is unknown. Money is exact in the database and in
files; only here is it a binary number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.ui import address, figures, headings, state
from program import wording
from program.review import queue_explained

COUNT, DAYS = "%,d", "%,d d"
DAY, MONTH, MOMENT = "D MMM YYYY", "MMM YYYY", "D MMM YYYY, HH:mm"
HEADER_HEIGHT, ROW_HEIGHT, LOW_ROW_HEIGHT = 34, 36, 30
PAGES_WIDTH = 320
MILLION = Decimal(10**6)
# How many times the minimum the scale of a bar holds, and its length in pixels.
BEYOND, BAR_WIDTH = 3.0, 84
UNQUOTED = "/:=' ,"
SVG, SVG_NAME = "data:image/svg+xml", "http://www.w3.org/2000/svg"
# The grid's own short form rounds, and 19.6 M would read 20M beside a minimum of 20 M.
VOLUME_PLACES = 2
WRITTEN_MILLIONS = f"%.{VOLUME_PLACES}f M"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridColumn:
    """Cells and Streamlit's settings; ``words`` formats numbers in Python."""

    cells: pa.Array
    config: Any
    words: Callable[[float], str] | None = None


def text(label: str, cells: Iterable[str | None], **look: Any) -> GridColumn:  # noqa: ANN401 - streamlit's own
    """Make a column of text, which a cell never reads as markup."""
    held = pa.array(list(cells), pa.string())
    return GridColumn(cells=held, config=st.column_config.TextColumn(label, **look))


def room(cells: Iterable[str], width: int, *, empty: int) -> int:
    """Return a column's width, which is ``empty`` while no row has anything in it."""
    return width if any(cells) else empty


def figure_text(label: str, cells: Iterable[str | None], **look: Any) -> GridColumn:  # noqa: ANN401
    """Make a column of text with figures in it, aligned right."""
    return text(headings.numeric(label), cells, alignment="right", **look)


def whole(
    label: str,
    values: Iterable[int | None],
    *,
    written: str = COUNT,
    **look: Any,  # noqa: ANN401
) -> GridColumn:
    """Make a column of whole numbers."""
    return GridColumn(cells=whole_cells(values), config=_numeric(label, format=written, **look))


def number(
    label: str,
    values: Iterable[Decimal | float | None],
    *,
    written: str,
    **look: Any,  # noqa: ANN401
) -> GridColumn:
    """Make a column of numbers with decimals, such as money."""
    return GridColumn(cells=number_cells(values), config=_numeric(label, format=written, **look))


def percent(label: str, shares: Iterable[Decimal | None], **look: Any) -> GridColumn:  # noqa: ANN401
    """Make a column of shares as percentages: 0.125 is 12.5 %, beside which 0.2 is 20.0 %."""
    hundreds = [None if share is None else (share * 100).normalize() for share in shares]
    places = max((-int(one.as_tuple().exponent) for one in hundreds if one is not None), default=0)
    return number(label, hundreds, written=f"%.{max(places, 0)}f %%", **look)


def worded(
    label: str,
    values: Iterable[Decimal | int | None],
    words: Callable[[float], str],
    **look: Any,  # noqa: ANN401
) -> GridColumn:
    """Make a column of numbers formatted by ``words``."""
    return GridColumn(
        cells=number_cells(values), config=_numeric(label, format=None, **look), words=words
    )


def day(label: str, values: Iterable[date | None], *, width: int = 92, **look: Any) -> GridColumn:  # noqa: ANN401
    """Make a column of UTC days: ``24 Oct 2026``."""
    config = st.column_config.DateColumn(label, format=DAY, width=width, **look)
    return GridColumn(cells=day_cells(values), config=config)


def month(label: str, values: Iterable[date | None], **look: Any) -> GridColumn:  # noqa: ANN401
    """Make a column of months, given by their first day: ``Oct 2026``."""
    config = st.column_config.DateColumn(label, format=MONTH, **look)
    return GridColumn(cells=day_cells(values), config=config)


def moment(
    label: str,
    values: Iterable[datetime | None],
    *,
    width: int = 136,
    **look: Any,  # noqa: ANN401
) -> GridColumn:
    """Make a column of times; the heading says that they are in UTC."""
    config = st.column_config.DatetimeColumn(
        f"{label}, UTC", format=MOMENT, timezone="UTC", width=width, **look
    )
    return GridColumn(cells=moment_cells(values), config=config)


def badges(
    label: str,
    words: Iterable[str | None],
    colors: Mapping[str, str],
    **look: Any,  # noqa: ANN401
) -> GridColumn:
    """Make a column of colored words; empty for ``None``."""
    return several_badges(label, ([word] if word else [] for word in words), colors, **look)


def several_badges(
    label: str,
    words: Iterable[Sequence[str]],
    colors: Mapping[str, str],
    **look: Any,  # noqa: ANN401
) -> GridColumn:
    """Make a column of any number of colored words a row."""
    config = st.column_config.MultiselectColumn(
        label, options=list(colors), color=list(colors.values()), **look
    )
    return GridColumn(cells=pa.array(map(list, words), pa.list_(pa.string())), config=config)


def millions(label: str, usd: Iterable[Decimal | None], **look: Any) -> GridColumn:  # noqa: ANN401
    """Make a column of USD in millions, rounded down, since 19.999 M does not reach 20 M."""
    return number(label, _cut_millions(usd), written=WRITTEN_MILLIONS, **look)


def scaled_volumes(
    label: str, usd: Iterable[Decimal | None], *, minimum_usd: Decimal, width: int
) -> GridColumn:
    """Make a column of bars with a mark at the minimum, whose scale goes on beyond it."""
    bars = [
        None if one is None else scaled_bar(float(one / minimum_usd) if minimum_usd else BEYOND)
        for one in usd
    ]
    config = st.column_config.ImageColumn(
        label,
        help=f"The line is the minimum, {wording.stated_usd(minimum_usd)}; "
        f"a bar that ends in a point is at least {BEYOND:g} times it.",
        width=width,
    )
    return GridColumn(cells=pa.array(bars, pa.string()), config=config)


def scaled_bar(share: float) -> str:
    """Return the bar of a value as an image; ``share`` is how many times the minimum it is."""
    return _bar(round(BAR_WIDTH * min(max(share, 0), BEYOND) / BEYOND), full=share >= BEYOND)


@cache
def _bar(end: int, *, full: bool) -> str:
    """Return the bar that ends at this pixel; a full one ends in a point."""
    # Its colors are seen on light and on dark: an image does not know the theme.
    bar = f"M0 10h{end - 6}l6 4l-6 4H0z" if full else f"M0 10h{end}v8H0z"
    paths = [
        (f"M0 10h{BAR_WIDTH}v8H0z", "#808a9c", ".22"),
        (bar, "#6c62d9", "1"),
        (f"M{round(BAR_WIDTH / BEYOND)} 5h2v18h-2z", "#8a93a5", "1"),
    ]
    drawn = "".join(f"<path d='{d}' fill='{fill}' opacity='{o}'/>" for d, fill, o in paths)
    image = f"<svg xmlns='{SVG_NAME}' width='{BAR_WIDTH}' height='28'>{drawn}</svg>"
    return f"{SVG},{quote(image, safe=UNQUOTED)}"


def volumes(
    label: str,
    usd: Iterable[Decimal | None],
    *,
    minimum_usd: Decimal,
    help: str,  # noqa: A002 - as Streamlit calls it
    width: int,
) -> GridColumn:
    """Make a column of volumes as bars that are full at the minimum, which follows ``label``.

    The cells are millions, rounded down; the application's page shows the exact amount.
    """
    config = st.column_config.ProgressColumn(
        f"{label} / {wording.stated_usd(minimum_usd)}",
        help=f"{help}, USD, rounded down; the bar is full at the minimum.",
        min_value=0,
        max_value=float(minimum_usd / MILLION) or 1,
        format=WRITTEN_MILLIONS,
        width=width,
    )
    return GridColumn(cells=number_cells(_cut_millions(usd)), config=config)


def monthly(cells: Iterable[Sequence[Decimal]], *, width: int) -> GridColumn:
    """Make a column of small charts of the last months' volumes."""
    config = st.column_config.AreaChartColumn(
        "6 months",
        help=queue_explained.COLUMNS["6 months"],
        y_min=0,
        width=width,
    )
    return GridColumn(cells=pa.array([[float(one) for one in row] for row in cells]), config=config)


def links(label: str, paths: Iterable[str], pattern: str, **look: Any) -> GridColumn:  # noqa: ANN401
    """Make a column of links to paths of ours; ``pattern`` matches the shown part."""
    addresses = [path and address.of(path) for path in paths]
    config = st.column_config.LinkColumn(label, display_text=pattern, **look)
    return GridColumn(cells=pa.array(addresses, pa.string()), config=config)


def applications(
    ids: Iterable[int | None],
    *,
    label: str = "Application",
    width: int = 84,
    **look: Any,  # noqa: ANN401
) -> GridColumn:
    """Make a column of links to applications, shown as their numbers."""
    paths = [f"/application?id={id_}" if id_ else "" for id_ in ids]
    look = {"help": "Open the application", **look}
    return links(label, paths, r"id=(\d+)", width=width, **look)


def opens(labels: Iterable[str], *, key: str, on_open: Callable[[], None]) -> GridColumn:
    """Make the first column, of buttons that open a row; no button for an empty label."""
    config = st.column_config.ButtonColumn(
        "", key=key, on_click=on_open, type="tertiary", width=50, pinned=True
    )
    return GridColumn(cells=pa.array(list(labels), pa.string()), config=config)


def draw(
    columns: Mapping[str, GridColumn],
    *,
    key: str,
    alt: str,
    row_height: int = ROW_HEIGHT,
    most_high: int | None = None,
    **look: Any,  # noqa: ANN401 - what `headings.table` takes
) -> list[int]:
    """Draw the table, at most ``most_high`` rows high; returns the positions of ticked rows."""
    rows = len(next(iter(columns.values())).cells)
    high = rows if most_high is None else min(rows, most_high)
    return headings.table(
        _data(columns),
        key=key,
        alt=alt,
        row_height=row_height,
        height=HEADER_HEIGHT + high * row_height,
        column_config={name: column.config for name, column in columns.items()},
        **look,
    )


def pages(page: int, total: int, *, size: int, key: str, on_turn: Callable[[int], None]) -> None:
    """Draw which of ``total`` rows a page of ``size`` shows, and the page control.

    ``key`` must name the page, so that a changed filter does not keep the control's value.
    """
    first, last = (page - 1) * size + 1, min(total, page * size)
    st.caption(f"{first:,}–{last:,} of {total:,}", width="content")
    if page_count(total, size) > 1:
        # With its own width: one fitted to its content leaves pages out.
        st.pagination(
            page_count(total, size),
            default=page,
            width=PAGES_WIDTH,
            key=key,
            on_change=lambda: on_turn(state.typed(key) or 1),
        )


def page_count(total: int, size: int) -> int:
    """Return how many pages of ``size`` rows ``total`` rows fill; at least one."""
    return max(1, -(-total // size))


def whole_cells(values: Iterable[int | None]) -> pa.Array:
    """Return cells of whole numbers."""
    return pa.array(list(values), pa.int64())


def number_cells(values: Iterable[Decimal | float | None]) -> pa.Array:
    """Return cells of numbers with decimals."""
    return pa.array([None if one is None else float(one) for one in values], pa.float64())


def day_cells(values: Iterable[date | None]) -> pa.Array:
    """Return cells of days."""
    return pa.array(list(values), pa.date32())


def moment_cells(values: Iterable[datetime | None]) -> pa.Array:
    """Return cells of times."""
    return pa.array(list(values), pa.timestamp("us", tz="UTC"))


def styled(
    columns: Mapping[str, Sequence[Any]],
    words: Mapping[str, Callable[[float], str]],
    *,
    unknown: str = figures.UNKNOWN,
) -> Styler:
    """Return a table whose columns in ``words`` hold numbers, formatted by them."""
    held = {
        name: pd.Series([None if one is None else float(one) for one in values], dtype="float64")
        if name in words
        else pd.Series(list(values), dtype="object")
        for name, values in columns.items()
    }
    return pd.DataFrame(held).style.format(dict(words), na_rep=unknown)


def _cut_millions(usd: Iterable[Decimal | None]) -> list[Decimal | None]:
    return [None if one is None else wording.cut(one / MILLION, VOLUME_PLACES) for one in usd]


def _numeric(label: str, **look: Any) -> Any:  # noqa: ANN401 - streamlit's own
    return st.column_config.NumberColumn(headings.numeric(label), alignment="right", **look)


def _data(columns: Mapping[str, GridColumn]) -> Any:  # noqa: ANN401 - what st.dataframe takes
    words = {name: column.words for name, column in columns.items() if column.words}
    if not words:
        return pa.table({name: column.cells for name, column in columns.items()})
    return styled({name: column.cells.to_pylist() for name, column in columns.items()}, words)

"""Tables whose headings sort the whole list, or nothing: never only the rows on the page.

The grid would sort the rows it was given, one page and as text. A table with selectable columns
does not sort, and reports the pressed heading; so the page can sort the list.
"""

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from dashboard.ui import figures, row_cursor, state
from dashboard.ui.row_cursor import OpeningRows

Press = Callable[[str], None]
# Streamlit's own, in pixels, without the table's border.
HEADER_HEIGHT = 32
ASCENDING, DESCENDING = "↑", "↓"
# The grid right-aligns a heading that begins with this invisible mark.
AT_THE_RIGHT = "\u061c"
# Around text that keeps its own direction: left to right.
TYPED_FROM, TYPED_TO = "\u2066", "\u2069"


def numeric(label: str) -> str:
    """Return a heading right-aligned over its numbers."""
    return AT_THE_RIGHT + label


def typed(label: str) -> str:
    """Return a heading made of data, as it reads: digits would move behind the mark."""
    return f"{TYPED_FROM}{label}{TYPED_TO}"


def signed(label: str, *, descending: bool) -> str:
    """Return the heading of the column by which the list is sorted."""
    sign = DESCENDING if descending else ASCENDING
    return f"{label} {sign}"


def table(
    data: Any,  # noqa: ANN401 - whatever st.dataframe takes
    *,
    key: str,
    on_heading: Press | None = None,
    selectable: bool = False,
    cells: bool = False,
    opens: OpeningRows | None = None,
    row_height: int,
    **look: Any,  # noqa: ANN401 - what st.dataframe takes
) -> list[int]:
    """Draw the table; returns the indexes of the ticked rows.

    Pressing a heading calls ``on_heading`` with the column's name; without it headings do nothing.
    With ``cells`` a click selects a cell, which `selected_cell` returns in the next run.
    With ``opens``, a click anywhere in a row opens its application, and so does the keyboard.
    """
    modes: Collection[Any] = (
        "single-column",
        *(["multi-row"] if selectable else []),
        *(["single-cell"] if cells else []),
    )
    with st.container(key=f"whole-{key}"):
        if opens is not None:
            row_cursor.draw(opens, header=HEADER_HEIGHT, row_height=row_height, ticks=selectable)
        shown = st.dataframe(
            data,
            key=key,
            hide_index=True,
            on_select=lambda: _pressed(key, on_heading),
            selection_mode=modes,
            row_height=row_height,
            **{"placeholder": figures.UNKNOWN, **look},
        )
    return list(shown["selection"]["rows"]) if selectable else []


def selected_cell(key: str) -> tuple[int, str] | None:
    """Return the row and the column's name of the selected cell of a table, if there is one."""
    cells = (state.typed(key) or {}).get("selection", {}).get("cells", [])
    if not cells:
        return None
    row, name = cells[0]
    return row, name


def _pressed(key: str, on_heading: Press | None) -> None:
    chosen = (state.typed(key) or {}).get("selection", {})
    columns = chosen.get("columns", [])
    if not columns:
        return
    # A heading is pressed, not selected: clear the column's selection, keep the ticks.
    state.show(key, {"selection": {"rows": list(chosen.get("rows", []))}})
    if on_heading is not None:
        on_heading(columns[0])

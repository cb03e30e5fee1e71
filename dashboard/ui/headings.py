"""Tables whose headings sort the whole list, or nothing: never the rows at hand by themselves.

The grid would sort what it was given, one page and as text. A table that lets a column be
chosen does not sort, and says which heading was pressed; so the page's own order answers.
"""

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from dashboard.ui import figures, state

Press = Callable[[str], None]
ASCENDING, DESCENDING = "↑", "↓"
# The grid writes a heading that begins with this invisible mark at the right of its column.
AT_THE_RIGHT = "\u061c"


def numeric(label: str) -> str:
    """A heading that stands over its numbers, at the right."""
    return AT_THE_RIGHT + label


def signed(label: str, *, descending: bool) -> str:
    """A heading by which the list is sorted."""
    sign = DESCENDING if descending else ASCENDING
    return f"{label} {sign}"


def table(
    data: Any,  # noqa: ANN401 - whatever st.dataframe takes
    *,
    key: str,
    on_heading: Press | None = None,
    selectable: bool = False,
    **look: Any,  # noqa: ANN401 - what st.dataframe takes
) -> list[int]:
    """Draw the table; returns which rows are ticked, by place.

    A press on a heading calls ``on_heading`` with the column's name; without it nothing moves.
    """
    modes: Collection[Any] = ("multi-row", "single-column") if selectable else ("single-column",)
    with st.container(key=f"whole-{key}"):
        shown = st.dataframe(
            data,
            key=key,
            hide_index=True,
            on_select=lambda: _pressed(key, on_heading),
            selection_mode=modes,
            **{"placeholder": figures.UNKNOWN, **look},
        )
    return list(shown["selection"]["rows"]) if selectable else []


def _pressed(key: str, on_heading: Press | None) -> None:
    chosen = (state.typed(key) or {}).get("selection", {})
    columns = chosen.get("columns", [])
    if not columns:
        return
    # A heading is pressed, not chosen: its column does not stay marked, the ticks stay.
    state.show(key, {"selection": {"rows": list(chosen.get("rows", []))}})
    if on_heading is not None:
        on_heading(columns[0])

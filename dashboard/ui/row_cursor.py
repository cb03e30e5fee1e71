"""Rows that open an application, and the cursor with which the keyboard moves among them.

The table is painted on a canvas, so ``static/rows.js`` needs a mark beside it: which applications
the rows are, and where they stand. The mark itself is drawn as the cursor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from dashboard.ui.safe_text import escape_html

# Of the column with the boxes to tick, in pixels.
TICKS_WIDTH = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRows:
    """The applications of a table's rows; ``query`` is the view in which they open."""

    ids: Sequence[int]
    names: Sequence[str]
    query: Mapping[str, str]


def draw(rows: OpeningRows, *, header: int, row_height: int, ticks: bool) -> None:
    """Draw the cursor into the container of the table, which follows it."""
    marks = {
        "ids": " ".join(map(str, rows.ids)),
        "query": urlencode(rows.query),
        "header": str(header),
        "high": str(row_height),
        "ticks": str(TICKS_WIDTH if ticks else 0),
    }
    held = " ".join(f'data-{name}="{escape_html(value)}"' for name, value in marks.items())
    # An escaped name is one line.
    names = "&#10;".join(map(escape_html, rows.names))
    st.html(
        f'<div class="row-cursor" role="status" style="--header: {header}px; '
        f'--high: {row_height}px" data-names="{names}" {held}></div>'
    )

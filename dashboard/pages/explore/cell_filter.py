"""Filters by the cell that was clicked, beside those of the view."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.ui import headings
from dashboard.ui.safe_text import escape
from data_access.explore.queries import Preview
from program.reports import cell_filters
from program.reports.views import View


def draw(preview: Preview, token: str, table_key: str, apply: Callable[[View], None]) -> None:
    """Draw a button for each filter that the selected cell offers, and no more than that."""
    chosen = headings.selected_cell(table_key)
    if chosen is None:
        return
    view, (row, name) = preview.view, chosen
    values = _values(preview, row)
    if name not in values:
        return
    for place, offer in enumerate(cell_filters.offers(view, name, values[name])):
        st.button(
            escape(offer.words),
            key=f"explore-cell-{place}-{token}",
            icon=":material/filter_alt:",
            type="tertiary",
            on_click=apply,
            args=[view.with_filter(offer.filter_.column, offer.filter_)],
        )


def _values(preview: Preview, row: int) -> dict[str, Any]:
    """Return the row's values; of totals none."""
    return preview.rows[row] if row < len(preview.rows) else {}

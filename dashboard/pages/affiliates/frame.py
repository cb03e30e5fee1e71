"""Shared by the parts of the affiliates page: heading, pages, and opening a row."""

import streamlit as st

from dashboard.pages.affiliates import filters as affiliates_filters
from dashboard.ui import address, grid, navigation, state
from program.affiliates.filters import PAGE_SIZE, BoardFilters
from program.review.queue_filters import Filters
from program.review.workflow import Status

AFFILIATES = "dashboard/pages/affiliates/page.py"
REFRESH = "Run `python -m data_access refresh`."


def apply_filters(filters: BoardFilters) -> None:
    """Write changed filters to the address, which every run reads."""
    address.write(filters.to_query())


def draw_head(title: str) -> None:
    """Draw the part's name and the links to the other parts."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(title, anchor=False, width="content")
        st.space("stretch")
        affiliates_filters.parts(apply_filters)


def draw_pages(filters: BoardFilters, total: int) -> None:
    """Draw the number of rows, the range shown, and the page control."""
    with st.container(horizontal=True, vertical_alignment="center"):
        key = f"affiliates-page-{filters.part}-{filters.page}-{total}"
        grid.pages(filters.page, total, size=PAGE_SIZE, key=key, on_turn=turn_page)


def turn_page(page: int) -> None:
    """Go to the page chosen in the page control."""
    apply_filters(BoardFilters.from_query(st.query_params).on_page(page))


def open_clicked(table: str, key: str, status: Status = Status.APPROVED) -> None:
    """Open the application of the clicked row, in the list of that status."""
    id_ = state.clicked_row(table, state.typed(key))
    if id_:
        navigation.open_one(id_, Filters(status=status))

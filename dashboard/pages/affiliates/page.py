"""Approved affiliates: the requalification board, what became of approvals, whom to invite."""

import streamlit as st

from dashboard.pages.affiliates import board, near_misses, outcomes
from dashboard.pages.affiliates import filters as affiliates_filters
from dashboard.shell import sign_in
from dashboard.ui import address, state, states
from dashboard.ui.safe_text import escape
from program.affiliates.filters import QUERY_NAMES, BoardFilters, Part
from program.review.permissions import Act


def main() -> None:
    """Which part, then that part."""
    person = sign_in.require(Act.SEE_AFFILIATES)
    query = address.read(QUERY_NAMES)
    filters = BoardFilters.from_query(query)
    draw_flash()
    states.left_out(filters.left_out(query))
    affiliates_filters.hold(filters)
    PARTS[filters.part](filters, person)


def draw_flash() -> None:
    """Show what the last act left to say."""
    message = state.take_flash()
    if message is not None:
        st.toast(escape(message.text), icon=":material/check:" if message.ok else ":material/info:")


PARTS = {
    Part.REQUALIFICATION: board.draw,
    Part.OUTCOMES: outcomes.draw,
    Part.NEAR_MISSES: near_misses.draw,
}


main()

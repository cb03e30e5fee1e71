"""Approved affiliates: the requalification board, what became of approvals, whom to invite."""

import streamlit as st

from dashboard import address, sign_in, state
from dashboard.components import affiliates_filters, states
from dashboard.components.safe_text import escape
from dashboard.forms import board_part, near_misses_part, outcomes_part
from program.affiliate_filters import QUERY_NAMES, BoardFilters, Part
from program.permissions import Act


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
    Part.REQUALIFICATION: board_part.draw,
    Part.OUTCOMES: outcomes_part.draw,
    Part.NEAR_MISSES: near_misses_part.draw,
}


main()

"""Figures at two times, side by side."""

from collections.abc import Sequence

import streamlit as st

from dashboard.ui.safe_text import escape
from program import wording
from program.policy.viewed import Change


def draw(changes: Sequence[Change], *, then: str, now: str) -> None:
    """Draw a row for each difference; ``then`` and ``now`` are the column headings."""
    with st.container(key="then-and-now", gap=None):
        _row("", f"**{then}**", f"**{now}**")
        for change in changes:
            _row(escape(wording_of(change)), escape(change.old), escape(change.new))


def wording_of(change: Change) -> str:
    """Format a difference for the start of a row."""
    return wording.capital(change.what)


def _row(what: str, then: str, now: str) -> None:
    with st.container(horizontal=True, gap="small", wrap=False):
        st.caption(what or " ", width="stretch")
        st.markdown(then, width=130)
        st.markdown(now, width=130)

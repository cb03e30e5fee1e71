"""The thread of an application: one line a happening, newest first. Typed text stays text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard.components import figures
from dashboard.components.safe_text import escape

SHOWN_AT_ONCE = 30
ICONS = {
    "submitted": ":material/inbox:",
    "note": ":material/sticky_note_2:",
    "evidence": ":material/fact_check:",
    "check": ":material/checklist:",
    "event": ":material/history:",
    "decision": ":material/gavel:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One happening. ``title`` is the product's word, ``body`` what somebody typed."""

    at: datetime
    kind: str
    actor: str
    title: str
    body: str


def draw(lines: Sequence[Line]) -> None:
    """Draw the newest lines, and say how many there are."""
    st.markdown(f"**Thread** · {len(lines):,}")
    for line in lines[:SHOWN_AT_ONCE]:
        with st.container(gap=None):
            st.caption(
                f"{ICONS[line.kind]} {figures.moment(line.at)} · "
                f"{escape(line.actor)} · {escape(line.title)}"
            )
            if line.body:
                st.text(line.body)
    if len(lines) > SHOWN_AT_ONCE:
        st.caption(f"{len(lines) - SHOWN_AT_ONCE:,} older ones are not shown.")

"""The thread of an application: one line a happening, newest first. Typed text stays text."""

from collections import Counter
from collections.abc import Callable, Sequence
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
    "message": ":material/mail:",
    "decision": ":material/gavel:",
}
# What a filter shows, by the kinds of lines.
FILTERS: dict[str, tuple[str, ...]] = {
    "notes": ("note",),
    "evidence": ("evidence",),
    "checks": ("check",),
    "messages": ("message",),
    "decisions": ("decision",),
    "events": ("event", "submitted"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One happening. ``title`` is the product's word, ``body`` what somebody typed."""

    at: datetime
    kind: str
    actor: str
    title: str
    body: str


def draw(
    lines: Sequence[Line], *, only: str | None, on_filter: Callable[[str], None], all_of_them: bool
) -> None:
    """Draw the lines that the filter leaves, newest first, and say how many there are."""
    st.markdown(f"**Thread** · {len(lines):,}")
    counts = Counter(line.kind for line in lines)
    key = f"thread-filter-{only}"
    st.pills(
        "Show",
        list(FILTERS),
        default=only if only in FILTERS else None,
        format_func=lambda name: f"{name} {sum(counts[kind] for kind in FILTERS[name])}",
        key=key,
        label_visibility="collapsed",
        on_change=on_filter,
        args=[key],
    )
    kept = [line for line in lines if only not in FILTERS or line.kind in FILTERS[str(only)]]
    for line in kept if all_of_them else kept[:SHOWN_AT_ONCE]:
        _draw_line(line)
    if not kept:
        st.caption("Nothing of this kind yet.")
    if len(kept) > SHOWN_AT_ONCE and not all_of_them:
        st.checkbox(f"Show {len(kept) - SHOWN_AT_ONCE:,} older ones", key="thread-all")


def _draw_line(line: Line) -> None:
    with st.container(gap=None):
        internal = " · internal" if line.kind == "note" else ""
        st.caption(
            f"{ICONS[line.kind]} {figures.moment(line.at)} · "
            f"{escape(line.actor)} · {escape(line.title)}{internal}"
        )
        if line.body:
            st.text(line.body)

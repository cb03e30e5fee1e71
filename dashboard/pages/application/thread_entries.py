"""Lines of the thread, newest first. Typed text stays text."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard.ui import figures
from dashboard.ui.safe_text import escape

SHOWN_AT_ONCE = 30
ICONS = {
    "submitted": ":material/inbox:",
    "note": ":material/sticky_note_2:",
    "evidence": ":material/fact_check:",
    "check": ":material/checklist:",
    "event": ":material/history:",
    "message": ":material/outgoing_mail:",
    "answer": ":material/mark_email_read:",
    "decision": ":material/gavel:",
    "delivery": ":material/send:",
}
# Who can read what, which nobody may mistake.
MARKS = {
    "note": ":orange-background[internal]",
    "message": ":blue-background[sent to the applicant]",
    "answer": ":green-background[received from the applicant]",
}
# The kinds of lines that each filter shows.
FILTERS: dict[str, tuple[str, ...]] = {
    "notes": ("note",),
    "evidence": ("evidence",),
    "checks": ("check",),
    "messages": ("message", "answer", "delivery"),
    "decisions": ("decision",),
    "events": ("event", "submitted"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry. ``title`` is the product's word, ``body`` typed text."""

    at: datetime
    kind: str
    actor: str
    title: str
    body: str


def filters(lines: Sequence[Line], only: str | None, *, on_filter: Callable[[str], None]) -> None:
    """Draw the heading with the total, and the filters with their counts."""
    counts = Counter(line.kind for line in lines)
    key = f"thread-filter-{only}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Thread** · {len(lines):,}", width="content")
        st.pills(
            "Show only",
            list(FILTERS),
            default=only if only in FILTERS else None,
            format_func=lambda name: f"{name} {sum(counts[kind] for kind in FILTERS[name])}",
            key=key,
            label_visibility="collapsed",
            on_change=on_filter,
            args=[key],
        )


def draw(
    lines: Sequence[Line], only: str | None, *, everything: bool, on_everything: Callable[[], None]
) -> None:
    """Draw the matching lines, newest first; older ones on request."""
    kept = [line for line in lines if only not in FILTERS or line.kind in FILTERS[str(only)]]
    for line in kept if everything else kept[:SHOWN_AT_ONCE]:
        _draw_line(line)
    if not kept:
        st.caption("Nothing of this kind yet.")
    older = len(kept) - SHOWN_AT_ONCE
    if older > 0 and not everything:
        st.button(
            f"Show {older:,} older",
            key="thread-older",
            icon=":material/expand_more:",
            type="tertiary",
            on_click=on_everything,
        )


def _draw_line(line: Line) -> None:
    # Typed text is outside of color markup, inside of which escapes would be visible.
    mark = f" · {MARKS[line.kind]}" if line.kind in MARKS else ""
    with st.container(gap=None):
        st.caption(
            f"{ICONS[line.kind]} {escape(line.title)}{mark} · {escape(line.actor)} · "
            f"{figures.moment(line.at)}"
        )
        if line.body:
            st.text(line.body)

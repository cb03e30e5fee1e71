"""The thread: the note form, and everything that happened, newest first."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from dashboard.pages.application import note_form
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import figures, state
from dashboard.ui.safe_text import escape
from data_access.review.opening import Opened
from data_access.review.timeline import EntryKind, TimelineEntry
from program.review.permissions import Act

FILTER = "thread"
SHOWN_AT_ONCE = 30
ICONS = {
    EntryKind.SUBMITTED: ":material/inbox:",
    EntryKind.NOTE: ":material/sticky_note_2:",
    EntryKind.EVIDENCE: ":material/fact_check:",
    EntryKind.CHECK: ":material/checklist:",
    EntryKind.EVENT: ":material/history:",
    EntryKind.MESSAGE: ":material/outgoing_mail:",
    EntryKind.ANSWER: ":material/mark_email_read:",
    EntryKind.DECISION: ":material/gavel:",
    EntryKind.DELIVERY: ":material/send:",
}
# Who can read what, which nobody may mistake.
MARKS = {
    EntryKind.NOTE: ":orange-background[internal]",
    EntryKind.MESSAGE: ":blue-background[sent to the applicant]",
    EntryKind.ANSWER: ":green-background[received from the applicant]",
}
# The kinds of entries that each filter shows.
FILTERS: dict[str, tuple[EntryKind, ...]] = {
    "notes": (EntryKind.NOTE,),
    "evidence": (EntryKind.EVIDENCE,),
    "checks": (EntryKind.CHECK,),
    "messages": (EntryKind.MESSAGE, EntryKind.ANSWER, EntryKind.DELIVERY),
    "decisions": (EntryKind.DECISION,),
    "events": (EntryKind.EVENT, EntryKind.SUBMITTED),
}


def draw(shown: Opened) -> None:
    """Draw the note form, the filter, which is kept in the address, and the entries."""
    only = st.query_params.get(FILTER)
    with st.container(border=True, gap="small", key="thread"):
        if shown.person.may(Act.WRITE_NOTE):
            note_form.draw(shown.id_, shown.person)
        _draw_filters(shown.entries, only, on_filter=partial(_apply_filter, shown.id_))
        _draw_entries(shown, only)


def _draw_filters(
    entries: Sequence[TimelineEntry], only: str | None, *, on_filter: Callable[[str], None]
) -> None:
    """Draw the heading with the total, and the filters with their counts."""
    counts = Counter(entry.kind for entry in entries)
    key = f"thread-filter-{only}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Thread** · {len(entries):,}", width="content")
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


def _draw_entries(shown: Opened, only: str | None) -> None:
    """Draw the matching entries, newest first; older ones on request."""
    kept = [one for one in shown.entries if only not in FILTERS or one.kind in FILTERS[str(only)]]
    everything = bool(state.kept(_everything(shown.id_)))
    for entry in kept if everything else kept[:SHOWN_AT_ONCE]:
        _draw_entry(shown, entry)
    if not kept:
        st.caption("Nothing of this kind yet.")
    older = len(kept) - SHOWN_AT_ONCE
    if older > 0 and not everything:
        st.button(
            f"Show {older:,} older",
            key="thread-older",
            icon=":material/expand_more:",
            type="tertiary",
            on_click=_show_everything,
            args=[shown.id_],
        )


def _draw_entry(shown: Opened, entry: TimelineEntry) -> None:
    # Typed text stands outside of every color: inside of one its escapes would show.
    mark = f" · {MARKS[entry.kind]}" if entry.kind in MARKS else ""
    st.caption(
        f"{ICONS[entry.kind]} {escape(entry.title)}{mark} · "
        f"{escape(shown.named(entry.actor))} · "
        f"{figures.moment(entry.at)}"
    )
    if entry.body:
        st.text(entry.body)


def _apply_filter(id_: int, key: str) -> None:
    """Write the chosen filter to the address."""
    state.hold(decision_name(id_))
    chosen = state.typed(key)
    if chosen is None:
        st.query_params.pop(FILTER, None)
    else:
        st.query_params[FILTER] = chosen


def _show_everything(id_: int) -> None:
    state.hold(decision_name(id_))
    state.keep(_everything(id_), value=True)


def _everything(id_: int) -> str:
    return f"thread-everything-{id_}"

"""The thread: the note form, and everything that happened, newest first."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard.pages.application import note_form, thread_entries
from dashboard.pages.application.context import Shown
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import state
from data_access.review.timeline import TimelineEntry
from program.review.permissions import Act

FILTER = "thread"


def draw(shown: Shown, entries: Sequence[TimelineEntry]) -> None:
    """Draw the note form, the filter, which is kept in the address, and the lines."""
    only = st.query_params.get(FILTER)
    lines = [
        thread_entries.Line(
            at=entry.at,
            kind=str(entry.kind),
            actor=entry.actor,
            title=entry.title,
            body=entry.body,
        )
        for entry in entries
    ]
    with st.container(border=True, gap="small", key="thread"):
        if shown.person.may(Act.WRITE_NOTE):
            note_form.draw(shown.id_, shown.person)
        thread_entries.filters(lines, only, on_filter=partial(_apply_filter, shown.id_))
        thread_entries.draw(
            lines,
            only,
            everything=bool(state.kept(_everything(shown.id_))),
            on_everything=partial(_show_everything, shown.id_),
        )


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

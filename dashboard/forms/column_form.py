"""Which columns the queue's table has, for each person as they like."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.components import queue_table
from dashboard.forms import answers
from data_access import database, preferences
from data_access.refusals import Refusal
from data_access.staff import Person

NAME = "queue_columns"
KEY = "queue-columns"
LABELS = {column.key: column.label for column in queue_table.COLUMNS}


def understood(value: Any) -> list[str]:  # noqa: ANN401 - whatever was kept, perhaps long ago
    """The kept choice, but for columns that are gone; the usual ones where nothing is kept."""
    if not isinstance(value, list):
        return list(queue_table.USUAL)
    known = [key for key in LABELS if key in value]
    return known or list(queue_table.USUAL)


def draw(chosen: Sequence[str], person: Person) -> None:
    """Tick the columns; each tick is remembered at once."""
    st.session_state[KEY] = list(chosen)
    with st.popover("Columns", icon=":material/view_column:", type="tertiary", key="columns"):
        st.pills(
            "Columns",
            list(LABELS),
            selection_mode="multi",
            format_func=LABELS.__getitem__,
            key=KEY,
            label_visibility="collapsed",
            on_change=_choose,
            args=[person.email],
        )
        st.button(
            "Back to the usual ones",
            key="columns-usual",
            type="tertiary",
            on_click=_put,
            args=[list(queue_table.USUAL), person.email],
        )


def _choose(actor: str) -> None:
    _put(state.typed(KEY) or list(queue_table.USUAL), actor)


def _put(columns: Sequence[str], actor: str) -> None:
    if answers.refused_to_stranger("", actor):
        return
    try:
        preferences.put(database.writer(), name=NAME, value=list(columns), actor=actor)
    except Refusal as refusal:
        answers.refused("", str(refusal))

"""The columns of the queue's table, chosen by each person."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.queue import table
from dashboard.ui import popovers, state
from data_access.people import preferences
from data_access.people.preferences import PutPreference
from data_access.people.staff import Person

NAME = "queue_columns"
KEY = "queue-columns"
LABELS = {column.key: column.label for column in table.COLUMNS}


def understood(value: Any) -> list[str]:  # noqa: ANN401 - whatever was kept, perhaps long ago
    """Return the stored choice without removed columns; the usual ones if nothing is stored."""
    if not isinstance(value, list):
        return list(table.USUAL)
    known = [key for key in LABELS if key in value]
    return known or list(table.USUAL)


def draw(chosen: Sequence[str], person: Person) -> None:
    """Draw a checkbox per column; each change is stored at once."""
    popovers.draw(
        "Columns",
        partial(_draw_choice, chosen, person),
        key="columns",
        icon=":material/view_column:",
        type="tertiary",
    )


def _draw_choice(chosen: Sequence[str], person: Person) -> None:
    state.show(KEY, list(chosen))
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
        "Reset columns",
        key="columns-usual",
        type="tertiary",
        on_click=_put,
        args=[list(table.USUAL), person.email],
    )


def _choose(actor: str) -> None:
    _put(state.typed(KEY) or list(table.USUAL), actor)


def _put(columns: Sequence[str], actor: str) -> None:
    # The id as it is now: the second of two quick ticks arrives before the page is redrawn.
    command = PutPreference(
        name=NAME,
        value=list(columns),
        actor=actor,
        at=datetime.now(UTC),
        request_id=state.request_id(KEY),
    )
    submit.submit("", command, preferences.put, renews=KEY)

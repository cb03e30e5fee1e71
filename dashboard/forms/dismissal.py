"""Reports that every session shows until their person dismisses them.

A desk has one report at a time, told apart by the id of its request.
"""

from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import submit
from dashboard.ui import state
from data_access.db import database
from data_access.people import preferences
from data_access.people.preferences import PutPreference


def is_dismissed(desk: str, report_id: UUID, *, actor: str) -> bool:
    """Whether the actor has dismissed this report."""
    with database.reading(database.reader()) as connection:
        seen = preferences.read(connection, email=actor, name=preference(desk))
    return bool(seen == str(report_id))


def button(desk: str, report_id: UUID, *, actor: str) -> None:
    """Draw the button that dismisses the report."""
    st.button(
        "Dismiss",
        key=f"{desk}-dismiss",
        type="tertiary",
        icon=":material/close:",
        on_click=_dismiss,
        args=[preference(desk), report_id, actor, state.request_id(preference(desk))],
    )


def preference(desk: str) -> str:
    """Return the name of the preference with the last report that was dismissed."""
    return f"{desk}_report_seen"


def _dismiss(preference: str, report_id: UUID, actor: str, request_id: UUID) -> None:
    command = PutPreference(
        name=preference,
        value=str(report_id),
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    submit.submit("", command, preferences.put, renews=preference)

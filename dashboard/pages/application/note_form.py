"""The form for an internal note; typed text is a draft until it is sent."""

from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import keyboard, shortcuts, state
from data_access.people.staff import Person
from data_access.review import notes


def draw(id_: int, person: Person) -> None:
    """Draw the form."""
    form = f"note-{id_}"
    submit.draw(form)
    with keyboard.draft(form):
        with keyboard.hot(shortcuts.NOTE.key):
            st.text_area(
                "Internal note, never shown to the applicant",
                key=state.form_key(form, "body"),
                height=80,
                placeholder=f"Press {shortcuts.NOTE.key} to write",
            )
        with keyboard.hot_go(form, width="content"):
            sending.button(
                "Add note",
                form=form,
                key=state.form_key(form, "send"),
                act=_write,
                args=[form, state.request_id(form), id_, person.email],
                icon=":material/sticky_note_2:",
                help="Ctrl+Enter",
            )


def _write(form: str, request_id: UUID, id_: int, actor: str) -> None:
    """Save the note; a refusal keeps what was typed."""
    state.hold(decision_name(id_))
    command = notes.WriteNote(
        application_id=id_,
        body=state.entered(form, "body", request_id) or "",
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    submit.submit(form, command, notes.write, drafts=[form], confirmation="Note added.")

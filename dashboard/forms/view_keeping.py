"""Keeping what a screen shows under a name, and taking such a view away again."""

from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.forms import answers
from data_access import database, saved_views
from data_access.refusals import Refusal
from data_access.saved_views import ExploredView, SavedView
from data_access.staff import Person
from program.queue import Filters
from program.views import View


def draw_form(form: str, shown: Filters | View, person: Person, *, example: str) -> None:
    """The name, who sees it, and the button; ``form`` tells the screens' forms apart."""
    answers.draw(form)
    with st.form(form, border=False):
        st.text_input(
            "Keep what is shown as",
            key=state.form_key(form, "name"),
            max_chars=saved_views.LONGEST_NAME,
            placeholder=f"for example: {example}",
        )
        st.checkbox("Colleagues see it too", key=state.form_key(form, "shared"))
        st.form_submit_button(
            "Save this view",
            key=state.form_key(form, "save"),
            on_click=_save,
            args=[form, shown, person.email, state.request_id(form)],
        )


def draw_removal(form: str, kept: SavedView | ExploredView, person: Person) -> None:
    """The button that takes one's own view away; what goes wrong is said in ``form``."""
    st.button(
        "Remove",
        key=f"{form}-remove-{kept.view_id}",
        icon=":material/delete:",
        type="tertiary",
        on_click=_remove,
        args=[form, kept, person.email],
    )


def _save(form: str, shown: Filters | View, actor: str, request_id: UUID) -> None:
    if answers.refused_to_stranger(form, actor):
        return
    part = request_id.hex[:8]
    name = state.typed(f"{form}-name-{part}") or ""
    try:
        saved_views.save(
            database.writer(),
            name=name,
            filters=shown,
            shared=bool(state.typed(f"{form}-shared-{part}")),
            actor=actor,
            now=datetime.now(UTC),
        )
    except Refusal as refusal:
        answers.refused(form, str(refusal))
        return
    state.renew(form, request_id)
    state.flash(state.Flash(ok=True, text=f"The view {name.strip()} is saved."))


def _remove(form: str, kept: SavedView | ExploredView, actor: str) -> None:
    if answers.refused_to_stranger(form, actor):
        return
    try:
        saved_views.remove(database.writer(), view_id=kept.view_id, actor=actor)
    except Refusal as refusal:
        answers.refused(form, str(refusal))
    else:
        state.flash(state.Flash(ok=True, text=f"The view {kept.name} is removed."))

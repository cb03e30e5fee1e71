"""Views of the explore page under a name: the way to each, and keeping the one that is shown."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.components.safe_text import escape
from dashboard.forms import answers
from data_access import database, saved_views
from data_access.refusals import Refusal
from data_access.saved_views import ExploredView
from data_access.staff import Person
from program.permissions import Act
from program.views import View

FORM = "explore-view"
EXPLORE = "dashboard/pages/explore.py"


def name_of(views: Sequence[ExploredView], view: View) -> str | None:
    """The name under which the view that is shown is kept, if it is."""
    return next((kept.name for kept in views if kept.view.kept == view.kept), None)


def draw(views: Sequence[ExploredView], view: View, person: Person) -> None:
    """The views, with who shares them, and the form that keeps this one."""
    label = f"Views {len(views)}" if views else "Views"
    with st.popover(label, key="explore-views", icon=":material/bookmark:", type="tertiary"):
        for kept in views:
            _line(kept, view, person)
        if not views:
            st.caption("No view is kept yet. A view keeps columns, filters, groups and order.")
        if person.may(Act.SAVE_VIEW):
            _form(view, person)


def _line(kept: ExploredView, view: View, person: Person) -> None:
    own = kept.owner == person.email
    here = kept.view.kept == view.kept
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            EXPLORE,
            label=f"**{escape(kept.name)}**" if here else escape(kept.name),
            icon=":material/group:" if kept.shared else ":material/bookmark:",
            help=None if own else f"Shared by {escape(kept.owner)}.",
            query_params=kept.view.to_query(),
        )
        st.space("stretch")
        st.caption(kept.view.dataset.title, width="content")
        if own:
            st.button(
                "",
                key=f"explore-view-remove-{kept.view_id}",
                icon=":material/delete:",
                type="tertiary",
                help="Remove this view",
                on_click=_remove,
                args=[kept, person.email],
            )


def _form(view: View, person: Person) -> None:
    answers.draw(FORM)
    with st.form(FORM, border=False):
        st.text_input(
            "Keep what is shown as",
            key=state.form_key(FORM, "name"),
            max_chars=saved_views.LONGEST_NAME,
            placeholder="for example: volume by country",
        )
        st.checkbox("Colleagues see it too", key=state.form_key(FORM, "shared"))
        st.form_submit_button(
            "Save this view",
            key=state.form_key(FORM, "save"),
            on_click=_save,
            args=[view, person.email, state.request_id(FORM)],
        )


def _save(view: View, actor: str, request_id: UUID) -> None:
    if answers.refused_to_stranger(FORM, actor):
        return
    part = request_id.hex[:8]
    name = state.typed(f"{FORM}-name-{part}") or ""
    try:
        saved_views.save(
            database.writer(),
            name=name,
            filters=view,
            shared=bool(state.typed(f"{FORM}-shared-{part}")),
            actor=actor,
            now=datetime.now(UTC),
        )
    except Refusal as refusal:
        answers.refused(FORM, str(refusal))
        return
    state.renew(FORM, request_id)
    state.flash(state.Flash(ok=True, text=f"The view {name.strip()} is saved."))


def _remove(kept: ExploredView, actor: str) -> None:
    if answers.refused_to_stranger(FORM, actor):
        return
    try:
        saved_views.remove(database.writer(), view_id=kept.view_id, actor=actor)
    except Refusal as refusal:
        answers.refused(FORM, str(refusal))
    else:
        state.flash(state.Flash(ok=True, text=f"The view {kept.name} is removed."))

"""Views under a name: the way to each, and keeping the one that is shown."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard import lookups, state
from dashboard.components.safe_text import escape
from dashboard.forms import answers
from data_access import database, saved_views
from data_access.refusals import Refusal
from data_access.saved_views import SavedView
from data_access.staff import Person
from program.permissions import Act
from program.queue import Filters

FORM = "view"
QUEUE = "dashboard/pages/queue.py"


def draw(views: Sequence[SavedView], filters: Filters, person: Person) -> None:
    """A link for each view with its count, and the form; a link can be copied and passed on."""
    for view in views:
        _link(view, filters, person)
    if person.may(Act.SAVE_VIEW):
        own = [view for view in views if view.owner == person.email]
        with st.popover(
            "Save view" if not own else "Views",
            key="queue-views",
            icon=":material/bookmark_add:",
            type="tertiary",
            help="Keep these filters and this order under a name.",
        ):
            _form(filters, person)
            _own(own, person)


def _link(view: SavedView, filters: Filters, person: Person) -> None:
    name = escape(view.name)
    here = view.filters == filters.on_page(1).seen_by("")
    number = lookups.counted(view.filters.seen_by(person.email))
    owner = "" if view.owner == person.email else f"Shared by {escape(view.owner)}."
    st.page_link(
        QUEUE,
        label=f":violet[{name} {number:,}]" if here else f"{name} {number:,}",
        icon=":material/group:" if view.shared else ":material/bookmark:",
        help=owner or None,
        query_params=view.filters.to_query(),
    )


def _form(filters: Filters, person: Person) -> None:
    answers.draw(FORM)
    with st.form(FORM, border=False):
        st.text_input(
            "Name",
            key=state.form_key(FORM, "name"),
            max_chars=saved_views.LONGEST_NAME,
            placeholder="for example: big and overdue",
        )
        st.checkbox("Colleagues see it too", key=state.form_key(FORM, "shared"))
        st.form_submit_button(
            "Save this view",
            key=state.form_key(FORM, "save"),
            type="primary",
            on_click=_save,
            args=[filters, person.email, state.request_id(FORM)],
        )


def _own(own: Sequence[SavedView], person: Person) -> None:
    for view in own:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(view.name)
            st.space("stretch")
            st.button(
                "Remove",
                key=f"view-remove-{view.view_id}",
                icon=":material/delete:",
                type="tertiary",
                on_click=_remove,
                args=[view, person.email],
            )


def _save(filters: Filters, actor: str, request_id: UUID) -> None:
    if answers.refused_to_stranger(FORM, actor):
        return
    part = request_id.hex[:8]
    name = state.typed(f"{FORM}-name-{part}") or ""
    try:
        saved_views.save(
            database.writer(),
            name=name,
            filters=filters,
            shared=bool(state.typed(f"{FORM}-shared-{part}")),
            actor=actor,
            now=datetime.now(UTC),
        )
    except Refusal as refusal:
        answers.refused(FORM, str(refusal))
        return
    state.renew(FORM, request_id)
    state.flash(state.Flash(ok=True, text=f"The view {name.strip()} is saved."))


def _remove(view: SavedView, actor: str) -> None:
    if answers.refused_to_stranger(FORM, actor):
        return
    try:
        saved_views.remove(database.writer(), view_id=view.view_id, actor=actor)
    except Refusal as refusal:
        answers.refused(FORM, str(refusal))
    else:
        state.flash(state.Flash(ok=True, text=f"The view {view.name} is removed."))

"""Save the view on the screen under a name, and remove saved views."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import state
from dashboard.ui.safe_text import escape
from data_access.db.errors import NameTaken
from data_access.explore import saved_views
from data_access.explore.saved_views import ExploredView, SavedView
from data_access.people.staff import Person
from program.reports.views import View
from program.review import sending as seeing
from program.review.queue_filters import Filters


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A view to save; ``name`` is typed text."""

    form: str
    name: str
    shared: bool
    shown: Filters | View
    actor: str
    request_id: UUID


def draw_form(form: str, shown: Filters | View, person: Person, *, example: str) -> None:
    """Draw the name, the sharing option and the button; ``form`` names the screen's form."""
    submit.draw(form)
    request_id = state.request_id(form)
    sight = state.sight(f"{form}-save", str(request_id), sending.drawn_at())
    with st.form(form, border=False):
        st.text_input(
            "Name of the view",
            key=state.form_key(form, "name"),
            max_chars=saved_views.LONGEST_NAME,
            placeholder=f"for example: {example}",
        )
        st.checkbox("Share with colleagues", key=state.form_key(form, "shared"))
        st.form_submit_button(
            "Save this view",
            key=state.form_key(form, "save"),
            on_click=_save,
            args=[form, shown, person.email, request_id, sight.at],
        )
    _draw_replacing(form, shown, person)


def draw_removal(form: str, kept: SavedView | ExploredView, person: Person) -> None:
    """Draw the button that removes the person's own view; errors are shown in ``form``."""
    sending.button(
        "Remove",
        form=form,
        key=f"{form}-remove-{kept.view_id}",
        act=_remove,
        args=[form, kept, person.email],
        sends=kept,
        icon=":material/delete:",
        type="tertiary",
    )


def _draw_replacing(form: str, shown: Filters | View, person: Person) -> None:
    """Ask whether to replace the view with the same name by what was shown when saving."""
    view, taken = state.kept(_place(form)) or (None, None)
    if view is None or taken is None:
        return
    if (view.shown, view.actor) != (shown, person.email):
        state.forget(_place(form))
        return
    st.warning(escape(str(taken)), icon=":material/bookmark:")
    with st.container(horizontal=True):
        sending.button(
            f"Replace “{escape(taken.name)}”",
            form=form,
            key=f"{form}-replace",
            act=_keep,
            args=[view, taken.version],
            sends=(view, taken.version),
            destroys=True,
        )
        st.button("Keep it", key=f"{form}-leave", on_click=state.forget, args=[_place(form)])


def _save(
    form: str, shown: Filters | View, actor: str, request_id: UUID, shown_at: datetime
) -> None:
    part = request_id.hex[:8]
    name = state.typed(f"{form}-name-{part}") or ""
    if not name.strip() and not seeing.was_seen(shown_at, sending.pressed_at()):
        # The second half of a double click, on the form that the first one emptied.
        return
    _keep(
        Asked(
            form=form,
            name=name,
            shared=bool(state.typed(f"{form}-shared-{part}")),
            shown=shown,
            actor=actor,
            request_id=request_id,
        ),
        None,
    )


def _keep(view: Asked, replacing: UUID | None) -> None:
    state.forget(_place(view.form))
    act = partial(
        saved_views.save,
        name=view.name,
        filters=view.shown,
        shared=view.shared,
        actor=view.actor,
        now=datetime.now(UTC),
        request_id=view.request_id,
        replacing=replacing,
    )
    try:
        view_id = submit.attempt(view.form, view.actor, act, raises=(NameTaken,))
    except NameTaken as taken:
        state.keep(_place(view.form), (view, taken))
        return
    if view_id is not None:
        state.renew(view.form, view.request_id)
        done = "saved" if replacing is None else "replaced"
        submit.accepted("", f"The view {view.name.strip()} is {done}.")


def _place(form: str) -> str:
    return f"{form}-taken"


def _remove(form: str, kept: SavedView | ExploredView, actor: str) -> None:
    act = partial(saved_views.remove, view_id=kept.view_id, actor=actor)
    if submit.attempt(form, actor, act) is not None:
        submit.accepted("", f"The view {kept.name} is removed.")

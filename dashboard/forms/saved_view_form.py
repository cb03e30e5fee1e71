"""Save the view on the screen under a name, and remove saved views."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import lookups, state
from dashboard.ui.safe_text import escape
from data_access.db.errors import NameTaken
from data_access.explore import saved_views
from data_access.explore.saved_views import RemoveView, SavedView, SaveView
from data_access.people.staff import Person
from program.reports.views import View
from program.review import sending as seeing
from program.review.queue_filters import Filters

Kept: TypeAlias = SavedView[Filters] | SavedView[View]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A view whose name is used; the form asks whether to replace the other one."""

    command: SaveView
    refusal: NameTaken


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


def draw_link(kept: Kept, label: str, person: Person, *, page: str) -> None:
    """Draw the link to the view on its page, with its owner if that is a colleague."""
    st.page_link(
        page,
        label=label,
        icon=":material/group:" if kept.shared else ":material/bookmark:",
        help=None
        if kept.owner == person.email
        else f"Shared by {escape(lookups.named(kept.owner))}.",
        query_params=kept.view.to_query(),
    )


def draw_removal(form: str, kept: Kept, person: Person) -> None:
    """Draw the button that removes the person's own view; errors are shown in ``form``."""
    key = f"{form}-remove-{kept.view_id}"
    sending.button(
        "Remove",
        form=form,
        key=key,
        act=_remove,
        args=[form, kept, person.email, state.request_id(key)],
        sends=kept,
        icon=":material/delete:",
        type="tertiary",
    )


def _draw_replacing(form: str, shown: Filters | View, person: Person) -> None:
    """Ask whether to replace the view with the same name by what was shown when saving."""
    taken: Taken | None = state.kept(_place(form))
    if taken is None:
        return
    if (taken.command.view, taken.command.actor) != (shown, person.email):
        state.forget(_place(form))
        return
    refusal = taken.refusal
    st.warning(escape(str(refusal)), icon=":material/bookmark:")
    with st.container(horizontal=True):
        sending.button(
            f"Replace “{escape(refusal.name)}”",
            form=form,
            key=f"{form}-replace",
            act=_replace,
            args=[form, taken],
            sends=(taken.command, refusal.version),
            destroys=True,
        )
        st.button("Keep it", key=f"{form}-leave", on_click=state.forget, args=[_place(form)])


def _save(
    form: str, shown: Filters | View, actor: str, request_id: UUID, shown_at: datetime
) -> None:
    name = state.entered(form, "name", request_id) or ""
    if not name.strip() and not seeing.was_seen(shown_at, sending.pressed_at()):
        # The second half of a double click, on the form that the first one emptied.
        return
    command = SaveView(
        name=name,
        view=shown,
        shared=bool(state.entered(form, "shared", request_id)),
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    _keep(form, command, "saved")


def _replace(form: str, taken: Taken) -> None:
    command = replace(taken.command, replacing=taken.refusal.version, at=datetime.now(UTC))
    _keep(form, command, "replaced")


def _keep(form: str, command: SaveView, done: str) -> None:
    state.forget(_place(form))
    confirmation = f"The view {command.name.strip()} is {done}."
    try:
        submit.submit(
            form, command, saved_views.save, confirmation=confirmation, raises=(NameTaken,)
        )
    except NameTaken as refusal:
        state.keep(_place(form), Taken(command=command, refusal=refusal))


def _place(form: str) -> str:
    return f"{form}-taken"


def _remove(form: str, kept: Kept, actor: str, request_id: UUID) -> None:
    command = RemoveView(
        view_id=kept.view_id, actor=actor, at=datetime.now(UTC), request_id=request_id
    )
    confirmation = f"The view {kept.name} is removed."
    submit.submit(form, command, saved_views.remove, confirmation=confirmation)

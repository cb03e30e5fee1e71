"""The dialog of a bulk act: first its fields, then a confirmation with its effect and targets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboard.forms import background, sending, submit
from dashboard.shell import sign_in
from dashboard.ui import keyboard, state
from data_access.db.errors import Refusal
from data_access.people.commands import Verb
from data_access.people.staff import Person
from data_access.review.bulk_runs import BulkCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """An open dialog for a selection, a frozen record with a field ``filled``.

    ``fields`` draws the fields, ``None`` if there are none; ``read`` returns the record with the
    typed values, and ``check`` raises a refusal of them. ``explain`` draws the effect and returns
    the command for ``verb``. ``draft`` names the browser's copy of the text.
    """

    label: str
    number: str
    icon: str
    destroys: bool
    draft: str
    fields: Callable[[], None] | None
    read: Callable[[], Any]
    check: Callable[[Any], None]
    explain: Callable[[], BulkCommand]
    verb: Verb[Any, object]
    done: Callable[[], None] = lambda: None


Make = Callable[[Any], Dialog]


def begin(form: str, chosen: Any) -> None:  # noqa: ANN401 - each page's own record
    """Open the dialog of ``form``."""
    _show(form, chosen)
    st.rerun()


def close(form: str) -> None:
    """Close the dialog and drop its typed text."""
    state.forget(form)


def draw(form: str, person: Person, make: Make) -> None:
    """Draw the dialog of ``form``, if it is open."""
    chosen = state.kept(form)
    if chosen is None:
        return
    made = make(chosen)
    title = f"{made.label}: {made.number}"
    dialog = st.dialog(title, width="medium", icon=made.icon, on_dismiss=partial(close, form))
    dialog(_step)(form, person, make)


def listed(names: list[str], number: int) -> str:
    """List the first ``names`` of ``number``, and the number of the others."""
    more = number - len(names)
    text = ", ".join(names)
    return f"{text} and {more:,} more" if more else text


def _step(form: str, person: Person, make: Make) -> None:
    chosen = state.kept(form)
    if chosen is None:
        return
    sign_in.stay(person.email)
    submit.draw(form)
    if chosen.filled:
        _confirmation(form, chosen, make(chosen))
    else:
        _fields(form, make(chosen))


def _fields(form: str, dialog: Dialog) -> None:
    # Escape closes the dialog, also from inside a field; the draft restores the text.
    with keyboard.draft(dialog.draft):
        if dialog.fields is not None:
            dialog.fields()
    with st.container(key="step-on"), keyboard.hot(keyboard.GO):
        st.button(
            "Continue",
            key=f"{form}-go-on",
            type="primary",
            icon=":material/arrow_forward:",
            help="Ctrl+Enter",
            on_click=_go_on,
            args=[form, dialog],
        )


def _go_on(form: str, dialog: Dialog) -> None:
    chosen = dialog.read()
    try:
        dialog.check(chosen)
    except Refusal as refusal:
        submit.refused(form, str(refusal))
        state.keep(form, chosen)
    else:
        _show(form, replace(chosen, filled=True))


def _confirmation(form: str, chosen: Any, dialog: Dialog) -> None:  # noqa: ANN401
    command = dialog.explain()
    # Back is where Continue was, so that pressing twice sends nothing.
    with st.container(horizontal=True, key="step-on"):
        if dialog.fields is not None:
            st.button(
                "Back", key=f"{form}-back", type="tertiary", on_click=_back, args=[form, chosen]
            )
        st.space("stretch")
        with keyboard.hot(keyboard.GO, width="content"):
            sending.button(
                f"{dialog.label}: {dialog.number}",
                form=form,
                key=_confirm_key(form),
                act=_confirm,
                args=[form, dialog, command],
                sends=chosen,
                destroys=dialog.destroys,
                type="primary",
                icon=dialog.icon,
                help="Ctrl+Enter",
            )


def _back(form: str, chosen: Any) -> None:  # noqa: ANN401
    state.keep(form, replace(chosen, filled=False))


def _confirm(form: str, dialog: Dialog, command: BulkCommand) -> None:
    if not background.submit(form, replace(command, at=datetime.now(UTC)), dialog.verb):
        return
    dialog.done()
    state.mark_sent(dialog.draft)
    state.renew(form, command.request_id)
    close(form)
    st.rerun()


def _show(form: str, chosen: Any) -> None:  # noqa: ANN401
    sending.show_anew(_confirm_key(form))
    state.keep(form, chosen)


def _confirm_key(form: str) -> str:
    return f"{form}-confirm"

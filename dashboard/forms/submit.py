"""Submit a form: the only way from a button to a verb, and the message afterwards."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner_utils.script_run_context import (
    suppress_fragment_callback_warning,
)

from dashboard.shell import metrics, sign_in
from dashboard.ui import state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import ApprovalLapsed, DatabaseUnavailable, Refusal
from data_access.people.commands import CommandT, ResultT, Verb

# Without an icon, which the style hides.
EMPTY = "\u200b"
PREPARED = "toast-prepared"


def submit(
    form: str,
    command: CommandT,
    verb: Verb[CommandT, ResultT],
    *,
    renews: str | None = None,
    drafts: Sequence[str] = (),
    confirmation: str = "",
    raises: tuple[type[Refusal], ...] = (),
) -> ResultT | None:
    """Call the verb if the sender is still signed in; returns its result, ``None`` if refused.

    A refusal is shown beside the form, which keeps its text; refusals in ``raises`` are raised to
    the caller. Success renews the request id, of the form or of ``renews``, clears the browser's
    ``drafts`` and shows ``confirmation`` on the next page.
    """
    if refused_to_stranger(form, command.actor):
        return None
    try:
        result = carry_out(command, verb)
    except raises:
        raise
    except ApprovalLapsed as lapsed:
        # This id was used for expiring the proposal, so the next request needs another.
        state.renew(renews or form, command.request_id)
        refused(form, str(lapsed))
        return None
    except Refusal as refusal:
        refused(form, str(refusal))
        return None
    state.renew(renews or form, command.request_id)
    for draft in drafts:
        state.mark_sent(draft)
    if confirmation:
        state.flash(state.Flash(ok=True, text=confirmation))
    return result


def carry_out(command: CommandT, verb: Verb[CommandT, ResultT]) -> ResultT:
    """Run the command on the connection that it needs. Raises Refusal."""
    with metrics.counted(command.act):
        return verb(database.loader() if command.loads else database.writer(), command)


def write(verb: Callable[..., ResultT], **fields: Any) -> ResultT:  # noqa: ANN401 - each verb's own
    """Call a verb without a form, such as in the background."""
    return verb(database.writer(), **fields)


def recorded(verb: Callable[..., object], **fields: Any) -> bool:  # noqa: ANN401
    """Write what is nobody's act; returns whether it was. The next act will report the error."""
    try:
        write(verb, **fields)
    except Refusal:
        return False
    return True


def load(verb: Callable[..., ResultT], *given: Any, **fields: Any) -> ResultT:  # noqa: ANN401
    """Call a verb with the role that imports files."""
    return verb(database.loader(), *given, **fields)


def draw(form: str) -> None:
    """Show the result of submitting beside the form, if it was submitted."""
    message = state.take_flash(form)
    # Reserve the place: otherwise elements below would be redrawn, and an open expander would close
    # while somebody types in it.
    with st.container(key=f"answer-{form}"):
        if message is not None and message.ok:
            st.success(escape(message.text), icon=":material/check:")
        elif message is not None:
            st.error(escape(message.text), icon=":material/error:")


def draw_flash() -> None:
    """Show the page's message as a toast, with a link to its application."""
    message = state.page_flash()
    if message is None:
        return
    back = f" [Open it](application?id={message.link})" if message.link is not None else ""
    icon = ":material/check:" if message.ok else ":material/info:"
    st.toast(f"{escape(message.text)}{back}", icon=icon)


def draw_flash_at_once() -> None:
    """Show the page's message from a callback, before the page that it leads to.

    A toast has a place of its own. So it replaces nothing, of which Streamlit would warn where the
    button belongs to a fragment.
    """
    with suppress_fragment_callback_warning():
        draw_flash()


def prepare_flash() -> None:
    """Make the browser ready to show a toast at once, by an empty one that stays hidden.

    The first toast of a session is shown after everything else of its page: the browser asks for
    what draws it only then, and draws what had to wait last.
    """
    if not state.kept(PREPARED):
        state.keep(PREPARED, value=True)
        st.toast(EMPTY, duration=1)


def refused(form: str, sentence: str) -> None:
    """Keep a refusal for the form's next run."""
    state.flash(state.Flash(ok=False, text=sentence, place=form))


def accepted(form: str, sentence: str) -> None:
    """Keep a confirmation for the form's next run."""
    state.flash(state.Flash(ok=True, text=sentence, place=form))


def refused_to_stranger(form: str, actor: str) -> bool:
    """Whether the sender is no longer signed in as the person for whom the form was drawn.

    Callbacks run before the page, so the page's own check would be too late.
    """
    try:
        if sign_in.is_here(actor):
            return False
    except DatabaseUnavailable as unavailable:
        refused(form, str(unavailable))
        return True
    refused(form, "You are no longer signed in. Sign in and send it again.")
    return True

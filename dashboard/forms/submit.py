"""What a form says after it was sent."""

import streamlit as st

from dashboard.shell import sign_in
from dashboard.ui import state
from dashboard.ui.safe_text import escape
from program.review import people


def draw(form: str) -> None:
    """Say beside the form how sending it went; nothing if it was not sent."""
    message = state.take_flash(form)
    # Its place is there before it is: what stands below would otherwise be drawn anew, and an
    # opened part of it close under the hand that types in it.
    with st.container(key=f"answer-{form}"):
        if message is not None and message.ok:
            st.success(escape(message.text), icon=":material/check:")
        elif message is not None:
            st.error(escape(message.text), icon=":material/error:")


def refused(form: str, sentence: str) -> None:
    """Leave a refusal for the form's next drawing."""
    state.flash(state.Flash(ok=False, text=sentence, place=form))


def accepted(form: str, sentence: str) -> None:
    """Leave a confirmation for the form's next drawing."""
    state.flash(state.Flash(ok=True, text=sentence, place=form))


def refused_to_stranger(form: str, actor: str) -> bool:
    """Whether the sender is no longer signed in as the person the form was drawn for.

    A click runs before the page is, so the page's own guard comes too late for it.
    """
    # The address alone: whether the person may act is the verb's own question.
    address = sign_in.signed_in_address()
    if people.same(address, actor):
        return False
    refused(form, "You are no longer signed in. Sign in and send it again.")
    return True

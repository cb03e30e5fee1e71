"""A message as its applicant will get it. The text is typed text and shown as text."""

import streamlit as st

from dashboard.components.safe_text import escape
from program import messages


def draw(*, channel: str, recipient: str | None, text: str) -> None:
    """Where it goes, and every word of it."""
    to = escape(recipient) if recipient else "nobody: no contact is known"
    st.caption(f"The applicant gets, by {escape(channel)}, to {to}:")
    with st.container(border=True):
        st.text(text)


def draw_unfilled(text: str) -> None:
    """Of many who each get their own: what has no value for this one."""
    left = messages.unfilled(text)
    if left:
        named = escape(", ".join("{{" + name + "}}" for name in left))
        st.warning(
            f"{named} has no value here. Whoever it stays empty for is left out and reported.",
            icon=":material/edit_note:",
        )

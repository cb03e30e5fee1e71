"""A message as its applicant will get it. The text is typed text and shown as text."""

import streamlit as st

from dashboard.components.safe_text import escape


def draw(*, channel: str, recipient: str | None, text: str) -> None:
    """Where it goes, and every word of it."""
    to = escape(recipient) if recipient else "nobody: no contact is known"
    st.caption(f"The applicant gets, by {escape(channel)}, to {to}:")
    with st.container(border=True):
        st.text(text)

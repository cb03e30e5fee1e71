"""A button that copies the text before it; ``static/desk.js`` does it.

Instead of ``st.code``, whose script is larger than those of a page.
"""

import streamlit as st

BUTTON = (
    '<button type="button" class="copies" aria-label="Copy" title="Copy">'
    '<span class="icon" aria-hidden="true">content_copy</span></button>'
)


def button() -> None:
    """Draw the button; the element drawn before it holds the text."""
    st.html(BUTTON, width="content")

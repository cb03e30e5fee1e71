"""The keyboard's ways in, and drafts that outlive a page: what ``static/desk.js`` looks for.

A widget inside `hot` answers to a key while nobody types; a text area inside `draft` is kept
in the browser until `sent` says that it was accepted.
"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.safe_text import escape_html

SCRIPT = "/desk.js"
GO, BACK, SEARCH, HELP = "go", "back", "search", "help"


def bring(person: str) -> None:
    """Bring the script to the page and say whose drafts these are; once a page."""
    st.html(
        f'<script src="{SCRIPT}"></script><span data-person="{escape_html(person)}" hidden></span>',
        unsafe_allow_javascript=True,
    )


def hot(key: str, **look: object) -> DeltaGenerator:
    """A container whose first button or field answers to ``key``.

    One letter or digit, or `GO` (Ctrl+Enter), `BACK` (Escape), `SEARCH` (/), `HELP` (?).
    """
    return st.container(key=f"hot-{key}", **look)  # type: ignore[arg-type]


def draft(form: str) -> DeltaGenerator:
    """A container whose text areas are kept as drafts of ``form``."""
    return st.container(key=f"draft-{form}")


def sent(form: str) -> None:
    """Say that ``form`` was accepted; drawn above the form, so that nothing is put back."""
    st.html(f'<span data-draft-sent="draft-{escape_html(form)}" hidden></span>')

"""The keyboard's ways in, and drafts that outlive a page: what ``static/desk.js`` looks for.

A widget inside `hot` answers to a key while nobody types. A text area inside `draft` is kept in
the browser, for the person named by `bring`, until the form is among those named as sent.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.ui.safe_text import escape_html
from program.review.sending import SEEN_FOR

GO, BACK, SEARCH, HELP = "go", "back", "search", "help"
STATIC = Path(__file__).parents[2] / "static"


def _address_of(script: str) -> str:
    # The mark changes with the script, so that no browser goes on with an older one.
    mark = sha256((STATIC / script).read_bytes()).hexdigest()[:12]
    return f"app/static/{script}?{mark}"


# The second keeps the address true to what is shown: see static/lists.js.
SCRIPTS = "".join(
    f'<script src="{_address_of(name)}"></script>' for name in ("desk.js", "lists.js")
)


def bring(person: str, sent: Iterable[tuple[str, str]] = ()) -> None:
    """Bring the script to the page, and say whose drafts these are; once a page.

    ``sent`` are pairs of a form's name and a token of the sending. The browser drops the
    form's drafts once for each token, so a pair may be given again with every run.
    """
    pairs = " ".join(f"{_as_class(form)}#{token}" for form, token in sent)
    marks = (
        f'data-person="{escape_html(person)}" data-sent="{escape_html(pairs)}" '
        f'data-armed-after="{SEEN_FOR / timedelta(milliseconds=1):.0f}"'
    )
    st.html(
        f"{SCRIPTS}<span {marks} hidden></span>",
        unsafe_allow_javascript=True,
    )


def hot(key: str, **look: object) -> DeltaGenerator:
    """A container whose first field or button answers to ``key``.

    A key is one letter or digit, or `GO` (Ctrl+Enter), `BACK` (Escape), `SEARCH` (/), `HELP` (?).
    """
    return st.container(key=f"hot-{key}", **look)  # type: ignore[arg-type]


def hot_go(form: str, **look: object) -> DeltaGenerator:
    """A container whose button answers to Ctrl+Enter, but only while one types beside it."""
    return st.container(key=f"hot-go-{form}", **look)  # type: ignore[arg-type]


def sends(token: str, *, destroys: bool = False, **look: object) -> DeltaGenerator:
    """A container whose button answers only once it was seen, anew for each ``token``.

    ``destroys`` draws it in red: what it does takes something from somebody.
    """
    kind = "sends-red" if destroys else "sends"
    return st.container(key=f"{kind}-{token}", **look)  # type: ignore[arg-type]


def count_down(left: timedelta) -> None:
    """Seconds that run down in the browser, which hides what holds them when they are over.

    What holds them is a container whose key begins with ``undo``.
    """
    milliseconds = max(left / timedelta(milliseconds=1), 0)
    st.html(f'<span data-leaves-in="{milliseconds:.0f}" aria-live="off"></span>', width="content")


def draft(form: str) -> DeltaGenerator:
    """A container whose text areas are kept as drafts of ``form``.

    Sending ``form`` drops them, and those of every form whose name begins with it and a hyphen.
    """
    return st.container(key=f"draft-{form}")


def _as_class(key: str) -> str:
    """A container's key as Streamlit writes it into the page."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", key)

"""Keyboard access and drafts: markers for ``static/desk.js``.

A widget inside `hot`, or given to `bring`, responds to a key while nobody types. A text area inside
`draft` is stored in the browser, for the person given to `bring`, until the form is listed as sent.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.ui.safe_text import escape_html
from program.review.sending import SEEN_FOR

GO, BACK, SEARCH, HELP = "go", "back", "search", "help"
NO_WIDGETS: Mapping[str, str] = MappingProxyType({})
STATIC = Path(__file__).parents[2] / "static"


def _address_of(script: str) -> str:
    # The hash changes with the script, so that browsers do not use an older one.
    mark = sha256((STATIC / script).read_bytes()).hexdigest()[:12]
    return f"app/static/{script}?{mark}"


# The others keep the address in step with the list, and move a cursor in it: see there.
NAMES = ("desk.js", "lists.js", "rows.js")
SCRIPTS = "".join(f'<script src="{_address_of(name)}"></script>' for name in NAMES)


def bring(
    person: str,
    sent: Iterable[tuple[str, str]] = (),
    *,
    widgets: Mapping[str, str] = NO_WIDGETS,
) -> None:
    """Load the scripts into the page and set the owner of drafts; once per page.

    ``widgets`` respond to a key by themselves: the key by the widget's. ``sent`` are pairs of a
    form's name and a token. The browser drops the form's drafts once per token, so that a pair may
    be repeated in every run.
    """
    pairs = " ".join(f"{_as_class(form)}#{token}" for form, token in sent)
    keys = " ".join(f"{_as_class(widget)}#{key}" for widget, key in widgets.items())
    marks = (
        f'data-keys="{escape_html(keys)}" '
        f'data-person="{escape_html(person)}" data-sent="{escape_html(pairs)}" '
        f'data-armed-after="{SEEN_FOR / timedelta(milliseconds=1):.0f}"'
    )
    st.html(
        f"{SCRIPTS}<span {marks} hidden></span>",
        unsafe_allow_javascript=True,
    )


def hot(key: str, **look: object) -> DeltaGenerator:
    """Return a container whose first field or button responds to ``key``.

    A key is one letter or digit, or `GO` (Ctrl+Enter), `BACK` (Escape), `SEARCH` (/), `HELP` (?).
    """
    return st.container(key=f"hot-{key}", **look)  # type: ignore[arg-type]


def hot_go(form: str, **look: object) -> DeltaGenerator:
    """Return a container whose button responds to Ctrl+Enter, only while typing beside it."""
    return st.container(key=f"hot-go-{form}", **look)  # type: ignore[arg-type]


def sends(token: str, *, destroys: bool = False, **look: object) -> DeltaGenerator:
    """Return a container whose button responds only once it was seen, again for each ``token``.

    ``destroys`` draws it in red: it takes something away from somebody.
    """
    kind = "sends-red" if destroys else "sends"
    return st.container(key=f"{kind}-{token}", **look)  # type: ignore[arg-type]


def count_down(left: timedelta) -> None:
    """Draw seconds that count down in the browser, which then hides their container.

    The container's key begins with ``undo``.
    """
    milliseconds = max(left / timedelta(milliseconds=1), 0)
    st.html(f'<span data-leaves-in="{milliseconds:.0f}" aria-live="off"></span>', width="content")


def draft(form: str) -> DeltaGenerator:
    """Return a container whose text areas are kept as drafts of ``form``.

    Sending ``form`` drops them, and those of every form whose name begins with it and a hyphen.
    """
    return st.container(key=f"draft-{form}")


def _as_class(key: str) -> str:
    """Return a container's key as Streamlit writes it into the page."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", key)

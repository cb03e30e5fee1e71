"""Buttons that send: each sends only what was on the screen before it was pressed.

The browser enables such a button once it was visible for a moment, and not under a pointer that has
rested there since pressing something else (static/desk.js). The server checks the same, by when it
drew what the button sends.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import streamlit as st

from dashboard.forms import submit as form_submit
from dashboard.ui import keyboard, state
from dashboard.ui.state import Sight
from program.review import sending


def drawn_at() -> datetime:
    """Return the time at which something is drawn."""
    return datetime.now(UTC)


def pressed_at() -> datetime:
    """Return the time of the press."""
    return datetime.now(UTC)


def button(
    label: str,
    *,
    form: str,
    key: str,
    act: Callable[..., None],
    args: Sequence[Any] = (),
    sends: object = None,
    destroys: bool = False,
    **look: Any,  # noqa: ANN401 - what st.button takes
) -> None:
    """Draw a button that calls ``act`` with ``args``, if what it sends was seen.

    ``sends`` identifies what is sent: when it changes, the button must be seen again. ``form``
    shows the message after a press that came too early.
    """
    sight = _sight(key, label, sends)
    with keyboard.sends(sight.token, destroys=destroys, width=look.get("width", "content")):
        st.button(label, key=key, on_click=_press, args=[form, sight.at, act, args], **look)


def form_button(
    label: str,
    *,
    form: str,
    key: str,
    act: Callable[..., None],
    args: Sequence[Any] = (),
    **look: Any,  # noqa: ANN401 - what st.form_submit_button takes
) -> None:
    """Draw the same as the submit button of the surrounding `st.form`."""
    sight = _sight(key, label, None)
    with keyboard.sends(sight.token, width=look.get("width", "content")):
        press = [form, sight.at, act, args]
        st.form_submit_button(label, key=key, on_click=_press, args=press, **look)


def show_anew(key: str) -> None:
    """What this button sends is about to be shown for the first time."""
    state.lose_sight(key)


def _sight(key: str, label: str, sends: object) -> Sight:
    face = sha256(repr((label, sends)).encode()).hexdigest()
    return state.sight(key, face, drawn_at())


def _press(form: str, shown_at: datetime, act: Callable[..., None], args: Sequence[Any]) -> None:
    if sending.was_seen(shown_at, pressed_at()):
        act(*args)
    else:
        form_submit.refused(form, sending.LOOK_FIRST)

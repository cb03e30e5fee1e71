"""The fields of a form with several steps: what was typed outlives the step that shows it.

A widget that is not drawn loses its value in Streamlit. So every button of such a form first
holds what the drawn fields contain, and a field that is drawn again begins with that. What
was only filled in, and not edited, is not held: it may change with what it was filled from.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import streamlit as st

from dashboard.ui import state

# Whatever day is typed reaches the verb, whose sentence says what is wrong with it. A field that is
# given bounds keeps its former value, or none, without a word where the day lies outside of them.
ANY_DAY: Any = {"min_value": date(1000, 1, 1), "max_value": date(9999, 12, 31)}


def text(form: str, name: str, label: str, *, filled: str = "", height: int = 90) -> None:
    """A text area; ``filled`` is what stands in it while nobody has edited it.

    Inside `keyboard.hot` it takes the focus when its key is pressed.
    """
    state.hold_before_refill(form, name, filled)
    held = state.held(form).get(name)
    shown = state.drawn_key(form, name) if held is not None else None
    # A field that is on the page stays the same one: another would lose what is being typed.
    variant = "edited" if held is not None else f"{hash(filled):x}-{state.refills(form, name)}"
    key = shown or _key(form, name, variant)
    st.text_area(label, value=filled if held is None else held, key=key, height=height)
    state.draw_field(form, name, key, filled)


def number(
    form: str, name: str, label: str, *, first: float, step: float, on_change: Callable[[], None]
) -> float:
    """A number with two decimals; leaving it calls ``on_change`` after holding it."""
    key = _key(form, name, "")
    value = st.number_input(
        label,
        min_value=0.0,
        max_value=100.0,
        value=state.held(form).get(name, first),
        step=step,
        format="%.2f",
        key=key,
        on_change=on_change,
    )
    state.draw_field(form, name, key, first)
    return float(value)


def choice(
    form: str,
    name: str,
    label: str,
    options: Sequence[str],
    *,
    first: str,
    words: Callable[[str], str],
) -> str:
    """One of several; ``first`` until somebody chooses another."""
    key = _key(form, name, first)
    now = state.held(form).get(name, first)
    chosen = st.selectbox(
        label, options, index=list(options).index(now), format_func=words, key=key
    )
    state.draw_field(form, name, key, first)
    return str(chosen)


def day(form: str, name: str, label: str, *, first: date | None) -> date | None:
    """A day, or none; whether it can be one is for the verb to say."""
    key = _key(form, name, str(first))
    now = state.held(form).get(name, first)
    chosen: date | None = st.date_input(label, value=now, format="YYYY-MM-DD", key=key, **ANY_DAY)
    state.draw_field(form, name, key, first)
    return chosen


def flag(form: str, name: str, label: str, *, first: bool) -> None:
    """A box to tick; ``first`` until somebody changes it."""
    key = _key(form, name, str(first))
    st.checkbox(label, value=state.held(form).get(name, first), key=key)
    state.draw_field(form, name, key, first)


def refill(form: str, *names: str) -> None:
    """Fill these fields anew, whatever was made of them."""
    for name in names:
        state.let_go(form, name)


def is_edited(form: str, name: str) -> bool:
    """Whether somebody made something else of what the field was filled with."""
    return name in state.held(form)


def value(form: str, name: str, otherwise: Any = "") -> Any:  # noqa: ANN401 - whatever the field holds
    """What the field held at the last press of a button, or ``otherwise``."""
    return state.held(form).get(name, otherwise)


def _key(form: str, name: str, variant: str) -> str:
    return f"{state.form_key(form, name)}-{variant}"

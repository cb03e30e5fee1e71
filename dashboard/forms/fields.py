"""Fields of forms with several steps: typed values outlive the step that shows them.

Streamlit drops the value of a widget that is not drawn. So every button of such a form first stores
the values of the drawn fields, and a field that is drawn again starts with its stored value.
Prefilled text that was not edited is not stored, since it may change with its source.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import streamlit as st

from dashboard.ui import state

# Any day reaches the verb, whose refusal says what is wrong with it. With bounds, Streamlit would
# silently keep the former value, or none, for a day out of range.
ANY_DAY: Any = {"min_value": date(1000, 1, 1), "max_value": date(9999, 12, 31)}


def text(form: str, name: str, label: str, *, filled: str = "", height: int = 90) -> None:
    """Draw a text area; ``filled`` is its content until somebody edits it.

    Inside `keyboard.hot` its key focuses it.
    """
    state.hold_before_refill(form, name, filled)
    held = state.held(form).get(name)
    shown = state.drawn_key(form, name) if held is not None else None
    # A field on the page keeps its widget: another would lose what is being typed.
    variant = "edited" if held is not None else f"{hash(filled):x}-{state.refills(form, name)}"
    key = shown or _key(form, name, variant)
    st.text_area(label, value=filled if held is None else held, key=key, height=height)
    state.draw_field(form, name, key, filled)


def number(form: str, name: str, label: str, *, first: str, on_change: Callable[[], None]) -> str:
    """Draw a number as text, which the caller reads; on a change, store it and call ``on_change``.

    A browser's own field for numbers drops commas and cuts at points: 2,5 would be 25, 5.000 be 5.
    """
    key = _key(form, name, "")
    typed = st.text_input(
        label, value=state.held(form).get(name, first), key=key, on_change=on_change
    )
    state.draw_field(form, name, key, first)
    return typed


def choice(
    form: str,
    name: str,
    label: str,
    options: Sequence[str],
    *,
    first: str,
    words: Callable[[str], str],
) -> str:
    """Draw a choice; ``first`` is selected until somebody chooses another."""
    key = _key(form, name, first)
    now = state.held(form).get(name, first)
    chosen = st.selectbox(
        label, options, index=list(options).index(now), format_func=words, key=key
    )
    state.draw_field(form, name, key, first)
    return str(chosen)


def day(form: str, name: str, label: str, *, first: date | None) -> date | None:
    """Draw a day, or none; the verb validates it."""
    key = _key(form, name, str(first))
    now = state.held(form).get(name, first)
    chosen: date | None = st.date_input(label, value=now, format="YYYY-MM-DD", key=key, **ANY_DAY)
    state.draw_field(form, name, key, first)
    return chosen


def flag(form: str, name: str, label: str, *, first: bool) -> None:
    """Draw a checkbox; ``first`` is its state until somebody changes it."""
    key = _key(form, name, str(first))
    st.checkbox(label, value=state.held(form).get(name, first), key=key)
    state.draw_field(form, name, key, first)


def refill(form: str, *names: str) -> None:
    """Fill these fields again, discarding edits."""
    for name in names:
        state.let_go(form, name)


def is_edited(form: str, name: str) -> bool:
    """Whether the field's prefilled content was edited."""
    return name in state.held(form)


def value(form: str, name: str, otherwise: Any = "") -> Any:  # noqa: ANN401 - whatever the field holds
    """Return the field's value at the last press of a button, or ``otherwise``."""
    return state.held(form).get(name, otherwise)


def _key(form: str, name: str, variant: str) -> str:
    return f"{state.form_key(form, name)}-{variant}"

"""The course of a figure as a small area, from zero: twice the height is twice the value.

Drawn by the style sheet alone. A figure's words say what it
shows, so it has none of its own.
"""

from collections.abc import Sequence

import streamlit as st

from dashboard.ui.safe_text import escape_html


def draw(values: Sequence[float], *, of: str) -> None:
    """Draw the values evenly from left to right, if they are more than one and not all zero.

    ``of`` names the figure.
    """
    if len(values) > 1 and any(values):
        st.html(
            f'<div class="sparkline" aria-hidden="true" data-of="{escape_html(of)}" '
            f'style="clip-path: polygon({corners(values)})"></div>'
        )


def corners(values: Sequence[float]) -> str:
    """Return the corners of the area between zero and the values, in percent of its box."""
    least, most = min(0, *values), max(0, *values)
    last = len(values) - 1

    def place(number: int, value: float) -> str:
        return f"{100 * number / last:.2f}% {100 * (most - value) / (most - least):.2f}%"

    tops = (place(number, value) for number, value in enumerate(values))
    return ", ".join([place(0, 0), *tops, place(last, 0)])

"""Popovers whose content is drawn once somebody opens them."""

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from dashboard.ui import state


def draw(
    label: str,
    content: Callable[[], None],
    *,
    key: str,
    height: int = 0,
    before: Callable[..., object] | Literal["rerun"] = "rerun",
    keeps: bool = True,
    **look: Any,  # noqa: ANN401 - what st.popover takes
) -> None:
    """Draw a button that opens ``content``; ``before`` is called when it is opened or closed.

    Once opened, it is drawn with every run, so that what was typed in it is kept; one in which
    nobody types, without ``keeps``, only while it is open. With a key that names a form's request,
    it is a new, closed one after use. ``height`` is about the content's, in pixels: the browser
    looks for room when it opens, before the content is there. Near the top of the page, where
    there is room, it can be left out.
    """
    popover = st.popover(label, key=key, on_change=before, **look)
    place = f"opened-{key}"
    if popover.open and keeps:
        state.keep(place, value=True)
    with popover:
        if popover.open or state.kept(place):
            content()
        elif height:
            st.skeleton(height)

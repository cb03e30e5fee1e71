"""Parts of a page that are drawn once the rest can be used.

The browser asks for them when it has painted the page: a button that `static/desk.js` presses.
"""

import streamlit as st

from dashboard.ui import state

HOLDER = "later"


def is_due(part: str, *, label: str) -> bool:
    """Whether the browser has asked for this part; draws the button until it has.

    A part that was asked for is drawn at once from then on, until another one is. Without scripts
    people press the button, which shows ``label`` after a moment.
    """
    if state.kept(HOLDER) == part:
        return True
    with st.container(key=HOLDER):
        st.button(
            label, key=f"{HOLDER}-{part}", type="tertiary", on_click=state.keep, args=[HOLDER, part]
        )
    return False

"""What changed since a decision form was started, shown beside the form."""

import streamlit as st

from dashboard.pages.application.decide import then_and_now
from dashboard.ui import state
from dashboard.ui.safe_text import escape
from data_access.review.opening import Opened
from program.policy import viewed


def draw(shown: Opened) -> None:
    """Show what changed since the form was started; continuing accepts it."""
    first = state.kept(_place(shown.id_))
    if first is None:
        state.keep(_place(shown.id_), shown.viewed_facts)
        return
    differs = viewed.compare(first, shown.viewed_facts, shown.standing.policy)
    if differs.changed:
        listed = "; ".join(str(change) for change in differs.changed)
        st.warning(f"Changed since you began: {escape(listed)}.", icon=":material/sync_problem:")
    if differs.moved:
        word = "Moved since you looked" + ("" if differs.changed else "; no result changed")
        st.info(f"{word}.", icon=":material/trending_up:")
        then_and_now.draw(differs.moved, then="Then", now="Now")


def forget(id_: int) -> None:
    """Let the next form start from what is shown then."""
    state.forget(_place(id_))


def _place(id_: int) -> str:
    return f"seen-{id_}"

"""News since the queue was drawn: nothing moves until the person asks for it."""

import streamlit as st


def draw(words: str) -> None:
    """Draw a floating note, and the button to refresh."""
    with st.container(key="queue-news", horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/notifications: {words}", width="content")
        st.button("Show", key="show-news", type="tertiary", on_click=st.rerun)


def words(arrived: int, decided: int, changed: int) -> str:
    """Format ``3 new · 2 decided``; ``changed`` are those that colleagues took or set aside."""
    counts = ((arrived, "new"), (decided, "decided"), (changed, "changed"))
    return " · ".join(f"{number:,} {word}" for number, word in counts if number)

"""What happened while somebody looked, beside the work: nothing moves until they say so."""

import streamlit as st


def draw(words: str) -> None:
    """A note that floats in the corner, and the way to see it."""
    with st.container(key="queue-news", horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/notifications: {words}", width="content")
        st.button("Show", key="show-news", type="tertiary", on_click=st.rerun)


def words(arrived: int, decided: int, changed: int) -> str:
    """``3 new · 2 decided``; what colleagues took or set aside is ``changed``."""
    told = ((arrived, "new"), (decided, "decided"), (changed, "changed"))
    return " · ".join(f"{number:,} {word}" for number, word in told if number)

"""The line that says where figures are read, if there is a replica."""

import streamlit as st

from data_access.db import database


def note() -> None:
    """Draw how far the replica is behind, or why the database is read instead."""
    found = database.replica()
    if found is None:
        return
    if found.obstacle is None:
        st.caption(found.sentence)
    else:
        st.badge(found.sentence, icon=":material/warning:", color="orange")

"""Choices that many people ask for and that may be a minute old. Never anything decided."""

import streamlit as st

from data_access import database, queue
from program.queue import Filters

FRESH_FOR = "60s"


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def pending_countries() -> list[str]:
    """The countries among pending applicants."""
    with database.reader().connect() as connection:
        return queue.countries(connection)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def pending_platforms() -> list[str]:
    """The social platforms among pending applications that the address bar can hold."""
    with database.reader().connect() as connection:
        found = queue.platforms(connection)
    return [name for name in found if Filters.from_query({"platform": name}).platform == name]

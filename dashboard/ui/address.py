"""The query parameters of the current page."""

from collections.abc import Collection, Mapping

import streamlit as st


def read(names: Collection[str]) -> dict[str, str]:
    """Return the page's query parameters, and remove unknown ones from the address.

    A link that was edited by hand or is from an older version may have another page's parameters.
    """
    query = st.query_params.to_dict()
    known = {name: text for name, text in query.items() if name in names}
    if known != query:
        st.query_params.from_dict(known)
    return known


def write(query: Mapping[str, str]) -> None:
    """Set the query parameters; the next run shows them."""
    st.query_params.from_dict(dict(query))

"""The address of the page that is shown: what its view asks for, and nothing else."""

from collections.abc import Collection, Mapping

import streamlit as st


def read(names: Collection[str]) -> dict[str, str]:
    """What the address asks of this page; what the page does not know is taken out of it.

    A link somebody mended by hand, or an older version's, may carry another page's words.
    """
    asked = st.query_params.to_dict()
    known = {name: text for name, text in asked.items() if name in names}
    if known != asked:
        st.query_params.from_dict(known)
    return known


def write(query: Mapping[str, str]) -> None:
    """Let the address name what is to be shown; the run that follows shows it."""
    st.query_params.from_dict(dict(query))

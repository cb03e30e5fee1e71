"""Addresses of the dashboard, and the query parameters of the current page."""

from collections.abc import Collection, Mapping

import streamlit as st


def base() -> str:
    """Return the path below which the dashboard is served, such as ``/review``; "" at the root."""
    path = st.get_option("server.baseUrlPath").strip("/")
    return f"/{path}" if path else ""


def of(path: str) -> str:
    """Return the address of a path of ours, which begins with a slash, for links and redirects."""
    return base() + path


def within(address: str) -> str | None:
    """Return the path of ours at this address; ``None`` if it is not below the base."""
    path = address.removeprefix(base())
    is_ours = address.startswith(base()) and path[:1] in ("", "/")
    return path if is_ours else None


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

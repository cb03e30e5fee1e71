"""Choices, counts and names that many pages need, which may be a minute old. Never decisions."""

from collections.abc import Mapping
from datetime import UTC, datetime

import streamlit as st

from data_access.db import database
from data_access.eligibility import judging
from data_access.explore import queries
from data_access.people import staff
from data_access.queue import listing
from program.reports.datasets import BY_KEY
from program.review.queue_filters import Filters

FRESH_FOR = "60s"
Query = tuple[tuple[str, str], ...]


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def pending_countries() -> list[str]:
    """Return the countries of pending applicants."""
    with database.reading(database.reader()) as connection:
        return listing.countries(connection)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def pending_platforms() -> dict[str, str]:
    """Return the social platforms of pending applications: a label by key."""
    with database.reading(database.reader()) as connection:
        return listing.platforms(connection)


def counted(filters: Filters) -> int:
    """Return how many applications a view has."""
    return _counted(_query(filters.to_query()), filters.viewer)


def count_anew() -> None:
    """Clear the counts, for a person who just changed many of them."""
    _counted.clear()


# The viewer is part of the key, since "mine" depends on it.
@st.cache_data(ttl=FRESH_FOR, show_spinner=False, max_entries=2_000)
def _counted(query: Query, viewer: str) -> int:
    filters = Filters.from_query(dict(query)).for_viewer(viewer)
    with database.reading(database.reader()) as connection:
        return listing.count(
            connection, filters, judging.read_context(connection, now=datetime.now(UTC))
        )


def _query(spoken: Mapping[str, str]) -> Query:
    # Order and page do not change the number.
    return tuple(sorted((k, v) for k, v in spoken.items() if k not in ("sort", "page")))


def named(actor: str) -> str:
    """Return the name of somebody who is or was on the staff, or what is not one as it is."""
    return names().get(actor, actor)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def names() -> dict[str, str]:
    """Return the names of everybody who is or was on the staff, by address."""
    with database.reading(database.reader()) as connection:
        return staff.names(connection)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def explored(dataset: str, column: str) -> dict[str, str]:
    """Return the choices of a dataset's column with labels, most frequent first.

    Empty if that takes too long.
    """
    with database.reading(database.reader()) as connection:
        context = judging.read_context(connection, now=datetime.now(UTC))
        return queries.choices(connection, BY_KEY[dataset], context, column)

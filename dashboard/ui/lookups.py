"""Choices and counts that many ask for and that may be a minute old. Never anything decided."""

from collections.abc import Mapping
from datetime import UTC, datetime

import streamlit as st

from data_access.db import database
from data_access.eligibility import judging
from data_access.explore import queries
from data_access.queue import listing
from program.reports.datasets import BY_KEY
from program.review.queue_filters import Filters

FRESH_FOR = "60s"
Query = tuple[tuple[str, str], ...]


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def pending_countries() -> list[str]:
    """The countries among pending applicants."""
    with database.reading(database.reader()) as connection:
        return listing.countries(connection)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def pending_platforms() -> dict[str, str]:
    """The social platforms among pending applications: a label by key."""
    with database.reading(database.reader()) as connection:
        return listing.platforms(connection)


def counted(filters: Filters) -> int:
    """How many applications a view holds."""
    return _counted(_query(filters.to_query()), filters.viewer)


def count_anew() -> None:
    """Forget the counts, for somebody who just changed many of them."""
    _counted.clear()


# The viewer is part of what is asked: "mine" is somebody else's for everybody.
@st.cache_data(ttl=FRESH_FOR, show_spinner=False, max_entries=2_000)
def _counted(query: Query, viewer: str) -> int:
    filters = Filters.from_query(dict(query)).seen_by(viewer)
    with database.reading(database.reader()) as connection:
        return listing.count(connection, filters, judging.basis(connection, now=datetime.now(UTC)))


def _query(spoken: Mapping[str, str]) -> Query:
    # Order and page change nothing about how many there are.
    return tuple(sorted((k, v) for k, v in spoken.items() if k not in ("sort", "page")))


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def explored(dataset: str, column: str) -> dict[str, str]:
    """What can be chosen in a column of a dataset, most often first, with its label.

    Empty where that takes too long.
    """
    with database.reading(database.reader()) as connection:
        context = judging.basis(connection, now=datetime.now(UTC))
        return queries.choices(connection, BY_KEY[dataset], context, column)

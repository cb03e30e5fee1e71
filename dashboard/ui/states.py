"""Other states of a screen: empty, stale, refused, unavailable, broken; each with a way on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import uuid4

import streamlit as st

from dashboard.ui import figures
from dashboard.ui.safe_text import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOn:
    """Where to go from here: a page's file and its query."""

    label: str
    page: str
    query: Mapping[str, str] | None = None
    icon: str = ":material/arrow_forward:"


def empty(sentence: str, way_on: WayOn | None = None) -> None:
    """Show that there is nothing. The sentence is the product's own, never typed text."""
    _panel(":material/inbox:", sentence, way_on)


def refused(sentence: str, way_on: WayOn | None = None) -> None:
    """Show that the request is refused."""
    _panel(":material/lock:", sentence, way_on)


def unavailable(sentence: str) -> None:
    """Show that the database is busy or unavailable, with a button to retry."""
    with _frame(":material/hourglass_empty:", sentence):
        # Any press reruns this page or fragment, which is all that is needed.
        st.button("Retry", key=f"retry-{uuid4().hex}", icon=":material/refresh:")


def broken(reference: str) -> None:
    """Show an unexpected error; the reference finds it in the log."""
    _panel(":material/error:", failed(reference), None)


def failed(reference: str) -> str:
    """Return the sentence for an unexpected error, with its reference in the log."""
    return (
        f"Something went wrong. Reference {reference}. Nothing that was confirmed is lost. "
        "Reload the page; if it happens again, tell an administrator the reference."
    )


def left_out(sentence: str, *, shown: str = "The list is shown without it.") -> None:
    """Show which parts of the address are ignored; nothing if the sentence is empty."""
    if sentence:
        st.warning(f"{escape(sentence)} {shown}", icon=":material/info:")


def stale(data_through: date | None, *, today: date) -> None:
    """Warn that metrics are old or were never computed; nothing if they are fresh."""
    sentence = stale_words(data_through, today=today)
    if sentence is not None:
        st.warning(sentence, icon=":material/schedule:")


def stale_words(data_through: date | None, *, today: date) -> str | None:
    """Return the text of :func:`stale`; ``None`` while the data reach yesterday.

    ``today`` is the current UTC day, which is not complete yet.
    """
    if data_through is None:
        return (
            "Metrics have never been computed, so eligibility is unknown. "
            "Run `python -m data_access refresh`."
        )
    missing = (today - timedelta(days=1) - data_through).days
    if missing <= 0:
        return None
    behind = "one day" if missing == 1 else f"{missing:,} days"
    return (
        f"Metrics end with {figures.day(data_through, year=True)}, {behind} behind; "
        "eligibility is provisional."
    )


def _panel(icon: str, sentence: str, way_on: WayOn | None) -> None:
    with _frame(icon, sentence):
        if way_on is not None:
            query = dict(way_on.query) if way_on.query else None
            st.page_link(way_on.page, label=way_on.label, icon=way_on.icon, query_params=query)


@contextmanager
def _frame(icon: str, sentence: str) -> Iterator[None]:
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.markdown(icon, text_alignment="center")
        st.markdown(sentence, text_alignment="center")
        yield

"""The line on every screen: the data-through day and the window."""

from datetime import date, timedelta

import streamlit as st

from dashboard.ui import figures, state
from data_access.eligibility.freshness import Freshness
from program.periods import Window

SHOWN = "freshness-shown"


def freshness_words(data_through: date | None, window: Window | None) -> str:
    """Format ``data through 22 Nov · 30 days · UTC``, or that nothing was computed."""
    if data_through is None or window is None:
        return "metrics never computed"
    length = f"{window.days} days"
    if window.last_day != data_through:
        length = figures.day_range(window.start, window.last_day)
    return f"data through {figures.day(data_through)} · {length} · UTC"


def counted_words(newest: Freshness | None) -> str:
    """Return over which days the figures count."""
    if newest is None:
        return "Metrics were never computed, so eligibility is unknown."
    days = figures.day_range(newest.window.start, newest.window.last_day)
    return f"Volume, active and new users count the UTC days {days}, both included."


def is_shown(fresh: Freshness) -> bool:
    """Whether the line on the screen is about this refresh."""
    shown: int | None = state.kept(SHOWN)
    return shown == fresh.refresh_id


def freshness_line(newest: Freshness | None, *, today: date) -> None:
    """Draw the line: quiet if the data reach yesterday, prominent otherwise.

    ``today`` is the current UTC day.
    """
    state.keep(SHOWN, newest.refresh_id if newest else None)
    data_through = newest.data_through if newest else None
    window = newest.window if newest else None
    words = freshness_words(data_through, window)
    if data_through is None or data_through < today - timedelta(days=1):
        st.badge(words, icon=":material/warning:", color="orange")
        return
    st.caption(words, width="content")

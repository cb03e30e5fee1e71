"""Possible duplicates: earlier applications, and others with the same handle or contact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard.ui import badges, figures
from dashboard.ui.safe_text import escape
from program.review.workflow import Status

SHOWN_AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another application. ``name`` and ``more`` may hold typed text; ``how`` is our word.

    ``settled_at`` is when it was decided or withdrawn; ``None`` while it is pending.
    """

    application_id: int
    name: str
    how: str
    status: Status
    submitted_at: datetime
    settled_at: datetime | None
    more: str = ""


def draw(
    title: str, others: Sequence[Other], *, total: str, on_open: Callable[[int], None]
) -> None:
    """Draw one line per application, each with a link; only the first few at once."""
    st.markdown(f"**{title}** · {total}")
    for other in others[:SHOWN_AT_ONCE]:
        _draw_line(other, on_open)
    rest = others[SHOWN_AT_ONCE:]
    if rest:
        with st.expander(f"{len(rest):,} more", type="compact"):
            for other in rest:
                _draw_line(other, on_open)


def _draw_line(other: Other, on_open: Callable[[int], None]) -> None:
    look = badges.STATUSES[other.status]
    days = f"submitted {figures.day(other.submitted_at.date(), year=True)}"
    if other.settled_at is not None:
        days = f"{figures.day(other.settled_at.date(), year=True)} · {days}"
    with st.container(gap=None):
        st.button(
            f"**{escape(other.name)}** · {other.how} · "
            f":{look.colour}[{look.icon} {look.word}] :gray[· {days}]",
            key=f"other-{other.application_id}",
            type="tertiary",
            wrap=True,
            on_click=on_open,
            args=[other.application_id],
        )
        if other.more:
            st.caption(escape(other.more))

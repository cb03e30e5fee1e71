"""Who else an applicant may be: earlier applications, and others with the same handle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard.components import figures
from dashboard.components.safe_text import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another application. ``name`` is typed text; ``how`` says what links them."""

    application_id: int
    name: str
    how: str
    status: str
    submitted_at: datetime
    more: str = ""


def draw(
    title: str, others: Sequence[Other], *, total: str, on_open: Callable[[int], None]
) -> None:
    """One line an application, each a way to it."""
    st.markdown(f"**{title}** · {total}")
    for other in others:
        with st.container(gap=None):
            st.button(
                f"{escape(other.name)} · {other.how} · {other.status}",
                key=f"other-{title[:5]}-{other.application_id}",
                type="tertiary",
                on_click=on_open,
                args=[other.application_id],
            )
            st.caption(
                f"{other.application_id} · {figures.day(other.submitted_at.date(), year=True)}"
                + (f" · {escape(other.more)}" if other.more else "")
            )

"""The head of an application's page: navigation, name, status and owner."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.forms import taking_next
from dashboard.pages.application import claim
from dashboard.ui import badges, due, figures, navigation, shortcuts
from dashboard.ui.safe_text import escape
from dashboard.ui.shortcuts import Shortcut
from data_access.queue import rows
from data_access.review.opening import Opened
from program.review.permissions import Act
from program.review.priority import HIGHEST, Priority
from program.review.workflow import STATUS_WORDS, Status
from program.risk.judging import NOT_MEASURED

QUEUE = "dashboard/pages/queue/page.py"


def draw(shown: Opened) -> DeltaGenerator:
    """Draw two lines: where to go from here, and the application.

    Returns the place in the first that is reserved for other viewers.
    """
    line: dict[str, Any] = {"horizontal": True, "vertical_alignment": "center"}
    with st.container(key="application-head", gap="xsmall"):
        with st.container(key="application-way", **line):
            _draw_way(shown)
            free = st.container(width="stretch", gap=None)
            _draw_way_on(shown)
        with st.container(key="application-standing", **line):
            st.subheader(escape(shown.application.username), anchor=False, width="content")
            _draw_standing(shown)
            st.space("stretch")
            claim.draw(shown)
        claim.draw_answer(shown)
    return free


def _draw_way(shown: Opened) -> None:
    place, filters = shown.place, shown.filters
    st.page_link(
        QUEUE,
        label=f"Queue {place.total:,}",
        icon=":material/arrow_back:",
        query_params=filters.to_query(),
    )
    if place.position is not None:
        st.caption(f"{place.position:,} of {place.total:,}", width="content")
    elif filters.narrows:
        st.caption("not in this view", width="content")
    _step(shown, "Previous", shortcuts.PREVIOUS, place.previous_id)
    _step(shown, "Next", shortcuts.NEXT, place.next_id)


def _draw_way_on(shown: Opened) -> None:
    if shown.person.may(Act.CLAIM):
        taking_next.draw("Claim next", shortcuts.TAKE_NEXT_HERE, shown.person)


def _step(shown: Opened, label: str, shortcut: Shortcut, id_: int | None) -> None:
    st.button(
        label,
        key=shortcut.widget,
        type="tertiary",
        help=f"Key {shortcut.key}",
        disabled=id_ is None,
        on_click=navigation.open_one,
        args=[id_, shown.filters],
    )


def _draw_standing(shown: Opened) -> None:
    application, assessment = shown.application, shown.standing.assessment
    badges.status_badge(application.status, detail=_status_detail(shown))
    badges.outcome_badge(
        assessment.outcome, track=assessment.track, provisional=shown.is_provisional
    )
    if application.status.upstream is Status.PENDING:
        _draw_clock(shown)
        _draw_priority(
            rows.priority_of(
                shown.standing.facts,
                assessment,
                shown.application.desk,
                shown.context,
                shown.risk.risk.headline if shown.risk else NOT_MEASURED,
            )
        )


def _status_detail(shown: Opened) -> str:
    """Format for how long, or until when."""
    application, now = shown.application, shown.now
    if application.status is Status.PENDING:
        return figures.waiting(now - application.submitted_at)
    if application.status is Status.DEFERRED and application.desk.deferred_until:
        return f"until {figures.day(application.desk.deferred_until.date())}"
    if application.status.upstream is Status.PENDING and application.desk.status_at:
        return figures.waiting(now - application.desk.status_at)
    return ""


def _draw_clock(shown: Opened) -> None:
    due_at, holidays = rows.due_at(shown.application.desk, shown.context), shown.context.holidays
    badge = due.badge(due_at, status=shown.application.status, now=shown.now)
    help_ = f"Due {figures.moment(due_at)}; business days of 24 hours."
    if badge is due.PAUSED:
        word = STATUS_WORDS[Status.MORE_INFO_NEEDED]
        help_ = f"The review clock is stopped: {word}."
    st.badge(
        due.sentence(due_at, status=shown.application.status, now=shown.now, holidays=holidays),
        icon=badge.icon,
        color=badge.color,
        help=help_,
    )


def _draw_priority(priority: Priority) -> None:
    """Draw the total as a button that opens the parts."""
    with st.popover(f"priority {priority.total}", type="tertiary"):
        st.markdown(_priority_words(priority))


def _priority_words(priority: Priority) -> str:
    """Return the parts as a Markdown table, without typed text."""
    if not priority.parts:
        return "No points yet."
    lines = ["| points | at most | for |", "|--:|--:|:--|"]
    lines += [
        f"| **{part.points}** | {part.component.cap} | {part.sentence} |" for part in priority.parts
    ]
    added = sum(part.points for part in priority.parts)
    total = f"| **{priority.total}** | {HIGHEST} | together |"
    if added > priority.total:
        total = f"| **{priority.total}** | {HIGHEST} | together, of {added} |"
    return "\n".join([*lines, total])

"""One application: applicant, status, facts, and decision."""

from collections.abc import Callable

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.application import checklist as application_checklist
from dashboard.pages.application import duplicates as application_duplicates
from dashboard.pages.application import (
    evidence,
    header,
    live,
    loading,
    referred_users,
    risk,
    thread,
    trend,
)
from dashboard.pages.application import facts as application_facts
from dashboard.pages.application.decide import panel, reopen, unsent_text
from dashboard.shell import failures, sign_in
from dashboard.ui import address, states
from data_access.applications import read
from data_access.db import database
from data_access.db.errors import NotFound
from data_access.review import opening
from data_access.review.opening import Opened
from program.review.permissions import Act
from program.review.queue_filters import QUERY_NAMES, Filters
from program.review.workflow import OPEN_STATUSES

QUEUE = "dashboard/pages/queue/page.py"
# Query parameters: the view it is opened from, its id, and the thread's filter.
KNOWN = (*QUERY_NAMES, "id", thread.FILTER)


def main() -> None:
    """Load, then draw: what the decision rests on first, the charts last."""
    person = sign_in.require(Act.READ)
    query = address.read(KNOWN)
    filters = Filters.from_query(query).for_viewer(person.email)
    id_ = read.possible_id(query.get("id", ""))
    if id_ is None:
        refuse("The address does not name an application.", filters)
        return
    try:
        shown = loading.load(id_, filters, person)
    except NotFound as refusal:
        refuse(str(refusal), filters)
        return
    draw(shown)


def refuse(sentence: str, filters: Filters) -> None:
    """Show why there is nothing to show, with a link to the queue."""
    states.refused(
        sentence, states.WayOn(label="Back to the queue", page=QUEUE, query=filters.to_query())
    )


def draw(shown: Opened) -> None:
    """Draw the head and three columns: the applicant, what to judge, and what to do."""
    free = header.draw(shown)
    with st.container(key="desk"):
        facts, judging, acting = st.columns([1.05, 1.35, 1], gap="medium")
    with judging:
        application_facts.draw_scorecard(shown)
        risk.draw(shown)
    with acting:
        application_duplicates.draw(shown)
        draw_decision(shown)
    with judging:
        draw_alone(application_checklist.draw, shown)
        draw_alone(evidence.draw, shown)
        thread.draw(shown)
    with facts:
        application_facts.draw_who(shown)
        draw_trends(shown)
    with free:
        live.draw(shown)
    submit.prepare_flash()


@st.fragment
def draw_trends(shown: Opened) -> None:
    """Read and draw the charts and the referred users, which no decision waits for.

    A fragment: another figure or grain redraws nothing else.
    """
    sign_in.require_same(shown.person)
    with database.reading(database.reader()) as connection:
        trends = opening.read_trends(connection, shown)
    trend.draw(shown, trends)
    referred_users.draw(shown, trends.users)


@st.fragment
def draw_alone(part: Callable[[Opened], None], shown: Opened) -> None:
    """Draw a part of the page. A fragment, so that a step in it redraws nothing else.

    It reads again what is true now, as a run of the whole page does. What fails in a fragment does
    not reach the frame of the page.
    """
    with failures.unavailable_is_shown():
        part(loading.current(shown))


def draw_decision(shown: Opened) -> None:
    """Draw the decision panel or the decision; and earlier decisions if it was reopened."""
    with st.container(border=True, gap="small", key="decision"):
        draw_alone(draw_panel, shown)
    if shown.application.status in OPEN_STATUSES:
        reopen.draw_earlier(shown.decisions, shown.named)


def draw_panel(shown: Opened) -> None:
    """Draw the decision panel or the decision, and what was typed before somebody decided."""
    panel.draw(shown)
    if shown.application.status not in OPEN_STATUSES:
        unsent_text.draw(shown, but=["reopen"])


main()

"""One application: applicant, status, facts, and decision."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.application import checklist as application_checklist
from dashboard.pages.application import duplicates as application_duplicates
from dashboard.pages.application import evidence, header, live, thread, trend
from dashboard.pages.application import facts as application_facts
from dashboard.pages.application.context import Shown
from dashboard.pages.application.decide import panel, reopen, unsent_text
from dashboard.shell import sign_in
from dashboard.ui import address, states
from data_access.applications import decision_history, read
from data_access.applications.read import EarlierApplication
from data_access.db import database
from data_access.db.errors import NotFound, Refusal
from data_access.eligibility import assessments
from data_access.eligibility import judging as eligibility_judging
from data_access.eligibility.judging import JudgingContext
from data_access.people import staff
from data_access.people.staff import Person
from data_access.queue import order_cache
from data_access.review import (
    checklist,
    claims,
    conflicts,
    deferrals,
    duplicates,
    information_requests,
    presence,
    proposals,
    timeline,
    trends,
)
from data_access.review.duplicates import Connections
from data_access.review.timeline import TimelineEntry
from data_access.review.trends import Point, ReferredUser
from program.periods import Window, month_start, months_later
from program.review.permissions import Act
from program.review.queue_filters import QUERY_NAMES, Filters
from program.review.workflow import OPEN_STATUSES

QUEUE = "dashboard/pages/queue/page.py"
# Query parameters: the view it is opened from, its id, and the thread's filter.
KNOWN = (*QUERY_NAMES, "id", thread.FILTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All data of the page, read in one transaction for consistency.

    ``others_wrote`` is the number of colleagues' entries on the thread, for telling what is new.
    """

    shown: Shown
    earlier: list[EarlierApplication]
    connections: Connections
    colleagues: list[Person]
    entries: list[TimelineEntry]
    others_wrote: int
    days: list[Point]
    months: list[Point]
    users: list[ReferredUser]


def main() -> None:
    """Load, then draw: what the decision rests on first, the slow chart last."""
    person = sign_in.require(Act.READ)
    query = address.read(KNOWN)
    filters = Filters.from_query(query).for_viewer(person.email)
    id_ = read.possible_id(query.get("id", ""))
    if id_ is None:
        refuse("The address does not name an application.", filters)
        return
    now = datetime.now(UTC)
    try:
        page = load(id_, filters, person, now)
    except NotFound as refusal:
        refuse(str(refusal), filters)
        return
    stay(id_, person, now)
    submit.draw_flash()
    draw(page)


def load(id_: int, filters: Filters, person: Person, now: datetime) -> Loaded:
    """Read everything; raises NotFound."""
    with database.reading(database.reader()) as connection:
        context = eligibility_judging.read_context(connection, now=now)
        application = read.read(connection, id_, now=now)
        span, since, window = spans(context, now)
        account = application.account_id
        shown = Shown(
            application=application,
            standing=assessments.read(connection, id_, context),
            context=context,
            decisions=decision_history.history(connection, id_),
            proposal=proposals.waiting(connection, id_),
            lapsed=proposals.lapsed(connection, application),
            question=information_requests.question(connection, application),
            deferred_because=deferrals.reason(connection, application),
            checks=checklist.answers(connection, id_),
            conflict=conflicts.refusal(connection, application, person.email),
            place=order_cache.place(connection, id_, filters, context),
            filters=filters,
            person=person,
            now=now,
        )
        return Loaded(
            shown=shown,
            earlier=read.others_of_account(connection, application),
            connections=duplicates.of(connection, application, now=now),
            colleagues=[p for p in staff.everyone(connection) if p.may(Act.CLAIM)],
            entries=timeline.read(connection, application),
            others_wrote=presence.others_wrote(connection, id_, viewer=person.email),
            days=trends.daily(connection, account, span),
            months=trends.monthly(connection, account, since=since),
            users=trends.top_referred_users(connection, account, window),
        )


def spans(context: JudgingContext, now: datetime) -> tuple[Window, date, Window]:
    """Return the days and months of the charts, and the window of the metrics."""
    if context.freshness is None:
        end = now.date()
        window = Window(end - timedelta(days=30), end)
    else:
        end = context.freshness.data_through + timedelta(days=1)
        window = context.freshness.window
    first = min(end - timedelta(days=trend.DAYS_SHOWN), window.start)
    since = months_later(month_start(window.last_day), 1 - trend.MONTHS_SHOWN)
    return Window(first, end), since, window


def stay(id_: int, person: Person, now: datetime) -> None:
    """Renew the person's claim and show colleagues that they are viewing."""
    try:
        submit.write(claims.stay, application_id=id_, actor=person.email, now=now)
    except Refusal:
        # Reading works without it; the next act will report the error.
        return


def refuse(sentence: str, filters: Filters) -> None:
    """Show why there is nothing to show, with a link to the queue."""
    states.refused(
        sentence, states.WayOn(label="Back to the queue", page=QUEUE, query=filters.to_query())
    )


def draw(page: Loaded) -> None:
    """Draw the head and three columns: the applicant, what to judge, and what to do."""
    shown = page.shown
    free = header.draw(shown, page.colleagues)
    with st.container(key="desk"):
        facts, judging, acting = st.columns([1.05, 1.35, 1], gap="medium")
    with judging:
        application_facts.draw_scorecard(shown)
    with acting:
        application_duplicates.draw(shown, page.earlier, page.connections)
        draw_decision(shown)
    with judging:
        application_checklist.draw(shown)
        evidence.draw(shown)
        thread.draw(shown, page.entries)
    with facts:
        application_facts.draw_who(shown, page.colleagues)
        application_facts.draw_trend(shown, page.days, page.months)
        application_facts.draw_users(shown, page.users)
    with free:
        live.strip(shown, page.others_wrote)


def draw_decision(shown: Shown) -> None:
    """Draw the decision panel or the decision; and earlier decisions if it was reopened."""
    settled = shown.application.status not in OPEN_STATUSES
    with st.container(border=True, gap="small", key="decision"):
        panel.draw(shown)
        if settled:
            unsent_text.draw(shown, but=["reopen"])
    if not settled:
        reopen.draw_earlier(shown.decisions)


main()

"""One application: who, how it stands, what is known, and the decision."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import streamlit as st

from dashboard import address, live, sign_in, state
from dashboard.components import states, trend
from dashboard.forms import (
    checklist_form,
    connections_part,
    decision_form,
    evidence_part,
    facts_part,
    head_part,
    kept_text,
    reopen_form,
    thread_part,
)
from dashboard.forms.shown import Shown
from data_access import (
    applications,
    assessments,
    checklist,
    conflicts,
    connections,
    database,
    deferrals,
    information,
    made_decisions,
    ownership,
    ranking,
    second_approvals,
    staff,
    standings,
    timeline,
    trends,
    watching,
)
from data_access.applications import EarlierApplication
from data_access.connections import Connections
from data_access.refusals import NotFound, Refusal
from data_access.staff import Person
from data_access.standings import Basis
from data_access.timeline import TimelineEntry
from data_access.trends import Point, ReferredUser
from program.periods import Window, month_start, months_later
from program.permissions import Act
from program.queue import QUERY_NAMES, Filters
from program.workflow import OPEN_STATUSES

QUEUE = "dashboard/pages/queue.py"
# The view it is worked on in, which application it is, and what its thread shows.
KNOWN = (*QUERY_NAMES, "id", thread_part.FILTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Everything the page shows, read in one transaction so that it fits together.

    ``others_wrote`` is how much colleagues had left on the thread, to tell what is new later.
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
    """Load, then draw: what the decision rests on first, the chart, which is slow, last."""
    person = sign_in.require(Act.READ)
    asked = address.read(KNOWN)
    filters = Filters.from_query(asked).seen_by(person.email)
    id_ = applications.possible_id(asked.get("id", ""))
    if id_ is None:
        refuse("This address names no application.", filters)
        return
    now = datetime.now(UTC)
    try:
        page = load(id_, filters, person, now)
    except NotFound as refusal:
        refuse(str(refusal), filters)
        return
    stay(id_, person, now)
    state.show_flash()
    draw(page)


def load(id_: int, filters: Filters, person: Person, now: datetime) -> Loaded:
    """Read everything; raises NotFound."""
    with database.reading(database.reader()) as connection:
        ground = standings.basis(connection, now=now)
        application = applications.read(connection, id_, now=now)
        span, since, window = spans(ground, now)
        account = application.account_id
        shown = Shown(
            application=application,
            standing=assessments.read(connection, id_, ground),
            ground=ground,
            decisions=made_decisions.history(connection, id_),
            proposal=second_approvals.waiting(connection, id_),
            lapsed=second_approvals.lapsed(connection, application),
            question=information.question(connection, application),
            deferred_because=deferrals.reason(connection, application),
            checks=checklist.answers(connection, id_),
            conflict=conflicts.found(connection, application, person.email),
            place=ranking.place(connection, id_, filters, ground),
            filters=filters,
            person=person,
            now=now,
        )
        return Loaded(
            shown=shown,
            earlier=applications.others_of_account(connection, application),
            connections=connections.of(connection, application, now=now),
            colleagues=[p for p in staff.everyone(connection) if p.may(Act.CLAIM)],
            entries=timeline.read(connection, application),
            others_wrote=watching.others_wrote(connection, id_, viewer=person.email),
            days=trends.daily(connection, account, span),
            months=trends.monthly(connection, account, since=since),
            users=trends.top_referred_users(connection, account, window),
        )


def spans(ground: Basis, now: datetime) -> tuple[Window, date, Window]:
    """The days and months the charts show, and the window of the metrics."""
    if ground.freshness is None:
        end = now.date()
        window = Window(end - timedelta(days=30), end)
    else:
        end = ground.freshness.data_through + timedelta(days=1)
        window = ground.freshness.window
    first = min(end - timedelta(days=trend.DAYS_SHOWN), window.start)
    since = months_later(month_start(window.last_day), 1 - trend.MONTHS_SHOWN)
    return Window(first, end), since, window


def stay(id_: int, person: Person, now: datetime) -> None:
    """A run that a person caused keeps their claim and shows colleagues that they look."""
    try:
        ownership.stay(database.writer(), application_id=id_, actor=person.email, now=now)
    except Refusal:
        # Reading goes on without it; the next act will say what is wrong.
        return


def refuse(sentence: str, filters: Filters) -> None:
    """Say why there is nothing to show, and lead back to the queue."""
    states.refused(
        sentence, states.WayOn(label="Back to the queue", page=QUEUE, query=filters.to_query())
    )


def draw(page: Loaded) -> None:
    """The head, and three columns: the person's facts, what to judge, what to do."""
    shown = page.shown
    free = head_part.draw(shown, page.colleagues)
    with st.container(key="desk"):
        facts, judging, acting = st.columns([1.05, 1.35, 1], gap="medium")
    with judging:
        facts_part.draw_scorecard(shown)
    with acting:
        connections_part.draw(shown, page.earlier, page.connections)
        draw_decision(shown)
    with judging:
        checklist_form.draw(shown)
        evidence_part.draw(shown)
        thread_part.draw(shown, page.entries)
    with facts:
        facts_part.draw_who(shown, page.colleagues)
        facts_part.draw_trend(shown, page.days, page.months)
        facts_part.draw_users(shown, page.users)
    with free:
        live.strip(shown, page.others_wrote)


def draw_decision(shown: Shown) -> None:
    """The panel to decide in, or what was decided; and earlier decisions of one reopened."""
    settled = shown.application.status not in OPEN_STATUSES
    with st.container(border=True, gap="small", key="decision"):
        decision_form.draw(shown)
        if settled:
            kept_text.draw(shown, but=["reopen"])
    if not settled:
        reopen_form.draw_earlier(shown.decisions)


main()

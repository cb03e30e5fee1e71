"""One application: who, how it stands, what is known, and the decision."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

import streamlit as st

from dashboard import live, opening, sign_in, state
from dashboard.components import (
    applicant,
    badges,
    connections,
    due,
    figures,
    keyboard,
    scorecard,
    states,
    thread,
    trend,
    users_table,
)
from dashboard.components.applicant import Contact
from dashboard.components.safe_text import escape
from dashboard.forms import (
    checklist_form,
    conflict_form,
    decision_form,
    evidence_part,
    note_form,
    ownership_form,
    reopen_form,
)
from dashboard.forms.shown import Shown
from data_access import (
    applications,
    assessments,
    checklist,
    conflicts,
    database,
    information,
    made_decisions,
    ownership,
    queue,
    ranking,
    second_approvals,
    staff,
    standings,
    timeline,
    trends,
)
from data_access import connections as connected
from data_access.applications import EarlierApplication
from data_access.connections import Connections
from data_access.refusals import NotFound, Refusal
from data_access.staff import Person
from data_access.standings import Basis
from data_access.timeline import TimelineEntry
from data_access.trends import Point, ReferredUser
from program.periods import Window, month_start, months_later
from program.permissions import Act
from program.queue import Filters
from program.reapplying import may_reapply
from program.workflow import REASONS_BY_CODE, STATUS_WORDS, Status

QUEUE = "dashboard/pages/queue.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Everything the page shows, read in one transaction so that it fits together."""

    shown: Shown
    others: list[EarlierApplication]
    connections: Connections
    colleagues: list[Person]
    entries: list[TimelineEntry]
    days: list[Point]
    months: list[Point]
    users: list[ReferredUser]


def main() -> None:
    """Load, judge, draw, act."""
    person = sign_in.require(Act.READ)
    filters = Filters.from_query(st.query_params).seen_by(person.email)
    id_ = applications.possible_id(st.query_params.get("id", ""))
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
    draw_flash()
    draw_head(page)
    live.strip(page.shown, len(page.entries))
    with st.container(key="desk"):
        facts, judging, acting = st.columns([1.05, 1.35, 1], gap="medium")
    # What the decision rests on comes first, and the chart, which is slow to draw, last.
    with judging:
        draw_scorecard(page.shown)
    with acting:
        with st.container(border=True, gap="small"):
            decision_form.draw(page.shown)
        draw_connections(page)
    with judging:
        checklist_form.draw(page.shown)
        evidence_part.draw(page.shown)
        draw_thread(page)
    with facts:
        draw_who(page.shown)
        draw_trend(page)
        draw_users(page)


def load(id_: int, filters: Filters, person: Person, now: datetime) -> Loaded:
    """Read everything; raises NotFound."""
    with database.reader().connect() as connection:
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
            question=information.question(connection, application),
            checks=checklist.answers(connection, id_),
            conflict=conflicts.found(connection, application, person.email),
            place=ranking.place(connection, id_, filters, ground),
            filters=filters,
            person=person,
            now=now,
        )
        return Loaded(
            shown=shown,
            others=applications.others_of_account(connection, application),
            connections=connected.of(connection, application, now=now),
            colleagues=[p for p in staff.everyone(connection) if p.may(Act.CLAIM)],
            entries=timeline.read(connection, application),
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


def draw_flash() -> None:
    """Show what the last act left to say, and tell the browser which drafts were sent."""
    for form in state.take_sent():
        keyboard.sent(form)
    state.show_flash()


def draw_head(page: Loaded) -> None:
    """Where one is in the queue, the ways to the neighbours, and whose application it is."""
    shown = page.shown
    application, place, filters = shown.application, shown.place, shown.filters
    with st.container(horizontal=True, vertical_alignment="center", key="application-head"):
        st.page_link(
            QUEUE,
            label=f"Queue {place.total:,}",
            icon=":material/arrow_back:",
            query_params=filters.to_query(),
        )
        if place.position is not None:
            st.caption(f"{place.position:,} of {place.total:,}", width="content")
        step("Previous", "k", place.previous_id, filters)
        step("Next", "j", place.next_id, filters)
        if shown.person.may(Act.CLAIM):
            draw_take_next(shown)
        st.space("small")
        st.subheader(escape(application.username), anchor=False, width="content")
        pending = application.status is Status.PENDING
        waited = figures.waiting(shown.now - application.submitted_at)
        badges.status_badge(application.status, detail=waited if pending else "")
        badges.outcome_badge(
            shown.standing.assessment.outcome,
            track=shown.standing.assessment.track,
            provisional=shown.is_provisional,
        )
        draw_clock(shown)
        ownership_form.draw(shown, page.colleagues)


def draw_clock(shown: Shown) -> None:
    """When the review is due, and the priority with its reasons behind it."""
    desk, status = shown.application.desk, shown.application.status
    if status.upstream is not Status.PENDING:
        return
    due_at, holidays = queue.due_at(desk, shown.ground), shown.ground.holidays
    look = due.look(due_at, status=status, now=shown.now)
    words = due.words(due_at, status=status, now=shown.now, holidays=holidays)
    if look is due.DUE:
        st.caption(f"due {words}", width="content", help=f"{due_at:%d %b %H:%M} UTC")
    else:
        st.badge(words.removeprefix(look.sign).strip(), icon=look.icon, color=look.colour)
    priority = queue.priority_of(
        shown.standing.facts, shown.standing.assessment, desk, shown.ground
    )
    st.caption(f"priority {priority.total}", width="content", help=priority.sentence)


def draw_take_next(shown: Shown) -> None:
    """The next unclaimed application of the view, claimed on opening it."""
    with keyboard.hot("u", width="content"):
        st.button(
            "Take next",
            key="take-next",
            help="Key u: claim and open the next unclaimed application of this view.",
            on_click=opening.take_next,
            args=[shown.filters, shown.person.email, state.request_id(f"take-{shown.id_}")],
        )


def step(label: str, key: str, id_: int | None, filters: Filters) -> None:
    """A button to a neighbour in the filtered queue."""
    with keyboard.hot(key, width="content"):
        st.button(
            label,
            key=f"step-{label}",
            type="tertiary",
            help=f"Key {key}",
            disabled=id_ is None,
            on_click=opening.open_one,
            args=[id_, filters],
        )


def draw_who(shown: Shown) -> None:
    """Who applies, how to reach them, and the way to say that one is too close."""
    application = shown.application
    contacts = [Contact(application.social_platform, application.social_handle, social=True)]
    if application.contact_handle:
        named = application.contact_platform or "contact"
        contacts.append(Contact(named, application.contact_handle))
    if application.email and application.email != application.contact_handle:
        contacts.append(Contact("email", application.email))
    with st.container(border=True, gap="small"):
        applicant.draw(
            account_id=application.account_id,
            country=application.country_code,
            kyc=application.kyc_status,
            since=application.account_created_at.date(),
            contacts=contacts,
        )
        conflict_form.draw(shown)


def draw_scorecard(shown: Shown) -> None:
    """The eligibility, criterion by criterion."""
    fresh = shown.standing.freshness
    states.stale(fresh.data_through if fresh else None, today=shown.now.date())
    with st.container(border=True, gap="small"):
        scorecard.draw(
            shown.standing.assessment,
            window=fresh.window if fresh else None,
            provisional=shown.is_provisional,
        )


def draw_trend(page: Loaded) -> None:
    """How the referrals developed."""
    standing = page.shown.standing
    fresh = standing.freshness
    trend.draw(
        page.days,
        page.months,
        policy=standing.policy,
        window=fresh.window if fresh else None,
        through=fresh.data_through if fresh else None,
        known=standing.facts.volume_usd is not None,
    )


def draw_users(page: Loaded) -> None:
    """The referred users who carry the window's volume."""
    standing = page.shown.standing
    fresh, total = standing.freshness, standing.facts.volume_usd
    with st.container(border=True, gap="small"):
        st.markdown("**Top referred users of the window**")
        if fresh is None or total is None:
            st.caption(trend.NOT_LOADED)
            return
        if not page.users:
            st.caption("Nobody referred by this account traded in the window.")
            return
        st.caption(
            f"{figures.day_range(fresh.window.start, fresh.window.last_day)}, UTC · "
            f"{len(page.users)} of {figures.count(standing.facts.active_users)} active"
        )
        users_table.draw(
            [
                users_table.Row(
                    account_id=user.referred_account_id,
                    volume_usd=user.volume_usd,
                    share=user.volume_usd / total if total else None,
                    fees_usd=user.fees_usd,
                    trading_days=user.trading_days,
                    referred_at=user.referred_at,
                )
                for user in page.users
            ]
        )


def draw_connections(page: Loaded) -> None:
    """Earlier applications of the account, and others under the same handle or contact."""
    shown = page.shown
    on_open = partial(opening.open_one, filters=shown.filters)
    if shown.application.status not in (Status.APPROVED, Status.REJECTED):
        reopen_form.draw_earlier(shown.decisions)
    if page.others:
        with st.container(border=True, gap="small"):
            connections.draw(
                "Other applications of this account",
                [earlier_words(shown, other) for other in page.others],
                total=f"{len(page.others):,}",
                on_open=on_open,
            )
    found = page.connections
    if found.shown:
        with st.container(border=True, gap="small"):
            connections.draw(
                "Same handle or contact elsewhere",
                [
                    connections.Other(
                        application_id=other.application_id,
                        name=other.username,
                        how=", ".join(other.how),
                        status=STATUS_WORDS[other.status],
                        submitted_at=other.submitted_at,
                        more=REASONS_BY_CODE[other.reason_code].label
                        if other.reason_code in REASONS_BY_CODE
                        else "",
                    )
                    for other in found.shown
                ],
                total=f"{'at least ' if found.at_least else ''}{found.total:,}",
                on_open=on_open,
            )


def earlier_words(shown: Shown, other: EarlierApplication) -> connections.Other:
    """An earlier application: how it ended, and whether this one came too soon after it."""
    reason = REASONS_BY_CODE.get(other.reason_code or "")
    more = [reason.label] if reason else []
    if other.reapply_from is not None or other.reapply is not None:
        opens = figures.day(other.reapply_from, year=True) if other.reapply_from else "never"
        more.append(f"may apply again: {opens}")
        arrived = shown.application.submitted_at.date()
        later = shown.application.submitted_at > other.submitted_at
        if later and not may_reapply(other.reapply, other.reapply_from, on=arrived):
            more.append("this one came before that")
    return connections.Other(
        application_id=other.application_id,
        name=shown.application.username,
        how=f"by {other.decided_by}" if other.decided_by else "same account",
        status=STATUS_WORDS[other.status],
        submitted_at=other.submitted_at,
        more=" · ".join(more),
    )


def draw_thread(page: Loaded) -> None:
    """The note to write, and everything that happened."""
    shown = page.shown
    with st.container(border=True, gap="small"):
        if shown.person.may(Act.WRITE_NOTE):
            note_form.draw(shown.id_, shown.person)
        thread.draw(
            [
                thread.Line(
                    at=entry.at,
                    kind=str(entry.kind),
                    actor=entry.actor,
                    title=entry.title,
                    body=entry.body,
                )
                for entry in page.entries
            ],
            only=st.query_params.get("thread"),
            on_filter=partial(follow_thread, shown.id_),
            all_of_them=bool(state.typed("thread-all")),
        )


def follow_thread(id_: int, key: str) -> None:
    """Put the thread's filter into the address bar."""
    state.hold(f"decision-{id_}")
    chosen = state.typed(key)
    if chosen is None:
        st.query_params.pop("thread", None)
    else:
        st.query_params["thread"] = chosen


main()

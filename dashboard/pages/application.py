"""One application: who, how it stands, what is known, and the decision."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import streamlit as st

from dashboard import sign_in, state
from dashboard.components import (
    badges,
    charts,
    evidence_table,
    figures,
    scorecard,
    states,
    thread,
    users_table,
)
from dashboard.components.safe_text import escape
from dashboard.forms import answers, decision_form, evidence_form, note_form
from data_access import (
    applications,
    assessments,
    database,
    decisions,
    queue,
    standings,
    timeline,
    trends,
)
from data_access.applications import Application, EarlierApplication
from data_access.assessments import Standing
from data_access.decisions import MadeDecision
from data_access.queue import Place
from data_access.refusals import NotFound
from data_access.staff import Person
from data_access.standings import Basis
from data_access.timeline import TimelineEntry
from data_access.trends import Point, ReferredUser
from program.criteria import ACTIVE_USERS, NEW_USERS, VOLUME, Criterion
from program.evidence import METHOD_LABELS, EvidenceKind, is_current
from program.handles import profile_url
from program.periods import Window, month_start, months_later
from program.permissions import Act
from program.queue import Filters
from program.workflow import (
    REASONS_BY_CODE,
    Status,
)

QUEUE = "dashboard/pages/queue.py"
APPLICATION = "dashboard/pages/application.py"
DAYS_SHOWN = 90
MONTHS_SHOWN = 12
# Unknown is not "none": without metrics nothing is said about what they would show.
NOT_LOADED = "Metrics are not loaded for this account yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Everything the page shows, read in one transaction so that it fits together."""

    application: Application
    standing: Standing
    decision: MadeDecision | None
    others: list[EarlierApplication]
    entries: list[TimelineEntry]
    days: list[Point]
    months: list[Point]
    users: list[ReferredUser]
    place: Place


def main() -> None:
    """Load, judge, draw, act."""
    person = sign_in.require(Act.READ)
    filters = Filters.from_query(st.query_params)
    id_ = asked_id()
    if id_ is None:
        refuse("This address names no application.", filters)
        return
    now = datetime.now(UTC)
    try:
        page = load(id_, filters, now)
    except NotFound as refusal:
        refuse(str(refusal), filters)
        return
    draw_flash()
    draw_head(page, filters, now)
    with st.container(key="desk"):
        facts, judging, acting = st.columns([1.05, 1.35, 1], gap="medium")
    # What the decision rests on comes first, and the chart, which is slow to draw, last.
    with judging:
        draw_scorecard(page, now)
    with acting:
        draw_decision(page, person, now)
        draw_others(page.others, filters)
    with judging:
        draw_evidence(page, person, now)
        draw_thread(page, person)
    with facts:
        draw_who(page)
        draw_trend(page)
        draw_users(page)


def asked_id() -> int | None:
    """The application the address names, if it names one."""
    return applications.possible_id(st.query_params.get("id", ""))


def load(id_: int, filters: Filters, now: datetime) -> Loaded:
    """Read everything; raises NotFound."""
    with database.reader().connect() as connection:
        ground = standings.basis(connection, now=now)
        application = applications.read(connection, id_)
        span, since, window = spans(ground, now)
        account = application.account_id
        return Loaded(
            application=application,
            standing=assessments.read(connection, id_, ground),
            decision=decisions.current(connection, id_),
            others=applications.others_of_account(connection, application),
            entries=timeline.read(connection, application),
            days=trends.daily(connection, account, span),
            months=trends.monthly(connection, account, since=since),
            users=trends.top_referred_users(connection, account, window),
            place=queue.place(connection, id_, filters, ground),
        )


def spans(ground: Basis, now: datetime) -> tuple[Window, date, Window]:
    """The days and months the charts show, and the window of the metrics."""
    if ground.freshness is None:
        end = now.date()
        window = Window(end - timedelta(days=30), end)
    else:
        end = ground.freshness.data_through + timedelta(days=1)
        window = ground.freshness.window
    first = min(end - timedelta(days=DAYS_SHOWN), window.start)
    return Window(first, end), months_later(month_start(window.last_day), 1 - MONTHS_SHOWN), window


def refuse(sentence: str, filters: Filters) -> None:
    """Say why there is nothing to show, and lead back to the queue."""
    states.refused(
        sentence, states.WayOn(label="Back to the queue", page=QUEUE, query=filters.to_query())
    )


def draw_flash() -> None:
    """Show what the last act left to say about the whole page."""
    message = state.take_flash()
    if message is not None:
        st.toast(message.text, icon=":material/check:" if message.ok else ":material/error:")


def draw_head(page: Loaded, filters: Filters, now: datetime) -> None:
    """Where one is in the queue, the ways to the neighbours, and whose application it is."""
    application, place = page.application, page.place
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
        st.space("small")
        st.subheader(escape(application.username), anchor=False, width="content")
        waited = now - application.submitted_at
        pending = application.status is Status.PENDING
        badges.status_badge(application.status, detail=figures.waiting(waited) if pending else "")
        badges.outcome_badge(
            page.standing.assessment.outcome,
            track=page.standing.assessment.track,
            provisional=is_provisional(page.standing, now),
        )


def step(label: str, key: str, id_: int | None, filters: Filters) -> None:
    """A button to a neighbour in the filtered queue."""
    st.button(
        label,
        key=f"step-{label}",
        shortcut=key,
        type="tertiary",
        disabled=id_ is None,
        on_click=go_to,
        args=[id_, filters],
    )


def go_to(id_: int, filters: Filters) -> None:
    """Open another application within the same filters."""
    st.switch_page(APPLICATION, query_params={**filters.to_query(), "id": str(id_)})


def is_provisional(standing: Standing, now: datetime) -> bool:
    """Whether metrics are older than yesterday, so that eligibility may still change."""
    fresh = standing.freshness
    return fresh is not None and fresh.data_through < now.date() - timedelta(days=1)


def draw_who(page: Loaded) -> None:
    """Who applies and how to reach them; typed text in places that only copy it."""
    application = page.application
    with st.container(border=True, gap="small"):
        st.caption(
            f"Account {application.account_id} · "
            f"{escape(application.country_code or 'country unknown')} · "
            f"KYC {application.kyc_status} · "
            f"since {figures.day(application.account_created_at.date(), year=True)}"
        )
        url = profile_url(application.social_platform, application.social_handle)
        contact(application.social_platform, application.social_handle, url)
        if application.contact_handle:
            contact(application.contact_platform or "contact", application.contact_handle, None)
        if application.email and application.email != application.contact_handle:
            contact("email", application.email, None)


def contact(platform: str, handle: str, url: str | None) -> None:
    """One way to reach somebody: its name, the text to copy, and a link only where safe."""
    label, text, link = st.columns([1.15, 2.5, 0.55], vertical_alignment="center", gap="xsmall")
    label.text(platform)
    text.code(handle, language=None)
    if url is not None:
        link.link_button("", url, icon=":material/open_in_new:", type="tertiary", help=url)


def draw_scorecard(page: Loaded, now: datetime) -> None:
    """The eligibility, criterion by criterion."""
    fresh = page.standing.freshness
    states.stale(fresh.data_through if fresh else None, today=now.date())
    with st.container(border=True, gap="small"):
        scorecard.draw(
            page.standing.assessment,
            window=fresh.window if fresh else None,
            provisional=is_provisional(page.standing, now),
        )


METRICS: dict[str, tuple[Criterion, str]] = {
    "Volume": (VOLUME, "volume_usd"),
    "Active": (ACTIVE_USERS, "active_users"),
    "New": (NEW_USERS, "new_users"),
}


def draw_trend(page: Loaded) -> None:
    """How the referrals developed, by day or month, with the minimum as a line."""
    with st.container(border=True, gap="small"), st.container(key="trend", gap="small"):
        with st.container(horizontal=True):
            what = st.segmented_control(
                "Figure",
                list(METRICS),
                key="trend-what",
                default="Volume",
                required=True,
                label_visibility="collapsed",
            )
            grain = st.segmented_control(
                "By",
                ["Days", "Months"],
                key="trend-by",
                default="Days",
                required=True,
                label_visibility="collapsed",
            )
        fresh = page.standing.freshness
        if fresh is None or page.standing.facts.volume_usd is None:
            st.caption(NOT_LOADED)
            return
        if not page.months:
            st.caption("No referral activity in the last twelve months.")
            return
        draw_chart(page, str(what), str(grain), fresh.window, fresh.data_through)


def draw_chart(page: Loaded, what: str, grain: str, window: Window, through: date) -> None:
    """One chart: gaps in the data are days without anything, which is zero."""
    criterion, field = METRICS[what]
    unit = str(criterion.unit)
    minimum = getattr(page.standing.policy, criterion.minimum)
    if grain == "Months":
        last = month_start(through)
        months = [months_later(last, back) for back in range(1 - MONTHS_SHOWN, 1)]
        found = {point.start: getattr(point, field) for point in page.months}
        chart = charts.monthly_bars(
            months,
            [found.get(month, 0) for month in months],
            title=f"{criterion.label} by calendar month, UTC",
            unit=unit,
            minimum=minimum,
        )
    else:
        start = min(through - timedelta(days=DAYS_SHOWN - 1), window.start)
        days = [start + timedelta(days=n) for n in range((through - start).days + 1)]
        found = {point.start: getattr(point, field) for point in page.days}
        pace = Decimal(minimum) / window.days if criterion is VOLUME else None
        chart = charts.daily_bars(
            days,
            [found.get(day, 0) for day in days],
            title=f"{criterion.label} by day, UTC; the window is shaded",
            unit=unit,
            window=window,
            minimum=pace,
            minimum_label=f"{figures.usd(Decimal(minimum))} USD over {window.days} days, a day:",
        )
    charts.draw(chart, key=f"trend-{what}-{grain}")


def draw_users(page: Loaded) -> None:
    """The referred users who carry the window's volume."""
    fresh = page.standing.freshness
    with st.container(border=True, gap="small"):
        st.markdown("**Top referred users of the window**")
        if fresh is None or page.standing.facts.volume_usd is None:
            st.caption(NOT_LOADED)
            return
        if not page.users:
            st.caption("Nobody referred by this account traded in the window.")
            return
        st.caption(
            f"{figures.day_range(fresh.window.start, fresh.window.last_day)}, UTC · "
            f"{len(page.users)} of {figures.count(page.standing.facts.active_users)} active"
        )
        total = page.standing.facts.volume_usd
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


def draw_evidence(page: Loaded, person: Person, now: datetime) -> None:
    """What was seen elsewhere, with its age; and the forms to record more."""
    fresh = page.standing.freshness
    with st.container(border=True, gap="small"):
        st.markdown(f"**Evidence** · {len(page.standing.evidence):,}")
        if page.standing.evidence:
            evidence_table.draw(
                [
                    evidence_table.Row(
                        kind=seen.kind,
                        value=seen.value,
                        exchange=seen.exchange_name,
                        observed_at=seen.observed_at,
                        method=METHOD_LABELS[seen.method],
                        source=seen.source_url,
                        recorded_by=seen.recorded_by,
                        counts=seen.evidence_id in page.standing.established.evidence_ids,
                        current=is_current(
                            seen.observed_at,
                            data_through=fresh.data_through if fresh else None,
                            now=now,
                            policy=page.standing.policy,
                        ),
                    )
                    for seen in page.standing.evidence
                ]
            )
        else:
            st.caption("Nobody has looked at this applicant's reach elsewhere yet.")
        if person.may(Act.RECORD_EVIDENCE):
            with st.container(horizontal=True):
                for kind, label in (
                    (EvidenceKind.X_FOLLOWERS, "Record followers"),
                    (EvidenceKind.EXTERNAL_VOLUME, "Record other-exchange volume"),
                ):
                    with st.popover(label, icon=":material/add:"):
                        evidence_form.draw(page.application.application_id, kind, person, now)


def draw_thread(page: Loaded, person: Person) -> None:
    """The note to write, and everything that happened."""
    with st.container(border=True, gap="small"):
        if person.may(Act.WRITE_NOTE):
            note_form.draw(page.application.application_id, person)
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
            ]
        )


def draw_decision(page: Loaded, person: Person, now: datetime) -> None:
    """The decision that stands, or the form to make one."""
    id_ = page.application.application_id
    with st.container(border=True, gap="small"):
        answers.draw(decision_form.name(id_))
        if page.application.status is not Status.PENDING:
            draw_made(page)
            draw_unsent(id_)
        elif person.may(Act.DECIDE):
            late = is_provisional(page.standing, now)
            decision_form.draw(id_, page.standing, person, provisional=late)
        else:
            st.markdown("**Decision**")
            st.caption(f"Waiting for a reviewer. Your role, {person.role}, does not decide.")


def draw_unsent(id_: int) -> None:
    """What somebody had typed when a colleague decided first; kept while the tab is open."""
    texts = state.unsent(decision_form.name(id_))
    if texts:
        st.markdown("**What you had written**")
    for label, text in texts.items():
        st.caption(label)
        st.code(text, language=None, wrap_lines=True)


def draw_made(page: Loaded) -> None:
    """What was decided, by whom, and on what."""
    st.markdown("**Decision**")
    badges.status_badge(page.application.status)
    made = page.decision
    if made is None:
        st.caption("Recorded upstream; nothing was decided here.")
        return
    st.caption(
        f"{escape(made.decided_by)} · {figures.moment(made.decided_at)} · "
        f"policy version {made.policy_version}"
    )
    if made.is_override:
        st.badge("against the computed eligibility", icon=":material/gavel:", color="orange")
    if made.rebate_rate is not None:
        st.text(f"Rebate {figures.rate(made.rebate_rate)} of net fees")
    if made.reason_code is not None:
        reason = REASONS_BY_CODE.get(made.reason_code)
        st.text(f"Reason: {reason.label if reason else made.reason_code}")
    st.caption("Rationale, internal")
    st.text(made.rationale)
    st.caption("Message to the applicant")
    st.text(made.message_to_applicant)
    through = made.snapshot.get("data_through")
    if through is None:
        st.caption("Decided before metrics were ever computed.")
    else:
        st.caption(
            f"Decided on data through {figures.day(date.fromisoformat(through), year=True)}."
        )
    if page.place.next_id is not None:
        st.button(
            "Open the next one",
            key="open-next",
            type="primary",
            icon=":material/arrow_forward:",
            on_click=go_to,
            args=[page.place.next_id, Filters.from_query(st.query_params)],
        )


def draw_others(others: list[EarlierApplication], filters: Filters) -> None:
    """The account's other applications and how they ended."""
    if not others:
        return
    with st.container(border=True, gap="small"):
        st.markdown(f"**Other applications of this account** · {len(others):,}")
        for other in others:
            decided = f" by {escape(other.decided_by)}" if other.decided_by else ""
            reason = REASONS_BY_CODE.get(other.reason_code or "")
            said = f" · {reason.label}" if reason else ""
            st.button(
                f"{figures.day(other.submitted_at.date(), year=True)} · "
                f"{other.status}{decided}{said}",
                key=f"other-{other.application_id}",
                type="tertiary",
                on_click=go_to,
                args=[other.application_id, filters],
            )


main()

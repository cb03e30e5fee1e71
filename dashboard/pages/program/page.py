"""The program's figures, for managers and analysts."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.pages.program import (
    kpi_cards,
    minimums,
    report_bar,
    retention,
    reviewers,
    volume,
    weekly_mail,
    workload,
)
from dashboard.pages.program.kpi_cards import Figure
from dashboard.pages.program.report_bar import ReportView, drilldown
from dashboard.shell import replica, sign_in
from dashboard.ui import address, figures, states
from dashboard.ui import backlog as backlog_parts
from data_access.db import database
from data_access.eligibility import delivered, freshness, judging
from data_access.messages import backlog
from data_access.people.staff import Person
from data_access.reports import measured, page
from data_access.reports.gaming import Minimums
from data_access.reports.measured import Measured
from data_access.reports.page import Cohorts, Head, Part, Reviewers, Volume, Work
from program.reports import kpis
from program.reports.periods import QUERY_NAMES, Report
from program.review.permissions import Act
from program.review.queue_filters import Filters


def main() -> None:
    """Load the head and the open part, then draw them."""
    person = sign_in.require(Act.SEE_PROGRAM)
    now = datetime.now(UTC)
    query = address.read(QUERY_NAMES)
    view, head, part = load(Report.from_query(query), person, now)
    states.stale(view.through, today=view.today)
    states.left_out(view.report.left_out(query), shown="The default is shown instead.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Program", anchor=False)
        weekly_mail.draw(person)
    report_bar.draw(view)
    replica.note()
    kpi_cards.row(five(head, view), key="five")
    draw_backlog(now)
    draw(part, head, view)


def draw_backlog(now: datetime) -> None:
    """Draw how many messages wait, since when, and undeliverable ones; prominent if late."""
    with database.reading(database.reader()) as connection:
        found = backlog.read(connection)
    backlog_parts.line(found, now)


def load(report: Report, person: Person, now: datetime) -> tuple[ReportView, Head, Part | None]:
    """Read everything the page shows, in one transaction for consistency."""
    with database.reading(database.reporter()) as connection:
        context = judging.read_context(connection, now=now)
        fresh = freshness.newest(connection)
        known = delivered.read(connection)
        view = report_bar.resolve(
            report,
            context,
            person=person,
            today=now.date(),
            fresh=fresh,
            delivered=known,
        )
        head = page.head(
            connection,
            context,
            period=view.period,
            before=view.before,
            grain=view.grain,
            traded=view.traded,
            traded_before=view.traded_before,
        )
        days = None
        if view.traded and view.traded_before and view.through:
            days = page.TradingDays(
                traded=view.traded,
                before=view.traded_before,
                grain=view.grain,
                through=view.through,
                delivered=known,
            )
        part = page.part(
            report,
            head.sums,
            days,
            context=context,
            role=person.role,
            period=view.period,
            before=view.before,
        )
    return view, head, part


def five(head: Head, view: ReportView) -> list[Figure]:
    """Return open, decided, approval rate, time to decision, and program volume."""
    figures_of_decisions = [
        kpi_cards.of_measured(
            found,
            days=f"{view.days} UTC",
            compared=view.compared,
            drilldown=_behind(found, head, view),
        )
        for found in (
            measured.decided(head),
            measured.approval_rate(head),
            measured.time_to_decision(head),
        )
    ]
    return [open_figure(head, view), *figures_of_decisions, traded_figure(head, view)]


def _behind(found: Measured, head: Head, view: ReportView) -> Filters | None:
    """Return the list behind a figure of decisions; a share or time of none has no list."""
    counts = found.kpi is kpis.DECIDED or head.decided.now.total
    return drilldown(found.kpi.opens, view.period) if counts else None


def open_figure(head: Head, view: ReportView) -> Figure:
    """Return how many are open, or were at a past period's end, compared with its beginning."""
    first, last = figures.day(view.period.start), view.period.last_day
    past = view.period.end < view.today
    found = measured.opened(head, past=past)
    return kpi_cards.of_measured(
        found,
        then=f"on {first}",
        days=f"end of {figures.day(last)} UTC" if past else kpi_cards.NOW,
        compared=f"Compared with the number open when {first} began, UTC.",
        drilldown=drilldown(found.kpi.opens, view.period if past else None),
    )


def traded_figure(head: Head, view: ReportView) -> Figure:
    """Return the program's volume, unknown while no day of the period is known."""
    if view.traded is None:
        return Figure(kpi=kpis.VOLUME, value=None, nothing="unknown", days=f"{view.days} UTC")
    trading = view.compared_trading
    return kpi_cards.of_trading(measured.volume(head, trading), trading)


def draw(part: Part | None, head: Head, view: ReportView) -> None:
    """Draw the open part."""
    if isinstance(part, Work):
        workload.draw(part, head, view)
    elif isinstance(part, Reviewers):
        reviewers.draw(part, view)
    elif isinstance(part, Volume):
        volume.draw(part, head, view)
    elif isinstance(part, Cohorts):
        retention.draw(part, head, view)
    elif isinstance(part, Minimums):
        minimums.draw(part, view)
    else:
        states.empty(
            "Trading in this period is unknown. Choose an earlier one, or run "
            "`python -m data_access refresh` after activity was loaded."
        )


main()

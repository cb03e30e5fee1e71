"""The program's figures, for managers and analysts."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.pages.program import (
    backlog,
    kpi_cards,
    report_bar,
    retention,
    reviewers,
    volume,
    workload,
)
from dashboard.pages.program.kpi_cards import Figure
from dashboard.pages.program.report_bar import Asked, drilldown
from dashboard.shell import sign_in
from dashboard.ui import address, figures, states
from data_access.db import database
from data_access.eligibility import delivered, freshness, judging
from data_access.people.staff import Person
from data_access.reports import backlog as report_backlog
from data_access.reports import page
from data_access.reports.page import Cohorts, Head, Reviewers, Volume, Work
from program.reports import kpis
from program.reports.periods import QUERY_NAMES, Report, Tab
from program.review.permissions import Act

ProgramPart = Work | Reviewers | Volume | Cohorts | None


def main() -> None:
    """Load the head and the open part, then draw them."""
    person = sign_in.require(Act.SEE_PROGRAM)
    now = datetime.now(UTC)
    query = address.read(QUERY_NAMES)
    asked, head, part = load(Report.from_query(query), person, now)
    states.stale(asked.through, today=asked.today)
    states.left_out(asked.report.left_out(query), shown="The usual is shown instead.")
    st.subheader("Program", anchor=False)
    report_bar.draw(asked)
    kpi_cards.row(five(head, asked), key="five")
    backlog.draw(now)
    draw(part, head, asked)


def load(report: Report, person: Person, now: datetime) -> tuple[Asked, Head, ProgramPart]:
    """Read everything the page shows, in one transaction for consistency."""
    with database.reading(database.reporter()) as connection:
        context = judging.read_context(connection, now=now)
        fresh = freshness.newest(connection)
        known = delivered.read(connection)
        asked = report_bar.asked(
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
            period=asked.period,
            before=asked.before,
            grain=asked.grain,
            traded=asked.traded,
            traded_before=asked.traded_before,
        )
        part: ProgramPart = None
        if report.tab is Tab.WORK:
            part = page.work(
                connection,
                period=asked.period,
                before=asked.before,
                split=report.split,
                news=head.news,
            )
        elif report.tab is Tab.REVIEWERS:
            part = page.reviewing(connection, period=asked.period, news=head.news)
        elif asked.traded and asked.traded_before and asked.through:
            if report.tab is Tab.COHORTS:
                part = page.cohorts(
                    connection,
                    traded=asked.traded,
                    grain=asked.grain,
                    through=asked.through,
                    delivered=known,
                )
            else:
                part = page.trading(
                    connection,
                    traded=asked.traded,
                    before=asked.traded_before,
                    grain=asked.grain,
                    dimension=report.dimension,
                    standard=context.policy.standard_rebate_rate,
                    through=asked.through,
                    delivered=known,
                )
    return asked, head, part


def five(head: Head, asked: Asked) -> list[Figure]:
    """Return open, decided, approval rate, time to decision, and program volume."""
    now, before, steps = head.decided.now, head.decided.before, head.decided.steps
    said = {"days": f"{asked.days} UTC", "compared": asked.compared}
    return [
        open_figure(head, asked),
        Figure(
            kpi=kpis.DECIDED,
            value=now.total,
            before=before.total,
            course=[step.total for step in steps],
            drilldown=drilldown(kpis.DECIDED.opens, asked.period),
            **said,
        ),
        Figure(
            kpi=kpis.APPROVAL_RATE,
            value=now.approval_rate,
            before=before.approval_rate,
            course=[step.approval_rate for step in steps],
            drilldown=drilldown(kpis.APPROVAL_RATE.opens, asked.period) if now.total else None,
            nothing="none",
            **said,
        ),
        Figure(
            kpi=kpis.TIME_TO_DECISION,
            value=now.median_hours,
            before=before.median_hours,
            course=[step.median_hours for step in steps],
            drilldown=drilldown(kpis.TIME_TO_DECISION.opens, asked.period) if now.total else None,
            nothing="none",
            **said,
        ),
        traded_figure(head, asked),
    ]


def open_figure(head: Head, asked: Asked) -> Figure:
    """Return how many are open, or were at a past period's end, compared with its beginning."""
    first = figures.day(asked.period.start)
    flow, last = head.flow, asked.period.last_day
    past = asked.period.end < asked.today
    kpi = kpis.OPEN_AT_END if past else kpis.OPEN
    return Figure(
        kpi=kpi,
        value=flow.steps[-1].open_then if past else report_backlog.total(head.open_now),
        before=flow.open_before,
        then=f"on {first}",
        days=f"end of {figures.day(last)} UTC" if past else kpi_cards.NOW,
        compared=f"Compared with the number open when {first} began, UTC.",
        course=[step.open_then for step in flow.steps],
        drilldown=drilldown(kpi.opens, asked.period if past else None),
    )


def traded_figure(head: Head, asked: Asked) -> Figure:
    """Return the program's volume, unknown while no day of the period is known."""
    if asked.traded is None:
        return Figure(kpi=kpis.VOLUME, value=None, nothing="unknown", days=f"{asked.days} UTC")
    return kpi_cards.of_trading(
        kpis.VOLUME,
        volume.total(head.traded),
        now=asked.trading,
        before=volume.total(head.traded_before),
        then=asked.trading_before,
        course=[row.volume_usd for row in head.traded],
    )


def draw(part: ProgramPart, head: Head, asked: Asked) -> None:
    """Draw the open part."""
    if isinstance(part, Work):
        workload.draw(part, head, asked)
    elif isinstance(part, Reviewers):
        reviewers.draw(part, asked)
    elif isinstance(part, Volume):
        volume.draw(part, head, asked)
    elif isinstance(part, Cohorts):
        retention.draw(part, head, asked)
    else:
        states.empty(
            "Trading in this period is unknown. Choose an earlier one, or run "
            "`python -m data_access refresh` after activity was loaded."
        )


main()

"""Decisions on time, and how many open applications will be overdue soon."""

from datetime import datetime

from dashboard.pages.program import kpi_cards
from dashboard.pages.program.kpi_cards import Figure
from dashboard.pages.program.report_bar import ReportView, drilldown
from dashboard.ui import figures
from data_access.reports import backlog, measured
from data_access.reports.page import Head, Work
from data_access.reports.speed import Decided
from program.periods import ONE_DAY, day_start, utc_day
from program.reports import forecast, kpis
from program.reports.kpis import Kpi
from program.review import business_time
from program.review.drilldown import Clock


def draw(work: Work, head: Head, view: ReportView) -> None:
    """Draw the share of decisions made on time, and the two forecasts."""
    kpi_cards.row(shown(work, head, view), key="punctuality")


def shown(work: Work, head: Head, view: ReportView) -> list[Figure]:
    """Return the three figures."""
    next_day, later = forecast.horizons(view.context.now, view.context.holidays)
    return [
        on_time(head, view),
        overdue(kpis.OVERDUE_NEXT_DAY, 0, next_day, work, head, view),
        overdue(kpis.OVERDUE_IN_THREE, 1, later, work, head, view),
    ]


def on_time(head: Head, view: ReportView) -> Figure:
    """Return the share of decisions made on time; its list are the late ones."""
    now = head.decided.now
    return kpi_cards.of_measured(
        measured.on_time(head),
        days=f"{counted_words(now)} · {view.days} UTC",
        compared=view.compared,
        drilldown=drilldown(kpis.ON_TIME.opens, view.period) if now.late else None,
        list_name="Late",
    )


def counted_words(decided: Decided) -> str:
    """Say how many are counted, and how many have no known clock: ``41 of 52, 3 unknown``."""
    known = decided.in_time + decided.late
    unknown = decided.total - known
    words = f"{decided.in_time:,} of {known:,}"
    return f"{words}, {unknown:,} unknown" if unknown else words


def overdue(
    kpi: Kpi, horizon: int, end: datetime, work: Work, head: Head, view: ReportView
) -> Figure:
    """Return how many will be overdue at ``end``, compared with those that are now."""
    context = view.context
    due = backlog.overdue_then(head.open_now, horizon)
    span = business_time.elapsed(context.now, end, context.holidays)
    found = work.pace.forecast(due, span)
    by = f"by {_end_words(end)}"
    if found is None:
        words = f"{due:,} are due {by}; {work.pace.says_too_little}"
        return Figure(kpi=kpi, value=None, nothing=figures.UNKNOWN, days=words)
    width = (
        f"between {found.low:,} and {found.high:,}"
        if found.low < found.high
        else "whatever the pace"
    )
    return Figure(
        kpi=kpi,
        value=found.likely,
        before=backlog.total(head.open_now, clock=Clock.OVERDUE),
        then="now",
        days=f"{width} · {due:,} are due {by}",
    )


def _end_words(end: datetime) -> str:
    """Format a time; midnight as the end of the day before it."""
    if end == day_start(utc_day(end)):
        return f"the end of {figures.day(utc_day(end) - ONE_DAY)} UTC"
    return f"{figures.day(utc_day(end))}, {end:%H:%M} UTC"

"""The program's figures, for managers and analysts."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import streamlit as st

from dashboard import sign_in
from dashboard.components import charts, figures, states
from data_access import database, freshness, kpis
from program.periods import Window, month_start, months_later
from program.permissions import Act

WEEKS = 26
MONTHS = 12
PERIOD_DAYS = 30


def main() -> None:
    """Load, then draw five figures and two rows of charts."""
    sign_in.require(Act.SEE_PROGRAM)
    today = datetime.now(UTC).date()
    period = Window(today - timedelta(days=PERIOD_DAYS), today)
    before = Window(period.start - timedelta(days=PERIOD_DAYS), period.start)
    with database.reporter().connect() as connection:
        fresh = freshness.newest(connection)
        weeks = kpis.weeks(connection, last=today, count=WEEKS)
        now, then = kpis.decided(connection, period), kpis.decided(connection, before)
        waiting = kpis.open_now(connection)
        first = months_later(month_start(today), 1 - MONTHS)
        months = kpis.months(connection, since=first)
    states.stale(fresh.data_through if fresh else None, today=today)
    st.subheader("Program", anchor=False)
    span = figures.day_range(period.start, period.last_day)
    st.caption(f"Decisions of {span} UTC, compared with the {PERIOD_DAYS} days before.")
    whole = last_whole_month(months, fresh.data_through) if fresh else None
    draw_figures(waiting, now, then, whole)
    if not any(week.submitted or week.approved or week.rejected for week in weeks):
        states.empty(f"No application arrived or was decided in the last {WEEKS} weeks.")
        return
    draw_weeks(weeks)
    draw_months(months, whole)


def last_whole_month(months: list[kpis.ProgramMonth], through: date) -> kpis.ProgramMonth:
    """The newest calendar month that the data cover to its last day; zero if nobody traded."""
    month = months_later(month_start(through + timedelta(days=1)), -1)
    none = kpis.ProgramMonth(month=month, volume_usd=Decimal(0), fees_usd=Decimal(0))
    return next((found for found in months if found.month == month), none)


def draw_figures(
    waiting: int, now: kpis.Decided, then: kpis.Decided, whole: kpis.ProgramMonth | None
) -> None:
    """Five figures, each with its change where a change can be said."""
    with st.container(horizontal=True):
        st.metric("Open now", figures.count(waiting), border=True, height="stretch")
        st.metric(
            f"Decided, {PERIOD_DAYS} days",
            figures.count(now.total),
            delta=now.total - then.total,
            delta_color="off",
            border=True,
            height="stretch",
            help="Approved and rejected; a decision that was superseded does not count.",
        )
        st.metric(
            f"Approval rate, {PERIOD_DAYS} days",
            figures.rate(_rounded(now.approval_rate), unknown="nothing decided"),
            delta=_points(now.approval_rate, then.approval_rate),
            delta_color="off",
            border=True,
            height="stretch",
            help="Approved among decided.",
        )
        st.metric(
            f"Median time to decision, {PERIOD_DAYS} days",
            _hours(now.median_hours),
            delta=_longer(now.median_hours, then.median_hours),
            delta_color="off",
            border=True,
            height="stretch",
            help="From submission to decision; half took longer.",
        )
        st.metric(
            f"Program volume, {figures.month(whole.month)}" if whole else "Program volume",
            f"{figures.usd(whole.volume_usd)} USD" if whole else figures.UNKNOWN,
            border=True,
            height="stretch",
            help="Referral volume of all affiliates in the last whole calendar month, UTC.",
        )


def draw_weeks(weeks: list[kpis.Week]) -> None:
    """Applications in and decided, and the queue's length, by week."""
    starts = [week.start for week in weeks]
    left, right = st.columns(2)
    with left, st.container(border=True):
        flows = {
            "submitted": [week.submitted for week in weeks],
            "approved": [week.approved for week in weeks],
            "rejected": [week.rejected for week in weeks],
        }
        chart = charts.lines(
            starts,
            flows,
            title="How many arrive and are decided? By week, UTC",
            unit="applications",
        )
        charts.draw(chart, key="weeks-flow")
    with right, st.container(border=True):
        chart = charts.lines(
            starts,
            {"pending": [week.pending for week in weeks]},
            title="How long is the queue at each week's end? UTC; the last is now",
            unit="applications",
        )
        charts.draw(chart, key="weeks-pending")


def draw_months(months: list[kpis.ProgramMonth], whole: kpis.ProgramMonth | None) -> None:
    """The program's volume by month."""
    with st.container(border=True):
        if not months:
            st.caption("No referral volume in the last twelve months.")
            return
        running = whole is None or months[-1].month > whole.month
        chart = charts.monthly_bars(
            [month.month for month in months],
            [month.volume_usd for month in months],
            title="How much do referred users trade? By calendar month, UTC"
            + ("; the last is running" if running else ""),
            unit="USD",
        )
        charts.draw(chart, key="months-volume")


def _rounded(rate: Decimal | None) -> Decimal | None:
    return None if rate is None else rate.quantize(Decimal("0.01"))


def _points(now: Decimal | None, then: Decimal | None) -> str | None:
    if now is None or then is None:
        return None
    return f"{round((now - then) * 100):+d} points"


def _hours(hours: Decimal | None) -> str:
    return "nothing decided" if hours is None else figures.waiting(timedelta(hours=float(hours)))


def _longer(now: Decimal | None, then: Decimal | None) -> str | None:
    if now is None or then is None:
        return None
    return f"{round(now - then):+d} h"


main()

"""The program's figures, for managers and analysts."""

from datetime import UTC, datetime, timedelta
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
    draw_figures(waiting, now, then, months)
    if not any(week.submitted or week.approved or week.rejected for week in weeks):
        states.empty(f"No application arrived or was decided in the last {WEEKS} weeks.")
        return
    draw_weeks(weeks)
    draw_months(months)


def draw_figures(
    waiting: int, now: kpis.Decided, then: kpis.Decided, months: list[kpis.ProgramMonth]
) -> None:
    """Five figures, each with its change where a change can be said."""
    with st.container(horizontal=True):
        st.metric("Open now", figures.count(waiting), border=True)
        st.metric(
            f"Decided, {PERIOD_DAYS} days",
            figures.count(now.total),
            delta=now.total - then.total,
            delta_color="off",
            border=True,
            help="Approved and rejected; a decision that was superseded does not count.",
        )
        st.metric(
            f"Approval rate, {PERIOD_DAYS} days",
            figures.rate(_rounded(now.approval_rate), unknown="nothing decided"),
            delta=_points(now.approval_rate, then.approval_rate),
            delta_color="off",
            border=True,
            help="Approved among decided.",
        )
        st.metric(
            f"Median time to decision, {PERIOD_DAYS} days",
            _hours(now.median_hours),
            delta=_longer(now.median_hours, then.median_hours),
            delta_color="inverse",
            border=True,
            help="From submission to decision; half took longer.",
        )
        whole = months[-2] if len(months) > 1 else None
        st.metric(
            f"Program volume, {figures.month(whole.month)}" if whole else "Program volume",
            figures.usd(whole.volume_usd if whole else None),
            border=True,
            help="Referral volume of all affiliates in the last whole calendar month, USD, UTC.",
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
            title="How many arrive, and how are they decided? By week, UTC",
            unit="applications",
        )
        charts.draw(chart, key="weeks-flow")
    with right, st.container(border=True):
        chart = charts.lines(
            starts,
            {"pending": [week.pending for week in weeks]},
            title="How long is the queue at each week's end? UTC",
            unit="applications",
        )
        charts.draw(chart, key="weeks-pending")


def draw_months(months: list[kpis.ProgramMonth]) -> None:
    """The program's volume by month."""
    with st.container(border=True):
        if not months:
            st.caption("No referral volume in the last twelve months.")
            return
        chart = charts.monthly_bars(
            [month.month for month in months],
            [month.volume_usd for month in months],
            title="How much do referred users trade? By calendar month, UTC; the last is running",
            unit="USD",
        )
        charts.draw(chart, key="months-volume")


def _rounded(rate: Decimal | None) -> Decimal | None:
    return None if rate is None else rate.quantize(Decimal("0.01"))


def _points(now: Decimal | None, then: Decimal | None) -> str | None:
    if now is None or then is None:
        return None
    return f"{(now - then) * 100:+.0f} points"


def _hours(hours: Decimal | None) -> str:
    return "nothing decided" if hours is None else figures.waiting(timedelta(hours=float(hours)))


def _longer(now: Decimal | None, then: Decimal | None) -> str | None:
    if now is None or then is None:
        return None
    return f"{now - then:+.0f} h"


main()

"""The figures of the weekly report: those of the program page for the same days."""

from datetime import datetime

from sqlalchemy import Connection

from data_access.eligibility import delivered, freshness, judging
from data_access.eligibility.freshness import Freshness
from data_access.eligibility.judging import JudgingContext
from data_access.reports import funnel, measured, page, volume
from data_access.reports.measured import Measured, Trading
from data_access.reports.page import Head
from data_access.reports.workload import Selection
from data_access.rollups.lifecycle import At
from program import wording
from program.periods import Window, utc_day
from program.policy.delivered import Delivered
from program.reports.periods import Choice, Grain, Report
from program.reports.weekly import LATE, Line, WeeklyReport

APPLICATIONS, TRADING = "Applications", "Trading"


def read(connection: Connection, week: Window, *, due_at: datetime, now: datetime) -> WeeklyReport:
    """Read the figures of a past week and of the week before it."""
    context = judging.read_context(connection, now=now)
    fresh, known = freshness.newest(connection), delivered.read(connection)
    report = Report(choice=Choice.CUSTOM, since=week.start, until=week.last_day)
    today, through = utc_day(now), fresh.data_through if fresh else None
    before = report.before(today)
    traded, traded_before = report.trading(today, through) or (None, None)
    head = page.head(
        connection,
        context,
        period=week,
        before=before,
        grain=Grain.DAY,
        traded=traded,
        traded_before=traded_before,
    )
    found = _of_trading(connection, head, context, known, traded or week, traded_before or before)
    return WeeklyReport(
        week=week,
        lines=[
            *(_line(APPLICATIONS, one) for one in _of_applications(head, before)),
            *(_line(TRADING, one) for one in found),
        ],
        sentences=[
            (
                f"Applications and decisions of {wording.span(week)}, Monday to Sunday, UTC, "
                f"compared with {wording.span(before)}."
            ),
            _trading_words(traded, traded_before, known),
            _data_words(fresh, now=now, due_at=due_at),
        ],
    )


def _of_applications(head: Head, before: Window) -> list[Measured]:
    head.sums.prepare(Selection(at=At.SUBMITTED, days=before))
    arrived_before = funnel.stages(head.sums, before)[funnel.SUBMITTED]
    return [
        measured.submitted(head, arrived_before),
        measured.decided(head),
        measured.approved(head),
        measured.rejected(head),
        measured.approval_rate(head),
        measured.on_time(head),
        measured.time_to_decision(head),
        measured.opened(head, past=True),
    ]


def _of_trading(
    connection: Connection,
    head: Head,
    context: JudgingContext,
    known: Delivered,
    traded: Window,
    before: Window,
) -> list[Measured]:
    trading = Trading(now=known.trading(traded), before=known.trading(before))
    referring = Trading(now=known.referring(traded), before=known.referring(before))
    standard = context.policy.standard_rebate_rate
    rebates, rebates_before = (
        volume.rebates(connection, days, standard=standard) for days in (traded, before)
    )
    return [
        measured.volume(head, trading),
        measured.fees(head, trading),
        measured.active_users(head, trading),
        measured.new_users(head, referring),
        measured.standard_rebate(rebates, rebates_before, trading),
        measured.extra_rebate(rebates, rebates_before, trading),
    ]


def _line(part: str, found: Measured) -> Line:
    remarks = dict.fromkeys(
        filter(None, [found.gap, found.no_change and f"change {found.no_change}"])
    )
    return Line(
        part=part,
        kpi=found.kpi,
        value=found.value,
        before=found.before,
        nothing=found.nothing,
        remark="; ".join(remarks),
    )


def _trading_words(traded: Window | None, before: Window | None, known: Delivered) -> str:
    if traded is None or before is None:
        return "Trading of this week is unknown: the data do not reach it yet."
    gap = known.trading(traded).gap
    days = f"Trading of {wording.span(traded)}, compared with {wording.span(before)}"
    return f"{days}{f'; {gap}' if gap else ''}."


def _data_words(fresh: Freshness | None, *, now: datetime, due_at: datetime) -> str:
    """Return through which day the data go, when this was made, and whether that was late."""
    through = wording.day(fresh.data_through) if fresh else wording.UNKNOWN
    made = f"Data through {through}, UTC. Made on {wording.moment(now)}"
    return (
        f"{made}; it was due on {wording.moment(due_at)}." if now - due_at >= LATE else f"{made}."
    )

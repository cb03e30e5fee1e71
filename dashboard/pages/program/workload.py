"""Workload: submitted, decided and open applications, times, and splits."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import streamlit as st

from dashboard.pages.program import punctuality, report_bar
from dashboard.pages.program.report_bar import ReportView, drilldown, open_list, open_one
from dashboard.ui import charts, data_table, lookups, stacked_charts, states
from dashboard.ui.data_table import Bars, CellKind, Sheet, SheetColumn
from dashboard.ui.stacked_charts import Look
from data_access.reports import backlog, funnel
from data_access.reports.backlog import Open
from data_access.reports.page import Head, Work
from data_access.reports.speed import Decided
from program.policy.criteria import TRACK_WORDS
from program.reports import kpis
from program.reports.kpis import Kpi
from program.reports.periods import SPLIT_LABELS, Split, buckets
from program.review.drilldown import (
    AGE_GROUPS,
    CLOCK_WORDS,
    NO_TRACK,
    Clock,
    Moment,
    Scope,
    Slice,
    Stage,
)
from program.review.queue_filters import Filters
from program.text.platforms import platform_label

APPLICATIONS = "applications"
STAGE_LABELS = {
    funnel.SUBMITTED: "Submitted",
    Stage.TOUCHED: "Touched by staff",
    Stage.DECIDED: "Decided",
    Stage.APPROVED: "Approved",
    Stage.ACTIVE: "Active since",
}
CLOCK_LABELS = {
    Clock.OVERDUE: "overdue",
    Clock.SOON: "due soon",
    Clock.LATER: "due later",
    Clock.STOPPED: "clock stopped",
}
CLOCK_LOOKS = {
    CLOCK_LABELS[Clock.OVERDUE]: Look(color="#c93440"),
    CLOCK_LABELS[Clock.SOON]: Look(color="#c2830c"),
    CLOCK_LABELS[Clock.LATER]: Look(color="#5b8def"),
    CLOCK_LABELS[Clock.STOPPED]: Look(color="#8b93a5", pattern="/"),
}


def draw(work: Work, head: Head, view: ReportView) -> None:
    """Draw two rows of charts, then the tables."""
    if not _anything(head):
        states.empty(
            f"No application arrived, was decided or is open: {view.days} UTC. Choose a longer "
            "period, or load applications with `python -m data_access load`."
        )
        return
    punctuality.draw(work, head, view)
    _draw_flow(head, view)
    left, right = st.columns(2)
    with left:
        _draw_open_now(head, view)
    with right:
        _draw_funnel(work, view)
    data_table.listing(
        times_sheet(work, head, view),
        "How long does it take?",
        key="times",
        on_open=open_list,
        take=view.viewer.take,
    )
    _draw_apart(apart_sheet(work, view), view)


def _draw_flow(head: Head, view: ReportView) -> None:
    """Draw submitted and decided per step, and open at its end."""
    sheet = steps_sheet(head, view)
    left, right = st.columns(2)
    with left:
        data_table.card(
            sheet,
            _flow_chart(sheet, view),
            key="flow",
            on_open=open_list,
            viewer=view.viewer,
        )
    with right:
        chart = charts.lines(
            sheet.cells("first_day_utc"),
            {"open": sheet.cells("open")},
            title=f"How many are open at the end of each {view.grain}? UTC",
            unit=APPLICATIONS,
            ends=_ends(view),
        )
        data_table.card(sheet, chart, key="open-then", on_open=open_list, viewer=view.viewer)


def _draw_open_now(head: Head, view: ReportView) -> None:
    sheet = open_sheet(head.open_now)
    chart = stacked_charts.across(
        sheet.cells("age"),
        {CLOCK_LABELS[clock]: sheet.cells(clock) for clock in Clock},
        title="How old are open applications, and are they due? Now",
        unit=APPLICATIONS,
        looks=CLOCK_LOOKS,
    )
    data_table.card(
        sheet,
        chart,
        key="open-now",
        on_open=open_list,
        viewer=view.viewer,
        bars=Bars(columns=[str(clock) for clock in Clock], on_press=open_one),
    )


def _draw_funnel(work: Work, view: ReportView) -> None:
    sheet = funnel_sheet(work.stages, view)
    chart = stacked_charts.across(
        sheet.cells("stage"),
        {"applications": sheet.cells("applications")},
        title="How far have applications submitted in the period come?",
        unit=APPLICATIONS,
    )
    data_table.card(
        sheet,
        chart,
        key="funnel",
        on_open=open_list,
        viewer=view.viewer,
        more="by submission",
        bars=Bars(columns=["applications"], on_press=open_one),
    )


def _draw_apart(sheet: Sheet, view: ReportView) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Decisions by**", width="content")
            report_bar.choose_split(view.report)
            st.caption(f"{view.days} · UTC", width="content")
            st.space("stretch")
            data_table.download(sheet, key="apart-csv", take=view.viewer.take)
        if sheet.rows:
            data_table.table(sheet, key=f"apart-{sheet.name}", on_open=open_list)
        else:
            st.caption("Nothing was decided in this period.")


def _anything(head: Head) -> bool:
    arrived = any(step.submitted or step.open_then for step in head.flow.steps)
    return arrived or bool(head.decided.now.total or backlog.total(head.open_now))


def steps_sheet(head: Head, view: ReportView) -> Sheet:
    """Return the steps of the period."""
    steps, decided = head.flow.steps, head.decided.steps
    spans = buckets(view.period, view.grain)

    def drilldowns(kpi: Kpi) -> list[Filters | None]:
        return [drilldown(kpi.opens, span) for span in spans]

    columns = [
        SheetColumn(
            key="first_day_utc",
            label=f"{view.grain.capitalize()} from",
            kind=CellKind.DAY,
            cells=[step.start for step in steps],
        )
    ]
    for kpi, cells in (
        (kpis.SUBMITTED, [step.submitted for step in steps]),
        (kpis.DECIDED, [step.total for step in decided]),
        (kpis.APPROVED, [step.approved for step in decided]),
        (kpis.REJECTED, [step.rejected for step in decided]),
    ):
        columns.append(_counts(kpi, cells, drilldowns(kpi)))
    columns.append(
        SheetColumn(
            key="open",
            label="Open at its end",
            kind=CellKind.COUNT,
            cells=[step.open_then for step in steps],
            help=kpis.OPEN_THEN.definition,
            drilldowns=drilldowns(kpis.OPEN_THEN),
        )
    )
    return Sheet(name="applications", window=view.period, columns=tuple(columns))


def open_sheet(rows: Sequence[Open]) -> Sheet:
    """Return open applications by age, with a column for each state of the clock."""
    keys = [group.key for group in AGE_GROUPS]

    def behind(age: str, clock: Clock | None) -> Filters:
        return Filters(slice=Slice(scope=Scope.OPEN, age=age, clock=clock))

    states = [
        SheetColumn(
            key=str(clock),
            label=CLOCK_LABELS[clock].capitalize(),
            kind=CellKind.COUNT,
            cells=[backlog.total(rows, age=key, clock=clock) for key in keys],
            help=f"{kpis.OPEN_BY_CLOCK.definition} Here: {CLOCK_WORDS[clock]}.",
            drilldowns=[behind(key, clock) for key in keys],
            total=backlog.total(rows, clock=clock),
        )
        for clock in Clock
    ]
    age = SheetColumn(
        key="age",
        label="Age",
        kind=CellKind.TEXT,
        cells=[group.label for group in AGE_GROUPS],
        help=kpis.OPEN_BY_AGE.definition,
    )
    total = SheetColumn(
        key="open",
        label="Open",
        kind=CellKind.COUNT,
        cells=[backlog.total(rows, age=key) for key in keys],
        help=kpis.OPEN_BY_AGE.definition,
        drilldowns=[behind(key, None) for key in keys],
        total=backlog.total(rows),
    )
    return Sheet(name="open-applications", window=None, columns=(age, *states, total))


def funnel_sheet(stages: Mapping[str, int], view: ReportView) -> Sheet:
    """Return how many reached each stage, and their share of those submitted."""
    submitted = stages[funnel.SUBMITTED]
    of_all = Slice(scope=Scope.ALL, moment=Moment.SUBMITTED)
    drilldowns: list[Filters | None] = [drilldown(of_all, view.period)]
    for stage in Stage:
        reached = Slice(scope=Scope.ALL, moment=Moment.SUBMITTED, reached=stage)
        drilldowns.append(drilldown(reached, view.period))
    numbers = [submitted, *(stages[stage] for stage in Stage)]
    stage = SheetColumn(
        key="stage",
        label="Stage",
        kind=CellKind.TEXT,
        cells=list(STAGE_LABELS.values()),
        help=kpis.FUNNEL.definition,
    )
    number = SheetColumn(
        key="applications",
        label="Applications",
        kind=CellKind.COUNT,
        cells=numbers,
        help=kpis.FUNNEL.definition,
        drilldowns=drilldowns,
    )
    share = SheetColumn(
        key="share_of_submitted",
        label="Share of submitted",
        kind=CellKind.SHARE,
        cells=[Decimal(n) / submitted if submitted else None for n in numbers],
        help=kpis.FUNNEL_SHARE.definition,
        drilldowns=drilldowns,
    )
    return Sheet(name="funnel", window=view.period, columns=(stage, number, share))


def times_sheet(work: Work, head: Head, view: ReportView) -> Sheet:
    """Return first touch and decision: count, median, 90th percentile, and the previous period."""
    touch, decision = kpis.TIME_TO_TOUCH, kpis.TIME_TO_DECISION
    half = _of_both(touch, decision)
    nine = _of_both(kpis.TIME_TO_TOUCH_P90, kpis.TIME_TO_DECISION_P90)
    now, before = head.decided.now, head.decided.before
    then = report_bar.span(view.before)
    drilldowns = [drilldown(touch.opens, view.period), drilldown(decision.opens, view.period)]
    doors_before = [drilldown(touch.opens, view.before), drilldown(decision.opens, view.before)]
    columns = (
        SheetColumn(
            key="what",
            label="From submission to",
            kind=CellKind.TEXT,
            cells=["first touch by staff", "decision"],
        ),
        SheetColumn(
            key="applications",
            label="Applications",
            kind=CellKind.COUNT,
            cells=[work.touched.number, now.total],
            help=_of_both(kpis.TOUCHED, kpis.DECIDED),
            drilldowns=drilldowns,
        ),
        _hours(
            "median_hours",
            "Median",
            [work.touched.median_hours, now.median_hours],
            half,
            drilldowns,
        ),
        _hours(
            "p90_hours", "9 of 10 within", [work.touched.p90_hours, now.p90_hours], nine, drilldowns
        ),
        _hours(
            "median_hours_before",
            f"Median, {then}",
            [work.touched_before.median_hours, before.median_hours],
            half,
            doors_before,
        ),
        _hours(
            "p90_hours_before",
            f"9 of 10 within, {then}",
            [work.touched_before.p90_hours, before.p90_hours],
            nine,
            doors_before,
        ),
    )
    return Sheet(name="times", window=view.period, columns=columns)


def apart_sheet(work: Work, view: ReportView) -> Sheet:
    """Return the period's decisions by group, and submissions if they can be split."""
    split, period = view.report.split, view.period
    found = {row.key: row for row in work.apart}
    arrived = work.arrived
    later = sorted((key for key in arrived or {} if key not in found), key=str)
    apart = [*work.apart, *(Decided(key=key) for key in later)]
    key = SheetColumn(
        key=str(split),
        label=SPLIT_LABELS[split],
        kind=CellKind.TEXT,
        cells=[shown_key(split, row.key) for row in apart],
    )
    columns = [key]
    if arrived is not None:
        drilldowns = [behind(kpis.SUBMITTED, split, row.key, view) for row in apart]
        cells = [arrived.get(row.key, 0) for row in apart]
        columns.append(_counts(kpis.SUBMITTED, cells, drilldowns))
    columns += decided_columns(apart, split, view)
    return Sheet(name=f"decided-by-{split}", window=period, columns=tuple(columns))


def decided_columns(apart: list[Decided], split: Split, view: ReportView) -> list[SheetColumn]:
    """Return decided, approved, rate, overrides and times of each row."""

    def drilldowns(kpi: Kpi) -> list[Filters | None]:
        return [behind(kpi, split, row.key, view) for row in apart]

    def counts(kpi: Kpi, cells: list[int]) -> SheetColumn:
        return _counts(kpi, cells, drilldowns(kpi))

    rate = SheetColumn(
        key=kpis.APPROVAL_RATE.key,
        label=kpis.APPROVAL_RATE.name,
        kind=CellKind.SHARE,
        cells=[row.approval_rate for row in apart],
        help=kpis.APPROVAL_RATE.definition,
        drilldowns=drilldowns(kpis.APPROVAL_RATE),
    )
    on_time = SheetColumn(
        key=kpis.ON_TIME.key,
        label=kpis.ON_TIME.name,
        kind=CellKind.SHARE,
        cells=[row.on_time_rate for row in apart],
        help=f"{kpis.ON_TIME.definition} It opens those that were late.",
        drilldowns=drilldowns(kpis.ON_TIME),
    )
    return [
        counts(kpis.DECIDED, [row.total for row in apart]),
        counts(kpis.APPROVED, [row.approved for row in apart]),
        counts(kpis.REJECTED, [row.rejected for row in apart]),
        rate,
        counts(kpis.OVERRIDES, [row.overrides for row in apart]),
        on_time,
        _hours(
            "median_hours",
            "Median time",
            [row.median_hours for row in apart],
            kpis.TIME_TO_DECISION.definition,
            drilldowns(kpis.TIME_TO_DECISION),
        ),
        _hours(
            "p90_hours",
            "9 of 10 within",
            [row.p90_hours for row in apart],
            kpis.TIME_TO_DECISION_P90.definition,
            drilldowns(kpis.TIME_TO_DECISION_P90),
        ),
    ]


def behind(kpi: Kpi, split: Split, key: str, view: ReportView) -> Filters | None:
    """Return the drill-down list of a row's number; ``None`` if no address can express it."""
    whole = drilldown(kpi.opens, view.period)
    if whole is None:
        return None
    query = {**whole.to_query(), _QUERY[split]: key}
    found = Filters.from_query(query)
    return found if found.to_query().get(_QUERY[split]) == key else None


_QUERY = {
    Split.TRACK: "decided_track",
    Split.COUNTRY: "country",
    Split.PLATFORM: "platform",
    Split.REVIEWER: "reviewer",
}


def shown_key(split: Split, key: str) -> str:
    """Format a row's key for people."""
    if split is Split.TRACK:
        return "no track met" if key == NO_TRACK else TRACK_WORDS.get(key, key)
    if split is Split.REVIEWER:
        return lookups.named(key)
    return platform_label(key) if split is Split.PLATFORM else key


def _flow_chart(sheet: Sheet, view: ReportView) -> charts.Chart:
    starts: list[date] = list(sheet.cells("first_day_utc"))
    series = {
        "submitted": sheet.cells(kpis.SUBMITTED.key),
        "approved": sheet.cells(kpis.APPROVED.key),
        "rejected": sheet.cells(kpis.REJECTED.key),
    }
    return charts.lines(
        starts,
        series,
        title=f"How many arrive and are decided? By {view.grain}, UTC",
        unit=APPLICATIONS,
        ends=_ends(view),
    )


def _ends(view: ReportView) -> list[date]:
    """Return the exclusive ends of the period's steps."""
    return [span.end for span in buckets(view.period, view.grain)]


def _counts(kpi: Kpi, cells: list[int], drilldowns: list[Filters | None]) -> SheetColumn:
    return SheetColumn(
        key=kpi.key,
        label=kpi.name,
        kind=CellKind.COUNT,
        cells=cells,
        help=kpi.definition,
        drilldowns=drilldowns,
        total=sum(cells),
    )


def _hours(
    key: str,
    label: str,
    cells: list[Decimal | None],
    definition: str,
    drilldowns: list[Filters | None],
) -> SheetColumn:
    """Return times; the list behind one has every application it was computed from."""
    return SheetColumn(
        key=key,
        label=label,
        kind=CellKind.HOURS,
        cells=cells,
        help=definition,
        drilldowns=drilldowns,
    )


def _of_both(touch: Kpi, decision: Kpi) -> str:
    """Format a column's help if its first row is the first touch and its second decisions."""
    return f"First touch: {touch.definition} Decision: {decision.definition}"

"""Reviewers: decisions, overrides, speed, reopened decisions, and a comparison for managers."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from dashboard.pages.program import workload
from dashboard.pages.program.report_bar import ReportView, open_list, open_one
from dashboard.ui import data_table, lookups, stacked_charts, states
from dashboard.ui.data_table import Bars, CellKind, Sheet, SheetColumn
from data_access.reports.page import Reviewers
from data_access.reports.reviewers import Reviewed
from data_access.reports.speed import Decided
from program.reports import kpis
from program.reports.case_mix import LEAST_COMPARED, LEAST_OTHERS
from program.reports.periods import Split

MOST_DRAWN = 15
COMPARED = "Decisions on cases of which the others decided enough."
APPROVED = "Approved among the compared."
INTERVAL = "The 95 % interval of the share approved: what chance alone may make of it."
EXPECTED = "The share of the same cases that the others approved, in this reviewer's mix."


def draw(part: Reviewers, view: ReportView) -> None:
    """Draw a chart of decisions by reviewer, and the table."""
    sheet = reviewers_sheet(part, view)
    if not sheet.rows:
        states.empty(f"No application was decided or reopened, {view.days} UTC.")
        return
    drawn = slice(0, MOST_DRAWN)
    some = "" if sheet.rows <= MOST_DRAWN else f"; the first {MOST_DRAWN} of {sheet.rows}"
    chart = stacked_charts.across(
        sheet.cells("reviewer")[drawn],
        {
            "approved": sheet.cells(kpis.APPROVED.key)[drawn],
            "rejected": sheet.cells(kpis.REJECTED.key)[drawn],
        },
        title=f"Decisions by reviewer{some}",
        unit="applications",
        colors_from=1,
    )
    data_table.card(
        sheet,
        chart,
        key="reviewers-chart",
        on_open=open_list,
        viewer=view.viewer,
        bars=Bars(columns=[kpis.APPROVED.key, kpis.REJECTED.key], on_press=open_one),
    )
    data_table.listing(
        sheet,
        "Reviewers",
        key="reviewers",
        on_open=open_list,
        take=view.viewer.take,
        more=f"{part.reopened.get(None, 0):,} reopened in all",
    )
    st.caption(f"Reopened: {kpis.REOPENED.definition} Overrides: {kpis.OVERRIDES.definition}")
    if part.compared:
        _draw_compared(part.compared, view)


def _draw_compared(rows: Sequence[Reviewed], view: ReportView) -> None:
    """Draw approval rates beside what the others approved of such cases."""
    data_table.listing(
        compared_sheet(rows, view),
        "Approvals beside those of the others, on the same cases",
        key="case-mix",
        on_open=open_list,
        take=view.viewer.take,
        more="for managers",
    )
    st.caption(ABOUT)


ABOUT = (
    "Expected is what the others approved of cases with the same eligibility and track at the "
    f"decision, in each one's own mix; a case counts if others decided {LEAST_OTHERS} of it, and "
    f"below {LEAST_COMPARED} such decisions there is no comparison. If nobody differed, one in "
    "twenty would still lie outside their interval (Wilson, 95 %). Eligibility and track are not "
    "all that makes a case, so a difference is a question to ask and no judgment of a person."
)


def compared_sheet(rows: Sequence[Reviewed], view: ReportView) -> Sheet:
    """Return a row per reviewer, by name."""
    found = [row.compared for row in rows]

    def share(key: str, label: str, help_: str, cells: list[Decimal | None]) -> SheetColumn:
        return SheetColumn(key=key, label=label, kind=CellKind.SHARE, cells=cells, help=help_)

    def counts(key: str, label: str, help_: str, cells: list[int]) -> SheetColumn:
        return SheetColumn(key=key, label=label, kind=CellKind.COUNT, cells=cells, help=help_)

    columns = (
        SheetColumn(
            key="reviewer",
            label="Reviewer",
            kind=CellKind.TEXT,
            cells=[lookups.named(one.reviewer) for one in found],
        ),
        counts("decided", "Decided", kpis.DECIDED.definition, [one.decided for one in found]),
        SheetColumn(
            key="median_hours",
            label="Median time",
            kind=CellKind.HOURS,
            cells=[row.median_hours for row in rows],
            help=kpis.TIME_TO_DECISION.definition,
        ),
        counts("compared", "Compared", COMPARED, [one.compared for one in found]),
        share("approval_rate", "Approved", APPROVED, [one.rate for one in found]),
        share("interval_from", "From", INTERVAL, [one.low for one in found]),
        share("interval_to", "To", INTERVAL, [one.high for one in found]),
        share("expected_rate", "Expected", EXPECTED, [one.expected for one in found]),
        SheetColumn(
            key="reading",
            label="Reading",
            kind=CellKind.TEXT,
            cells=[str(one.reading) for one in found],
            help="Whether chance explains how far the rate is from the expected one.",
        ),
    )
    return Sheet(name="reviewers-on-the-same-cases", window=view.period, columns=columns)


def reviewers_sheet(part: Reviewers, view: ReportView) -> Sheet:
    """Return a row per reviewer, most decisions first; includes those with only reopened ones."""
    known = {row.key for row in part.decided}
    only_reopened = sorted(key for key in part.reopened if key is not None and key not in known)
    people = [*part.decided, *(Decided(key=key) for key in only_reopened)]
    drilldowns = [workload.behind(kpis.REOPENED, Split.REVIEWER, row.key, view) for row in people]
    reviewer = SheetColumn(
        key="reviewer",
        label="Reviewer",
        kind=CellKind.TEXT,
        cells=[lookups.named(row.key) for row in people],
    )
    reopened = SheetColumn(
        key=kpis.REOPENED.key,
        label=kpis.REOPENED.name,
        kind=CellKind.COUNT,
        cells=[part.reopened.get(row.key, 0) for row in people],
        help=kpis.REOPENED.definition,
        drilldowns=drilldowns,
    )
    columns = workload.decided_columns(people, Split.REVIEWER, view)
    return Sheet(
        name="reviewers",
        window=view.period,
        columns=(reviewer, *columns[:-2], reopened, *columns[-2:]),
    )

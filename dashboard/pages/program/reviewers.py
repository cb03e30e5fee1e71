"""Reviewers: decisions, overrides, speed, and reopened decisions."""

import streamlit as st

from dashboard.pages.program import workload
from dashboard.pages.program.report_bar import ReportView, open_list
from dashboard.ui import data_table, stacked_charts, states
from dashboard.ui.data_table import CellKind, Sheet, SheetColumn
from data_access.reports.page import Reviewers
from data_access.reports.speed import Decided
from program.reports import kpis
from program.reports.periods import Split

MOST_DRAWN = 15


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
        take=view.take,
    )
    data_table.listing(
        sheet,
        "Reviewers",
        key="reviewers",
        on_open=open_list,
        take=view.take,
        more=f"{part.reopened.get(None, 0):,} reopened in all",
    )
    st.caption(f"Reopened: {kpis.REOPENED.definition} {kpis.OVERRIDES.definition}")


def reviewers_sheet(part: Reviewers, view: ReportView) -> Sheet:
    """Return a row per reviewer, most decisions first; includes those with only reopened ones."""
    known = {row.key for row in part.decided}
    only_reopened = sorted(key for key in part.reopened if key is not None and key not in known)
    people = [*part.decided, *(Decided(key=key) for key in only_reopened)]
    drilldowns = [workload.behind(kpis.REOPENED, Split.REVIEWER, row.key, view) for row in people]
    reviewer = SheetColumn(
        key="reviewer", label="Reviewer", kind=CellKind.TEXT, cells=[row.key for row in people]
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

"""Per reviewer: what they decided, against which advice, how fast, and what was taken back."""

import streamlit as st

from dashboard.components import sheets, stacks, states
from dashboard.components.sheets import Column, Kind, Sheet
from dashboard.forms import work_part
from dashboard.forms.report_form import Asked, open_list
from data_access.kpis.parts import Reviewers
from data_access.kpis.speed import Decided
from program import kpis
from program.reports import Split

MOST_DRAWN = 15


def draw(part: Reviewers, asked: Asked) -> None:
    """A chart of who decided how much, and the table."""
    sheet = reviewers_sheet(part, asked)
    if not sheet.rows:
        states.empty(f"Nobody decided an application and none was reopened, {asked.days} UTC.")
        return
    drawn = slice(0, MOST_DRAWN)
    some = "" if sheet.rows <= MOST_DRAWN else f"; the first {MOST_DRAWN} of {sheet.rows}"
    chart = stacks.across(
        sheet.cells("reviewer")[drawn],
        {
            "approved": sheet.cells(kpis.APPROVED.key)[drawn],
            "rejected": sheet.cells(kpis.REJECTED.key)[drawn],
        },
        title=f"Who decided how many?{some}",
        unit="applications",
        colours_from=1,
    )
    sheets.card(
        sheet,
        chart,
        key="reviewers-chart",
        on_open=open_list,
        take=asked.take,
    )
    sheets.listing(
        sheet,
        "Reviewers",
        key="reviewers",
        on_open=open_list,
        take=asked.take,
        more=f"{part.reopened.get(None, 0):,} reopened in all",
    )
    st.caption(f"Reopened: {kpis.REOPENED.definition} {kpis.OVERRIDES.definition}")


def reviewers_sheet(part: Reviewers, asked: Asked) -> Sheet:
    """A row a reviewer, the most decided first; also who only had decisions taken back."""
    known = {row.key for row in part.decided}
    only_reopened = sorted(key for key in part.reopened if key is not None and key not in known)
    people = [*part.decided, *(Decided(key=key) for key in only_reopened)]
    doors = [work_part.behind(kpis.REOPENED, Split.REVIEWER, row.key, asked) for row in people]
    reviewer = Column(
        key="reviewer", label="Reviewer", kind=Kind.TEXT, cells=[row.key for row in people]
    )
    reopened = Column(
        key=kpis.REOPENED.key,
        label=kpis.REOPENED.name,
        kind=Kind.COUNT,
        cells=[part.reopened.get(row.key, 0) for row in people],
        help=kpis.REOPENED.definition,
        doors=doors,
    )
    columns = work_part.decided_columns(people, Split.REVIEWER, asked)
    return Sheet(
        name="reviewers",
        window=asked.period,
        columns=(reviewer, *columns[:-2], reopened, *columns[-2:]),
    )

"""The report of an import, before or after loading: figures, a table, and a file."""

from collections.abc import Iterator

import streamlit as st

from dashboard.pages.imports import tables
from dashboard.pages.imports.tables import ReportLine
from dashboard.ui.safe_text import escape
from data_access.loading import form_reports
from data_access.loading.forms import FormRow, Outcome
from data_access.loading.imports import BLANK, CLEANED, Report

SHOWN = 1_000
ICONS = {
    Outcome.NEW: ":green[:material/check:]",
    Outcome.CHANGED: ":green[:material/edit:]",
    Outcome.SAME: ":gray[:material/equal:]",
    Outcome.ONCE: ":gray[:material/filter_1:]",
    Outcome.KEPT: ":orange[:material/pending_actions:]",
    Outcome.WAITING: ":orange[:material/hourglass_empty:]",
    Outcome.SETTLED: ":gray[:material/done_all:]",
}


def draw(report: Report, *, stem: str, key: str) -> None:
    """Draw counts by outcome, then the rows; the chosen outcomes filter only the table."""
    st.markdown(_counts(report))
    if report.remarks:
        st.caption(escape(" ".join(report.remarks)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _choice(report, key)
        st.space("stretch")
        st.download_button(
            "Report as CSV",
            lambda: form_reports.as_csv(report),
            file_name=f"{stem}-report.csv",
            mime="text/csv",
            icon=":material/download:",
            key=f"{key}-file",
            on_click="ignore",
        )
    lines = [line for row in report.rows if _is_shown(row, chosen) for line in _lines(row)]
    tables.report(lines[:SHOWN])
    st.caption(f"{min(len(lines), SHOWN):,} of {len(lines):,} lines. The file has every row.")


def _counts(report: Report) -> str:
    parts = [
        f"{ICONS[outcome]} **{report.count(outcome):,}** {outcome}"
        for outcome in Outcome
        if report.count(outcome)
    ]
    if report.counts.get(CLEANED):
        parts.append(f"{report.counts[CLEANED]:,} cleaned")
    if report.counts.get(BLANK):
        parts.append(f"{report.counts[BLANK]:,} blank, skipped")
    return " · ".join(parts) or "No rows"


def _choice(report: Report, key: str) -> str | None:
    options = [str(outcome) for outcome in Outcome if report.count(outcome)]
    if report.counts.get(CLEANED):
        options.append(CLEANED)
    if len(options) < 2:
        return None
    chosen: str | None = st.pills("Show only", options, key=f"{key}-only")
    return chosen


def _is_shown(row: FormRow, chosen: str | None) -> bool:
    if chosen == CLEANED:
        return bool(row.remarks) and not row.problems and row.outcome is not Outcome.ONCE
    return chosen is None or row.outcome == chosen


def _lines(row: FormRow) -> Iterator[ReportLine]:
    for problem in row.problems:
        yield ReportLine(
            row=row.row,
            outcome=str(row.outcome),
            field=problem.field,
            value=problem.value,
            wrong=problem.wrong,
            remedy=problem.remedy,
        )
    if not row.problems:
        yield ReportLine(
            row=row.row,
            outcome=str(row.outcome),
            wrong="; ".join(row.remarks),
            application_id=row.application_id,
        )

"""Export what is shown: links, running exports, and the log."""

from uuid import UUID

import streamlit as st

from dashboard.shell import browsers, export_links, sign_in
from dashboard.shell.export_links import Promise
from dashboard.ui import figures, grid, lookups, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.exports import jobs as export_jobs
from data_access.exports import log
from data_access.exports.jobs import Shown
from data_access.people.staff import Person
from program.reports import export_formats
from program.reports.export_formats import (
    CSV_FORMS,
    FORMAT_WORDS,
    Ending,
    FileFormat,
    Form,
    too_many_rows,
)
from program.reports.views import View
from program.review.permissions import Act

POLL_EVERY = "2s"
LOG_ROWS_SHOWN = 10
FORMS: tuple[tuple[str, Form, str], ...] = (
    *CSV_FORMS,
    ("CSV, compressed", Form(gzip=True), "The same as .csv.gz."),
    (
        FORMAT_WORDS[FileFormat.XLSX],
        Form(file_format=FileFormat.XLSX),
        "Typed cells, and a second sheet that describes the export.",
    ),
    (
        FORMAT_WORDS[FileFormat.PARQUET],
        Form(file_format=FileFormat.PARQUET),
        "For analysis: exact decimals, text unaltered.",
    ),
)
ENDING_ICONS = {
    Ending.COMPLETE: ":material/check:",
    Ending.CANCELLED: ":material/cancel:",
    Ending.FAILED: ":material/error:",
}


def draw(view: View, total: int, person: Person, *, view_name: str | None) -> None:
    """Draw a link for each format, or why a format cannot hold so many rows."""
    if not person.may(Act.EXPORT):
        return
    with st.popover("Export", icon=":material/download:", type="primary", key="explore-export"):
        st.caption(
            f"Exports exactly what is shown: all {figures.count(total)} rows, in these columns "
            "and this "
            "order. A link works for 15 minutes, in this browser."
        )
        if view.across is not None:
            st.caption(export_formats.PIVOT_IN_FILES)
        for label, form, words in FORMS:
            refused = too_many_rows(total, form.file_format)
            if refused is not None:
                st.caption(f":material/block: {label}: {refused}")
                continue
            promise = Promise(
                email=person.email,
                role=person.role,
                query=view.on_page(1).to_query(),
                form=form,
                view_name=view_name,
                expected=total,
            )
            browser = dict(st.context.cookies).get(browsers.MARK_COOKIE, "")
            st.link_button(
                label,
                export_links.view_link(promise, view.dataset.key, browser=browser),
                icon=":material/download:",
                help=words,
                width="stretch",
            )


@st.fragment(run_every=POLL_EVERY)
def draw_running(person: Person) -> None:
    """Draw the person's running and just ended exports, as a fragment that refreshes."""
    jobs = export_jobs.of(person.email)
    if not jobs:
        return
    sign_in.stay(person.email)
    with st.container(key="explore-running", gap="xxsmall"):
        for job in jobs:
            with st.container(
                horizontal=True, vertical_alignment="center", key=f"export-{job.job_id.hex}"
            ):
                _error(job, person)


def _error(job: Shown, person: Person) -> None:
    if job.ending is None:
        _running(job, person)
        return
    icon = ENDING_ICONS[job.ending]
    st.caption(f"{icon} {job.file_name}: {escape(job.sentence)}", width="content")


def _running(job: Shown, person: Person) -> None:
    expected = max(job.expected or 0, job.rows)
    of = f" of {figures.count(job.expected)}" if job.expected else ""
    progress = f"{job.file_name}: {figures.count(job.rows)}{of} rows"
    if not job.rows:
        progress += ", starting or waiting for its turn"
    elif job.rows == job.expected:
        progress += " written, handing over"
    st.progress(job.rows / expected if expected else 0.0, text=progress, width=420)
    st.button(
        "Cancel",
        key=f"export-cancel-{job.job_id.hex}",
        type="tertiary",
        icon=":material/close:",
        on_click=_cancel,
        args=[job.job_id, person.email],
    )


def _cancel(job_id: UUID, actor: str) -> None:
    export_jobs.cancel(job_id, actor=actor)


def draw_log(person: Person) -> None:
    """Draw the button that opens the log, for those who may see it."""
    if person.may(Act.SEE_EXPORTS):
        st.button(
            "Export log",
            key="export-log",
            icon=":material/history:",
            type="tertiary",
            on_click=_ask_for_log,
        )
        if state.take("export-log"):
            _log(person)


def _ask_for_log() -> None:
    state.keep("export-log", "asked")


@st.dialog("Who exported what", width="large", icon=":material/history:")
def _log(person: Person) -> None:
    lines = log.log(database.reader(), viewer=person.email)
    if not lines:
        st.caption("There are no exports yet.")
        return
    st.caption(f"The newest {len(lines):,}. Times in UTC; rows are those exported.")
    grid.draw(
        {
            "When": grid.moment("When", [line.exported_at for line in lines]),
            "Who": grid.text("Who", [lookups.named(line.exported_by) for line in lines]),
            "Dataset": grid.text("Dataset", [line.dataset for line in lines]),
            "Rows": grid.whole("Rows", [line.row_count for line in lines]),
            "Format": grid.text("Format", [line.file_format for line in lines]),
            "Ended": grid.text("Ended", [str(line.outcome) for line in lines]),
            "View": grid.text("View", [line.view_name or figures.DASH for line in lines]),
            "Filters and order": grid.text(
                "Filters and order", [_words(line.filters) for line in lines]
            ),
            "Columns": grid.text("Columns", [", ".join(line.columns) for line in lines]),
        },
        key="export-log-table",
        alt="Who exported what",
        most_high=LOG_ROWS_SHOWN,
    )


def _words(filters: dict[str, object]) -> str:
    kept = {name: value for name, value in filters.items() if name not in ("columns", "chart")}
    return "; ".join(f"{name}: {_plain(value)}" for name, value in kept.items()) or "all rows"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""Rows that imports kept: each is corrected and loaded, or dismissed with a reason."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.pages.imports.field_map import COLUMNS
from dashboard.ui import figures, state, states
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import NotFound, NotInState
from data_access.loading import form_map, form_maps, kept_rows
from data_access.loading.form_map import FormMap
from data_access.loading.kept_rows import DismissRows, KeptRow, RetryRows
from data_access.people.commands import CommandT, ResultT, Verb
from data_access.people.staff import Person

ALL = "kept-rows"
OWN = "the map of its import"


def draw(person: Person) -> None:
    """Draw all waiting rows, oldest first."""
    with database.reading(database.reader()) as connection:
        listed, total = kept_rows.listed(connection)
        maps = {one.name: one for one in form_maps.listed(connection)}
    submit.draw(ALL)
    if not listed:
        states.empty(
            "No rows are waiting. Rows that an import cannot load are kept here until you "
            "correct or dismiss them."
        )
        return
    st.caption(f"{len(listed):,} of {total:,} rows that could not be loaded, the oldest first.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox("Read with", [OWN, *maps], key="kept-map", width=280)
        read_by = form_map.parse(maps[name].content, name) if name in maps else None
        ids = [row.row_id for row in listed]
        sending.button(
            f"Try all {len(listed):,} again" if len(listed) > 1 else "Try it again",
            form=ALL,
            key=state.form_key(ALL, "retry"),
            act=_retry_all,
            args=[person.email, ids, read_by, state.request_id(ALL)],
            sends=(ids, name),
            icon=":material/refresh:",
            help="Retry after their accounts are loaded, or with a map that has their values.",
        )
    for row in listed:
        _draw_row(row, read_by, person)


def _form(row: KeptRow) -> str:
    return f"kept-row-{row.row_id}"


def _draw_row(row: KeptRow, read_by: FormMap | None, person: Person) -> None:
    form = _form(row)
    with st.expander(_label(row), icon=":material/pending_actions:"):
        submit.draw(form)
        for problem in row.problems:
            where = f"**{escape(problem.field)}** " if problem.field else ""
            st.markdown(f"{where}{escape(problem.reason)}.")
        with st.form(form, border=False):
            _fields(row, form)
            sending.form_button(
                "Correct and load",
                form=form,
                key=state.form_key(form, "load"),
                act=_correct,
                args=[person.email, row, read_by, state.request_id(form)],
                icon=":material/upload:",
            )
        _dismissing(row, form, person)


def _label(row: KeptRow) -> str:
    wrong = ", ".join(dict.fromkeys(problem.field or "shape" for problem in row.problems))
    when = figures.moment(row.kept_at)
    return f"Row {row.row_number:,} of {escape(row.file_name)} · {escape(wrong)} · {when}"


def _fields(row: KeptRow, form: str) -> None:
    """Draw a field for each cell that the import uses."""
    places = st.columns(4)
    read = [(column, row.columns[column]) for column in COLUMNS if column in row.columns]
    for at, (column, field) in enumerate(read):
        index = row.header.index(field)
        label = COLUMNS.get(column, column).removesuffix(" *")
        places[at % 4].text_input(
            f"{label} ({escape(field)})",
            value=row.cells[index] if index < len(row.cells) else "",
            key=state.form_key(form, column),
        )


def _dismissing(row: KeptRow, form: str, person: Person) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Reason for dismissing (internal)",
            max_chars=kept_rows.LONGEST_REASON,
            key=state.form_key(form, "reason"),
            width=420,
        )
        sending.button(
            "Dismiss",
            form=form,
            key=state.form_key(form, "dismiss"),
            act=_dismiss,
            args=[person.email, row, state.request_id(form)],
            icon=":material/delete:",
        )


def _corrected(row: KeptRow, request_id: UUID) -> Sequence[str]:
    """Return the row's cells with what was typed; missing cells are added."""
    cells = [*row.cells, *[""] * (len(row.header) - len(row.cells))][: len(row.header)]
    for column, field in row.columns.items():
        typed = state.entered(_form(row), column, request_id)
        if typed is not None:
            cells[row.header.index(field)] = typed
    return cells


def _correct(actor: str, row: KeptRow, read_by: FormMap | None, request_id: UUID) -> None:
    form = _form(row)
    command = RetryRows(
        row_ids=[row.row_id],
        cells={row.row_id: _corrected(row, request_id)},
        read_by=read_by,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    result = _submit(form, command, kept_rows.retry)
    if result is None:
        return
    if result[0]:
        submit.accepted(ALL, f"Row {row.row_number:,} is loaded.")
    else:
        submit.refused(
            form, "The correction is saved, but the row still cannot be loaded. See below."
        )


def _dismiss(actor: str, row: KeptRow, request_id: UUID) -> None:
    form = _form(row)
    command = DismissRows(
        row_ids=[row.row_id],
        reason=state.entered(form, "reason", request_id) or "",
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if _submit(form, command, kept_rows.dismiss) is not None:
        submit.accepted(ALL, f"Row {row.row_number:,} is dismissed; the reason is on record.")


def _retry_all(
    actor: str, row_ids: Sequence[int], read_by: FormMap | None, request_id: UUID
) -> None:
    command = RetryRows(
        row_ids=row_ids,
        read_by=read_by,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    result = submit.submit(ALL, command, kept_rows.retry)
    if result is not None:
        loaded, kept = result
        submit.accepted(ALL, f"{loaded:,} loaded, {kept:,} still kept.")


def _submit(form: str, command: CommandT, verb: Verb[CommandT, ResultT]) -> ResultT | None:
    try:
        return submit.submit(form, command, verb, raises=(NotFound, NotInState))
    except (NotFound, NotInState) as refusal:
        # A row that somebody else settled is no longer in the list.
        submit.refused(ALL, str(refusal))
        return None

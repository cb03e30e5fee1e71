"""Load a form export row by row, setting bad rows aside.

The rows take the same way as those of a load (`calls`, `merging`); what would refuse a whole load
sets a row aside here.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from data_access.loading import applications, calls, merging
from data_access.loading.airtable import Export
from data_access.loading.arrival import Arrived, Merged
from data_access.loading.calls import Call, Progress
from data_access.loading.form_map import FormMap
from data_access.loading.form_text import Line
from data_access.loading.kinds import KINDS
from data_access.loading.problems import Kept, Notice, Problem, Problems
from data_access.loading.sources import Source


class Outcome(StrEnum):
    """The result for a row of a form export."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "already there"
    ONCE = "counted once"
    KEPT = "kept for later"
    WAITING = "already kept"
    SETTLED = "settled earlier"


GOOD = (Outcome.NEW, Outcome.CHANGED, Outcome.SAME, Outcome.ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """A problem in a row: the form's field, its value, and why it is refused."""

    field: str
    value: str
    reason: str

    @property
    def wrong(self) -> str:
        """What is wrong."""
        return self.reason.partition("; ")[0]

    @property
    def remedy(self) -> str:
        """What to do about it."""
        remedy = self.reason.partition("; ")[2]
        return remedy[:1].upper() + remedy[1:] or "Correct it"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """A row and its result. ``row`` counts as a spreadsheet does; the header is row 1."""

    row: int
    line: int
    outcome: Outcome
    cells: tuple[str, ...] = ()
    application_id: int | None = None
    problems: tuple[RowProblem, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A whole export: its fields, its rows in order, and remarks on the file itself."""

    header: tuple[str, ...]
    columns: Mapping[str, str]
    rows: tuple[FormRow, ...]
    remarks: tuple[str, ...]
    rows_blank: int
    load_id: int | None


def _ignore(_done: int, _total: int) -> None:
    pass


def take(
    connection: Connection,
    source: Source,
    form_map: FormMap,
    *,
    now: datetime,
    write: bool,
    progress: Progress | None = None,
) -> Taken:
    """Load the good rows of an export and return the result of every row.

    Without ``write`` it returns the results that loading would have, without waiting for locks;
    the caller rolls back. Raises LoadRefused if the file as a whole cannot be loaded.
    """
    export = Export(form_map, remember=True)
    problems = Problems(keeping=True)
    call = calls.begin(connection, KINDS["applications"], problems, now=now, export=export)
    calls.stage_all(call, [source], progress or _ignore)
    calls.refuse(call)
    arrival = calls.arrival(call, [source])
    load_id = None
    if write:
        merging.wait_for_turn(connection)
        merged = merging.merge(arrival)
        load_id = calls.keep_record(call, KINDS["applications"], [source], merged)
    else:
        applications.judge(arrival, hold=False)
        merged = Merged(inserted=0, updated=0, rows=applications.arrived(arrival))
    calls.advise(call)
    return Taken(
        header=storable(export.header),
        columns={column: export.field_of(column) for column in export.places},
        rows=tuple(_rows(call, export, merged.rows)),
        remarks=tuple(
            f"{source.name} {notice.reason}."
            for notice in problems.notices
            if notice.kept is Kept.FILE
        ),
        rows_blank=call.rows_blank,
        load_id=load_id,
    )


def _rows(call: Call, export: Export, arrived: tuple[Arrived, ...]) -> list[FormRow]:
    wrong: dict[int, list[RowProblem]] = defaultdict(list)
    for problem in call.problems.found:
        wrong[problem.line or 0].append(_row_problem(problem, export))
    notices: dict[int, list[Notice]] = defaultdict(list)
    for notice in call.problems.notices:
        notices[notice.line or 0].append(notice)
    good = {row.line: row for row in arrived}
    return [
        _row(line, good.get(line.line), wrong[line.line], notices[line.line], export)
        for line in export.lines.values()
    ]


def _row(
    line: Line,
    arrived: Arrived | None,
    wrong: list[RowProblem],
    notices: list[Notice],
    export: Export,
) -> FormRow:
    made = FormRow(
        row=line.row,
        line=line.line,
        outcome=Outcome.KEPT,
        cells=storable(line.cells),
        problems=tuple(wrong),
        remarks=tuple(_sentence(notice, export) for notice in notices),
    )
    if wrong:
        return made
    if arrived is None:
        return replace(made, outcome=Outcome.ONCE)
    return replace(made, outcome=Outcome(arrived.outcome), application_id=arrived.application_id)


def storable(cells: Sequence[str]) -> tuple[str, ...]:
    """Return texts that Postgres can store: without NUL and surrogates."""
    return tuple(cell.replace("\0", "\ufffd").encode("utf-8", "replace").decode() for cell in cells)


def _row_problem(problem: Problem, export: Export) -> RowProblem:
    column = problem.column or ""
    value, reason = storable((problem.value or "", _by_rows(problem.reason, export)))
    return RowProblem(
        field=export.field_of(column) if column else "",
        value=value,
        reason=reason,
    )


def _sentence(notice: Notice, export: Export) -> str:
    field = export.field_of(notice.column or "")
    if notice.kept is Kept.CLEANED:
        return f"{field} {notice.reason}"
    return _by_rows(notice.reason, export)


def _by_rows(reason: str, export: Export) -> str:
    """Replace line numbers in the reason by the spreadsheet's row numbers."""

    def row(place: re.Match[str]) -> str:
        line = export.lines.get(int(place[1].replace(",", "")))
        return f"row {line.row:,}" if line else place[0]

    return re.sub(r"\bline ([0-9,]*[0-9])\b", row, reason)

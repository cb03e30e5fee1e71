"""Rows of forms that could not be loaded, kept until somebody loads or dismisses them."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from data_access.db import tables, text_rules
from data_access.db.errors import NotFound, NotInState
from data_access.loading import form_map, forms
from data_access.loading.form_map import FormMap
from data_access.loading.forms import GOOD, FormRow, Outcome, RowProblem, Taken
from data_access.loading.sources import Source
from data_access.people import commands, staff
from data_access.people.commands import Command
from program.review.permissions import Act

LONGEST_REASON = 500
LISTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRow:
    """A waiting row. ``cells`` belong to ``header``; only ``fields`` of them are used."""

    row_id: int
    import_id: int
    file_name: str
    row_number: int
    header: tuple[str, ...]
    columns: Mapping[str, str]
    cells: tuple[str, ...]
    problems: tuple[RowProblem, ...]
    kept_at: datetime


def listed(connection: Connection, *, most: int = LISTED) -> tuple[list[KeptRow], int]:
    """Return the waiting rows, oldest import first, and their total."""
    kept = tables.kept_rows
    waiting = kept.c.state == "kept"
    found = connection.execute(
        _selected().where(waiting).order_by(kept.c.import_id, kept.c.row_number).limit(most)
    ).all()
    total = connection.execute(select(func.count()).select_from(kept).where(waiting)).scalar_one()
    return [_kept(row) for row in found], total


def fingerprint(header: Sequence[str], cells: Sequence[str]) -> str:
    """Return a hash that identifies a row in any file."""
    return sha256(json.dumps([list(header), list(cells)]).encode()).hexdigest()


def settle_known(connection: Connection, taken: Taken) -> list[FormRow]:
    """Return the rows, marking those that an earlier import kept or that were settled since."""
    prints = {
        fingerprint(taken.header, row.cells): row
        for row in taken.rows
        if row.outcome is Outcome.KEPT
    }
    known, names = _known(connection, list(prints)), staff.names(connection)
    return [
        _mark_known(row, known.get(fingerprint(taken.header, row.cells)), names)
        if row.outcome is Outcome.KEPT
        else row
        for row in taken.rows
    ]


def keep(
    connection: Connection, import_id: int, header: Sequence[str], rows: Sequence[FormRow]
) -> None:
    """Keep the rows that could not be loaded, each once."""
    kept = {fingerprint(header, row.cells): row for row in rows if row.outcome is Outcome.KEPT}
    if kept:
        connection.execute(
            insert(tables.kept_rows),
            [
                {
                    "import_id": import_id,
                    "row_number": row.row,
                    "fingerprint": mark,
                    "cells": list(row.cells),
                    "problems": problems_as_json(row.problems),
                    "state": "kept",
                }
                for mark, row in kept.items()
            ],
        )


def settle_loaded(
    connection: Connection, header: Sequence[str], rows: Sequence[FormRow], command: Command
) -> None:
    """Settle kept rows that came again and were loaded now, with a better map or file."""
    good = {fingerprint(header, row.cells): row for row in rows if row.outcome in GOOD}
    kept = tables.kept_rows
    waiting = connection.execute(
        select(kept.c.row_id, kept.c.fingerprint)
        .where(kept.c.state == "kept", kept.c.fingerprint.in_(list(good)))
        .with_for_update()
    ).all()
    for row_id, mark in waiting:
        _settle(connection, row_id, command, "loaded", good[mark].application_id, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRows(Command):
    """Retry kept rows, with corrected ``cells``.

    ``read_by`` is a map other than the import's.
    """

    act: ClassVar[Act] = Act.IMPORT
    loads: ClassVar[bool] = True
    row_ids: Sequence[int]
    cells: Mapping[int, Sequence[str]] = field(default_factory=dict)
    read_by: FormMap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissRows(Command):
    """Dismiss rows, with the reason on record."""

    act: ClassVar[Act] = Act.IMPORT
    row_ids: Sequence[int]
    reason: str


def retry(engine: Engine, command: RetryRows) -> tuple[int, int]:
    """Retry kept rows; returns how many loaded, and how many did not.

    Rows that still cannot be loaded are kept as corrected. Raises NotAllowed, NotFound,
    RequestReused, or NotInState if somebody settled one in the meantime.
    """
    cells = {row_id: forms.storable(typed) for row_id, typed in command.cells.items()}
    command = replace(command, cells=cells)

    def do(connection: Connection) -> int:
        rows = _claimed(connection, command.row_ids)
        loaded = 0
        for import_id in sorted({row.import_id for row in rows}):
            of_one = [
                replace(row, cells=cells.get(row.row_id, row.cells))
                for row in rows
                if row.import_id == import_id
            ]
            read_by = command.read_by or _map_of(connection, import_id)
            with connection.begin_nested():
                loaded += _load(connection, of_one, read_by, command)
        return loaded

    loaded = commands.perform(engine, command, do)
    return loaded, len(set(command.row_ids)) - loaded


def dismiss(engine: Engine, command: DismissRows) -> int:
    """Dismiss rows; returns how many.

    Raises NotAllowed, Invalid, NotFound, RequestReused, or NotInState if somebody settled one in
    the meantime.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)

    def do(connection: Connection) -> int:
        rows = _claimed(connection, command.row_ids)
        for row in rows:
            _settle(connection, row.row_id, command, "dismissed", None, {"reason": reason})
        return len(rows)

    return commands.perform(engine, command, do)


def problems_as_json(problems: Sequence[RowProblem]) -> list[dict[str, str]]:
    """Return problems as they are stored."""
    return [asdict(problem) for problem in problems]


def _selected() -> Any:  # noqa: ANN401 - a select of all that a kept row shows
    kept, made = tables.kept_rows, tables.form_imports
    return select(
        kept,
        made.c.file_name,
        made.c.header,
        made.c.report["columns"].label("columns"),
        made.c.imported_at,
    ).join_from(kept, made, made.c.import_id == kept.c.import_id)


def _kept(row: Row[Any]) -> KeptRow:
    return KeptRow(
        row_id=row.row_id,
        import_id=row.import_id,
        file_name=row.file_name,
        row_number=row.row_number,
        header=tuple(row.header),
        columns=row.columns,
        cells=tuple(row.cells),
        problems=tuple(RowProblem(**problem) for problem in row.problems),
        kept_at=row.imported_at,
    )


def _known(connection: Connection, prints: list[str]) -> dict[str, Row[Any]]:
    """Return the newest stored row for each fingerprint."""
    kept = tables.kept_rows
    found = connection.execute(
        select(kept)
        .ext(distinct_on(kept.c.fingerprint))
        .where(kept.c.fingerprint.in_(prints))
        .order_by(kept.c.fingerprint, kept.c.row_id.desc())
    )
    return {row.fingerprint: row for row in found}


def _mark_known(row: FormRow, known: Row[Any] | None, names: Mapping[str, str]) -> FormRow:
    if known is None:
        return row
    if known.state == "kept":
        sentence = f"Import {known.import_id:,} keeps this row; correct it there"
        return replace(row, outcome=Outcome.WAITING, remarks=(sentence,))
    day = f"{known.settled_at:%-d %b %Y}"
    who = names.get(known.settled_by, known.settled_by)
    sentence = f"{known.state.capitalize()} by {who} on {day}"
    return replace(
        row,
        outcome=Outcome.SETTLED,
        application_id=known.application_id,
        remarks=(sentence,),
    )


def _claimed(connection: Connection, row_ids: Sequence[int]) -> list[KeptRow]:
    """Return the rows, locked, if all of them wait."""
    kept = tables.kept_rows
    found = connection.execute(
        _selected()
        .where(kept.c.row_id.in_(list(row_ids)))
        .order_by(kept.c.row_id)
        .with_for_update(of=kept)
    ).all()
    if not found or len(found) != len(set(row_ids)):
        raise NotFound("This row does not exist.")
    settled = next((row for row in found if row.state != "kept"), None)
    if settled is not None:
        raise NotInState(
            f"Row {settled.row_number:,} of {settled.file_name} was already {settled.state} by "
            f"{staff.name_of(connection, settled.settled_by)}. Nothing was changed."
        )
    return [_kept(row) for row in found]


def _map_of(connection: Connection, import_id: int) -> FormMap:
    made = tables.form_imports
    row = connection.execute(
        select(made.c.map, made.c.file_name).where(made.c.import_id == import_id)
    ).one()
    return form_map.parse(row.map, row.file_name)


def _load(connection: Connection, rows: list[KeptRow], read_by: FormMap, command: Command) -> int:
    """Load rows of one import; returns how many succeeded."""
    with _source(rows) as source:
        # The rows are written to a new file here, so only the map's fields and words matter.
        taken = forms.take(
            connection,
            source,
            replace(read_by, encoding="", delimiter=","),
            now=command.at,
            write=True,
        )
    results = {result.row - 2: result for result in taken.rows}
    loaded = 0
    for at, row in enumerate(rows):
        result = results.get(at)
        if result is not None and result.outcome in GOOD:
            detail = {"cells": list(row.cells), "application_id": result.application_id}
            _settle(connection, row.row_id, command, "loaded", result.application_id, detail)
            loaded += 1
        else:
            _correct(connection, row, result.problems if result else EMPTIED, command)
    return loaded


EMPTIED = (RowProblem(field="", value="", reason="is empty; dismiss it"),)


def _settle(
    connection: Connection,
    row_id: int,
    command: Command,
    state: str,
    application_id: int | None,
    detail: dict[str, Any],
) -> None:
    kept = tables.kept_rows
    connection.execute(
        update(kept)
        .where(kept.c.row_id == row_id, kept.c.state == "kept")
        .values(
            state=state,
            application_id=application_id,
            settled_by=command.actor,
            settled_at=command.at,
        )
    )
    _record_event(connection, row_id, command, state, detail)


def _correct(
    connection: Connection, row: KeptRow, problems: Sequence[RowProblem], command: Command
) -> None:
    kept = tables.kept_rows
    before = connection.execute(
        select(kept.c.cells).where(kept.c.row_id == row.row_id)
    ).scalar_one()
    connection.execute(
        update(kept)
        .where(kept.c.row_id == row.row_id)
        .values(cells=list(row.cells), problems=problems_as_json(problems))
    )
    detail = {"old": before, "new": list(row.cells)}
    _record_event(connection, row.row_id, command, "corrected", detail)


def _record_event(
    connection: Connection, row_id: int, command: Command, kind: str, detail: dict[str, Any]
) -> None:
    connection.execute(
        insert(tables.kept_row_events).values(
            row_id=row_id,
            request_id=command.request_id,
            kind=kind,
            actor=command.actor,
            at=command.at,
            detail=detail,
        )
    )


@contextmanager
def _source(rows: Sequence[KeptRow]) -> Iterator[Source]:
    """Yield the rows of one import as a file."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(rows[0].header)
    writer.writerows(row.cells for row in rows)
    with TemporaryDirectory(prefix="kept-rows-") as folder:
        path = Path(folder) / "rows.csv"
        path.write_text(written.getvalue(), "utf-8", newline="")
        yield Source(path, title=rows[0].file_name)

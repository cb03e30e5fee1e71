"""Rows of forms that could not be loaded, kept until somebody loads or dismisses them."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from data_access.db import database, tables, text_rules
from data_access.db.errors import NotFound, NotInState
from data_access.loading import form_map, forms
from data_access.loading.form_map import FormMap
from data_access.loading.forms import GOOD, FormRow, Outcome, RowProblem, Taken
from data_access.loading.sources import Source
from data_access.people import staff
from data_access.people.identities import known_by
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
    known = _known(connection, list(prints))
    return [
        _mark_known(row, known.get(fingerprint(taken.header, row.cells)))
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


@known_by("actor")
def settle_loaded(
    connection: Connection,
    header: Sequence[str],
    rows: Sequence[FormRow],
    *,
    actor: str,
    now: datetime,
    request_id: UUID,
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
        done = _Done(request_id=request_id, actor=actor, at=now)
        _settle(connection, row_id, done, "loaded", good[mark].application_id, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """Who did it, when, and with which form."""

    request_id: UUID
    actor: str
    at: datetime


@known_by("actor")
def retry(
    engine: Engine,
    row_ids: Sequence[int],
    *,
    actor: str,
    now: datetime,
    request_id: UUID,
    cells: Mapping[int, Sequence[str]] | None = None,
    read_by: FormMap | None = None,
) -> tuple[int, int]:
    """Retry kept rows, with corrected ``cells``; returns how many loaded, and how many did not.

    ``read_by`` is a map other than the import's. Rows that still cannot be loaded are kept as
    corrected. Raises NotAllowed, NotFound, or NotInState if somebody settled one in the meantime.
    """
    done = _Done(request_id=request_id, actor=actor, at=now)
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.IMPORT)
        rows = _claimed(connection, row_ids, request_id)
        if rows is None:
            return _counted(connection, request_id)
        loaded = 0
        for import_id in sorted({row.import_id for row in rows}):
            of_one = [
                replace(row, cells=forms.storable((cells or {}).get(row.row_id, row.cells)))
                for row in rows
                if row.import_id == import_id
            ]
            form_map = read_by or _map_of(connection, import_id)
            with connection.begin_nested():
                loaded += _load(connection, of_one, form_map, done)
        return loaded, len(rows) - loaded


@known_by("actor")
def dismiss(
    engine: Engine,
    row_ids: Sequence[int],
    *,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Dismiss rows, with the reason on record; returns how many.

    Raises NotAllowed, Invalid, NotFound, or NotInState if somebody settled one in the meantime.
    """
    why = text_rules.require(reason, what="The reason", longest=LONGEST_REASON)
    done = _Done(request_id=request_id, actor=actor, at=now)
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.IMPORT)
        rows = _claimed(connection, row_ids, request_id)
        for row in rows or ():
            _settle(connection, row.row_id, done, "dismissed", None, {"reason": why})
        return len(row_ids)


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


def _mark_known(row: FormRow, known: Row[Any] | None) -> FormRow:
    if known is None:
        return row
    if known.state == "kept":
        sentence = f"Import {known.import_id:,} keeps this row; correct it there"
        return replace(row, outcome=Outcome.WAITING, said=(sentence,))
    day = f"{known.settled_at:%-d %b %Y}"
    sentence = f"{known.state.capitalize()} by {known.settled_by} on {day}"
    return replace(
        row,
        outcome=Outcome.SETTLED,
        application_id=known.application_id,
        said=(sentence,),
    )


def _claimed(
    connection: Connection, row_ids: Sequence[int], request_id: UUID
) -> list[KeptRow] | None:
    """Return the rows, locked, if all of them wait; ``None`` if this same request settled them."""
    kept, events = tables.kept_rows, tables.kept_row_events
    found = connection.execute(
        _selected()
        .where(kept.c.row_id.in_(list(row_ids)))
        .order_by(kept.c.row_id)
        .with_for_update(of=kept)
    ).all()
    if not found or len(found) != len(set(row_ids)):
        raise NotFound("This row does not exist.")
    repeated = select(events.c.event_id).where(events.c.request_id == request_id).limit(1)
    if connection.execute(repeated).first() is not None:
        return None
    settled = next((row for row in found if row.state != "kept"), None)
    if settled is not None:
        raise NotInState(
            f"Row {settled.row_number:,} of {settled.file_name} was already {settled.state} by "
            f"{settled.settled_by}. Nothing was changed."
        )
    return [_kept(row) for row in found]


def _counted(connection: Connection, request_id: UUID) -> tuple[int, int]:
    """Return the first result of a repeated request."""
    events = tables.kept_row_events
    kinds = connection.execute(
        select(events.c.kind).where(events.c.request_id == request_id)
    ).scalars()
    each = list(kinds)
    return each.count("loaded"), len(each) - each.count("loaded")


def _map_of(connection: Connection, import_id: int) -> FormMap:
    made = tables.form_imports
    row = connection.execute(
        select(made.c.map, made.c.file_name).where(made.c.import_id == import_id)
    ).one()
    return form_map.parse(row.map, row.file_name)


def _load(connection: Connection, rows: list[KeptRow], read_by: FormMap, done: _Done) -> int:
    """Load rows of one import; returns how many succeeded."""
    with _source(rows) as source:
        # The rows are written to a new file here, so only the map's fields and words matter.
        taken = forms.take(
            connection,
            source,
            replace(read_by, encoding="", delimiter=","),
            now=done.at,
            write=True,
        )
    results = {result.row - 2: result for result in taken.rows}
    loaded = 0
    for at, row in enumerate(rows):
        result = results.get(at)
        if result is not None and result.outcome in GOOD:
            detail = {"cells": list(row.cells), "application_id": result.application_id}
            _settle(connection, row.row_id, done, "loaded", result.application_id, detail)
            loaded += 1
        else:
            _correct(connection, row, result.problems if result else EMPTIED, done)
    return loaded


EMPTIED = (RowProblem(field="", value="", reason="is empty; dismiss it"),)


def _settle(
    connection: Connection,
    row_id: int,
    done: _Done,
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
            settled_by=done.actor,
            settled_at=done.at,
        )
    )
    _record_events(connection, row_id, done, state, detail)


def _correct(
    connection: Connection, row: KeptRow, problems: Sequence[RowProblem], done: _Done
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
    _record_events(
        connection, row.row_id, done, "corrected", {"old": before, "new": list(row.cells)}
    )


def _record_events(
    connection: Connection, row_id: int, done: _Done, kind: str, detail: dict[str, Any]
) -> None:
    connection.execute(
        insert(tables.kept_row_events).values(
            row_id=row_id,
            request_id=done.request_id,
            kind=kind,
            actor=done.actor,
            at=done.at,
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

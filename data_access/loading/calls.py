"""One call of a load: read, validate and stage its files."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, insert

from data_access.db import tables
from data_access.loading import airtable, csv_blocks, manifests, parquet_blocks, staging
from data_access.loading.airtable import Export
from data_access.loading.arrival import Arrival, Merged
from data_access.loading.kinds import FactKind
from data_access.loading.problems import Problem, Problems
from data_access.loading.sources import Source, Unreadable
from data_access.loading.validation import Batch, check

Progress = Callable[[int, int], None]
Reader = Callable[[Source, Problems], Iterator[list[str] | Batch]]
T = TypeVar("T")


@dataclass(slots=True)
class Call:
    """One call's files while they are read and staged."""

    connection: Connection
    kind: FactKind
    reader: Reader
    problems: Problems
    places: staging.Places
    now: datetime
    names: list[str] | None = None
    rows_blank: int = 0
    export: Export | None = None


def begin(
    connection: Connection,
    kind: FactKind,
    problems: Problems,
    *,
    now: datetime,
    export: Export | None = None,
) -> Call:
    """Start a call and create its staging table; ``export`` reads files as a form's exports."""
    rules = airtable.KIND if export else kind
    reader = export.header_and_batches if export else partial(_header_and_batches, kind)
    if export:
        problems.way_on = airtable.WAY_ON
    staging.create(connection, rules)
    return Call(connection, rules, reader, problems, staging.Places(), now, export=export)


def _header_and_batches(
    kind: FactKind, source: Source, problems: Problems
) -> Iterator[list[str] | Batch]:
    if source.is_parquet:
        return parquet_blocks.header_and_batches(kind, source, problems)
    return csv_blocks.header_and_batches(kind, source, problems)


def stage_all(call: Call, files: list[Source], progress: Progress) -> None:
    """Read and stage the files in order; errors become problems."""
    total, before = sum(file.size for file in files), 0
    for file in files:
        call.places.begin(file.name)
        _stage(call, file, progress, before, total)
        before += file.size
        progress(before, total)


def _stage(call: Call, file: Source, progress: Progress, before: int, total: int) -> None:
    with closing(_readable(call, file)) as read:
        names = next(read, None)
        if not isinstance(names, list) or not _same_columns(call, file, names):
            return
        statement = staging.copy_statement(call.kind, names)
        with (
            staging.cursor(call.connection) as cursor,
            cursor.copy(statement) as copy,
            closing(_ahead(read)) as batches,
        ):
            for batch in batches:
                assert isinstance(batch, Batch)
                # After the first problem nothing is staged; the files are only checked.
                if not call.problems:
                    copy.write(batch.payload)
                call.places.add(batch.lines)
                call.rows_blank += batch.blank_rows
                progress(before + batch.bytes_done, total)


def _same_columns(call: Call, file: Source, names: list[str]) -> bool:
    """Whether the file has the same columns as those before it: a missing one means "unchanged"."""
    if call.names is None:
        call.names = names
    if set(call.names) == set(names):
        return True
    reason = f"has other columns than {call.places.files[0]}; load it in a call of its own"
    call.problems.spoil(Problem(file=file.name, reason=reason))
    return False


def _readable(call: Call, file: Source) -> Generator[list[str] | Batch]:
    """Yield the column names and validated batches of a file; errors become problems."""
    try:
        for part in call.reader(file, call.problems):
            if isinstance(part, Batch):
                bad = check(part, call.kind, call.problems, now=call.now)
                yield part.without(bad) if bad and call.problems.keeping else part
            else:
                yield part
    except Unreadable as error:
        call.problems.spoil(Problem(file=file.name, reason=str(error)))


def _ahead(items: Iterator[T]) -> Generator[T]:
    """Yield the same items, computing the next while Postgres takes this one."""
    end = object()
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = worker.submit(next, items, end)
            yield item  # type: ignore[misc]


def keep_promises(call: Call, files: list[Source], promises: dict[str, manifests.Promise]) -> None:
    """Raise LoadRefused if a file is invalid or differs from its manifest."""
    for index, file in enumerate(files):
        promise = promises.get(file.name)
        if promise is None or file.fingerprint is None:
            continue
        first, last = call.places.span(index)
        sums = (
            {} if call.problems else staging.totals(call.connection, promise.totals, (first, last))
        )
        for problem in manifests.broken(
            promise, fingerprint=file.fingerprint, rows=last - first + 1, totals=sums
        ):
            call.problems.spoil(problem)
    refuse(call)


def refuse(call: Call) -> None:
    """Raise LoadRefused if there are problems, with the remedy for each."""
    advise(call)
    call.problems.refuse_if_any()


def advise(call: Call) -> None:
    """Add the remedies for the form's own table, if the files are a form's exports."""
    if call.export:
        form = call.export.form_map
        found = [airtable.advise(problem, form) for problem in call.problems.found]
        call.problems.found = sorted(found, key=lambda problem: (problem.file, problem.line or 0))


def arrival(call: Call, files: list[Source]) -> Arrival:
    """Return the staged rows for merging."""
    return Arrival(
        connection=call.connection,
        kind=call.kind,
        names=frozenset(call.names or ()),
        places=call.places,
        problems=call.problems,
        now=call.now,
        sha256s=frozenset(file.fingerprint.sha256 for file in files if file.fingerprint),
    )


def keep_record(call: Call, kind: FactKind, files: list[Source], merged: Merged) -> int:
    """Record the load; returns its id."""
    fingerprints = [asdict(file.fingerprint) for file in files if file.fingerprint]
    load_id: int = call.connection.execute(
        insert(tables.loads)
        .values(
            kind=kind.name,
            files=fingerprints,
            rows_read=call.places.rows,
            rows_inserted=merged.inserted,
            rows_updated=merged.updated,
            first_day=merged.first_day,
            loaded_at=call.now,
        )
        .returning(tables.loads.c.load_id)
    ).scalar_one()
    return load_id

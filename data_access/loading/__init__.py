"""Loading files of facts: all rows of a call or none, and a report of what is wrong.

Each file is read in blocks, its values are checked in one place (`validation`, by the rules in
`kinds`), and what is in order goes by COPY into a staging table. Once every file is in order
the staged rows are merged into the facts, in the same transaction.
"""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, insert

from data_access import tables
from data_access.loading import (
    airtable,
    csv_blocks,
    form_map,
    manifests,
    merging,
    parquet_blocks,
    sources,
    staging,
)
from data_access.loading.airtable import Export
from data_access.loading.arrival import Arrival, Merged
from data_access.loading.kinds import KINDS, Kind, kind_named
from data_access.loading.problems import LoadRefused, Notice, Problem, Problems
from data_access.loading.sources import Source, Unreadable
from data_access.loading.validation import Batch, check

__all__ = ["FORMATS", "KINDS", "LoadRefused", "LoadReport", "Problem", "Progress", "load"]

FORMATS = ("csv", "airtable")
Progress = Callable[[int, int], None]
Reader = Callable[[Source, Problems], Iterator[list[str] | Batch]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a load did. ``first_day`` is the earliest UTC day whose facts changed, if any did."""

    kind: str
    load_id: int
    rows_read: int
    rows_inserted: int
    rows_updated: int
    first_day: date | None
    rows_blank: int = 0
    notices: tuple[Notice, ...] = ()

    def __str__(self) -> str:
        blank = f" Blank rows skipped: {self.rows_blank:,}." if self.rows_blank else ""
        return (
            f"{self.kind}: {self.rows_read:,} rows read, {self.rows_inserted:,} new, "
            f"{self.rows_updated:,} changed.{blank}"
        )


@dataclass(slots=True)
class Call:
    """One call's files while they are read and staged."""

    connection: Connection
    kind: Kind
    reader: Reader
    problems: Problems
    places: staging.Places
    now: datetime
    names: list[str] | None = None
    rows_blank: int = 0
    export: Export | None = None


def load(
    engine: Engine,
    kind: str,
    paths: list[Path],
    *,
    now: datetime,
    manifest: Path | None = None,
    source_format: str = "csv",
    mapping: Path | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Load files of one kind in one transaction; raises LoadRefused and then nothing changed.

    ``now`` is an aware time; facts after it are refused. ``manifest`` and ``mapping`` are TOML
    files (see docs/loading.md); ``mapping`` goes with the format airtable. ``progress`` is
    called with the bytes read so far and the bytes of all files.
    """
    named = kind_named(kind)
    _require_meant(named, source_format, mapping)
    export = Export(form_map.read(mapping)) if source_format == "airtable" else None
    notify = progress or _ignore
    files = sources.find([Path(path) for path in paths])
    promises = manifests.read(manifest, named, [file.name for file in files]) if manifest else {}
    with engine.begin() as connection:
        call = _begin(connection, named, Problems(), now=now, export=export)
        _stage_all(call, files, notify)
        _keep_promises(call, files, promises)
        merging.wait_for_turn(connection)
        try:
            merged = merging.merge(_arrival(call))
        except LoadRefused:
            _refuse(call)
            raise
        return _record(call, named, files, merged)


def _ignore(_done: int, _total: int) -> None:
    pass


def _require_meant(kind: Kind, source_format: str, mapping: Path | None) -> None:
    if source_format not in FORMATS:
        raise _misused(f"is not a format; the formats are {', '.join(FORMATS)}", source_format)
    if source_format == "airtable" and kind.name != "applications":
        raise _misused("cannot come from Airtable; only applications can", kind.name)
    if source_format != "airtable" and mapping is not None:
        raise _misused("is a map, which goes with --format airtable only", mapping.name)


def _begin(
    connection: Connection,
    kind: Kind,
    problems: Problems,
    *,
    now: datetime,
    export: Export | None = None,
) -> Call:
    """A call whose staging table is there; ``export`` reads files as a form's."""
    rules = airtable.KIND if export else kind
    reader = export.header_and_batches if export else partial(_header_and_batches, kind)
    if export:
        problems.way_on = airtable.WAY_ON
    staging.create(connection, rules)
    return Call(connection, rules, reader, problems, staging.Places(), now, export=export)


def _header_and_batches(
    kind: Kind, source: Source, problems: Problems
) -> Iterator[list[str] | Batch]:
    if source.is_parquet:
        return parquet_blocks.header_and_batches(kind, source, problems)
    return csv_blocks.header_and_batches(kind, source, problems)


def _misused(reason: str, what: str) -> LoadRefused:
    return LoadRefused((Problem(file=what, reason=reason),))


def _stage_all(call: Call, files: list[Source], progress: Progress) -> None:
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
                # After the first problem only more problems are looked for.
                if not call.problems:
                    copy.write(batch.payload)
                call.places.add(batch.lines)
                call.rows_blank += batch.blank_rows
                progress(before + batch.bytes_done, total)


def _same_columns(call: Call, file: Source, names: list[str]) -> bool:
    """Whether the file has the columns of those before it: an absent one means "as it was"."""
    if call.names is None:
        call.names = names
    if set(call.names) == set(names):
        return True
    reason = f"has other columns than {call.places.files[0]}; load it in a call of its own"
    call.problems.spoil(Problem(file=file.name, reason=reason))
    return False


def _readable(call: Call, file: Source) -> Generator[list[str] | Batch]:
    """The column names and checked batches of a file; what is wrong becomes problems."""
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
    """The same items, the next being made while Postgres takes this one."""
    end = object()
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = worker.submit(next, items, end)
            yield item  # type: ignore[misc]


def _keep_promises(call: Call, files: list[Source], promises: dict[str, manifests.Promise]) -> None:
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
    _refuse(call)


def _refuse(call: Call) -> None:
    _advise(call)
    call.problems.refuse_if_any()


def _advise(call: Call) -> None:
    """Name the remedies of the form's own table, where the files are a form's exports."""
    if call.export:
        form = call.export.form_map
        found = [airtable.advise(problem, form) for problem in call.problems.found]
        call.problems.found = sorted(found, key=lambda problem: (problem.file, problem.line or 0))


def _arrival(call: Call) -> Arrival:
    return Arrival(
        connection=call.connection,
        kind=call.kind,
        names=frozenset(call.names or ()),
        places=call.places,
        problems=call.problems,
        now=call.now,
    )


def _record(call: Call, kind: Kind, files: list[Source], merged: Merged) -> LoadReport:
    fingerprints = [asdict(file.fingerprint) for file in files if file.fingerprint]
    load_id = call.connection.execute(
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
    return LoadReport(
        kind=kind.name,
        load_id=load_id,
        rows_read=call.places.rows,
        rows_inserted=merged.inserted,
        rows_updated=merged.updated,
        first_day=merged.first_day,
        rows_blank=call.rows_blank,
        notices=tuple(call.problems.notices),
    )

"""Importing a form's export: valid rows are loaded, the others kept until they are settled.

Used by the command line and the Import page.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, func, insert, select

from data_access.db import database, tables
from data_access.loading import airtable, forms, kept_rows
from data_access.loading.calls import Progress
from data_access.loading.form_map import FormMap
from data_access.loading.forms import FormRow, Outcome, RowProblem, Taken
from data_access.loading.problems import LoadRefused, Problem
from data_access.loading.sources import Source, Unreadable
from data_access.people import commands, staff
from data_access.people.commands import Command
from data_access.people.identities import known_by
from program.review.permissions import Act
from program.text import invisible

# Reports of longer files list only rows with corrections or problems.
REPORTED = 20_000
LISTED = 50
CLEANED, BLANK = "cleaned", "blank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file's name, as given by its sender, and its bytes."""

    name: str
    content: bytes

    def __post_init__(self) -> None:
        (name,) = forms.storable([self.name])
        object.__setattr__(self, "name", name)

    @property
    def sha256(self) -> str:
        """Return the file's digest."""
        return sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an import did, or would do, row by row."""

    header: tuple[str, ...]
    columns: Mapping[str, str]
    rows: tuple[FormRow, ...]
    counts: Mapping[str, int]
    remarks: tuple[str, ...] = ()

    def count(self, *outcomes: str) -> int:
        """Return the number of rows with one of these outcomes."""
        return sum(self.counts.get(str(outcome), 0) for outcome in outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A past import. ``report`` is ``None`` in lists."""

    import_id: int
    file_name: str
    map_name: str | None
    imported_by: str
    imported_at: datetime
    counts: Mapping[str, int]
    report: Report | None = None


@known_by("actor")
def preview(
    engine: Engine, upload: Upload, read_by: FormMap, *, now: datetime, actor: str
) -> Report:
    """Preview an import without changing anything. Raises NotAllowed, LoadRefused."""
    with database.acting(engine) as connection, _source(upload) as source:
        staff.require(connection, actor, Act.IMPORT)
        taken = forms.take(connection, source, read_by, now=now, write=False)
        return _report(taken, kept_rows.settle_known(connection, taken))


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeImport(Command):
    """Load the valid rows of a form's export, and keep the others."""

    act: ClassVar[Act] = Act.IMPORT
    loads: ClassVar[bool] = True
    upload: Upload
    read_by: FormMap
    map_name: str | None = None


def make(engine: Engine, command: MakeImport) -> int:
    """Import a file and return the import's number.

    Raises NotAllowed, LoadRefused or RequestReused.
    """

    def do(connection: Connection) -> int:
        return _make(connection, command).import_id

    return commands.perform(engine, command, do)


def make_from_command_line(
    engine: Engine, command: MakeImport, progress: Progress | None = None
) -> Import:
    """Import a file for the command line, whose user is not staff. Raises LoadRefused."""
    with database.acting(engine) as connection:
        return _make(connection, command, progress)


def _make(connection: Connection, command: MakeImport, progress: Progress | None = None) -> Import:
    with _source(command.upload) as source:
        taken = forms.take(
            connection, source, command.read_by, now=command.at, write=True, progress=progress
        )
    rows = kept_rows.settle_known(connection, taken)
    made = _record(connection, command, _report(taken, rows), taken.load_id)
    kept_rows.keep(connection, made.import_id, taken.header, rows)
    kept_rows.settle_loaded(connection, taken.header, rows, command)
    return made


def find(connection: Connection, import_id: int) -> Import | None:
    """Return an import with its report, or ``None``."""
    table = tables.form_imports
    row = connection.execute(select(table).where(table.c.import_id == import_id)).first()
    return None if row is None else _import(row)


def listed(connection: Connection) -> tuple[list[Import], int]:
    """Return the newest imports without their reports, and the number of all."""
    table = tables.form_imports
    columns = [column for column in table.c if column.name not in ("report", "map")]
    found = connection.execute(
        select(*columns).order_by(table.c.import_id.desc()).limit(LISTED)
    ).all()
    total = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return [
        Import(
            import_id=row.import_id,
            file_name=row.file_name,
            map_name=row.map_name,
            imported_by=row.imported_by,
            imported_at=row.imported_at,
            counts=row.counts,
        )
        for row in found
    ], total


@contextmanager
def _source(upload: Upload) -> Iterator[Source]:
    """Write the upload to a temporary file; its own name is only a title."""
    endings = [end for end in (".gz", ".zst", ".zstd") if upload.name.lower().endswith(end)]
    with TemporaryDirectory(prefix="form-import-") as folder:
        path = Path(folder) / f"upload.csv{''.join(endings)}"
        path.write_bytes(upload.content)
        yield Source(path, title=upload.name)


def _report(taken: Taken, rows: Sequence[FormRow]) -> Report:
    counts: Counter[str] = Counter(str(row.outcome) for row in rows)
    counts[CLEANED] = sum(row.outcome in forms.GOOD and bool(row.remarks) for row in rows)
    counts[CLEANED] -= counts[Outcome.ONCE]
    counts[BLANK] = taken.rows_blank
    return Report(
        header=taken.header,
        columns=taken.columns,
        rows=tuple(rows),
        counts={name: number for name, number in counts.items() if number > 0},
        remarks=taken.remarks,
    )


def _record(
    connection: Connection, command: MakeImport, report: Report, load_id: int | None
) -> Import:
    table, upload, read_by = tables.form_imports, command.upload, command.read_by
    row = connection.execute(
        insert(table)
        .values(
            request_id=command.request_id,
            file_name=upload.name,
            bytes=len(upload.content),
            sha256=upload.sha256,
            map=dict(read_by.content),
            map_name=command.map_name,
            header=list(report.header),
            counts=dict(report.counts),
            report=_as_json(report),
            load_id=load_id,
            imported_by=command.actor,
            imported_at=command.at,
        )
        .returning(table)
    ).one()
    return replace(_import(row), report=report)


def _as_json(report: Report) -> dict[str, Any]:
    rows = report.rows
    if len(rows) > REPORTED:
        rows = tuple(row for row in rows if row.remarks or row.problems)
    return {
        "columns": dict(report.columns),
        "said": list(report.remarks),
        "rows": [
            {
                "row": row.row,
                "line": row.line,
                "outcome": str(row.outcome),
                "application_id": row.application_id,
                "problems": kept_rows.problems_as_json(row.problems),
                "said": list(row.remarks),
            }
            for row in rows
        ],
    }


def _import(row: Row[Any]) -> Import:
    report = row.report
    rows = tuple(
        FormRow(
            row=one["row"],
            line=one["line"],
            outcome=Outcome(one["outcome"]),
            application_id=one["application_id"],
            problems=tuple(RowProblem(**problem) for problem in one["problems"]),
            remarks=tuple(one["said"]),
        )
        for one in report["rows"]
    )
    return Import(
        import_id=row.import_id,
        file_name=row.file_name,
        map_name=row.map_name,
        imported_by=row.imported_by,
        imported_at=row.imported_at,
        counts=row.counts,
        report=Report(
            header=tuple(row.header),
            columns=report["columns"],
            rows=rows,
            counts=row.counts,
            remarks=tuple(report["said"]),
        ),
    )


def by_request(connection: Connection, request_id: UUID) -> int | None:
    """Return the number of the import of this request, or ``None``."""
    table = tables.form_imports
    found: int | None = connection.execute(
        select(table.c.import_id).where(table.c.request_id == request_id)
    ).scalar()
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    """The fields and rows of a file, before they are parsed."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str
    delimiter: str

    def words(self, field: str) -> list[str]:
        """Return a field's distinct values, most frequent first."""
        at = self.header.index(field)
        cells = (" ".join(row[at].split()) for row in self.rows if at < len(row))
        return [word for word, _ in Counter(cell for cell in cells if cell).most_common()]


def peek(upload: Upload, read_by: FormMap) -> Peek:
    """Read a file's text without validating its fields. Raises LoadRefused."""
    try:
        with _source(upload) as source:
            text_of = airtable.read_text(source, read_by)
            lines = [line for line in text_of.lines() if not line.is_blank]
    except Unreadable as error:
        raise LoadRefused((Problem(file=upload.name, reason=str(error)),)) from error
    if not lines:
        raise LoadRefused((Problem(file=upload.name, reason="is empty"),))
    return Peek(
        header=forms.storable([invisible.clean(cell).text for cell in lines[0].cells]),
        rows=tuple(forms.storable(line.cells) for line in lines[1:]),
        encoding=text_of.encoding,
        delimiter=text_of.delimiter,
    )

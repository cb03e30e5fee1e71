"""Write an export: check it, write it in the requested format, and log it."""

import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from psycopg import errors
from sqlalchemy import Connection, Select, func, literal, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from data_access.db import database
from data_access.db.errors import DatabaseUnavailable, Invalid, Refusal
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.explore import cells, exported, queries
from data_access.explore.cells import Writer
from data_access.exports import log
from data_access.exports.copy_stream import CsvStream
from data_access.exports.target import ReaderGone, Target, naming
from program import wording
from program.periods import utc_day
from program.reports import pivots, views
from program.reports.column_filters import Days
from program.reports.datasets import APPLICATIONS, BY_KEY, DatasetColumn
from program.reports.export_formats import (
    LONGEST_S,
    PIVOT_IN_FILES,
    XLSX_ROWS,
    Ending,
    FileFormat,
    Form,
    too_many_rows,
)
from program.reports.views import View
from program.review.queue_filters import Filters
from program.review.workflow import Status

# Higher levels take several times as long for a few percent.
GZIP_LEVEL = 4
# The largest window, with gzip's header and checksum.
GZIP_WINDOW = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class OfView:
    """The rows of a view of a dataset."""

    view: View
    view_name: str | None = None

    @property
    def dataset(self) -> str:
        """The dataset's key."""
        return self.view.dataset.key

    @property
    def columns(self) -> tuple[DatasetColumn, ...]:
        """The file's columns, in order."""
        return self.view.shown

    @property
    def filters(self) -> dict[str, Any]:
        """The filters as the log stores them."""
        return self.view.on_page(1).to_query()

    def describe(self) -> str:
        """Describe the rows."""
        return views.described(self.view)

    def statement(self, context: JudgingContext, write: Writer) -> Select[Any]:
        """Return the statement for all rows."""
        return queries.statement(self.view, context, write=write)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfQueue:
    """The rows of the queue's filters over some statuses; ``view_name`` is none."""

    queue_filters: Filters
    statuses: tuple[Status, ...] = tuple(Status)
    names: tuple[str, ...] = tuple(exported.BY_NAME)
    view_name: None = None

    @property
    def dataset(self) -> str:
        """The dataset's key."""
        return APPLICATIONS.key

    @property
    def columns(self) -> tuple[DatasetColumn, ...]:
        """The file's columns, in order."""
        return tuple(exported.BY_NAME[name] for name in self.names if name in exported.BY_NAME)

    @property
    def filters(self) -> dict[str, Any]:
        """The filters as the log stores them."""
        query = self.queue_filters.on_page(1).to_query()
        query.pop("status", None)
        return {**query, "statuses": [str(status) for status in self.statuses]}

    def without_personal(self) -> "OfQueue":
        """Return the same without personal columns."""
        kept = tuple(column.name for column in self.columns if not column.personal)
        return replace(self, names=kept)

    def describe(self) -> str:
        """Describe the rows."""
        parts = [f"{name}: {text}" for name, text in self.filters.items() if name != "statuses"]
        return "; ".join([f"status: {wording.listed(self.statuses, last='or')}", *parts])

    def statement(self, context: JudgingContext, write: Writer) -> Select[Any]:
        """Return the statement for all rows."""
        return exported.applications(
            self.queue_filters, context, statuses=self.statuses, columns=self.names, write=write
        )


Selection = OfView | OfQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A requested export: which rows, in which format, by whom and when."""

    selection: Selection
    form: Form
    exported_by: str
    now: datetime

    @property
    def file_name(self) -> str:
        """The name of the downloaded file."""
        return f"{self.selection.dataset}-{self.now:%Y-%m-%d-%H%M}.{self.form.ending}"

    def to_json(self) -> dict[str, Any]:
        """Return the order as JSON, for another process."""
        chosen = self.selection
        if isinstance(chosen, OfView):
            selection: dict[str, Any] = {
                "view": chosen.view.to_query(),
                "view_name": chosen.view_name,
            }
        else:
            selection = {
                "queue": chosen.queue_filters.to_query(),
                "viewer": chosen.queue_filters.viewer,
                "statuses": list(chosen.statuses),
                "names": list(chosen.names),
            }
        return {
            **selection,
            "form": asdict(self.form),
            "exported_by": self.exported_by,
            "now": self.now.isoformat(),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Order":
        """Parse an order from another process, which has checked what the person may see."""
        chosen: Selection
        if "view" in content:
            view = View.from_query(content["view"], personal=True)
            chosen = OfView(view=view, view_name=content["view_name"])
        else:
            chosen = OfQueue(
                queue_filters=Filters.from_query(content["queue"]).for_viewer(content["viewer"]),
                statuses=tuple(Status(status) for status in content["statuses"]),
                names=tuple(content["names"]),
            )
        form = content["form"]
        return cls(
            selection=chosen,
            form=replace(Form(**form), file_format=FileFormat(form["file_format"])),
            exported_by=content["exported_by"],
            now=datetime.fromisoformat(content["now"]),
        )


@dataclass(slots=True)
class Progress:
    """Counts the rows written and calls ``report`` each time."""

    report: Callable[[int], None] = lambda _: None
    rows: int = 0

    def __call__(self, rows: int) -> None:
        """Add rows to the count."""
        self.rows = rows
        self.report(rows)


def write(
    order: Order, target: Target | BinaryIO, *, folder: Path | None = None, progress: Progress
) -> None:
    """Write the whole file to ``target``. The transaction ends with it.

    ``folder`` is for temporary files; by default a new one. Raises Invalid for rows that the format
    cannot hold, DatabaseUnavailable if the database is lost or too slow, Unwritable if there is no
    space, and ReaderGone. The target then accepts nothing more.
    """
    out = target if isinstance(target, Target) else Target(target)
    try:
        with explaining(), database.exporter().connect() as connection, connection.begin():
            context = judging.read_context(connection, now=order.now)
            _write(connection, order, context, out, folder, progress)
    except BaseException:
        out.give_up()
        raise


def _write(
    connection: Connection,
    order: Order,
    context: JudgingContext,
    target: Target,
    folder: Path | None,
    progress: Progress,
) -> None:
    chosen, file_format = order.selection, order.form.file_format
    if file_format is FileFormat.CSV:
        write = cells.with_commas if order.form.comma else cells.guarded
        made = chosen.statement(context, write)
        with CsvStream(connection, made, separator=order.form.separator) as stream:
            _csv(stream, order.form, target, progress)
            progress(stream.row_count)
        return
    made = chosen.statement(context, cells.typed)
    _require_room(connection, made, file_format)
    description = about(order, context)
    progress(0)
    with CsvStream(connection, made) as stream:
        # Imported here, so that a CSV starts sooner and uses less memory.
        if file_format is FileFormat.PARQUET:
            from data_access.exports import parquet

            parquet.write(stream, chosen.columns, target, about=description, progress=progress)
        else:
            from data_access.exports import xlsx

            with _temporary(folder) as beside:
                xlsx.write(
                    stream,
                    chosen.columns,
                    target,
                    about=description,
                    folder=beside,
                    progress=progress,
                )
        progress(stream.row_count)


@contextmanager
def _temporary(folder: Path | None) -> Iterator[Path]:
    """A temporary folder. Raises Unwritable, which names it."""
    place = folder or _temporary_files()
    name = f"The folder for temporary files, {place},"
    advice = "" if folder else "Or set TMPDIR to another folder."
    with naming(name, advice), tempfile.TemporaryDirectory(dir=place) as made:
        yield Path(made)


def _temporary_files() -> Path:
    with naming("No folder for temporary files", "Set TMPDIR to one."):
        return Path(tempfile.gettempdir())


def _csv(stream: CsvStream, form: Form, target: Target, progress: Progress) -> None:
    # Without a name and a time inside, the same rows give the same bytes.
    packing = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW) if form.gzip else None
    pieces = chain([form.mark] if form.mark else [], stream)
    for piece in pieces:
        target.write(packing.compress(piece) if packing else piece)
        progress(stream.row_count)
    if packing:
        target.write(packing.flush())


def _require_room(connection: Connection, made: Select[Any], file_format: FileFormat) -> None:
    if file_format is not FileFormat.XLSX:
        return
    some = made.with_only_columns(literal(1).label("one")).order_by(None).limit(XLSX_ROWS + 1)
    found = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    refused = too_many_rows(found, file_format)
    if refused is not None:
        raise Invalid(refused)


def about(order: Order, context: JudgingContext) -> dict[str, str]:
    """Return the file's description, as names and texts."""
    chosen, fresh = order.selection, context.freshness
    return {
        "Dataset": BY_KEY[chosen.dataset].title,
        "View": chosen.view_name or "",
        "Filters": chosen.describe(),
        **_days(chosen, order.now),
        **_pivot(chosen),
        "Columns": ", ".join(column.name for column in chosen.columns),
        "Window": f"{fresh.window.start} to {fresh.window.last_day}, UTC" if fresh else "unknown",
        "Data through": f"{fresh.data_through}, UTC" if fresh else "metrics were never computed",
        "Policy": f"version {context.policy.version}",
        "Exported at": f"{order.now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "Exported by": order.exported_by,
    }


def _days(chosen: Selection, now: datetime) -> dict[str, str]:
    """Return the days that filters of the last so many days mean, if there are any."""
    if not isinstance(chosen, OfView):
        return {}
    today = utc_day(now)
    spans = [
        "{} {} to {}".format(filter_.column, *filter_.span(today))
        for filter_ in chosen.view.filters
        if isinstance(filter_, Days) and filter_.latest is not None
    ]
    return {"Days": f"{'; '.join(spans)}, UTC"} if spans else {}


def _pivot(chosen: Selection) -> dict[str, str]:
    """Return what a pivot became, if the rows are those of one."""
    pivoted = pivots.of(chosen.view) if isinstance(chosen, OfView) else None
    if pivoted is None:
        return {}
    shown = f"On the page {pivoted.across.name} lies across, with {pivoted.measure.name} in cells."
    return {"Pivot": f"{shown} {PIVOT_IN_FILES}"}


@contextmanager
def explaining() -> Iterator[None]:
    """Turn database errors that end an export into a sentence."""
    try:
        yield
    except (DBAPIError, errors.Error) as error:
        interrupt = _interrupt_behind(error)
        if interrupt is not None:
            raise interrupt from None
        sentence = explained(error.orig if isinstance(error, DBAPIError) else error)
        if sentence is None:
            raise
        raise DatabaseUnavailable(sentence) from error


def _interrupt_behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the interrupt that made the database driver fail, if any."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def explained(error: BaseException | None) -> str | None:
    """Return the sentence for an expected error; ``None`` for any other."""
    if isinstance(error, errors.QueryCanceled):
        return (
            f"The export took longer than {LONGEST_S // 60} minutes and was stopped. "
            "Narrow the filters or choose fewer columns."
        )
    if isinstance(error, errors.DiskFull):
        return "The database has no room left to sort this. Narrow the filters."
    if isinstance(error, errors.OperationalError):
        return "The connection to the database was lost, so the file is incomplete. Export again."
    return None


def record(connection: Connection, order: Order, *, rows: int, outcome: Ending) -> None:
    """Write the log entry: what was exported, and how it ended."""
    chosen = order.selection
    entry = log.Entry(
        exported_by=order.exported_by,
        dataset=chosen.dataset,
        file_format=order.form.ending,
        filters=chosen.filters,
        columns=[column.name for column in chosen.columns],
        row_count=rows,
        outcome=outcome,
        view_name=chosen.view_name,
    )
    log.record(connection, entry)


def keep(order: Order, *, rows: int, outcome: Ending) -> None:
    """Write the log entry in its own transaction."""
    with database.writer().begin() as connection:
        record(connection, order, rows=rows, outcome=outcome)


def write_and_keep(
    order: Order, target: Target | BinaryIO, *, progress: Progress | None = None
) -> int:
    """Write the file and the log entry, also if it fails midway; returns the number of rows."""
    counted = progress or Progress()
    try:
        write(order, target, progress=counted)
    except BaseException as error:
        gone = isinstance(error, KeyboardInterrupt | ReaderGone)
        # The error is reported even if the log cannot be written.
        with suppress(Refusal, SQLAlchemyError):
            outcome = Ending.CANCELLED if gone else Ending.FAILED
            keep(order, rows=counted.rows, outcome=outcome)
        raise
    keep(order, rows=counted.rows, outcome=Ending.COMPLETE)
    return counted.rows

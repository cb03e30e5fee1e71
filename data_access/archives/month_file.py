"""The file of a month: Parquet, written from the rows as Postgres sends them, then read back."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from sqlalchemy import Connection, Select, select

from data_access.archives import unfinished
from data_access.db import tables
from data_access.db.errors import Refusal
from data_access.exports import parquet
from data_access.exports.copy_stream import CsvStream
from data_access.exports.target import Target, naming
from program.periods import Window
from program.reports.datasets import ColumnKind, DatasetColumn

BATCH_ROWS = 100_000
PLAIN = arrow_csv.WriteOptions(include_header=False, quoting_style="none")


def _column(name: str, kind: ColumnKind, scale: int = 0) -> DatasetColumn:
    return DatasetColumn(name=name, kind=kind, description="", always=True, scale=scale)


# As `load activity` reads them.
COLUMNS = (
    _column("affiliate_account_id", ColumnKind.ID),
    _column("referred_account_id", ColumnKind.ID),
    _column("activity_date", ColumnKind.DAY),
    _column("volume_usd", ColumnKind.MONEY, 2),
    _column("fees_usd", ColumnKind.MONEY, 6),
    _column("trade_count", ColumnKind.WHOLE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What rows say: how many they are, and the SHA-256 of their text in the order of the key."""

    rows: int
    digest: str


class Digested(CsvStream):
    """Rows that are digested as Postgres sends them, before anything else reads them."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield the header, which is not digested, and then the rows."""
        self.sha256 = hashlib.sha256()
        pieces = super().__iter__()
        yield next(pieces)
        for piece in pieces:
            self.sha256.update(piece)
            yield piece


def keep(connection: Connection, days: Window, path: Path) -> Content:
    """Write the rows of ``days`` to ``path``, on the disk and proven equal to the database's.

    A file with the same rows is left as it is; one with others is refused. Whoever is killed leaves
    either no file or a whole one. Raises Refusal, or Unwritable for a full disk and the like.
    """
    with unfinished.beside(path) as (own, handle):
        sent = _write(connection, days, Target(handle, str(own)))
        with naming(str(own)):
            os.fsync(handle.fileno())
        if read_back(own) != sent:
            raise Refusal(
                f"{path} does not read back as the {sent.rows:,} rows that the database has. "
                "Nothing was removed. Check the disk, and run it again."
            )
        if not _take_name(own, path):
            # Of a run that was killed before the database knew of it, or of another database.
            _require_same(path, sent)
        with naming(str(path)):
            _keep_names(path)
    return sent


def _write(connection: Connection, days: Window, target: Target) -> Content:
    about = {"month": f"{days.start:%Y-%m}"}
    with Digested(connection, _rows(days)) as stream:
        parquet.write(stream, COLUMNS, target, about=about, progress=lambda _rows: None)
        return Content(rows=stream.row_count, digest=stream.sha256.hexdigest())


def _take_name(own: Path, path: Path) -> bool:
    """Give the file its name; whether that was free. A file that is there is never replaced."""
    with naming(str(path)):
        try:
            os.link(own, path)
        except FileExistsError:
            return False
    return True


def _rows(days: Window) -> Select[tuple[object, ...]]:
    table = tables.referral_activity
    return (
        select(*(table.c[column.name] for column in COLUMNS))
        .where(table.c.activity_date >= days.start, table.c.activity_date < days.end)
        .order_by(table.c.affiliate_account_id, table.c.activity_date, table.c.referred_account_id)
    )


def _require_same(path: Path, sent: Content) -> None:
    if read_back(path) != sent:
        raise Refusal(
            f"{path} is there already and holds other rows than the database. Nothing was removed. "
            "Move the file away, or name another folder with --to."
        )


def _keep_names(path: Path) -> None:
    """Wait until the file is on the disk, and its name, and those of the folders that lead to it.

    Whoever made them: a run that was killed, or an operator a moment ago.
    """
    _sync(path)
    folder = path.parent.resolve()
    _sync(folder)
    while not folder.is_mount():
        folder = folder.parent
        # Who may not list a folder has made nothing in it.
        with suppress(PermissionError):
            _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_back(path: Path) -> Content | None:
    """Read a file; ``None`` if it cannot be read as a month's file."""
    rows, sha256 = 0, hashlib.sha256()
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                lines = pa.BufferOutputStream()
                arrow_csv.write_csv(batch, lines, PLAIN)
                sha256.update(lines.getvalue())
                rows += batch.num_rows
    except (pa.ArrowException, OSError, ValueError):
        return None
    return Content(rows=rows, digest=sha256.hexdigest())


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file's bytes."""
    with naming(str(path)), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

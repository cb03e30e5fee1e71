"""Archive whole months of activity: write each to a file, prove the file, then drop the partition.

A month is one transaction. Until it commits nothing has changed but that a whole file may be there;
the same command then finds it, and goes on. The sums of the month stay in the rollups, and a
refresh does not count it again (`data_access/rollups/plan.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from psycopg import Cursor
from psycopg.errors import LockNotAvailable, UndefinedTable
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier
from sqlalchemy import Connection, Engine, func, select

from data_access.archives import month_file
from data_access.archives.month_file import Content
from data_access.db import alone, archived, citus, locks, partitions, tables
from data_access.db.errors import Refusal
from data_access.eligibility import freshness
from program.affiliates import archiving
from program.periods import Window, month_start, months_later

# Called with (months done, total months).
Progress = Callable[[int, int], None]
# A detached partition is gone for readers at once, but they wait while this waits for them.
DETACH_WAIT = "5s"
SUMS = ("volume_usd", "fees_usd", "trade_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMonths:
    """Move every month that is over before the day ``before`` into files in ``folder``."""

    before: date
    folder: Path
    at: datetime

    @property
    def last_month(self) -> date:
        """The newest month to archive."""
        return archiving.last_month_before(self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """What was archived: the months, and how many rows they had."""

    folder: Path
    months: tuple[date, ...]
    rows: int

    def __str__(self) -> str:
        if not self.months:
            return "There is no activity of that time left to archive."
        return (
            f"Activity of {archived.in_words(self.months)} is in {self.folder} now "
            f"({self.rows:,} rows). Keep copies of the files: the database has only its sums."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A month's rows, and the sums of ``SUMS`` over them."""

    rows: int
    figures: tuple[object, ...]


def archive(engine: Engine, command: ArchiveMonths, *, progress: Progress) -> Archived:
    """Archive the months one by one, oldest first; safe to repeat and to kill.

    The engine is a loader's. Raises Refusal, which names the month that it could not archive.
    """
    if month_start(command.before) == date.min:
        raise Refusal("No month is over before 0001-01. Name a later one with --before.")
    with engine.connect() as connection:
        citus.refuse_distributed(connection, "archiving")
        _require_unneeded(connection, command)
        months = [m for m in partitions.existing(connection) if m <= command.last_month]
    done: list[date] = []
    rows = 0
    for number, month in enumerate(months):
        progress(number, len(months))
        if content := _archive(engine, command, month):
            done.append(month)
            rows += content.rows
    progress(len(months), len(months))
    return Archived(folder=command.folder, months=tuple(done), rows=rows)


def file_name(month: date) -> str:
    """Return the name of a month's file."""
    return f"referral_activity_{month:%Y-%m}.parquet"


def _archive(engine: Engine, command: ArchiveMonths, month: date) -> Content | None:
    """Archive a month; ``None`` if it had no rows, or is archived by now."""
    part = partitions.identifier(month)
    days = Window(month, months_later(month, 1))
    with alone.running(
        engine, "archiving", locks.REFRESH, others="A refresh or another archiving", no_loads=True
    ) as (connection, cursor):
        if not _hold(cursor, part):
            return None
        _require_unneeded(connection, command)
        _require_here(connection, month)
        _require_counted(connection, days)
        sums = _require_equal_sums(connection, days)
        if not sums.rows:
            _drop(cursor, part, month)
            return None
        path = command.folder / file_name(month)
        kept = month_file.keep(connection, days, path)
        _record(connection, command, month, sums, path)
        _drop(cursor, part, month)
        return kept


def _hold(cursor: Cursor[DictRow], part: Composable) -> bool:
    """Keep others from writing to the partition, before the snapshot; whether it is there."""
    # Reading a large file back takes longer than a transaction may be idle.
    cursor.execute("set local idle_in_transaction_session_timeout = 0")
    cursor.execute("savepoint partition_is_there")
    try:
        cursor.execute(SQL("lock table {} in share mode").format(part))
    except UndefinedTable:
        cursor.execute("rollback to savepoint partition_is_there")
        return False
    return True


def _require_unneeded(connection: Connection, command: ArchiveMonths) -> None:
    """Refuse months that anything still reads day by day."""
    fresh = freshness.newest(connection)
    if fresh is None:
        raise Refusal(
            "The figures were never computed, so that activity is needed for them. "
            "Run `python -m data_access refresh` first."
        )
    needed = archiving.oldest_needed(fresh.data_through)
    if months_later(command.last_month, 1) > needed:
        raise Refusal(
            f"{archiving.still_needed(fresh.data_through)}. "
            f"Archive what is older, with --before {needed:%Y-%m} or an earlier month."
        )


def _require_here(connection: Connection, month: date) -> None:
    """Refuse a month that is archived and has a partition all the same."""
    if known := [one for one in archived.read(connection) if one.month == month]:
        raise Refusal(
            f"{month:%Y-%m} is archived and has a partition too. "
            f"Bring it back first: {archived.way_back(known)}."
        )


def _require_counted(connection: Connection, days: Window) -> None:
    """Refuse a month that a load has changed since the newest refresh."""
    load, refresh = tables.loads.c, tables.refreshes.c
    counted = select(func.max(refresh.load_id)).scalar_subquery()
    first = connection.execute(
        select(func.min(load.first_day)).where(load.load_id > counted, load.first_day < days.end)
    ).scalar_one()
    if first is not None:
        raise Refusal(
            f"Days from {first} on were loaded and are not in the figures yet. "
            "Run `python -m data_access refresh` first."
        )


def _require_equal_sums(connection: Connection, days: Window) -> Sums:
    """Return the month's sums; refuse it if the rollups that stay have others."""
    fact, rollup = tables.referral_activity.c, tables.affiliate_daily.c
    row = connection.execute(
        select(func.count(), *(func.coalesce(func.sum(fact[name]), 0) for name in SUMS)).where(
            fact.activity_date >= days.start, fact.activity_date < days.end
        )
    ).one()
    kept = connection.execute(
        select(*(func.coalesce(func.sum(rollup[name]), 0) for name in SUMS)).where(
            rollup.day >= days.start, rollup.day < days.end
        )
    ).one()
    if tuple(row)[1:] != tuple(kept):
        raise Refusal(
            f"The figures of {days.start:%Y-%m} differ from its activity. Were facts changed "
            f"without `load`? Run `python -m data_access refresh --since {days.start}` first."
        )
    return Sums(rows=row[0], figures=tuple(kept))


def _record(
    connection: Connection, command: ArchiveMonths, month: date, sums: Sums, path: Path
) -> None:
    connection.execute(
        tables.archived_months.insert().values(
            month=month,
            file=path.name,
            sha256=month_file.fingerprint(path),
            row_count=sums.rows,
            archived_at=command.at,
            **dict(zip(SUMS, sums.figures, strict=True)),
        )
    )


def _drop(cursor: Cursor[DictRow], part: Composable, month: date) -> None:
    """Drop the partition. Waits for those who read activity, but not long: others wait for it."""
    cursor.execute(f"set local lock_timeout = '{DETACH_WAIT}'".encode())
    try:
        cursor.execute(
            SQL("alter table {} detach partition {}").format(
                Identifier(*partitions.PARENT.split(".")), part
            )
        )
        cursor.execute(SQL("drop table {}").format(part))
    except LockNotAvailable as error:
        raise Refusal(
            f"{month:%Y-%m} could not be archived, because activity is being read. "
            "Run it again; what was archived stays."
        ) from error

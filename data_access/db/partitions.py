"""The monthly partitions of ``exchange.referral_activity``, created as data arrives."""

import re
from datetime import date

from psycopg.sql import Identifier
from sqlalchemy import Connection, text

from data_access.db import locks
from program.periods import month_start, months_later

PARENT = "exchange.referral_activity"
NAME = re.compile(re.escape(PARENT) + r"_(\d{4})_(\d{2})")


def ensure_months(connection: Connection, first: date, last: date) -> list[str]:
    """Create the missing partitions from ``first``'s month to ``last``'s; returns their names.

    Safe to repeat and to race. Part of the caller's transaction.
    """
    months = _months(first, last)
    if not _missing(connection, months):
        return []
    # Two loads that bring the same new month must not both create it.
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": locks.PARTITIONS})
    missing = _missing(connection, months)
    for month in missing:
        _make(connection, month)
    return [partition_name(month) for month in missing]


def partition_name(month: date) -> str:
    """Return the qualified name of the partition for ``month``."""
    return f"{PARENT}_{month.year:04d}_{month.month:02d}"


def identifier(month: date) -> Identifier:
    """Return the partition for ``month``, for a statement."""
    return Identifier(*partition_name(month).split("."))


def existing(connection: Connection) -> list[date]:
    """Return the months that have a partition, oldest first."""
    names = (NAME.fullmatch(name) for name in _there(connection))
    return sorted(date(int(name[1]), int(name[2]), 1) for name in names if name)


def _months(first: date, last: date) -> list[date]:
    start = month_start(first)
    count = (last.year - start.year) * 12 + last.month - start.month + 1
    return [months_later(start, index) for index in range(count)]


def _missing(connection: Connection, months: list[date]) -> list[date]:
    there = _there(connection)
    return [month for month in months if partition_name(month) not in there]


def _there(connection: Connection) -> set[str]:
    # Read the catalog's rows: to_regclass may return its state before the lock was granted.
    found = connection.execute(
        text(
            "select inhrelid::regclass::text from pg_inherits "
            "where inhparent = cast(:parent as regclass)"
        ),
        {"parent": PARENT},
    )
    return set(found.scalars())


def _make(connection: Connection, month: date) -> None:
    # Attached rather than created in place: `partition of` would lock readers out of the whole
    # table until the load commits; `attach` does not.
    name = partition_name(month)
    bounds = f"from ('{month}') to ('{months_later(month, 1)}')"
    connection.execute(text(f"create table {name} (like {PARENT} including all)"))
    connection.execute(text(owned_like(name, PARENT)))
    connection.execute(text(f"alter table {PARENT} attach partition {name} for values {bounds}"))


def owned_like(name: str, parent: str) -> str:
    """Return the statement that gives a table to its parent's owner, whoever created it."""
    owner = f"(select relowner::regrole from pg_class where oid = '{parent}'::regclass)"  # noqa: S608
    return f"do $$ begin execute format('alter table {name} owner to %s', {owner}); end $$"

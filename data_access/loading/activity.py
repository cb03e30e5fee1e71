"""Merge activity: new months are built whole, existing months are merged row by row."""

# ruff: noqa: S608 - names come from the tables in `kinds`; what a file says is never in a text

from datetime import date

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from data_access.db import citus, locks
from data_access.db.partitions import PARENT, owned_like, partition_name
from data_access.loading import archived_facts
from data_access.loading.arrival import Arrival, Merged, refuse_repeated, upsert
from data_access.loading.staging import TABLE
from program.periods import months_later

# Holds new months while they are filled; dropped within the transaction.
NURSERY = "exchange.referral_activity_arriving"
KEY = "affiliate_account_id, activity_date, referred_account_id"
FACTS = "volume_usd, fees_usd, trade_count"
# From this many rows on, analyze in the same transaction.
MANY = 100_000


def merge(arrival: Arrival) -> Merged:
    """Merge staged activity into its months and create missing ones.

    Raises LoadRefused naming the lines of two rows with the same key, or a row of an archived month
    that does not come back whole, and Refusal for a new month of distributed activity.
    """
    connection = arrival.connection
    first_days = _first_days(connection)
    new = _without_partition(connection, list(first_days))
    if new:
        citus.refuse_distributed(connection, "a load of a new month")
    back = archived_facts.take_back(arrival, first_days)
    old = [month for month in first_days if month not in new]
    done = [_build(arrival, first_days, new)] if new else []
    if old:
        done.append(_merge_into(arrival, old))
    inserted, updated = sum(part.inserted for part in done), sum(part.updated for part in done)
    # What is there of a month that comes back was not counted, whether it changes now or not.
    days = [*back, *(part.first_day for part in done if part.first_day)]
    if inserted + updated >= MANY:
        connection.execute(text(f"analyze {PARENT}"))
    return Merged(inserted=inserted, updated=updated, first_day=min(days, default=None))


def _first_days(connection: Connection) -> dict[date, date]:
    """Return the staged months, each with its earliest staged day."""
    found = connection.execute(
        text(
            "select date_trunc('month', day)::date, min(day) "
            f"from (select distinct activity_date as day from {TABLE}) days group by 1 order by 1"
        )
    )
    return {month: first for month, first in found}  # noqa: C416 - rows are not pairs to mypy


def _without_partition(connection: Connection, months: list[date]) -> list[date]:
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": locks.PARTITIONS})
    return [
        month
        for month in months
        if connection.execute(
            text("select to_regclass(:name) is null"), {"name": partition_name(month)}
        ).scalar_one()
    ]


def _build(arrival: Arrival, first_days: dict[date, date], months: list[date]) -> Merged:
    """Fill, index and attach new months. Much faster than inserting into an index."""
    try:
        with arrival.connection.begin_nested():
            inserted = _filled(arrival, months)
            for month in months:
                _key_and_attach(arrival.connection, month)
            arrival.run(f"drop table {NURSERY}")
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            refuse_repeated(arrival, arrival.kind.key, _in(months))
        raise
    first_day = min(first_days[month] for month in months)
    return Merged(inserted=inserted, updated=0, first_day=first_day)


def _filled(arrival: Arrival, months: list[date]) -> int:
    arrival.run(f"create table {NURSERY} (like {PARENT}) partition by range (activity_date)")
    for month in months:
        name = partition_name(month)
        arrival.run(f"create table {name} (like {PARENT} including all excluding indexes)")
        arrival.run(owned_like(name, PARENT))
        arrival.run(f"alter table {NURSERY} attach partition {name} {_bounds(month)}")
    return arrival.run(
        f"insert into {NURSERY} ({KEY}, {FACTS}) "
        f"select {KEY}, {FACTS} from {TABLE} s where {_in(months)}"
    )


def _key_and_attach(connection: Connection, month: date) -> None:
    name = partition_name(month)
    for statement in (
        f"alter table {NURSERY} detach partition {name}",
        f"alter table {name} add primary key ({KEY}) include ({FACTS})",
        f"alter table {PARENT} attach partition {name} {_bounds(month)}",
    ):
        connection.execute(text(statement))


def _bounds(month: date) -> str:
    return f"for values from ('{month}') to ('{months_later(month, 1)}')"


def _in(months: list[date]) -> str:
    listed = ", ".join(f"'{month}'" for month in months)
    return f"date_trunc('month', activity_date) in ({listed})"


def _merge_into(arrival: Arrival, months: list[date]) -> Merged:
    refuse_repeated(arrival, arrival.kind.key, _in(months))
    # The bounds let the planner skip the other months.
    first, after = min(months), months_later(max(months), 1)
    among = f"t.activity_date >= '{first}' and t.activity_date < '{after}'"
    return upsert(arrival, which=_in(months), among=among)

"""Lifecycle sums of applications by day, stored by a refresh for the program's figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    MetaData,
    Select,
    Table,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
)

from data_access.affiliates.requalification import Refreshed
from data_access.db import tables
from data_access.rollups import lifecycle
from data_access.rollups.lifecycle import At
from program.periods import ONE_DAY, month_start, months_later
from program.review.workflow import Status

# Few large groups, and joins of whole tables: here hashing is right, which the refresh disables for
# its many small groups.
PLANS = {
    "enable_hashagg": ("on", "off"),
    "enable_nestloop": ("on", "off"),
    "min_parallel_table_scan_size": ("8MB", "5TB"),
    "min_parallel_index_scan_size": ("512kB", "5TB"),
}


def write(connection: Connection, done: Refreshed) -> list[int] | None:
    """Bring the sums up to date with everything visible, on any day.

    Returns the applications that may have changed; ``None`` means all.
    """
    with _planned(connection):
        ids = _candidates(connection, done)
        if ids is None:
            _count_all(connection)
        else:
            _count_changes(connection, ids)
        # Only what this transaction sees; what others note meanwhile stays.
        connection.execute(delete(tables.uncounted))
        connection.execute(delete(tables.work_counted))
        connection.execute(insert(tables.work_counted).values(single=True, counted_at=done.now))
    return ids


def _count_all(connection: Connection) -> None:
    held, daily = tables.application_courses, tables.work_daily
    connection.execute(delete(tables.work_monthly))
    connection.execute(delete(daily))
    connection.execute(delete(held))
    connection.execute(insert(held).from_select(list(held.c.keys()), lifecycle.course(None)))
    connection.execute(text(f"analyze {held.fullname}"))
    every = select(*held.c, literal(1).label("sign")).subquery("every_course")
    _add(connection, every)
    _sum_months(connection, true())
    connection.execute(text(f"analyze {daily.fullname}, {tables.work_monthly.fullname}"))


def _candidates(connection: Connection, done: Refreshed) -> list[int] | None:
    changed = lifecycle.changed_ids(connection)
    if changed is None:
        return None
    # Sent back as parameters: a select inside a writing statement is not parallel.
    return sorted({*changed, *connection.execute(_changed_trading(done)).scalars()})


def _count_changes(connection: Connection, ids: list[int]) -> None:
    held = tables.application_courses
    ids_table = _kept(connection, "affected_courses", lifecycle.of(ids).subquery())
    fresh = _kept(connection, "fresh_courses", lifecycle.course(ids_table).subquery())
    moved = _kept(connection, "moved_courses", lifecycle.changed_rows(ids_table, fresh).subquery())
    connection.execute(
        delete(held).where(held.c.application_id.in_(select(moved.c.application_id)))
    )
    names = list(held.c.keys())
    now = select(*(moved.c[name] for name in names)).where(moved.c.sign == 1)
    connection.execute(insert(held).from_select(names, now))
    for at in At:
        _count_again(connection, moved, at)


def _count_again(connection: Connection, moved: Table, at: At) -> None:
    """Recompute the sums of a step for the days on which anything changed."""
    held, daily = tables.application_courses, tables.work_daily
    days = list(connection.execute(select(moved.c[lifecycle.DAY[at]]).distinct()).scalars())
    days = [day for day in days if day is not None]
    if not days:
        return
    connection.execute(delete(daily).where(daily.c.moment == str(at), daily.c.day.in_(days)))
    source = select(*held.c, literal(1).label("sign")).where(held.c[lifecycle.DAY[at]].in_(days))
    _add(connection, source.subquery("counted_again"), at)
    monthly, months = tables.work_monthly, {month_start(day) for day in days}
    connection.execute(
        delete(monthly).where(monthly.c.moment == str(at), monthly.c.month.in_(months))
    )
    # A range a month, for the index.
    within = (daily.c.day.between(m, months_later(m, 1) - ONE_DAY) for m in sorted(months))
    _sum_months(connection, and_(daily.c.moment == str(at), or_(*within)))


def _add(connection: Connection, source: Any, *which: At) -> None:  # noqa: ANN401 - courses
    daily = tables.work_daily
    summed = lifecycle.cells(source, *which).subquery("summed")
    names = list(daily.c.keys())
    connection.execute(insert(daily).from_select(names, select(*(summed.c[n] for n in names))))


def _sum_months(connection: Connection, which: ColumnElement[bool]) -> None:
    """Add the sums of the months of these days."""
    daily, monthly = tables.work_daily, tables.work_monthly
    month = cast(func.date_trunc(literal_column("'month'"), cast(daily.c.day, DateTime)), Date)
    waits = func.string_agg(daily.c.waits, cast(literal(b""), daily.c.waits.type))
    keys = {"moment": daily.c.moment, "dimension": daily.c.dimension, "segment": daily.c.segment}
    sums = {name: func.sum(daily.c[name]) for name in lifecycle.COUNTS}
    summed = {**keys, "month": month, **sums, "waits": waits}
    connection.execute(
        insert(monthly).from_select(
            list(summed), select(*summed.values()).where(which).group_by(*keys.values(), month)
        )
    )


def _changed_trading(done: Refreshed) -> Select[Any]:
    """Return approved applications whose first trade is, or may be, in the recomputed days."""
    held, daily = tables.application_courses, tables.affiliate_daily
    traded = exists().where(
        daily.c.affiliate_account_id == held.c.account_id,
        daily.c.day >= done.start,
        daily.c.volume_usd > 0,
    )
    approved = (held.c.status == str(Status.APPROVED), held.c.decided_day.is_not(None))
    quiet = held.c.active_since.is_(None)
    return select(held.c.application_id).where(
        *approved, or_(held.c.active_since >= done.start, quiet & traded)
    )


def _kept(connection: Connection, name: str, rows: Any) -> Table:  # noqa: ANN401 - a subquery
    """Store the rows in a new temporary table with that name."""
    connection.execute(text(f"drop table if exists pg_temp.{name}"))
    table = Table(
        name,
        MetaData(),
        *(Column(c.name, c.type) for c in rows.c),
        prefixes=["temporary"],
        postgresql_on_commit="drop",
    )
    table.create(connection)
    connection.execute(insert(table).from_select(list(table.c.keys()), select(*rows.c)))
    connection.execute(text(f"analyze pg_temp.{name}"))
    return table


@contextmanager
def _planned(connection: Connection) -> Iterator[None]:
    yes = literal(value=True)
    for name, (here, _) in PLANS.items():
        connection.execute(select(func.set_config(name, here, yes)))
    yield
    for name, (_, elsewhere) in PLANS.items():
        connection.execute(select(func.set_config(name, elsewhere, yes)))

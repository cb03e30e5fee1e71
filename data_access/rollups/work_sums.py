"""Lifecycle sums of applications by day, stored by a refresh for the program's figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Row,
    Select,
    Table,
    Text,
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
    union,
)

from data_access.affiliates.requalification import Refreshed
from data_access.db import tables
from data_access.rollups import lifecycle
from data_access.rollups.lifecycle import At
from program.review.workflow import Status

# Few large groups, and joins of whole tables: here hashing is right, which the refresh disables for
# its many small groups.
FEW = 50_000
# Transaction ids wrap around at four billion.
MANY_TRANSACTIONS = 1_000_000_000
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
        since = lifecycle.counted(connection)
        ids = None if since is None else _candidates(connection, done, since)
        if ids is None:
            _count_all(connection)
        else:
            _count_changes(connection, ids)
        connection.execute(delete(tables.loaded_since))
        connection.execute(delete(tables.work_counted))
        connection.execute(
            insert(tables.work_counted).values(single=True, counted_at=done.now, **_newest())
        )
    return ids


def _count_all(connection: Connection) -> None:
    held, daily = tables.application_courses, tables.work_daily
    connection.execute(delete(daily))
    connection.execute(delete(held))
    connection.execute(insert(held).from_select(list(held.c.keys()), lifecycle.course(None)))
    connection.execute(text(f"analyze {held.fullname}"))
    every = select(*held.c, literal(1).label("sign")).subquery("every_course")
    _add(connection, every)
    connection.execute(text(f"analyze {daily.fullname}"))


def _candidates(connection: Connection, done: Refreshed, since: Row[Any]) -> list[int]:
    sources = (
        *lifecycle.news(since),
        _upstream_changes(connection, since),
        _changed_trading(done),
    )
    # Read and sent back as parameters: a select inside a writing statement is not parallel.
    return list(connection.execute(union(*sources)).scalars())


def _count_changes(connection: Connection, ids: list[int]) -> None:
    held = tables.application_courses
    ids_table = _kept(connection, "affected_courses", lifecycle.of(ids).subquery())
    fresh = _kept(connection, "fresh_courses", lifecycle.course(ids_table).subquery())
    moved = _kept(connection, "moved_courses", lifecycle.changed(ids_table, fresh).subquery())
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


def _add(connection: Connection, source: Any, *which: At) -> None:  # noqa: ANN401 - courses
    daily = tables.work_daily
    summed = lifecycle.cells(source, *which).subquery("summed")
    names = list(daily.c.keys())
    connection.execute(insert(daily).from_select(names, select(*(summed.c[n] for n in names))))


def _upstream_changes(connection: Connection, since: Row[Any]) -> Select[Any]:
    """Return applications that upstream may have changed, by a load or directly.

    Rows carry the transaction that wrote them, which finds the few that are new or changed without
    comparing all. If that is of no use, as after a move to another server, or if they are many, all
    are compared.
    """
    now = connection.execute(text("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))
    ago = now.scalar_one() - since.transaction + 1
    if not 0 < ago < MANY_TRANSACTIONS:
        return lifecycle.changed_upstream()
    application, account = tables.applications, tables.accounts
    written = union(
        *(
            select(application.c.application_id)
            .join_from(application, account, account.c.account_id == application.c.account_id)
            .where(func.age(literal_column(f"{table.fullname}.xmin")) <= ago)
            for table in (application, account)
        )
    ).limit(FEW + 1)
    ids = list(connection.execute(written).scalars())
    return lifecycle.of(ids) if len(ids) <= FEW else lifecycle.changed_upstream()


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


def _newest() -> dict[str, Any]:
    oldest = func.pg_snapshot_xmin(func.pg_current_snapshot())
    return {
        "transaction": cast(cast(oldest, Text), BigInteger),
        **_newest_ids(),
    }


def _newest_ids() -> dict[str, Any]:
    return {
        key: select(func.coalesce(func.max(table.c[key]), 0)).scalar_subquery()
        for table, key in lifecycle.NEWS
    }


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

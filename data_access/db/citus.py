"""Distribute the facts over the workers of a Citus cluster, by affiliate."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from data_access.db import locks
from data_access.db.errors import Refusal
from data_access.db.partitions import PARENT

REFERRALS = "exchange.referrals"
BY = "affiliate_account_id"
# Unique over another column than the one that rows are distributed by, which no worker can know.
# `load` refuses a second affiliate before it merges.
UNIQUE_ELSEWHERE = "referrals_one_affiliate_per_referred"
UNSUPPORTED = (
    "On Citus a load cannot bring a new month yet, or an archived one back, "
    "and `archive` does not work: both say so, and change nothing."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distributed:
    """What was done: the tables that were distributed now, over how many workers."""

    tables: tuple[str, ...]
    workers: int

    def __str__(self) -> str:
        if not self.tables:
            return "Referrals and activity are distributed already."
        return (
            f"{' and '.join(self.tables)} are distributed by affiliate over "
            f"{self.workers:,} workers, side by side. Rollups and judgments stay here. The rows "
            "stay on this disk too, unread, until an administrator calls "
            f"`truncate_local_data_after_distributing_table` for {REFERRALS} and {PARENT}. "
            f"{UNSUPPORTED}"
        )


def distribute(engine: Engine) -> Distributed:
    """Distribute referrals and activity, in one transaction; safe to repeat and to kill.

    The engine is the owner's. Raises Refusal where the server has no Citus or no workers.
    """
    with engine.begin() as connection:
        _require_citus(connection)
        workers = _workers(connection)
        # No load and no refresh meanwhile, however long they take.
        connection.execute(text("set local lock_timeout = 0"))
        for lock in (locks.REFRESH, locks.LOAD):
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": lock})
        missing = [table for table in (REFERRALS, PARENT) if not _is_distributed(connection, table)]
        for table in missing:
            _distribute(connection, table)
    return Distributed(tables=tuple(missing), workers=workers)


def refuse_distributed(connection: Connection, what: str) -> None:
    """Raise Refusal that names ``what``, which does not work on distributed activity yet."""
    # Citus keeps its tables in the catalog's schema; without it there is none.
    known = text("select to_regclass('pg_dist_partition') is not null")
    if connection.execute(known).scalar_one() and _is_distributed(connection, PARENT):
        raise Refusal(
            f"Activity is distributed over Citus here, and {what} does not work there yet. "
            "Nothing was changed; docs/scaling.md lists what does not."
        )


def _require_citus(connection: Connection) -> None:
    available, created = connection.execute(
        text(
            "select exists (select from pg_available_extensions where name = 'citus'), "
            "exists (select from pg_extension where extname = 'citus')"
        )
    ).one()
    if not available:
        raise Refusal(
            "This server has no Citus, so there is nothing to distribute to. Activity is "
            "partitioned by month here; docs/scaling.md says how far that goes."
        )
    if not created:
        raise Refusal(
            "Citus is installed but not in this database. As an administrator run "
            "`create extension citus`, and add the workers with `citus_add_node`."
        )


def _workers(connection: Connection) -> int:
    count = text("select count(*) from citus_get_active_worker_nodes()")
    number: int = connection.execute(count).scalar_one()
    if not number:
        raise Refusal(
            "Citus knows no workers. As an administrator add them with `citus_add_node`; nothing "
            "was changed."
        )
    return number


def _is_distributed(connection: Connection, table: str) -> bool:
    known = "select from pg_dist_partition where logicalrelid = cast(:name as regclass)"
    found = connection.execute(text(f"select exists ({known})"), {"name": table})
    return bool(found.scalar_one())


def _distribute(connection: Connection, table: str) -> None:
    beside = "default"
    if table == REFERRALS:
        order = f"alter table {table} drop constraint if exists {UNIQUE_ELSEWHERE}"
        connection.execute(text(order))
        # The check of `load` reads it, as it read the constraint's index.
        index = f"create index if not exists referrals_by_referred on {table} (referred_account_id)"
        connection.execute(text(index))
    else:
        beside = REFERRALS
    order = "create_distributed_table(cast(:name as regclass), :by, colocate_with => :beside)"
    given = {"name": table, "by": BY, "beside": beside}
    connection.execute(text(f"select {order}"), given)

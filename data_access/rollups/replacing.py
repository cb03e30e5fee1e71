"""Replace rows of a rollup, writing only those that differ."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier, Literal
from sqlalchemy import Table

from data_access.db import planner, tables
from data_access.db.partitions import owned_like
from program.periods import months_later

# Unchanged rows are left alone: a rerun writes nothing, and a late correction of one affiliate
# costs only that affiliate.
DELETE = SQL(
    """
    delete from {table} as held
    where {scope} and not exists (
        select from {fresh} as fresh where ({held_keys}) = ({fresh_keys}))
    """
)
MERGE = SQL(
    """
    merge into {table} as held
    using {fresh} as fresh on {scope} and ({held_keys}) = ({fresh_keys})
    when matched and ({held_values}) is distinct from ({fresh_values}) then
        update set ({values}) = row({fresh_values})
    when not matched then
        insert ({columns}) values ({fresh_keys}, {fresh_values})
    """
)
DIFFERING = SQL(
    """
    select count(*) as found
    from (select * from {table} as held where {scope}) as held
    full join {fresh} as fresh using ({key_names})
    where ({held_values}) is distinct from ({fresh_values})
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """A table of `tables`, and the name of the temporary table its rows are computed in."""

    table: Table

    @property
    def fresh(self) -> Identifier:
        """The temporary table with the computed rows."""
        return Identifier("pg_temp", "fresh_" + self.table.name.removeprefix("affiliate_"))


DAILY = Rollup(table=tables.affiliate_daily)
MONTHLY = Rollup(table=tables.affiliate_monthly)
WINDOW = Rollup(table=tables.affiliate_window)
SEGMENT_DAILY = Rollup(table=tables.segment_daily)
PROGRAM_MONTHLY = Rollup(table=tables.program_monthly)
LEADERS = Rollup(table=tables.month_leaders)
COHORTS = Rollup(table=tables.referral_cohorts)


def compute(cursor: Cursor[Any], into: Identifier, select: Composable) -> None:
    """Compute the rows of ``select`` into a new temporary table ``into``.

    `create table as` can use several workers, which `insert ... select` never does.
    """
    cursor.execute(SQL("drop table if exists {}").format(into))
    cursor.execute(SQL("create temporary table {} on commit drop as {}").format(into, select))


def replace(cursor: Cursor[Any], rollup: Rollup, scope: Composable) -> None:
    """Make the rows of ``rollup`` within ``scope`` equal to the computed ones."""
    for statement in (DELETE, MERGE):
        cursor.execute(statement.format(**_parts(rollup, scope)))


def count_differing(cursor: Cursor[DictRow], rollup: Rollup, scope: Composable) -> int:
    """Return how many rows within ``scope`` differ from the computed ones, or are missing there."""
    row = cursor.execute(DIFFERING.format(**_parts(rollup, scope))).fetchone()
    return int(row["found"]) if row else 0


def _parts(rollup: Rollup, scope: Composable) -> dict[str, Composable]:
    keys = [column.name for column in rollup.table.primary_key]
    values = [column.name for column in rollup.table.columns if not column.primary_key]
    return {
        "table": Identifier(*rollup.table.fullname.split(".")),
        "fresh": rollup.fresh,
        "scope": scope,
        "values": SQL(", ").join(map(Identifier, values)),
        "columns": SQL(", ").join(map(Identifier, [*keys, *values])),
        "held_keys": _of("held", keys),
        "fresh_keys": _of("fresh", keys),
        "held_values": _of("held", values),
        "fresh_values": _of("fresh", values),
        "key_names": SQL(", ").join(map(Identifier, keys)),
    }


def add_month(cursor: Cursor[Any], month: date, select: Composable) -> bool:
    """Create the month's partition of affiliate_daily from ``select``, if it is missing.

    Filled by several workers, then indexed, then attached: that is the fast order, and attaching
    does not block readers as creating a partition in place would. Rows are ordered by day, as if
    loaded daily, which suits the index by day.
    """
    part = month_part(month)
    known = cursor.execute("select where to_regclass(%s) is not null", [part.as_string()])
    if known.fetchone() is not None:
        return False
    # As in the migration: an index of another shape could not be attached.
    rest = ("volume_usd", "fees_usd", "trade_count", "zero_fee_volume_usd", "new_users")
    given = [SQL("alter {} set not null").format(Identifier(c.name)) for c in DAILY.table.columns]
    parts: dict[str, Composable] = {
        "part": part,
        "parent": Identifier(*DAILY.table.fullname.split(".")),
        "select": select,
        "given": SQL(", ").join(given),
        "rest": SQL(", ").join(map(Identifier, rest)),
        "first": Literal(month),
        "after": Literal(months_later(month, 1)),
    }
    with planner.planning(cursor, {"enable_gathermerge": "on"}):
        cursor.execute(
            SQL("create table {part} as select * from ({select}) as fresh order by day").format(
                **parts
            )
        )
    for step in (
        "alter table {part} {given}, add primary key (affiliate_account_id, day) include ({rest})",
        "analyze {part}",
        "alter table {parent} attach partition {part} for values from ({first}) to ({after})",
    ):
        cursor.execute(SQL(step).format(**parts))
    cursor.execute(owned_like(part.as_string(), DAILY.table.fullname))
    return True


def month_part(month: date) -> Identifier:
    """Return the partition of affiliate_daily for ``month``."""
    return Identifier("review", f"affiliate_daily_{month.year:04d}_{month.month:02d}")


def _of(alias: str, columns: list[str]) -> Composable:
    return SQL(", ").join(Identifier(alias, column) for column in columns)

"""Read the trading of the scope in shares, one parallel worker each.

Workers see no temporary tables, so each share lists its accounts. The primary key of the activity
begins with the affiliate: a share reads the rows of its accounts only.
"""

from collections.abc import Iterator, Sequence
from typing import LiteralString

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from program.periods import Window

# More shares than workers, so that a worker that is done takes the next and none waits long.
SHARES = 8


# To restrict a statement to all of the scope.
EVERYBODY = SQL("select account_id from pg_temp.risk_scope order by 1")


def create(
    cursor: Cursor[DictRow],
    name: str,
    select: SQL,
    of: Composed | SQL = EVERYBODY,
    **parts: Composable,
) -> None:
    """Create the temporary table ``name`` of ``select``, whose {share} are accounts of ``of``."""
    ids = [row["account_id"] for row in cursor.execute(of).fetchall()]
    shares = [SQL("({})").format(select.format(share=one, **parts)) for one in _shares(ids)]
    cursor.execute(
        SQL("create temporary table {} on commit drop as {}").format(
            Identifier(name), SQL(" union all ").join(shares)
        )
    )
    # For the planner's sake the keys are enough.
    cursor.execute(SQL("analyze {} (account_id)").format(Identifier("pg_temp", name)))


def _shares(ids: Sequence[int]) -> Iterator[Composable]:
    size = -(-len(ids) // SHARES) or 1
    for start in range(0, len(ids) or 1, size):
        yield SQL("affiliate_account_id = any({}::bigint[])").format(
            Literal(list(ids[start : start + size]))
        )


def within(column: LiteralString, days: Window) -> Composable:
    """Return whether the day in ``column`` lies in ``days``."""
    return SQL("({0} >= {1} and {0} < {2})").format(
        SQL(column), Literal(days.start), Literal(days.end)
    )

"""The transaction of a refresh: one at a time, with one snapshot and settings of its own."""

from contextlib import AbstractContextManager

from psycopg import Cursor
from psycopg.rows import DictRow
from sqlalchemy import Connection, Engine

from data_access.db import locks
from data_access.db.alone import running

# More shares than workers, so that a worker that is done takes the next and none waits long.
SHARES = 8

# For this transaction only. By default the planner has all workers share each scan and merge their
# partial sums, or hashes a million users; one worker per share, in key order, takes half the time.
# Hence: make workers cheap and single scans not worth splitting. The planner also underestimates
# the affiliates of a share by far and would use nested loops.
SETTINGS = {
    "timezone": "UTC",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "jit": "off",
    "enable_hashagg": "off",
    "enable_nestloop": "off",
    "enable_gathermerge": "off",
    "min_parallel_table_scan_size": "5TB",
    "min_parallel_index_scan_size": "5TB",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
    "enable_parallel_append": "on",
    "max_parallel_workers_per_gather": "2",
}


def alone(engine: Engine, what: str) -> AbstractContextManager[tuple[Connection, Cursor[DictRow]]]:
    """Open the transaction, when no other refresh, archiving or load is running; see `db.alone`."""
    others = "Another refresh, or archiving,"
    return running(engine, what, locks.REFRESH, others=others, after_loads=True)


def cuts(cursor: Cursor[DictRow]) -> list[int]:
    """Return the affiliates at which to cut the work into shares of similar size."""
    fractions = [index / SHARES for index in range(1, SHARES)]
    row = cursor.execute(
        """select percentile_disc(%s::float8[]) within group (order by affiliate_account_id) as cuts
           from exchange.referrals tablesample system (1) repeatable (1)""",
        [fractions],
    ).fetchone()
    return sorted(set(row["cuts"] or [])) if row else []

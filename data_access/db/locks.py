"""The advisory locks. Each guards something of which only one may run at a time."""

from sqlalchemy import Connection, func, select

MIGRATION = 7_310_001
PARTITIONS = 7_310_002
REFRESH = 7_310_003
DEMO = 7_310_004
LOAD = 7_310_005
POLICY = 7_310_011
HOLIDAYS = 7_310_012
DELIVERY_SETTINGS = 7_310_006
TEMPLATES = 7_310_007
FORM_MAPS = 7_310_015
# Used with the hash of an address: each person's views are saved one at a time.
SAVED_VIEWS = 7_310_013
# Used with the hash of a request id, for requests that lock nothing else.
REQUESTS = 7_310_016
# Held alone by whoever restates all standings; the triggers that restate some of them share it.
STANDINGS = 7_310_017
# 7_310_018 is tried by the trigger that merges the sums of standings.
# Risk is measured by one at a time.
RISK = 7_310_019
# Staff change one at a time, so that two administrators cannot remove each other.
STAFF = 7_310_021
# 7_310_008 is taken by the trigger that gives decisions their position.
REPORT_MAIL = 7_310_022
# Whoever starts an export counts the running ones under this lock.
EXPORT_JOBS = 7_310_014
# The first of as many locks as exports may read at a time; the numbers after it are reserved.
EXPORTS = 7_310_100


def hold(connection: Connection, lock: int, of: str = "") -> None:
    """Hold a lock, of the thing named ``of``, until the transaction ends; wait for it first."""
    connection.execute(select(func.pg_advisory_xact_lock(lock, func.hashtext(of))))

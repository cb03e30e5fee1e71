"""Read the last days of the scope's affiliates, once, for all signals about days.

``pg_temp.risk_days`` has one row per affiliate and day with activity or sign-ups.
"""

from datetime import timedelta

import numpy as np
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL

from data_access.risk import shares, values
from data_access.risk.frame import Measuring
from data_access.risk.values import Floats
from program.periods import Window, month_start, months_later

# So many days before the last window are the usual ones, which its own are compared with.
USUAL_DAYS = 90
MONTHS = 3

DAYS = SQL(
    """
    select affiliate_account_id as account_id, day, volume_usd, new_users
    from review.affiliate_daily
    where {read} and {share}
    """
)
MARKET = SQL(
    """
    select day - {start} as day, volume_usd::float8 from review.segment_daily
    where dimension = 'program' and {days} and volume_usd > 0
    """
)


def read(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    """Create ``pg_temp.risk_days``: from the usual days and the last complete months on."""
    usual = min(measuring.days.start, measuring.window.end) - timedelta(days=USUAL_DAYS)
    first = min(usual, months_later(month_start(measuring.through), -MONTHS))
    days = Window(first, measuring.end)
    shares.create(cursor, "risk_days", DAYS, read=shares.within("day", days))
    cursor.execute("analyze pg_temp.risk_days (day)")


def market(cursor: Cursor[DictRow], days: Window) -> Floats:
    """Return the program's volume of each day, 0 if there is none."""
    query = MARKET.format(start=days.start, days=shares.within("day", days))
    found = values.fetch(cursor, query, {"day": int, "volume": float})
    volumes = np.zeros(days.days)
    volumes[found["day"]] = found["volume"]
    return volumes

"""Measure days that stand out of an affiliate's own: R07 and R08.

Volumes are compared as shares of the program's volume, so that a rising market raises nothing.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Literal

from data_access.risk import daily, shares, values
from data_access.risk.frame import Measuring, Part
from data_access.risk.values import Booleans, Floats, Integers
from program.periods import Window

LONG_DAYS = 90
# Of the distance from the median in units of the usual one, by Iglewicz and Hoaglin.
FAR = 3.5
# Shares that are equal but for the last bits of a float have no spread.
NO_SPREAD = 1e-9

TRADING_DAYS = SQL(
    """
    select account_id, day - {start} as day, volume_usd as volume
    from pg_temp.risk_days where {days} and volume_usd > 0
    """
)
FOUND = """
create temporary table risk_found_days (
    account_id bigint, largest_share float8, days integer, busiest date, long_days integer,
    outliers date[]) on commit drop
"""
# Amounts are added up here, where they are exact.
MEASURES = SQL(
    """
    create temporary table risk_outliers on commit drop as
    with amounts as (
        select account_id, sum(volume_usd) as volume,
               sum(volume_usd) filter (where day = busiest) as busiest_volume,
               coalesce(sum(volume_usd) filter (where day = any(outliers)), 0) as outlier_volume
        from pg_temp.risk_days join pg_temp.risk_found_days using (account_id)
        where day >= {start} and day < {end}
        group by account_id
    )
    select account_id, round(largest_share::numeric, 6) as r07, days as r07_sample,
           round(outlier_volume / volume, 6) as r08, long_days as r08_sample,
           concat_ws(', ',
               concat('"R07": ', json_build_object(
                   'day', busiest, 'volume_usd', busiest_volume)),
               case when outlier_volume > 0 then concat('"R08": ', json_build_object(
                   'days', outliers, 'volume_usd', outlier_volume)) end) as inputs
    from pg_temp.risk_found_days join amounts using (account_id)
    """
)


def fill(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    """Read the days, for the parts after this one too, and measure them."""
    daily.read(cursor, measuring)
    end = measuring.window.end
    days = Window(end - timedelta(days=LONG_DAYS), end)
    found = values.fetch(
        cursor,
        TRADING_DAYS.format(start=days.start, days=shares.within("day", days)),
        {"account": int, "day": int, "volume": float},
    )
    market = daily.market(cursor, days)
    known = market[found["day"]] > 0
    order = np.lexsort((found["day"][known], found["account"][known]))
    account, day, volume = (found[name][known][order] for name in ("account", "day", "volume"))
    cursor.execute(FOUND)
    if len(account):
        in_window = day >= (measuring.window.start - days.start).days
        rows = _rows(account, day, volume / market[day], in_window, days.start)
        values.write(cursor, "risk_found_days", rows)
    shown = measuring.window
    cursor.execute(MEASURES.format(start=Literal(shown.start), end=Literal(shown.end)))


def _rows(
    account: Integers,
    day: Integers,
    share: Floats,
    in_window: Booleans,
    first: date,
) -> Iterator[tuple[Any, ...]]:
    """Yield the row of each account with a day in the window; its days stand together, in order."""
    starts = np.flatnonzero(np.diff(account, prepend=-1))
    sizes = np.diff(starts, append=len(account))
    month = np.where(in_window, share, 0.0)
    largest = np.maximum.reduceat(month, starts)
    is_largest = in_window & (share == np.repeat(largest, sizes))
    out = in_window & _stands_out(np.log(share), starts, sizes)
    counts, total = (np.add.reduceat(of, starts) for of in (in_window.astype(int), month))
    for n in np.flatnonzero(counts):
        start, own = starts[n], slice(starts[n], starts[n] + sizes[n])
        busiest = start + int(np.argmax(is_largest[own]))
        yield (
            int(account[start]),
            float(largest[n] / total[n]),
            int(counts[n]),
            first + timedelta(days=int(day[busiest])),
            int(sizes[n]),
            [first + timedelta(days=back) for back in day[own][out[own]].tolist()],
        )


def _stands_out(x: Floats, starts: Integers, sizes: Integers) -> Booleans:
    """Return which numbers lie far above the median of their group."""
    middle = np.repeat(_medians(x, starts, sizes), sizes)
    away = np.abs(x - middle)
    usual, mean = _medians(away, starts, sizes), np.add.reduceat(away, starts) / sizes
    unit = np.where(usual > NO_SPREAD, usual / 0.6745, 1.253314 * mean)
    unit[(usual <= NO_SPREAD) & (mean <= NO_SPREAD)] = np.inf
    far: Booleans = (x - middle) / np.repeat(unit, sizes) > FAR
    return far


def _medians(x: Floats, starts: Integers, sizes: Integers) -> Floats:
    ordered = x[np.lexsort((x, np.repeat(starts, sizes)))]
    medians: Floats = (ordered[starts + (sizes - 1) // 2] + ordered[starts + sizes // 2]) / 2
    return medians


PARTS = (
    Part(
        name="risk_outliers",
        columns=("r07", "r07_sample", "r08", "r08_sample"),
        fill=fill,
    ),
)

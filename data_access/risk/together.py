"""Measure users who trade alike: R14 and R15, over the largest users of each affiliate."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Literal

from data_access.risk import daily, values
from data_access.risk.frame import Measuring, Part
from data_access.risk.users import LARGE_DAY_USD
from data_access.risk.values import Booleans, Floats, Integers

MOST_USERS = 50
# R14: days of `LARGE_DAY_USD` that both trade, and how close a match is.
PAIR_DAYS = 5
CLOSE = 0.01
# A ratio other than 1 may be any, so it takes more days to be no chance.
OTHER_RATIO_DAYS = 10
# R15
TRADING_DAYS = 10
CLUSTER = 3
SAME_DAYS = 0.9
CORRELATED = 0.95

# Users who can be one of a pair or a cluster, of affiliates that have enough of them.
USERS = SQL(
    """
    create temporary table risk_alike_users on commit drop as
    with volumes as (
        select account_id, user_id as referred_account_id, month_volume as volume,
               month_days as days, month_large_days as large_days
        from pg_temp.risk_users where month_days > 0
    ), ranked as (
        select *, sum(volume) over (partition by account_id) as total,
               row_number() over (
                   partition by account_id order by volume desc, referred_account_id) as place
        from volumes
    ), able as (
        select *, days >= {trading_days} as trades_often,
               sum((large_days >= {pair_days})::integer) over own as pairing,
               sum((days >= {trading_days})::integer) over own as clustering
        from ranked where place <= {most}
        window own as (partition by account_id)
    )
    select account_id, referred_account_id, volume, total, trades_often from able
    where (pairing >= 2 and large_days >= {pair_days})
       or (clustering >= {cluster} and days >= {trading_days})
    """
)
USER_DAYS = SQL(
    """
    select referred_account_id, activity_date - {start} as day, volume_usd::float8
    from pg_temp.risk_alike_users
    join exchange.referral_activity using (referred_account_id)
    where affiliate_account_id = account_id and activity_date >= {start} and activity_date < {end}
      and volume_usd > 0
      -- Each affiliate's rows once, not once for each of its users.
      and affiliate_account_id = any(array(select account_id from pg_temp.risk_alike_users))
    """
)
ALIKE = """
create temporary table risk_alike (
    account_id bigint, r14 numeric, r14_sample integer, r15 numeric, r15_sample integer,
    inputs text) on commit drop
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The users of one affiliate, largest first; arrays of users by days, 0 without trading."""

    account_id: int
    users: Integers
    volumes: Floats
    total: float
    often: Booleans
    daily: Floats
    shares: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """What was found: a share of the volume, the sample, and the inputs if there are any."""

    value: float
    sample: int
    inputs: dict[str, Any]


def mirrored(group: Group) -> Alike:
    """Return the largest pair whose volumes keep one ratio on half of their joint days."""
    large = group.daily >= LARGE_DAY_USD
    first, second = _pairs(len(group.users))
    joint = large[first] & large[second]
    days = joint.sum(axis=1)
    sample = int(days.max(initial=0))
    enough = days >= PAIR_DAYS
    if not enough.any():
        return Alike(value=0.0, sample=sample, inputs={})
    first, second, joint, days = first[enough], second[enough], joint[enough], days[enough]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(large, np.log(group.daily), np.nan)
        ratios = np.where(joint, logs[first] - logs[second], np.nan)
    middle = _medians(ratios, days)
    near_one = np.nansum(np.abs(ratios) <= -np.log1p(-CLOSE), axis=1)
    near_middle = np.nansum(np.abs(ratios - middle[:, None]) <= -np.log1p(-CLOSE), axis=1)
    equal = 2 * near_one >= days
    constant = (2 * near_middle >= days) & (days >= OTHER_RATIO_DAYS)
    sizes = group.volumes[first] + group.volumes[second]
    best = int(np.argmax(np.where(equal | constant, sizes, 0.0)))
    if not (equal[best] or constant[best]):
        return Alike(value=0.0, sample=sample, inputs={})
    inputs = {
        "users": [int(group.users[first[best]]), int(group.users[second[best]])],
        "ratio": 1.0 if equal[best] else round(float(np.exp(middle[best])), 6),
        "near_one": bool(equal[best]),
        "joint_days": int(days[best]),
        "matching_days": int((near_one if equal[best] else near_middle)[best]),
    }
    return Alike(value=float(sizes[best]) / group.total, sample=int(days[best]), inputs=inputs)


@cache
def _pairs(users: int) -> tuple[Integers, Integers]:
    """Return the first and the second of each pair of so many users."""
    return np.triu_indices(users, 1)


def _medians(rows: Floats, counts: Integers) -> Floats:
    """Return the median of each row's numbers, of which there are ``counts``; the rest is NaN."""
    ordered, each = np.sort(rows, axis=1), np.arange(len(rows))
    medians: Floats = (ordered[each, (counts - 1) // 2] + ordered[each, counts // 2]) / 2
    return medians


def together(group: Group) -> Alike:
    """Return the largest cluster of users who trade on the same days in the same proportions."""
    from scipy.sparse import csgraph

    often = group.often
    shares, users, volumes = group.shares[often], group.users[often], group.volumes[often]
    sample = len(users)
    if sample < CLUSTER:
        return Alike(value=0.0, sample=sample, inputs={})
    edges = _same_days(shares) & _correlated(shares)
    _, labels = csgraph.connected_components(edges, directed=False)
    sizes = np.bincount(labels)
    sums = np.where(sizes >= CLUSTER, np.bincount(labels, weights=volumes), 0.0)
    best = int(np.argmax(sums))
    if not sums[best]:
        return Alike(value=0.0, sample=sample, inputs={})
    inputs = {"users": users[labels == best].tolist(), "volume_usd": round(float(sums[best]), 2)}
    return Alike(value=float(sums[best]) / group.total, sample=sample, inputs=inputs)


def _same_days(shares: Floats) -> Booleans:
    traded = (shares > 0).astype(float)
    both = traded @ traded.T
    either = traded.sum(axis=1)[:, None] + traded.sum(axis=1)[None, :] - both
    same: Booleans = both >= SAME_DAYS * either
    return same


def _correlated(shares: Floats) -> Booleans:
    """Return which users' log shares correlate over the days on which both trade."""
    traded = (shares > 0).astype(float)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    # Around each user's own mean, so that no digits are lost in differences of large sums.
    logs = (logs - (logs.sum(axis=1) / traded.sum(axis=1))[:, None]) * traded
    days = np.maximum(traded @ traded.T, 1.0)
    mean = (logs @ traded.T) / days
    covariance = (logs @ logs.T) / days - mean * mean.T
    variance = (logs**2 @ traded.T) / days - mean**2
    # No spread, but for the last bits of a float.
    steady = variance < 1e-12
    spread = np.sqrt(np.maximum(variance * variance.T, 0.0))
    related: Booleans = (covariance >= CORRELATED * spread) & (spread > 0)
    alike: Booleans = (related & ~steady & ~steady.T) | (steady & steady.T)
    return alike


def _fill(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    """Measure them, from ``pg_temp.risk_users`` and the days of those who can be alike."""
    days = {"start": Literal(measuring.window.start), "end": Literal(measuring.window.end)}
    cursor.execute(
        USERS.format(
            pair_days=Literal(PAIR_DAYS),
            trading_days=Literal(TRADING_DAYS),
            cluster=Literal(CLUSTER),
            most=Literal(MOST_USERS),
        )
    )
    cursor.execute("analyze pg_temp.risk_alike_users")
    users = values.fetch(
        cursor,
        SQL(
            "select account_id, referred_account_id, volume::float8, total::float8, "
            "trades_often::integer from pg_temp.risk_alike_users "
            "order by account_id, volume desc, referred_account_id"
        ),
        {"account": int, "user": int, "volume": float, "total": float, "often": int},
    )
    found = values.fetch(
        cursor, USER_DAYS.format(**days), {"user": int, "day": int, "volume": float}
    )
    market = daily.market(cursor, measuring.window)
    market[market == 0] = 1
    cursor.execute(ALIKE)
    values.write(cursor, "risk_alike", map(_row, _groups(users, found, market)))


def _groups(
    users: dict[str, NDArray[Any]], days: dict[str, NDArray[Any]], market: Floats
) -> Iterator[Group]:
    """Yield each affiliate's users with their days."""
    ids, accounts = users["user"], users["account"]
    order = np.argsort(ids)
    daily = np.zeros((len(ids), len(market)))
    daily[order[np.searchsorted(ids, days["user"], sorter=order)], days["day"]] = days["volume"]
    edges = [*np.flatnonzero(np.diff(accounts, prepend=-1)), len(accounts)]
    for start, end in pairwise(edges):
        own = slice(start, end)
        yield Group(
            account_id=int(accounts[start]),
            users=ids[own],
            volumes=users["volume"][own],
            total=float(users["total"][start]),
            often=users["often"][own] > 0,
            daily=daily[own],
            shares=daily[own] / market,
        )


def _row(group: Group) -> tuple[Any, ...]:
    pair, cluster = mirrored(group), together(group)
    named = {"R14": pair.inputs, "R15": cluster.inputs}
    return (
        group.account_id,
        round(pair.value, 6),
        pair.sample,
        round(cluster.value, 6),
        cluster.sample,
        ", ".join(f'"{id_}": {json.dumps(inputs)}' for id_, inputs in named.items() if inputs)
        or None,
    )


PARTS = (Part(name="risk_alike", columns=("r14", "r14_sample", "r15", "r15_sample"), fill=_fill),)

"""Measure bursts of sign-ups: R09."""

from datetime import timedelta
from typing import Any

import numpy as np
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Literal

from data_access.risk import values
from data_access.risk.frame import Measuring, Part
from data_access.risk.values import Floats
from program.risk.signals import DAYS

BEFORE_DAYS = 90
LEAST_A_DAY = 5
# From so many on one day on, the other days of the month do not matter.
MANY_A_DAY = 8
CLOSE_TOGETHER = 0.6
# Nobody has a history of zero: the first sign-ups of a new affiliate would be impossible.
LEAST_MEAN = 0.1
# A probability below any that a float has.
MOST = 99.0

SIGN_UPS = SQL(
    """
    create temporary table risk_sign_up_days on commit drop as
    with days as (
        select account_id, day, new_users, day >= {start} as in_month,
               sum(new_users) filter (where day >= {start}) over (
                   partition by account_id order by day
                   range between interval '2 days' preceding and current row) as three_days
        from pg_temp.risk_days
        where day >= {first} and day < {end} and new_users > 0
    )
    select account_id, sum(new_users) filter (where in_month) as sign_ups,
           max(new_users) filter (where in_month) as busiest,
           (array_agg(day order by new_users desc, day) filter (where in_month))[1] as busiest_day,
           max(three_days) filter (where in_month) as three_days,
           coalesce(sum(new_users) filter (where not in_month), 0) as before,
           coalesce(sum(new_users::bigint * new_users) filter (where not in_month), 0) as squares
    from days group by account_id having bool_or(in_month)
    """
)
BUSY = SQL(
    """
    select account_id, busiest::float8, before::float8, squares::float8
    from pg_temp.risk_sign_up_days
    where busiest >= {least} and (busiest >= {many} or three_days >= {close} * sign_ups)
    """
)
FOUND = """
create temporary table risk_rare_sign_ups (
    account_id bigint, zeros float8, mean float8, variance float8) on commit drop
"""
BURSTS = SQL(
    """
    create temporary table risk_sign_ups on commit drop as
    select account_id, round(coalesce(zeros, 0)::numeric, 6) as r09, sign_ups as r09_sample,
           case when zeros is not null then concat('"R09": ', json_build_object(
               'day', busiest_day, 'sign_ups', busiest, 'three_days', three_days,
               'mean_before', round(mean::numeric, 6),
               'variance_before', round(variance::numeric, 6))) end as inputs
    from pg_temp.risk_sign_up_days left join pg_temp.risk_rare_sign_ups using (account_id)
    """
)


def rarity(busiest: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return how rare so many sign-ups are on the busiest of 30 days, as -log10 of probability.

    The daily number is negative binomial with this mean and variance, or Poisson if the variance is
    no larger than the mean.
    """
    from scipy import special

    mean = np.maximum(mean, LEAST_MEAN)
    spread = variance > mean
    size = mean**2 / np.where(spread, variance - mean, 1.0)
    one_day = np.where(
        spread,
        special.betainc(busiest, size, mean / (mean + size)),
        special.gammainc(busiest, mean),
    )
    any_day = -np.expm1(DAYS * np.log1p(-np.minimum(one_day, 1 - 1e-12)))
    with np.errstate(divide="ignore"):
        zeros: Floats = np.clip(-np.log10(any_day), 0.0, MOST)
    return zeros


def _fill(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    days = measuring.days
    cursor.execute(
        SIGN_UPS.format(
            first=Literal(days.start - timedelta(days=BEFORE_DAYS)),
            start=Literal(days.start),
            end=Literal(days.end),
        )
    )
    busy = values.fetch(
        cursor,
        BUSY.format(
            least=Literal(LEAST_A_DAY), many=Literal(MANY_A_DAY), close=Literal(CLOSE_TOGETHER)
        ),
        {"account": int, "busiest": float, "before": float, "squares": float},
    )
    mean = busy["before"] / BEFORE_DAYS
    variance = (busy["squares"] - BEFORE_DAYS * mean**2) / (BEFORE_DAYS - 1)
    zeros = rarity(busy["busiest"], mean, variance)
    cursor.execute(FOUND)
    rows: list[tuple[Any, ...]] = list(
        zip(
            busy["account"].tolist(),
            zeros.tolist(),
            mean.tolist(),
            variance.tolist(),
            strict=True,
        )
    )
    values.write(cursor, "risk_rare_sign_ups", rows)
    cursor.execute(BURSTS.format())


PARTS = (Part(name="risk_sign_ups", columns=("r09", "r09_sample"), fill=_fill),)

"""Measure what single days of users show: round and repeated volumes, first digits, trade sizes."""

import math
from typing import LiteralString

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier, Literal

from data_access.risk import expressions, shares, users
from data_access.risk.frame import Measuring, Part
from program.risk.signals import BY_ID

NAME = "risk_user_days"
ROUND_USD = 1_000
REPEATED = 3
# Natural logarithm; with less, first digits of honest volumes do not follow Benford's law.
LEAST_SPREAD = 1.2
BENFORD = {digit: math.log10(1 + 1 / digit) for digit in range(1, 10)}

REPEATS = SQL(
    """
    select account_id, sum(number) as user_days,
           coalesce(sum(number) filter (where mod(volume_usd, {round}) = 0), 0) as round_days,
           coalesce(sum(number) filter (where number >= {repeated}), 0) as repeated_days,
           sum(number) filter (where number >= {repeated} or mod(volume_usd, {round}) = 0)
               as unusual_days
    from (
        select affiliate_account_id as account_id, referred_account_id, volume_usd,
               count(*) as number
        from exchange.referral_activity
        where {days} and volume_usd > 0 and {share}
        group by affiliate_account_id, referred_account_id, volume_usd
    ) as amounts
    group by account_id
    """
)
DIGITS = SQL(
    """
    select account_id,
           round(stddev_samp(ln(volume_usd::float8))::numeric, 9) as digit_spread, {digits}
    from (
        select affiliate_account_id as account_id, volume_usd,
               left(ltrim(volume_usd::text, '0.'), 1) as digit
        from exchange.referral_activity
        where {days} and volume_usd > 0 and {share}
    ) as days
    group by account_id
    """
)
# First digits are read only of affiliates that have enough of them: they are for information.
MANY_DAYS = SQL(
    "select account_id from pg_temp.risk_sums where digit_days >= {} order by 1"
).format(Literal(BY_ID["R17"].least_sample))
# Sums of floats depend on the order of the rows, hence the roundings.
# ``same`` is the number of the affiliate's user-days with as many trades.
TICKETS = SQL(
    """
    select account_id, count(*) as ticket_days,
           round(stddev_samp(log_size)::numeric, 9) as ticket_spread,
           max(same) as same_count_days,
           round(exp(round(avg(log_size)::numeric, 4)), 2) as usual_size
    from (
        select affiliate_account_id as account_id,
               ln(volume_usd::float8 / trade_count) as log_size,
               count(*) over (partition by affiliate_account_id, trade_count) as same
        from exchange.referral_activity
        where {days} and volume_usd > 0 and trade_count > 0 and {share}
    ) as days
    group by account_id
    """
)
VALUES: dict[str, LiteralString] = {
    "r16": "coalesce(unusual_days, 0)::numeric / user_days",
    "r16_sample": "coalesce(user_days, 0)",
    "r17": "case when digit_spread >= {least_spread} then deviation end",
    "r17_sample": "coalesce(digit_days, 0)",
    "r27": "case when same_count_days * 2 > ticket_days then ticket_spread / 2"
    " else ticket_spread end",
    "r27_sample": "coalesce(ticket_days, 0)",
}
INPUTS: dict[str, tuple[str, ...]] = {
    "R16": ("user_days", "round_days", "repeated_days"),
    "R17": ("digit_days", "digit_spread", *(f"digit_{digit}" for digit in BENFORD)),
    "R27": ("ticket_days", "ticket_spread", "same_count_days", "usual_size_usd=usual_size"),
}
MEASURES = SQL(
    """
    create temporary table risk_user_days on commit drop as
    with found as (
        select *, ({deviations}) / 9.0 as deviation
        from pg_temp.risk_scope
        left join pg_temp.risk_repeats using (account_id)
        left join pg_temp.risk_digits using (account_id)
        left join pg_temp.risk_sums using (account_id)
        left join pg_temp.risk_tickets using (account_id)
    )
    select account_id, {values}, {inputs} as inputs
    from found
    """
)


def fill(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    """Measure them, from the activity of the scope and `user_sums`."""
    days = shares.within("activity_date", measuring.days)
    shares.create(
        cursor,
        "risk_repeats",
        REPEATS,
        days=days,
        round=Literal(ROUND_USD),
        repeated=Literal(REPEATED),
    )
    counts: dict[str, LiteralString] = {
        f"digit_{digit}": f"count(*) filter (where digit = '{digit}')" for digit in BENFORD
    }
    shares.create(
        cursor,
        "risk_digits",
        DIGITS,
        MANY_DAYS,
        days=shares.within("activity_date", users.quarter(measuring)),
        digits=expressions.columns(counts),
    )
    shares.create(cursor, "risk_tickets", TICKETS, days=days)
    cursor.execute(
        MEASURES.format(
            deviations=SQL(" + ").join(map(_deviation, BENFORD)),
            values=expressions.values(VALUES, least_spread=Literal(LEAST_SPREAD)),
            inputs=expressions.inputs(INPUTS),
        )
    )


def _deviation(digit: int) -> Composable:
    return SQL("abs({} / digit_days::float8 - {})").format(
        Identifier(f"digit_{digit}"), Literal(BENFORD[digit])
    )


PARTS = (Part(name=NAME, columns=tuple(VALUES), fill=fill),)

"""Measure what sums over referred users show: who trades how much, for how long, and for what fee.

One pass over ``pg_temp.risk_users`` gives the numbers of `FACTS` per affiliate; the values of the
signals, and the criteria without some users (`VARIANTS`), follow from them.
"""

from typing import LiteralString

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from data_access.risk import expressions, shares, users
from data_access.risk.frame import Measuring, Part
from program.risk.signals import LEAST_VOLUME_USD, SMALL_USER_USD

NAME = "risk_user_sums"
# Referred so many days ago and still without a second trading day, a user counts as gone.
GONE_DAYS = 14

# The numbers of an affiliate; lists name at most ten users, the largest first.
FACTS: dict[str, LiteralString] = {
    "digit_days": "coalesce(sum(digit_days), 0)",
    "volume": "coalesce(sum(volume), 0)",
    "fees": "coalesce(sum(fees), 0)",
    "positive_fees": "coalesce(sum(positive_fees), 0)",
    "fee_volume": "coalesce(sum(fee_volume), 0)",
    "active_users": "count(*) filter (where is_active)",
    "top_volume": "max(volume)",
    "top_user": "(array_agg(user_id order by volume desc, user_id) filter (where volume > 0))[1]",
    "squares": "sum(volume * volume)",
    "large_users": "count(*) filter (where volume >= {small})",
    "log_spread": "round((stddev_samp(ln(nullif(volume, 0)::float8)) filter (where is_active))"
    "::numeric, 9)",
    "smallest_volume": "min(volume) filter (where is_active)",
    "new_volume": "coalesce(sum(volume) filter (where is_new), 0)",
    "first_referred_on": "min(referred_on)",
    "tried_users": "count(*) filter (where {tried})",
    "once_users": "count(*) filter (where {tried} and trading_days = 1)",
    "once_list": "(array_agg(user_id order by volume desc, user_id)"
    " filter (where {tried} and trading_days = 1))[1:10]",
    "earlier_users": "count(*) filter (where is_earlier)",
    "dormant_users": "count(*) filter (where is_earlier and volume = 0)",
    "woken_users": "count(*) filter (where {woken})",
    "woken_list": "(array_agg(user_id order by volume desc, user_id) filter (where {woken}))[1:10]",
    "new_traders": "count(*) filter (where is_new and trading_days > 0)",
    "same_day_traders": "count(*) filter (where is_new and first_traded_on = referred_on)",
    "known_volume": "coalesce(sum(volume) filter (where is_known), 0)",
    "unverified_volume": "coalesce(sum(volume) filter (where kyc_status <> 'verified'), 0)",
    "unverified_users": "count(*) filter (where is_active and kyc_status <> 'verified')",
}
CONDITIONS: dict[str, LiteralString] = {
    "tried": "(referred_on between {oldest} and {youngest} and trading_days > 0)",
    "woken": "(is_active and is_settled and quiet_volume = 0)",
}
# The criteria of R03 over the policy's month. The largest user stands first in ``tops``.
VARIANTS: dict[str, LiteralString] = {
    "without_top_volume_usd": "coalesce(sum(month_volume) - max(month_volume), 0)",
    "without_top_active_users": "count(*) filter (where month_active)"
    " - coalesce(max(month_volume) {active}, false)::integer",
    "without_top_new_users": "count(*) filter (where month_new) - coalesce((array_agg(month_new"
    " order by month_volume desc, user_id) filter (where month_volume > 0))[1], false)::integer",
    "without_small_volume_usd": "coalesce(sum(month_volume) filter (where {large}), 0)",
    "without_small_active_users": "count(*) filter (where month_active and {large})",
    "without_small_new_users": "count(*) filter (where month_new and {large})",
    "fee_bearing_volume_usd": "coalesce(sum(month_fee_volume), 0)",
    "fee_bearing_active_users": "count(*) filter (where month_fee_volume {active})",
    "fee_bearing_new_users": "count(*) filter (where month_new and {still_new})",
}
SUMS = SQL(
    """
    create temporary table risk_sums on commit drop as
    with users as (
        select *, month_volume {active} as month_active,
               coalesce(referred_on >= {month_start} and referred_on < {month_end}, false)
                   and {counts_as_new} as month_new
        from pg_temp.risk_users
    )
    select scope.account_id, {facts}
    from pg_temp.risk_scope as scope
    left join users using (account_id)
    group by scope.account_id
    """
)
VALUES: dict[str, LiteralString] = {
    "r01": "case when is_large then top_volume / volume end",
    "r01_sample": "active_users",
    "r02": "case when is_large then squares / (volume * volume) end",
    "r02_sample": "active_users",
    "r04": "large_users",
    "r04_sample": "active_users",
    "r10": "case when volume > 0 and first_referred_on < {oldest} then new_volume / volume end",
    "r10_sample": "active_users",
    "r11": "once_users::numeric / nullif(tried_users, 0)",
    "r11_sample": "tried_users",
    "r12": "dormant_users::numeric / nullif(earlier_users, 0)",
    "r12_sample": "earlier_users",
    "r13": "woken_users::numeric / nullif(active_users, 0)",
    "r13_sample": "active_users",
    "r18": "case when is_large and program_yield > 0 then fees / volume / program_yield end",
    "r19": "case when is_large then 1 - fee_volume / volume end",
    "r20": "same_day_traders::numeric / nullif(new_traders, 0)",
    "r20_sample": "new_traders",
    "r26": "log_spread",
    "r26_sample": "active_users",
    # Without positive net fees, trading costs nothing whatever the rebate is.
    "r29": "case when is_large and fees > 0 then rate * positive_fees / fees"
    " when is_large then 1 end",
    "r33": "case when known_volume >= {least} then unverified_volume / known_volume end",
}
INPUTS: dict[str, tuple[str, ...]] = {
    "R01": ("top_user", "top_volume_usd=top_volume", "volume_usd=volume", "active_users"),
    "R02": ("effective_users", "volume_usd=volume", "active_users"),
    "R04": ("large_users", "active_users"),
    "R10": ("new_volume_usd=new_volume", "volume_usd=volume", "first_referred_on"),
    "R11": ("once_users", "tried_users", "once_list"),
    "R12": ("dormant_users", "earlier_users"),
    "R13": ("woken_users", "active_users", "woken_list"),
    "R18": ("fees_usd=fees", "volume_usd=volume", "program_yield"),
    "R19": ("zero_fee_volume_usd=zero_fee_volume", "volume_usd=volume"),
    "R20": ("same_day_traders", "new_traders"),
    "R26": ("smallest_volume_usd=smallest_volume", "top_volume_usd=top_volume", "active_users"),
    "R29": ("fees_usd=fees", "positive_fees_usd=positive_fees", "rate"),
    "R33": (
        "unverified_volume_usd=unverified_volume",
        "known_volume_usd=known_volume",
        "unverified_users",
    ),
}
MEASURES = SQL(
    """
    create temporary table risk_user_sums on commit drop as
    with program as (
        select sum(fees_usd) / nullif(sum(volume_usd), 0) as program_yield
        from review.segment_daily
        where dimension = 'program' and {days}
    ),
    sums as (
        select sums.*, volume >= {least} as is_large, volume - fee_volume as zero_fee_volume,
               round(volume * volume / nullif(squares, 0), 1) as effective_users,
               program_yield,
               case when scope.approved_on is null then {highest_rate}
                    else coalesce(scope.rebate_rate, {standard_rate}) end as rate
        from pg_temp.risk_sums as sums
        join pg_temp.risk_scope as scope using (account_id)
        cross join program
    )
    select account_id, {values}, {variants}, {inputs} as inputs
    from sums
    """
)


def fill(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    """Read the users, for the parts after this one too, and measure them."""
    users.read(cursor, measuring)
    policy = measuring.policy
    oldest = Literal(users.ago(measuring, users.SETTLED_DAYS))
    least = Literal(LEAST_VOLUME_USD)
    cursor.execute(_sums(measuring))
    cursor.execute(
        MEASURES.format(
            values=expressions.values(VALUES, oldest=oldest, least=least),
            variants=SQL(", ").join(map(Identifier, VARIANTS)),
            inputs=expressions.inputs(INPUTS),
            days=shares.within("day", measuring.days),
            least=least,
            highest_rate=Literal(policy.max_rebate_rate),
            standard_rate=Literal(policy.standard_rebate_rate),
        )
    )


def _sums(measuring: Measuring) -> Composed:
    must_trade = measuring.policy.new_user_must_trade
    active = users.active(measuring)
    given = {
        "active": active,
        "small": Literal(SMALL_USER_USD),
        "large": SQL("month_volume >= {}").format(Literal(SMALL_USER_USD)),
        "still_new": SQL("month_fee_volume > 0" if must_trade else "true"),
        **{name: SQL(text).format(**_days(measuring)) for name, text in CONDITIONS.items()},
    }
    return SUMS.format(
        active=active,
        month_start=Literal(measuring.window.start),
        month_end=Literal(measuring.window.end),
        counts_as_new=SQL("month_volume > 0" if must_trade else "true"),
        facts=expressions.columns(FACTS | VARIANTS, **given),
    )


def _days(measuring: Measuring) -> dict[str, Composable]:
    return {
        "oldest": Literal(users.ago(measuring, users.SETTLED_DAYS)),
        "youngest": Literal(users.ago(measuring, GONE_DAYS)),
    }


PARTS = (Part(name=NAME, columns=(*VALUES, *VARIANTS), fill=fill),)

"""The SQL of the rollups, for a range of days and a share of the affiliates.

A statement over activity is one `select` per share, combined with `union all`. Postgres gives every
share to one worker, and within a share the primary key (affiliate, day, user) returns rows in group
order: no hash table of a million users, no partial sums to merge.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import LiteralString

from psycopg.sql import SQL, Composable, Composed, Literal

from data_access.rollups.plan import Span
from program.periods import Window, day_start, months_later
from program.policy.policy import Policy

DAILY_SHARE = SQL(
    """
    select affiliate_account_id, day,
           coalesce(volume_usd, 0)::numeric(24, 2) as volume_usd,
           coalesce(fees_usd, 0)::numeric(24, 6) as fees_usd,
           coalesce(trade_count, 0)::bigint as trade_count,
           coalesce(zero_fee_volume, 0)::numeric(24, 2) as zero_fee_volume_usd,
           coalesce(active_users, 0)::integer as active_users,
           coalesce(new_users, 0)::integer as new_users
    from (
        select affiliate_account_id, activity_date as day, sum(volume_usd) as volume_usd,
               sum(fees_usd) as fees_usd, sum(trade_count) as trade_count,
               sum(volume_usd) filter (where fees_usd <= 0) as zero_fee_volume,
               count(*) filter (where volume_usd > 0) as active_users
        from exchange.referral_activity
        where activity_date >= {start} and activity_date < {end} and {share}
        group by affiliate_account_id, activity_date
    ) as trading
    full join (
        select affiliate_account_id, (referred_at at time zone 'UTC')::date as day,
               count(*) as new_users
        from exchange.referrals
        where referred_at >= {start_moment} and referred_at < {end_moment} and {share}
        group by affiliate_account_id, (referred_at at time zone 'UTC')::date
    ) as acquired using (affiliate_account_id, day)
    """
)

USER_SHARE = SQL(
    """
    select affiliate_account_id, referred_account_id, {user_facts}
    from exchange.referral_activity
    where activity_date >= {start} and activity_date < {end} and {share}
    group by affiliate_account_id, referred_account_id
    """
)
DAY_SHARE = SQL(
    """
    select affiliate_account_id, {day_sums}
    from review.affiliate_daily
    where day >= {start} and day < {end} and {share}
    group by affiliate_account_id
    """
)
# Days give the sums, users the distinct counts; both by affiliate.
PERIOD = SQL(
    """
    select *
    from ({days}) as days
    left join (
        select affiliate_account_id, {user_counts}
        from pg_temp.fresh_users
        group by affiliate_account_id
    ) as counted using (affiliate_account_id)
    """
)

MONTH_DAY_SUMS = """
    count(*) filter (where {inside}) as {name}_rows,
    sum(volume_usd) filter (where {inside}) as {name}_volume,
    sum(fees_usd) filter (where {inside}) as {name}_fees,
    sum(trade_count) filter (where {inside}) as {name}_trades,
    sum(new_users) filter (where {inside}) as {name}_new"""
WINDOW_DAY_SUMS = (
    MONTH_DAY_SUMS
    + """,
    count(*) filter (where {inside} and volume_usd > 0) as {name}_trading_days,
    max(volume_usd) filter (where {inside}) as {name}_largest_day,
    sum(zero_fee_volume_usd) filter (where {inside}) as {name}_zero_fee"""
)
# Volumes are never negative, so a user with any volume has traded.
MONTH_USER_FACTS = "sum(volume_usd) filter (where {inside}) as {name}_volume"
MONTH_USER_COUNTS = "count(*) filter (where {name}_volume > 0) as {name}_active"
WINDOW_USER_FACTS = """
    sum(volume_usd) filter (where {inside}) as volume"""
WINDOW_USER_COUNTS = """
    count(*) filter (where volume {active}) as window_active,
    count(*) filter (where volume >= 1000) as window_over_1000,
    max(volume) as window_top,
    sum(volume * volume) as window_squares"""

MONTHLY = SQL(
    """
    select affiliate_account_id, {month} as month, {name}_volume::numeric(24, 2) as volume_usd,
           {name}_fees::numeric(24, 6) as fees_usd, {name}_trades::bigint as trade_count,
           coalesce({name}_active, 0)::integer as active_users, {name}_new::integer as new_users
    from pg_temp.fresh_period where {name}_rows > 0
    """
)
WINDOW = SQL(
    """
    select affiliate_account_id, window_volume::numeric(24, 2) as volume_usd,
           window_fees::numeric(24, 6) as fees_usd, window_trades::bigint as trade_count,
           coalesce(window_active, 0)::integer as active_users,
           window_new::integer as new_users,
           window_trading_days::integer as trading_days,
           window_largest_day::numeric(24, 2) as largest_day_volume_usd,
           coalesce(window_top, 0)::numeric(24, 2) as top_user_volume_usd,
           coalesce(window_squares, 0) as sum_of_squared_user_volumes,
           coalesce(window_over_1000, 0)::integer as users_over_1000_usd,
           coalesce(window_zero_fee, 0)::numeric(24, 2) as zero_fee_volume_usd
    from pg_temp.fresh_period where window_rows > 0
    """
)

NEW_USERS_WHO_TRADED = SQL(
    """
    update pg_temp.fresh_window as fresh
    set new_users = coalesce(traded.new_users, 0)
    from pg_temp.fresh_window as every
    left join (
        select affiliate_account_id, count(*) as new_users
        from exchange.referrals
        where referred_at >= {start_moment} and referred_at < {end_moment}
          and (affiliate_account_id, referred_account_id) in (
              select affiliate_account_id, referred_account_id
              from exchange.referral_activity
              where {days} and volume_usd > 0
              union all
              select affiliate_account_id, referred_account_id
              from review.carried_users
              where {carried} and volume_usd > 0)
        group by affiliate_account_id
    ) as traded using (affiliate_account_id)
    where fresh.affiliate_account_id = every.affiliate_account_id
    """
)


def daily(days: Window, cuts: Sequence[int]) -> Composable:
    """Return the rows of affiliate_daily for ``days``, in shares cut at the affiliates ``cuts``."""
    return _shared(DAILY_SHARE, cuts, _bounds(days))


def users(span: Span, cuts: Sequence[int]) -> Composable:
    """Return the users who traded in ``span`` with their volumes, for `period`, in shares."""
    facts = [
        of(MONTH_USER_FACTS, f"month_{index}", _inside("activity_date", _days(month), span))
        for index, month in enumerate(span.months)
    ]
    if span.window is not None:
        facts.append(of(WINDOW_USER_FACTS, "", _inside("activity_date", span.window, span)))
    listed = {"user_facts": SQL(", ").join(facts)}
    return _shared(USER_SHARE, cuts, {**_bounds(span.days), **listed})


def period(span: Span, policy: Policy, cuts: Sequence[int]) -> Composable:
    """Return one row per affiliate with what its months and window need.

    Needs `users` in a temporary table.
    """
    sums: list[Composable] = []
    counts: list[Composable] = []
    for index, month in enumerate(span.months):
        name = f"month_{index}"
        sums.append(of(MONTH_DAY_SUMS, name, _inside("day", _days(month), span)))
        counts.append(SQL(MONTH_USER_COUNTS).format(name=SQL(name)))
    if span.window is not None:
        sums.append(of(WINDOW_DAY_SUMS, "window", _inside("day", span.window, span)))
        counts.append(SQL(WINDOW_USER_COUNTS).format(active=active(policy)))
    listed = {"day_sums": SQL(", ").join(sums)}
    return PERIOD.format(
        days=_shared(DAY_SHARE, cuts, {**_bounds(span.days), **listed}),
        user_counts=SQL(", ").join(counts),
    )


def _days(month: date) -> Window:
    return Window(month, months_later(month, 1))


def monthly(span: Span) -> Composable:
    """Return the rows of affiliate_monthly for the months of ``span``, from `period`."""
    return SQL(" union all ").join(
        MONTHLY.format(name=SQL(f"month_{index}"), month=Literal(month))
        for index, month in enumerate(span.months)
    )


def new_users_who_traded(span: Span, shown: Window) -> Composed:
    """Correct the window's new users if the policy counts only those who traded in it."""
    return NEW_USERS_WHO_TRADED.format(
        **_bounds(shown),
        days=within("activity_date", *span.shown),
        carried=Literal(span.carried is not None),
    )


def within(column: LiteralString, *windows: Window) -> Composable:
    """Return whether the day in ``column`` lies in one of ``windows``."""
    ranges: list[Composable] = [
        SQL("{0} >= {1} and {0} < {2}").format(SQL(column), Literal(days.start), Literal(days.end))
        for days in windows
    ]
    return SQL("({})").format(SQL(" or ").join(ranges or [SQL("false")]))


def _shared(select: SQL, cuts: Sequence[int], parts: dict[str, Composable]) -> Composable:
    edges = [None, *cuts, None]
    return SQL(" union all ").join(
        SQL("({})").format(select.format(share=_between(low, high), **parts))
        for low, high in pairwise(edges)
    )


def _between(low: int | None, high: int | None) -> Composable:
    limits: Iterable[Composable] = (
        SQL("affiliate_account_id {} {}").format(SQL(comparison), Literal(cut))
        for comparison, cut in ((">=", low), ("<", high))
        if cut is not None
    )
    return SQL(" and ").join([SQL("true"), *limits])


def _bounds(days: Window) -> dict[str, Composable]:
    return {
        "start": Literal(days.start),
        "end": Literal(days.end),
        "start_moment": Literal(day_start(days.start)),
        "end_moment": Literal(day_start(days.end)),
    }


def of(template: LiteralString, name: LiteralString, inside: Composable) -> Composable:
    """Return the columns of ``template`` for the period ``name``, over rows ``inside`` it."""
    return SQL(template).format(name=SQL(name), inside=inside)


def _inside(column: LiteralString, days: Window, span: Span) -> Composable:
    """Return whether a row of ``span`` lies in ``days``; compares only open bounds, for speed."""
    limits: list[Composable] = [SQL("true")]
    if days.start > span.days.start:
        limits.append(SQL("{} >= {}").format(SQL(column), Literal(days.start)))
    if days.end < span.days.end:
        limits.append(SQL("{} < {}").format(SQL(column), Literal(days.end)))
    return SQL("({})").format(SQL(" and ").join(limits))


def active(policy: Policy) -> Composable:
    """Return the comparison of an active user's volume."""
    floor = policy.active_user_min_volume_usd
    return SQL(">= {}").format(Literal(floor)) if floor else SQL("> 0")

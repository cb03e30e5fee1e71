"""Measure how the figures meet the minimums: just above them (R05), and then no further (R28)."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Literal

from data_access.risk.frame import Measuring, Part
from program.periods import Window, WindowKind, day_start, months_later
from program.policy.policy import Policy
from program.risk.signals import DAYS

WINDOWS = 3
JUST_ABOVE = Decimal("1.05")

# Users are counted only where volume or new users are just above their minimum: else at most one
# of the three criteria is.
HUGGING = SQL(
    """
    create temporary table risk_hugging on commit drop as
    with windows (starts, ends) as (values {windows}), sums as (
        select * from (
            select account_id, case {starts} end as starts,
                   sum(volume_usd) as volume, sum(new_users) as referred
            from pg_temp.risk_days
            where day >= {first} and day < {end}
            group by 1, 2
        ) as each
        join windows using (starts)
    ), close as (
        select account_id, starts, ends, volume, referred,
               {min_volume} > 0 and volume >= {min_volume} and volume < {min_volume} * {just_above}
                   as is_close
        from sums
    ), counted as (
        select account_id, starts, volume, is_close, users.active, {new_users} as new
        from close cross join lateral (
            select count(*) filter (where traded {active}) as active
            from (select sum(volume_usd) as traded from exchange.referral_activity
                  where affiliate_account_id = account_id
                    and activity_date >= starts and activity_date < ends
                  group by referred_account_id) as each
        ) as users
        where is_close or (referred >= {min_new} and {any_new})
    ), hugging as (
        select account_id, starts, volume, active, new from counted
        where is_close::integer
              + ({min_active} > 0 and active in ({min_active}, {min_active} + 1))::integer
              + ({min_new} > 0 and new = {min_new})::integer >= 2
    )
    select account_id, coalesce(windows, 0) as r05, found.inputs
    from (select account_id from sums group by account_id having sum(volume) > 0) as known
    left join (
        select account_id, count(*) as windows, concat('"R05": ', json_build_object(
                   'windows', json_agg(json_build_object(
                       'first_day', starts, 'volume_usd', volume, 'active_users', active,
                       'new_users', new) order by starts))) as inputs
        from hugging group by account_id
    ) as found using (account_id)
    """
)
REFERRED = SQL("referred")
# Referred in the window, and traded in it.
REFERRED_AND_TRADED = SQL(
    """(
        select count(*) from exchange.referrals as referral
        where affiliate_account_id = account_id
          and referred_at >= starts::timestamp at time zone 'UTC'
          and referred_at < ends::timestamp at time zone 'UTC'
          and exists (select from exchange.referral_activity as activity
                      where activity.affiliate_account_id = referral.affiliate_account_id
                        and activity.referred_account_id = referral.referred_account_id
                        and activity_date >= starts and activity_date < ends and volume_usd > 0)
    )"""
)

# Of those that meet all minimums in the window: the day on which each was reached.
STOPPING = SQL(
    """
    create temporary table risk_stopping on commit drop as
    with meeting as (
        select account_id from pg_temp.risk_scope
        join review.affiliate_window as held on affiliate_account_id = account_id
        where held.volume_usd >= {min_volume} and held.active_users >= {min_active}
          and held.new_users >= {min_new}
    ), volume_reached as (
        select account_id, min(day) as reached
        from (select account_id, day, sum(volume_usd) over (
                         partition by account_id order by day) as so_far
              from meeting join review.affiliate_daily as daily on affiliate_account_id = account_id
              where day >= {start} and day < {end}) as running
        where so_far >= {min_volume} group by account_id
    ), user_days as materialized (
        select account_id, referred_account_id, activity_date as day, sum(volume_usd) over (
                   partition by account_id, referred_account_id order by activity_date) as so_far
        from meeting join exchange.referral_activity on affiliate_account_id = account_id
        where activity_date >= {start} and activity_date < {end} and volume_usd > 0
    ), users as (
        select account_id, referred_account_id, min(day) as traded_on,
               min(day) filter (where so_far {active}) as active_on
        from user_days group by account_id, referred_account_id
    ), users_reached as (
        select account_id, (array_agg(active_on order by active_on))[{min_active}] as reached
        from users where active_on is not null group by account_id
    ), newcomers as (
        select account_id, greatest((referred_at at time zone 'UTC')::date, {traded_on}) as day
        from meeting join exchange.referrals as referral on affiliate_account_id = account_id
        left join users using (account_id, referred_account_id)
        where referred_at >= {start_moment} and referred_at < {end_moment} and {counts}
    ), newcomers_reached as (
        select account_id, (array_agg(day order by day))[{min_new}] as reached
        from newcomers group by account_id
    ), target as (
        select account_id, greatest(volume_reached.reached, users_reached.reached,
                                    newcomers_reached.reached) as reached
        from meeting
        left join volume_reached using (account_id)
        left join users_reached using (account_id)
        left join newcomers_reached using (account_id)
    ), means as (
        select account_id, reached,
               avg(coalesce(daily.volume_usd, 0) / program.volume_usd)
                   filter (where program.day <= reached) as before,
               avg(coalesce(daily.volume_usd, 0) / program.volume_usd)
                   filter (where program.day > reached) as after
        from target
        join review.segment_daily as program on dimension = 'program'
            and program.day >= {start} and program.day < {end} and program.volume_usd > 0
        left join review.affiliate_daily as daily
            on affiliate_account_id = account_id and daily.day = program.day
        group by account_id, reached
    )
    select account_id, round(after / before, 6) as r28, {end} - 1 - reached as r28_sample,
           concat('"R28": ', json_build_object('reached', reached,
               'before', round(before, 8), 'after', round(after, 8))) as inputs
    from means where before > 0 and after is not null
    """
)


def _hugging(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    windows = _windows(measuring)
    policy = measuring.policy
    trading = policy.new_user_must_trade
    cursor.execute(
        HUGGING.format(
            windows=SQL(", ").join(
                SQL("({}, {})").format(Literal(one.start), Literal(one.end)) for one in windows
            ),
            # Windows follow each other without gaps, the newest first.
            starts=SQL(" ").join(
                SQL("when day >= {0} then {0}").format(Literal(one.start)) for one in windows
            ),
            first=Literal(windows[-1].start),
            just_above=Literal(JUST_ABOVE),
            new_users=REFERRED_AND_TRADED if trading else REFERRED,
            any_new=SQL("true") if trading else SQL("referred = {}").format(policy.min_new_users),
            **_minimums(measuring),
        )
    )


def _stopping(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    trading = measuring.policy.new_user_must_trade
    cursor.execute(
        STOPPING.format(
            start=Literal(measuring.window.start),
            start_moment=Literal(day_start(measuring.window.start)),
            end_moment=Literal(day_start(measuring.window.end)),
            traded_on=SQL("traded_on") if trading else SQL("null"),
            counts=SQL("traded_on is not null") if trading else SQL("true"),
            **_minimums(measuring),
        )
    )


def _windows(measuring: Measuring) -> tuple[Window, ...]:
    """Return the policy's last months, the newest first."""
    newest, kind = measuring.window, measuring.policy.window_kind
    if kind is WindowKind.CALENDAR_MONTH:
        edges = [months_later(newest.end, -back) for back in range(WINDOWS + 1)]
    else:
        edges = [newest.end - timedelta(days=DAYS * back) for back in range(WINDOWS + 1)]
    return tuple(Window(start, end) for end, start in pairwise(edges))


def _minimums(measuring: Measuring) -> dict[str, Composable]:
    policy = measuring.policy
    return {
        "end": Literal(measuring.window.end),
        "active": _active(policy),
        "min_volume": Literal(policy.min_volume_usd),
        "min_active": Literal(policy.min_active_users),
        "min_new": Literal(policy.min_new_users),
    }


def _active(policy: Policy) -> Composable:
    floor = policy.active_user_min_volume_usd
    return SQL(">= {}").format(Literal(floor)) if floor else SQL("> 0")


PARTS = (
    Part(name="risk_hugging", columns=("r05",), fill=_hugging),
    Part(name="risk_stopping", columns=("r28", "r28_sample"), fill=_stopping),
)

"""Measure how the days of an affiliate compare with those before: R06, R21 and R24.

Volumes are compared as shares of the program's volume, so that a rising market raises nothing.
"""

from datetime import timedelta

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Literal

from data_access.risk.frame import Measuring, Part
from program.periods import WindowKind, window
from program.risk.signals import LEAST_VOLUME_USD

LEAST_MEAN_USD = 50_000
LAST_DAYS_OF_MONTH = 3

# The 30 days before ``until`` and the two windows before, of the affiliate and of the program.
SPIKE = SQL(
    """
    create temporary table risk_spike on commit drop as
    with bounds as (
        select account_id, case when is_open then least(applied_on, {end}) else {end} end as until
        from pg_temp.risk_scope
    ), own as (
        select account_id, until, volume, before_1, before_2
        from bounds
        cross join lateral (
            select count(*) as days,
                   coalesce(sum(volume_usd) filter (where day >= until - 30), 0) as volume,
                   coalesce(sum(volume_usd) filter (
                       where day < until - 30 and day >= until - 60), 0) as before_1,
                   coalesce(sum(volume_usd) filter (where day < until - 60), 0) as before_2
            from review.affiliate_daily
            -- Each has its own days, so look them up: a join would read those of all affiliates.
            where affiliate_account_id = account_id and day >= until - 90 and day < until
        ) as sums
        where days > 0
    ), program as (
        select until, sum(volume_usd) filter (where day >= until - 30) as volume,
               sum(volume_usd) filter (where day < until - 30 and day >= until - 60) as before_1,
               sum(volume_usd) filter (where day < until - 60) as before_2
        from (select distinct until from own) as ends
        join review.segment_daily on dimension = 'program' and day >= until - 90 and day < until
        group by until
    ), compared as (
        select account_id, until, own.volume, own.before_1, own.before_2,
               own.volume / nullif(program.volume, 0) as share,
               (own.before_1 / nullif(program.before_1, 0)
                   + own.before_2 / nullif(program.before_2, 0)) / 2 as share_before
        from own join program using (until)
        where own.before_1 + own.before_2 >= 2 * {least}
    )
    select account_id, round(share / share_before, 6) as r06,
           coalesce(active_users, 0) as r06_sample,
           concat('"R06": ', json_build_object(
               'until', until - 1, 'volume_usd', volume, 'before_usd', before_1,
               'long_before_usd', before_2, 'share', round(share, 8),
               'share_before', round(share_before, 8))) as inputs
    from compared left join review.affiliate_window on affiliate_account_id = account_id
    where share is not null and share_before is not null
    """
)
MONTH_END = SQL(
    """
    create temporary table risk_month_end on commit drop as
    with month as (
        select account_id, count(*) as trading_days, sum(volume_usd) as volume,
               coalesce(sum(volume_usd) filter (where day >= {last_days}), 0) as last_volume
        from pg_temp.risk_days
        where day >= {start} and day < {end} and volume_usd > 0
        group by account_id
    )
    select account_id, round(last_volume / volume, 6) as r21, trading_days as r21_sample,
           concat('"R21": ', json_build_object(
               'first_day', {last_days}, 'volume_usd', last_volume, 'month_usd', volume)) as inputs
    from month
    """
)
# The day of the approval belongs to neither side, as with the outcomes of approvals.
DECAY = SQL(
    """
    create temporary table risk_decay on commit drop as
    with approval as (
        select scope.account_id, approved_on,
               (submitted_at at time zone 'UTC')::date as applied_on
        from pg_temp.risk_scope as scope
        join review.affiliate_tested as tested on tested.account_id = scope.account_id
        join exchange.applications as application
            on application.application_id = tested.application_id
        where approved_on + 60 < {end}
    ), span as (
        select distinct applied_on as until from approval
        union select distinct approved_on + 61 from approval
    ), program as (
        select until, sum(volume_usd) as volume from span
        join review.segment_daily on dimension = 'program' and day >= until - 30 and day < until
        group by until
    ), own as (
        select account_id, applied_on, approved_on, (
                   select sum(volume_usd) from review.affiliate_daily
                   where affiliate_account_id = account_id
                     and day >= applied_on - 30 and day < applied_on) as volume_before,
               (select coalesce(sum(volume_usd), 0) from review.affiliate_daily
                where affiliate_account_id = account_id
                  and day >= approved_on + 31 and day < approved_on + 61) as volume
        from approval
    ), compared as (
        select account_id, approved_on, own.volume, own.volume_before,
               own.volume / nullif(later.volume, 0) as share,
               own.volume_before / nullif(earlier.volume, 0) as share_before
        from own
        join program as earlier on earlier.until = applied_on
        join program as later on later.until = approved_on + 61
        where volume_before >= {least}
    )
    select account_id, round(share / share_before, 6) as r24,
           coalesce(active_users, 0) as r24_sample,
           concat('"R24": ', json_build_object(
               'first_day', approved_on + 31, 'last_day', approved_on + 60, 'volume_usd', volume,
               'before_usd', volume_before, 'share', round(share, 8),
               'share_before', round(share_before, 8))) as inputs
    from compared left join review.affiliate_window on affiliate_account_id = account_id
    where share is not null and share_before is not null
    """
)


def _spike(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    cursor.execute(SPIKE.format(end=Literal(measuring.end), least=Literal(LEAST_MEAN_USD)))


def _month_end(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    month = window(WindowKind.CALENDAR_MONTH, measuring.through)
    last_days = month.end - timedelta(days=LAST_DAYS_OF_MONTH)
    cursor.execute(
        MONTH_END.format(
            start=Literal(month.start), end=Literal(month.end), last_days=Literal(last_days)
        )
    )


def _decay(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    cursor.execute(DECAY.format(end=Literal(measuring.end), least=Literal(LEAST_VOLUME_USD)))


PARTS = (
    Part(name="risk_spike", columns=("r06", "r06_sample"), fill=_spike),
    Part(name="risk_month_end", columns=("r21", "r21_sample"), fill=_month_end),
    Part(name="risk_decay", columns=("r24", "r24_sample"), fill=_decay),
)

"""Refreshing the rollups, compared with the plainest SQL for the same tables."""

from sqlalchemy import Engine, text

from bench.facts import moment, newest_day
from bench.measurements import Measurement
from data_access import rollups
from program.periods import ONE_DAY, WindowKind, month_start, window

# The same rows as a refresh, in the plainest SQL.
PLAIN_ROLLUPS = """
create table bench.daily as
select affiliate_account_id, day, sum(volume_usd) as volume_usd, sum(fees_usd) as fees_usd,
       sum(trade_count) as trade_count,
       coalesce(sum(volume_usd) filter (where fees_usd <= 0), 0) as zero_fee_volume_usd,
       count(distinct active) as active_users, sum(new) as new_users
from (
    select affiliate_account_id, activity_date as day, volume_usd, fees_usd, trade_count,
           case when volume_usd > 0 then referred_account_id end as active, 0 as new
    from exchange.referral_activity where activity_date <= '{through}'
    union all
    select affiliate_account_id, (referred_at at time zone 'UTC')::date, 0, 0, 0, null, 1
    from exchange.referrals where (referred_at at time zone 'UTC')::date <= '{through}'
) as facts group by 1, 2;
create table bench.monthly as
select affiliate_account_id, month, sum(volume_usd) as volume_usd, sum(fees_usd) as fees_usd,
       sum(trade_count) as trade_count, count(distinct active) as active_users, sum(new) as new_users
from (
    select affiliate_account_id, date_trunc('month', activity_date)::date as month, volume_usd,
           fees_usd, trade_count,
           case when volume_usd > 0 then referred_account_id end as active, 0 as new
    from exchange.referral_activity where activity_date <= '{through}'
    union all
    select affiliate_account_id, date_trunc('month', referred_at at time zone 'UTC')::date, 0, 0, 0, null, 1
    from exchange.referrals where (referred_at at time zone 'UTC')::date <= '{through}'
) as facts group by 1, 2;
create table bench.window as
with users as (
    select affiliate_account_id, referred_account_id, sum(volume_usd) as volume
    from exchange.referral_activity where activity_date >= '{start}' and activity_date < '{end}'
    group by 1, 2),
counted as (
    select affiliate_account_id, count(*) filter (where volume > 0) as active_users,
           count(*) filter (where volume >= 1000) as users_over_1000_usd,
           sum(volume * volume) as sum_of_squared_user_volumes,
           max(volume) as top_user_volume_usd
    from users group by 1),
days as (
    select affiliate_account_id, sum(volume_usd) as volume_usd, sum(fees_usd) as fees_usd,
           sum(trade_count) as trade_count, sum(new_users) as new_users,
           sum(zero_fee_volume_usd) as zero_fee_volume_usd,
           count(*) filter (where volume_usd > 0) as trading_days,
           max(volume_usd) as largest_day_volume_usd
    from bench.daily where day >= '{start}' and day < '{end}' group by 1)
select * from days left join counted using (affiliate_account_id);
"""


def forget_rollups(engine: Engine) -> None:
    """Empty the rollups, ours and the plain ones."""
    with engine.begin() as connection:
        parts = connection.execute(
            text(
                "select inhrelid::regclass::text from pg_inherits where inhparent = 'review.affiliate_daily'::regclass"
            )
        ).scalars()
        for part in parts.all():
            connection.execute(text(f"drop table {part}"))
        connection.execute(
            text(
                "truncate review.affiliate_monthly, review.affiliate_window, review.refreshes,"
                " review.application_courses, review.work_daily, review.work_counted,"
                " review.carried, review.carried_sums, review.carried_users, review.carried_cohorts"
            )
        )
        connection.execute(text("drop table if exists bench.daily, bench.monthly, bench.window"))


def refresh_all(engine: Engine) -> None:
    """Run a first refresh."""
    rollups.refresh(engine, now=moment(engine))


def refresh_all_plainly(engine: Engine) -> None:
    """Compute the same rollups by `create table as`, with the server's default settings."""
    through = newest_day(engine)
    shown = window(WindowKind.TRAILING_30_DAYS, through)
    statements = PLAIN_ROLLUPS.format(through=through, start=shown.start, end=shown.end)
    with engine.begin() as connection:
        connection.connection.cursor().execute(statements)


def step_back(engine: Engine) -> None:
    """Set the rollups back by a day, as the command left them then."""
    now = moment(engine) - ONE_DAY
    rollups.refresh(engine, now=now, through=newest_day(engine) - ONE_DAY)
    rollups.recount(engine, now=now)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        part = f"review.affiliate_daily_{month_start(newest_day(engine)):%Y_%m}"
        connection.execute(
            text(f"vacuum {part}, review.affiliate_monthly, review.affiliate_window")
        )


def refresh_one_day(engine: Engine) -> None:
    """Refresh after one more day has arrived."""
    rollups.refresh(engine, now=moment(engine))


def recount(engine: Engine) -> None:
    """Count in full after the refresh, as the command does once a day."""
    found = rollups.recount(engine, now=moment(engine))
    assert found is not None
    assert not found.differing


def make_due(engine: Engine) -> None:
    """Refresh as of today, without a recount."""
    rollups.refresh(engine, now=moment(engine))
    with engine.begin() as connection:
        connection.execute(text("truncate review.carried"))


MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement(
        name="refresh, everything",
        ours=refresh_all,
        plain=refresh_all_plainly,
        prepare=forget_rollups,
        bar=2.0,
        turns=1,
    ),
    Measurement(name="refresh, one more day", ours=refresh_one_day, prepare=step_back, bar_s=3.0),
    Measurement(name="recount, after it", ours=recount, prepare=make_due, turns=3),
)

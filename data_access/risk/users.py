"""Read the referred users of the scope, once, for all signals about users.

``pg_temp.risk_users`` has one row per affiliate and user: who was referred up to T, or traded in
the last 91 days. Trading before that, which only an affiliate of long ago could have booked before
the referral, is not looked at.
"""

from datetime import date, timedelta

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Literal

from data_access.risk import shares
from data_access.risk.frame import Measuring
from program.periods import Window, day_start

DAY = "activity_date"
# A user referred so many days ago is neither new nor just settling in; the days read reach as far.
SETTLED_DAYS = 90
# The 60 days before the window, in which a woken account was quiet.
QUIET_DAYS = 60
# The volume of a day from which it says something that another user had the same.
LARGE_DAY_USD = 10_000

# One share: what its accounts' users traded, with their referrals.
USERS = SQL(
    """
    select account_id, user_id, referred_on, first_traded_on,
           coalesce(volume, 0) as volume, coalesce(fees, 0) as fees,
           coalesce(positive_fees, 0) as positive_fees,
           coalesce(fee_volume, 0) as fee_volume,
           coalesce(month_volume, 0) as month_volume,
           coalesce(month_fee_volume, 0) as month_fee_volume,
           coalesce(month_days, 0) as month_days,
           coalesce(month_large_days, 0) as month_large_days,
           coalesce(quiet_volume, 0) as quiet_volume,
           coalesce(trading_days, 0) as trading_days,
           coalesce(digit_days, 0) as digit_days
    from (
        select affiliate_account_id as account_id, referred_account_id as user_id,
               sum(volume_usd) filter (where {days}) as volume,
               sum(fees_usd) filter (where {days}) as fees,
               sum(fees_usd) filter (where {days} and fees_usd > 0) as positive_fees,
               sum(volume_usd) filter (where {days} and fees_usd > 0) as fee_volume,
               sum(volume_usd) filter (where {month}) as month_volume,
               sum(volume_usd) filter (where {month} and fees_usd > 0) as month_fee_volume,
               sum(volume_usd) filter (where {quiet}) as quiet_volume,
               count(*) filter (where {month} and volume_usd > 0) as month_days,
               count(*) filter (where {month} and volume_usd >= {large}) as month_large_days,
               count(*) filter (where volume_usd > 0) as trading_days,
               count(*) filter (where volume_usd > 0 and {quarter}) as digit_days,
               min(activity_date) filter (where volume_usd > 0) as first_traded_on
        from exchange.referral_activity
        where {read} and {share}
        group by affiliate_account_id, referred_account_id
    ) as traded
    full join (
        select affiliate_account_id as account_id, referred_account_id as user_id,
               (referred_at at time zone 'UTC')::date as referred_on
        from exchange.referrals
        where referred_at < {end} and {share}
    ) as referred using (account_id, user_id)
    """
)
# With the users' own accounts. Not in the shares: each would read all accounts.
WITH_ACCOUNTS = SQL(
    """
    create temporary table risk_users on commit drop as
    select users.*, volume {active} as is_active, referred_on >= {first_day} as is_new,
           referred_on < {first_day} as is_earlier, referred_on <= {settled} as is_settled,
           account.account_id is not null as is_known, account.kyc_status, account.country_code,
           account.created_at, account.email
    from pg_temp.risk_traders as users
    left join exchange.accounts as account on account.account_id = users.user_id
    """
)


def read(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    """Create ``pg_temp.risk_users``."""
    days = measuring.days
    read_days = Window(measuring.through - timedelta(days=SETTLED_DAYS), measuring.end)
    quiet = Window(days.start - timedelta(days=QUIET_DAYS), days.start)
    shares.create(
        cursor,
        "risk_traders",
        USERS,
        days=shares.within(DAY, days),
        month=shares.within(DAY, measuring.window),
        quiet=shares.within(DAY, quiet),
        quarter=shares.within(DAY, quarter(measuring)),
        read=shares.within(DAY, read_days),
        end=Literal(day_start(measuring.end)),
        large=Literal(LARGE_DAY_USD),
    )
    cursor.execute(
        WITH_ACCOUNTS.format(
            first_day=Literal(days.start),
            settled=Literal(ago(measuring, SETTLED_DAYS)),
            active=active(measuring),
        )
    )
    cursor.execute("analyze pg_temp.risk_users (account_id)")


def quarter(measuring: Measuring) -> Window:
    """Return the 90 days up to T."""
    return Window(measuring.back(2).start, measuring.end)


def ago(measuring: Measuring, days: int) -> date:
    """Return the day so many days before T."""
    return measuring.through - timedelta(days=days)


def active(measuring: Measuring) -> Composable:
    """Return the comparison of an active user's volume."""
    floor = measuring.policy.active_user_min_volume_usd
    return SQL(">= {}").format(Literal(floor)) if floor else SQL("> 0")

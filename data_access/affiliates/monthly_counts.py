"""Counts of an affiliate's users over a range of days by a policy's rules, as SQL.

The monthly rollup counts everybody with volume as active and everybody referred as new. These
fragments count by a policy's rules, from the raw activity, for selected affiliates.
"""

from sqlalchemy import text

from program.policy.policy import Policy

# Fragments for a select with columns `account_id`, `first_day` and `after` (the day after).
ACTIVE_USERS = """
    (select count(*) from (
        select from exchange.referral_activity as v
        where v.affiliate_account_id = account_id
          and v.activity_date >= first_day and v.activity_date < after
        group by v.referred_account_id
        having sum(v.volume_usd) > 0 and sum(v.volume_usd) >= :active_floor) as users)
"""
NEW_USERS = """
    (select count(*) from exchange.referrals as r
     where r.affiliate_account_id = account_id
       and r.referred_at >= first_day::timestamp at time zone 'UTC'
       and r.referred_at < after::timestamp at time zone 'UTC'
       and (not :new_must_trade or exists (
            select from exchange.referral_activity as v
            where v.affiliate_account_id = account_id
              and v.referred_account_id = r.referred_account_id
              and v.activity_date >= first_day and v.activity_date < after
              and v.volume_usd > 0)))
"""
VOLUME = """
    (select coalesce(sum(d.volume_usd), 0) from review.affiliate_daily as d
     where d.affiliate_account_id = account_id and d.day >= first_day and d.day < after)
"""
# For lookups of single affiliates; the refresh's settings are for scans.
SETTINGS = text(
    "select set_config('enable_nestloop', 'on', true), set_config('enable_hashagg', 'on', true)"
)


def words(policy: Policy) -> dict[str, object]:
    """Return the parameters of the fragments."""
    return {
        "active_floor": policy.active_user_min_volume_usd,
        "new_must_trade": policy.new_user_must_trade,
    }


def counts_as_the_rollup(policy: Policy) -> bool:
    """Whether the monthly rollup already counts by this policy's rules."""
    return not policy.active_user_min_volume_usd and not policy.new_user_must_trade

"""Properties of the generated data, counted in the tables."""

from sqlalchemy import Engine, text

COUNTS = """
select 'applications' as what, count(*) as found from exchange.applications
union all select 'pending', count(*) from exchange.applications where status = 'pending'
union all select 'accounts', count(*) from exchange.accounts
union all select 'decisions', count(*) from review.decisions
union all select 'referrals', count(*) from exchange.referrals
union all select 'affiliates', count(distinct affiliate_account_id) from exchange.referrals
union all select 'activity', count(*) from exchange.referral_activity
"""

# The on-exchange track from the facts, so that no refresh is needed.
PENDING = """
with through as (select max(activity_date) as day from exchange.referral_activity),
pending as (
    select application_id, account_id, country_code, social_platform
    from exchange.applications join exchange.accounts using (account_id) where status = 'pending'),
users as (
    select affiliate_account_id, referred_account_id, sum(volume_usd) as volume
    from exchange.referral_activity, through
    where activity_date > day - 30 group by 1, 2),
trading as (
    select affiliate_account_id, sum(volume) as volume, count(*) filter (where volume > 0) as active
    from users group by 1),
acquired as (
    select affiliate_account_id, count(*) as new from exchange.referrals, through
    where (referred_at at time zone 'UTC')::date > day - 30 group by 1),
outside as (
    select application_id, max(value) filter (where kind = 'x_followers') as followers,
           sum(value) filter (where kind = 'external_volume') as volume
    from review.evidence group by 1),
judged as (
    select application_id, country_code, social_platform,
           coalesce(t.volume >= 20000000 and t.active >= 15 and a.new >= 5, false) as on_exchange,
           coalesce(o.followers > 5000, false) or coalesce(o.volume >= 20000000, false) as external,
           o.application_id is not null as has_evidence,
           t.affiliate_account_id is not null as trades
    from pending
    left join trading t on t.affiliate_account_id = account_id
    left join acquired a on a.affiliate_account_id = account_id
    left join outside o using (application_id))
select avg(on_exchange::int) as on_exchange, avg(external::int) as external,
       avg((on_exchange and external)::int) as "both", avg(has_evidence::int) as with_evidence,
       avg(trades::int) as with_trading_referrals,
       avg((country_code = 'DE')::int) as from_one_country,
       avg(on_exchange::int) filter (where country_code = 'DE') as on_exchange_in_one_country,
       avg((social_platform = 'x')::int) as on_one_platform,
       avg(external::int) filter (where social_platform = 'x') as external_on_one_platform
from judged
"""


def of_pending(engine: Engine) -> dict[str, float]:
    """Return the share of pending applications with each property."""
    with engine.begin() as connection:
        connection.execute(text("set local work_mem = '512MB'"))
        row = connection.execute(text(PENDING)).mappings().one()
    return {trait: float(share) for trait, share in row.items()}


def report(engine: Engine) -> str:
    """Return row counts, and the shares of pending applications with each property, as lines."""
    with engine.begin() as connection:
        lines = [f"{what:<28} {found:>12,}" for what, found in connection.execute(text(COUNTS))]
    return "\n".join(
        [*lines, *(f"{trait:<28} {share:>12.4f}" for trait, share in of_pending(engine).items())]
    )

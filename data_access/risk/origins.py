"""Measure where referred users come from: their addresses, countries, and when they were created.

Facts have no foreign keys: a user's account may be unknown, or have no address or country. Shares
are of those that are known.
"""

from datetime import timedelta
from typing import LiteralString

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Literal

from data_access.risk import expressions
from data_access.risk.frame import Measuring, Part

NAME = "risk_origins"
# Users referred in so many days, up to T, are looked at for when their accounts were created.
REFERRED_DAYS = 90
LEAST_OF_A_FAMILY = 2
LEAST_AT_A_DOMAIN = 3
DOMAIN = "nullif(lower(split_part({email}, '@', 2)), '')"
LOCAL = "translate(split_part(lower(split_part({email}, '@', 1)), '+', 1), '.', '')"

# Users with an address: the same for all forms of one address, and for all of its family.
ADDRESSES = SQL(
    """
    create temporary table risk_addresses on commit drop as
    with users as (
        select account_id, user_id, volume, is_active or is_new is true as counts,
               {local} as local, {domain} as domain
        from pg_temp.risk_users
        where email like '%@_%'
    )
    select account_id, user_id, volume, coalesce(counts, false) as counts, domain,
           local || '@' || domain as address,
           nullif(rtrim(local, '0123456789'), '') || '@' || domain as family
    from users
    """
)
# Domains of at least three users of one affiliate that no other of the scope has.
DOMAINS = SQL(
    """
    create temporary table risk_domains on commit drop as
    select min(account_id) as account_id, domain, count(*) filter (where counts) as users,
           (array_agg(user_id order by user_id) filter (where counts))[1:10] as user_list
    from pg_temp.risk_addresses
    group by domain
    having count(distinct account_id) = 1 and count(*) filter (where counts) >= {least}
    """
)
# Those that nobody out of the scope has either.
SHARED = SQL(
    """
    delete from pg_temp.risk_domains as candidate
    using exchange.accounts as account, exchange.referrals as referral
    where referral.referred_account_id = account.account_id
      and {domain} = candidate.domain
      and referral.affiliate_account_id <> candidate.account_id
    """
)
VALUES: dict[str, LiteralString] = {
    # Of no users, or none with a known address, nothing is known.
    "r23": "case when own_users > 0 then greatest(own_volume / nullif(volume, 0), 0.000001)"
    " when address is not null and addressed > 0 then 0 end",
    "r31": "hour_users::numeric / nullif(created_users, 0)",
    "r31_sample": "coalesce(created_users, 0)",
    "r32": "coalesce(family_users, 0)::numeric / nullif(counting, 0)",
    "r32_sample": "coalesce(counting, 0)",
    "r34": "case when home is not null then"
    " case when country = home then 0 else country_users::numeric / located end end",
    "r34_sample": "coalesce(located, 0)",
}
INPUTS: dict[str, tuple[str, ...]] = {
    "R23": ("own_users", "own_volume_usd=own_volume", "volume_usd=volume", "own_list"),
    "R31": ("hour", "hour_users", "created_users", "median_days_to_referral"),
    "R32": ("family_kind", "family_users", "counting", "family_list"),
    "R34": ("country", "country_users", "located", "home"),
}
MEASURES = SQL(
    """
    create temporary table risk_origins on commit drop as
    with scope as (
        select account_id, country_code as home,
               case when email like '%@_%' then {own_local} || '@' || {own_domain} end as address
        from pg_temp.risk_scope
    ),
    sums as (
        select account_id, sum(volume) as volume from pg_temp.risk_users group by account_id
    ),
    addressed as (
        select account_id, count(*) as addressed, count(*) filter (where counts) as counting
        from pg_temp.risk_addresses
        group by account_id
    ),
    own as (
        select account_id, count(*) as own_users, sum(volume) as own_volume,
               (array_agg(user_id order by user_id))[1:10] as own_list
        from (
            select account_id, user_id, volume from pg_temp.risk_users where user_id = account_id
            union
            select account_id, user_id, volume
            from pg_temp.risk_addresses join scope using (account_id, address)
        ) as users
        group by account_id
    ),
    created as (
        select account_id, created_at, referred_on
        from pg_temp.risk_users
        where is_known and referred_on > {referred_after}
    ),
    gaps as (
        select account_id, count(*) as created_users,
               percentile_disc(0.5) within group (order by referred_on - created_at::date)
                   as median_days_to_referral
        from created
        group by account_id
    ),
    hours as (
        select distinct on (account_id) account_id, date_trunc('hour', created_at) as hour,
               count(*) as hour_users
        from created
        group by account_id, date_trunc('hour', created_at)
        order by account_id, hour_users desc, hour
    ),
    every_family as (
        select account_id, 'address' as family_kind, count(*) as family_users,
               (array_agg(user_id order by user_id))[1:10] as family_list
        from pg_temp.risk_addresses
        where counts and family is not null
        group by account_id, family
        having count(*) >= {least_of_a_family}
        union all
        select account_id, 'domain', users, user_list from pg_temp.risk_domains
    ),
    families as (
        select distinct on (account_id) *
        from every_family
        order by account_id, family_users desc, family_kind, family_list
    ),
    countries as (
        select distinct on (account_id) account_id, users.country_code as country,
               count(*) as country_users, sum(count(*)) over of_account as located
        from pg_temp.risk_users as users
        join scope using (account_id)
        where is_active and users.country_code is not null
        group by account_id, users.country_code, home
        window of_account as (partition by account_id)
        order by account_id, country_users desc, users.country_code is distinct from home, country
    ),
    found as (
        select *
        from scope
        left join sums using (account_id)
        left join addressed using (account_id)
        left join own using (account_id)
        left join gaps using (account_id)
        left join hours using (account_id)
        left join families using (account_id)
        left join countries using (account_id)
    )
    select account_id, {values}, {inputs} as inputs
    from found
    """
)


def fill(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    """Measure them, from ``pg_temp.risk_users``."""
    cursor.execute(ADDRESSES.format(local=_of(LOCAL, "email"), domain=_of(DOMAIN, "email")))
    cursor.execute("analyze pg_temp.risk_addresses")
    cursor.execute(DOMAINS.format(least=Literal(LEAST_AT_A_DOMAIN)))
    if cursor.execute("select from pg_temp.risk_domains limit 1").fetchone() is not None:
        cursor.execute(SHARED.format(domain=_of(DOMAIN, "account.email")))
    last = measuring.through - timedelta(days=REFERRED_DAYS)
    cursor.execute(
        MEASURES.format(
            own_local=_of(LOCAL, "email"),
            own_domain=_of(DOMAIN, "email"),
            referred_after=Literal(last),
            least_of_a_family=Literal(LEAST_OF_A_FAMILY),
            values=expressions.values(VALUES),
            inputs=expressions.inputs(INPUTS),
        )
    )


def _of(expression: LiteralString, column: LiteralString) -> Composable:
    return SQL(expression).format(email=SQL(column))


PARTS = (Part(name=NAME, columns=tuple(VALUES), fill=fill),)

"""Measure what is known of people: R22, R25, R30 and R35."""

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Literal

from data_access.risk.frame import Measuring, Part
from program.periods import ONE_DAY, day_start, evidence_cutoff

KEYS = SQL(
    """
    create temporary table risk_keys on commit drop as
    select scope.account_id, what, key
    from pg_temp.risk_scope as scope
    join exchange.applications as application using (application_id)
    cross join lateral (values
        ('handle', review.identity_key(social_platform, social_handle) collate "C"),
        ('contact', review.identity_key(contact_platform, contact_handle) collate "C")
    ) as typed (what, key)
    where key <> ''
    """
)
# Thousands may type the same word, so a key is counted once, not per pair. `review.duplicates`
# compares names in the same way. By index, one key after the other: a join would compute the keys
# of all applications.
SHARED = SQL(
    """
    create temporary table risk_shared_keys on commit drop as
    select what, key, min(account_id) as first, max(account_id) as last,
           min(account_id) filter (where turned_away) as first_away,
           max(account_id) filter (where turned_away) as last_away
    from (select distinct what, key from pg_temp.risk_keys) as each
    cross join lateral (
        select account_id, status from exchange.applications
        where what = 'handle'
          and review.identity_key(social_platform, social_handle) collate "C" = key
        union all
        select account_id, status from exchange.applications
        where what = 'contact'
          and review.identity_key(contact_platform, contact_handle) collate "C" = key
        offset 0
    ) as application
    cross join lateral (
        select application.status = 'rejected' or exists (
            select from review.affiliate_standings as standing
            where standing.account_id = application.account_id and standing.status = 'terminated'
        ) as turned_away) as judged
    group by what, key
    """
)
DUPLICATES = SQL(
    """
    create temporary table risk_duplicates on commit drop as
    with matched as (
        select account_id, what,
               coalesce(nullif(first, account_id), nullif(last, account_id)) as other,
               coalesce(nullif(first_away, account_id), nullif(last_away, account_id)) as away
        from pg_temp.risk_keys join pg_temp.risk_shared_keys using (what, key)
    )
    select account_id, max(case when away is not null then 2 when other is not null then 1
               else 0 end) as r22,
           case when count(other) > 0 then concat('"R22": ', json_object_agg(
               what, coalesce(away, other)) filter (where other is not null)) end
               as inputs
    from matched group by account_id
    """
)
# Volumes are compared per exchange.
CLAIMS = SQL(
    """
    create temporary table risk_claims on commit drop as
    with newest as (
        select distinct on (account_id, kind, exchange_key, supplied)
               account_id, kind, exchange_key, supplied, value
        from pg_temp.risk_scope join review.evidence using (application_id)
        cross join lateral (select method in ('screenshot', 'statement') as supplied) as source
        where method in ('screenshot', 'statement', 'profile_page', 'api')
          and observed_at >= {since} and observed_at <= {now}
        order by account_id, kind, exchange_key, supplied, observed_at desc, evidence_id desc
    ), gaps as (
        select account_id, kind, claim.value as claimed, seen.value as observed,
               case when seen.value > 0 then abs(claim.value - seen.value) / seen.value
                    when claim.value > 0 then 1 else 0 end as gap,
               case kind when 'x_followers'
                    then claim.value > {min_followers} and seen.value <= {min_followers}
                    else claim.value >= {min_volume} and seen.value < {min_volume}
               end as decides
        from newest as claim join newest as seen using (account_id, kind, exchange_key)
        where claim.supplied and not seen.supplied
    ), judged as (
        select *, case when decides and gap >= {noticeable} then greatest(gap, 1) else gap end
            as found
        from gaps
    ), widest as (
        select distinct on (account_id) * from judged order by account_id, found desc, kind
    )
    select account_id, round(least(found, {most}), 6) as r25,
           concat('"R25": ', json_build_object(
               'kind', kind, 'claimed', claimed, 'observed', observed)) as inputs
    from widest
    """
)
GRAPH = SQL(
    """
    create temporary table risk_graph on commit drop as
    with referred as (
        select account_id, count(*) as users,
               count(*) filter (where exists (
                   select from exchange.applications as own
                   where own.account_id = referred_account_id)) as applicants
        from pg_temp.risk_scope
        join exchange.referrals on affiliate_account_id = account_id
        where referred_account_id <> account_id
        group by account_id
    ), referrer as (
        select scope.account_id, up.affiliate_account_id as referrer,
               coalesce(standing.status = 'terminated', false) as is_terminated,
               exists (select from exchange.referrals as back
                       where back.affiliate_account_id = scope.account_id
                         and back.referred_account_id = up.affiliate_account_id) as is_circle
        from pg_temp.risk_scope as scope
        cross join lateral (
            -- One by one: a join would read the referrals of all.
            select affiliate_account_id from exchange.referrals
            where referred_account_id = scope.account_id offset 0
        ) as up
        left join review.affiliate_standings as standing
            on standing.account_id = up.affiliate_account_id
        where up.affiliate_account_id <> scope.account_id
    )
    select account_id,
           case when is_circle then 2
                when is_terminated or (applicants >= {applicants} and applicants >= {share} * users)
                then 1 else 0 end as r30,
           concat('"R30": ', json_strip_nulls(json_build_object(
               'applicants', applicants, 'users', users, 'referrer', referrer,
               'referrer_terminated', is_terminated))) as inputs
    from referred full join referrer using (account_id)
    """
)
JUMPS = SQL(
    """
    create temporary table risk_jumps on commit drop as
    with seen as (
        select scope.account_id, value, observed_at, evidence_id
        from pg_temp.risk_scope as scope
        join exchange.applications as application on application.account_id = scope.account_id
        join review.evidence on evidence.application_id = application.application_id
        where kind = 'x_followers' and value >= {least} and observed_at <= {now}
          and observed_at >= {since} - interval '30 days'
    ), growth as (
        select distinct on (account_id) account_id, earlier.value as before, later.value as after,
               earlier.observed_at as since, later.observed_at as at
        from seen as earlier join seen as later using (account_id)
        where (earlier.observed_at, earlier.evidence_id) < (later.observed_at, later.evidence_id)
          and later.observed_at <= earlier.observed_at + interval '30 days'
          and later.observed_at >= {since}
        order by account_id, later.value / earlier.value desc, later.observed_at desc
    )
    select account_id, round(least(greatest(after / before - 1, 0), {most}), 6) as r35,
           concat('"R35": ', json_build_object(
               'before', before, 'after', after, 'since', (since at time zone 'UTC')::date,
               'at', (at at time zone 'UTC')::date)) as inputs
    from growth
    """
)
CLAIM_DAYS = 30
# Counts move by a few percent, also around the minimum.
NOTICEABLE = "0.05"
APPLICANTS = 3
APPLICANT_SHARE = "0.05"
LEAST_FOLLOWERS = 1_000
# Typed figures may be anything; the column has an end.
MOST = 1_000_000


def _duplicates(cursor: Cursor[DictRow], _: Measuring) -> None:
    cursor.execute(KEYS)
    cursor.execute("analyze pg_temp.risk_keys")
    cursor.execute(SHARED)
    cursor.execute("analyze pg_temp.risk_shared_keys")
    cursor.execute(DUPLICATES.format())


def _claims(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    since = day_start(measuring.through - CLAIM_DAYS * ONE_DAY)
    cursor.execute(
        CLAIMS.format(
            since=Literal(since),
            now=Literal(measuring.now),
            min_followers=Literal(measuring.policy.min_x_followers),
            min_volume=Literal(measuring.policy.min_external_volume_usd),
            noticeable=SQL(NOTICEABLE),
            most=Literal(MOST),
        )
    )


def _graph(cursor: Cursor[DictRow], _: Measuring) -> None:
    cursor.execute(GRAPH.format(applicants=Literal(APPLICANTS), share=SQL(APPLICANT_SHARE)))


def _jumps(cursor: Cursor[DictRow], measuring: Measuring) -> None:
    since = evidence_cutoff(measuring.through, measuring.policy.evidence_valid_days)
    cursor.execute(
        JUMPS.format(
            least=Literal(LEAST_FOLLOWERS),
            now=Literal(measuring.now),
            since=Literal(since),
            most=Literal(MOST),
        )
    )


PARTS = (
    Part(name="risk_duplicates", columns=("r22",), fill=_duplicates),
    Part(name="risk_claims", columns=("r25",), fill=_claims),
    Part(name="risk_graph", columns=("r30",), fill=_graph),
    Part(name="risk_jumps", columns=("r35",), fill=_jumps),
)

-- Standings: what the queue shows, filters and orders by, one narrow row per open application.

create table review.standings (
    application_id bigint not null,
    account_id bigint not null,
    submitted_at timestamptz not null,
    clock_from timestamptz not null,
    paused_at timestamptz,
    deferred_until timestamptz,
    claim_until timestamptz,
    newest_observed_at timestamptz,
    clock_day date not null,
    submitted_day date not null,
    points smallint not null,
    risk_score smallint not null,
    robust_met smallint,
    robust_without_top smallint,
    robust_without_small smallint,
    robust_fee_bearing smallint,
    active_users integer,
    new_users integer,
    x_followers bigint,
    on_exchange boolean,
    external boolean,
    eligible boolean,
    has_evidence boolean not null,
    volume_usd numeric(24,2),
    external_volume_usd numeric,
    status text not null,
    country_code text,
    platform_key text not null,
    assignee text,
    risk_level text not null,
    risk_signals text[] not null,
    search_keys text[] not null,
    search_text text not null,
    constraint standings_pkey primary key (application_id),
    constraint standings_people_normal check (assignee = review.person(assignee))
);
create index standings_by_submission on review.standings (submitted_at, application_id);
create index standings_by_clock on review.standings (clock_from, application_id);
create index standings_by_volume on review.standings (volume_usd desc nulls last, application_id);
create index standings_by_active_users on review.standings (active_users desc nulls last, application_id);
create index standings_by_new_users on review.standings (new_users desc nulls last, application_id);
create index standings_by_volume_upward on review.standings (volume_usd, application_id desc);
create index standings_by_active_users_upward on review.standings (active_users, application_id desc);
create index standings_by_new_users_upward on review.standings (new_users, application_id desc);
create index standings_by_account on review.standings (account_id);
create index standings_by_observation on review.standings (newest_observed_at) where newest_observed_at is not null;
create index standings_on_exchange on review.standings (application_id) where on_exchange;
create index standings_set_aside on review.standings (status, deferred_until) where status <> 'pending';
-- These hold all that a count of their part asks for, so that it reads no rows.
create index standings_held on review.standings (assignee) include (
    claim_until, status, deferred_until, submitted_at, clock_from, eligible, on_exchange, external) where assignee is not null;
-- In the order of the priority: its first page, of everything or of one country, platform or risk, is read from them too.
create index standings_by_points on review.standings (eligible, points, clock_from, application_id) include (
    status, deferred_until, on_exchange, external, submitted_at, paused_at, assignee, claim_until);
create index standings_by_country on review.standings (country_code, eligible, points, clock_from, application_id) include (
    platform_key, status, deferred_until, on_exchange, external, submitted_at, paused_at, assignee, claim_until);
create index standings_by_platform on review.standings (platform_key, eligible, points, clock_from, application_id) include (
    country_code, status, deferred_until, on_exchange, external, submitted_at, paused_at, assignee, claim_until);
create index standings_by_risk on review.standings (risk_level, eligible, points, clock_from, application_id) include (
    status, deferred_until, on_exchange, external, submitted_at, paused_at, assignee, claim_until);
create index standings_search on review.standings using gin (search_text gin_trgm_ops, search_keys);
comment on table review.standings is 'What the queue shows, filters and orders by: one row per application that is pending upstream; kept by triggers, by refreshes, and when another policy takes effect';
comment on column review.standings.application_id is 'The application';
comment on column review.standings.account_id is 'The applicant''s account';
comment on column review.standings.submitted_at is 'When the application arrived';
comment on column review.standings.clock_from is 'When the review clock started';
comment on column review.standings.paused_at is 'When the clock stopped because the applicant owes information';
comment on column review.standings.deferred_until is 'When a deferred application returns by itself';
comment on column review.standings.claim_until is 'When the claim expires; null: unclaimed, or assigned by a colleague';
comment on column review.standings.newest_observed_at is 'The newest observation recorded as evidence; one in the future does not count yet';
comment on column review.standings.clock_day is 'The UTC day of clock_from';
comment on column review.standings.submitted_day is 'The UTC day of submitted_at';
comment on column review.standings.points is 'The points of the priority that do not depend on the clock';
comment on column review.standings.risk_score is 'The points of the flagged risk signals, at most 100';
comment on column review.standings.robust_met is 'How many on-exchange criteria are met; null: unknown, or not measured';
comment on column review.standings.robust_without_top is 'How many are met without the largest user';
comment on column review.standings.robust_without_small is 'How many are met without users under 1,000 USD of volume';
comment on column review.standings.robust_fee_bearing is 'How many are met on volume that bore a positive net fee';
comment on column review.standings.active_users is 'Active referred users in the window; null: unknown';
comment on column review.standings.new_users is 'New users in the window; null: unknown';
comment on column review.standings.x_followers is 'Followers on X by current evidence; null: unknown';
comment on column review.standings.on_exchange is 'Whether the on-exchange track is met; null: unknown';
comment on column review.standings.external is 'Whether the external track is met; null: unknown';
comment on column review.standings.eligible is 'Whether any track is met; null: unknown';
comment on column review.standings.has_evidence is 'Whether any evidence was ever recorded';
comment on column review.standings.volume_usd is 'Referral volume in the window, USD; null: unknown';
comment on column review.standings.external_volume_usd is 'Volume on other exchanges by current evidence, USD; null: unknown';
comment on column review.standings.status is 'What it waits for at the desk; deferred also after deferred_until has passed';
comment on column review.standings.country_code is 'The applicant''s country';
comment on column review.standings.platform_key is 'review.platform_key of the social platform';
comment on column review.standings.assignee is 'Who works on it, or did until claim_until';
comment on column review.standings.risk_level is 'clear, warn, high, or not_enough_data';
comment on column review.standings.risk_signals is 'The flagged risk signals that are not dismissed, high ones first';
comment on column review.standings.search_keys is 'What a search matches exactly: identity keys, and the ids of application and account';
comment on column review.standings.search_text is 'What a search matches in part: review.search_text of name, handle and contact, a line each';

create table review.standing_sums (
    sum_id bigint generated always as identity,
    status text not null,
    eligible boolean,
    on_exchange boolean,
    external boolean,
    clock_day date not null,
    submitted_day date not null,
    number integer not null,
    constraint standing_sums_pkey primary key (sum_id)
);
comment on table review.standing_sums is 'How many standings are alike, for counting: the sum of number over all rows of the same values. Only inserted, so that no act waits for another; merged now and then';
comment on column review.standing_sums.sum_id is 'Counts up';
comment on column review.standing_sums.status is 'As in review.standings';
comment on column review.standing_sums.eligible is 'As in review.standings';
comment on column review.standing_sums.on_exchange is 'As in review.standings';
comment on column review.standing_sums.external is 'As in review.standings';
comment on column review.standing_sums.clock_day is 'As in review.standings';
comment on column review.standing_sums.submitted_day is 'As in review.standings';
comment on column review.standing_sums.number is 'By how many their number rose; below zero: by how many it fell';

create table review.standing_basis (
    single boolean not null default true,
    policy_version integer not null,
    refresh_id bigint not null,
    covered_until timestamptz,
    evidence_from timestamptz not null,
    restated_at timestamptz not null,
    constraint standing_basis_pkey primary key (single),
    constraint standing_basis_only_one check (single)
);
comment on table review.standing_basis is 'What the standings were computed with; without a row none are kept';
comment on column review.standing_basis.single is 'Allows one row only';
comment on column review.standing_basis.policy_version is 'The policy';
comment on column review.standing_basis.refresh_id is 'The refresh whose metrics are used; 0: metrics are unknown';
comment on column review.standing_basis.covered_until is 'Accounts first seen later are not covered by that refresh; null: none is';
comment on column review.standing_basis.evidence_from is 'Evidence observed before no longer counts';
comment on column review.standing_basis.restated_at is 'When all standings were last computed';

create function review.standing_rows(
    ids bigint[], policy review.policies, covered_until timestamptz, evidence_from timestamptz, evidence_until timestamptz)
    returns setof review.standings language sql stable as $$
select application.application_id, application.account_id, application.submitted_at,
    coalesce(desk.clock_from, application.submitted_at), desk.paused_at, desk.deferred_until, desk.claim_until,
    recorded.newest_observed_at,
    (coalesce(desk.clock_from, application.submitted_at) at time zone 'UTC')::date,
    (application.submitted_at at time zone 'UTC')::date,
    (
        -- [[[cog
        -- import cog
        -- from data_access.queue import standing_sql
        -- cog.outl("\n+ ".join(standing_sql.points()))
        -- ]]]
        case when truth.on_exchange or truth.external then 25 when not (truth.on_exchange or truth.external) then 0 else 10 end
        + case when value.volume_usd >= 5 * policy.min_volume_usd then 15 when value.volume_usd >= 2 * policy.min_volume_usd then 10 when value.volume_usd >= 1 * policy.min_volume_usd then 5 else 0 end
        + case when (truth.on_exchange or truth.external) is not true and value.volume_usd >= 0.9 * policy.min_volume_usd and value.active_users >= ceil(0.9 * policy.min_active_users) and value.new_users >= ceil(0.9 * policy.min_new_users) then 10 else 0 end
        + case when desk.answered_at is not null then 10 else 0 end
        + least(10, coalesce(risk.score, 0) / 10)
        -- [[[end]]]
    )::smallint,
    coalesce(risk.score, 0::smallint),
    -- While the criteria are unknown, so is how many a part of the activity meets.
    case when value.volume_usd is not null then risk.met end,
    case when value.volume_usd is not null then risk.without_top end,
    case when value.volume_usd is not null then risk.without_small end,
    case when value.volume_usd is not null then risk.fee_bearing end,
    value.active_users, value.new_users, value.x_followers::bigint, truth.on_exchange, truth.external,
    -- [[[cog
    -- cog.outl(standing_sql.eligible() + ",")
    -- ]]]
    truth.on_exchange or truth.external,
    -- [[[end]]]
    recorded.newest_observed_at is not null, value.volume_usd, value.external_volume_usd,
    coalesce(desk.status, 'pending'), account.country_code, review.platform_key(application.social_platform),
    desk.assignee, coalesce(risk.level, 'not_enough_data'), coalesce(risk.signals, '{}'),
    array[review.identity_key(application.social_platform, application.social_handle),
        review.identity_key(application.contact_platform, application.contact_handle),
        application.application_id::text, application.account_id::text],
    concat_ws(E'\n', review.search_text(account.username), review.search_text(application.social_handle),
        review.search_text(application.contact_handle))
from unnest(ids) as one (application_id)
join exchange.applications as application on application.application_id = one.application_id
join exchange.accounts as account on account.account_id = application.account_id
left join review.desk as desk on desk.application_id = application.application_id
left join review.affiliate_window as affiliate on affiliate.affiliate_account_id = application.account_id
left join lateral review.judged_risk(standing_rows.policy, array[application.account_id]) as risk on true
cross join lateral (
    select max(observed_at) as newest_observed_at from review.evidence
    where evidence.application_id = application.application_id
) as recorded
left join lateral (
    select max(newest.value) filter (where newest.kind = 'x_followers') as x_followers,
        sum(newest.value) filter (where newest.kind = 'external_volume') as external_volume_usd
    from (
        select distinct on (kind, exchange_key) kind, evidence.value from review.evidence
        where evidence.application_id = application.application_id
            and observed_at >= standing_rows.evidence_from and observed_at <= standing_rows.evidence_until
        order by kind, exchange_key, observed_at desc, evidence_id desc
    ) as newest
) as established on recorded.newest_observed_at >= standing_rows.evidence_from
cross join lateral (
    -- An account without a row has no referrals, which is a known zero once a refresh covers it.
    select case when account.first_seen_at <= standing_rows.covered_until then 0 end as no_referrals
) as covered
cross join lateral (
    select
        case when covered_until is not null then coalesce(affiliate.volume_usd, covered.no_referrals) end as volume_usd,
        case when covered_until is not null then coalesce(affiliate.active_users, covered.no_referrals) end as active_users,
        case when covered_until is not null then coalesce(affiliate.new_users, covered.no_referrals) end as new_users,
        established.x_followers, established.external_volume_usd
) as value
cross join lateral (
    select
        -- [[[cog
        -- from program.policy.criteria import TRACKS
        -- cog.outl(",\n".join(f"{standing_sql.truth(track)} as {track.key}" for track in TRACKS))
        -- ]]]
        value.volume_usd >= policy.min_volume_usd and value.active_users >= policy.min_active_users and value.new_users >= policy.min_new_users as on_exchange,
        value.x_followers > policy.min_x_followers or value.external_volume_usd >= policy.min_external_volume_usd as external
        -- [[[end]]]
) as truth
$$;
comment on function review.standing_rows(bigint[], review.policies, timestamptz, timestamptz, timestamptz) is 'The standings of these applications, computed now; those of decided ones too';

create function review.keep_standings(ids bigint[], basis review.standing_basis) returns void language plpgsql as $$
declare
    policy review.policies;
begin
    select * into policy from review.policies where version = basis.policy_version;
    insert into review.standings as kept
    select * from review.standing_rows(ids, policy, basis.covered_until, basis.evidence_from, timestamptz 'infinity')
    on conflict (application_id) do update set (
        account_id, submitted_at, clock_from, paused_at, deferred_until, claim_until, newest_observed_at, clock_day,
        submitted_day, points, risk_score, robust_met, robust_without_top, robust_without_small, robust_fee_bearing,
        active_users, new_users, x_followers, on_exchange, external, eligible, has_evidence,
        volume_usd, external_volume_usd, status, country_code, platform_key, assignee, risk_level, risk_signals,
        search_keys, search_text
    ) = row(
        excluded.account_id, excluded.submitted_at, excluded.clock_from, excluded.paused_at, excluded.deferred_until,
        excluded.claim_until, excluded.newest_observed_at, excluded.clock_day, excluded.submitted_day, excluded.points,
        excluded.risk_score, excluded.robust_met, excluded.robust_without_top, excluded.robust_without_small, excluded.robust_fee_bearing,
        excluded.active_users, excluded.new_users, excluded.x_followers, excluded.on_exchange, excluded.external,
        excluded.eligible, excluded.has_evidence, excluded.volume_usd, excluded.external_volume_usd, excluded.status,
        excluded.country_code, excluded.platform_key, excluded.assignee, excluded.risk_level, excluded.risk_signals,
        excluded.search_keys, excluded.search_text
    ) where kept is distinct from excluded;
end $$;
comment on function review.keep_standings(bigint[], review.standing_basis) is 'Writes the standings that differ; all of these applications must be pending';

create function review.merge_sums() returns void language sql as $$
with old as (delete from review.standing_sums returning *)
insert into review.standing_sums (status, eligible, on_exchange, external, clock_day, submitted_day, number)
select status, eligible, on_exchange, external, clock_day, submitted_day, sum(number)
from old group by 1, 2, 3, 4, 5, 6 having sum(number) <> 0
$$;
comment on function review.merge_sums() is 'Merges the sums of equal values; only one transaction at a time may do so';

create function review.sum_standings() returns void language sql as $$
delete from review.standing_sums;
insert into review.standing_sums (status, eligible, on_exchange, external, clock_day, submitted_day, number)
select status, eligible, on_exchange, external, clock_day, submitted_day, count(*)
from review.standings group by 1, 2, 3, 4, 5, 6
$$;
comment on function review.sum_standings() is 'Counts all standings anew; nobody may change one meanwhile';

create function review.follow_standings() returns trigger language plpgsql as $$
declare
    added bigint;
begin
    if tg_op = 'INSERT' then
        insert into review.standing_sums (status, eligible, on_exchange, external, clock_day, submitted_day, number)
        select status, eligible, on_exchange, external, clock_day, submitted_day, count(*)
        from became group by 1, 2, 3, 4, 5, 6;
    elsif tg_op = 'DELETE' then
        insert into review.standing_sums (status, eligible, on_exchange, external, clock_day, submitted_day, number)
        select status, eligible, on_exchange, external, clock_day, submitted_day, -count(*)
        from was group by 1, 2, 3, 4, 5, 6;
    else
        insert into review.standing_sums (status, eligible, on_exchange, external, clock_day, submitted_day, number)
        select status, eligible, on_exchange, external, clock_day, submitted_day, sum(number)
        from (
            select status, eligible, on_exchange, external, clock_day, submitted_day, 1 as number from became
            union all
            select status, eligible, on_exchange, external, clock_day, submitted_day, -1 from was
        ) as changed
        group by 1, 2, 3, 4, 5, 6 having sum(number) <> 0;
    end if;
    get diagnostics added = row_count;
    -- Every few hundred rows. In a snapshot taken before another merge it would fail, and the act with it.
    if added > 0 and lastval() % 500 < added and current_setting('transaction_isolation') = 'read committed'
        and pg_try_advisory_xact_lock(7310018)
    then
        perform review.merge_sums();
    end if;
    return null;
end $$;
comment on function review.follow_standings() is 'Adds to the sums by how many the standings of each kind rose or fell';
create trigger sums_insert after insert on review.standings
    referencing new table as became for each statement execute function review.follow_standings();
create trigger sums_update after update on review.standings
    referencing old table as was new table as became for each statement execute function review.follow_standings();
create trigger sums_delete after delete on review.standings
    referencing old table as was for each statement execute function review.follow_standings();

-- A few ids at a time: to plan for each anew would take several times as long as to look them up.
create function review.restate(ids bigint[]) returns void language plpgsql
    set plan_cache_mode = force_generic_plan as $$
declare
    basis review.standing_basis;
    pending bigint[];
begin
    if cardinality(ids) = 0 then
        return;
    end if;
    -- Whoever restates all of them holds this lock alone.
    perform pg_advisory_xact_lock_shared(7310017);
    if current_setting('transaction_isolation') <> 'read committed' then
        -- A snapshot may hold an older basis; to lock its row then fails, so that the transaction is tried again.
        perform from review.standing_basis for share;
    end if;
    select * into basis from review.standing_basis;
    if not found then
        return;
    end if;
    -- Lock first and compute then, so that a waiting transaction sees what the other wrote.
    perform from review.standings where application_id = any(ids) order by application_id for update;
    pending := array(
        select application_id from exchange.applications where application_id = any(ids) and status = 'pending');
    delete from review.standings as kept
    where kept.application_id = any(ids) and not exists (
        select from exchange.applications as application
        where application.application_id = kept.application_id and application.status = 'pending');
    if cardinality(pending) > 0 then
        perform review.keep_standings(pending, basis);
    end if;
end $$;
comment on function review.restate(bigint[]) is 'Brings the standings of these applications up to date';

create function review.restate_all(basis review.standing_basis) returns void language plpgsql as $$
declare
    pending bigint[];
begin
    perform pg_advisory_xact_lock(7310017);
    pending := array(select application_id from exchange.applications where status = 'pending');
    insert into review.standing_basis select (basis).*
    on conflict (single) do update set (policy_version, refresh_id, covered_until, evidence_from, restated_at)
        = row(excluded.policy_version, excluded.refresh_id, excluded.covered_until, excluded.evidence_from, excluded.restated_at);
    delete from review.standings
    where not exists (select from unnest(pending) as open (id) where open.id = application_id);
    perform review.keep_standings(pending, basis);
    perform review.sum_standings();
end $$;
comment on function review.restate_all(review.standing_basis) is 'Computes all standings with another basis';

-- Not a trigger on the measures: whoever replaces thousands of them would wait for every act, and make it wait.
create function review.restate_measured() returns void language plpgsql as $$
declare
    basis review.standing_basis;
    policy review.policies;
begin
    select * into basis from review.standing_basis;
    if not found then
        return;
    end if;
    select * into policy from review.policies where version = basis.policy_version;
    perform review.restate(array(
        select kept.application_id
        from review.standings as kept
        left join review.judged_risk(policy, array(select account_id from review.standings)) as risk using (account_id)
        where (kept.risk_level, kept.risk_score, kept.risk_signals, kept.robust_met, kept.robust_without_top,
                kept.robust_without_small, kept.robust_fee_bearing)
            is distinct from (coalesce(risk.level, 'not_enough_data'), coalesce(risk.score, 0::smallint),
                coalesce(risk.signals, '{}'), risk.met, risk.without_top, risk.without_small, risk.fee_bearing)));
end $$;
comment on function review.restate_measured() is 'Brings the standings up to date with the newest measures of risk';

-- These run with the rights of their owner: who writes to exchange need not write to review.
create function review.follow_changes() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform review.restate(array(select distinct application_id from changed));
    return null;
end $$;
comment on function review.follow_changes() is 'Restates the applications whose rows changed';
create function review.follow_desk() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    ids bigint[] := array(select application_id from changed);
    claimed bigint[] := '{}';
begin
    -- Most are claims, renewed, passed on or given back. A standing only repeats who holds it and until when, and
    -- to compute all of it anew would be most of the work of a claim.
    if tg_op = 'UPDATE' then
        claimed := array(
            select application_id from changed join was using (application_id)
            where (changed.status, changed.clock_from, changed.paused_at, changed.answered_at, changed.deferred_until)
                is not distinct from (was.status, was.clock_from, was.paused_at, was.answered_at, was.deferred_until));
        ids := ids || array(select application_id from was);
    elsif tg_op = 'INSERT' then
        claimed := array(
            select application_id from changed
            where status = 'pending' and num_nonnulls(clock_from, paused_at, answered_at, deferred_until) = 0);
    end if;
    if claimed <> '{}' then
        -- Whoever restates all of them holds this lock alone.
        perform pg_advisory_xact_lock_shared(7310017);
        update review.standings as kept set assignee = changed.assignee, claim_until = changed.claim_until
        from changed
        where kept.application_id = changed.application_id and changed.application_id = any(claimed)
            and (kept.assignee, kept.claim_until) is distinct from (changed.assignee, changed.claim_until);
    end if;
    perform review.restate(array(select id from unnest(ids) as one (id) where id <> all(claimed) group by id));
    return null;
end $$;
comment on function review.follow_desk() is 'Restates the applications whose rows changed, and repeats claims';
create function review.follow_applications() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    ids bigint[] := array(
        select application_id from changed where status = 'pending'
        union select application_id from changed join review.standings using (application_id));
begin
    if tg_op = 'UPDATE' then
        ids := ids || array(select application_id from was join review.standings using (application_id));
    end if;
    if tg_op <> 'DELETE' then
        -- An account that changes meanwhile does not see this application yet: wait for it, or make it wait.
        perform from exchange.accounts
        where account_id in (select account_id from changed where status = 'pending')
        order by account_id for share;
    end if;
    perform review.restate(ids);
    return null;
end $$;
comment on function review.follow_applications() is 'Restates the changed applications that are or were open';
create function review.follow_accounts() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform review.restate(array(select application_id from changed join review.standings using (account_id)));
    return null;
end $$;
comment on function review.follow_accounts() is 'Restates the open applications of changed accounts';
create trigger standings_insert after insert on exchange.applications
    referencing new table as changed for each statement execute function review.follow_applications();
create trigger standings_update after update on exchange.applications
    referencing old table as was new table as changed for each statement execute function review.follow_applications();
create trigger standings_delete after delete on exchange.applications
    referencing old table as changed for each statement execute function review.follow_applications();
create trigger standings_update after update on exchange.accounts
    referencing new table as changed for each statement execute function review.follow_accounts();
create trigger standings_insert after insert on review.desk
    referencing new table as changed for each statement execute function review.follow_desk();
create trigger standings_update after update on review.desk
    referencing old table as was new table as changed for each statement execute function review.follow_desk();
create trigger standings_delete after delete on review.desk
    referencing old table as changed for each statement execute function review.follow_desk();
create trigger standings_insert after insert on review.risk_dismissals
    referencing new table as changed for each statement execute function review.follow_accounts();
create trigger standings_insert after insert on review.evidence
    referencing new table as changed for each statement execute function review.follow_changes();

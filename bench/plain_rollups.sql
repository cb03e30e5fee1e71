-- Every table that a first refresh fills, in the plainest SQL: one `create table as` each, its key,
-- and statistics for the statements that read it.
set local timezone = 'UTC';
set local work_mem = '256MB';
set local maintenance_work_mem = '512MB';

create table bench.daily as
select affiliate_account_id, day, sum(volume_usd) as volume_usd, sum(fees_usd) as fees_usd,
       sum(trade_count) as trade_count,
       coalesce(sum(volume_usd) filter (where fees_usd <= 0), 0) as zero_fee_volume_usd,
       count(*) filter (where volume_usd > 0) as active_users, sum(new) as new_users
from (
    select affiliate_account_id, activity_date as day, volume_usd, fees_usd, trade_count, 0 as new
    from exchange.referral_activity where activity_date <= '{through}'
    union all
    select affiliate_account_id, (referred_at at time zone 'UTC')::date, 0, 0, 0, 1
    from exchange.referrals where (referred_at at time zone 'UTC')::date <= '{through}'
) as facts group by 1, 2;
alter table bench.daily add primary key (affiliate_account_id, day);
analyze bench.daily;

create table bench.month_users as
select affiliate_account_id, referred_account_id, date_trunc('month', activity_date)::date as month
from exchange.referral_activity where activity_date <= '{through}' and volume_usd > 0
group by 1, 2, 3;
analyze bench.month_users;

create table bench.monthly as
select affiliate_account_id, month, volume_usd, fees_usd, trade_count,
       coalesce(active_users, 0) as active_users, new_users
from (
    select affiliate_account_id, date_trunc('month', day)::date as month,
           sum(volume_usd) as volume_usd, sum(fees_usd) as fees_usd,
           sum(trade_count) as trade_count, sum(new_users) as new_users
    from bench.daily group by 1, 2
) as days left join (
    select affiliate_account_id, month, count(*) as active_users
    from bench.month_users group by 1, 2
) as users using (affiliate_account_id, month);
alter table bench.monthly add primary key (affiliate_account_id, month);
analyze bench.monthly;

create table bench.window as
with users as (
    select affiliate_account_id, referred_account_id, sum(volume_usd) as volume
    from exchange.referral_activity where activity_date >= '{start}' and activity_date < '{end}'
    group by 1, 2
), counted as (
    select affiliate_account_id, count(*) filter (where volume > 0) as active_users,
           count(*) filter (where volume >= 1000) as users_over_1000_usd,
           sum(volume * volume) as sum_of_squared_user_volumes,
           max(volume) as top_user_volume_usd
    from users group by 1
), days as (
    select affiliate_account_id, sum(volume_usd) as volume_usd, sum(fees_usd) as fees_usd,
           sum(trade_count) as trade_count, sum(new_users) as new_users,
           sum(zero_fee_volume_usd) as zero_fee_volume_usd,
           count(*) filter (where volume_usd > 0) as trading_days,
           max(volume_usd) as largest_day_volume_usd
    from bench.daily where day >= '{start}' and day < '{end}' group by 1
)
select affiliate_account_id, volume_usd, fees_usd, trade_count,
       coalesce(active_users, 0) as active_users, new_users, trading_days, largest_day_volume_usd,
       coalesce(top_user_volume_usd, 0) as top_user_volume_usd,
       coalesce(sum_of_squared_user_volumes, 0) as sum_of_squared_user_volumes,
       coalesce(users_over_1000_usd, 0) as users_over_1000_usd, zero_fee_volume_usd
from days left join counted using (affiliate_account_id);
alter table bench.window add primary key (affiliate_account_id);

create table bench.decisions as
select decision_id, application_id, account_id, outcome, decided_by, decided_at, is_override,
       policy_version, rebate_rate, coalesce(snapshot ->> 'track', 'none') as track,
       coalesce(snapshot ->> 'outcome', 'unknown') as eligibility
from review.current_decisions as decision join exchange.applications using (application_id)
where outcome = status;
analyze bench.decisions;

create table bench.approvals as
select distinct on (account_id) account_id, application_id, decision_id, decided_at as approved_at,
       decided_by, is_override, track, rebate_rate
from bench.decisions where outcome = 'approved'
order by account_id, decided_at desc, decision_id desc;
alter table bench.approvals add primary key (account_id);
analyze bench.approvals;

create table bench.segments as
with moved as (
    select account_id, new, (at at time zone 'UTC')::date as day,
           lead((at at time zone 'UTC')::date) over (
               partition by account_id order by at, affiliate_event_id) as until
    from review.affiliate_events join bench.approvals using (account_id) where at >= approved_at
), suspended as (
    select account_id, range_agg(daterange(day, until)) as days
    from moved where new in ('suspended', 'terminated') group by 1
)
select affiliate_account_id, coalesce(country_code::text, 'unknown') as country,
       coalesce(track, 'not_approved') as track,
       coalesce(to_char(approved_at at time zone 'UTC', 'YYYY-MM'), 'not_approved') as cohort,
       coalesce(trim_scale(rebate_rate)::text, 'standard') as rate,
       case when rebate_rate is null then datemultirange()
            else datemultirange(daterange((approved_at at time zone 'UTC')::date, null))
                - coalesce(suspended.days, datemultirange()) end as granted
from (select distinct affiliate_account_id from bench.monthly) as affiliates
left join exchange.accounts as account on account.account_id = affiliate_account_id
left join bench.approvals as approval on approval.account_id = affiliate_account_id
left join suspended on suspended.account_id = affiliate_account_id;
alter table bench.segments add primary key (affiliate_account_id);
analyze bench.segments;

create table bench.segment_daily as
select case grouping(country, track, cohort, rate) when 15 then 'program' when 7 then 'country'
            when 11 then 'track' when 13 then 'cohort' else 'rate' end as dimension,
       day, coalesce(country, track, cohort, rate, 'all') as segment, count(*) as affiliates,
       sum(volume_usd) as volume_usd, sum(fees_usd) as fees_usd, sum(trade_count) as trade_count,
       sum(active_users) as active_users, sum(new_users) as new_users
from (
    select daily.*, country, track, cohort,
           case when granted @> day then rate else 'standard' end as rate
    from bench.daily join bench.segments using (affiliate_account_id)
) as traded
group by grouping sets ((day), (day, country), (day, track), (day, cohort), (day, rate));
alter table bench.segment_daily add primary key (dimension, day, segment);
analyze bench.segment_daily;

create table bench.segment_monthly as
select dimension, date_trunc('month', day)::date as month, segment, sum(volume_usd) as volume_usd,
       sum(fees_usd) as fees_usd, sum(active_users) as active_users, sum(new_users) as new_users
from bench.segment_daily group by 1, 2, 3;
alter table bench.segment_monthly add primary key (dimension, month, segment);

create table bench.program_monthly as
select month, count(*) filter (where volume_usd > 0) as affiliates, sum(volume_usd) as volume_usd,
       sum(fees_usd) as fees_usd, sum(active_users) as active_users, sum(new_users) as new_users,
       sum(volume_usd * volume_usd) as sum_of_squared_volumes
from bench.monthly group by 1;
alter table bench.program_monthly add primary key (month);

create table bench.month_leaders as
select month, affiliate_account_id, volume_usd
from (select *, row_number() over (
          partition by month order by volume_usd desc, affiliate_account_id) as place
      from bench.monthly where volume_usd > 0) as placed
where place <= 100;
alter table bench.month_leaders add primary key (month, affiliate_account_id);

create table bench.referral_cohorts as
select date_trunc('month', referred_at at time zone 'UTC')::date as referral_month,
       month as active_month, count(*) as active_users
from bench.month_users
join exchange.referrals using (affiliate_account_id, referred_account_id)
where month + interval '1 month' <= date '{through}' + 1
  and (referred_at at time zone 'UTC') < month + interval '1 month'
group by 1, 2;
alter table bench.referral_cohorts add primary key (referral_month, active_month);

create table bench.courses as
with touch as (
    select application_id, at from review.events
    where actor in (select email from review.staff)
    union all select application_id, created_at from review.notes
    union all select application_id, recorded_at from review.evidence
    union all select application_id, created_at from review.checks
    union all select application_id, decided_at from review.decisions
), touched as (
    select application_id, min(at) as at from touch group by 1
), active as (
    select application_id, min(day) as since
    from bench.decisions join bench.daily on affiliate_account_id = account_id
    where outcome = 'approved' and day > (decided_at at time zone 'UTC')::date and volume_usd > 0
    group by 1
), clock as (
    select application_id, coalesce(clock_from, submitted_at) at time zone 'UTC' as begun,
           decided_at at time zone 'UTC' as ended, review_sla_business_days * interval '1 day' as most
    from bench.decisions
    join exchange.applications using (application_id)
    join review.policies on version = policy_version
    left join review.desk using (application_id)
), timed as (
    select application_id, ended - begun < most or (
        select sum(least(ended, day + interval '1 day') - greatest(begun, day))
        from generate_series(begun::date::timestamp, ended, interval '1 day') as day
        where extract(isodow from day) < 6
          and not exists (select from review.holidays where holidays.day = day::date)) < most as in_time
    from clock where ended >= begun
)
select application_id, application.account_id, application.status,
       (submitted_at at time zone 'UTC')::date as submitted_day,
       review.platform_key(social_platform) as platform,
       coalesce(country_code::text, 'unknown') as country,
       case when application.status <> 'pending' then
           (greatest(status_changed_at, submitted_at) at time zone 'UTC')::date end as left_day,
       (touched.at at time zone 'UTC')::date as touched_day,
       round(extract(epoch from touched.at - submitted_at))::integer as touch_seconds,
       (decided_at at time zone 'UTC')::date as decided_day,
       round(extract(epoch from decided_at - submitted_at))::integer as decision_seconds,
       review.person(decided_by) as decided_by, is_override,
       track, active.since as active_since, in_time,
       case when decided_at is not null then
           concat_ws(' ', eligibility, track, review.person(decided_by)) end as decided_case
from exchange.applications as application
left join exchange.accounts as account on account.account_id = application.account_id
left join touched using (application_id)
left join bench.decisions as decision using (application_id)
left join active using (application_id)
left join timed using (application_id);
alter table bench.courses add primary key (application_id);
analyze bench.courses;

create table bench.work_daily as
with steps as (
    select 'submitted' as moment, submitted_day as day, null::integer as wait, * from bench.courses
    union all select 'touched', touched_day, touch_seconds, * from bench.courses
    union all select 'decided', decided_day, decision_seconds, * from bench.courses
    union all select 'left', left_day, null, * from bench.courses
)
select moment, 'program' as dimension, day, 'all' as segment, {counts}
from steps where day is not null group by moment, day
union all
select moment, case when grouping(country) = 0 then 'country' else 'platform' end, day,
       coalesce(country, platform), {counts}
from steps where moment in ('submitted', 'decided') and day is not null
group by grouping sets ((moment, day, country), (moment, day, platform))
union all
select moment, case when grouping(track) = 0 then 'track' when grouping(decided_by) = 0 then 'reviewer'
       else 'case' end, day, coalesce(track, decided_by, decided_case), {counts}
from steps where moment = 'decided' and day is not null
group by grouping sets ((moment, day, track), (moment, day, decided_by), (moment, day, decided_case));
alter table bench.work_daily add primary key (moment, dimension, day, segment);

create table bench.work_monthly as
select moment, dimension, date_trunc('month', day)::date as month, segment, sum(number) as number,
       sum(touched) as touched, sum(decided) as decided, sum(approved) as approved,
       sum(overrides) as overrides, sum(active) as active, sum(in_time) as in_time,
       sum(late) as late, string_agg(waits, ''::bytea) as waits
from bench.work_daily group by 1, 2, 3, 4;
alter table bench.work_monthly add primary key (moment, dimension, month, segment);

create table bench.delivered as
select day from bench.segment_daily
where dimension = 'program' and (trade_count > 0 or volume_usd > 0 or fees_usd <> 0);

create table bench.tests as
with months as (
    select month::date, (month + interval '1 month')::date as after,
           extract(day from month + interval '1 month' - interval '1 day')::integer - (
               select count(*) from bench.delivered
               where day >= month and day < month + interval '1 month')::integer as missing_days
    from generate_series(date '{first_test}', date '{last_test}', interval '1 month') as month
), due as (
    select distinct on (month, account_id) month, after, missing_days, account_id, application_id
    from months join bench.decisions on decided_at < month::timestamp at time zone 'UTC'
    where outcome = 'approved'
    order by month, account_id, decided_at desc, decision_id desc
), evidence as (
    select month, application_id, max(value) filter (where kind = 'x_followers') as x_followers,
           sum(value) filter (where kind = 'external_volume') as external_volume_usd
    from (
        select distinct on (month, application_id, kind, exchange_key) month, application_id, kind, value
        from months join review.evidence
            on observed_at >= (after - 1 - {valid_days})::timestamp at time zone 'UTC'
               and observed_at < after::timestamp at time zone 'UTC'
        order by month, application_id, kind, exchange_key, observed_at desc, evidence_id desc
    ) as newest
    group by 1, 2
), figures as (
    select month, account_id, application_id, missing_days, after - month as days,
           x_followers, external_volume_usd, coalesce(volume_usd, 0) as found_volume_usd,
           coalesce(active_users, 0) as found_active_users,
           coalesce(new_users, 0) as found_new_users
    from due
    left join evidence using (month, application_id)
    left join (select *, affiliate_account_id as account_id from bench.monthly) as monthly
        using (month, account_id)
), known as (
    select *, {known} from figures
), judged as (
    select *, {truth} as truth from known
)
select account_id, application_id, month, {outcome} as outcome,
       missing_days = 0 and coalesce(
           case when truth then ({clearly}) is not true when not truth then {nearly} end,
           false) as near,
       volume_usd, active_users, new_users, x_followers, external_volume_usd, missing_days
from judged;
alter table bench.tests add primary key (account_id, month);
analyze bench.tests;

create table bench.tested as
with tests as (
    select tests.*, approved_at,
           max(month) filter (where outcome = 'met') over mine as passed,
           max(month) over mine as newest,
           (date_trunc('month', approved_at at time zone 'UTC')
               + interval '1 month' * ({protection} + 1))::date as protected_until
    from bench.tests join bench.approvals using (account_id)
    where month > (approved_at at time zone 'UTC')::date
    window mine as (partition by account_id)
), summed as (
    select account_id, max(newest) as month, max(outcome) filter (where month = newest) as outcome,
           bool_or(near) filter (where month = newest) as near,
           max(volume_usd) filter (where month = newest) as volume_usd,
           array_agg(month order by month)
               filter (where outcome = 'not_met' and (passed is null or month > passed)) as missed,
           count(*) filter (where outcome = 'not_met' and (passed is null or month > passed)
               and month >= protected_until) as misses
    from tests group by 1
)
select account_id, application_id, decision_id, approved_at, month, outcome,
       coalesce(near, false) as near, volume_usd, coalesce(missed, array[]::date[]) as missed,
       coalesce(misses, 0) as misses
from bench.approvals left join summed using (account_id);
alter table bench.tested add primary key (account_id);

create table bench.tested_counts as
select {protection} as protection_months, misses, coalesce(outcome, 'untested') as outcome, near,
       count(*) as number
from bench.tested group by 2, 3, 4;
alter table bench.tested_counts add primary key (misses, outcome, near);

create table bench.recent as
select *, (approved_at at time zone 'UTC')::date as approved_on
from bench.approvals where approved_at >= date '{oldest}'::timestamp at time zone 'UTC';

create table bench.outcomes as
with application as (
    select decision_id, 0 as horizon_days, account_id,
           (snapshot -> 'window' ->> 'start')::date as window_start,
           (snapshot -> 'window' ->> 'end')::date + 1 as window_end,
           max((figure ->> 'value')::numeric) filter (where figure ->> 'key' = 'volume_usd') as volume_usd,
           max((figure ->> 'value')::integer) filter (where figure ->> 'key' = 'active_users') as active_users,
           max((figure ->> 'value')::integer) filter (where figure ->> 'key' = 'new_users') as new_users,
           0 as missing_days, coalesce(snapshot ->> 'outcome', 'unknown') as outcome
    from bench.recent join (select decision_id, snapshot from review.decisions) as decision
        using (decision_id)
    left join lateral jsonb_array_elements(snapshot -> 'criteria') as figure on true
    group by decision_id, account_id, snapshot
), period as (
    select approved_on, horizon_days, first_day, after,
           30 - (select count(*) from bench.delivered
                 where day >= first_day and day < after)::integer as missing_days
    from (select distinct approved_on from bench.recent) as approval
    cross join unnest(array[30, 60, 90]) as horizon_days
    cross join lateral (select approved_on + horizon_days - 29 as first_day,
                               approved_on + horizon_days + 1 as after) as days
    where after <= date '{through}' + 1
), due as (
    select * from bench.recent join period using (approved_on)
), days as (
    select decision_id, horizon_days, sum(volume_usd) as volume_usd
    from due join bench.daily
        on affiliate_account_id = account_id and day >= first_day and day < after
    group by 1, 2
), traded as (
    select decision_id, horizon_days, referred_account_id
    from due join exchange.referral_activity on affiliate_account_id = account_id
        and activity_date >= first_day and activity_date < after
    where volume_usd > 0 group by 1, 2, 3
), active as (
    select decision_id, horizon_days, count(*) as active_users from traded group by 1, 2
), referred as (
    select decision_id, horizon_days, count(*) as new_users
    from due join exchange.referrals on affiliate_account_id = account_id
        and referred_at >= first_day::timestamp at time zone 'UTC'
        and referred_at < after::timestamp at time zone 'UTC'
    group by 1, 2
), newest as (
    select distinct on (decision_id, horizon_days, kind, exchange_key)
           decision_id, horizon_days, kind, value
    from due join review.evidence using (application_id)
    where observed_at >= (after - 1 - {valid_days})::timestamp at time zone 'UTC'
      and observed_at < after::timestamp at time zone 'UTC'
    order by decision_id, horizon_days, kind, exchange_key, observed_at desc, evidence_id desc
), evidence as (
    select decision_id, horizon_days,
           max(value) filter (where kind = 'x_followers') as x_followers,
           sum(value) filter (where kind = 'external_volume') as external_volume_usd
    from newest group by 1, 2
), figures as (
    select decision_id, horizon_days, account_id, first_day, after, missing_days, 30 as days,
           coalesce(volume_usd, 0) as found_volume_usd,
           coalesce(active_users, 0) as found_active_users,
           coalesce(new_users, 0) as found_new_users, x_followers, external_volume_usd
    from due
    left join days using (decision_id, horizon_days)
    left join active using (decision_id, horizon_days)
    left join referred using (decision_id, horizon_days)
    left join evidence using (decision_id, horizon_days)
), known as (
    select *, {known} from figures
), judged as (
    select known.*, before_usd, {truth} as truth
    from known left join (select decision_id, volume_usd as before_usd from application) as before
        using (decision_id)
)
select *, null::numeric as fell_to from application
union all
select decision_id, horizon_days, account_id, first_day, after,
       case when missing_days = 0 then volume_usd end,
       case when missing_days = 0 then active_users end,
       case when missing_days = 0 then new_users end,
       missing_days, {outcome},
       case when horizon_days = 60 and missing_days = 0 and before_usd > 0
                 and volume_usd <= {halved} * before_usd then volume_usd / before_usd end
from judged;
alter table bench.outcomes add primary key (decision_id, horizon_days);
analyze bench.outcomes;

create table bench.outcome_counts as
with compared as (
    select date_trunc('month', approved_at at time zone 'UTC')::date as month, is_override,
           review.person(decided_by) as decided_by, outcomes.horizon_days,
           outcomes.missing_days = 0 as whole, outcomes.outcome, outcomes.volume_usd,
           outcomes.active_users, outcomes.new_users, before.volume_usd as volume_before,
           before.active_users as active_before, before.new_users as new_before
    from bench.recent join bench.outcomes using (decision_id)
    join bench.outcomes as before on before.decision_id = recent.decision_id and before.horizon_days = 0
), summed as (
    select month, is_override, decided_by, 0 as horizon_days, count(*) as affiliates,
           0 as delivered, 0 as compared, 0 as trading, sum(volume_before) as volume_before,
           0 as volume, sum(active_before) as active_before, 0 as active,
           sum(new_before) as new_before, 0 as new, 0 as met, 0 as judged, 0 as halved,
           0 as collapsed
    from compared where horizon_days = 0 group by 1, 2, 3
    union all
    select month, is_override, decided_by, horizon_days, count(*), count(volume_usd),
           count(*) filter (where whole and volume_before is not null),
           count(*) filter (where whole and volume_before > 0),
           sum(volume_before) filter (where whole),
           sum(volume_usd) filter (where volume_before is not null),
           sum(active_before) filter (where whole),
           sum(active_users) filter (where active_before is not null),
           sum(new_before) filter (where whole),
           sum(new_users) filter (where new_before is not null),
           count(*) filter (where outcome = 'met'), count(*) filter (where outcome <> 'unknown'),
           count(*) filter (where horizon_days = 60 and volume_before > 0
               and volume_usd <= {halved} * volume_before),
           count(*) filter (where horizon_days = 60 and volume_before > 0
               and volume_usd <= {collapsed} * volume_before)
    from compared where horizon_days > 0 group by 1, 2, 3, 4
)
select month, is_override, decided_by, horizon_days, affiliates, delivered, compared, trading,
       coalesce(volume_before, 0) as volume_before, coalesce(volume, 0) as volume,
       coalesce(active_before, 0) as active_before, coalesce(active, 0) as active,
       coalesce(new_before, 0) as new_before, coalesce(new, 0) as new, met, judged, halved,
       collapsed
from summed;
alter table bench.outcome_counts add primary key (month, is_override, decided_by, horizon_days);

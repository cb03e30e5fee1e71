-- Sums that a refresh stores for pages to read.

create table review.refreshes (
    refresh_id bigint generated always as identity,
    data_through date not null,
    recomputed_from date not null,
    policy_version integer not null,
    window_kind text not null,
    window_start date not null,
    window_end date not null,
    load_id bigint not null,
    refreshed_at timestamptz not null,
    decision_id bigint not null default 0,
    event_id bigint not null default 0,
    recounted_at timestamptz,
    differing bigint,
    constraint refreshes_pkey primary key (refresh_id),
    constraint refreshes_policy_version_fkey foreign key (policy_version) references review.policies(version),
    constraint refreshes_window_ordered check (window_start < window_end)
);
comment on table review.refreshes is 'Finished refreshes; the newest describes the rollups';
comment on column review.refreshes.refresh_id is 'Identity';
comment on column review.refreshes.data_through is 'T, the last complete UTC day';
comment on column review.refreshes.recomputed_from is 'The earliest day that this refresh recomputed';
comment on column review.refreshes.policy_version is 'The policy whose window and settings were used';
comment on column review.refreshes.window_kind is 'The policy''s month: trailing_30_days or calendar_month';
comment on column review.refreshes.window_start is 'First day of the window';
comment on column review.refreshes.window_end is 'The day after the window''s last';
comment on column review.refreshes.load_id is 'The newest load visible to it; 0 if there was none';
comment on column review.refreshes.refreshed_at is 'When it started; accounts first seen until then are covered';
comment on column review.refreshes.decision_id is 'The newest decision visible to it; 0 if there was none';
comment on column review.refreshes.event_id is 'The newest event visible to it; 0 if there was none';
comment on column review.refreshes.recounted_at is 'When its window and newest months were last counted again in full; null: not yet';
comment on column review.refreshes.differing is 'Rows of them that the last recount found different; null: not recounted';

create table review.affiliate_daily (
    affiliate_account_id bigint not null,
    day date not null,
    volume_usd numeric(24,2) not null,
    fees_usd numeric(24,6) not null,
    trade_count bigint not null,
    zero_fee_volume_usd numeric(24,2) not null,
    active_users integer not null,
    new_users integer not null,
    constraint affiliate_daily_pkey primary key (affiliate_account_id, day) include (volume_usd, fees_usd, trade_count, zero_fee_volume_usd, new_users)
) partition by range (day);
create index affiliate_daily_by_day on review.affiliate_daily using brin (day) with (pages_per_range = 32);
comment on table review.affiliate_daily is 'Referral activity per affiliate and UTC day; monthly partitions, created by the refresh';
comment on column review.affiliate_daily.affiliate_account_id is 'The affiliate';
comment on column review.affiliate_daily.day is 'UTC day';
comment on column review.affiliate_daily.volume_usd is 'Volume of all referred users, USD';
comment on column review.affiliate_daily.fees_usd is 'Net fees of all referred users, USD';
comment on column review.affiliate_daily.trade_count is 'Trades of all referred users';
comment on column review.affiliate_daily.zero_fee_volume_usd is 'Volume of the users without a positive net fee that day, USD';
comment on column review.affiliate_daily.active_users is 'Distinct referred users with volume on the day';
comment on column review.affiliate_daily.new_users is 'Users referred on the day';

create table review.affiliate_window (
    affiliate_account_id bigint not null,
    volume_usd numeric(24,2) not null,
    fees_usd numeric(24,6) not null,
    trade_count bigint not null,
    active_users integer not null,
    new_users integer not null,
    trading_days integer not null,
    largest_day_volume_usd numeric(24,2) not null,
    top_user_volume_usd numeric(24,2) not null,
    sum_of_squared_user_volumes numeric not null,
    users_over_1000_usd integer not null,
    zero_fee_volume_usd numeric(24,2) not null,
    constraint affiliate_window_pkey primary key (affiliate_account_id) include (volume_usd, active_users, new_users)
);
comment on table review.affiliate_window is 'Referral metrics per affiliate over the policy''s window; without a row an affiliate has no referrals';
comment on column review.affiliate_window.affiliate_account_id is 'The affiliate';
comment on column review.affiliate_window.volume_usd is 'Volume of all referred users, USD';
comment on column review.affiliate_window.fees_usd is 'Net fees of all referred users, USD';
comment on column review.affiliate_window.trade_count is 'Trades of all referred users';
comment on column review.affiliate_window.active_users is 'Distinct active users by the policy''s floor';
comment on column review.affiliate_window.new_users is 'New users by the policy''s rule';
comment on column review.affiliate_window.trading_days is 'Days with volume';
comment on column review.affiliate_window.largest_day_volume_usd is 'Volume of the busiest day, USD';
comment on column review.affiliate_window.top_user_volume_usd is 'Volume of the referred user with the most volume, USD';
comment on column review.affiliate_window.sum_of_squared_user_volumes is 'Over users, for concentration: divided by volume squared it is the Herfindahl index';
comment on column review.affiliate_window.users_over_1000_usd is 'Users with at least 1,000 USD of volume';
comment on column review.affiliate_window.zero_fee_volume_usd is 'Volume on user-days without a positive net fee, USD';

-- Sums of the days before T, to which a refresh adds the newest days. Losing them costs one full
-- count, so they are not logged; a crash empties all four.
create unlogged table review.carried (
    single boolean not null default true,
    policy_version integer not null,
    window_start date,
    until date not null,
    counted_at timestamptz not null,
    unreferred bigint,
    constraint carried_pkey primary key (single),
    constraint carried_only_one check (single)
);
comment on table review.carried is 'What carried_sums and carried_users hold; without a row they hold nothing';
comment on column review.carried.single is 'Allows one row only';
comment on column review.carried.policy_version is 'The policy whose window and floor were used';
comment on column review.carried.window_start is 'First day of the window at T + 1; null: that window ends before T and is not carried';
comment on column review.carried.until is 'T of that time: the days before it are counted, the others are still to be added';
comment on column review.carried.counted_at is 'When they were counted';
comment on column review.carried.unreferred is 'Users with volume in the month who were not referred before T; null: cohorts are not carried, as the month goes on';

create unlogged table review.carried_sums (
    affiliate_account_id bigint not null,
    window_rows bigint not null,
    window_volume numeric not null,
    window_fees numeric not null,
    window_trades numeric not null,
    window_new bigint not null,
    window_trading_days bigint not null,
    window_largest_day numeric not null,
    window_zero_fee numeric not null,
    window_active bigint not null,
    window_over_1000 bigint not null,
    window_top numeric not null,
    window_squares numeric not null,
    month_rows bigint not null,
    month_volume numeric not null,
    month_fees numeric not null,
    month_trades numeric not null,
    month_new bigint not null,
    month_active bigint not null,
    constraint carried_sums_pkey primary key (affiliate_account_id)
);
comment on table review.carried_sums is 'Per affiliate, sums over the days of the next window, and of the month of T, that lie before T';
comment on column review.carried_sums.affiliate_account_id is 'The affiliate';
comment on column review.carried_sums.window_rows is 'Days with activity or a new referral';
comment on column review.carried_sums.window_volume is 'Volume, USD';
comment on column review.carried_sums.window_fees is 'Net fees, USD';
comment on column review.carried_sums.window_trades is 'Trades';
comment on column review.carried_sums.window_new is 'Users referred';
comment on column review.carried_sums.window_trading_days is 'Days with volume';
comment on column review.carried_sums.window_largest_day is 'Volume of the busiest day, USD';
comment on column review.carried_sums.window_zero_fee is 'Volume on user-days without a positive net fee, USD';
comment on column review.carried_sums.window_active is 'Distinct active users by the policy''s floor';
comment on column review.carried_sums.window_over_1000 is 'Users with at least 1,000 USD of volume';
comment on column review.carried_sums.window_top is 'Volume of the referred user with the most volume, USD';
comment on column review.carried_sums.window_squares is 'Squares of the volumes of users';
comment on column review.carried_sums.month_rows is 'Days of the month of T with activity or a new referral';
comment on column review.carried_sums.month_volume is 'Volume in the month, USD';
comment on column review.carried_sums.month_fees is 'Net fees in the month, USD';
comment on column review.carried_sums.month_trades is 'Trades in the month';
comment on column review.carried_sums.month_new is 'Users referred in the month';
comment on column review.carried_sums.month_active is 'Distinct users with volume in the month';

create unlogged table review.carried_users (
    affiliate_account_id bigint not null,
    referred_account_id bigint not null,
    volume_usd numeric not null,
    in_month boolean not null,
    constraint carried_users_pkey primary key (affiliate_account_id, referred_account_id)
);
comment on table review.carried_users is 'Users with volume on the days of carried_sums';
comment on column review.carried_users.affiliate_account_id is 'The affiliate';
comment on column review.carried_users.referred_account_id is 'The user';
comment on column review.carried_users.volume_usd is 'The user''s volume on those days of the window, USD';
comment on column review.carried_users.in_month is 'Whether the user has volume on those days of the month';

create unlogged table review.carried_cohorts (
    referral_month date not null,
    active_users bigint not null,
    constraint carried_cohorts_pkey primary key (referral_month)
);
comment on table review.carried_cohorts is 'Of the users of carried_users with volume in the month, those referred before T; counted when the month is about to end';
comment on column review.carried_cohorts.referral_month is 'First day of the month in which they were referred';
comment on column review.carried_cohorts.active_users is 'How many users';

create table review.affiliate_segments (
    affiliate_account_id bigint not null,
    country text not null,
    track text not null,
    cohort text not null,
    rate text not null,
    granted datemultirange not null,
    constraint affiliate_segments_pkey primary key (affiliate_account_id)
);
comment on table review.affiliate_segments is 'Every affiliate with activity and its segments, as of the last refresh';
comment on column review.affiliate_segments.affiliate_account_id is 'The affiliate';
comment on column review.affiliate_segments.country is 'Its country, or unknown';
comment on column review.affiliate_segments.track is 'The track at its newest current approval, none if no track was met, or not_approved';
comment on column review.affiliate_segments.cohort is 'The month of its newest current approval, as YYYY-MM, or not_approved';
comment on column review.affiliate_segments.rate is 'The rebate rate of its newest current approval, or standard';
comment on column review.affiliate_segments.granted is 'The UTC days on which it has that rate: from the day of the approval, without those on which it is suspended or terminated';

create table review.segment_daily (
    dimension text not null,
    day date not null,
    segment text not null,
    affiliates bigint not null,
    volume_usd numeric(26,2) not null,
    fees_usd numeric(26,6) not null,
    trade_count bigint not null,
    active_users bigint not null,
    new_users bigint not null,
    constraint segment_daily_pkey primary key (dimension, day, segment),
    constraint segment_daily_dimension_known check (dimension in ('program', 'country', 'track', 'cohort', 'rate'))
);
comment on table review.segment_daily is 'Referral activity of all affiliates per UTC day, in total and by segment; sums of affiliate_daily';
comment on column review.segment_daily.dimension is 'The dimension of the segment; program: the total';
comment on column review.segment_daily.day is 'UTC day';
comment on column review.segment_daily.segment is 'A value of the dimension in affiliate_segments; all for the total; a rate only on the days on which it is granted, else standard';
comment on column review.segment_daily.affiliates is 'Affiliates with activity or a new referral on the day';
comment on column review.segment_daily.volume_usd is 'Volume of all referred users, USD';
comment on column review.segment_daily.fees_usd is 'Net fees of all referred users, USD';
comment on column review.segment_daily.trade_count is 'Trades of all referred users';
comment on column review.segment_daily.active_users is 'Referred users with volume on the day; each has one affiliate, so they are distinct';
comment on column review.segment_daily.new_users is 'Users referred on the day';

create table review.segment_monthly (
    dimension text not null,
    month date not null,
    segment text not null,
    volume_usd numeric(26,2) not null,
    fees_usd numeric(26,6) not null,
    active_users bigint not null,
    new_users bigint not null,
    constraint segment_monthly_pkey primary key (dimension, month, segment),
    constraint segment_monthly_dimension_known check (dimension in ('program', 'country', 'track', 'cohort', 'rate'))
);
comment on table review.segment_monthly is 'The same per calendar month; sums of segment_daily';
comment on column review.segment_monthly.dimension is 'The dimension of the segment; program: the total';
comment on column review.segment_monthly.month is 'First day of the calendar month';
comment on column review.segment_monthly.segment is 'A value of the dimension; all for the total';
comment on column review.segment_monthly.volume_usd is 'Volume of all referred users, USD';
comment on column review.segment_monthly.fees_usd is 'Net fees of all referred users, USD';
comment on column review.segment_monthly.active_users is 'Referred users with volume, those of each day added up';
comment on column review.segment_monthly.new_users is 'Users referred in the month';

create table review.month_leaders (
    month date not null,
    affiliate_account_id bigint not null,
    volume_usd numeric(24,2) not null,
    constraint month_leaders_pkey primary key (month, affiliate_account_id)
);
comment on table review.month_leaders is 'The hundred affiliates with the most volume of each calendar month';
comment on column review.month_leaders.month is 'First day of the month';
comment on column review.month_leaders.affiliate_account_id is 'The affiliate';
comment on column review.month_leaders.volume_usd is 'Its volume in the month, USD';

create table review.program_monthly (
    month date not null,
    affiliates bigint not null,
    volume_usd numeric(26,2) not null,
    fees_usd numeric(26,6) not null,
    active_users bigint not null,
    new_users bigint not null,
    sum_of_squared_volumes numeric not null,
    constraint program_monthly_pkey primary key (month)
);
comment on table review.program_monthly is 'Referral activity of all affiliates per calendar month, up to the data-through day';
comment on column review.program_monthly.month is 'First day of the month';
comment on column review.program_monthly.affiliates is 'Affiliates with volume';
comment on column review.program_monthly.volume_usd is 'Volume of all referred users, USD';
comment on column review.program_monthly.fees_usd is 'Net fees of all referred users, USD';
comment on column review.program_monthly.active_users is 'Distinct referred users with volume in the month';
comment on column review.program_monthly.new_users is 'Users referred in the month';
comment on column review.program_monthly.sum_of_squared_volumes is 'Over affiliates, for concentration: divided by volume squared it is the Herfindahl index';

create table review.referral_cohorts (
    referral_month date not null,
    active_month date not null,
    active_users bigint not null,
    constraint referral_cohorts_pkey primary key (referral_month, active_month)
);
comment on table review.referral_cohorts is 'Users referred in one month who had volume in another; only complete months';
comment on column review.referral_cohorts.referral_month is 'First day of the month in which they were referred';
comment on column review.referral_cohorts.active_month is 'First day of the month in which they had volume';
comment on column review.referral_cohorts.active_users is 'How many users';

create table review.application_courses (
    application_id bigint not null,
    account_id bigint not null,
    status text not null,
    submitted_day date not null,
    platform text not null,
    country text not null,
    left_day date,
    touched_day date,
    touch_seconds integer,
    decided_day date,
    decision_seconds integer,
    decided_by text,
    is_override boolean,
    track text,
    active_since date,
    in_time boolean,
    decided_case text,
    constraint application_courses_pkey primary key (application_id),
    constraint application_courses_people_normal check (decided_by = review.person(decided_by))
);
create index application_courses_by_decision on review.application_courses (decided_day);
create index application_courses_by_leaving on review.application_courses (left_day);
create index application_courses_by_submission on review.application_courses (submitted_day);
create index application_courses_by_touch on review.application_courses (touched_day);
create index application_courses_not_settled on review.application_courses (active_since, account_id)
    include (application_id) where status = 'approved' and decided_day is not null;
comment on table review.application_courses is 'The lifecycle of each application, as the last refresh counted it in work_daily';
comment on column review.application_courses.application_id is 'The application';
comment on column review.application_courses.account_id is 'The applicant''s account';
comment on column review.application_courses.status is 'Its status';
comment on column review.application_courses.submitted_day is 'UTC day on which it was submitted';
comment on column review.application_courses.platform is 'Its social platform';
comment on column review.application_courses.country is 'The applicant''s country, or unknown';
comment on column review.application_courses.left_day is 'UTC day on which it stopped being pending';
comment on column review.application_courses.touched_day is 'UTC day on which staff first touched it';
comment on column review.application_courses.touch_seconds is 'Seconds from submission to the first touch';
comment on column review.application_courses.decided_day is 'UTC day of the current decision';
comment on column review.application_courses.decision_seconds is 'Seconds from submission to the current decision';
comment on column review.application_courses.decided_by is 'Who made the current decision';
comment on column review.application_courses.is_override is 'Whether that decision went against the computed eligibility';
comment on column review.application_courses.track is 'The track met at that decision, or none';
comment on column review.application_courses.active_since is 'If approved: the first day after the decision on which referred users traded';
comment on column review.application_courses.in_time is 'Whether that decision was made before it was due; null: undecided, or its clock is not known';
comment on column review.application_courses.decided_case is 'Eligibility and track at that decision, and who decided, separated by spaces';

create table review.work_daily (
    moment text not null,
    dimension text not null,
    day date not null,
    segment text not null,
    number bigint not null,
    touched bigint not null,
    decided bigint not null,
    approved bigint not null,
    overrides bigint not null,
    active bigint not null,
    in_time bigint not null,
    late bigint not null,
    waits bytea,
    constraint work_daily_pkey primary key (moment, dimension, day, segment),
    constraint work_daily_dimension_known check (dimension in ('program', 'country', 'platform', 'track', 'reviewer', 'case')),
    constraint work_daily_moment_known check (moment in ('submitted', 'touched', 'decided', 'left'))
);
alter table only review.work_daily alter column waits set storage external;
comment on table review.work_daily is 'Applications per UTC day of a step, in total and by segment; sums of application_courses';
comment on column review.work_daily.moment is 'The step: submitted, touched, decided (current decision) or left (no longer pending)';
comment on column review.work_daily.dimension is 'The dimension of the segment; program: the total';
comment on column review.work_daily.day is 'UTC day of the step';
comment on column review.work_daily.segment is 'A value of the dimension; all for the total';
comment on column review.work_daily.number is 'How many applications';
comment on column review.work_daily.touched is 'Of these, touched by staff by now';
comment on column review.work_daily.decided is 'Of these, with a current decision';
comment on column review.work_daily.approved is 'Of these, approved by it';
comment on column review.work_daily.overrides is 'Of these, decided against the computed eligibility';
comment on column review.work_daily.active is 'Of these, approved and with trading since';
comment on column review.work_daily.in_time is 'Of these, decided before they were due';
comment on column review.work_daily.late is 'Of these, decided when they were overdue';
comment on column review.work_daily.waits is 'Touched and decided: the seconds from submission of each, as four-byte big-endian integers';

create table review.work_monthly (
    moment text not null,
    dimension text not null,
    month date not null,
    segment text not null,
    number bigint not null,
    touched bigint not null,
    decided bigint not null,
    approved bigint not null,
    overrides bigint not null,
    active bigint not null,
    in_time bigint not null,
    late bigint not null,
    waits bytea,
    constraint work_monthly_pkey primary key (moment, dimension, month, segment),
    constraint work_monthly_dimension_known check (dimension in ('program', 'country', 'platform', 'track', 'reviewer', 'case')),
    constraint work_monthly_moment_known check (moment in ('submitted', 'touched', 'decided', 'left'))
);
alter table only review.work_monthly alter column waits set storage external;
comment on table review.work_monthly is 'The same per calendar month; sums of work_daily';
comment on column review.work_monthly.moment is 'The step: submitted, touched, decided (current decision) or left (no longer pending)';
comment on column review.work_monthly.dimension is 'The dimension of the segment; program: the total';
comment on column review.work_monthly.month is 'First day of the calendar month, UTC, of the step';
comment on column review.work_monthly.segment is 'A value of the dimension; all for the total';
comment on column review.work_monthly.number is 'How many applications';
comment on column review.work_monthly.touched is 'Of these, touched by staff by now';
comment on column review.work_monthly.decided is 'Of these, with a current decision';
comment on column review.work_monthly.approved is 'Of these, approved by it';
comment on column review.work_monthly.overrides is 'Of these, decided against the computed eligibility';
comment on column review.work_monthly.active is 'Of these, approved and with trading since';
comment on column review.work_monthly.in_time is 'Of these, decided before they were due';
comment on column review.work_monthly.late is 'Of these, decided when they were overdue';
comment on column review.work_monthly.waits is 'Touched and decided: the seconds from submission of each, as four-byte big-endian integers';

create table review.work_counted (
    single boolean not null default true,
    counted_at timestamptz not null,
    constraint work_counted_pkey primary key (single),
    constraint work_counted_only_one check (single)
);
comment on table review.work_counted is 'The last refresh that counted applications; newer changes are added at read time';
comment on column review.work_counted.single is 'Allows one row only';
comment on column review.work_counted.counted_at is 'The time of that refresh';

create table review.uncounted (
    application_id bigint not null
);
comment on table review.uncounted is 'Applications that changed since the last refresh counted them, with repeats; written by triggers';
comment on column review.uncounted.application_id is 'The application';

-- These run with the rights of their owner: who writes to exchange need not write to review.
create function review.note_uncounted() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into review.uncounted select application_id from changed;
    return null;
end $$;
comment on function review.note_uncounted() is 'Remembers the applications of the written rows until a refresh counts them';
create function review.note_updated() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- Only what is counted by: a contact that changed counts nothing anew.
    insert into review.uncounted
    select application_id from (
        (select application_id, account_id, submitted_at, status, status_changed_at, social_platform from changed
         except select application_id, account_id, submitted_at, status, status_changed_at, social_platform from was)
        union all
        (select application_id, account_id, submitted_at, status, status_changed_at, social_platform from was
         except select application_id, account_id, submitted_at, status, status_changed_at, social_platform from changed)
    ) as counted_otherwise;
    return null;
end $$;
comment on function review.note_updated() is 'Remembers the applications that an update counts otherwise';
create function review.note_moved_accounts() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into review.uncounted
    select application_id
    from (select account_id, country_code from changed except select account_id, country_code from was) as moved
    join exchange.applications using (account_id);
    return null;
end $$;
comment on function review.note_moved_accounts() is 'Remembers the applications of accounts whose country changed';
create trigger uncounted_insert after insert on exchange.applications
    referencing new table as changed for each statement execute function review.note_uncounted();
create trigger uncounted_update after update on exchange.applications
    referencing old table as was new table as changed for each statement execute function review.note_updated();
create trigger uncounted_delete after delete on exchange.applications
    referencing old table as changed for each statement execute function review.note_uncounted();
create trigger uncounted_update after update on exchange.accounts
    referencing old table as was new table as changed for each statement execute function review.note_moved_accounts();
create function review.note_holiday() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    changed date := case when tg_op = 'DELETE' then old.day else new.day end;
begin
    -- Those whose clock may have run on that day.
    insert into review.uncounted select application_id from review.application_courses
    where decided_day >= changed and submitted_day <= changed;
    return null;
end $$;
comment on function review.note_holiday() is 'Remembers the decided applications that were under review on a day that became, or no longer is, a holiday';
create trigger uncounted_change after insert or delete on review.holidays
    for each row execute function review.note_holiday();
create trigger uncounted_insert after insert on review.decisions
    referencing new table as changed for each statement execute function review.note_uncounted();
create trigger uncounted_insert after insert on review.events
    referencing new table as changed for each statement execute function review.note_uncounted();
create trigger uncounted_insert after insert on review.notes
    referencing new table as changed for each statement execute function review.note_uncounted();
create trigger uncounted_insert after insert on review.evidence
    referencing new table as changed for each statement execute function review.note_uncounted();
create trigger uncounted_insert after insert on review.checks
    referencing new table as changed for each statement execute function review.note_uncounted();

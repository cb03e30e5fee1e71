-- Approved affiliates: standing and monthly requalification.

create table review.affiliate_standings (
    account_id bigint not null,
    status text not null,
    since timestamptz not null,
    changed_by text not null,
    reason_code text not null,
    reason text not null,
    misses integer not null,
    count_from date,
    constraint affiliate_standings_pkey primary key (account_id),
    constraint affiliate_standings_account_id_fkey foreign key (account_id) references exchange.accounts(account_id),
    constraint affiliate_standings_people_normal check (changed_by = review.person(changed_by)),
    constraint affiliate_standings_status_known check (status in ('active', 'on_notice', 'suspended', 'terminated'))
);
comment on table review.affiliate_standings is 'The standing of affiliates whose standing was ever changed; without a row it is active';
comment on column review.affiliate_standings.account_id is 'The affiliate';
comment on column review.affiliate_standings.status is 'active, on_notice, suspended or terminated';
comment on column review.affiliate_standings.since is 'Since when it has this status';
comment on column review.affiliate_standings.changed_by is 'Who changed it last';
comment on column review.affiliate_standings.reason_code is 'The reason code';
comment on column review.affiliate_standings.reason is 'The reason in words, internal; typed text';
comment on column review.affiliate_standings.misses is 'Months missed in a row at that time';
comment on column review.affiliate_standings.count_from is 'The month of the last restoration or reinstatement, from which misses are counted';

create table review.affiliate_events (
    affiliate_event_id bigint generated always as identity,
    account_id bigint not null,
    application_id bigint not null,
    at timestamptz not null,
    actor text not null,
    kind text not null,
    old text not null,
    new text not null,
    reason_code text not null,
    reason text not null,
    misses integer not null,
    suggested text,
    silent boolean not null,
    request_id uuid not null,
    constraint affiliate_events_pkey primary key (affiliate_event_id),
    constraint affiliate_events_account_id_fkey foreign key (account_id) references exchange.accounts(account_id),
    constraint affiliate_events_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint affiliate_events_people_normal check (actor = review.person(actor))
);
create index affiliate_events_by_account on review.affiliate_events (account_id, affiliate_event_id);
create trigger append_only before delete or update or truncate on review.affiliate_events for each statement execute function review.refuse_change();
alter table review.affiliate_events enable always trigger append_only;
comment on table review.affiliate_events is 'Every change of an affiliate''s standing; append-only';
comment on column review.affiliate_events.affiliate_event_id is 'Identity';
comment on column review.affiliate_events.account_id is 'The affiliate';
comment on column review.affiliate_events.application_id is 'The approved application, whose timeline has the event too';
comment on column review.affiliate_events.at is 'When it was changed';
comment on column review.affiliate_events.actor is 'Who changed it';
comment on column review.affiliate_events.kind is 'put_on_notice, suspended, restored, terminated, reinstated or undone';
comment on column review.affiliate_events.old is 'The standing before';
comment on column review.affiliate_events.new is 'The standing after';
comment on column review.affiliate_events.reason_code is 'The reason code';
comment on column review.affiliate_events.reason is 'The reason in words, internal; typed text';
comment on column review.affiliate_events.misses is 'Months missed in a row at that time';
comment on column review.affiliate_events.suggested is 'What the tests suggested at that time; null: nothing';
comment on column review.affiliate_events.silent is 'Whether the affiliate got no message';
comment on column review.affiliate_events.request_id is 'The form''s id';

create table review.requalifications (
    requalification_id bigint generated always as identity,
    account_id bigint not null,
    application_id bigint not null,
    month date not null,
    outcome text not null,
    near boolean not null,
    volume_usd numeric(24,2),
    active_users integer,
    new_users integer,
    x_followers numeric,
    external_volume_usd numeric,
    policy_version integer not null,
    tested_at timestamptz not null,
    supersedes bigint,
    missing_days integer not null default 0,
    constraint requalifications_pkey primary key (requalification_id),
    constraint requalifications_supersedes_once unique (supersedes),
    constraint requalifications_policy_version_fkey foreign key (policy_version) references review.policies(version),
    constraint requalifications_supersedes_fkey foreign key (supersedes) references review.requalifications(requalification_id),
    constraint requalifications_month_is_a_first check (extract(day from month) = 1),
    constraint requalifications_outcome_known check (outcome in ('met', 'not_met', 'unknown'))
);
create index requalifications_by_account on review.requalifications (account_id, month, requalification_id desc);
create index requalifications_by_month on review.requalifications (month, requalification_id);
-- Few results are corrected; the constraint's index holds them all.
create index requalifications_replaced on review.requalifications (supersedes) where supersedes is not null;
create unique index requalifications_one_first on review.requalifications (account_id, month) where supersedes is null;
create trigger append_only before delete or update or truncate on review.requalifications for each statement execute function review.refuse_change();
alter table review.requalifications enable always trigger append_only;
comment on table review.requalifications is 'Monthly test results of approved affiliates; append-only, a late correction adds a row';
comment on column review.requalifications.requalification_id is 'Identity';
comment on column review.requalifications.account_id is 'The affiliate';
comment on column review.requalifications.application_id is 'The approved application';
comment on column review.requalifications.month is 'The first day of the month, UTC';
comment on column review.requalifications.outcome is 'met, not_met or unknown; unknown is neither a miss nor a pass';
comment on column review.requalifications.near is 'Whether a tenth of the minimums more or less would have changed the outcome';
comment on column review.requalifications.volume_usd is 'Referral volume of the month in USD; null: unknown';
comment on column review.requalifications.active_users is 'Active referred users of the month; null: unknown';
comment on column review.requalifications.new_users is 'Users referred in the month; null: unknown';
comment on column review.requalifications.x_followers is 'Followers on X by the evidence current at the month''s end; null: unknown';
comment on column review.requalifications.external_volume_usd is 'Volume elsewhere by the evidence current at the month''s end, USD; null: unknown';
comment on column review.requalifications.policy_version is 'The policy in force at the month''s end, used for the test';
comment on column review.requalifications.tested_at is 'When the refresh tested it';
comment on column review.requalifications.supersedes is 'The earlier result of the same month that this one corrects';
comment on column review.requalifications.missing_days is 'Days of the month that were not delivered; with any, a figure below its minimum is unknown';

create table review.affiliate_monthly (
    affiliate_account_id bigint not null,
    month date not null,
    volume_usd numeric(24,2) not null,
    fees_usd numeric(24,6) not null,
    trade_count bigint not null,
    active_users integer not null,
    new_users integer not null,
    constraint affiliate_monthly_pkey primary key (affiliate_account_id, month)
) with (fillfactor='60');
create index affiliate_monthly_by_month on review.affiliate_monthly (month);
comment on table review.affiliate_monthly is 'Referral activity per affiliate and calendar month, up to the data-through day';
comment on column review.affiliate_monthly.affiliate_account_id is 'The affiliate';
comment on column review.affiliate_monthly.month is 'First day of the month';
comment on column review.affiliate_monthly.volume_usd is 'Volume of all referred users, USD';
comment on column review.affiliate_monthly.fees_usd is 'Net fees of all referred users, USD';
comment on column review.affiliate_monthly.trade_count is 'Trades of all referred users';
comment on column review.affiliate_monthly.active_users is 'Distinct referred users with volume in the month';
comment on column review.affiliate_monthly.new_users is 'Users referred in the month';

create table review.affiliate_tested (
    account_id bigint not null,
    application_id bigint not null,
    decision_id bigint not null,
    approved_at timestamptz not null,
    month date,
    outcome text,
    near boolean not null default false,
    volume_usd numeric(24,2),
    missed date[] not null default '{}',
    misses integer not null default 0,
    constraint affiliate_tested_pkey primary key (account_id)
);
create index affiliate_tested_by_application on review.affiliate_tested (application_id);
-- In the board's order: all, and those with one result of the newest month.
create index affiliate_tested_by_urgency on review.affiliate_tested
    (misses desc, near desc, volume_usd desc nulls last, application_id) include (account_id);
create index affiliate_tested_by_result on review.affiliate_tested
    (outcome, misses desc, near desc, volume_usd desc nulls last, application_id) include (account_id);
comment on table review.affiliate_tested is 'Every approved affiliate with its newest test and the months missed since the last pass; written by the refresh';
comment on column review.affiliate_tested.account_id is 'The affiliate';
comment on column review.affiliate_tested.application_id is 'The approved application, the newest of several';
comment on column review.affiliate_tested.decision_id is 'The current approval';
comment on column review.affiliate_tested.approved_at is 'When it was approved';
comment on column review.affiliate_tested.month is 'The newest month that was tested; null: none yet';
comment on column review.affiliate_tested.outcome is 'The outcome of that month';
comment on column review.affiliate_tested.near is 'Whether that outcome was near';
comment on column review.affiliate_tested.volume_usd is 'That month''s referral volume, USD';
comment on column review.affiliate_tested.missed is 'Months missed since the last pass, in order; which of them count depends on the policy and the last restoration';
comment on column review.affiliate_tested.misses is 'Of the missed months, how many count by the protection in affiliate_counts, unless the affiliate was restored since';

create table review.affiliate_counts (
    protection_months integer not null,
    misses integer not null,
    outcome text not null,
    near boolean not null,
    number bigint not null,
    constraint affiliate_counts_pkey primary key (misses, outcome, near)
);
comment on table review.affiliate_counts is 'How many affiliates have so many misses and such a newest test; sums of affiliate_tested';
comment on column review.affiliate_counts.protection_months is 'The protection by which misses count: that of the policy in force at the last refresh';
comment on column review.affiliate_counts.misses is 'Missed months in a row that count';
comment on column review.affiliate_counts.outcome is 'Result of the newest tested month; untested without one';
comment on column review.affiliate_counts.near is 'Whether that result was close to the minimums';
comment on column review.affiliate_counts.number is 'How many affiliates';

create table review.affiliate_outcomes (
    decision_id bigint not null,
    horizon_days integer not null,
    account_id bigint not null,
    window_start date,
    window_end date,
    volume_usd numeric(24,2),
    active_users integer,
    new_users integer,
    outcome text not null,
    missing_days integer not null default 0,
    fell_to numeric,
    constraint affiliate_outcomes_pkey primary key (decision_id, horizon_days)
);
create index affiliate_outcomes_by_account on review.affiliate_outcomes (account_id) where horizon_days = 0;
create index affiliate_outcomes_by_fall on review.affiliate_outcomes (fell_to, decision_id) where fell_to is not null;
comment on table review.affiliate_outcomes is 'Outcomes of approvals: the 30 days that end so many days later; written by the refresh';
comment on column review.affiliate_outcomes.decision_id is 'The approval';
comment on column review.affiliate_outcomes.horizon_days is '30, 60 or 90 days after it; 0 is the figures at application, from the decision''s snapshot';
comment on column review.affiliate_outcomes.account_id is 'The affiliate';
comment on column review.affiliate_outcomes.window_start is 'First UTC day of the 30';
comment on column review.affiliate_outcomes.window_end is 'The day after the last';
comment on column review.affiliate_outcomes.volume_usd is 'Referral volume of those days, USD; null: unknown';
comment on column review.affiliate_outcomes.active_users is 'Distinct referred users with volume in those days; null: unknown';
comment on column review.affiliate_outcomes.new_users is 'Users referred in those days; null: unknown';
comment on column review.affiliate_outcomes.outcome is 'met, not_met or unknown, by the policy they were approved under';
comment on column review.affiliate_outcomes.missing_days is 'Days of the 30 that were not delivered; with any, the figures are unknown';
comment on column review.affiliate_outcomes.fell_to is 'Days 31 to 60: the share of the volume at application that was left, if a half at most';

create table review.outcome_counts (
    month date not null,
    is_override boolean not null,
    decided_by text not null,
    horizon_days integer not null,
    affiliates bigint not null,
    delivered bigint not null,
    compared bigint not null,
    trading bigint not null,
    volume_before numeric not null,
    volume numeric not null,
    active_before bigint not null,
    active bigint not null,
    new_before bigint not null,
    new bigint not null,
    met bigint not null,
    judged bigint not null,
    halved bigint not null,
    collapsed bigint not null,
    constraint outcome_counts_pkey primary key (month, is_override, decided_by, horizon_days),
    constraint outcome_counts_people_normal check (decided_by = review.person(decided_by))
);
comment on table review.outcome_counts is 'Outcomes of the current approvals of the last months, as the last refresh counted them; sums of affiliate_outcomes';
comment on column review.outcome_counts.month is 'First day of the month of the approval, UTC';
comment on column review.outcome_counts.is_override is 'Whether it was against the computed eligibility';
comment on column review.outcome_counts.decided_by is 'Who decided';
comment on column review.outcome_counts.horizon_days is '30, 60 or 90 days after the approval; 0: at application';
comment on column review.outcome_counts.affiliates is 'How many approvals; later, how many have reached the horizon';
comment on column review.outcome_counts.delivered is 'Of these, with every day delivered';
comment on column review.outcome_counts.compared is 'Of these, with a known volume at application';
comment on column review.outcome_counts.trading is 'Of these, with a volume at application above zero';
comment on column review.outcome_counts.volume_before is 'Volume at application of those compared, USD; at horizon 0, of all';
comment on column review.outcome_counts.volume is 'Volume at the horizon of those compared, USD';
comment on column review.outcome_counts.active_before is 'Active users at application of those compared; at horizon 0, of all';
comment on column review.outcome_counts.active is 'Active users at the horizon of those compared';
comment on column review.outcome_counts.new_before is 'New users at application of those compared; at horizon 0, of all';
comment on column review.outcome_counts.new is 'New users at the horizon of those compared';
comment on column review.outcome_counts.met is 'How many still qualify';
comment on column review.outcome_counts.judged is 'How many are known to qualify or not';
comment on column review.outcome_counts.halved is 'Days 31 to 60: how many fell to half of the volume at application or less';
comment on column review.outcome_counts.collapsed is 'Of these, to a fifth or less';

-- Risk: what is measured of affiliates after a refresh, and what was dismissed.

create table review.risk_measures (
    account_id bigint not null,
    data_through date not null,
    policy_version integer not null,
    measured_at timestamptz not null,
    -- [[[cog
    -- import cog
    -- from data_access.risk import columns
    -- cog.outl("\n".join(columns.definitions()))
    -- ]]]
    r01 numeric(24,6),
    r01_sample numeric(24,6),
    r02 numeric(24,6),
    r02_sample numeric(24,6),
    r04 numeric(24,6),
    r04_sample numeric(24,6),
    r05 numeric(24,6),
    r06 numeric(24,6),
    r06_sample numeric(24,6),
    r07 numeric(24,6),
    r07_sample numeric(24,6),
    r08 numeric(24,6),
    r08_sample numeric(24,6),
    r09 numeric(24,6),
    r09_sample numeric(24,6),
    r10 numeric(24,6),
    r10_sample numeric(24,6),
    r11 numeric(24,6),
    r11_sample numeric(24,6),
    r12 numeric(24,6),
    r12_sample numeric(24,6),
    r13 numeric(24,6),
    r13_sample numeric(24,6),
    r14 numeric(24,6),
    r14_sample numeric(24,6),
    r15 numeric(24,6),
    r15_sample numeric(24,6),
    r16 numeric(24,6),
    r16_sample numeric(24,6),
    r17 numeric(24,6),
    r17_sample numeric(24,6),
    r18 numeric(24,6),
    r19 numeric(24,6),
    r20 numeric(24,6),
    r20_sample numeric(24,6),
    r21 numeric(24,6),
    r21_sample numeric(24,6),
    r22 numeric(24,6),
    r23 numeric(24,6),
    r24 numeric(24,6),
    r24_sample numeric(24,6),
    r25 numeric(24,6),
    r26 numeric(24,6),
    r26_sample numeric(24,6),
    r27 numeric(24,6),
    r27_sample numeric(24,6),
    r28 numeric(24,6),
    r28_sample numeric(24,6),
    r29 numeric(24,6),
    r30 numeric(24,6),
    r31 numeric(24,6),
    r31_sample numeric(24,6),
    r32 numeric(24,6),
    r32_sample numeric(24,6),
    r33 numeric(24,6),
    r34 numeric(24,6),
    r34_sample numeric(24,6),
    r35 numeric(24,6),
    without_top_volume_usd numeric(24,2),
    without_top_active_users integer,
    without_top_new_users integer,
    without_small_volume_usd numeric(24,2),
    without_small_active_users integer,
    without_small_new_users integer,
    fee_bearing_volume_usd numeric(24,2),
    fee_bearing_active_users integer,
    fee_bearing_new_users integer,
    -- [[[end]]]
    inputs jsonb not null default '{}',
    constraint risk_measures_pkey primary key (account_id)
-- Compressing the inputs took a third of the time of writing them.
) with (toast_tuple_target='8160');
comment on table review.risk_measures is 'Values of the risk signals, one row per affiliate with an open application or an approval; without a row nothing was measured';
comment on column review.risk_measures.account_id is 'The affiliate';
comment on column review.risk_measures.data_through is 'T of the refresh after which it was measured';
comment on column review.risk_measures.policy_version is 'The policy whose window and minimums were used';
comment on column review.risk_measures.measured_at is 'When it was measured';
comment on column review.risk_measures.inputs is 'The numbers behind the values, by signal';
-- [[[cog
-- cog.outl("\n".join(columns.comments()))
-- ]]]
comment on column review.risk_measures.r01 is 'R01 Top-user share; null without 1 M USD of volume';
comment on column review.risk_measures.r01_sample is 'R01: active users';
comment on column review.risk_measures.r02 is 'R02 Concentration; null without 1 M USD of volume';
comment on column review.risk_measures.r02_sample is 'R02: active users';
comment on column review.risk_measures.r04 is 'R04 Padded actives';
comment on column review.risk_measures.r04_sample is 'R04: active users';
comment on column review.risk_measures.r05 is 'R05 Threshold hugging; null without volume in one of these months';
comment on column review.risk_measures.r06 is 'R06 Spike before applying; null without a mean of 50,000 USD in the two windows before';
comment on column review.risk_measures.r06_sample is 'R06: active users';
comment on column review.risk_measures.r07 is 'R07 One-day volume';
comment on column review.risk_measures.r07_sample is 'R07: trading days';
comment on column review.risk_measures.r08 is 'R08 Outlier day';
comment on column review.risk_measures.r08_sample is 'R08: trading days of 90';
comment on column review.risk_measures.r09 is 'R09 Sign-up burst';
comment on column review.risk_measures.r09_sample is 'R09: sign-ups';
comment on column review.risk_measures.r10 is 'R10 New-account volume; null without a first referral older than 90 days';
comment on column review.risk_measures.r10_sample is 'R10: active users';
comment on column review.risk_measures.r11 is 'R11 One-day wonders';
comment on column review.risk_measures.r11_sample is 'R11: users';
comment on column review.risk_measures.r12 is 'R12 Dormant base';
comment on column review.risk_measures.r12_sample is 'R12: users';
comment on column review.risk_measures.r13 is 'R13 Woken accounts';
comment on column review.risk_measures.r13_sample is 'R13: active users';
comment on column review.risk_measures.r14 is 'R14 Mirrored pair';
comment on column review.risk_measures.r14_sample is 'R14: joint days';
comment on column review.risk_measures.r15 is 'R15 Moving together';
comment on column review.risk_measures.r15_sample is 'R15: users with ten trading days';
comment on column review.risk_measures.r16 is 'R16 Repeated volumes';
comment on column review.risk_measures.r16_sample is 'R16: user-days';
comment on column review.risk_measures.r17 is 'R17 First digits; null without 2,000 user-days, and a standard deviation of log volumes of at least 1.2';
comment on column review.risk_measures.r17_sample is 'R17: user-days of 90';
comment on column review.risk_measures.r18 is 'R18 Fee yield; null without 1 M USD of volume';
comment on column review.risk_measures.r19 is 'R19 Zero-fee share; null without 1 M USD of volume';
comment on column review.risk_measures.r20 is 'R20 Clockwork onboarding';
comment on column review.risk_measures.r20_sample is 'R20: new users who traded';
comment on column review.risk_measures.r21 is 'R21 Month-end loading';
comment on column review.risk_measures.r21_sample is 'R21: trading days of the month';
comment on column review.risk_measures.r22 is 'R22 Duplicate applicant';
comment on column review.risk_measures.r23 is 'R23 Self-referral; null without the addresses of the affiliate and of a user';
comment on column review.risk_measures.r24 is 'R24 Decay after approval; null without an approval at least 60 days ago, and 1 M USD in the 30 days before the application';
comment on column review.risk_measures.r24_sample is 'R24: active users';
comment on column review.risk_measures.r25 is 'R25 Claim and observation; null without an observation of each method within the last 30 days';
comment on column review.risk_measures.r26 is 'R26 Too equal';
comment on column review.risk_measures.r26_sample is 'R26: active users';
comment on column review.risk_measures.r27 is 'R27 Uniform tickets';
comment on column review.risk_measures.r27_sample is 'R27: user-days';
comment on column review.risk_measures.r28 is 'R28 Stop at target; null without all three minimums reached in the window';
comment on column review.risk_measures.r28_sample is 'R28: days left';
comment on column review.risk_measures.r29 is 'R29 Subsidy ratio; null without 1 M USD of volume';
comment on column review.risk_measures.r30 is 'R30 Referral graph; null without a referral';
comment on column review.risk_measures.r31 is 'R31 Accounts created together';
comment on column review.risk_measures.r31_sample is 'R31: users referred in 90 days';
comment on column review.risk_measures.r32 is 'R32 E-mail families';
comment on column review.risk_measures.r32_sample is 'R32: active and new users';
comment on column review.risk_measures.r33 is 'R33 Unverified volume; null without 1 M USD of volume';
comment on column review.risk_measures.r34 is 'R34 Foreign concentration';
comment on column review.risk_measures.r34_sample is 'R34: active users with a known country';
comment on column review.risk_measures.r35 is 'R35 Follower jump; null without two observations of at least 1,000 followers at most 30 days apart';
comment on column review.risk_measures.without_top_volume_usd is 'Referral volume without the largest user';
comment on column review.risk_measures.without_top_active_users is 'Active users without the largest user';
comment on column review.risk_measures.without_top_new_users is 'New users without the largest user';
comment on column review.risk_measures.without_small_volume_usd is 'Referral volume without users under 1,000 USD of volume';
comment on column review.risk_measures.without_small_active_users is 'Active users without users under 1,000 USD of volume';
comment on column review.risk_measures.without_small_new_users is 'New users without users under 1,000 USD of volume';
comment on column review.risk_measures.fee_bearing_volume_usd is 'Referral volume on volume that bore a positive net fee';
comment on column review.risk_measures.fee_bearing_active_users is 'Active users on volume that bore a positive net fee';
comment on column review.risk_measures.fee_bearing_new_users is 'New users on volume that bore a positive net fee';
-- [[[end]]]

create table review.risk_dismissals (
    dismissal_id bigint generated always as identity,
    account_id bigint not null,
    signal text not null,
    reason text not null,
    until date not null,
    actor text not null,
    at timestamptz not null,
    constraint risk_dismissals_pkey primary key (dismissal_id),
    constraint risk_dismissals_account_fkey foreign key (account_id) references exchange.accounts(account_id),
    constraint risk_dismissals_people_normal check (actor = review.person(actor)),
    constraint risk_dismissals_signal_known check (signal ~ '^R[0-9]{2}$')
);
create index risk_dismissals_by_account on review.risk_dismissals (account_id, signal, dismissal_id);
create trigger append_only before delete or update or truncate on review.risk_dismissals for each statement execute function review.refuse_change();
alter table review.risk_dismissals enable always trigger append_only;
comment on table review.risk_dismissals is 'Signals that somebody looked into and set aside for a while; of a signal of an account the newest row counts; append-only';
comment on column review.risk_dismissals.dismissal_id is 'Identity';
comment on column review.risk_dismissals.account_id is 'The affiliate';
comment on column review.risk_dismissals.signal is 'The signal';
comment on column review.risk_dismissals.reason is 'Why; typed text';
comment on column review.risk_dismissals.until is 'From measures of this data-through day on it counts again; a day that has passed ends the dismissal';
comment on column review.risk_dismissals.actor is 'Who dismissed it';
comment on column review.risk_dismissals.at is 'When it was dismissed';

create view review.standing_dismissals as
select * from review.risk_dismissals as dismissal
where not exists (
    select from review.risk_dismissals as later
    where later.account_id = dismissal.account_id and later.signal = dismissal.signal
        and later.dismissal_id > dismissal.dismissal_id);
comment on view review.standing_dismissals is 'The dismissal that stands for each signal of an account: the newest; on its day `until` it has passed';

create table review.risk_alerts (
    alert_id bigint generated always as identity,
    account_id bigint not null,
    signal text not null,
    severity text not null,
    value numeric not null,
    threshold numeric not null,
    data_through date not null,
    noticed_at timestamptz not null,
    constraint risk_alerts_pkey primary key (alert_id),
    constraint risk_alerts_once unique (account_id, signal, data_through),
    constraint risk_alerts_severity_known check (severity in ('warn', 'high'))
);
create index risk_alerts_by_day on review.risk_alerts (data_through, alert_id);
comment on table review.risk_alerts is 'Breaks of approved affiliates that were not flagged the time before; written after a refresh';
comment on column review.risk_alerts.alert_id is 'Identity';
comment on column review.risk_alerts.account_id is 'The affiliate';
comment on column review.risk_alerts.signal is 'The signal';
comment on column review.risk_alerts.severity is 'warn or high';
comment on column review.risk_alerts.value is 'The measured value';
comment on column review.risk_alerts.threshold is 'The threshold it reached, of the policy in force then';
comment on column review.risk_alerts.data_through is 'T of the refresh after which it was noticed';
comment on column review.risk_alerts.noticed_at is 'When it was noticed';

create table review.risk_digests (
    digest_id uuid not null default gen_random_uuid(),
    day date not null,
    manager text not null,
    first_alert bigint not null,
    last_alert bigint not null,
    created_at timestamptz not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    leased_by uuid,
    lease_until timestamptz,
    ended_at timestamptz,
    sent boolean,
    last_error text,
    constraint risk_digests_pkey primary key (digest_id),
    constraint risk_digests_one_a_day unique (manager, day),
    constraint risk_digests_manager_fkey foreign key (manager) references review.staff(email),
    constraint risk_digests_people_normal check (manager = review.person(manager)),
    constraint risk_digests_alerts_in_order check (first_alert <= last_alert),
    constraint risk_digests_ended_whole check ((ended_at is null) = (sent is null)),
    constraint risk_digests_lease_whole check ((leased_by is null) = (lease_until is null))
);
create index risk_digests_waiting on review.risk_digests (next_attempt_at) where ended_at is null;
comment on table review.risk_digests is 'Mails about new alerts: at most one a UTC day and manager, each sent at most once';
comment on column review.risk_digests.digest_id is 'Identity, and the id of the mail';
comment on column review.risk_digests.day is 'The UTC day on which it was made';
comment on column review.risk_digests.manager is 'The manager';
comment on column review.risk_digests.first_alert is 'The first alert that it names';
comment on column review.risk_digests.last_alert is 'The last alert that it names';
comment on column review.risk_digests.created_at is 'When it was made';
comment on column review.risk_digests.attempts is 'How often the mail server did not take it';
comment on column review.risk_digests.next_attempt_at is 'From when on it may be tried';
comment on column review.risk_digests.leased_by is 'The attempt that is being made';
comment on column review.risk_digests.lease_until is 'Until when an attempt may take; after it the digest counts as lost, since it may have been sent';
comment on column review.risk_digests.ended_at is 'When it was sent or given up';
comment on column review.risk_digests.sent is 'Whether the mail server took it; null while it waits';
comment on column review.risk_digests.last_error is 'Why the last attempt failed';

-- The policy, its drafts, and holidays.

create table review.policies (
    version integer not null,
    effective_from timestamptz not null,
    author text not null,
    note text not null default '',
    min_volume_usd numeric(20, 2) not null default 20000000.00,
    min_active_users integer not null default 15,
    min_new_users integer not null default 5,
    min_x_followers integer not null default 5000,
    min_external_volume_usd numeric(20, 2) not null default 20000000.00,
    window_kind text not null default 'trailing_30_days',
    active_user_min_volume_usd numeric(20, 2) not null default 0,
    new_user_must_trade boolean not null default false,
    evidence_valid_days integer not null default 90,
    standard_rebate_rate numeric(5,4) not null default 0.10,
    max_rebate_rate numeric(5,4) not null default 0.50,
    review_sla_business_days integer not null default 3,
    claim_idle_minutes integer not null default 30,
    checklist text[] not null default '{identity_and_account,owns_social_account,not_api_broker,no_self_referral,no_prior_ban,audience_real,promotion_methods,jurisdiction,external_volume_proven}',
    required_checks text[] not null default '{identity_and_account,owns_social_account,not_api_broker,no_self_referral,no_prior_ban}',
    second_approval_for_overrides boolean not null default true,
    second_approval_monthly_extra_usd numeric(20, 2) default 10000.00,
    requalification_misses integer not null default 3,
    requalification_protection_months integer not null default 3,
    requalification_silent boolean not null default true,
    risk_thresholds jsonb not null default '{}',
    constraint policies_pkey primary key (version),
    constraint policies_desk_settings_sensible check ( claim_idle_minutes > 0 and required_checks <@ checklist and (second_approval_monthly_extra_usd is null or second_approval_monthly_extra_usd >= 0)),
    constraint policies_minimums_not_negative check ( min_volume_usd >= 0 and min_active_users >= 0 and min_new_users >= 0 and min_x_followers >= 0 and min_external_volume_usd >= 0 and active_user_min_volume_usd >= 0 and evidence_valid_days >= 0 and review_sla_business_days >= 0),
    constraint policies_people_normal check (author = review.person(author)),
    constraint policies_rates_in_order check (0 <= standard_rebate_rate and standard_rebate_rate < max_rebate_rate and max_rebate_rate <= 1),
    constraint policies_requalification_sensible check ( requalification_misses between 1 and 12 and requalification_protection_months between 0 and 24),
    constraint policies_thresholds_are_numbers check (
        jsonb_typeof(risk_thresholds) = 'object'
        and not risk_thresholds @? 'strict $.* ? (@.type() != "string" || !(@ like_regex "^[0-9]+([.][0-9]{1,6})?$"))'
        and not risk_thresholds @? 'strict $.keyvalue() ? (!(@.key like_regex "^R[0-9]{2}[.](warn|high)([.][0-9]+)?$"))'),
    constraint policies_window_kind_known check (window_kind in ('trailing_30_days', 'calendar_month'))
);
create trigger append_only before delete or update or truncate on review.policies for each statement execute function review.refuse_change();
alter table review.policies enable always trigger append_only;
comment on table review.policies is 'The program''s minimums and settings, one row per version; append-only';
comment on column review.policies.version is 'Counts up; review.policy_in_force tells which version is in force';
comment on column review.policies.effective_from is 'When the version takes effect';
comment on column review.policies.author is 'Who wrote the version';
comment on column review.policies.note is 'Why it was changed';
comment on column review.policies.min_volume_usd is 'Monthly referral volume in USD, at least';
comment on column review.policies.min_active_users is 'Active referred users a month, at least';
comment on column review.policies.min_new_users is 'New users acquired a month, at least';
comment on column review.policies.min_x_followers is 'Followers on X, more than';
comment on column review.policies.min_external_volume_usd is 'Monthly referral volume on other exchanges in USD, at least';
comment on column review.policies.window_kind is 'The meaning of a month: trailing_30_days or calendar_month';
comment on column review.policies.active_user_min_volume_usd is '0: any volume above 0 makes a user active; otherwise at least this many USD in the window';
comment on column review.policies.new_user_must_trade is 'Whether a new user counts only after trading in the window';
comment on column review.policies.evidence_valid_days is 'How many days before the data-through day an observation still counts';
comment on column review.policies.standard_rebate_rate is 'Share of net fees that every referrer gets, as a fraction';
comment on column review.policies.max_rebate_rate is 'The highest share a reviewer may grant, as a fraction';
comment on column review.policies.review_sla_business_days is 'Business days in which an application should be decided';
comment on column review.policies.claim_idle_minutes is 'Minutes without an act after which a claim expires';
comment on column review.policies.checklist is 'Due-diligence items to answer, in order';
comment on column review.policies.required_checks is 'Items that must be passed or not applicable before an approval';
comment on column review.policies.second_approval_for_overrides is 'Whether a decision against the computed eligibility needs a second person';
comment on column review.policies.second_approval_monthly_extra_usd is 'Extra rebate cost a month in USD from which an approval needs a second person; null: never';
comment on column review.policies.requalification_misses is 'Months missed in a row from which a suspension is suggested';
comment on column review.policies.requalification_protection_months is 'Whole months after the month of the approval whose misses do not count';
comment on column review.policies.requalification_silent is 'Whether affiliates get no message when their standing changes';
comment on column review.policies.risk_thresholds is 'Thresholds of risk signals by key, numbers as text; one that is left out has its default';

create table review.policy_drafts (
    draft_id bigint generated always as identity,
    revision integer not null default 1,
    base_version integer not null,
    settings jsonb not null,
    note text not null,
    effective_from timestamptz,
    author text not null,
    saved_at timestamptz not null,
    proposed_at timestamptz,
    closed_as text,
    closed_by text,
    closed_at timestamptz,
    reason text,
    version integer,
    constraint policy_drafts_pkey primary key (draft_id),
    constraint policy_drafts_version_once unique (version),
    constraint policy_drafts_author_fkey foreign key (author) references review.staff(email),
    constraint policy_drafts_base_version_fkey foreign key (base_version) references review.policies(version),
    constraint policy_drafts_version_fkey foreign key (version) references review.policies(version),
    constraint policy_drafts_closed_whole check ((closed_as is null) = (closed_at is null) and (closed_as is null) = (closed_by is null)),
    constraint policy_drafts_closing_known check (closed_as in ('published', 'discarded')),
    constraint policy_drafts_people_normal check (author = review.person(author) and closed_by = review.person(closed_by)),
    constraint policy_drafts_published_whole check ((closed_as is not distinct from 'published') = (version is not null)),
    constraint policy_drafts_second_is_another check (closed_as is distinct from 'published' or review.person(closed_by) <> review.person(author))
);
create unique index policy_drafts_one_open_per_author on review.policy_drafts (author) where closed_as is null;
comment on table review.policy_drafts is 'Drafts of the next policy; a published draft names its version';
comment on column review.policy_drafts.draft_id is 'Identity';
comment on column review.policy_drafts.revision is 'Counts its changes; only the revision that was shown can be confirmed';
comment on column review.policy_drafts.base_version is 'The version that it is based on';
comment on column review.policy_drafts.settings is 'Every setting by name, numbers as text';
comment on column review.policy_drafts.note is 'Why the policy changes; typed text';
comment on column review.policy_drafts.effective_from is 'When it takes effect; null: when it is confirmed';
comment on column review.policy_drafts.author is 'Who writes and proposes it';
comment on column review.policy_drafts.saved_at is 'When it was last saved';
comment on column review.policy_drafts.proposed_at is 'When it was proposed to a second manager; null while it is edited';
comment on column review.policy_drafts.closed_as is 'published or discarded; null while it is open';
comment on column review.policy_drafts.closed_by is 'Who published or discarded it';
comment on column review.policy_drafts.closed_at is 'When it was published or discarded';
comment on column review.policy_drafts.reason is 'Why a second manager last declined it; typed text';
comment on column review.policy_drafts.version is 'The version it became';

create table review.policy_events (
    event_id bigint generated always as identity,
    draft_id bigint,
    kind text not null,
    actor text not null,
    at timestamptz not null,
    detail jsonb not null default '{}',
    request_id uuid not null,
    constraint policy_events_pkey primary key (event_id),
    constraint policy_events_request_id_once unique (request_id),
    constraint policy_events_draft_id_fkey foreign key (draft_id) references review.policy_drafts(draft_id),
    constraint policy_events_kind_known check (kind in ('drafted', 'saved', 'discarded', 'proposed', 'confirmed', 'declined', 'cancelled', 'withdrawal_proposed', 'withdrawn', 'withdrawal_declined')),
    constraint policy_events_people_normal check (actor = review.person(actor))
);
create index policy_events_by_draft on review.policy_events (draft_id, event_id);
create trigger append_only before delete or update or truncate on review.policy_events for each statement execute function review.refuse_change();
alter table review.policy_events enable always trigger append_only;
comment on table review.policy_events is 'Who drafted, proposed and confirmed which policy; append-only';
comment on column review.policy_events.event_id is 'Identity';
comment on column review.policy_events.draft_id is 'The draft; null if a version is withdrawn';
comment on column review.policy_events.kind is 'The kind of the event';
comment on column review.policy_events.actor is 'Who did it';
comment on column review.policy_events.at is 'When it happened';
comment on column review.policy_events.detail is 'Old and new values';
comment on column review.policy_events.request_id is 'The id made when the form was drawn';

create table review.policy_withdrawals (
    withdrawal_id bigint generated always as identity,
    version integer not null,
    reason text not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    closed_as text,
    closed_by text,
    closed_at timestamptz,
    closing_reason text,
    constraint policy_withdrawals_pkey primary key (withdrawal_id),
    constraint policy_withdrawals_version_fkey foreign key (version) references review.policies(version),
    constraint policy_withdrawals_closed_whole check ((closed_as is null) = (closed_at is null) and (closed_as is null) = (closed_by is null)),
    constraint policy_withdrawals_closing_known check (closed_as in ('withdrawn', 'declined', 'cancelled')),
    constraint policy_withdrawals_people_normal check (proposed_by = review.person(proposed_by) and closed_by = review.person(closed_by)),
    constraint policy_withdrawals_second_is_another check (closed_as is distinct from 'withdrawn' or closed_by <> proposed_by)
);
create unique index policy_withdrawals_once on review.policy_withdrawals (version) where closed_as = 'withdrawn';
create unique index policy_withdrawals_one_open on review.policy_withdrawals (version) where closed_as is null;
comment on table review.policy_withdrawals is 'Withdrawals of scheduled policy versions, by two managers';
comment on column review.policy_withdrawals.withdrawal_id is 'Identity';
comment on column review.policy_withdrawals.version is 'The version';
comment on column review.policy_withdrawals.reason is 'Why it is to be withdrawn; typed text';
comment on column review.policy_withdrawals.proposed_by is 'The first manager';
comment on column review.policy_withdrawals.proposed_at is 'When it was proposed';
comment on column review.policy_withdrawals.closed_as is 'withdrawn, declined or cancelled; null while it waits for a second manager';
comment on column review.policy_withdrawals.closed_by is 'The second manager; the first one if it was cancelled';
comment on column review.policy_withdrawals.closed_at is 'When it was closed';
comment on column review.policy_withdrawals.closing_reason is 'Why it was declined or cancelled; typed text';

create table review.holidays (
    day date not null,
    name text not null,
    constraint holidays_pkey primary key (day)
);
comment on table review.holidays is 'UTC days besides weekends on which the review clock stops';
comment on column review.holidays.day is 'The UTC day';
comment on column review.holidays.name is 'The holiday''s name; typed text';

create table review.holiday_changes (
    change_id bigint generated always as identity,
    day date not null,
    kind text not null,
    old_name text,
    new_name text,
    reason text not null,
    effect jsonb,
    actor text not null,
    at timestamptz not null,
    request_id uuid not null,
    constraint holiday_changes_pkey primary key (change_id),
    constraint holiday_changes_request_id_once unique (request_id),
    constraint holiday_changes_kind_known check (kind in ('added', 'renamed', 'removed')),
    constraint holiday_changes_people_normal check (actor = review.person(actor)),
    constraint holiday_changes_reason_present check (btrim(reason) <> '')
);
create index holiday_changes_by_day on review.holiday_changes (day, change_id);
create trigger append_only before delete or update or truncate on review.holiday_changes for each statement execute function review.refuse_change();
alter table review.holiday_changes enable always trigger append_only;
comment on table review.holiday_changes is 'Changes to holidays; append-only';
comment on column review.holiday_changes.change_id is 'Identity';
comment on column review.holiday_changes.day is 'The UTC day';
comment on column review.holiday_changes.kind is 'added, renamed or removed';
comment on column review.holiday_changes.old_name is 'The name before; null if the day was not a holiday';
comment on column review.holiday_changes.new_name is 'The name after; null if the day is no longer a holiday';
comment on column review.holiday_changes.reason is 'Why it was changed; typed text';
comment on column review.holiday_changes.effect is 'Overdue applications before and after, as confirmed; null for a day in the future';
comment on column review.holiday_changes.actor is 'Who changed it';
comment on column review.holiday_changes.at is 'When it was changed';
comment on column review.holiday_changes.request_id is 'The id made when the form was drawn';

create function review.policy_in_force(moment timestamptz) returns integer
    language sql stable strict parallel safe
    return (
        select version from review.policies
        where effective_from <= moment and not exists (
            select from review.policy_withdrawals gone
            where gone.version = policies.version and gone.closed_as = 'withdrawn')
        order by effective_from desc, version desc limit 1);
comment on function review.policy_in_force(moment timestamp with time zone) is 'The version in force: of those in effect and not withdrawn, the latest to take effect, then the highest';

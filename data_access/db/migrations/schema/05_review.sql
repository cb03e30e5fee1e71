-- Review: commands, evidence, checks, decisions, proposals and events.

create table review.requests (
    request_id uuid not null,
    act text not null,
    actor text not null,
    application_id bigint,
    content jsonb not null,
    result bigint,
    result_kind text not null default 'Result',
    at timestamptz not null,
    constraint requests_pkey primary key (request_id),
    constraint requests_people_normal check (actor = review.person(actor))
);
create index requests_by_actor on review.requests (actor, at) where act <> 'READ';
create index requests_by_time on review.requests (at) where act <> 'READ';
create index requests_of_preferences on review.requests (at) where content ->> 'command' = 'PutPreference';
comment on table review.requests is 'Every submitted form, by the id made when it was drawn; a repeat returns the first result. A refresh removes those of personal settings after a week';
comment on column review.requests.request_id is 'The id made when the form was drawn';
comment on column review.requests.act is 'The act';
comment on column review.requests.actor is 'Who sent it';
comment on column review.requests.application_id is 'The application it is about, if it is about one';
comment on column review.requests.content is 'The request, to tell a repeat from a different form with the same id';
comment on column review.requests.result is 'The id of the row that the act wrote, or how many rows it changed';
comment on column review.requests.result_kind is 'The type of the result, if an act has several';
comment on column review.requests.at is 'When it was sent';

create table review.desk (
    application_id bigint not null,
    status text not null default 'pending',
    status_at timestamptz,
    assignee text,
    claimed_at timestamptz,
    claim_until timestamptz,
    clock_from timestamptz,
    paused_at timestamptz,
    answered_at timestamptz,
    deferred_until timestamptz,
    deferred_answers text,
    constraint desk_pkey primary key (application_id),
    constraint desk_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint desk_assignee_fkey foreign key (assignee) references review.staff(email),
    constraint desk_claim_whole check ((assignee is null) = (claimed_at is null) and (claim_until is null or assignee is not null)),
    constraint desk_deferral_has_an_end check ((status = 'deferred') = (deferred_until is not null or deferred_answers is not null)),
    constraint desk_pause_while_asking check ((status = 'more_info_needed') = (paused_at is not null)),
    constraint desk_people_normal check (assignee = review.person(assignee)),
    constraint desk_status_known check (status in ('pending', 'more_info_needed', 'deferred', 'awaiting_second_approval'))
);
create index desk_by_assignee on review.desk (assignee) where assignee is not null;
create index desk_set_aside on review.desk (status) where status <> 'pending';
comment on table review.desk is 'The desk''s state of an application; without a row it is pending and unclaimed, its clock running since submission';
comment on column review.desk.application_id is 'The application';
comment on column review.desk.status is 'What an application that is pending upstream waits for here';
comment on column review.desk.status_at is 'Since when it has this status';
comment on column review.desk.assignee is 'Who works on it';
comment on column review.desk.claimed_at is 'Since when the assignee has it';
comment on column review.desk.claim_until is 'When the claim expires unless the assignee acts; null: assigned by a colleague, does not expire';
comment on column review.desk.clock_from is 'When the review clock started, if a pause has moved it; null: at submission';
comment on column review.desk.paused_at is 'When the clock stopped because the applicant owes information';
comment on column review.desk.answered_at is 'When an applicant''s answer was last recorded';
comment on column review.desk.deferred_until is 'When a deferred application returns by itself';
comment on column review.desk.deferred_answers is 'Every criterion''s outcome when it was deferred; a change brings it back; null: only the date does';

create table review.viewers (
    application_id bigint not null,
    email text not null,
    seen_at timestamptz not null,
    constraint viewers_pkey primary key (application_id, email),
    constraint viewers_people_normal check (email = review.person(email))
);
comment on table review.viewers is 'Who has an application open; a row counts while it is recent';
comment on column review.viewers.application_id is 'The application';
comment on column review.viewers.email is 'The viewer';
comment on column review.viewers.seen_at is 'The last heartbeat of their page';

create table review.contact_reads (
    email text not null,
    day date not null,
    application_id bigint,
    list text,
    first_at timestamptz not null,
    constraint contact_reads_once_a_day unique nulls not distinct (application_id, list, email, day),
    constraint contact_reads_of_one check (num_nonnulls(application_id, list) = 1),
    constraint contact_reads_people_normal check (email = review.person(email))
);
create trigger append_only before delete or update or truncate on review.contact_reads for each statement execute function review.refuse_change();
alter table review.contact_reads enable always trigger append_only;
comment on table review.contact_reads is 'Who was shown applicants'' contacts, once a day for each application or list; append-only';
comment on column review.contact_reads.email is 'The reader';
comment on column review.contact_reads.day is 'The UTC day';
comment on column review.contact_reads.application_id is 'The application whose page it was';
comment on column review.contact_reads.list is 'Otherwise the list: a dataset of Explore, or the outbox';
comment on column review.contact_reads.first_at is 'When it was first that day';

create table review.evidence (
    evidence_id bigint generated always as identity,
    application_id bigint not null,
    kind text not null,
    value numeric not null,
    exchange_name text,
    source_url text,
    method text not null default 'other',
    observed_at timestamptz not null,
    recorded_by text not null default 'import',
    recorded_at timestamptz not null default now(),
    told_apart boolean not null default false,
    exchange_key text generated always as (case when kind = 'external_volume' then review.exchange_key(coalesce(exchange_name, ''), told_apart) else '' end) stored,
    constraint evidence_pkey primary key (evidence_id),
    constraint evidence_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint evidence_kind_known check (kind in ('x_followers', 'external_volume')),
    constraint evidence_method_known check (method in ('profile_page', 'screenshot', 'statement', 'api', 'other')),
    constraint evidence_people_normal check (recorded_by = review.person(recorded_by)),
    constraint evidence_value_a_count check (value >= 0 and value <> 'NaN' and (kind <> 'x_followers' or value = trunc(value)))
);
create index evidence_by_application on review.evidence
    (application_id, kind, exchange_key, observed_at desc, evidence_id desc) include (value);
create index evidence_by_time on review.evidence (recorded_at) include (application_id);
create trigger append_only before delete or update or truncate on review.evidence for each statement execute function review.refuse_change();
alter table review.evidence enable always trigger append_only;
comment on table review.evidence is 'Dated observations of followers and of volume on other exchanges; append-only';
comment on column review.evidence.evidence_id is 'Identity';
comment on column review.evidence.application_id is 'The application it supports';
comment on column review.evidence.kind is 'x_followers or external_volume';
comment on column review.evidence.value is 'Followers, or USD in a 30-day period';
comment on column review.evidence.exchange_name is 'For external_volume: the exchange';
comment on column review.evidence.source_url is 'Where it was observed';
comment on column review.evidence.method is 'How it was observed: profile_page, screenshot, statement, api or other';
comment on column review.evidence.observed_at is 'When it was observed; its age is counted from here';
comment on column review.evidence.recorded_by is 'Who recorded it';
comment on column review.evidence.recorded_at is 'When it was recorded';
comment on column review.evidence.told_apart is 'Whether it was recorded as an exchange other than those with a similar name';
comment on column review.evidence.exchange_key is 'The key that groups volumes by exchange: the name in any spelling, without additions unless told_apart';

create table review.notes (
    note_id bigint generated always as identity,
    application_id bigint not null,
    body text not null,
    author text not null,
    created_at timestamptz not null default now(),
    constraint notes_pkey primary key (note_id),
    constraint notes_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint notes_body_present check (btrim(body) <> ''),
    constraint notes_people_normal check (author = review.person(author))
);
create index notes_by_application on review.notes (application_id, created_at);
create index notes_by_time on review.notes (created_at) include (application_id);
create trigger append_only before delete or update or truncate on review.notes for each statement execute function review.refuse_change();
alter table review.notes enable always trigger append_only;
comment on table review.notes is 'Internal notes, never shown to the applicant; append-only';
comment on column review.notes.note_id is 'Identity';
comment on column review.notes.application_id is 'The application it is about';
comment on column review.notes.body is 'Plain text';
comment on column review.notes.author is 'Who wrote it';
comment on column review.notes.created_at is 'When it was written';

create table review.checks (
    check_id bigint generated always as identity,
    application_id bigint not null,
    item text not null,
    outcome text not null,
    comment text not null default '',
    author text not null,
    created_at timestamptz not null default now(),
    constraint checks_pkey primary key (check_id),
    constraint checks_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint checks_outcome_known check (outcome in ('passed', 'failed', 'not_applicable')),
    constraint checks_people_normal check (author = review.person(author))
);
create index checks_by_application on review.checks (application_id, item, check_id desc);
create index checks_by_time on review.checks (created_at) include (application_id);
create trigger append_only before delete or update or truncate on review.checks for each statement execute function review.refuse_change();
alter table review.checks enable always trigger append_only;
comment on table review.checks is 'Answers to the due-diligence checklist; the newest per item counts; append-only';
comment on column review.checks.check_id is 'Identity';
comment on column review.checks.application_id is 'The application it is about';
comment on column review.checks.item is 'The item''s key';
comment on column review.checks.outcome is 'passed, failed or not_applicable';
comment on column review.checks.comment is 'The findings';
comment on column review.checks.author is 'Who checked';
comment on column review.checks.created_at is 'When it was answered';

create table review.conflicts (
    conflict_id bigint generated always as identity,
    email text not null,
    account_id bigint not null,
    reason text not null,
    recorded_by text not null,
    recorded_at timestamptz not null,
    constraint conflicts_pkey primary key (conflict_id),
    constraint conflicts_account_id_fkey foreign key (account_id) references exchange.accounts(account_id),
    constraint conflicts_email_fkey foreign key (email) references review.staff(email),
    constraint conflicts_people_normal check (email = review.person(email) and recorded_by = review.person(recorded_by))
);
create index conflicts_by_account on review.conflicts (account_id, email);
create trigger append_only before delete or update or truncate on review.conflicts for each statement execute function review.refuse_change();
alter table review.conflicts enable always trigger append_only;
comment on table review.conflicts is 'Conflicts of interest: who may not decide about whom; append-only';
comment on column review.conflicts.conflict_id is 'Identity';
comment on column review.conflicts.email is 'The member of staff';
comment on column review.conflicts.account_id is 'The applicant''s account';
comment on column review.conflicts.reason is 'The reason; typed text';
comment on column review.conflicts.recorded_by is 'Who recorded it';
comment on column review.conflicts.recorded_at is 'When it was recorded';

create sequence review.decisions_position;
-- With the rights of its owner: whoever may decide need not be allowed to move the sequence.
create function review.place_decision() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(7310008);
    new.position := nextval('review.decisions_position');
    return new;
end $$;
comment on function review.place_decision() is 'Assigns a decision''s position in the order of commits';

create table review.decisions (
    decision_id bigint generated always as identity,
    application_id bigint not null,
    outcome text not null,
    reason_code text,
    rationale text not null,
    message_to_applicant text not null default '',
    rebate_rate numeric(5,4),
    is_override boolean not null default false,
    decided_by text not null,
    decided_at timestamptz not null default now(),
    second_approver text,
    policy_version integer not null,
    snapshot jsonb not null,
    supersedes bigint,
    override_reason text,
    reapply text,
    reapply_from date,
    "position" bigint not null,
    constraint decisions_pkey primary key (decision_id),
    constraint decisions_one_application unique (decision_id, application_id),
    constraint decisions_position_once unique ("position"),
    constraint decisions_supersedes_once unique (supersedes),
    constraint decisions_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint decisions_policy_version_fkey foreign key (policy_version) references review.policies(version),
    constraint decisions_supersedes_fkey foreign key (supersedes, application_id) references review.decisions(decision_id, application_id),
    constraint decisions_outcome_known check (outcome in ('approved', 'rejected')),
    constraint decisions_people_normal check (decided_by = review.person(decided_by) and second_approver = review.person(second_approver)),
    constraint decisions_rate_on_approval_only check ((outcome = 'approved') = (rebate_rate is not null)),
    constraint decisions_reapply_only_when_rejected check (outcome = 'rejected' or (reapply is null and reapply_from is null)),
    constraint decisions_reason_on_rejection check (outcome = 'approved' or reason_code is not null),
    constraint decisions_second_is_another check (review.person(second_approver) <> review.person(decided_by))
);
create index decisions_at_a_glance on review.decisions (decided_at) include (decision_id, application_id, outcome, decided_by, is_override);
create index decisions_by_application on review.decisions (application_id, decision_id desc);
create index decisions_by_time on review.decisions (decided_at);
create index decisions_for_ever on review.decisions (application_id) where reapply = 'never';
create index decisions_of_approval on review.decisions (application_id) include (decision_id, decided_at, rebate_rate) where outcome = 'approved';
-- Each application has one first decision, and each decision is superseded at most once. So the
-- decisions of an application form a chain whose end is current, and no row is ever updated.
create unique index decisions_one_current_per_application on review.decisions (application_id) where supersedes is null;
create index decisions_replaced on review.decisions (supersedes) where supersedes is not null;
create view review.current_decisions as
select * from review.decisions as decision
where not exists (select from review.decisions as later where later.supersedes = decision.decision_id);
comment on view review.current_decisions is 'The decision that stands on each application: the one no later decision supersedes';
create trigger append_only before delete or update or truncate on review.decisions for each statement execute function review.refuse_change();
alter table review.decisions enable always trigger append_only;
create trigger decisions_in_order_of_commit before insert on review.decisions for each row execute function review.place_decision();
alter sequence review.decisions_position owned by review.decisions.position;

comment on table review.decisions is 'Approvals and rejections with what was known at the time; append-only';
comment on column review.decisions.decision_id is 'Identity';
comment on column review.decisions.application_id is 'The application decided';
comment on column review.decisions.outcome is 'approved or rejected';
comment on column review.decisions.reason_code is 'Why it was rejected';
comment on column review.decisions.rationale is 'The reviewer''s reasons, internal';
comment on column review.decisions.message_to_applicant is 'The message to the applicant';
comment on column review.decisions.rebate_rate is 'Approvals only: granted share of net fees as a fraction, above the standard rate';
comment on column review.decisions.is_override is 'Whether it goes against the computed eligibility';
comment on column review.decisions.decided_by is 'Who decided';
comment on column review.decisions.decided_at is 'When it was decided';
comment on column review.decisions.second_approver is 'Who confirmed it, if two people were needed';
comment on column review.decisions.policy_version is 'The policy in force';
comment on column review.decisions.snapshot is 'Data-through day, window, criteria with value, minimum and outcome, result, evidence ids, checklist';
comment on column review.decisions.supersedes is 'The decision this one replaces';
comment on column review.decisions.override_reason is 'Why it was decided against the computed eligibility or at high cost';
comment on column review.decisions.reapply is 'Rejections: the rule for applying again';
comment on column review.decisions.reapply_from is 'Rejections: the first UTC day on which the applicant may apply again; null with the rule never';
comment on column review.decisions."position" is 'Counts up in the order of commits; poll for positions after the last one seen';

create table review.proposals (
    proposal_id bigint generated always as identity,
    application_id bigint not null,
    outcome text not null,
    reason_code text,
    override_reason text not null,
    rationale text not null,
    message_to_applicant text not null,
    rebate_rate numeric(5,4),
    reapply text,
    is_override boolean not null,
    needed_for text[] not null,
    seen jsonb not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    closed_as text,
    closed_by text,
    closed_at timestamptz,
    constraint proposals_pkey primary key (proposal_id),
    constraint proposals_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint proposals_closed_whole check ((closed_as is null) = (closed_at is null)),
    constraint proposals_closing_known check (closed_as in ('confirmed', 'declined', 'cancelled', 'lapsed', 'withdrawn')),
    constraint proposals_outcome_known check (outcome in ('approved', 'rejected')),
    constraint proposals_people_normal check (proposed_by = review.person(proposed_by) and closed_by = review.person(closed_by)),
    constraint proposals_second_is_another check (closed_as <> 'confirmed' or review.person(closed_by) <> review.person(proposed_by))
);
create index proposals_by_application on review.proposals (application_id);
create unique index proposals_one_open_per_application on review.proposals (application_id) where closed_as is null;
comment on table review.proposals is 'Decisions that wait, or waited, for a second person';
comment on column review.proposals.proposal_id is 'Identity';
comment on column review.proposals.application_id is 'The application';
comment on column review.proposals.outcome is 'approved or rejected';
comment on column review.proposals.reason_code is 'Why it is to be rejected';
comment on column review.proposals.override_reason is 'Why it goes against the computed eligibility, or at this cost';
comment on column review.proposals.rationale is 'The first person''s reasons, internal';
comment on column review.proposals.message_to_applicant is 'The proposed message to the applicant';
comment on column review.proposals.rebate_rate is 'Approvals only: share of net fees as a fraction';
comment on column review.proposals.reapply is 'Rejections: the rule for applying again';
comment on column review.proposals.is_override is 'Whether it goes against the computed eligibility';
comment on column review.proposals.needed_for is 'Why a second person is needed';
comment on column review.proposals.seen is 'The facts that the first person saw; it expires when they change';
comment on column review.proposals.proposed_by is 'The first person';
comment on column review.proposals.proposed_at is 'When it was proposed';
comment on column review.proposals.closed_as is 'confirmed, declined, cancelled, lapsed or withdrawn; null while it waits';
comment on column review.proposals.closed_by is 'Who closed it; null if it expired or was withdrawn upstream';
comment on column review.proposals.closed_at is 'When it was closed';

create table review.events (
    event_id bigint generated always as identity,
    application_id bigint not null,
    kind text not null,
    actor text not null,
    at timestamptz not null default now(),
    detail jsonb not null default '{}',
    constraint events_pkey primary key (event_id),
    constraint events_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint events_people_normal check (actor = review.person(actor))
);
create index events_by_application on review.events (application_id, at);
create index events_by_time on review.events (at) include (application_id, actor);
create index events_of_reopening on review.events (at) where kind = 'reopened';
create trigger append_only before delete or update or truncate on review.events for each statement execute function review.refuse_change();
alter table review.events enable always trigger append_only;
comment on table review.events is 'The timeline of an application, with old and new values; append-only';
comment on column review.events.event_id is 'Identity';
comment on column review.events.application_id is 'The application it happened to';
comment on column review.events.kind is 'The kind of the event';
comment on column review.events.actor is 'Who did it';
comment on column review.events.at is 'When it happened';
comment on column review.events.detail is 'Old and new values';

create table review.bulk_runs (
    request_id uuid not null,
    actor text not null,
    act text not null,
    at timestamptz not null,
    finished_at timestamptz,
    asked bigint[] not null,
    content text not null default '',
    results jsonb not null default '[]',
    constraint bulk_runs_pkey primary key (request_id),
    constraint bulk_runs_people_normal check (actor = review.person(actor))
);
create index bulk_runs_by_actor on review.bulk_runs (actor, at);
comment on table review.bulk_runs is 'Bulk runs, with the result for each application';
comment on column review.bulk_runs.request_id is 'The form''s id; the request id of each application is derived from it';
comment on column review.bulk_runs.actor is 'Who started it';
comment on column review.bulk_runs.act is 'The act';
comment on column review.bulk_runs.at is 'When it started';
comment on column review.bulk_runs.finished_at is 'When it ended; null while it runs or if it was interrupted';
comment on column review.bulk_runs.asked is 'The applications in the run';
comment on column review.bulk_runs.content is 'A digest of the form''s content; a repeat must have the same';
comment on column review.bulk_runs.results is 'One entry per application: its id, whether it was done, and the sentence';

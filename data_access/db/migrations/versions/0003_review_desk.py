"""The review desk: who works on what, what waits for whom, and what the policy asks.

Down drops the desk's own state; it refuses while decisions say what only the new columns hold.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

POLICIES = """
alter table review.policies
    add column claim_idle_minutes integer not null default 30,
    add column checklist text[] not null default '{identity_and_account,owns_social_account,not_api_broker,no_self_referral,no_prior_ban,audience_real,promotion_methods,jurisdiction,external_volume_proven}',
    add column required_checks text[] not null default '{identity_and_account,owns_social_account,not_api_broker,no_self_referral,no_prior_ban}',
    add column second_approval_for_overrides boolean not null default true,
    add column second_approval_monthly_extra_usd numeric(20, 2) default 10000.00,
    add constraint policies_desk_settings_sensible check (
        claim_idle_minutes > 0 and required_checks <@ checklist
        and (second_approval_monthly_extra_usd is null or second_approval_monthly_extra_usd >= 0));
comment on column review.policies.claim_idle_minutes is 'Minutes without an act after which a claim lapses';
comment on column review.policies.checklist is 'Due-diligence items to answer, in order';
comment on column review.policies.required_checks is 'Those that must be passed or not applicable before an approval';
comment on column review.policies.second_approval_for_overrides is 'Whether a decision against the computed eligibility needs a second person';
comment on column review.policies.second_approval_monthly_extra_usd is 'Extra rebate cost a month in USD from which an approval needs a second person; null: never';
"""

DECISIONS = """
alter table review.decisions
    add column override_reason text,
    add column reapply text,
    add column reapply_from date,
    add constraint decisions_reapply_only_when_rejected check (outcome = 'rejected' or (reapply is null and reapply_from is null));
comment on column review.decisions.override_reason is 'Why it was decided against the computed eligibility or at high cost';
comment on column review.decisions.reapply is 'Rejections: the rule for applying again';
comment on column review.decisions.reapply_from is 'Rejections: the first UTC day on which one may apply again; null with the rule never';
"""

DESK = """
-- Settled applications, the latest first; null where upstream never said when.
create index applications_settled on exchange.applications (status, status_changed_at desc nulls last, application_id desc)
    where status <> 'pending';
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
    constraint desk_application_id_fkey foreign key (application_id) references exchange.applications (application_id) on delete no action,
    constraint desk_assignee_fkey foreign key (assignee) references review.staff (email) on delete no action,
    constraint desk_status_known check (status in ('pending', 'more_info_needed', 'deferred', 'awaiting_second_approval')),
    constraint desk_claim_whole check ((assignee is null) = (claimed_at is null) and (claim_until is null or assignee is not null)),
    constraint desk_pause_while_asking check ((status = 'more_info_needed') = (paused_at is not null)),
    constraint desk_deferral_has_an_end check ((status = 'deferred') = (deferred_until is not null or deferred_answers is not null))
);
create index desk_by_assignee on review.desk (assignee) where assignee is not null;
create index desk_set_aside on review.desk (status) where status <> 'pending';
comment on table review.desk is 'The desk''s state of an application that was touched; without a row it is pending, unclaimed, its clock running since it was submitted';
comment on column review.desk.application_id is 'The application';
comment on column review.desk.status is 'What an application that is pending upstream waits for here';
comment on column review.desk.status_at is 'Since when';
comment on column review.desk.assignee is 'Who works on it';
comment on column review.desk.claimed_at is 'Since when';
comment on column review.desk.claim_until is 'When the claim lapses unless the assignee acts; null: assigned by a colleague, does not lapse';
comment on column review.desk.clock_from is 'From when the review clock counts, where a pause has moved it; null: since it was submitted';
comment on column review.desk.paused_at is 'When the clock stopped because the applicant owes information';
comment on column review.desk.answered_at is 'When an applicant''s answer was last recorded';
comment on column review.desk.deferred_until is 'When a deferred application returns by itself';
comment on column review.desk.deferred_answers is 'Every criterion''s answer when it was deferred; another answer brings it back; null: only the date does';

create table review.viewers (
    application_id bigint not null,
    email text not null,
    seen_at timestamptz not null,
    constraint viewers_pkey primary key (application_id, email)
);
comment on table review.viewers is 'Who has an application open; a row counts while it is fresh';
comment on column review.viewers.application_id is 'The application';
comment on column review.viewers.email is 'Who looks';
comment on column review.viewers.seen_at is 'When their page last said so';

create table review.proposals (
    proposal_id bigint generated always as identity,
    application_id bigint not null,
    outcome text not null,
    reason_code text,
    override_reason text not null,
    rationale text not null,
    message_to_applicant text not null,
    rebate_rate numeric(5, 4),
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
    constraint proposals_application_id_fkey foreign key (application_id) references exchange.applications (application_id) on delete no action,
    constraint proposals_outcome_known check (outcome in ('approved', 'rejected')),
    constraint proposals_closing_known check (closed_as in ('confirmed', 'declined', 'cancelled', 'lapsed', 'withdrawn')),
    constraint proposals_closed_whole check ((closed_as is null) = (closed_at is null)),
    constraint proposals_second_is_another check (closed_as <> 'confirmed' or closed_by <> proposed_by)
);
create unique index proposals_one_open_per_application on review.proposals (application_id) where closed_as is null;
create index proposals_by_application on review.proposals (application_id);
comment on table review.proposals is 'Decisions that wait, or waited, for a second person';
comment on column review.proposals.proposal_id is 'Counts up';
comment on column review.proposals.application_id is 'The application';
comment on column review.proposals.outcome is 'approved or rejected';
comment on column review.proposals.reason_code is 'Why it is to be rejected';
comment on column review.proposals.override_reason is 'Why against the computed eligibility, or at this cost';
comment on column review.proposals.rationale is 'The first person''s reasons, internal';
comment on column review.proposals.message_to_applicant is 'What the applicant is to be told';
comment on column review.proposals.rebate_rate is 'Approvals only: share of net fees as a fraction';
comment on column review.proposals.reapply is 'Rejections: the rule for applying again';
comment on column review.proposals.is_override is 'Whether it goes against the computed eligibility';
comment on column review.proposals.needed_for is 'What calls for a second person';
comment on column review.proposals.seen is 'What the first person saw; anything else lapses it';
comment on column review.proposals.proposed_by is 'The first person';
comment on column review.proposals.proposed_at is 'When they asked';
comment on column review.proposals.closed_as is 'confirmed, declined, cancelled, lapsed or withdrawn; null while it waits';
comment on column review.proposals.closed_by is 'Who closed it; null where the data did';
comment on column review.proposals.closed_at is 'When';

create table review.saved_views (
    view_id bigint generated always as identity,
    owner text not null,
    name text not null,
    shared boolean not null default false,
    query text not null,
    created_at timestamptz not null,
    constraint saved_views_pkey primary key (view_id),
    constraint saved_views_owner_fkey foreign key (owner) references review.staff (email) on delete no action
);
create unique index saved_views_one_name_per_owner on review.saved_views (owner, lower(name));
comment on table review.saved_views is 'Views of the queue under a name';
comment on column review.saved_views.view_id is 'Counts up';
comment on column review.saved_views.owner is 'Who saved it';
comment on column review.saved_views.name is 'What it is called; typed text';
comment on column review.saved_views.shared is 'Whether colleagues see it';
comment on column review.saved_views.query is 'The view as the address bar writes it';
comment on column review.saved_views.created_at is 'When';

create table review.preferences (
    email text not null,
    name text not null,
    value jsonb not null,
    constraint preferences_pkey primary key (email, name)
);
comment on table review.preferences is 'What a person set for themselves';
comment on column review.preferences.email is 'Who';
comment on column review.preferences.name is 'Which setting';
comment on column review.preferences.value is 'Its value';

create table review.holidays (
    day date not null,
    name text not null,
    constraint holidays_pkey primary key (day)
);
comment on table review.holidays is 'UTC days, beside weekends, on which the review clock stands still';
comment on column review.holidays.day is 'The UTC day';
comment on column review.holidays.name is 'What it is called; typed text';

create table review.conflicts (
    conflict_id bigint generated always as identity,
    email text not null,
    account_id bigint not null,
    reason text not null,
    recorded_by text not null,
    recorded_at timestamptz not null,
    constraint conflicts_pkey primary key (conflict_id),
    constraint conflicts_email_fkey foreign key (email) references review.staff (email) on delete no action,
    constraint conflicts_account_id_fkey foreign key (account_id) references exchange.accounts (account_id) on delete no action
);
create index conflicts_by_account on review.conflicts (account_id, email);
comment on table review.conflicts is 'Who may not decide about whom; append-only';
comment on column review.conflicts.conflict_id is 'Counts up';
comment on column review.conflicts.email is 'The member of staff';
comment on column review.conflicts.account_id is 'The applicant''s account';
comment on column review.conflicts.reason is 'Why; typed text';
comment on column review.conflicts.recorded_by is 'Who said so';
comment on column review.conflicts.recorded_at is 'When';

create table review.bulk_runs (
    request_id uuid not null,
    actor text not null,
    act text not null,
    at timestamptz not null,
    finished_at timestamptz,
    asked bigint[] not null,
    content text not null default '',
    results jsonb not null default '[]',
    constraint bulk_runs_pkey primary key (request_id)
);
create index bulk_runs_by_actor on review.bulk_runs (actor, at);
comment on table review.bulk_runs is 'Acts on many applications at once, with what became of each';
comment on column review.bulk_runs.request_id is 'The form''s id; each application''s own request follows from it';
comment on column review.bulk_runs.actor is 'Who';
comment on column review.bulk_runs.act is 'What was done';
comment on column review.bulk_runs.at is 'When it began';
comment on column review.bulk_runs.finished_at is 'When it ended; null while it runs or if it was cut off';
comment on column review.bulk_runs.asked is 'The applications it was asked for';
comment on column review.bulk_runs.content is 'A digest of what was typed and chosen; a repeat must ask for the same';
comment on column review.bulk_runs.results is 'Application, done or not, and the sentence, one entry each';
"""

HOLD_JUDGMENTS = ("review.proposals", "review.conflicts")
TABLES = (
    "bulk_runs",
    "conflicts",
    "holidays",
    "preferences",
    "saved_views",
    "proposals",
    "viewers",
    "desk",
)


def upgrade() -> None:
    op.execute(POLICIES)
    op.execute(DECISIONS)
    op.execute(DESK)


def downgrade() -> None:
    for table in HOLD_JUDGMENTS:
        _refuse_while(f"select 1 from {table} limit 1", f"{table} holds rows")
    _refuse_while(
        "select 1 from review.decisions where override_reason is not null or reapply is not null limit 1",
        "review.decisions holds reasons and rules that only this revision has columns for",
    )
    op.execute("drop index exchange.applications_settled")
    op.execute("; ".join(f"drop table review.{table}" for table in TABLES))
    op.execute(
        "alter table review.decisions drop column override_reason, drop column reapply, "
        "drop column reapply_from"
    )
    op.execute(
        "alter table review.policies drop column claim_idle_minutes, "
        "drop column checklist, drop column required_checks, "
        "drop column second_approval_for_overrides, drop column second_approval_monthly_extra_usd"
    )


def _refuse_while(held: str, what: str) -> None:
    if op.get_bind().exec_driver_sql(held).first() is not None:
        raise RuntimeError(f"{what} and nothing could bring them back. Dump the database first.")

"""Affiliates after their approval: monthly tests, standings, and how cohorts turned out.

Down drops what a refresh brings back; it refuses while standings or tests of months are held.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

POLICIES = """
alter table review.policies
    add column requalification_misses integer not null default 3,
    add column requalification_protection_months integer not null default 3,
    add column requalification_silent boolean not null default true,
    add constraint policies_requalification_sensible check (
        requalification_misses between 1 and 12 and requalification_protection_months between 0 and 24);
comment on column review.policies.requalification_misses is 'Months missed in a row from which a suspension is suggested';
comment on column review.policies.requalification_protection_months is 'Whole months after the month of the approval whose misses do not count';
comment on column review.policies.requalification_silent is 'Whether affiliates are not written to when their standing changes';
"""

TESTS = """
create table review.requalifications (
    requalification_id bigint generated always as identity,
    account_id bigint not null,
    application_id bigint not null,
    month date not null,
    outcome text not null,
    near boolean not null,
    volume_usd numeric(24, 2),
    active_users integer,
    new_users integer,
    x_followers numeric,
    external_volume_usd numeric,
    policy_version integer not null,
    tested_at timestamptz not null,
    supersedes bigint,
    constraint requalifications_pkey primary key (requalification_id),
    constraint requalifications_policy_version_fkey foreign key (policy_version) references review.policies (version) on delete no action,
    constraint requalifications_supersedes_fkey foreign key (supersedes) references review.requalifications (requalification_id) on delete no action,
    constraint requalifications_supersedes_once unique (supersedes),
    constraint requalifications_outcome_known check (outcome in ('met', 'not_met', 'unknown')),
    constraint requalifications_month_is_a_first check (extract(day from month) = 1)
);
create unique index requalifications_one_first on review.requalifications (account_id, month) where supersedes is null;
create index requalifications_by_account on review.requalifications (account_id, month, requalification_id desc);
create index requalifications_by_month on review.requalifications (month);
comment on table review.requalifications is 'What each whole calendar month came to for an approved affiliate; append-only, a late correction leaves a new row';
comment on column review.requalifications.requalification_id is 'Counts up';
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
comment on column review.requalifications.policy_version is 'The policy in force at the month''s end, which judged';
comment on column review.requalifications.tested_at is 'When the refresh tested it';
comment on column review.requalifications.supersedes is 'The earlier result of the same month that this one corrects';

create table review.affiliate_tested (
    account_id bigint not null,
    application_id bigint not null,
    decision_id bigint not null,
    approved_at timestamptz not null,
    month date,
    outcome text,
    near boolean not null default false,
    volume_usd numeric(24, 2),
    missed date[] not null default '{}',
    constraint affiliate_tested_pkey primary key (account_id)
);
comment on table review.affiliate_tested is 'Every approved affiliate with its newest test and the months missed since the last pass; written by the refresh';
comment on column review.affiliate_tested.account_id is 'The affiliate';
comment on column review.affiliate_tested.application_id is 'The approved application, the newest of several';
comment on column review.affiliate_tested.decision_id is 'The approval that stands';
comment on column review.affiliate_tested.approved_at is 'When it was approved';
comment on column review.affiliate_tested.month is 'The newest month that was tested; null: none yet';
comment on column review.affiliate_tested.outcome is 'How that month came out';
comment on column review.affiliate_tested.near is 'Whether that was near';
comment on column review.affiliate_tested.volume_usd is 'That month''s referral volume, USD';
comment on column review.affiliate_tested.missed is 'Months missed since the last pass, in order; from which on they count, the policy and the last way back say';
"""

STANDINGS = """
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
    constraint affiliate_standings_account_id_fkey foreign key (account_id) references exchange.accounts (account_id) on delete no action,
    constraint affiliate_standings_status_known check (status in ('active', 'on_notice', 'suspended', 'terminated'))
);
comment on table review.affiliate_standings is 'How an affiliate that somebody has moved stands; without a row it is active';
comment on column review.affiliate_standings.account_id is 'The affiliate';
comment on column review.affiliate_standings.status is 'active, on_notice, suspended or terminated';
comment on column review.affiliate_standings.since is 'Since when';
comment on column review.affiliate_standings.changed_by is 'Who changed it last';
comment on column review.affiliate_standings.reason_code is 'Why';
comment on column review.affiliate_standings.reason is 'Why, in their words, internal; typed text';
comment on column review.affiliate_standings.misses is 'Months missed in a row at that moment';
comment on column review.affiliate_standings.count_from is 'The month of the last way back, from which misses count anew';

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
    constraint affiliate_events_account_id_fkey foreign key (account_id) references exchange.accounts (account_id) on delete no action,
    constraint affiliate_events_application_id_fkey foreign key (application_id) references exchange.applications (application_id) on delete no action
);
create index affiliate_events_by_account on review.affiliate_events (account_id, affiliate_event_id);
comment on table review.affiliate_events is 'Every change of an affiliate''s standing; append-only';
comment on column review.affiliate_events.affiliate_event_id is 'Counts up';
comment on column review.affiliate_events.account_id is 'The affiliate';
comment on column review.affiliate_events.application_id is 'The approved application, whose timeline tells it too';
comment on column review.affiliate_events.at is 'When';
comment on column review.affiliate_events.actor is 'Who';
comment on column review.affiliate_events.kind is 'put_on_notice, suspended, restored, terminated, reinstated or undone';
comment on column review.affiliate_events.old is 'The standing before';
comment on column review.affiliate_events.new is 'The standing after';
comment on column review.affiliate_events.reason_code is 'Why';
comment on column review.affiliate_events.reason is 'Why, in their words, internal; typed text';
comment on column review.affiliate_events.misses is 'Months missed in a row at that moment';
comment on column review.affiliate_events.suggested is 'What the tests suggested then; null: nothing';
comment on column review.affiliate_events.silent is 'Whether the affiliate was not written to';
comment on column review.affiliate_events.request_id is 'The form''s id';
"""

OUTCOMES = """
create table review.affiliate_outcomes (
    decision_id bigint not null,
    horizon_days integer not null,
    account_id bigint not null,
    window_start date,
    window_end date,
    volume_usd numeric(24, 2),
    active_users integer,
    new_users integer,
    outcome text not null,
    constraint affiliate_outcomes_pkey primary key (decision_id, horizon_days)
);
comment on table review.affiliate_outcomes is 'What became of approvals: the 30 days that end so many days after; written by the refresh';
comment on column review.affiliate_outcomes.decision_id is 'The approval';
comment on column review.affiliate_outcomes.horizon_days is '30, 60 or 90 days after it; 0 is the figures at application, from the decision''s snapshot';
comment on column review.affiliate_outcomes.account_id is 'The affiliate';
comment on column review.affiliate_outcomes.window_start is 'First UTC day of the 30';
comment on column review.affiliate_outcomes.window_end is 'The day after the last';
comment on column review.affiliate_outcomes.volume_usd is 'Referral volume of those days, USD; null: unknown';
comment on column review.affiliate_outcomes.active_users is 'Distinct referred users with volume in those days; null: unknown';
comment on column review.affiliate_outcomes.new_users is 'Users referred in those days; null: unknown';
comment on column review.affiliate_outcomes.outcome is 'met, not_met or unknown, by the policy they were approved under';
"""

CHANNEL = "comment on column review.outbox.channel is 'The applicant''s contact platform{}'"
NO_MAILER = "; backend: for the exchange alone, no mailer takes it"

HOLD_JUDGMENTS = (
    "review.affiliate_events",
    "review.affiliate_standings",
    "review.requalifications",
)
TABLES = (
    "affiliate_outcomes",
    "affiliate_events",
    "affiliate_standings",
    "affiliate_tested",
    "requalifications",
)


def upgrade() -> None:
    for part in (POLICIES, TESTS, STANDINGS, OUTCOMES):
        op.execute(part)
    op.execute(CHANNEL.format(NO_MAILER))


def downgrade() -> None:
    for table in HOLD_JUDGMENTS:
        held = op.get_bind().exec_driver_sql(f"select 1 from {table} limit 1").first()
        if held is not None:
            raise RuntimeError(
                f"{table} holds rows and nothing could bring them back. Dump the database first."
            )
    op.execute(CHANNEL.format(""))
    op.execute("; ".join(f"drop table review.{table}" for table in TABLES))
    op.execute(
        "alter table review.policies drop column requalification_misses, "
        "drop column requalification_protection_months, drop column requalification_silent"
    )

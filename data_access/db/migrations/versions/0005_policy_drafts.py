"""Drafts of the next policy, and the trail of who drafted, proposed and confirmed it.

Down refuses while either holds rows, since nothing could bring them back.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DRAFTS = """
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
    constraint policy_drafts_base_version_fkey foreign key (base_version) references review.policies (version) on delete no action,
    constraint policy_drafts_version_fkey foreign key (version) references review.policies (version) on delete no action,
    constraint policy_drafts_author_fkey foreign key (author) references review.staff (email) on delete no action,
    constraint policy_drafts_version_once unique (version),
    constraint policy_drafts_closing_known check (closed_as in ('published', 'discarded')),
    constraint policy_drafts_closed_whole check ((closed_as is null) = (closed_at is null) and (closed_as is null) = (closed_by is null)),
    constraint policy_drafts_published_whole check ((closed_as is not distinct from 'published') = (version is not null)),
    constraint policy_drafts_second_is_another check (closed_as is distinct from 'published' or closed_by <> author)
);
create unique index policy_drafts_one_open_per_author on review.policy_drafts (author) where closed_as is null;
comment on table review.policy_drafts is 'The next policy as somebody writes it; a published one names its version';
comment on column review.policy_drafts.draft_id is 'Counts up';
comment on column review.policy_drafts.revision is 'Counts its changes; what is confirmed is what was looked at';
comment on column review.policy_drafts.base_version is 'The version it was written against';
comment on column review.policy_drafts.settings is 'Every setting by name, numbers as text';
comment on column review.policy_drafts.note is 'Why the policy changes; typed text';
comment on column review.policy_drafts.effective_from is 'When it is to rule; null: once it is confirmed';
comment on column review.policy_drafts.author is 'Who writes and proposes it';
comment on column review.policy_drafts.saved_at is 'When it was last saved';
comment on column review.policy_drafts.proposed_at is 'Since when it waits for a second manager; null while it is written';
comment on column review.policy_drafts.closed_as is 'published or discarded; null while it is open';
comment on column review.policy_drafts.closed_by is 'Who confirmed or discarded it';
comment on column review.policy_drafts.closed_at is 'When';
comment on column review.policy_drafts.reason is 'Why a second manager last declined it; typed text';
comment on column review.policy_drafts.version is 'The version it became';

create table review.policy_events (
    event_id bigint generated always as identity,
    draft_id bigint not null,
    kind text not null,
    actor text not null,
    at timestamptz not null,
    detail jsonb not null default '{}',
    request_id uuid not null,
    asked jsonb not null,
    result bigint not null,
    constraint policy_events_pkey primary key (event_id),
    constraint policy_events_draft_id_fkey foreign key (draft_id) references review.policy_drafts (draft_id) on delete no action,
    constraint policy_events_request_id_once unique (request_id),
    constraint policy_events_kind_known check (kind in ('drafted', 'saved', 'discarded', 'proposed', 'confirmed', 'declined', 'cancelled'))
);
create index policy_events_by_draft on review.policy_events (draft_id, event_id);
comment on table review.policy_events is 'Who drafted, proposed and confirmed which policy; append-only';
comment on column review.policy_events.event_id is 'Counts up';
comment on column review.policy_events.draft_id is 'The draft it happened to';
comment on column review.policy_events.kind is 'What happened';
comment on column review.policy_events.actor is 'Who did it';
comment on column review.policy_events.at is 'When';
comment on column review.policy_events.detail is 'Old and new values';
comment on column review.policy_events.request_id is 'Made when the form was shown; a repeat returns the first result';
comment on column review.policy_events.asked is 'What was asked, to tell a repeat from another form under the same id';
comment on column review.policy_events.result is 'Id of the draft, or the version that was published';
"""


def upgrade() -> None:
    op.execute(DRAFTS)


def downgrade() -> None:
    for table in ("review.policy_events", "review.policy_drafts"):
        if op.get_bind().exec_driver_sql(f"select 1 from {table} limit 1").first() is not None:
            raise RuntimeError(
                f"{table} holds rows and nothing could bring them back. Dump the database first."
            )
    op.execute("drop table review.policy_events, review.policy_drafts")

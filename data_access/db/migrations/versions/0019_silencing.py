"""Telling applicants less takes two people: what the first one asked for waits here.

Down refuses while a proposal is recorded, since nothing could bring it back.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UP = """
create table review.delivery_proposals (
    proposal_id bigint generated always as identity,
    shown_version integer not null,
    settings jsonb not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    closed_as text,
    closed_by text,
    closed_at timestamptz,
    constraint delivery_proposals_pkey primary key (proposal_id),
    constraint delivery_proposals_closing_known check (closed_as in ('confirmed', 'declined')),
    constraint delivery_proposals_closed_whole check ((closed_as is null) = (closed_at is null) and (closed_as is null) = (closed_by is null)),
    constraint delivery_proposals_people_normal check (proposed_by = review.person(proposed_by) and closed_by = review.person(closed_by)),
    constraint delivery_proposals_second_is_another check (closed_as is distinct from 'confirmed' or closed_by <> proposed_by)
);
create unique index delivery_proposals_one_open on review.delivery_proposals ((closed_as is null)) where closed_as is null;
comment on table review.delivery_proposals is 'Delivery settings that tell applicants less and wait, or waited, for a second person';
comment on column review.delivery_proposals.proposal_id is 'Counts up';
comment on column review.delivery_proposals.shown_version is 'The version of the settings it was written against';
comment on column review.delivery_proposals.settings is 'Every setting by name, with the note';
comment on column review.delivery_proposals.proposed_by is 'The first person';
comment on column review.delivery_proposals.proposed_at is 'When';
comment on column review.delivery_proposals.closed_as is 'confirmed or declined; null while it waits';
comment on column review.delivery_proposals.closed_by is 'Who confirmed or declined it';
comment on column review.delivery_proposals.closed_at is 'When';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    held = op.get_bind().exec_driver_sql("select 1 from review.delivery_proposals limit 1").first()
    if held is not None:
        raise RuntimeError(
            "review.delivery_proposals holds rows and nothing could bring them back. "
            "Dump the database first."
        )
    op.execute("drop table review.delivery_proposals")

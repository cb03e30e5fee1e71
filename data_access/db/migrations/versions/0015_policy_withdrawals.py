"""A scheduled version of the policy can be withdrawn, and a version can begin before a scheduled one.

What rules at a moment is asked of one function. Down refuses while a withdrawal is recorded, since
without it the version would rule.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = """
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
    constraint policy_withdrawals_version_fkey foreign key (version) references review.policies (version) on delete no action,
    constraint policy_withdrawals_closing_known check (closed_as in ('withdrawn', 'declined', 'cancelled')),
    constraint policy_withdrawals_closed_whole check ((closed_as is null) = (closed_at is null) and (closed_as is null) = (closed_by is null)),
    constraint policy_withdrawals_people_normal check (proposed_by = review.person(proposed_by) and closed_by = review.person(closed_by)),
    constraint policy_withdrawals_second_is_another check (closed_as is distinct from 'withdrawn' or closed_by <> proposed_by)
);
create unique index policy_withdrawals_one_open on review.policy_withdrawals (version) where closed_as is null;
create unique index policy_withdrawals_once on review.policy_withdrawals (version) where closed_as = 'withdrawn';
comment on table review.policy_withdrawals is 'Scheduled versions of the policy that two managers took back, or were asked to';
comment on column review.policy_withdrawals.withdrawal_id is 'Counts up';
comment on column review.policy_withdrawals.version is 'The version';
comment on column review.policy_withdrawals.reason is 'Why it is to be withdrawn; typed text';
comment on column review.policy_withdrawals.proposed_by is 'The first manager';
comment on column review.policy_withdrawals.proposed_at is 'When they asked';
comment on column review.policy_withdrawals.closed_as is 'withdrawn, declined or cancelled; null while it waits for a second manager';
comment on column review.policy_withdrawals.closed_by is 'The second manager; the first one where it was cancelled';
comment on column review.policy_withdrawals.closed_at is 'When';
comment on column review.policy_withdrawals.closing_reason is 'Why it was declined or cancelled; typed text';
"""
IN_FORCE = """
create function review.policy_in_force(moment timestamptz) returns integer
    language sql stable strict parallel safe
    return (
        select version from review.policies
        where effective_from <= moment and not exists (
            select from review.policy_withdrawals gone
            where gone.version = policies.version and gone.closed_as = 'withdrawn')
        order by effective_from desc, version desc limit 1);
comment on function review.policy_in_force(timestamptz) is 'Which version rules: of those in effect and not withdrawn the one that began last, of equals the highest';
comment on column review.policies.version is 'Counts up; review.policy_in_force says which one rules';
"""
KINDS = """
alter table review.policy_events drop constraint policy_events_kind_known,
    add constraint policy_events_kind_known check (kind in ('drafted', 'saved', 'discarded', 'proposed', 'confirmed', 'declined', 'cancelled'{more}));
"""
WITHDRAWALS = ", 'withdrawal_proposed', 'withdrawn', 'withdrawal_declined'"
DRAFT = "comment on column review.policy_events.draft_id is '{}'"


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(IN_FORCE)
    op.execute(KINDS.format(more=WITHDRAWALS))
    op.execute("alter table review.policy_events alter column draft_id drop not null")
    op.execute(DRAFT.format("The draft it happened to; null where a version is withdrawn"))


def downgrade() -> None:
    held = op.get_bind().exec_driver_sql("select count(*) from review.policy_withdrawals").scalar()
    if held:
        raise RuntimeError("review.policy_withdrawals holds rows; down would lose them.")
    op.execute(DRAFT.format("The draft it happened to"))
    op.execute("alter table review.policy_events alter column draft_id set not null")
    op.execute(KINDS.format(more=""))
    op.execute("drop function review.policy_in_force(timestamptz)")
    op.execute("comment on column review.policies.version is 'Counts up; the highest version in effect rules'")
    op.execute("drop table review.policy_withdrawals")

"""Who changed the holidays, when, why and with which effect; rows are only added.

Down refuses while it holds rows, since nothing could bring them back.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UP = """
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
    constraint holiday_changes_reason_present check (btrim(reason) <> ''),
    constraint holiday_changes_people_normal check (actor = review.person(actor))
);
create index holiday_changes_by_day on review.holiday_changes (day, change_id);
comment on table review.holiday_changes is 'What was changed of the holidays; append-only';
comment on column review.holiday_changes.change_id is 'Counts up';
comment on column review.holiday_changes.day is 'The UTC day';
comment on column review.holiday_changes.kind is 'added, renamed or removed';
comment on column review.holiday_changes.old_name is 'What it was called; null where it was no holiday';
comment on column review.holiday_changes.new_name is 'What it is called; null where it is none any more';
comment on column review.holiday_changes.reason is 'Why; typed text';
comment on column review.holiday_changes.effect is 'Overdue applications before and after, which were confirmed; null for a coming day';
comment on column review.holiday_changes.actor is 'Who changed it';
comment on column review.holiday_changes.at is 'When';
comment on column review.holiday_changes.request_id is 'Made when the form was shown; a repeat changes nothing';
create trigger append_only before update or delete or truncate on review.holiday_changes
    for each statement execute function review.refuse_change();
alter table review.holiday_changes enable always trigger append_only;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    held = op.get_bind().exec_driver_sql("select 1 from review.holiday_changes limit 1").first()
    if held is not None:
        raise RuntimeError(
            "review.holiday_changes holds rows and nothing could bring them back. "
            "Dump the database first."
        )
    op.execute("drop table review.holiday_changes")

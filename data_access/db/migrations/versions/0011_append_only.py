"""What was judged, written and done can be added to, and never changed or removed.

The guard is a trigger, not a privilege taken away: a foreign key to a table whose owner may not
update it could not be checked any more. It holds for the owner and for cascades alike, and fires
in every replication role. Only who may alter the tables can switch it off, and `doctor` says so.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = (
    "notes", "evidence", "checks", "decisions", "events", "policies", "exports",
    "policy_events", "affiliate_events",
)
FUNCTION = """
create function review.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'review.% is append-only: rows are added, never changed or removed.', tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
comment on function review.refuse_change() is 'Keeps a table append-only';
"""
GUARD = """
create trigger append_only before update or delete or truncate on review.{table}
    for each statement execute function review.refuse_change();
alter table review.{table} enable always trigger append_only;
"""


KINDS = "comment on column review.message_templates.kind is '{}'"


def upgrade() -> None:
    op.execute(KINDS.format("What it says: one of program.delivery.MessageKind"))
    op.execute(FUNCTION)
    for table in TABLES:
        op.execute(GUARD.format(table=table))


def downgrade() -> None:
    op.execute(KINDS.format("What is announced: approved, rejected, information_requested, or other"))
    for table in TABLES:
        op.execute(f"drop trigger append_only on review.{table}")
    op.execute("drop function review.refuse_change()")

"""The whole schema, one file per subject in ``schema/``.

The downgrade refuses while any of these tables has rows, which could not be restored.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SUBJECTS = sorted((Path(__file__).resolve().parent.parent / "schema").glob("*.sql"))
# Tables whose rows could not be restored.
HOLD_JUDGMENTS = (
    "review.staff", "review.requests", "review.evidence", "review.notes", "review.checks",
    "review.decisions", "review.outbox", "review.events", "review.exports", "review.policy_drafts",
    "review.holiday_changes", "review.form_maps", "review.form_imports", "review.affiliate_events",
    "exchange.accounts",
)  # fmt: skip
DROP_ALL = """
do $$
begin
    execute (select string_agg(format('drop table %s cascade', c.oid::regclass), '; ')
        from pg_class c
        where c.relnamespace = 'review'::regnamespace and c.relkind in ('r', 'p')
            and not c.relispartition and c.relname <> 'alembic_version');
    execute (select string_agg(format('drop function if exists %s cascade', p.oid::regprocedure), '; ')
        from pg_proc p where p.pronamespace = 'review'::regnamespace);
end
$$
"""


def _run(statements: str) -> None:
    # The driver reads a single percent sign as a parameter.
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(subject.read_text(encoding="utf-8"))


def downgrade() -> None:
    for table in HOLD_JUDGMENTS:
        if op.get_bind().exec_driver_sql(f"select 1 from {table} limit 1").first() is not None:
            raise RuntimeError(
                f"{table} holds rows and nothing could bring them back. "
                "Dump the database, empty it, and then go down to base."
            )
    op.execute("drop schema report cascade")
    op.execute("drop schema exchange cascade")
    _run(DROP_ALL)

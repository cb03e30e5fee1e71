"""Views of the explore page beside those of the queue, and how each export ended.

Down refuses while something is held that only this revision has columns for.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP = """
alter table review.saved_views add column screen text not null default 'queue',
    add constraint saved_views_screen_known check (screen in ('queue', 'explore'));
drop index review.saved_views_one_name_per_owner;
create unique index saved_views_one_name_per_owner on review.saved_views (owner, screen, lower(name));
comment on column review.saved_views.screen is 'Which screen''s: queue or explore';
comment on table review.saved_views is 'Views of the queue and of the explore page under a name';

alter table review.exports add column outcome text not null default 'complete',
    add column view_name text,
    add constraint exports_outcome_known check (outcome in ('complete', 'cancelled', 'failed'));
comment on column review.exports.outcome is 'complete, cancelled by whoever asked, or failed; the rows are those that left until then';
comment on column review.exports.view_name is 'The saved view that was exported, where it was one';
"""
DOWN = """
drop index review.saved_views_one_name_per_owner;
alter table review.saved_views drop column screen;
create unique index saved_views_one_name_per_owner on review.saved_views (owner, lower(name));
comment on table review.saved_views is 'Views of the queue under a name';
alter table review.exports drop column outcome, drop column view_name;
"""
HELD = {
    "select 1 from review.saved_views where screen <> 'queue' limit 1": "views of the explore page",
    "select 1 from review.exports where outcome <> 'complete' or view_name is not null limit 1":
        "how exports ended",
}


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    for held, what in HELD.items():
        if op.get_bind().exec_driver_sql(held).first() is not None:
            raise RuntimeError(
                f"The database holds {what} and nothing could bring them back. Dump it first."
            )
    op.execute(DOWN)

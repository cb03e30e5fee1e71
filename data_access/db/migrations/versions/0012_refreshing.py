"""Indexes as every refresh needs them: what it looks up is in them.

Nothing that is stored changes.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UP = """
drop index exchange.referrals_by_time;
create index referrals_by_time on exchange.referrals (referred_at) include (affiliate_account_id);
drop index review.application_courses_not_settled;
create index application_courses_not_settled on review.application_courses (active_since, account_id)
    include (application_id) where status = 'approved' and decided_day is not null;
"""
DOWN = """
drop index review.application_courses_not_settled;
create index application_courses_not_settled on review.application_courses (active_since, account_id)
    where status = 'approved' and decided_day is not null;
drop index exchange.referrals_by_time;
create index referrals_by_time on exchange.referrals (referred_at);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)

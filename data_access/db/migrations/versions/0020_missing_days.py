"""With how many days missing a month or a period was judged.

Whatever was judged before counts as whole; the next refresh judges anew what was not. Down loses
only what a refresh can tell again.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The newest result of a month says with how many days missing it was tested last.
UP = """
alter table review.requalifications add column missing_days integer not null default 0;
alter table review.affiliate_outcomes add column missing_days integer not null default 0;
comment on column review.requalifications.missing_days is 'Days of the month of which nobody''s activity was delivered; with some, a figure short of its minimum is unknown';
comment on column review.affiliate_outcomes.missing_days is 'Days of the 30 of which nobody''s activity was delivered; with some, the figures are unknown';
drop index review.requalifications_by_month;
create index requalifications_by_month on review.requalifications (month, requalification_id);
"""
DOWN = """
drop index review.requalifications_by_month;
create index requalifications_by_month on review.requalifications (month);
alter table review.affiliate_outcomes drop column missing_days;
alter table review.requalifications drop column missing_days;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)

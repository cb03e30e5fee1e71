"""The program's figures: sums over all affiliates, and indexes by the moments that are counted.

Down drops only what a refresh and an index build bring back.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLLUPS = """
create table review.affiliate_segments (
    affiliate_account_id bigint not null,
    country text not null,
    track text not null,
    cohort text not null,
    rate text not null,
    granted datemultirange not null,
    constraint affiliate_segments_pkey primary key (affiliate_account_id)
);
comment on table review.affiliate_segments is 'Every affiliate with activity, and what its volume is told apart by; as the last refresh saw it';
comment on column review.affiliate_segments.affiliate_account_id is 'The affiliate';
comment on column review.affiliate_segments.country is 'Its country, or unknown';
comment on column review.affiliate_segments.track is 'The track its newest standing approval names, none where it names none, or not_approved';
comment on column review.affiliate_segments.cohort is 'The month of its newest standing approval, as YYYY-MM, or not_approved';
comment on column review.affiliate_segments.rate is 'The rebate rate of its newest standing approval, or standard';
comment on column review.affiliate_segments.granted is 'The UTC days on which it has that rate: from the approval''s own, without those it is suspended or terminated on';

create table review.segment_daily (
    dimension text not null,
    day date not null,
    segment text not null,
    affiliates bigint not null,
    volume_usd numeric(26, 2) not null,
    fees_usd numeric(26, 6) not null,
    trade_count bigint not null,
    active_users bigint not null,
    new_users bigint not null,
    constraint segment_daily_pkey primary key (dimension, day, segment),
    constraint segment_daily_dimension_known check (dimension in ('program', 'country', 'track', 'cohort', 'rate'))
);
comment on table review.segment_daily is 'Referral activity of all affiliates per UTC day, whole and told apart; sums of affiliate_daily';
comment on column review.segment_daily.dimension is 'By what it is told apart; program: not at all';
comment on column review.segment_daily.day is 'UTC day';
comment on column review.segment_daily.segment is 'One of the dimension''s values in affiliate_segments; all for the program; a rate only on the days it is granted on, else standard';
comment on column review.segment_daily.affiliates is 'Affiliates with activity or a new referral on the day';
comment on column review.segment_daily.volume_usd is 'Volume of all referred users, USD';
comment on column review.segment_daily.fees_usd is 'Net fees of all referred users, USD';
comment on column review.segment_daily.trade_count is 'Trades of all referred users';
comment on column review.segment_daily.active_users is 'Referred users with volume on the day; each has one affiliate, so they are distinct';
comment on column review.segment_daily.new_users is 'Users referred on the day';

create table review.program_monthly (
    month date not null,
    affiliates bigint not null,
    volume_usd numeric(26, 2) not null,
    fees_usd numeric(26, 6) not null,
    active_users bigint not null,
    new_users bigint not null,
    sum_of_squared_volumes numeric not null,
    constraint program_monthly_pkey primary key (month)
);
comment on table review.program_monthly is 'Referral activity of all affiliates per calendar month, up to the data-through day';
comment on column review.program_monthly.month is 'First day of the month';
comment on column review.program_monthly.affiliates is 'Affiliates with volume';
comment on column review.program_monthly.volume_usd is 'Volume of all referred users, USD';
comment on column review.program_monthly.fees_usd is 'Net fees of all referred users, USD';
comment on column review.program_monthly.active_users is 'Distinct referred users with volume in the month';
comment on column review.program_monthly.new_users is 'Users referred in the month';
comment on column review.program_monthly.sum_of_squared_volumes is 'Over affiliates, for concentration: divided by volume squared it is the Herfindahl index';

create table review.month_leaders (
    month date not null,
    affiliate_account_id bigint not null,
    volume_usd numeric(24, 2) not null,
    constraint month_leaders_pkey primary key (month, affiliate_account_id)
);
comment on table review.month_leaders is 'The hundred affiliates with the most volume of each calendar month';
comment on column review.month_leaders.month is 'First day of the month';
comment on column review.month_leaders.affiliate_account_id is 'The affiliate';
comment on column review.month_leaders.volume_usd is 'Its volume in the month, USD';

create table review.referral_cohorts (
    referral_month date not null,
    active_month date not null,
    active_users bigint not null,
    constraint referral_cohorts_pkey primary key (referral_month, active_month)
);
comment on table review.referral_cohorts is 'Users referred in one month who had volume in another; months that are complete at the data-through day';
comment on column review.referral_cohorts.referral_month is 'First day of the month in which they were referred';
comment on column review.referral_cohorts.active_month is 'First day of the month in which they had volume';
comment on column review.referral_cohorts.active_users is 'How many';

alter table review.refreshes
    add column decision_id bigint not null default 0,
    add column event_id bigint not null default 0;
comment on column review.refreshes.decision_id is 'The newest decision it has seen; 0 when there was none';
comment on column review.refreshes.event_id is 'The newest event it has seen; 0 when there was none';
"""

MOMENTS = """
create index applications_by_submission on exchange.applications (submitted_at) include (application_id, account_id, status, social_platform);
create index applications_by_leaving on exchange.applications (greatest(status_changed_at, submitted_at)) where status <> 'pending';
create index decisions_replaced on review.decisions (supersedes) where supersedes is not null;
create index decisions_at_a_glance on review.decisions (decided_at) include (decision_id, application_id, outcome, decided_by, is_override);
create index events_by_time on review.events (at) include (application_id, actor);
create index events_of_reopening on review.events (at) where kind = 'reopened';
create index notes_by_time on review.notes (created_at) include (application_id);
create index evidence_by_time on review.evidence (recorded_at) include (application_id);
create index checks_by_time on review.checks (created_at) include (application_id);
"""


def upgrade() -> None:
    op.execute(ROLLUPS)
    op.execute(MOMENTS)


def downgrade() -> None:
    for name in ("checks_by_time", "evidence_by_time", "notes_by_time", "events_of_reopening", "events_by_time", "decisions_at_a_glance", "decisions_replaced"):
        op.execute(f"drop index review.{name}")
    op.execute("drop index exchange.applications_by_leaving, exchange.applications_by_submission")
    op.execute("alter table review.refreshes drop column event_id, drop column decision_id")
    op.execute(
        "drop table review.referral_cohorts, review.month_leaders, review.program_monthly,"
        " review.segment_daily, review.affiliate_segments"
    )

"""What is derived from the facts: rollups, the state of the last refresh, search indexes.

Down drops only what a refresh and an index build bring back; no fact and no judgment is lost.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROLLUPS = """
create table review.refreshes (
    refresh_id bigint generated always as identity,
    data_through date not null,
    recomputed_from date not null,
    policy_version integer not null,
    window_kind text not null,
    window_start date not null,
    window_end date not null,
    load_id bigint not null,
    refreshed_at timestamptz not null,
    constraint refreshes_pkey primary key (refresh_id),
    constraint refreshes_policy_version_fkey foreign key (policy_version) references review.policies (version) on delete no action,
    constraint refreshes_window_ordered check (window_start < window_end)
);
comment on table review.refreshes is 'Every refresh that was finished; the newest says what the rollups show';
comment on column review.refreshes.refresh_id is 'Counts up';
comment on column review.refreshes.data_through is 'T, the last complete UTC day';
comment on column review.refreshes.recomputed_from is 'The earliest day this refresh computed anew';
comment on column review.refreshes.policy_version is 'The policy whose window and settings were used';
comment on column review.refreshes.window_kind is 'The policy''s month: trailing_30_days or calendar_month';
comment on column review.refreshes.window_start is 'First day of the window';
comment on column review.refreshes.window_end is 'The day after the window''s last';
comment on column review.refreshes.load_id is 'The newest load it has seen; 0 when there was none';
comment on column review.refreshes.refreshed_at is 'When it began; accounts first seen until then are covered';

create table review.affiliate_daily (
    affiliate_account_id bigint not null,
    day date not null,
    volume_usd numeric(24, 2) not null,
    fees_usd numeric(24, 6) not null,
    trade_count bigint not null,
    zero_fee_volume_usd numeric(24, 2) not null,
    active_users integer not null,
    new_users integer not null,
    constraint affiliate_daily_pkey primary key (affiliate_account_id, day)
        include (volume_usd, fees_usd, trade_count, zero_fee_volume_usd, new_users)
) partition by range (day);
create index affiliate_daily_by_day on review.affiliate_daily using brin (day) with (pages_per_range = 32);
comment on table review.affiliate_daily is 'Referral activity per affiliate and UTC day; one partition a month, made by the refresh';
comment on column review.affiliate_daily.affiliate_account_id is 'The affiliate';
comment on column review.affiliate_daily.day is 'UTC day';
comment on column review.affiliate_daily.volume_usd is 'Volume of all referred users, USD';
comment on column review.affiliate_daily.fees_usd is 'Net fees of all referred users, USD';
comment on column review.affiliate_daily.trade_count is 'Trades of all referred users';
comment on column review.affiliate_daily.zero_fee_volume_usd is 'Volume of the users without a positive net fee that day, USD';
comment on column review.affiliate_daily.active_users is 'Distinct referred users with volume on the day';
comment on column review.affiliate_daily.new_users is 'Users referred on the day';

create table review.affiliate_monthly (
    affiliate_account_id bigint not null,
    month date not null,
    volume_usd numeric(24, 2) not null,
    fees_usd numeric(24, 6) not null,
    trade_count bigint not null,
    active_users integer not null,
    new_users integer not null,
    constraint affiliate_monthly_pkey primary key (affiliate_account_id, month)
    -- The current month's rows change daily; room beside them spares the indexes.
) with (fillfactor = 60);
create index affiliate_monthly_by_month on review.affiliate_monthly (month);
comment on table review.affiliate_monthly is 'Referral activity per affiliate and calendar month, up to the data-through day';
comment on column review.affiliate_monthly.affiliate_account_id is 'The affiliate';
comment on column review.affiliate_monthly.month is 'First day of the month';
comment on column review.affiliate_monthly.volume_usd is 'Volume of all referred users, USD';
comment on column review.affiliate_monthly.fees_usd is 'Net fees of all referred users, USD';
comment on column review.affiliate_monthly.trade_count is 'Trades of all referred users';
comment on column review.affiliate_monthly.active_users is 'Distinct referred users with volume in the month';
comment on column review.affiliate_monthly.new_users is 'Users referred in the month';

create table review.affiliate_window (
    affiliate_account_id bigint not null,
    volume_usd numeric(24, 2) not null,
    fees_usd numeric(24, 6) not null,
    trade_count bigint not null,
    active_users integer not null,
    new_users integer not null,
    trading_days integer not null,
    largest_day_volume_usd numeric(24, 2) not null,
    top_user_volume_usd numeric(24, 2) not null,
    sum_of_squared_user_volumes numeric not null,
    users_over_1000_usd integer not null,
    zero_fee_volume_usd numeric(24, 2) not null,
    constraint affiliate_window_pkey primary key (affiliate_account_id)
        include (volume_usd, active_users, new_users)
);
comment on table review.affiliate_window is 'Referral metrics per affiliate over the policy''s window; an affiliate without a row has none';
comment on column review.affiliate_window.affiliate_account_id is 'The affiliate';
comment on column review.affiliate_window.volume_usd is 'Volume of all referred users, USD';
comment on column review.affiliate_window.fees_usd is 'Net fees of all referred users, USD';
comment on column review.affiliate_window.trade_count is 'Trades of all referred users';
comment on column review.affiliate_window.active_users is 'Distinct active users by the policy''s floor';
comment on column review.affiliate_window.new_users is 'New users by the policy''s rule';
comment on column review.affiliate_window.trading_days is 'Days with volume';
comment on column review.affiliate_window.largest_day_volume_usd is 'Volume of the busiest day, USD';
comment on column review.affiliate_window.top_user_volume_usd is 'Volume of the referred user with the most, USD';
comment on column review.affiliate_window.sum_of_squared_user_volumes is 'Over users, for concentration: divided by volume squared it is the Herfindahl index';
comment on column review.affiliate_window.users_over_1000_usd is 'Users with at least 1,000 USD of volume';
comment on column review.affiliate_window.zero_fee_volume_usd is 'Volume on user-days without a positive net fee, USD';
"""

# Days arrive one after another and so lie together: a few pages of index find one among millions.
DAYS = """
create index referral_activity_by_day on exchange.referral_activity using brin (activity_date) with (pages_per_range = 32);
"""

SEARCH = """
create extension if not exists pg_trgm;
create index accounts_username_search on exchange.accounts using gin (username gin_trgm_ops);
create index applications_handle_search on exchange.applications using gin (social_handle gin_trgm_ops, contact_handle gin_trgm_ops);
create index applications_pending_handle_search on exchange.applications
    using gin (social_handle gin_trgm_ops, contact_handle gin_trgm_ops) where status = 'pending';
-- What the queue asks of an account, answered without visiting the table.
create index accounts_at_a_glance on exchange.accounts (account_id) include (username, country_code);
"""


def upgrade() -> None:
    op.execute(ROLLUPS)
    op.execute(DAYS)
    op.execute(SEARCH)


def downgrade() -> None:
    op.execute("drop index exchange.accounts_at_a_glance")
    op.execute("drop index exchange.applications_pending_handle_search")
    op.execute("drop index exchange.applications_handle_search")
    op.execute("drop index exchange.accounts_username_search")
    op.execute("drop index exchange.referral_activity_by_day")
    op.execute("drop table review.affiliate_window, review.affiliate_monthly, review.affiliate_daily, review.refreshes")

-- Views for BI tools, read by the login analyst: no e-mail, no contact, no typed text.

create schema if not exists report;
comment on schema report is 'Views for BI tools, without contacts; names and units as in the exports';

create view report.applications as
with newest as (
    select data_through, window_start, window_end - 1 as window_end, refreshed_at
    from review.refreshes order by refresh_id desc limit 1
)
select application.application_id, application.account_id, account.username, account.country_code,
    account.kyc_status, application.social_platform, application.social_handle, application.submitted_at,
    application.status,
    -- A deferral that has ended and a claim that has expired need no write to be over.
    case when desk.status = 'deferred' and desk.deferred_until <= now() then 'pending'
         else coalesce(desk.status, application.status) end as desk_status,
    case when desk.claim_until is null or desk.claim_until > now() then desk.assignee end as assignee,
    newest.data_through, newest.window_start, newest.window_end,
    coalesce(metrics.volume_usd, covered.no_referrals) as volume_usd,
    coalesce(metrics.active_users, covered.no_referrals) as active_users,
    coalesce(metrics.new_users, covered.no_referrals) as new_users,
    standing.x_followers, standing.external_volume_usd,
    coalesce(decision.snapshot -> 'tracks' ->> 'on_exchange', case standing.on_exchange when true then 'met' when false then 'not_met' else 'unknown' end) as on_exchange,
    coalesce(decision.snapshot -> 'tracks' ->> 'external', case standing.external when true then 'met' when false then 'not_met' else 'unknown' end) as external,
    coalesce(decision.snapshot ->> 'outcome', case standing.eligible when true then 'met' when false then 'not_met' else 'unknown' end) as eligibility,
    coalesce(decision.snapshot ->> 'track', case when standing.on_exchange then 'on_exchange' when standing.external then 'external' end) as track,
    coalesce(decision.snapshot ->> 'risk_level', standing.risk_level, 'not_enough_data') as risk_level,
    case when decision.snapshot is not null then (
        select string_agg(signal ->> 'id', ';') from jsonb_array_elements(decision.snapshot -> 'risk_signals') as signal
        where signal ->> 'severity' in ('warn', 'high') and not (signal ->> 'dismissed')::boolean
    ) else nullif(array_to_string(standing.risk_signals, ';'), '') end as risk_signals,
    coalesce(decision.policy_version, basis.policy_version) as policy_version,
    decision.decided_at, decision.decided_by, decision.reason_code, decision.rebate_rate,
    decision.second_approver, decision.is_override, application.status_changed_at
from exchange.applications as application
join exchange.accounts as account using (account_id)
left join newest on true
left join review.desk as desk on desk.application_id = application.application_id and application.status = 'pending'
left join review.standings as standing on standing.application_id = application.application_id
left join review.standing_basis as basis on true
left join review.current_decisions as decision
    on decision.application_id = application.application_id and application.status <> 'pending'
left join review.affiliate_window as metrics on metrics.affiliate_account_id = application.account_id
cross join lateral (
    -- An account without a row has no referrals, which is a known zero once a refresh covers it.
    select case when account.first_seen_at <= newest.refreshed_at then 0 end as no_referrals
) as covered;
comment on view report.applications is 'Every application with the metrics of the window; eligibility and risk are those of now while it is pending, and those of the decision afterwards';

create view report.decisions as
select decision.decision_id, decision.application_id, application.account_id, account.username,
    account.country_code, application.submitted_at, decision.decided_at,
    round(extract(epoch from decision.decided_at - application.submitted_at) / 3600, 2) as hours_to_decision,
    decision.outcome,
    not exists (select from review.decisions as later where later.supersedes = decision.decision_id) as is_current,
    decision.supersedes, decision.reason_code, decision.rebate_rate, decision.is_override, decision.reapply,
    decision.reapply_from, decision.decided_by, decision.second_approver, decision.policy_version,
    (decision.snapshot ->> 'data_through')::date as snapshot_data_through,
    (decision.snapshot -> 'window' ->> 'start')::date as snapshot_window_start,
    (decision.snapshot -> 'window' ->> 'end')::date as snapshot_window_end,
    decision.snapshot ->> 'outcome' as snapshot_eligibility, decision.snapshot ->> 'track' as snapshot_track
from review.decisions as decision
join exchange.applications as application using (application_id)
join exchange.accounts as account using (account_id);
comment on view report.decisions is 'Every decision, superseded ones included, with what was known when it was made; without typed text';

create view report.affiliates as
select distinct on (application.account_id) application.account_id, account.username, account.country_code,
    account.kyc_status, application.application_id, application.social_platform, application.social_handle,
    decision.decided_at as approved_at, decision.decided_by, decision.rebate_rate,
    coalesce(standing.status, 'active') as standing,
    metrics.volume_usd, metrics.fees_usd, metrics.trade_count, metrics.active_users, metrics.new_users,
    tested.month as tested_month, tested.outcome as tested_outcome, tested.misses
from review.current_decisions as decision
join exchange.applications as application using (application_id)
join exchange.accounts as account using (account_id)
left join review.affiliate_standings as standing using (account_id)
left join review.affiliate_tested as tested using (account_id)
left join review.affiliate_window as metrics on metrics.affiliate_account_id = application.account_id
where decision.outcome = 'approved' and application.status = 'approved'
order by application.account_id, decision.decided_at desc, decision.decision_id desc;
comment on view report.affiliates is 'Accounts with a current approval: metrics of the window, standing, newest requalification';

create view report.monthly as
select sums.month, sums.affiliate_account_id as account_id, account.username, account.country_code,
    sums.volume_usd, sums.fees_usd, sums.trade_count, sums.active_users, sums.new_users,
    newest.data_through < (sums.month + interval '1 month' - interval '1 day')::date as is_running
from review.affiliate_monthly as sums
left join exchange.accounts as account on account.account_id = sums.affiliate_account_id
left join (select data_through from review.refreshes order by refresh_id desc limit 1) as newest on true;
comment on view report.monthly is 'Referral metrics by affiliate and calendar month, UTC, to the data-through day';

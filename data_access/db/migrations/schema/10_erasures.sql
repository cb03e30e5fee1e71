-- Erasing a person's texts: what becomes of each text column, and legal holds.

create table review.text_rules (
    table_name text not null,
    column_name text not null,
    treatment text not null,
    kept_keys text[] not null default '{}',
    why text not null,
    constraint text_rules_pkey primary key (table_name, column_name),
    constraint text_rules_treatment_known check (treatment in ('kept', 'erased', 'keys', 'searched'))
);
comment on table review.text_rules is 'What becomes of each text when a person is erased; a test requires a rule for every text column';
comment on column review.text_rules.table_name is 'Schema and table';
comment on column review.text_rules.column_name is 'The column';
comment on column review.text_rules.treatment is 'kept; erased in rows about the person; keys: the same, but these keys of the object stay; searched: reported where it names the person';
comment on column review.text_rules.kept_keys is 'With keys: the keys that stay';
comment on column review.text_rules.why is 'The reason';

insert into review.text_rules (table_name, column_name, treatment, why)
select table_name, column_name, treatment, why
from (values
    ('exchange.accounts', 'erased', 'username email', 'identifies the person; loads are held to it afterwards'),
    ('exchange.accounts', 'kept', 'country_code kyc_status', 'a code that reports count; identifies nobody'),
    ('exchange.applications', 'erased', 'social_handle contact_handle', 'identifies the person; loads are held to it afterwards'),
    ('exchange.applications', 'kept', 'social_platform contact_platform status', 'a platform or a code; identifies nobody'),
    ('review.staff', 'kept', 'email display_name role issuer subject', 'about staff, who answer for what they did'),
    ('review.staff_events', 'kept', 'email kind old new reason actor', 'about staff, who answer for what they did'),
    ('review.leave', 'kept', 'email', 'about staff'),
    ('review.sessions', 'kept', 'session_key email', 'about staff'),
    ('review.preferences', 'kept', 'email name', 'about staff'),
    ('review.preferences', 'searched', 'value', 'a colleague''s own setting; may hold a search'),
    ('review.saved_views', 'kept', 'owner screen', 'about staff'),
    ('review.saved_views', 'searched', 'name query', 'a colleague''s own view; may hold a search'),
    ('review.jobs', 'kept', 'kind person folder outcome', 'about staff, or a code'),
    ('review.jobs', 'searched', 'request sentence', 'may hold a search; removed after a week'),
    ('review.policies', 'kept', 'author note window_kind checklist required_checks risk_thresholds', 'about the program'),
    ('review.policy_drafts', 'kept', 'settings note author closed_as closed_by reason', 'about the program'),
    ('review.policy_events', 'kept', 'kind actor detail', 'about the program'),
    ('review.policy_withdrawals', 'kept', 'reason proposed_by closed_as closed_by closing_reason', 'about the program'),
    ('review.holidays', 'kept', 'name', 'about the calendar'),
    ('review.holiday_changes', 'kept', 'kind old_name new_name reason effect actor', 'about the calendar'),
    ('review.requests', 'kept', 'act actor result_kind', 'about staff, or a code'),
    ('review.desk', 'kept', 'status assignee deferred_answers', 'codes, and who works on it'),
    ('review.viewers', 'kept', 'email', 'about staff'),
    ('review.contact_reads', 'kept', 'email list', 'about staff'),
    ('review.evidence', 'kept', 'kind method recorded_by', 'codes, and who recorded it'),
    ('review.evidence', 'erased', 'exchange_name source_url', 'typed about the person; exchanges stay told apart by number'),
    ('review.evidence', 'kept', 'exchange_key', 'generated from the name'),
    ('review.notes', 'erased', 'body', 'typed about the person'),
    ('review.notes', 'kept', 'author', 'about staff'),
    ('review.checks', 'kept', 'item outcome author', 'codes, and who answered'),
    ('review.checks', 'erased', 'comment', 'typed about the person'),
    ('review.conflicts', 'kept', 'email recorded_by', 'about staff'),
    ('review.conflicts', 'erased', 'reason', 'typed about the person'),
    ('review.decisions', 'kept', 'outcome reason_code decided_by second_approver snapshot reapply', 'the decision and its figures'),
    ('review.decisions', 'erased', 'rationale message_to_applicant override_reason', 'typed about the person'),
    ('review.proposals', 'kept', 'outcome reason_code reapply needed_for seen proposed_by closed_as closed_by', 'the proposal and its figures'),
    ('review.proposals', 'erased', 'override_reason rationale message_to_applicant', 'typed about the person'),
    ('review.events', 'kept', 'kind actor', 'a code, and who did it'),
    ('review.bulk_runs', 'kept', 'actor act content', 'about staff, a code or a digest'),
    ('review.outbox', 'kept', 'channel stopped_as last_reason', 'codes'),
    ('review.outbox', 'erased', 'recipient last_error', 'identifies the person'),
    ('review.message_templates', 'kept', 'kind language subject body author', 'to everybody'),
    ('review.delivery_settings', 'kept', 'email_instead language_by_country author note', 'about the program'),
    ('review.delivery_proposals', 'kept', 'settings proposed_by closed_as closed_by', 'about the program'),
    ('review.affiliate_standings', 'kept', 'status changed_by reason_code', 'codes, and who changed it'),
    ('review.affiliate_standings', 'erased', 'reason', 'typed about the person'),
    ('review.affiliate_events', 'kept', 'actor kind old new reason_code suggested', 'codes, and who changed it'),
    ('review.affiliate_events', 'erased', 'reason', 'typed about the person'),
    ('review.risk_dismissals', 'kept', 'signal actor', 'a code, and who dismissed it'),
    ('review.risk_dismissals', 'erased', 'reason', 'typed about the person'),
    ('review.risk_alerts', 'kept', 'signal severity', 'codes'),
    ('review.report_mail_settings', 'kept', 'zone colleagues author', 'about staff'),
    ('review.report_mails', 'kept', 'colleague subject body html attached last_error', 'sums of the program, about staff, and what a mail server said'),
    ('review.risk_digests', 'kept', 'manager last_error', 'about staff, and what a mail server said'),
    ('review.risk_measures', 'kept', 'inputs', 'figures and ids of accounts'),
    ('review.requalifications', 'kept', 'outcome', 'a code'),
    ('review.affiliate_tested', 'kept', 'outcome', 'a code'),
    ('review.affiliate_counts', 'kept', 'outcome', 'a code'),
    ('review.affiliate_outcomes', 'kept', 'outcome', 'a code'),
    ('review.outcome_counts', 'kept', 'decided_by', 'about staff'),
    ('review.refreshes', 'kept', 'window_kind', 'a code'),
    ('review.affiliate_segments', 'kept', 'country track cohort rate', 'codes that reports count'),
    ('review.segment_daily', 'kept', 'dimension segment', 'codes that reports count'),
    ('review.segment_monthly', 'kept', 'dimension segment', 'codes that reports count'),
    ('review.application_courses', 'kept', 'status platform country decided_by track decided_case', 'codes that reports count'),
    ('review.work_daily', 'kept', 'moment dimension segment waits', 'counts'),
    ('review.work_monthly', 'kept', 'moment dimension segment waits', 'counts'),
    ('review.standings', 'kept', 'status country_code platform_key assignee search_keys search_text risk_level risk_signals', 'only of open applications, which are not erased'),
    ('review.standing_sums', 'kept', 'status', 'counts'),
    ('review.exports', 'kept', 'exported_by dataset format columns outcome', 'about staff, or codes'),
    ('review.exports', 'searched', 'filters view_name', 'may hold a search'),
    ('review.loads', 'kept', 'kind', 'a code'),
    ('review.loads', 'searched', 'files', 'a file may be named after a person'),
    ('review.archived_months', 'kept', 'file sha256', 'a name made of the month, and a digest'),
    ('review.form_maps', 'kept', 'name content saved_by', 'about the form'),
    ('review.form_imports', 'kept', 'sha256 map_name map header counts imported_by', 'about the form'),
    ('review.form_imports', 'searched', 'file_name', 'a file may be named after a person'),
    ('review.kept_rows', 'kept', 'fingerprint state settled_by', 'a digest by which a later import knows the row, a code, and who settled it'),
    ('review.kept_rows', 'erased', 'cells problems', 'the person''s own answers'),
    ('review.kept_row_events', 'kept', 'kind actor', 'a code, and who did it'),
    ('review.kept_row_events', 'erased', 'detail', 'the person''s own answers'),
    ('review.text_rules', 'kept', 'table_name column_name treatment kept_keys why', 'these rules'),
    ('review.erasures', 'kept', 'reason actor transaction_id', 'who erased whom and why; says not to name the person'),
    ('review.holds', 'kept', 'kind reason actor', 'who placed or lifted a hold and why'),
    ('review.history_formats', 'kept', 'table_name key_column columns erased kept_keys ignored', 'names of tables and columns'),
    ('review.history_entries', 'kept', 'table_name row_hashes', 'hashes'),
    ('review.history_links', 'kept', 'previous hash', 'hashes'),
    ('review.history_genesis', 'kept', 'statement hash', 'about the chain'),
    ('review.history_head', 'kept', 'hash', 'a hash'),
    ('review.history_salts', 'kept', 'table_name salt', 'random; deleted with the texts'),
    ('review.history_erased', 'kept', 'table_name digests', 'salted hashes whose salt is gone')
) as said (table_name, treatment, columns, why)
cross join lateral unnest(string_to_array(said.columns, ' ')) as column_name;

insert into review.text_rules (table_name, column_name, treatment, kept_keys, why) values
    ('review.requests', 'content', 'keys', '{command,application_id,account_id,message_id,proposal_id,outcome,reason_code,rebate_rate,reapply}',
        'a form as it was sent, with typed text'),
    ('review.events', 'detail', 'keys',
        '{decision_id,proposal_id,conflict_id,affiliate_event_id,message_id,replaced_by,status,standing,outcome,assignee,proposed_by,second_approver,email,needed_for,figures,stopped_as,until,until_change,why,erasure_id,paused_since,waits_for,item,route,tries,suggested,silent,misses,reason_code}',
        'old and new values; all other keys hold typed text or contacts'),
    ('review.outbox', 'payload', 'keys', '{kind,application_id,account_id,decision_id,reason_code,rebate_rate,standing}',
        'the message; ids and codes stay'),
    ('review.outbox', 'sent', 'keys', '{route}', 'the message as it was sent'),
    ('review.bulk_runs', 'results', 'searched', '{}', 'sentences about applications; those about the person''s are erased'),
    ('review.form_imports', 'report', 'searched', '{}', 'problems and remarks by row; those of the person''s rows are erased');

create table review.holds (
    hold_id bigint generated always as identity,
    account_id bigint not null,
    kind text not null,
    reason text not null,
    actor text not null,
    at timestamptz not null,
    request_id uuid not null,
    constraint holds_pkey primary key (hold_id),
    constraint holds_request_id_once unique (request_id),
    constraint holds_account_id_fkey foreign key (account_id) references exchange.accounts(account_id),
    constraint holds_kind_known check (kind in ('placed', 'lifted')),
    constraint holds_reason_present check (btrim(reason) <> ''),
    constraint holds_people_normal check (actor = review.person(actor))
);
create index holds_by_account on review.holds (account_id, hold_id desc);
create trigger append_only before delete or update or truncate on review.holds for each statement execute function review.refuse_change();
alter table review.holds enable always trigger append_only;
comment on table review.holds is 'Legal holds: while the newest row of an account is placed, it is not erased; append-only';
comment on column review.holds.hold_id is 'Identity';
comment on column review.holds.account_id is 'The account';
comment on column review.holds.kind is 'placed or lifted';
comment on column review.holds.reason is 'Why; typed text';
comment on column review.holds.actor is 'Who did it; for the command line, the operating system''s user';
comment on column review.holds.at is 'When';
comment on column review.holds.request_id is 'The command''s id';

create table review.erasures (
    erasure_id bigint generated always as identity,
    account_id bigint not null,
    reason text not null,
    actor text not null,
    at timestamptz not null,
    request_id uuid not null,
    transaction_id text not null default pg_current_xact_id()::text,
    constraint erasures_pkey primary key (erasure_id),
    constraint erasures_request_id_once unique (request_id),
    constraint erasures_account_id_fkey foreign key (account_id) references exchange.accounts(account_id),
    constraint erasures_reason_present check (btrim(reason) <> ''),
    constraint erasures_people_normal check (actor = review.person(actor))
);
create index erasures_by_account on review.erasures (account_id, at desc);
create trigger append_only before delete or update or truncate on review.erasures for each statement execute function review.refuse_change();
alter table review.erasures enable always trigger append_only;
comment on table review.erasures is 'Whose texts were erased, by whom and why; append-only';
comment on column review.erasures.erasure_id is 'Identity';
comment on column review.erasures.account_id is 'The person''s account';
comment on column review.erasures.reason is 'Why; typed text that should not name the person';
comment on column review.erasures.actor is 'Who did it; for the command line, the operating system''s user';
comment on column review.erasures.at is 'When';
comment on column review.erasures.request_id is 'The command''s id';
comment on column review.erasures.transaction_id is 'The transaction in which append-only rows about the person could be changed';

-- The owner may change rows in a transaction that recorded an erasure, which is in the chain for good.
create function review.is_erasing(relation oid) returns boolean language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
begin
    if current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = relation) then
        return false;
    end if;
    return exists (select from review.erasures where transaction_id = pg_current_xact_id_if_assigned()::text);
end $$;
comment on function review.is_erasing(oid) is 'Whether this transaction erases a person, and may change the relation';

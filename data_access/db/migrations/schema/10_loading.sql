-- File loads, form imports, and kept rows.

create table review.loads (
    load_id bigint generated always as identity,
    kind text not null,
    files jsonb not null,
    rows_read bigint not null,
    rows_inserted bigint not null,
    rows_updated bigint not null,
    first_day date,
    loaded_at timestamptz not null default now(),
    constraint loads_pkey primary key (load_id)
);
comment on table review.loads is 'Accepted loads; a refresh reads here which old days changed';
comment on column review.loads.load_id is 'Identity';
comment on column review.loads.kind is 'accounts, applications, referrals or activity';
comment on column review.loads.files is 'Name, size and SHA-256 of each file';
comment on column review.loads.rows_read is 'Rows in the files';
comment on column review.loads.rows_inserted is 'Rows that were new';
comment on column review.loads.rows_updated is 'Rows that changed';
comment on column review.loads.first_day is 'The earliest UTC day with new or changed facts; null if none';
comment on column review.loads.loaded_at is 'When';

create table review.archived_months (
    month date not null,
    file text not null,
    sha256 text not null,
    row_count bigint not null,
    volume_usd numeric(26, 2) not null,
    fees_usd numeric(26, 6) not null,
    trade_count bigint not null,
    archived_at timestamptz not null,
    constraint archived_months_pkey primary key (month),
    constraint archived_months_first_days check (month = date_trunc('month', month::timestamp)::date)
);
comment on table review.archived_months is 'Months whose activity is in a file and no longer in exchange.referral_activity; their sums stay in the rollups';
comment on column review.archived_months.month is 'The first day of the month';
comment on column review.archived_months.file is 'The file''s name, without its folder';
comment on column review.archived_months.sha256 is 'The file''s SHA-256 when it was archived';
comment on column review.archived_months.row_count is 'Its rows';
comment on column review.archived_months.volume_usd is 'The sum of their volumes in USD';
comment on column review.archived_months.fees_usd is 'The sum of their fees in USD';
comment on column review.archived_months.trade_count is 'The sum of their trades';
comment on column review.archived_months.archived_at is 'When';

create table review.form_maps (
    map_id bigint generated always as identity,
    name text not null,
    content jsonb not null,
    is_retired boolean not null default false,
    saved_by text not null,
    saved_at timestamptz not null,
    constraint form_maps_pkey primary key (map_id),
    constraint form_maps_name_check check ((name <> '')),
    constraint form_maps_people_normal check (saved_by = review.person(saved_by))
);
create index form_maps_by_name on review.form_maps (review.name_key(name), map_id);
create trigger append_only before delete or update or truncate on review.form_maps for each statement execute function review.refuse_change();
alter table review.form_maps enable always trigger append_only;
comment on table review.form_maps is 'Saved form maps: how exports of a form are read; append-only, the newest row per name counts';
comment on column review.form_maps.map_id is 'Identity';
comment on column review.form_maps.name is 'The map''s name; compared regardless of case and spaces';
comment on column review.form_maps.content is 'Fields, platforms, statuses, dates and file, as in a TOML map';
comment on column review.form_maps.is_retired is 'Whether it is no longer offered';
comment on column review.form_maps.saved_by is 'Who saved it';
comment on column review.form_maps.saved_at is 'When it was saved';

create table review.form_imports (
    import_id bigint generated always as identity,
    request_id uuid not null,
    file_name text not null,
    bytes bigint not null,
    sha256 text not null,
    map_name text,
    map jsonb not null,
    header jsonb not null,
    counts jsonb not null,
    report jsonb not null,
    load_id bigint,
    imported_by text not null,
    imported_at timestamptz not null,
    constraint form_imports_pkey primary key (import_id),
    constraint form_imports_request_id_key unique (request_id),
    constraint form_imports_load_id_fkey foreign key (load_id) references review.loads(load_id),
    constraint form_imports_people_normal check (imported_by = review.person(imported_by))
);
create index form_imports_by_load on review.form_imports (load_id);
create trigger append_only before delete or update or truncate on review.form_imports for each statement execute function review.refuse_change();
alter table review.form_imports enable always trigger append_only;
comment on table review.form_imports is 'Imports of form exports, with their results; append-only';
comment on column review.form_imports.import_id is 'Identity';
comment on column review.form_imports.request_id is 'The id of the form; a repeat does nothing';
comment on column review.form_imports.file_name is 'The file''s name, as it was given';
comment on column review.form_imports.bytes is 'The file''s size';
comment on column review.form_imports.sha256 is 'The file''s SHA-256';
comment on column review.form_imports.map_name is 'The name of the map used, if it had one';
comment on column review.form_imports.map is 'A copy of the map used';
comment on column review.form_imports.header is 'The names of the file''s fields, in order';
comment on column review.form_imports.counts is 'How many rows by outcome, cleaned and blank';
comment on column review.form_imports.report is 'The result of each row; for very long files, only of rows with a remark';
comment on column review.form_imports.load_id is 'The load that contains the good rows';
comment on column review.form_imports.imported_by is 'Who imported it';
comment on column review.form_imports.imported_at is 'When it was imported';

create table review.kept_rows (
    row_id bigint generated always as identity,
    import_id bigint not null,
    row_number integer not null,
    fingerprint text not null,
    cells jsonb not null,
    problems jsonb not null,
    state text not null default 'kept',
    application_id bigint,
    settled_by text,
    settled_at timestamptz,
    constraint kept_rows_pkey primary key (row_id),
    constraint kept_rows_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint kept_rows_import_id_fkey foreign key (import_id) references review.form_imports(import_id),
    constraint kept_rows_check check (((state = 'kept') = (settled_at is null))),
    constraint kept_rows_people_normal check (settled_by = review.person(settled_by)),
    constraint kept_rows_state_check check ((state = any (array['kept', 'loaded', 'dismissed'])))
);
create index kept_rows_by_application on review.kept_rows (application_id);
create index kept_rows_by_fingerprint on review.kept_rows (fingerprint, row_id);
create index kept_rows_by_import on review.kept_rows (import_id);
create unique index kept_rows_kept_once on review.kept_rows (fingerprint) where state = 'kept';
comment on table review.kept_rows is 'Rows that an import could not load, kept until they are loaded or dismissed';
comment on column review.kept_rows.row_id is 'Identity';
comment on column review.kept_rows.import_id is 'The import that kept it';
comment on column review.kept_rows.row_number is 'Its row number in the file; the header is row 1';
comment on column review.kept_rows.fingerprint is 'SHA-256 of the original fields and cells, so that a row is kept once';
comment on column review.kept_rows.cells is 'The cells in the order of the import''s header, as corrected';
comment on column review.kept_rows.problems is 'What is wrong: field, value and reason';
comment on column review.kept_rows.state is 'kept, loaded or dismissed';
comment on column review.kept_rows.application_id is 'The application that it became';
comment on column review.kept_rows.settled_by is 'Who loaded or dismissed it';
comment on column review.kept_rows.settled_at is 'When it was loaded or dismissed';

create table review.kept_row_events (
    event_id bigint generated always as identity,
    row_id bigint not null,
    request_id uuid not null,
    kind text not null,
    actor text not null,
    at timestamptz not null,
    detail jsonb not null,
    constraint kept_row_events_pkey primary key (event_id),
    constraint kept_row_events_request_id_row_id_key unique (request_id, row_id),
    constraint kept_row_events_row_id_fkey foreign key (row_id) references review.kept_rows(row_id),
    constraint kept_row_events_kind_check check ((kind = any (array['corrected', 'loaded', 'dismissed']))),
    constraint kept_row_events_people_normal check (actor = review.person(actor))
);
create index kept_row_events_by_row on review.kept_row_events (row_id);
create trigger append_only before delete or update or truncate on review.kept_row_events for each statement execute function review.refuse_change();
alter table review.kept_row_events enable always trigger append_only;
comment on table review.kept_row_events is 'Acts on kept rows; append-only';
comment on column review.kept_row_events.event_id is 'Identity';
comment on column review.kept_row_events.row_id is 'The row';
comment on column review.kept_row_events.request_id is 'The id of the form that was sent';
comment on column review.kept_row_events.kind is 'corrected, loaded or dismissed';
comment on column review.kept_row_events.actor is 'Who did it';
comment on column review.kept_row_events.at is 'When it was done';
comment on column review.kept_row_events.detail is 'Old and new cells, the reason, the application';

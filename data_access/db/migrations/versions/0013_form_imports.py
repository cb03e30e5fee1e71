"""Imports of a form's exports: maps under a name, what each import did, and the rows it kept.

Down refuses while anything is held that nothing could bring back.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UP = """
create table review.form_maps (
    map_id bigint generated always as identity primary key,
    name text not null check (name <> ''),
    content jsonb not null,
    is_retired boolean not null default false,
    saved_by text not null,
    saved_at timestamptz not null
);
create index form_maps_by_name on review.form_maps (lower(name), map_id);
comment on table review.form_maps is 'How the exports of forms are read, under a name; the newest row of a name counts';
comment on column review.form_maps.map_id is 'Identity';
comment on column review.form_maps.name is 'The map''s name; the same in any case';
comment on column review.form_maps.content is 'Fields, platforms, statuses, dates and file, as in a TOML map';
comment on column review.form_maps.is_retired is 'Whether it is no longer offered';
comment on column review.form_maps.saved_by is 'Who saved it';
comment on column review.form_maps.saved_at is 'When it was saved';

create table review.form_imports (
    import_id bigint generated always as identity primary key,
    request_id uuid not null unique,
    file_name text not null,
    bytes bigint not null,
    sha256 text not null,
    map_name text,
    map jsonb not null,
    header jsonb not null,
    counts jsonb not null,
    report jsonb not null,
    load_id bigint references review.loads (load_id),
    imported_by text not null,
    imported_at timestamptz not null
);
create index form_imports_by_load on review.form_imports (load_id);
comment on table review.form_imports is 'Each import of a form''s export and what it did';
comment on column review.form_imports.import_id is 'Identity';
comment on column review.form_imports.request_id is 'The id of the form that was sent; a repeat does nothing';
comment on column review.form_imports.file_name is 'The file''s name, as it was given';
comment on column review.form_imports.bytes is 'The file''s size';
comment on column review.form_imports.sha256 is 'The file''s SHA-256';
comment on column review.form_imports.map_name is 'The name of the map it was read with, if it had one';
comment on column review.form_imports.map is 'The map it was read with, as it was then';
comment on column review.form_imports.header is 'The names of the file''s fields, in order';
comment on column review.form_imports.counts is 'How many rows by outcome, cleaned and blank';
comment on column review.form_imports.report is 'What became of each row; of very long files, of those with something to say';
comment on column review.form_imports.load_id is 'The load that brought the good rows in';
comment on column review.form_imports.imported_by is 'Who imported it';
comment on column review.form_imports.imported_at is 'When it was imported';

create table review.kept_rows (
    row_id bigint generated always as identity primary key,
    import_id bigint not null references review.form_imports (import_id),
    row_number integer not null,
    fingerprint text not null,
    cells jsonb not null,
    problems jsonb not null,
    state text not null default 'kept' check (state in ('kept', 'loaded', 'dismissed')),
    application_id bigint references exchange.applications (application_id),
    settled_by text,
    settled_at timestamptz,
    check ((state = 'kept') = (settled_at is null))
);
create unique index kept_rows_kept_once on review.kept_rows (fingerprint) where state = 'kept';
create index kept_rows_by_fingerprint on review.kept_rows (fingerprint, row_id);
create index kept_rows_by_import on review.kept_rows (import_id);
create index kept_rows_by_application on review.kept_rows (application_id);
comment on table review.kept_rows is 'Rows that an import could not load: kept until they are loaded or dismissed';
comment on column review.kept_rows.row_id is 'Identity';
comment on column review.kept_rows.import_id is 'The import that kept it';
comment on column review.kept_rows.row_number is 'Its row in the file, the header being 1';
comment on column review.kept_rows.fingerprint is 'SHA-256 of fields and cells as they came, so that one row is kept once';
comment on column review.kept_rows.cells is 'The cells, in the order of the import''s header; as corrected';
comment on column review.kept_rows.problems is 'What is wrong with it: field, value and reason';
comment on column review.kept_rows.state is 'kept, loaded or dismissed';
comment on column review.kept_rows.application_id is 'The application it became';
comment on column review.kept_rows.settled_by is 'Who loaded or dismissed it';
comment on column review.kept_rows.settled_at is 'When it was loaded or dismissed';

create table review.kept_row_events (
    event_id bigint generated always as identity primary key,
    row_id bigint not null references review.kept_rows (row_id),
    request_id uuid not null,
    kind text not null check (kind in ('corrected', 'loaded', 'dismissed')),
    actor text not null,
    at timestamptz not null,
    detail jsonb not null,
    unique (request_id, row_id)
);
create index kept_row_events_by_row on review.kept_row_events (row_id);
comment on table review.kept_row_events is 'What was done with the rows that imports kept';
comment on column review.kept_row_events.event_id is 'Identity';
comment on column review.kept_row_events.row_id is 'The row';
comment on column review.kept_row_events.request_id is 'The id of the form that was sent';
comment on column review.kept_row_events.kind is 'corrected, loaded or dismissed';
comment on column review.kept_row_events.actor is 'Who did it';
comment on column review.kept_row_events.at is 'When it was done';
comment on column review.kept_row_events.detail is 'Old and new cells, the reason, the application';
"""
GUARD = """
create trigger append_only before update or delete or truncate on review.{table}
    for each statement execute function review.refuse_change();
alter table review.{table} enable always trigger append_only;
"""
GUARDED = ("form_maps", "form_imports", "kept_row_events")
TABLES = ("kept_row_events", "kept_rows", "form_imports", "form_maps")


def upgrade() -> None:
    op.execute(UP)
    for table in GUARDED:
        op.execute(GUARD.format(table=table))


def downgrade() -> None:
    for table in TABLES:
        held = op.get_bind().exec_driver_sql(f"select 1 from review.{table} limit 1").first()
        if held is not None:
            raise RuntimeError(
                f"review.{table} holds rows and nothing could bring them back. Dump it first."
            )
    for table in TABLES:
        op.execute(f"drop table review.{table}")

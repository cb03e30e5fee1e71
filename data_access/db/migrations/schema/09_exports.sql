-- The log of exports.

create table review.exports (
    export_id bigint generated always as identity,
    exported_by text not null,
    exported_at timestamptz not null default now(),
    dataset text not null,
    format text not null,
    filters jsonb not null,
    columns text[] not null,
    row_count bigint not null,
    outcome text not null default 'complete',
    view_name text,
    constraint exports_pkey primary key (export_id),
    constraint exports_outcome_known check (outcome in ('complete', 'cancelled', 'failed')),
    constraint exports_people_normal check (exported_by = review.person(exported_by))
);
create trigger append_only before delete or update or truncate on review.exports for each statement execute function review.refuse_change();
alter table review.exports enable always trigger append_only;
comment on table review.exports is 'Who exported what; append-only';
comment on column review.exports.export_id is 'Identity';
comment on column review.exports.exported_by is 'Who exported; for the command line, the operating system''s user';
comment on column review.exports.exported_at is 'When it was exported';
comment on column review.exports.dataset is 'The dataset';
comment on column review.exports.format is 'csv, xlsx or parquet';
comment on column review.exports.filters is 'The filters';
comment on column review.exports.columns is 'The columns, in order';
comment on column review.exports.row_count is 'How many rows were read';
comment on column review.exports.outcome is 'complete, cancelled or failed; row_count is what was read until then';
comment on column review.exports.view_name is 'The saved view that was exported, if any';

-- The number of rows and a digest of every table, one a line. The digest is a sum over the rows' hashes: it does
-- not depend on their order, and equal tables have equal ones on every server of the same version of Postgres.
\set ON_ERROR_STOP on
set timezone = 'UTC';
set datestyle = 'ISO, MDY';
set intervalstyle = 'postgres';
set extra_float_digits = 1;
set bytea_output = 'hex';
set search_path = pg_catalog;
select format('select %L, count(*), coalesce(sum(hashtextextended(row::text, 0)::numeric), 0) from %s as row', name, name)
from (
    -- Unlogged tables are made anew by the next refresh; their rows are not in a dump.
    select c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('exchange', 'review') and c.relkind in ('r', 'p') and not c.relispartition
        and c.relpersistence <> 'u'
) as tables
order by name
\gexec

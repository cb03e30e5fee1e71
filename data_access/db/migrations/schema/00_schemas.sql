-- The two schemas, and the trigger that makes tables append-only.

create schema exchange;
comment on schema exchange is 'Facts that belong to the exchange''s backend; read here, except that a decision writes an application''s status back';
-- A migration has created it already, for the version table.
create schema if not exists review;
comment on schema review is 'Judgments of staff; the exchange''s backend reads decisions and outbox here';
-- A superuser may have installed it already.
create extension if not exists pg_trgm with schema public;

create function review.refuse_change() returns trigger language plpgsql as $$
begin
    if tg_op <> 'TRUNCATE' and review.is_erasing(tg_relid) then
        return null;
    end if;
    raise exception 'review.% is append-only: rows are added, never changed or removed.', tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
comment on function review.refuse_change() is 'Keeps a table append-only';

-- Tamper evidence: a hash chain over what staff recorded.
--
-- Every insert into a chained table writes an entry with the hash of each row. When the transaction
-- commits, its entries are linked to the chain: each link's hash covers the previous link's.
-- A text that may be personal enters a row's hash as sha256(salt || text), so that the text and its
-- salt can be erased while the row's other columns stay provable.

create table review.history_formats (
    table_name text not null,
    format integer not null,
    key_column text not null,
    columns text[] not null,
    erased text[] not null,
    kept_keys jsonb not null,
    ignored text[] not null,
    constraint history_formats_pkey primary key (table_name, format)
);
create trigger append_only before delete or update or truncate on review.history_formats for each statement execute function review.refuse_change();
alter table review.history_formats enable always trigger append_only;
comment on table review.history_formats is 'Which columns a chained row''s hash covers; a changed table gets another format, and earlier rows keep theirs; append-only';
comment on column review.history_formats.table_name is 'The table, in schema review';
comment on column review.history_formats.format is 'Counts up per table';
comment on column review.history_formats.key_column is 'The column that identifies a row';
comment on column review.history_formats.columns is 'The covered columns, in order of their names';
comment on column review.history_formats.erased is 'Of these, texts that enter as a salted hash';
comment on column review.history_formats.kept_keys is 'Of these, objects by column: the keys that enter as they are; the values of all others enter as a salted hash';
comment on column review.history_formats.ignored is 'Generated columns, which follow from the others';

create table review.history_entries (
    entry_id bigint generated always as identity,
    table_name text not null,
    format integer not null,
    at timestamptz not null default now(),
    row_ids bigint[] not null,
    row_hashes bytea not null,
    constraint history_entries_pkey primary key (entry_id),
    constraint history_entries_one_hash_a_row check (octet_length(row_hashes) = 32 * cardinality(row_ids))
);
create trigger append_only before delete or update or truncate on review.history_entries for each statement execute function review.refuse_change();
alter table review.history_entries enable always trigger append_only;
comment on table review.history_entries is 'Rows that one statement added to a chained table, with their hashes; append-only';
comment on column review.history_entries.entry_id is 'Identity';
comment on column review.history_entries.table_name is 'The table, in schema review';
comment on column review.history_entries.format is 'The format of the hashes';
comment on column review.history_entries.at is 'When the transaction began';
comment on column review.history_entries.row_ids is 'The rows';
comment on column review.history_entries.row_hashes is 'The SHA-256 of each row, one after another';

create table review.history_links (
    "position" bigint not null,
    entry_id bigint not null,
    previous bytea not null,
    hash bytea not null,
    constraint history_links_pkey primary key ("position"),
    constraint history_links_entry_once unique (entry_id),
    constraint history_links_never_fork unique (previous),
    constraint history_links_entry_id_fkey foreign key (entry_id) references review.history_entries(entry_id)
);
create trigger append_only before delete or update or truncate on review.history_links for each statement execute function review.refuse_change();
alter table review.history_links enable always trigger append_only;
comment on table review.history_links is 'The chain, in the order of commits; append-only';
comment on column review.history_links."position" is 'Counts up without gaps from 1';
comment on column review.history_links.entry_id is 'The entry';
comment on column review.history_links.previous is 'The hash of the link before; of the first one, the genesis hash';
comment on column review.history_links.hash is 'SHA-256 of the previous hash and the entry';

create table review.history_genesis (
    chain_id uuid not null,
    at timestamptz not null,
    statement text not null,
    hash bytea not null,
    constraint history_genesis_pkey primary key (chain_id)
);
create unique index history_genesis_only_one on review.history_genesis ((true));
create trigger append_only before delete or update or truncate on review.history_genesis for each statement execute function review.refuse_change();
alter table review.history_genesis enable always trigger append_only;
comment on table review.history_genesis is 'Where the chain begins; it proves nothing about earlier rows; append-only';
comment on column review.history_genesis.chain_id is 'Tells chains of different databases apart';
comment on column review.history_genesis.at is 'When the migration made it';
comment on column review.history_genesis.statement is 'What the chain covers, in words';
comment on column review.history_genesis.hash is 'SHA-256 of the other columns; the first link''s previous hash';

create table review.history_head (
    chain_id uuid not null,
    "position" bigint not null,
    hash bytea not null,
    constraint history_head_pkey primary key (chain_id)
) with (fillfactor='10');
comment on table review.history_head is 'The end of the chain: one row, locked by whoever adds a link';
comment on column review.history_head.chain_id is 'The chain';
comment on column review.history_head."position" is 'The last link; 0 before the first';
comment on column review.history_head.hash is 'The last link''s hash';

create table review.history_salts (
    table_name text not null,
    row_id bigint not null,
    salt bytea not null,
    constraint history_salts_pkey primary key (table_name, row_id)
);
create trigger append_only before delete or update or truncate on review.history_salts for each statement execute function review.refuse_change();
alter table review.history_salts enable always trigger append_only;
comment on table review.history_salts is 'The salt of each chained row that has erasable texts; append-only, except that erasing deletes it';
comment on column review.history_salts.table_name is 'The table, in schema review';
comment on column review.history_salts.row_id is 'The row';
comment on column review.history_salts.salt is 'Random bytes';

create table review.history_erased (
    table_name text not null,
    row_id bigint not null,
    erasure_id bigint not null,
    digests jsonb not null,
    constraint history_erased_pkey primary key (table_name, row_id)
);
create trigger append_only before delete or update or truncate on review.history_erased for each statement execute function review.refuse_change();
alter table review.history_erased enable always trigger append_only;
comment on table review.history_erased is 'What the erased texts of a chained row contribute to its hash; append-only';
comment on column review.history_erased.table_name is 'The table, in schema review';
comment on column review.history_erased.row_id is 'The row';
comment on column review.history_erased.erasure_id is 'The erasure';
comment on column review.history_erased.digests is 'The salted hash by column, or by column and key with a point between them';

-- What erasing leaves of a value: every string is replaced, and its shape stays.
create function review.erased_form(value jsonb) returns jsonb language plpgsql immutable strict parallel safe as $$
begin
    return case jsonb_typeof(value)
        when 'string' then to_jsonb('[erased]'::text)
        when 'object' then (
            select coalesce(jsonb_object_agg(key, review.erased_form(cell)), '{}') from jsonb_each(value) as x (key, cell))
        when 'array' then (
            select coalesce(jsonb_agg(review.erased_form(cell) order by place), '[]')
            from jsonb_array_elements(value) with ordinality as x (cell, place))
        else value end;
end $$;
comment on function review.erased_form(jsonb) is 'A value with every string in it replaced by [erased]';

create function review.is_erased(value jsonb) returns boolean language sql immutable strict parallel safe as $$
    select not exists (
        select from jsonb_path_query(value, 'strict $.**') as cell
        where jsonb_typeof(cell) = 'string' and (cell #>> '{}') !~ '^(\[erased( [0-9]+)?\])?$')
$$;
comment on function review.is_erased(jsonb) is 'Whether a value holds no text but what erasing leaves';

-- The digest of an erased text counts only while the erased form is in its place.
create function review.history_digest(value jsonb, salt bytea, digest text) returns text
    language sql immutable parallel safe as $$
    select case
        when jsonb_typeof(value) = 'null' then null
        when digest is not null and review.is_erased(value) then digest
        else encode(sha256(salt || convert_to(value #>> '{}', 'UTF8')), 'hex')
    end
$$;
comment on function review.history_digest(jsonb, bytea, text) is 'What an erasable value contributes to its row''s hash';

create function review.history_digests(shape review.history_formats, stored jsonb, salt bytea)
    returns jsonb language sql immutable parallel safe as $$
    select coalesce(jsonb_object_agg(path, review.history_digest(value, salt, null)), '{}')
    from (
        select name as path, stored -> name as value from unnest((shape).erased) as name
        union all
        select name || '.' || key, value
        from jsonb_each((shape).kept_keys) as kept (name, keys)
        cross join lateral jsonb_each(stored -> name) as cell (key, value)
        where not keys ? key
    ) as leaves
    where jsonb_typeof(value) <> 'null'
$$;
comment on function review.history_digests(review.history_formats, jsonb, bytea) is 'The digests of a row''s erasable values by path';

create function review.history_hash(shape review.history_formats, stored jsonb, salt bytea, erased jsonb)
    returns bytea language plpgsql immutable parallel safe as $$
declare
    plain jsonb := stored - (shape.ignored || shape.erased);
    digests text := '';
    name text;
    kept jsonb;
begin
    foreach name in array shape.erased loop
        digests := concat(digests, ' ', name, '=', review.history_digest(stored -> name, salt, erased ->> name));
    end loop;
    for name, kept in select * from jsonb_each(shape.kept_keys) loop
        plain := plain || jsonb_build_object(name, (
            select coalesce(jsonb_object_agg(key, case when kept ? key then value
                else to_jsonb(review.history_digest(value, salt, erased ->> (name || '.' || key))) end), '{}')
            from jsonb_each(stored -> name)));
    end loop;
    return sha256(convert_to(plain::text || digests, 'UTF8'));
end $$;
comment on function review.history_hash(review.history_formats, jsonb, bytea, jsonb) is 'The SHA-256 of a row as stored; times must be in UTC';

create function review.entry_hash(entry review.history_entries) returns bytea language sql stable parallel safe as $$
    select sha256(convert_to(format('%s %s %s %s ', (entry).table_name, (entry).format,
        extract(epoch from (entry).at), (entry).row_ids), 'UTF8') || (entry).row_hashes)
$$;
comment on function review.entry_hash(review.history_entries) is 'The SHA-256 of an entry';

-- Long statements get an entry per thousand ids, so that none grows too large.
create function review.chain_rows() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    shape review.history_formats;
begin
    select * into strict shape from review.history_formats
    where table_name = tg_table_name order by format desc limit 1;
    if exists (
        select from (select to_jsonb(added) - shape.ignored as cells from added limit 1) as any_row
        where cells - shape.columns <> '{}' or not cells ?& shape.columns
    ) then
        raise exception 'The columns of review.% are not those that the history covers.', tg_table_name
            using hint = 'Run `python -m data_access migrate`.';
    end if;
    with stored as materialized (
        select to_jsonb(added) as cells,
            case when shape.erased <> '{}' or shape.kept_keys <> '{}' then uuid_send(gen_random_uuid()) end as salt
        from added
    ), salted as (
        insert into review.history_salts (table_name, row_id, salt)
        select tg_table_name, (cells ->> shape.key_column)::bigint, salt from stored where salt is not null
    ), hashed as (
        select (cells ->> shape.key_column)::bigint as row_id, review.history_hash(shape, cells, salt, null) as hash
        from stored
    )
    insert into review.history_entries (table_name, format, row_ids, row_hashes)
    select tg_table_name, shape.format, array_agg(row_id order by row_id), string_agg(hash, '' order by row_id)
    from hashed group by div(row_id, 1000) order by div(row_id, 1000);
    return null;
end $$;
comment on function review.chain_rows() is 'Writes the entries of added rows';

-- Runs when the transaction commits: whoever adds a link has all other locks already, so waiting for
-- the head cannot deadlock, and it is held only until the commit is done.
create function review.link_entry() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
declare
    -- Before the wait for the head, so that it is held for less.
    written bytea := review.entry_hash(new);
    head review.history_head;
    made bytea;
begin
    select * into strict head from review.history_head for update;
    made := sha256(head.hash || written);
    insert into review.history_links ("position", entry_id, previous, hash)
        values (head."position" + 1, new.entry_id, head.hash, made);
    update review.history_head set "position" = head."position" + 1, hash = made;
    return null;
end $$;
comment on function review.link_entry() is 'Links an entry to the chain';
create constraint trigger linked after insert on review.history_entries
    deferrable initially deferred for each row execute function review.link_entry();
alter table review.history_entries enable always trigger linked;

create function review.keep_history_format(of_table text) returns void language plpgsql
    set search_path = pg_catalog, pg_temp as $$
declare
    now_is review.history_formats;
    newest review.history_formats;
begin
    select of_table, 0, (
            select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
            where indrelid = to_regclass('review.' || of_table) and indisprimary and indnkeyatts = 1),
        array_agg(attname::text order by attname) filter (where attgenerated = ''),
        coalesce(array_agg(attname::text order by attname) filter (where treatment = 'erased' and attgenerated = ''), '{}'),
        coalesce(jsonb_object_agg(attname, to_jsonb(kept_keys)) filter (where treatment = 'keys'), '{}'),
        coalesce(array_agg(attname::text order by attname) filter (where attgenerated <> ''), '{}')
    into now_is
    from pg_attribute left join review.text_rules
        on table_name = 'review.' || of_table and column_name = attname
    where attrelid = to_regclass('review.' || of_table) and attnum > 0 and not attisdropped;
    select * into newest from review.history_formats where table_name = of_table order by format desc limit 1;
    now_is.format := coalesce(newest.format, 0);
    if now_is is distinct from newest then
        now_is.format := now_is.format + 1;
        insert into review.history_formats select now_is.*;
    end if;
end $$;
comment on function review.keep_history_format(text) is 'Notes what a row''s hash covers, from the catalogue, if that is new';

do $$
declare
    chained text;
begin
    foreach chained in array '{decisions,events,notes,evidence,checks,policies,affiliate_events,staff_events,erasures,holds}'::text[] loop
        perform review.keep_history_format(chained);
        execute format('create trigger chained after insert on review.%I referencing new table as added '
            'for each statement execute function review.chain_rows()', chained);
        execute format('alter table review.%I enable always trigger chained', chained);
    end loop;
end $$;

insert into review.history_genesis
select id, at, covers, sha256(convert_to(format('%s %s %s', id, extract(epoch from at), covers), 'UTF8'))
from (select gen_random_uuid() as id, now() as at,
    'The chain begins with this migration. It proves nothing about rows that were there before.' as covers) as made;
insert into review.history_head select chain_id, 0, hash from review.history_genesis;

create function review.history_row_faults(of_table text, after bigint, through bigint)
    returns table ("position" bigint, row_id bigint, fault text) language plpgsql stable
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    newest review.history_formats := (
        select f from review.history_formats f where table_name = of_table order by format desc limit 1);
    key text := newest.key_column;
begin
    return query execute format($query$
        select link."position", written.row_id,
            case when stored.%2$I is null then 'was removed' else 'was changed' end
        from review.history_links link
        join review.history_entries entry using (entry_id)
        join review.history_formats shape using (table_name, format)
        cross join lateral unnest(entry.row_ids) with ordinality as written (row_id, place)
        left join review.%1$I stored on stored.%2$I = written.row_id
        left join review.history_salts salted on salted.table_name = %1$L and salted.row_id = written.row_id
        left join review.history_erased gone on gone.table_name = %1$L and gone.row_id = written.row_id
        where link."position" > $1 and link."position" <= $2 and entry.table_name = %1$L
            and (stored.%2$I is null or
                substring(entry.row_hashes from (written.place::int - 1) * 32 + 1 for 32) is distinct from
                review.history_hash(shape,
                    -- Without the columns that the table got after this format.
                    case when shape.format = $3.format then to_jsonb(stored)
                        else to_jsonb(stored) - array(select unnest($3.columns) except select unnest(shape.columns)) end,
                    salted.salt, gone.digests))
        order by 1, 2 limit 1 $query$, of_table, key) using after, through, newest;
end $$;
comment on function review.history_row_faults(text, bigint, bigint) is 'The first row of these links that is not as it was recorded';

create function review.history_unchained(of_table text)
    returns table (row_id bigint) language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    key text := (select key_column from review.history_formats where table_name = of_table order by format desc limit 1);
begin
    return query execute format($query$
        select stored.%2$I::bigint from review.%1$I stored
        where stored.%2$I not in (
            select unnest(entry.row_ids) from review.history_links join review.history_entries entry using (entry_id)
            where entry.table_name = %1$L)
        order by 1 limit 1 $query$, of_table, key);
end $$;
comment on function review.history_unchained(text) is 'The first row of a chained table that has no entry in the chain';

create function review.history_link_faults(after bigint, through bigint)
    returns table ("position" bigint, fault text) language sql stable
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
    select link."position", case
        when before."position" is null and link."position" > 1 then 'the link before it is missing'
        when link.previous <> coalesce(before.hash, genesis.hash) then 'it does not follow the link before it'
        when entry.entry_id is null then 'its entry was removed'
        else 'its entry or its hash was changed' end
    from review.history_links link
    cross join review.history_genesis genesis
    left join review.history_links before on before."position" = link."position" - 1
    left join review.history_entries entry on entry.entry_id = link.entry_id
    where link."position" > after and link."position" <= through
        and (link.previous is distinct from coalesce(before.hash, case when link."position" = 1 then genesis.hash end)
            or link.hash is distinct from sha256(link.previous || review.entry_hash(entry)))
    order by 1 limit 1
$$;
comment on function review.history_link_faults(bigint, bigint) is 'The first of these links that does not follow from the one before it';

-- Erasing a person: their texts go, the decisions and their figures stay, and the chain verifies.

create function review.erased_text(value text) returns text language sql immutable parallel safe
    return case when value = '' then value else '[erased]' end;
comment on function review.erased_text(text) is 'What erasing leaves of a text that is not null';

-- The rows of a table about a person, as a condition on $1 (account) and $2 (applications).
create function review.about_person(of_table text) returns text language sql stable
    set search_path = pg_catalog, pg_temp as $$
    select case
        when of_table = 'review.kept_row_events'
            then 'row_id in (select row_id from review.kept_rows where application_id = any ($2) or cells ?| $4)'
        when of_table = 'review.kept_rows' then '(application_id = any ($2) or cells ?| $4)'
        when of_table = 'exchange.accounts' then 'account_id = $1'
        else (
            select string_agg(case attname when 'account_id' then 'account_id = $1' else 'application_id = any ($2)' end, ' or ')
            from pg_attribute
            where attrelid = of_table::regclass and attname in ('account_id', 'application_id'))
        end
$$;
comment on function review.about_person(text) is 'The rows of a table about a person, as a condition on $1 (account), $2 (applications) and $4 (names)';

create function review.erase_columns(of_table text) returns text language sql stable
    set search_path = pg_catalog, pg_temp as $$
    select string_agg(format(case
        when of_table = 'exchange.accounts' and column_name = 'username' then '%1$I = format(''[erased %%s]'', account_id)'
        when of_table = 'exchange.accounts' then '%1$I = null'
        when of_table = 'exchange.applications'
            then '%1$I = case when %1$I is not null then format(''[erased %%s]'', application_id) end'
        when of_table = 'review.evidence' and column_name = 'exchange_name'
            -- Volumes on one exchange are still one, and on several still add up.
            then '%1$I = case when %1$I is not null then format(''[erased %%s]'', (select min(same.evidence_id)'
                ' from review.evidence same where same.application_id = about.application_id'
                ' and same.exchange_key = about.exchange_key)) end'
        when treatment = 'keys' then '%1$I = (select coalesce(jsonb_object_agg(key, case when key = any (%2$L)'
            ' then value else review.erased_form(value) end), ''{}'') from jsonb_each(%1$I))'
        when atttypid = 'jsonb'::regtype then '%1$I = review.erased_form(%1$I)'
        else '%1$I = review.erased_text(%1$I)' end, column_name, kept_keys), ', ')
    from review.text_rules
    join pg_attribute on attrelid = of_table::regclass and attname = column_name
    where table_name = of_table and treatment in ('erased', 'keys')
$$;
comment on function review.erase_columns(text) is 'The assignments that take the texts out of a row';

create function review.names_of(subject bigint) returns text[] language sql stable
    set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(distinct name order by name), '{}')
    from (
        select unnest(array[username, email]) as name from exchange.accounts where account_id = subject
        union all
        select unnest(array[social_handle, contact_handle]) from exchange.applications where account_id = subject
        union all
        select unnest(array[ltrim(social_handle, '@'), ltrim(contact_handle, '@')])
        from exchange.applications where account_id = subject
    ) as named
    where length(name) >= 3 and name !~ '^\[erased'
$$;
comment on function review.names_of(bigint) is 'What a person is called: username, address and handles of at least three characters';

create function review.names_pattern(names text[]) returns text language sql immutable
    set search_path = pg_catalog, pg_temp as $$
    select '(?:(?<![[:alnum:]_])|(?<=%40))(?:'
        || string_agg(regexp_replace(name, '([^[:alnum:]])', '\\\1', 'g'), '|') || ')(?![[:alnum:]_])'
    from unnest(names) as name
$$;
comment on function review.names_pattern(text[]) is 'A pattern that finds any of these names as a whole word';

create function review.mentions(names text[])
    returns table (table_name text, column_name text, number bigint) language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    rule record;
begin
    if names = '{}' then
        return;
    end if;
    for rule in select r.table_name, r.column_name from review.text_rules r where r. treatment <> 'kept' order by 1, 2 loop
        return query execute format(
            'select %1$L, %2$L, count(*) from %3$s where %2$I::text ~* $1 having count(*) > 0',
            rule.table_name, rule.column_name, rule.table_name::regclass) using review.names_pattern(names);
    end loop;
end $$;
comment on function review.mentions(text[]) is 'Where any of these names is still found, and in how many rows';

create function review.erase_chained(erasure bigint, subject bigint, applications bigint[], names text[])
    returns void language plpgsql
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    shape review.history_formats;
begin
    for shape in
        select distinct on (f.table_name) * from review.history_formats f
        where f.erased <> '{}' or f.kept_keys <> '{}' order by f.table_name, f.format desc
    loop
        execute format($query$
            insert into review.history_erased (table_name, row_id, erasure_id, digests)
            select %1$L, about.%2$I, $3, review.history_digests($5, to_jsonb(about), salted.salt)
            from review.%1$I about join review.history_salts salted
                on salted.table_name = %1$L and salted.row_id = about.%2$I
            where %3$s $query$, shape.table_name, shape.key_column, review.about_person('review.' || shape.table_name))
            using subject, applications, erasure, names, shape;
    end loop;
    delete from review.history_salts salted using review.history_erased gone
    where gone.erasure_id = erasure and gone.table_name = salted.table_name and gone.row_id = salted.row_id;
end $$;
comment on function review.erase_chained(bigint, bigint, bigint[], text[]) is 'Keeps the digests of a person''s chained texts, and deletes their salts';

create function review.erase_rows(subject bigint, applications bigint[], names text[], by_whom text, moment timestamptz)
    returns void language plpgsql
    set search_path = pg_catalog, pg_temp as $$
declare
    rule record;
begin
    -- A row that waits to be loaded would come back as an application.
    insert into review.kept_row_events (row_id, request_id, kind, actor, at, detail)
        select row_id, gen_random_uuid(), 'dismissed', by_whom, moment, '{}'
        from review.kept_rows where state = 'kept' and cells ?| names;
    update review.kept_rows set state = 'dismissed', settled_by = by_whom, settled_at = moment
        where state = 'kept' and cells ?| names;
    update review.outbox set stopped_as = 'cancelled', stopped_at = moment, leased_by = null, lease_until = null
        where application_id = any (applications) and delivered_at is null and stopped_as is null;
    update review.bulk_runs set results = (
            select coalesce(jsonb_agg(case when (one -> 'application_id')::bigint = any (applications)
                then one || jsonb_build_object('sentence', review.erased_form(one -> 'sentence')) else one end order by place), '[]')
            from jsonb_array_elements(results) with ordinality as x (one, place))
        where asked && applications;
    update review.form_imports set report = jsonb_set(report, '{rows}', (
            select coalesce(jsonb_agg(case when (one ->> 'application_id')::bigint = any (applications)
                then one || jsonb_build_object('said', review.erased_form(one -> 'said'), 'problems', review.erased_form(one -> 'problems'))
                else one end order by place), '[]')
            from jsonb_array_elements(report -> 'rows') with ordinality as x (one, place)))
        where jsonb_path_exists(report, '$.rows[*].application_id ? (@ == $ids[*])', jsonb_build_object('ids', to_jsonb(applications)));
    -- Events of kept rows are found by the cells of these, so they go first.
    for rule in
        select table_name from review.text_rules where treatment in ('erased', 'keys')
        group by table_name order by table_name <> 'review.kept_row_events', table_name
    loop
        execute format('update %s about set %s where %s', rule.table_name::regclass,
            review.erase_columns(rule.table_name), review.about_person(rule.table_name))
            using subject, applications, null::bigint, names;
    end loop;
    if names <> '{}' then
        for rule in
            select r.table_name, r.column_name, atttypid::regtype::text as kind from review.text_rules r
            join pg_attribute on attrelid = r.table_name::regclass and attname = r.column_name where r.treatment = 'searched'
        loop
            execute format('update %1$s set %2$I = regexp_replace(%2$I::text, $1, ''[erased]'', ''gi'')::%3$s where %2$I::text ~* $1',
                rule.table_name::regclass, rule.column_name, rule.kind) using review.names_pattern(names);
        end loop;
    end if;
end $$;
comment on function review.erase_rows(bigint, bigint[], text[], text, timestamptz) is 'Takes a person''s texts out of every table by the rules';

create function review.erase_person(subject bigint, why text, by_whom text, moment timestamptz, request uuid)
    returns bigint language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
declare
    erasure bigint;
    applications bigint[];
    names text[] := review.names_of(subject);
begin
    -- Whoever acts on one of them waits, or is waited for.
    perform from exchange.applications where account_id = subject order by application_id for update;
    applications := array(select application_id from exchange.applications where account_id = subject order by 1);
    if (select kind from review.holds where account_id = subject order by hold_id desc limit 1) = 'placed' then
        raise exception 'Account % is under a legal hold.', subject using errcode = 'insufficient_privilege';
    end if;
    if exists (select from exchange.applications where account_id = subject and status = 'pending') then
        raise exception 'Account % has an open application.', subject using errcode = 'insufficient_privilege';
    end if;
    insert into review.erasures (account_id, reason, actor, at, request_id)
        values (subject, why, by_whom, moment, request) returning erasure_id into erasure;
    perform review.erase_chained(erasure, subject, applications, names);
    perform review.erase_rows(subject, applications, names, by_whom, moment);
    insert into review.events (application_id, kind, actor, at, detail)
        select id, 'texts_erased', by_whom, moment, jsonb_build_object('erasure_id', erasure) from unnest(applications) as id;
    return erasure;
end $$;
comment on function review.erase_person(bigint, text, text, timestamptz, uuid) is 'Erases a person, unless a legal hold or an open application is in the way; returns the erasure''s id';
revoke all on function review.erase_person(bigint, text, text, timestamptz, uuid) from public;

-- What upstream delivers later about a person who was erased, and who has not applied again since.
create function review.keep_accounts_erased() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    back bigint[] := array(
        select changed.account_id from review.erasures erasure join changed using (account_id)
        where (changed.username <> format('[erased %s]', changed.account_id) or changed.email is not null)
            and not exists (
                select from exchange.applications later
                where later.account_id = changed.account_id and later.submitted_at > erasure.at));
begin
    if back <> '{}' then
        update exchange.accounts set username = format('[erased %s]', account_id), email = null
        where account_id = any (back);
    end if;
    return null;
end $$;
comment on function review.keep_accounts_erased() is 'Takes out again what a load brings back about an erased person';
create function review.keep_applications_erased() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    back bigint[] := array(
        select changed.application_id from review.erasures erasure join changed using (account_id)
        where changed.submitted_at <= erasure.at
            and (changed.social_handle <> format('[erased %s]', changed.application_id)
                or changed.contact_handle <> format('[erased %s]', changed.application_id)));
begin
    if back <> '{}' then
        update exchange.applications
        set social_handle = format('[erased %s]', application_id),
            contact_handle = case when contact_handle is not null then format('[erased %s]', application_id) end
        where application_id = any (back);
    end if;
    return null;
end $$;
comment on function review.keep_applications_erased() is 'Takes out again what a load brings back about an erased person';
create trigger stay_erased_insert after insert on exchange.accounts
    referencing new table as changed for each statement execute function review.keep_accounts_erased();
create trigger stay_erased_update after update on exchange.accounts
    referencing new table as changed for each statement execute function review.keep_accounts_erased();
create trigger stay_erased_insert after insert on exchange.applications
    referencing new table as changed for each statement execute function review.keep_applications_erased();
create trigger stay_erased_update after update on exchange.applications
    referencing new table as changed for each statement execute function review.keep_applications_erased();

-- Who may not change the history may not date it either: a row says when it was added.

create function review.refuse_time() returns trigger language plpgsql as $$
begin
    -- Migrations, the demo and restored backups add rows of the past as the table's owner.
    if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'usage') then
        return new;
    end if;
    raise exception 'review.% is dated when it is added: % is not now.', tg_table_name, tg_argv[0]
        using errcode = 'insufficient_privilege';
end $$;
comment on function review.refuse_time() is 'Refuses a row of the history with another time than now, but for the owner of the table';

-- A form may wait for a lock, and clocks of servers differ by a little.
create trigger dated_now before insert on review.notes for each row
    when (abs(extract(epoch from new.created_at - now())) > 600) execute function review.refuse_time('created_at');
create trigger dated_now before insert on review.evidence for each row
    when (abs(extract(epoch from new.recorded_at - now())) > 600) execute function review.refuse_time('recorded_at');
create trigger dated_now before insert on review.checks for each row
    when (abs(extract(epoch from new.created_at - now())) > 600) execute function review.refuse_time('created_at');
create trigger dated_now before insert on review.decisions for each row
    when (abs(extract(epoch from new.decided_at - now())) > 600) execute function review.refuse_time('decided_at');
-- The exchange's and the program's own events have times of their own: a withdrawal, a date that was reached.
create trigger dated_now before insert on review.events for each row
    when (new.actor like '%@%' and abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
-- A policy may be published for later, never for the past.
create trigger dated_now before insert on review.policies for each row
    when (extract(epoch from new.effective_from - now()) < -600) execute function review.refuse_time('effective_from');
create trigger dated_now before insert on review.policy_events for each row
    when (abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
create trigger dated_now before insert on review.holiday_changes for each row
    when (abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
create trigger dated_now before insert on review.affiliate_events for each row
    when (abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
create trigger dated_now before insert on review.conflicts for each row
    when (abs(extract(epoch from new.recorded_at - now())) > 600) execute function review.refuse_time('recorded_at');
create trigger dated_now before insert on review.message_templates for each row
    when (abs(extract(epoch from new.saved_at - now())) > 600) execute function review.refuse_time('saved_at');
create trigger dated_now before insert on review.delivery_settings for each row
    when (abs(extract(epoch from new.saved_at - now())) > 600) execute function review.refuse_time('saved_at');
create trigger dated_now before insert on review.report_mail_settings for each row
    when (abs(extract(epoch from new.saved_at - now())) > 600) execute function review.refuse_time('saved_at');
create trigger dated_now before insert on review.form_maps for each row
    when (abs(extract(epoch from new.saved_at - now())) > 600) execute function review.refuse_time('saved_at');
create trigger dated_now before insert on review.form_imports for each row
    when (abs(extract(epoch from new.imported_at - now())) > 600) execute function review.refuse_time('imported_at');
create trigger dated_now before insert on review.kept_row_events for each row
    when (abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
create trigger dated_now before insert on review.risk_dismissals for each row
    when (abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
create trigger dated_now before insert on review.contact_reads for each row
    when (abs(extract(epoch from new.first_at - now())) > 600) execute function review.refuse_time('first_at');
create trigger dated_now before insert on review.staff_events for each row
    when (abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
create trigger dated_now before insert on review.holds for each row
    when (abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
create trigger dated_now before insert on review.erasures for each row
    when (abs(extract(epoch from new.at - now())) > 600) execute function review.refuse_time('at');
do $$
begin
    execute (select string_agg(format('alter table %s enable always trigger dated_now', tgrelid::regclass), '; ')
        from pg_trigger where tgname = 'dated_now');
end $$;

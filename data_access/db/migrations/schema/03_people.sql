-- Staff, their settings, saved views and jobs.

create table review.staff (
    email text not null,
    display_name text not null,
    role text not null,
    active boolean not null default true,
    issuer text,
    subject text,
    signed_in_after timestamptz,
    last_seen_at timestamptz,
    constraint staff_pkey primary key (email),
    constraint staff_identity_unique unique (issuer, subject),
    constraint staff_identity_whole check ((issuer is null) = (subject is null)),
    constraint staff_issuer_known check (issuer in ('demo', 'proxy') or issuer ~ '^https?://'),
    constraint staff_email_normal check (email = review.person(email) and email ~ '^[!-~]+$'),
    constraint staff_role_known check (role in ('reviewer', 'manager', 'analyst', 'admin'))
);
comment on table review.staff is 'Who may sign in, and with which role; read for every act';
comment on column review.staff.email is 'The person''s address, in lower case; the name of the row, not what signs in';
comment on column review.staff.display_name is 'The name that colleagues see';
comment on column review.staff.role is 'reviewer, manager, analyst or admin';
comment on column review.staff.active is 'False ends the person''s access at their next act';
comment on column review.staff.issuer is 'The identity provider of the sign-in, as in its tokens; ''proxy'' for a proxy''s header; null until bound';
comment on column review.staff.subject is 'The person''s id at the provider; null until bound at the first sign-in or by an administrator';
comment on column review.staff.signed_in_after is 'Sessions begun before this moment have ended';
comment on column review.staff.last_seen_at is 'When the person last did something in the dashboard, to the minute';

-- Demo people are bound to the issuer 'demo', which no provider can be, and stay so.
create function review.guard_sign_in() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    if old.issuer = 'demo' and (new.issuer, new.subject) is distinct from (old.issuer, old.subject) then
        raise exception 'A demo person cannot be bound to another sign-in'
            using errcode = 'check_violation', constraint = 'staff_demo_stays';
    end if;
    if (new.role, new.active) is distinct from (old.role, old.active)
        or (old.issuer is not null and (new.issuer, new.subject) is distinct from (old.issuer, old.subject))
    then
        new.signed_in_after := clock_timestamp();
    end if;
    return new;
end
$function$;
comment on function review.guard_sign_in() is 'Ends a person''s sessions when their role, access or sign-in changes; demo people stay bound';
create trigger guard_sign_in before update on review.staff
    for each row execute function review.guard_sign_in();

create table review.sessions (
    session_key text not null,
    email text not null,
    begun_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    constraint sessions_pkey primary key (session_key),
    constraint sessions_email_fkey foreign key (email) references review.staff(email),
    constraint sessions_people_normal check (email = review.person(email))
);
create index sessions_by_begin on review.sessions (begun_at);
comment on table review.sessions is 'Sign-ins of browsers; rows are removed after two days';
comment on column review.sessions.session_key is 'The SHA-256 of the secret in the browser''s cookie';
comment on column review.sessions.email is 'Who signed in';
comment on column review.sessions.begun_at is 'When they signed in';
comment on column review.sessions.last_seen_at is 'When they last did something, to the minute';
comment on column review.sessions.ended_at is 'When they signed out; null until then';

create table review.staff_events (
    event_id bigint generated always as identity,
    email text not null,
    kind text not null,
    old jsonb,
    new jsonb,
    reason text not null default '',
    actor text not null,
    at timestamptz not null,
    request_id uuid not null,
    constraint staff_events_pkey primary key (event_id),
    constraint staff_events_request_id_once unique (request_id),
    constraint staff_events_email_fkey foreign key (email) references review.staff(email),
    constraint staff_events_kind_known check (kind in ('added', 'role_changed', 'disabled', 'enabled', 'bound', 'unbound', 'leave_added', 'leave_removed')),
    constraint staff_events_people_normal check (email = review.person(email) and actor = review.person(actor))
);
create index staff_events_by_person on review.staff_events (email, event_id);
create trigger append_only before delete or update or truncate on review.staff_events for each statement execute function review.refuse_change();
alter table review.staff_events enable always trigger append_only;
comment on table review.staff_events is 'Changes of the staff list and of leave; append-only';
comment on column review.staff_events.event_id is 'Identity';
comment on column review.staff_events.email is 'Whom it is about';
comment on column review.staff_events.kind is 'added, role_changed, disabled, enabled, bound, unbound, leave_added or leave_removed';
comment on column review.staff_events.old is 'The values before; null if there were none';
comment on column review.staff_events.new is 'The values after; null if there are none';
comment on column review.staff_events.reason is 'Why; typed text, which may be empty on the command line';
comment on column review.staff_events.actor is 'Who changed it: a member of staff, or the command line with the name of its user';
comment on column review.staff_events.at is 'When it was changed';
comment on column review.staff_events.request_id is 'The form that changed it';

create table review.leave (
    leave_id bigint generated always as identity,
    email text not null,
    first_day date not null,
    last_day date not null,
    constraint leave_pkey primary key (leave_id),
    constraint leave_email_fkey foreign key (email) references review.staff(email),
    constraint leave_people_normal check (email = review.person(email)),
    constraint leave_in_order check (first_day <= last_day)
);
create index leave_by_person on review.leave (email, last_day);
comment on table review.leave is 'Days on which nobody assigns to a person; who set them is in staff_events';
comment on column review.leave.leave_id is 'Identity';
comment on column review.leave.email is 'The person';
comment on column review.leave.first_day is 'The first UTC day of the leave';
comment on column review.leave.last_day is 'The last UTC day of the leave';

create table review.preferences (
    email text not null,
    name text not null,
    value jsonb not null,
    constraint preferences_pkey primary key (email, name),
    constraint preferences_people_normal check (email = review.person(email))
);
comment on table review.preferences is 'Personal settings';
comment on column review.preferences.email is 'The person';
comment on column review.preferences.name is 'The setting';
comment on column review.preferences.value is 'Its value';

create table review.saved_views (
    view_id bigint generated always as identity,
    owner text not null,
    name text not null,
    shared boolean not null default false,
    query text not null,
    created_at timestamptz not null,
    screen text not null default 'queue',
    request_id uuid not null default gen_random_uuid(),
    constraint saved_views_pkey primary key (view_id),
    constraint saved_views_owner_fkey foreign key (owner) references review.staff(email),
    constraint saved_views_people_normal check (owner = review.person(owner)),
    constraint saved_views_screen_known check (screen in ('queue', 'explore'))
);
create unique index saved_views_one_name_per_owner on review.saved_views (owner, screen, review.name_key(name));
comment on table review.saved_views is 'Saved views of the queue and of Explore';
comment on column review.saved_views.view_id is 'Identity';
comment on column review.saved_views.owner is 'Who saved it';
comment on column review.saved_views.name is 'The view''s name; typed text';
comment on column review.saved_views.shared is 'Whether colleagues see it';
comment on column review.saved_views.query is 'The view as query parameters';
comment on column review.saved_views.created_at is 'When it was saved first';
comment on column review.saved_views.screen is 'The screen: queue or explore';
comment on column review.saved_views.request_id is 'The form that saved it last; another form replaces it';

create table review.jobs (
    job_id uuid not null,
    kind text not null,
    person text not null,
    request jsonb not null default '{}',
    begun_at timestamptz not null,
    lease uuid not null,
    lease_until timestamptz not null,
    cancel_asked_at timestamptz,
    done bigint not null default 0,
    expected bigint,
    folder text,
    ended_at timestamptz,
    outcome text,
    sentence text not null default '',
    constraint jobs_pkey primary key (job_id),
    constraint jobs_kind_known check (kind in ('export', 'run', 'import')),
    constraint jobs_outcome_known check (outcome in ('complete', 'cancelled', 'failed')),
    constraint jobs_end_has_outcome check ((ended_at is null) = (outcome is null)),
    constraint jobs_people_normal check (person = review.person(person))
);
create index jobs_by_person on review.jobs (person, kind, ended_at);
create index jobs_open on review.jobs (kind, lease_until) where ended_at is null;
comment on table review.jobs is 'Background jobs, leased by the dashboard process that runs them; rows are removed after a week';
comment on column review.jobs.job_id is 'The job''s id; for a bulk run or an import, the id of its form';
comment on column review.jobs.kind is 'export, run (a bulk run) or import';
comment on column review.jobs.person is 'Who started it';
comment on column review.jobs.request is 'The request, as far as other processes need it';
comment on column review.jobs.begun_at is 'When it was first requested';
comment on column review.jobs.lease is 'The holder''s token; a process with another token has lost the job';
comment on column review.jobs.lease_until is 'When the lease expires; then the holder is gone, and any process may take the job';
comment on column review.jobs.cancel_asked_at is 'When cancellation was requested; the holder stops at its next renewal';
comment on column review.jobs.done is 'Rows or applications done so far, as of the last renewal';
comment on column review.jobs.expected is 'Expected total, estimated; null if unknown';
comment on column review.jobs.folder is 'For an export: the spool folder of its file, on the holder''s host';
comment on column review.jobs.ended_at is 'When it ended; null while it runs, or if its process is gone';
comment on column review.jobs.outcome is 'complete, cancelled or failed; null until it has ended';
comment on column review.jobs.sentence is 'How it ended, as a sentence for its person';

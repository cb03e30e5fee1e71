-- Staff and what each of them keeps.

create table review.staff (
    email text not null,
    display_name text not null,
    role text not null,
    active boolean not null default true,
    constraint staff_pkey primary key (email),
    constraint staff_email_normal check (email = review.person(email) and email ~ '^[!-~]+$'),
    constraint staff_role_known check (role in ('reviewer', 'manager', 'analyst', 'admin'))
);
comment on table review.staff is 'Who may sign in, and as what; read again at every act';
comment on column review.staff.email is 'The address the sign-in gives, in lower case';
comment on column review.staff.display_name is 'How colleagues see the person';
comment on column review.staff.role is 'reviewer, manager, analyst or admin';
comment on column review.staff.active is 'False ends the person''s access at their next act';

create table review.preferences (
    email text not null,
    name text not null,
    value jsonb not null,
    constraint preferences_pkey primary key (email, name),
    constraint preferences_people_normal check (email = review.person(email))
);
comment on table review.preferences is 'What a person set for themselves';
comment on column review.preferences.email is 'Who';
comment on column review.preferences.name is 'Which setting';
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
comment on table review.saved_views is 'Views of the queue and of the explore page under a name';
comment on column review.saved_views.view_id is 'Counts up';
comment on column review.saved_views.owner is 'Who saved it';
comment on column review.saved_views.name is 'What it is called; typed text';
comment on column review.saved_views.shared is 'Whether colleagues see it';
comment on column review.saved_views.query is 'The view as the address bar writes it';
comment on column review.saved_views.created_at is 'When';
comment on column review.saved_views.screen is 'Which screen''s: queue or explore';
comment on column review.saved_views.request_id is 'The form that saved it last; a repeat returns it, and another replaces it knowingly';

-- Messages to applicants, their templates and the delivery settings.

create table review.outbox (
    message_id uuid not null,
    application_id bigint not null,
    decision_id bigint,
    channel text not null,
    recipient text,
    payload jsonb not null,
    created_at timestamptz not null default now(),
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    delivered_at timestamptz,
    last_error text,
    leased_by uuid,
    lease_until timestamptz,
    stopped_as text,
    stopped_at timestamptz,
    last_reason text,
    retried_at timestamptz,
    sent jsonb,
    replaces uuid,
    constraint outbox_pkey primary key (message_id),
    constraint outbox_replaced_once unique (replaces),
    constraint outbox_application_id_fkey foreign key (application_id) references exchange.applications(application_id),
    constraint outbox_decision_id_fkey foreign key (decision_id) references review.decisions(decision_id),
    constraint outbox_replaces_fkey foreign key (replaces) references review.outbox(message_id),
    constraint outbox_attempts_not_negative check (attempts >= 0),
    constraint outbox_lease_whole check ((leased_by is null) = (lease_until is null)),
    constraint outbox_one_end check (delivered_at is null or stopped_as is null),
    constraint outbox_stopped_known check (stopped_as in ('parked', 'cancelled', 'withheld', 'replaced')),
    constraint outbox_stopped_whole check ((stopped_as is null) = (stopped_at is null))
);
create index outbox_by_application on review.outbox (application_id);
create index outbox_delivered on review.outbox (delivered_at desc) where delivered_at is not null;
create index outbox_stopped on review.outbox (stopped_as, stopped_at desc) where stopped_as is not null;
create index outbox_waiting on review.outbox (next_attempt_at) where delivered_at is null and stopped_as is null;
comment on table review.outbox is 'Messages to applicants, written in the transaction of the act that they announce';
comment on column review.outbox.message_id is 'The idempotency key';
comment on column review.outbox.application_id is 'The application it is about';
comment on column review.outbox.decision_id is 'The decision it announces';
comment on column review.outbox.channel is 'The applicant''s contact platform; backend: for the exchange only, not sent';
comment on column review.outbox.recipient is 'The applicant''s contact handle or address';
comment on column review.outbox.payload is 'The content of the message';
comment on column review.outbox.created_at is 'When it was written';
comment on column review.outbox.attempts is 'Delivery attempts';
comment on column review.outbox.next_attempt_at is 'When the next attempt is due';
comment on column review.outbox.delivered_at is 'When the mail server or the exchange''s endpoint accepted it';
comment on column review.outbox.last_error is 'Why the last attempt failed';
comment on column review.outbox.leased_by is 'The lease of the worker that has it; null while none does';
comment on column review.outbox.lease_until is 'When the lease expires';
comment on column review.outbox.stopped_as is 'parked, cancelled, withheld or replaced; null while it waits and after delivery';
comment on column review.outbox.stopped_at is 'When it was stopped';
comment on column review.outbox.last_reason is 'The kind of the last failure';
comment on column review.outbox.retried_at is 'When somebody last retried it';
comment on column review.outbox.sent is 'What is sent: route, address, subject, text, template and payload; rendered once and the same for every attempt';
comment on column review.outbox.replaces is 'The message that this one replaces with a corrected recipient';

create table review.message_templates (
    template_id bigint generated always as identity,
    kind text not null,
    language text not null,
    version integer not null,
    subject text not null,
    body text not null,
    author text not null,
    saved_at timestamptz not null,
    constraint message_templates_pkey primary key (template_id),
    constraint message_templates_one_version unique (kind, language, version),
    constraint message_templates_language_a_code check (language ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    constraint message_templates_people_normal check (author = review.person(author)),
    constraint message_templates_subject_one_line check (subject !~ '[\r\n]' and btrim(subject) <> '')
);
create trigger append_only before delete or update or truncate on review.message_templates for each statement execute function review.refuse_change();
alter table review.message_templates enable always trigger append_only;
comment on table review.message_templates is 'Templates of messages, by kind and language; append-only, the newest version counts';
comment on column review.message_templates.template_id is 'Identity';
comment on column review.message_templates.kind is 'The kind of message: one of program.messages.delivery.MessageKind';
comment on column review.message_templates.language is 'ISO 639-1 code, with an optional region';
comment on column review.message_templates.version is 'Counts up per kind and language';
comment on column review.message_templates.subject is 'One line, with placeholders';
comment on column review.message_templates.body is 'Plain text with placeholders, among them the message itself';
comment on column review.message_templates.author is 'Who saved it';
comment on column review.message_templates.saved_at is 'When it was saved';

create table review.delivery_settings (
    version integer not null,
    silent boolean not null default false,
    send_rejections boolean not null default true,
    email_instead text[] not null default '{}',
    language_by_country jsonb not null default '{}',
    author text not null,
    note text not null default '',
    saved_at timestamptz not null,
    constraint delivery_settings_pkey primary key (version),
    constraint delivery_settings_people_normal check (author = review.person(author))
);
create trigger append_only before delete or update or truncate on review.delivery_settings for each statement execute function review.refuse_change();
alter table review.delivery_settings enable always trigger append_only;
comment on table review.delivery_settings is 'Delivery settings, one row per version; append-only, the newest counts';
comment on column review.delivery_settings.version is 'Counts up';
comment on column review.delivery_settings.silent is 'Whether no messages are sent';
comment on column review.delivery_settings.send_rejections is 'Whether rejection messages are sent';
comment on column review.delivery_settings.email_instead is 'Contact platforms whose applicants are written to at their account''s email address';
comment on column review.delivery_settings.language_by_country is 'Country code to language code; English for other countries';
comment on column review.delivery_settings.author is 'Who saved it';
comment on column review.delivery_settings.note is 'Why it was changed';
comment on column review.delivery_settings.saved_at is 'When it was saved';

create table review.delivery_proposals (
    proposal_id bigint generated always as identity,
    shown_version integer not null,
    settings jsonb not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    closed_as text,
    closed_by text,
    closed_at timestamptz,
    constraint delivery_proposals_pkey primary key (proposal_id),
    constraint delivery_proposals_closed_whole check ((closed_as is null) = (closed_at is null) and (closed_as is null) = (closed_by is null)),
    constraint delivery_proposals_closing_known check (closed_as in ('confirmed', 'declined')),
    constraint delivery_proposals_people_normal check (proposed_by = review.person(proposed_by) and closed_by = review.person(closed_by)),
    constraint delivery_proposals_second_is_another check (closed_as is distinct from 'confirmed' or closed_by <> proposed_by)
);
create unique index delivery_proposals_one_open on review.delivery_proposals ((closed_as is null)) where closed_as is null;
comment on table review.delivery_proposals is 'Changes to delivery settings that send fewer messages and wait, or waited, for a second person';
comment on column review.delivery_proposals.proposal_id is 'Identity';
comment on column review.delivery_proposals.shown_version is 'The version of the settings that it is based on';
comment on column review.delivery_proposals.settings is 'Every setting by name, and the note';
comment on column review.delivery_proposals.proposed_by is 'The first person';
comment on column review.delivery_proposals.proposed_at is 'When it was proposed';
comment on column review.delivery_proposals.closed_as is 'confirmed or declined; null while it waits';
comment on column review.delivery_proposals.closed_by is 'Who confirmed or declined it';
comment on column review.delivery_proposals.closed_at is 'When it was closed';

create table review.report_mail_settings (
    version integer not null,
    is_on boolean not null,
    weekday integer not null,
    hour integer not null,
    zone text not null,
    colleagues text[] not null,
    counts_from timestamptz not null,
    author text not null,
    saved_at timestamptz not null,
    constraint report_mail_settings_pkey primary key (version),
    constraint report_mail_settings_weekday_known check (weekday between 1 and 7),
    constraint report_mail_settings_hour_known check (hour between 0 and 23),
    constraint report_mail_settings_people_normal check (author = review.person(author))
);
create trigger append_only before delete or update or truncate on review.report_mail_settings for each statement execute function review.refuse_change();
alter table review.report_mail_settings enable always trigger append_only;
comment on table review.report_mail_settings is 'When the weekly report is mailed and to whom, one row per version; append-only, the newest counts';
comment on column review.report_mail_settings.version is 'Counts up';
comment on column review.report_mail_settings.is_on is 'Whether it is sent';
comment on column review.report_mail_settings.weekday is 'The day of sending: 1 is Monday, 7 is Sunday';
comment on column review.report_mail_settings.hour is 'The hour of sending, 0 to 23';
comment on column review.report_mail_settings.zone is 'The time zone of day and hour, by its name';
comment on column review.report_mail_settings.colleagues is 'The addresses of staff who get it while they are active managers or administrators';
comment on column review.report_mail_settings.counts_from is 'Since when it is on at this day and hour; earlier times of sending are not made up for';
comment on column review.report_mail_settings.author is 'Who saved it';
comment on column review.report_mail_settings.saved_at is 'When it was saved';

create table review.report_mails (
    mail_id uuid not null,
    week date not null,
    colleague text not null,
    due_at timestamptz not null,
    subject text not null,
    body text not null,
    html text not null,
    attached text not null,
    created_at timestamptz not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    leased_by uuid,
    lease_until timestamptz,
    ended_at timestamptz,
    sent boolean,
    last_error text,
    constraint report_mails_pkey primary key (mail_id),
    constraint report_mails_one_a_week unique (week, colleague),
    constraint report_mails_colleague_fkey foreign key (colleague) references review.staff(email),
    constraint report_mails_people_normal check (colleague = review.person(colleague)),
    constraint report_mails_from_monday check (extract(isodow from week) = 1),
    constraint report_mails_ended_whole check ((ended_at is null) = (sent is null)),
    constraint report_mails_lease_whole check ((leased_by is null) = (lease_until is null))
);
create index report_mails_waiting on review.report_mails (next_attempt_at) where ended_at is null;
comment on table review.report_mails is 'Weekly reports by mail: at most one a week and colleague, each sent at most once';
comment on column review.report_mails.mail_id is 'Identity, and the id of the mail';
comment on column review.report_mails.week is 'The Monday of the week that it is about, UTC';
comment on column review.report_mails.colleague is 'Who gets it';
comment on column review.report_mails.due_at is 'When it was due by the settings';
comment on column review.report_mails.subject is 'The subject';
comment on column review.report_mails.body is 'The plain text';
comment on column review.report_mails.html is 'The same as a web page';
comment on column review.report_mails.attached is 'The figures as CSV';
comment on column review.report_mails.created_at is 'When it was made';
comment on column review.report_mails.attempts is 'How often the mail server did not take it';
comment on column review.report_mails.next_attempt_at is 'From when on it may be tried';
comment on column review.report_mails.leased_by is 'The attempt that is being made';
comment on column review.report_mails.lease_until is 'Until when an attempt may take; after it the mail counts as lost, since it may have been sent';
comment on column review.report_mails.ended_at is 'When it was sent or given up';
comment on column review.report_mails.sent is 'Whether the mail server took it; null while it waits';
comment on column review.report_mails.last_error is 'Why the last attempt failed';

"""Notifications: leases and ends of messages, templates, delivery settings, the decisions' feed.

Down refuses while messages are parked, cancelled or withheld, or settings and templates were
written, since nothing could bring those back.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OUTBOX = """
alter table review.outbox
    add column leased_by uuid,
    add column lease_until timestamptz,
    add column stopped_as text,
    add column stopped_at timestamptz,
    add column last_reason text,
    add column retried_at timestamptz,
    add column sent jsonb,
    add column replaces uuid,
    add constraint outbox_lease_whole check ((leased_by is null) = (lease_until is null)),
    add constraint outbox_stopped_known check (stopped_as in ('parked', 'cancelled', 'withheld', 'replaced')),
    add constraint outbox_stopped_whole check ((stopped_as is null) = (stopped_at is null)),
    add constraint outbox_one_end check (delivered_at is null or stopped_as is null),
    add constraint outbox_replaces_fkey foreign key (replaces) references review.outbox (message_id) on delete no action,
    add constraint outbox_replaced_once unique (replaces);
comment on column review.outbox.leased_by is 'Which taking of it a worker holds; null while none does';
comment on column review.outbox.lease_until is 'When that taking lapses by itself';
comment on column review.outbox.stopped_as is 'parked, cancelled, withheld or replaced; null while it waits or once it is delivered';
comment on column review.outbox.stopped_at is 'When it was stopped';
comment on column review.outbox.last_reason is 'What kind of failure the last one was';
comment on column review.outbox.retried_at is 'When somebody last sent it on its way again';
comment on column review.outbox.sent is 'What is handed over: route, address, subject, text, template and payload, made once and the same at every try';
comment on column review.outbox.replaces is 'The message whose recipient was corrected by this one';
comment on column review.outbox.delivered_at is 'When the mail server, or the exchange''s own endpoint, took it';
-- What waits and what is parked stay small, however many were delivered.
drop index review.outbox_waiting;
create index outbox_waiting on review.outbox (next_attempt_at) where delivered_at is null and stopped_as is null;
create index outbox_stopped on review.outbox (stopped_as, stopped_at desc) where stopped_as is not null;
create index outbox_delivered on review.outbox (delivered_at desc) where delivered_at is not null;
"""

TEMPLATES = """
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
    constraint message_templates_subject_one_line check (subject !~ '[\\r\\n]' and btrim(subject) <> '')
);
comment on table review.message_templates is 'What goes around a message, by what it announces and by language; append-only, the newest version counts';
comment on column review.message_templates.template_id is 'Counts up';
comment on column review.message_templates.kind is 'What is announced: approved, rejected, information_requested, or other';
comment on column review.message_templates.language is 'ISO 639-1 code, with a region where one is meant';
comment on column review.message_templates.version is 'Counts up for one kind and language';
comment on column review.message_templates.subject is 'One line, with placeholders';
comment on column review.message_templates.body is 'Plain text with placeholders; holds the message itself';
comment on column review.message_templates.author is 'Who saved it';
comment on column review.message_templates.saved_at is 'When';
insert into review.message_templates (kind, language, version, subject, body, author, saved_at) values
    ('approved', 'en', 1, 'Your affiliate application {{application_id}} is approved', '{{message}}', 'program', '2020-01-01T00:00:00Z'),
    ('rejected', 'en', 1, 'About your affiliate application {{application_id}}', '{{message}}', 'program', '2020-01-01T00:00:00Z'),
    ('information_requested', 'en', 1, 'A question about your affiliate application {{application_id}}', '{{message}}', 'program', '2020-01-01T00:00:00Z'),
    ('other', 'en', 1, 'About your place in the affiliate program', '{{message}}', 'program', '2020-01-01T00:00:00Z');
"""

SETTINGS = """
create table review.delivery_settings (
    version integer not null,
    silent boolean not null default false,
    send_rejections boolean not null default true,
    email_instead text[] not null default '{}',
    language_by_country jsonb not null default '{}',
    author text not null,
    note text not null default '',
    saved_at timestamptz not null,
    constraint delivery_settings_pkey primary key (version)
);
comment on table review.delivery_settings is 'How applicants are told, one row a version; append-only, the newest counts';
comment on column review.delivery_settings.version is 'Counts up';
comment on column review.delivery_settings.silent is 'Whether nobody is told anything';
comment on column review.delivery_settings.send_rejections is 'Whether rejections are told';
comment on column review.delivery_settings.email_instead is 'Contact platforms whose applicants are told at their account''s email address';
comment on column review.delivery_settings.language_by_country is 'Country code to language code; English where a country is not named';
comment on column review.delivery_settings.author is 'Who saved it';
comment on column review.delivery_settings.note is 'Why';
comment on column review.delivery_settings.saved_at is 'When';
insert into review.delivery_settings (version, author, note, saved_at)
    values (1, 'program', 'Everybody is told', '2020-01-01T00:00:00Z');
"""

# Ids are given when a row is written and not when it is committed: who asks for "id beyond the
# last" would never see a row whose transaction ended after a later one's. A position is given
# under a lock held to the end of the transaction, so positions follow the order of commits.
FEED = """
alter table review.decisions add column position bigint;
update review.decisions d set position = n.rank
    from (select decision_id, row_number() over (order by decision_id) as rank from review.decisions) n
    where n.decision_id = d.decision_id;
create sequence review.decisions_position owned by review.decisions.position;
select setval('review.decisions_position', coalesce(max(position), 1), max(position) is not null) from review.decisions;
create function review.place_decision() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7310008);
    new.position := nextval('review.decisions_position');
    return new;
end $$;
create trigger decisions_in_order_of_commit before insert on review.decisions
    for each row execute function review.place_decision();
alter table review.decisions alter column position set not null,
    add constraint decisions_position_once unique (position);
comment on column review.decisions.position is 'Counts up in the order of commits: ask for those beyond the last one seen';
comment on function review.place_decision() is 'Gives a decision its place among the committed ones';
"""


def upgrade() -> None:
    op.execute(OUTBOX)
    op.execute(TEMPLATES)
    op.execute(SETTINGS)
    op.get_bind().exec_driver_sql(FEED)


def downgrade() -> None:
    for held, what in (
        ("select 1 from review.outbox where stopped_as is not null limit 1", "review.outbox holds stopped messages"),
        ("select 1 from review.message_templates where version > 1 or author <> 'program' limit 1", "review.message_templates holds texts of colleagues"),
        ("select 1 from review.delivery_settings where version > 1 limit 1", "review.delivery_settings holds versions of colleagues"),
    ):
        if op.get_bind().exec_driver_sql(held).first() is not None:
            raise RuntimeError(f"{what} and nothing could bring them back. Dump the database first.")
    op.execute("drop trigger decisions_in_order_of_commit on review.decisions")
    op.execute("drop function review.place_decision()")
    op.execute("alter table review.decisions drop column position")
    op.execute("drop table review.delivery_settings; drop table review.message_templates")
    op.execute("drop index review.outbox_delivered; drop index review.outbox_stopped; drop index review.outbox_waiting")
    op.execute(
        "alter table review.outbox drop column leased_by, drop column lease_until, drop column stopped_as, "
        "drop column stopped_at, drop column last_reason, drop column retried_at, drop column sent, drop column replaces"
    )
    op.execute("create index outbox_waiting on review.outbox (next_attempt_at) where delivered_at is null")

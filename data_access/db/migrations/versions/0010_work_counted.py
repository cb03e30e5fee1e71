"""What became of each application, counted by day, so that years of work are read in a moment.

Down drops only what a refresh brings back.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UP = """
create table review.application_courses (
    application_id bigint not null,
    account_id bigint not null,
    status text not null,
    submitted_day date not null,
    platform text not null,
    country text not null,
    left_day date,
    touched_day date,
    touch_seconds integer,
    decided_day date,
    decision_seconds integer,
    decided_by text,
    is_override boolean,
    track text,
    active_since date,
    constraint application_courses_pkey primary key (application_id)
);
comment on table review.application_courses is 'What became of each application, as the last refresh counted it in work_daily';
comment on column review.application_courses.application_id is 'The application';
comment on column review.application_courses.account_id is 'Whose it is';
comment on column review.application_courses.status is 'Its status';
comment on column review.application_courses.submitted_day is 'UTC day on which it was submitted';
comment on column review.application_courses.platform is 'Its social platform';
comment on column review.application_courses.country is 'The applicant''s country, or unknown';
comment on column review.application_courses.left_day is 'UTC day since which it is pending no more';
comment on column review.application_courses.touched_day is 'UTC day on which staff first did something with it';
comment on column review.application_courses.touch_seconds is 'How long after its submission that was';
comment on column review.application_courses.decided_day is 'UTC day of the decision that stands';
comment on column review.application_courses.decision_seconds is 'How long after its submission that was';
comment on column review.application_courses.decided_by is 'Who made the decision that stands';
comment on column review.application_courses.is_override is 'Whether that was against the computed eligibility';
comment on column review.application_courses.track is 'The track that decision saw, or none';
comment on column review.application_courses.active_since is 'Of approved ones: the first day after the decision on which referred users traded';
create index application_courses_not_settled on review.application_courses (active_since, account_id) where status = 'approved' and decided_day is not null;
create index application_courses_by_submission on review.application_courses (submitted_day);
create index application_courses_by_touch on review.application_courses (touched_day);
create index application_courses_by_decision on review.application_courses (decided_day);
create index application_courses_by_leaving on review.application_courses (left_day);

create table review.work_daily (
    moment text not null,
    dimension text not null,
    day date not null,
    segment text not null,
    number bigint not null,
    touched bigint not null,
    decided bigint not null,
    approved bigint not null,
    overrides bigint not null,
    active bigint not null,
    waits bytea,
    constraint work_daily_pkey primary key (moment, dimension, day, segment),
    constraint work_daily_moment_known check (moment in ('submitted', 'touched', 'decided', 'left')),
    constraint work_daily_dimension_known check (dimension in ('program', 'country', 'platform', 'track', 'reviewer'))
);
alter table review.work_daily alter column waits set storage external;
comment on table review.work_daily is 'Applications per UTC day of a moment, whole and told apart; sums of application_courses';
comment on column review.work_daily.moment is 'What happened on the day: submitted, first touched, decided as it stands, or left the queue';
comment on column review.work_daily.dimension is 'By what they are told apart; program: not at all';
comment on column review.work_daily.day is 'UTC day of the moment';
comment on column review.work_daily.segment is 'One of the dimension''s values; all for the program';
comment on column review.work_daily.number is 'How many there are';
comment on column review.work_daily.touched is 'Of these, touched by staff by now';
comment on column review.work_daily.decided is 'Of these, with a decision that stands';
comment on column review.work_daily.approved is 'Of these, approved by it';
comment on column review.work_daily.overrides is 'Of these, decided against the computed eligibility';
comment on column review.work_daily.active is 'Of these, approved and traded for since';
comment on column review.work_daily.waits is 'Touched and decided: the seconds since submission of each, as integers of four bytes, most significant first';

create table review.work_counted (
    single boolean not null default true,
    counted_at timestamptz not null,
    transaction bigint not null,
    application_id bigint not null,
    decision_id bigint not null,
    event_id bigint not null,
    note_id bigint not null,
    evidence_id bigint not null,
    check_id bigint not null,
    constraint work_counted_pkey primary key (single),
    constraint work_counted_only_one check (single)
);
comment on table review.work_counted is 'Up to where the last refresh has counted the work; what is newer is counted when it is asked for';
comment on column review.work_counted.single is 'There is one row at most';
comment on column review.work_counted.counted_at is 'The moment of that refresh';
comment on column review.work_counted.transaction is 'The oldest transaction that was running then: what was written by it or later may not have been seen';
comment on column review.work_counted.application_id is 'The newest application it has seen; 0 when there was none';
comment on column review.work_counted.decision_id is 'The newest decision it has seen; 0 when there was none';
comment on column review.work_counted.event_id is 'The newest event it has seen; 0 when there was none';
comment on column review.work_counted.note_id is 'The newest note it has seen; 0 when there was none';
comment on column review.work_counted.evidence_id is 'The newest evidence it has seen; 0 when there was none';
comment on column review.work_counted.check_id is 'The newest check it has seen; 0 when there was none';

create table review.loaded_since (
    application_id bigint not null,
    constraint loaded_since_pkey primary key (application_id)
);
comment on table review.loaded_since is 'Applications that loads have changed since the last refresh counted them';
comment on column review.loaded_since.application_id is 'The application';

create index decisions_of_approval on review.decisions (application_id) include (decision_id, decided_at, rebate_rate) where outcome = 'approved';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("drop index review.decisions_of_approval")
    op.execute(
        "drop table review.loaded_since, review.work_counted, review.work_daily,"
        " review.application_courses"
    )

"""SQL filters for each KPI's drill-down list; KPI and list use the same ones."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    FromClause,
    Select,
    Subquery,
    Table,
    Text,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
    union_all,
)

from data_access.applications.read import clock_from
from data_access.db import tables
from data_access.eligibility import business_sql
from data_access.eligibility.judging import JudgingContext
from data_access.people.identities import person
from program.periods import Window, day_start
from program.policy.outcomes import Outcome
from program.review import business_time
from program.review.drilldown import (
    AGE_GROUPS_BY_KEY,
    NO_TRACK,
    UNKNOWN_COUNTRY,
    Clock,
    Moment,
    Scope,
    Slice,
    Stage,
    Timing,
)
from program.review.queue_filters import Due
from program.review.workflow import Decision, Move, Status

Condition = ColumnElement[bool]
TOUCHES = (
    (tables.events, "at", "actor"),
    (tables.notes, "created_at", "author"),
    (tables.evidence, "recorded_at", "recorded_by"),
    (tables.checks, "created_at", "author"),
    (tables.decisions, "decided_at", "decided_by"),
)


def conditions(slice_: Slice, context: JudgingContext) -> list[Condition]:
    """Return a slice's conditions except its status; a clock condition needs the desk joined."""
    found = submitted(slice_)
    if slice_.moment is Moment.OPEN_AT_END and slice_.period:
        found += open_at_end(slice_.period)
    by_event = slice_.moment not in (None, Moment.SUBMITTED, Moment.OPEN_AT_END)
    if by_event or slice_.reviewer or slice_.override or slice_.track or slice_.timing:
        found.append(tables.applications.c.application_id.in_(_by_moment(slice_)))
    if slice_.age:
        found += aged(slice_.age, context.now)
    if slice_.clock:
        found.append(clock(slice_.clock, context))
    if slice_.reached:
        since = slice_.since if slice_.moment is Moment.SUBMITTED else None
        found.append(reached(slice_.reached, since))
    return found


def submitted(slice_: Slice) -> list[Condition]:
    """Return the condition on the submission time, if that is the slice's moment."""
    if slice_.moment is not Moment.SUBMITTED or slice_.period is None:
        return []
    return within(tables.applications.c.submitted_at, slice_.period)


def open_at_end(period: Window) -> list[Condition]:
    """Return the conditions for applications that were open when the period ended.

    An application that was reopened since is pending again, so it counts as open all along.
    """
    application, end = tables.applications.c, day_start(period.end)
    later = or_(application.status == Status.PENDING, leaving() >= end)
    return [application.submitted_at < end, later]


def in_scope(scope: Scope) -> list[Condition]:
    """Return the conditions for a scope's statuses; whatever is open here is pending upstream."""
    status = tables.applications.c.status
    found: dict[Scope, list[Condition]] = {
        Scope.OPEN: [status == Status.PENDING],
        Scope.DECIDED: [status.in_([Status.APPROVED, Status.REJECTED])],
        Scope.APPROVED: [status == Status.APPROVED],
        Scope.REJECTED: [status == Status.REJECTED],
        Scope.ALL: [],
    }
    return found[scope]


def in_country(country: str) -> Condition:
    """Return the condition on the applicant's country, or on none; needs the account joined."""
    code = tables.accounts.c.country_code
    return code.is_(None) if country == UNKNOWN_COUNTRY else code == country


def within(moment: ColumnElement[datetime], period: Window) -> list[Condition]:
    """Return the conditions that a time falls on the period's UTC days."""
    return [moment >= day_start(period.start), moment < day_start(period.end)]


def is_current(application: FromClause = tables.applications) -> list[Condition]:
    """Return the conditions that a decision is current; needs ``application`` joined to it.

    A reopened application is pending again and has no current decision.
    """
    return [tables.current_decisions.c.outcome == application.c.status]


def leaving() -> ColumnElement[datetime]:
    """Return when an application stopped being pending; its submission if upstream does not say."""
    application = tables.applications.c
    return func.greatest(application.status_changed_at, application.submitted_at)


def snapshot_track() -> ColumnElement[str]:
    """Return the track in a decision's snapshot, or "none"."""
    return func.coalesce(tables.current_decisions.c.snapshot["track"].astext, NO_TRACK)


def in_time(application: FromClause = tables.applications) -> ColumnElement[bool]:
    """Whether a decision was made before it was due; needs its desk and its policy joined.

    By the clock, which a pause moves, the policy of the decision, and the holidays as they are now.
    Unknown if the clock began after the decision.
    """
    days = tables.policies.c.review_sla_business_days
    clock = func.coalesce(tables.desk.c.clock_from, application.c.submitted_at)
    return business_sql.in_time(clock, tables.current_decisions.c.decided_at, days)


def decided_case() -> ColumnElement[str]:
    """Return the eligibility and the track in a decision's snapshot, and who decided."""
    decision = tables.current_decisions.c
    eligibility = func.coalesce(decision.snapshot["outcome"].astext, str(Outcome.UNKNOWN))
    words = (eligibility, snapshot_track(), person(decision.decided_by))
    return func.concat_ws(" ", *words, type_=Text)


def decided(slice_: Slice, application: FromClause = tables.applications) -> list[Condition]:
    """Return the conditions for a slice's current decisions; needs ``application`` joined."""
    decision = tables.current_decisions.c
    found = is_current(application)
    if slice_.moment is Moment.DECIDED and slice_.period:
        found += within(decision.decided_at, slice_.period)
    if slice_.reviewer:
        found.append(person(decision.decided_by) == slice_.reviewer)
    if slice_.override:
        found.append(decision.is_override)
    if slice_.track:
        found.append(snapshot_track() == slice_.track)
    if slice_.timing:
        found.append(in_time(application).is_(slice_.timing is Timing.ON_TIME))
    return found


def with_clock(source: FromClause, application: FromClause = tables.applications) -> FromClause:
    """Return decisions and their applications with their desk and their policy."""
    desk, policy, decision = tables.desk.c, tables.policies.c, tables.current_decisions.c
    return source.outerjoin(
        tables.desk, desk.application_id == application.c.application_id
    ).outerjoin(tables.policies, policy.version == decision.policy_version)


def with_application() -> FromClause:
    """Return current decisions joined with their application."""
    application, decision = tables.applications, tables.current_decisions
    return decision.join(application, application.c.application_id == decision.c.application_id)


def first_touched(period: Window) -> Subquery:
    """Return applications first touched by staff in the period, and when.

    Only those submitted before the period can have been touched before it.
    """
    application, begin = tables.applications.alias("touched"), day_start(period.start)
    some = _touches(lambda moment: within(moment, period)).subquery("some")
    first = (
        select(
            some.c.application_id,
            application.c.submitted_at,
            func.min(some.c.at).label("touched_at"),
        )
        .join(application, application.c.application_id == some.c.application_id)
        .group_by(some.c.application_id, application.c.submitted_at)
        .cte("first")
    )
    earlier = [
        exists().where(
            table.c.application_id == first.c.application_id,
            table.c[moment] < begin,
            *_by_staff(table, who),
        )
        for table, moment, who in TOUCHES
    ]
    return union_all(
        select(first).where(first.c.submitted_at >= begin),
        select(first).where(first.c.submitted_at < begin, *(~touched for touched in earlier)),
    ).subquery("first_touched")


def reopenings(slice_: Slice) -> Select[Any]:
    """Return the applications reopened in the slice's period, and who had decided them."""
    event, decision = tables.events, tables.decisions
    by = person(decision.c.decided_by).label("decided_by")
    statement = select(event.c.application_id, by).outerjoin_from(
        event,
        decision,
        decision.c.decision_id == cast(event.c.detail["decision_id"].astext, BigInteger),
    )
    statement = statement.where(event.c.kind == Move.REOPEN)
    if slice_.period:
        statement = statement.where(*within(event.c.at, slice_.period))
    if slice_.reviewer:
        statement = statement.where(by == slice_.reviewer)
    return statement


def aged(key: str, now: datetime) -> list[Condition]:
    """Return the conditions for an age group."""
    group, submitted = AGE_GROUPS_BY_KEY[key], tables.applications.c.submitted_at
    found: list[Condition] = []
    if group.first:
        found.append(submitted <= now - timedelta(days=group.first))
    if group.last is not None:
        found.append(submitted > now - timedelta(days=group.last + 1))
    return found


def clock(state: Clock, context: JudgingContext) -> Condition:
    """Return the condition for a clock state; needs the desk joined. Exactly one is true."""
    stopped = tables.desk.c.paused_at.is_not(None)
    overdue, soon = _overdue(context), clock_from() <= soon_since(context)
    return {
        Clock.STOPPED: stopped,
        Clock.OVERDUE: and_(~stopped, overdue),
        Clock.SOON: and_(~stopped, ~overdue, soon),
        Clock.LATER: and_(~stopped, ~overdue, ~soon),
    }[state]


def due(state: Due, context: JudgingContext) -> list[Condition]:
    """Return the conditions for the queue's filter on the clock; needs the desk joined."""
    runs, overdue = tables.desk.c.paused_at.is_(None), _overdue(context)
    soon = clock_from() <= soon_since(context)
    return [runs, overdue] if state is Due.OVERDUE else [runs, ~overdue, soon]


def overdue_since(context: JudgingContext) -> datetime:
    """Return the time at or before which the clock of an overdue application began."""
    return _overdue_since(context.now, context)


def overdue_at(moment: datetime, context: JudgingContext) -> Condition:
    """Return the condition for those overdue at ``moment`` if nothing happens before."""
    return tables.desk.c.paused_at.is_(None) & (clock_from() <= _overdue_since(moment, context))


def _overdue_since(moment: datetime, context: JudgingContext) -> datetime:
    sla = context.policy.review_sla_business_days
    return business_time.latest_start(moment, sla, context.holidays)


def reached(stage: Stage, since: date | None = None) -> Condition:
    """Return the condition for a stage; each stage includes the later ones.

    ``since`` is a day before which none of the applications was submitted, if known.
    """
    application = tables.applications.c
    begin = None if since is None else day_start(since)
    if stage is Stage.TOUCHED:
        touched = _touches(lambda moment: [] if begin is None else [moment >= begin])
        return application.application_id.in_(select(touched.subquery("any").c.application_id))
    approved = and_(
        application.status == Status.APPROVED,
        application.application_id.in_(
            _stood(Decision.APPROVED, begin, active=stage is Stage.ACTIVE)
        ),
    )
    if stage is not Stage.DECIDED:
        return approved
    rejected = and_(
        application.status == Status.REJECTED,
        application.application_id.in_(_stood(Decision.REJECTED, begin)),
    )
    return or_(approved, rejected)


def _stood(outcome: Decision, begin: datetime | None, *, active: bool = False) -> Select[Any]:
    """Return applications by current decision; ``active``: with volume after it."""
    decision = tables.current_decisions
    found = select(decision.c.application_id).where(decision.c.outcome == outcome)
    if begin is not None:
        found = found.where(decision.c.decided_at >= begin)
    if not active:
        return found
    daily, application = tables.affiliate_daily, tables.applications.alias("approved")
    # Redundant, but only a plain bound skips the months before it.
    later = [] if begin is None else [daily.c.day >= begin.date()]
    return found.join(application, application.c.application_id == decision.c.application_id).where(
        exists().where(
            daily.c.affiliate_account_id == application.c.account_id,
            daily.c.day > cast(func.timezone("UTC", decision.c.decided_at), Date),
            daily.c.volume_usd > 0,
            *later,
        )
    )


def touches(which: Callable[[Table], list[Condition]]) -> CompoundSelect[Any]:
    """Return everything staff did with applications, filtered by ``which`` per table."""
    return union_all(
        *(
            select(table.c.application_id, table.c[moment].label("at")).where(
                *which(table), *_by_staff(table, who)
            )
            for table, moment, who in TOUCHES
        )
    )


def _touches(during: Callable[[ColumnElement[datetime]], list[Condition]]) -> CompoundSelect[Any]:
    """Return everything staff did with applications, filtered by ``during`` on the time."""
    moments = {table: moment for table, moment, _ in TOUCHES}
    return touches(lambda table: during(table.c[moments[table]]))


def _by_moment(slice_: Slice) -> Select[Any]:
    if slice_.moment is Moment.TOUCHED and slice_.period:
        return select(first_touched(slice_.period).c.application_id)
    if slice_.moment is Moment.REOPENED:
        return select(reopenings(slice_).subquery("reopened").c.application_id)
    application, decision = tables.applications.alias("decided"), tables.current_decisions
    source: FromClause = decision.join(
        application, application.c.application_id == decision.c.application_id
    )
    if slice_.timing:
        source = with_clock(source, application)
    return (
        select(decision.c.application_id).select_from(source).where(*decided(slice_, application))
    )


def _by_staff(table: Table, who: str) -> list[Condition]:
    # Authors of the other tables are always staff; events also come from the program and upstream.
    return [table.c[who].in_(select(tables.staff.c.email))] if table is tables.events else []


def _overdue(context: JudgingContext) -> Condition:
    return clock_from() <= overdue_since(context)


def soon_since(context: JudgingContext) -> datetime:
    """Return the time at or before which the clock began of one that is overdue within a day."""
    days = max(0, context.policy.review_sla_business_days - 1)
    return business_time.latest_start(context.now, days, context.holidays)

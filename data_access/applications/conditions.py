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
from data_access.eligibility.judging import JudgingContext
from data_access.people.identities import person
from program.periods import Window, day_start
from program.review import business_time
from program.review.ages import AGE_GROUPS_BY_KEY
from program.review.drilldown import NO_TRACK, UNKNOWN_COUNTRY, Clock, Moment, Scope, Slice, Stage
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


def conditions(asked: Slice, context: JudgingContext) -> list[Condition]:
    """What ``asked`` says of an application but its status; a clock needs the desk joined."""
    found = submitted(asked)
    if asked.moment is Moment.OPEN_AT_END and asked.period:
        found += open_at_end(asked.period)
    by_event = asked.moment not in (None, Moment.SUBMITTED, Moment.OPEN_AT_END)
    if by_event or asked.reviewer or asked.override or asked.track:
        found.append(tables.applications.c.application_id.in_(_by_moment(asked)))
    if asked.age:
        found += aged(asked.age, context.now)
    if asked.clock:
        found.append(clock(asked.clock, context))
    if asked.reached:
        since = asked.since if asked.moment is Moment.SUBMITTED else None
        found.append(reached(asked.reached, since))
    return found


def submitted(asked: Slice) -> list[Condition]:
    """Whether an application was submitted in the slice's period, where that is its moment."""
    if asked.moment is not Moment.SUBMITTED or asked.period is None:
        return []
    return within(tables.applications.c.submitted_at, asked.period)


def open_at_end(period: Window) -> list[Condition]:
    """Whether an application was there when the period ended and left the queue only later.

    What was reopened since is pending again, so it counts as open all along.
    """
    application, end = tables.applications.c, day_start(period.end)
    later = or_(application.status == Status.PENDING, leaving() >= end)
    return [application.submitted_at < end, later]


def in_scope(scope: Scope) -> list[Condition]:
    """The statuses of a scope; what is open here is pending upstream."""
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
    """The applicant's country, or that none is known; needs the account joined."""
    code = tables.accounts.c.country_code
    return code.is_(None) if country == UNKNOWN_COUNTRY else code == country


def within(moment: ColumnElement[datetime], period: Window) -> list[Condition]:
    """Whether a moment falls on the period's UTC days."""
    return [moment >= day_start(period.start), moment < day_start(period.end)]


def stands(application: FromClause = tables.applications) -> list[Condition]:
    """Whether a decision is still that of ``application``, which must be joined to it.

    A reopened application is pending again, so its decision stands no more.
    """
    return [tables.decisions.c.outcome == application.c.status, ~superseded()]


def leaving() -> ColumnElement[datetime]:
    """When what is pending no more ceased to be; upstream may not say: then it never waited."""
    application = tables.applications.c
    return func.greatest(application.status_changed_at, application.submitted_at)


def superseded() -> Condition:
    """Whether a later decision replaces this one; few do, so they are looked up all at once."""
    later = tables.decisions.alias("later")
    replaced = select(later.c.supersedes).where(later.c.supersedes.is_not(None))
    return tables.decisions.c.decision_id.in_(replaced)


def track_seen() -> ColumnElement[str]:
    """The track a decision's own snapshot names, or "none"."""
    return func.coalesce(tables.decisions.c.snapshot["track"].astext, NO_TRACK)


def decided(asked: Slice, application: FromClause = tables.applications) -> list[Condition]:
    """The standing decisions of a slice; needs ``application`` joined to the decision."""
    decision = tables.decisions.c
    found = stands(application)
    if asked.moment is Moment.DECIDED and asked.period:
        found += within(decision.decided_at, asked.period)
    if asked.reviewer:
        found.append(person(decision.decided_by) == asked.reviewer)
    if asked.override:
        found.append(decision.is_override)
    if asked.track:
        found.append(track_seen() == asked.track)
    return found


def with_application() -> FromClause:
    """Decisions beside their application."""
    application, decision = tables.applications, tables.decisions
    return decision.join(application, application.c.application_id == decision.c.application_id)


def first_touched(period: Window) -> Subquery:
    """Applications with which staff first did something in the period, and when.

    Nobody touches what is not there yet: only of those submitted before the period must be
    asked whether they were touched before it.
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


def reopenings(asked: Slice) -> Select[Any]:
    """Applications reopened in the slice's period, and who had made the decision taken back."""
    event, decision = tables.events, tables.decisions
    by = person(decision.c.decided_by).label("decided_by")
    statement = select(event.c.application_id, by).outerjoin_from(
        event,
        decision,
        decision.c.decision_id == cast(event.c.detail["decision_id"].astext, BigInteger),
    )
    statement = statement.where(event.c.kind == Move.REOPEN)
    if asked.period:
        statement = statement.where(*within(event.c.at, asked.period))
    if asked.reviewer:
        statement = statement.where(by == asked.reviewer)
    return statement


def aged(key: str, now: datetime) -> list[Condition]:
    """Whether an application's age falls into the group."""
    group, submitted = AGE_GROUPS_BY_KEY[key], tables.applications.c.submitted_at
    found: list[Condition] = []
    if group.first:
        found.append(submitted <= now - timedelta(days=group.first))
    if group.last is not None:
        found.append(submitted > now - timedelta(days=group.last + 1))
    return found


def clock(state: Clock, context: JudgingContext) -> Condition:
    """How the review clock stands; needs the desk joined. Exactly one state is true."""
    stopped = tables.desk.c.paused_at.is_not(None)
    overdue, soon = _overdue(context), clock_from() <= _soon_since(context)
    return {
        Clock.STOPPED: stopped,
        Clock.OVERDUE: and_(~stopped, overdue),
        Clock.SOON: and_(~stopped, ~overdue, soon),
        Clock.LATER: and_(~stopped, ~overdue, ~soon),
    }[state]


def due(state: Due, context: JudgingContext) -> list[Condition]:
    """The queue's own filter on the clock; needs the desk joined."""
    runs, overdue = tables.desk.c.paused_at.is_(None), _overdue(context)
    soon = clock_from() <= _soon_since(context)
    return [runs, overdue] if state is Due.OVERDUE else [runs, ~overdue, soon]


def overdue_since(context: JudgingContext) -> datetime:
    """Applications whose clock began at or before this moment are overdue."""
    sla = context.policy.review_sla_business_days
    return business_time.latest_start(context.now, sla, context.holidays)


def reached(stage: Stage, since: date | None = None) -> Condition:
    """How far an application came; every stage is also true of what came further.

    ``since`` is a day before which none of the applications was submitted, if one is known.
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
    """Applications by their newest decision; ``active``: whose account had volume after it."""
    decision = tables.decisions
    found = select(decision.c.application_id).where(decision.c.outcome == outcome, ~superseded())
    if begin is not None:
        found = found.where(decision.c.decided_at >= begin)
    if not active:
        return found
    daily, application = tables.affiliate_daily, tables.applications.alias("approved")
    # Implied by what follows, but only a plain bound spares the months before it.
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
    """Everything staff did with applications, of what ``which`` lets through of each table."""
    return union_all(
        *(
            select(table.c.application_id, table.c[moment].label("at")).where(
                *which(table), *_by_staff(table, who)
            )
            for table, moment, who in TOUCHES
        )
    )


def _touches(during: Callable[[ColumnElement[datetime]], list[Condition]]) -> CompoundSelect[Any]:
    """Everything staff did with applications at moments that ``during`` lets through."""
    moments = {table: moment for table, moment, _ in TOUCHES}
    return touches(lambda table: during(table.c[moments[table]]))


def _by_moment(asked: Slice) -> Select[Any]:
    if asked.moment is Moment.TOUCHED and asked.period:
        return select(first_touched(asked.period).c.application_id)
    if asked.moment is Moment.REOPENED:
        return select(reopenings(asked).subquery("reopened").c.application_id)
    application, decision = tables.applications.alias("decided"), tables.decisions
    return (
        select(decision.c.application_id)
        .join(application, application.c.application_id == decision.c.application_id)
        .where(*decided(asked, application))
    )


def _by_staff(table: Table, who: str) -> list[Condition]:
    # Of the others the author is always staff; events are also the program's and upstream's.
    return [table.c[who].in_(select(tables.staff.c.email))] if table is tables.events else []


def _overdue(context: JudgingContext) -> Condition:
    return clock_from() <= overdue_since(context)


def _soon_since(context: JudgingContext) -> datetime:
    days = max(0, context.policy.review_sla_business_days - 1)
    return business_time.latest_start(context.now, days, context.holidays)

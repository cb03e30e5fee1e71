"""The applications behind a figure, as conditions: figure and list are made from the same ones."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
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

from data_access import tables
from data_access.applications import clock_from
from data_access.standings import Basis
from program import business_time
from program.ages import AGE_GROUPS_BY_KEY
from program.periods import Window, day_start
from program.queue import Due
from program.slices import NO_TRACK, UNKNOWN_COUNTRY, Clock, Moment, Scope, Slice, Stage
from program.workflow import Decision, Move, Status

Condition = ColumnElement[bool]
TOUCHES = (
    (tables.events, "at", "actor"),
    (tables.notes, "created_at", "author"),
    (tables.evidence, "recorded_at", "recorded_by"),
    (tables.checks, "created_at", "author"),
    (tables.decisions, "decided_at", "decided_by"),
)


def conditions(asked: Slice, ground: Basis) -> list[Condition]:
    """What ``asked`` says of an application but its status; a clock needs the desk joined."""
    found = submitted(asked)
    by_event = asked.moment not in (None, Moment.SUBMITTED)
    if by_event or asked.reviewer or asked.override or asked.track:
        found.append(tables.applications.c.application_id.in_(_by_moment(asked)))
    if asked.age:
        found += aged(asked.age, ground.now)
    if asked.clock:
        found.append(clock(asked.clock, ground))
    if asked.reached:
        found.append(reached(asked.reached))
    return found


def submitted(asked: Slice) -> list[Condition]:
    """Whether an application was submitted in the slice's period, where that is its moment."""
    if asked.moment is not Moment.SUBMITTED or asked.period is None:
        return []
    return within(tables.applications.c.submitted_at, asked.period)


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
    decision, later = tables.decisions, tables.decisions.alias("later")
    superseded = exists().where(later.c.supersedes == decision.c.decision_id)
    return [decision.c.outcome == application.c.status, ~superseded]


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
        found.append(decision.decided_by == asked.reviewer)
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
    """Applications with which staff first did something in the period, and when."""
    some = union_all(
        *(
            select(table.c.application_id, table.c[moment].label("at")).where(
                *within(table.c[moment], period), *_by_staff(table, who)
            )
            for table, moment, who in TOUCHES
        )
    ).subquery("some")
    first = (
        select(some.c.application_id, func.min(some.c.at).label("touched_at"))
        .group_by(some.c.application_id)
        .subquery("first")
    )
    before = [
        exists().where(
            table.c.application_id == first.c.application_id,
            table.c[moment] < day_start(period.start),
            *_by_staff(table, who),
        )
        for table, moment, who in TOUCHES
    ]
    return select(first).where(*(~earlier for earlier in before)).subquery("touched")


def reopenings(asked: Slice) -> Select[Any]:
    """Applications reopened in the slice's period, and who had made the decision taken back."""
    event, decision = tables.events, tables.decisions
    statement = select(event.c.application_id, decision.c.decided_by).outerjoin_from(
        event,
        decision,
        decision.c.decision_id == cast(event.c.detail["decision_id"].astext, BigInteger),
    )
    statement = statement.where(event.c.kind == Move.REOPEN)
    if asked.period:
        statement = statement.where(*within(event.c.at, asked.period))
    if asked.reviewer:
        statement = statement.where(decision.c.decided_by == asked.reviewer)
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


def clock(state: Clock, ground: Basis) -> Condition:
    """How the review clock stands; needs the desk joined. Exactly one state is true."""
    stopped = tables.desk.c.paused_at.is_not(None)
    overdue, soon = _overdue(ground), clock_from() <= _soon_since(ground)
    return {
        Clock.STOPPED: stopped,
        Clock.OVERDUE: and_(~stopped, overdue),
        Clock.SOON: and_(~stopped, ~overdue, soon),
        Clock.LATER: and_(~stopped, ~overdue, ~soon),
    }[state]


def due(state: Due, ground: Basis) -> list[Condition]:
    """The queue's own filter on the clock; needs the desk joined."""
    overdue = _overdue(ground)
    return [overdue] if state is Due.OVERDUE else [~overdue, clock_from() <= _soon_since(ground)]


def overdue_since(ground: Basis) -> datetime:
    """Applications whose clock began at or before this moment are overdue."""
    sla = ground.policy.review_sla_business_days
    return business_time.latest_start(ground.now, sla, ground.holidays)


def reached(stage: Stage) -> Condition:
    """How far an application came; every stage is also true of what came further."""
    application, decision = tables.applications, tables.decisions
    if stage is Stage.TOUCHED:
        return or_(
            *(
                exists().where(
                    table.c.application_id == application.c.application_id, *_by_staff(table, who)
                )
                for table, _, who in TOUCHES
            )
        )
    stood = select(1).where(decision.c.application_id == application.c.application_id, *stands())
    if stage is not Stage.DECIDED:
        stood = stood.where(decision.c.outcome == Decision.APPROVED)
    if stage is Stage.ACTIVE:
        stood = stood.where(_traded_after())
    return stood.correlate(application).exists()


def _traded_after() -> Condition:
    """Whether the account has referral volume on a day after the decision's."""
    daily, decision = tables.affiliate_daily, tables.decisions
    return exists().where(
        daily.c.affiliate_account_id == tables.applications.c.account_id,
        daily.c.day > cast(func.timezone("UTC", decision.c.decided_at), Date),
        daily.c.volume_usd > 0,
    )


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


def _overdue(ground: Basis) -> Condition:
    return clock_from() <= overdue_since(ground)


def _soon_since(ground: Basis) -> datetime:
    days = max(0, ground.policy.review_sla_business_days - 1)
    return business_time.latest_start(ground.now, days, ground.holidays)

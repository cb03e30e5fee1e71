"""Lifecycle counts of applications by day, and what changed since the last refresh.

A refresh stores one row per application and daily sums of them. Staff decide all day and upstream
delivers between refreshes, so triggers note which applications change, and readers of the sums
subtract these as counted and add them as they are now. The same statements compute both; before
the first refresh everything is counted at read time.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    FromClause,
    Integer,
    Row,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from data_access.applications import conditions as application_conditions
from data_access.applications.read import platform_key
from data_access.db import tables
from data_access.people.identities import person
from program.review.drilldown import UNKNOWN_COUNTRY
from program.review.workflow import Status

WHOLE = "all"
PROGRAM = "program"
COUNTS = ("number", "touched", "decided", "approved", "overrides", "active", "in_time", "late")


class At(StrEnum):
    """The steps that are counted by day."""

    SUBMITTED = "submitted"
    TOUCHED = "touched"
    DECIDED = "decided"
    LEFT = "left"


DAY = {
    At.SUBMITTED: "submitted_day",
    At.TOUCHED: "touched_day",
    At.DECIDED: "decided_day",
    At.LEFT: "left_day",
}
WAIT = {At.TOUCHED: "touch_seconds", At.DECIDED: "decision_seconds"}
SPLIT_BY = {
    At.SUBMITTED: {"country": "country", "platform": "platform"},
    At.DECIDED: {
        "country": "country",
        "platform": "platform",
        "track": "track",
        "reviewer": "decided_by",
        "case": "decided_case",
    },
}


def changed_ids(connection: Connection) -> list[int] | None:
    """Return the applications that changed since the last refresh; ``None`` before the first."""
    noted = tables.uncounted.c.application_id
    ids = select(func.array_agg(noted.distinct(), type_=ARRAY(BigInteger))).scalar_subquery()
    row = connection.execute(select(ids.label("ids")).select_from(tables.work_counted)).first()
    return None if row is None else row.ids or []


def course(ids: FromClause | None) -> Select[Any]:
    """Return the lifecycle row of each application, or of those with ids in ``ids``."""
    application, decision = tables.applications, tables.current_decisions
    touched = _touched(ids)
    decided = decision.c.decision_id.is_not(None)
    submitted = application.c.submitted_at
    settled = application.c.status != Status.PENDING
    found = select(
        application.c.application_id,
        application.c.account_id,
        application.c.status,
        _day(submitted).label("submitted_day"),
        platform_key(application.c.social_platform).label("platform"),
        func.coalesce(tables.accounts.c.country_code, UNKNOWN_COUNTRY).label("country"),
        case((settled, _day(application_conditions.leaving()))).label("left_day"),
        _day(touched.c.at).label("touched_day"),
        _seconds(touched.c.at - submitted).label("touch_seconds"),
        _day(decision.c.decided_at).label("decided_day"),
        _seconds(decision.c.decided_at - submitted).label("decision_seconds"),
        person(decision.c.decided_by).label("decided_by"),
        decision.c.is_override,
        case((decided, application_conditions.snapshot_track())).label("track"),
        case((and_(decided, application.c.status == Status.APPROVED), _active_since())).label(
            "active_since"
        ),
        application_conditions.in_time().label("in_time"),
        case((decided, application_conditions.decided_case())).label("decided_case"),
    ).select_from(_sources(touched))
    return found if ids is None else found.where(_among(application, ids))


def _sources(touched: FromClause) -> FromClause:
    """Return each application with its account, first touch, current decision and clock."""
    application, decision = tables.applications, tables.current_decisions
    account = tables.accounts
    stands = and_(
        decision.c.application_id == application.c.application_id,
        *application_conditions.is_current(application),
    )
    return application_conditions.with_clock(
        application.outerjoin(account, account.c.account_id == application.c.account_id)
        .outerjoin(touched, touched.c.application_id == application.c.application_id)
        .outerjoin(decision, stands)
    )


def _touched(ids: FromClause | None) -> Any:  # noqa: ANN401 - a subquery with two columns
    # An application cannot be touched before it exists.
    every = application_conditions.touches(
        lambda table: [] if ids is None else [_among(table, ids)]
    )
    touch = every.subquery("touch")
    return (
        select(touch.c.application_id, func.min(touch.c.at).label("at"))
        .group_by(touch.c.application_id)
        .subquery("touched")
    )


def _active_since() -> ColumnElement[Any]:
    """Return the first day with trading after an approval."""
    daily, monthly = tables.affiliate_daily.c, tables.affiliate_monthly.c
    account, approved_on = (
        tables.applications.c.account_id,
        _day(tables.current_decisions.c.decided_at),
    )
    first = select(func.min(daily.day)).where(
        daily.affiliate_account_id == account, daily.day > approved_on, daily.volume_usd > 0
    )
    # Most have never traded; one look at their months spares a look into every month's days.
    month = cast(func.date_trunc("month", cast(approved_on, DateTime)), Date)
    traded = exists().where(
        monthly.affiliate_account_id == account, monthly.month >= month, monthly.volume_usd > 0
    )
    rows = (tables.applications, tables.current_decisions)
    return case((traded.correlate(*rows), first.correlate(*rows).scalar_subquery()))


def _among(table: FromClause, ids: FromClause) -> ColumnElement[bool]:
    return table.c.application_id.in_(select(ids.c.application_id))


def _day(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.timezone("UTC", moment), Date)


def _seconds(took: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.round(func.extract("epoch", took)), Integer)


def cells(source: FromClause, *which: At) -> Any:  # noqa: ANN401 - a union of selects
    """Return the rows of work_daily for lifecycle rows with a ``sign``.

    ``which`` are the steps, by default all. ``gone`` holds the waiting times of sign -1.
    """
    return union_all(*(_cells(source, at) for at in which or At))


def _cells(source: FromClause, at: At) -> Select[Any]:
    found = source.c
    day, apart = found[DAY[at]], SPLIT_BY.get(at, {})
    columns = {name: found[column] for name, column in apart.items()}
    dimension: ColumnElement[Any] = literal(PROGRAM, Text)
    segment: ColumnElement[Any] = literal(WHOLE, Text)
    if columns:
        named = [(func.grouping(column) == 0, name) for name, column in columns.items()]
        dimension = case(*named, else_=PROGRAM)
        segment = func.coalesce(*columns.values(), WHOLE)

    def number(*conditions: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(found.sign).filter(and_(true(), *conditions)), 0)

    decided = found.decided_day.is_not(None)
    return (
        select(
            literal(str(at), Text).label("moment"),
            cast(dimension, Text).label("dimension"),
            day.label("day"),
            cast(segment, Text).label("segment"),
            number().label("number"),
            number(found.touched_day.is_not(None)).label("touched"),
            number(decided).label("decided"),
            number(decided, found.status == Status.APPROVED).label("approved"),
            number(found.is_override.is_(True)).label("overrides"),
            number(found.active_since.is_not(None)).label("active"),
            number(found.in_time.is_(True)).label("in_time"),
            number(found.in_time.is_(False)).label("late"),
            _waits(source, at, 1).label("waits"),
            _waits(source, at, -1).label("gone"),
        )
        .where(day.is_not(None))
        .group_by(func.grouping_sets(tuple_(day), *(tuple_(day, c) for c in columns.values())))
    )


def _waits(source: FromClause, at: At, sign: int) -> Any:  # noqa: ANN401 - of bytes
    if at not in WAIT:
        return cast(null(), BYTEA)
    packed = func.int4send(source.c[WAIT[at]])
    joined: Any = func.string_agg(packed, cast(literal(b""), BYTEA))
    return joined.filter(source.c.sign == sign)


def changed_rows(ids: FromClause, fresh: FromClause) -> Any:  # noqa: ANN401 - a union of selects
    """Return the rows of ``ids`` that changed: as counted with sign -1, as now with sign 1."""
    held = tables.application_courses
    now = select(*fresh.c, literal(1).label("sign"))
    then = select(*held.c, literal(-1).label("sign")).where(_among(held, ids))
    return union_all(
        now.where(~_same(fresh, held)),
        then.where(~_same(held, fresh)),
    )


def _same(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    equal = [
        other.c[column.name].is_not_distinct_from(one.c[column.name])
        for column in tables.application_courses.c
        if not column.primary_key
    ]
    key = other.c.application_id == one.c.application_id
    return select(literal(1)).select_from(other).where(key, *equal).correlate(one).exists()


def of(ids: Iterable[int]) -> Select[Any]:
    """Return these application ids as rows."""
    given = literal(list(ids), postgresql.ARRAY(BigInteger))
    return select(func.unnest(given, type_=BigInteger).column_valued("application_id"))


def uncounted(connection: Connection) -> Sequence[Row[Any]]:
    """Return the rows to add to work_daily (or subtract, by sign) to bring it up to date."""
    changed = changed_ids(connection)
    if changed is None:
        every = course(None).add_columns(literal(1).label("sign"))
        return connection.execute(select(cells(every.cte("every_course")).subquery())).all()
    if not changed:
        return []
    # The plan depends on their number, so they are sent back as a parameter.
    ids = of(changed).cte("ids")
    fresh = course(ids).cte("fresh")
    moved = changed_rows(ids, fresh).cte("moved")
    return connection.execute(select(cells(moved).subquery())).all()

"""The review queue: pending applications filtered, ordered, counted and paged in SQL.

A page is found in two steps. First the ids, touching only the tables that the filters and
the order ask about; then everything shown, for those fifty rows alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)

from data_access.applications import conditions as application_conditions
from data_access.applications import searching
from data_access.applications.read import (
    Desk,
    clock_from,
    desk_columns,
    desk_of,
    effective_status,
    is_held,
    platform_key,
    with_desk,
    with_status,
)
from data_access.db import tables
from data_access.eligibility import delivered
from data_access.eligibility.judging import (
    METRIC_TYPES,
    JudgingContext,
    judging,
    measured,
    metric,
    track_truth,
    uncovered,
    whole_truth,
    with_account,
)
from data_access.people.identities import known_by
from data_access.queue import priority_sql
from program.periods import month_start, months_later, recent_months
from program.policy.criteria import BOTH_TRACKS, TRACKS
from program.policy.eligibility import Assessment, Facts, assess
from program.review import business_time, priority
from program.review.priority import Priority
from program.review.queue_filters import PAGE_SIZE, Filters, Owner, Sort
from program.review.workflow import OPEN_STATUSES, Status
from program.text.platforms import choices

SPARKLINE_MONTHS = 6
YET_TO_BEGIN = priority_sql.JUST_AFTER
SORT_METRIC = {
    Sort.VOLUME: "volume_usd",
    Sort.ACTIVE: "active_users",
    Sort.NEW: "new_users",
}


class EvidenceState(StrEnum):
    """The state shown in the evidence column."""

    NONE = "none"
    CURRENT = "current"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One pending application as the queue shows it. ``months`` ends with T's month, USD."""

    application_id: int
    account_id: int
    username: str
    country_code: str | None
    social_platform: str
    social_handle: str
    submitted_at: datetime
    status_changed_at: datetime | None
    facts: Facts
    assessment: Assessment
    months: tuple[Decimal, ...]
    evidence: EvidenceState
    status: Status
    desk: Desk
    priority: Priority
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of the whole queue, ignoring filters; ``set_aside`` by status."""

    total: int
    met: int
    not_met: int
    unknown: int
    overdue: int
    unassigned: int
    mine: int
    set_aside: Mapping[Status, int]


@known_by("viewer")
def counts(connection: Connection, context: JudgingContext, *, viewer: str = "") -> Counts:
    """Count the whole queue by eligibility, clock and owner, in one query."""
    found = judging(context)
    # OFFSET 0 keeps the planner from repeating the judging wherever the result is used.
    judged_once = (
        select(
            whole_truth(found.values, context.policy).label("truth"),
            (clock_from() <= application_conditions.overdue_since(context)).label("overdue"),
            is_held(context.now).label("held"),
            (tables.desk.c.assignee == viewer).label("mine"),
        )
        .select_from(with_desk(found.source))
        .where(*with_status(Status.PENDING, context.now))
        .offset(0)
        .subquery("judged")
    ).c
    row = connection.execute(
        select(
            func.count().label("total"),
            func.count().filter(judged_once.truth).label("met"),
            func.count().filter(~judged_once.truth).label("not_met"),
            func.count().filter(judged_once.overdue).label("overdue"),
            func.count().filter(~judged_once.held).label("unassigned"),
            func.count().filter(judged_once.held & judged_once.mine).label("mine"),
        )
    ).one()
    return Counts(
        total=row.total,
        met=row.met,
        not_met=row.not_met,
        unknown=row.total - row.met - row.not_met,
        overdue=row.overdue,
        unassigned=row.unassigned,
        mine=row.mine,
        set_aside=_set_aside(connection, context.now),
    )


def count(connection: Connection, filters: Filters, context: JudgingContext) -> int:
    """Count the pending applications that match the filters."""
    matching = matching_ids(filters.in_order(Sort.WAITING), context).statement
    return connection.execute(
        matching.with_only_columns(func.count(), maintain_column_froms=True)
    ).scalar_one()


def page(
    connection: Connection, filters: Filters, context: JudgingContext, *, size: int = PAGE_SIZE
) -> list[QueueRow]:
    """Return the rows of the requested page, in order; empty past the end."""
    matching = matching_ids(filters, context)
    ids = connection.execute(
        matching.statement.order_by(*matching.order).offset((filters.page - 1) * size).limit(size)
    ).scalars()
    return rows(connection, list(ids.all()), context)


def ids(
    connection: Connection, filters: Filters, context: JudgingContext, *, most: int
) -> list[int]:
    """Return the ids of all matches, in order, at most ``most``."""
    matching = matching_ids(filters, context)
    found = connection.execute(matching.statement.order_by(*matching.order).limit(most))
    return list(found.scalars())


def rows(connection: Connection, ids: list[int], context: JudgingContext) -> list[QueueRow]:
    """Return the queue's rows for these applications, in the given order."""
    if not ids:
        return []
    judged_on = judging(context, only=ids)
    application, account = tables.applications, tables.accounts
    recorded = exists().where(tables.evidence.c.application_id == application.c.application_id)
    found = connection.execute(
        select(
            application.c.application_id,
            application.c.account_id,
            account.c.username,
            account.c.country_code,
            application.c.social_platform,
            application.c.social_handle,
            application.c.submitted_at,
            application.c.status_changed_at,
            recorded.label("recorded"),
            effective_status(context.now).label("status"),
            *desk_columns(),
            _recent_months(context).label("months"),
            delivered.first_day().label("data_begin"),
            *(value.label(key) for key, value in judged_on.values.items()),
        )
        .select_from(with_desk(with_account(judged_on.source)))
        .where(application.c.application_id.in_(ids))
    ).mappings()
    by_id = {row["application_id"]: _row(dict(row), context) for row in found}
    return [by_id[id_] for id_ in ids if id_ in by_id]


def in_statuses(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions for the list's statuses; open ones need the desk joined."""
    if filters.slice.scope is None:
        return with_status(filters.status, now)
    return application_conditions.in_scope(filters.slice.scope)


def countries(connection: Connection) -> list[str]:
    """Return the countries of pending applicants, for the filter's choices."""
    application, account = tables.applications, tables.accounts
    found = connection.execute(
        select(account.c.country_code)
        .join(application, application.c.account_id == account.c.account_id)
        .where(application.c.status == Status.PENDING, account.c.country_code.is_not(None))
        .distinct()
        .order_by(account.c.country_code)
    )
    return list(found.scalars())


def platforms(connection: Connection) -> dict[str, str]:
    """Return the social platforms of pending applications: label by key, most frequent first."""
    table = tables.applications
    found = connection.execute(
        select(table.c.social_platform, func.count().label("number"))
        .where(table.c.status == Status.PENDING)
        .group_by(table.c.social_platform)
    )
    return choices({row.social_platform: row.number for row in found})


def search_matches(filters: Filters, *, pending_only: bool) -> Select[int] | None:
    """Select the ids that match the search, found once per statement; ``None`` without a search."""
    if not filters.search:
        return None
    found = searching.applications(filters.search, pending_only=pending_only)
    return select(found.cte("search_matches").prefix_with("MATERIALIZED").c.application_id)


def filtered(
    filters: Filters, context: JudgingContext, matches: Select[int] | None
) -> list[ColumnElement[bool]]:
    """Return conditions for the filters that need no assessment; shared by queue and export.

    ``matches`` are those of `search_matches`. A country needs the account joined; an owner or the
    clock needs the desk.
    """
    application = tables.applications
    conditions: list[ColumnElement[bool]] = []
    if filters.owner is Owner.MINE:
        conditions += [tables.desk.c.assignee == filters.viewer, is_held(context.now)]
    if filters.owner is Owner.UNASSIGNED:
        conditions.append(~is_held(context.now))
    if filters.due:
        conditions += application_conditions.due(filters.due, context)
    if filters.platform:
        conditions.append(platform_key(application.c.social_platform) == filters.platform)
    if filters.country:
        conditions.append(application_conditions.in_country(filters.country))
    if filters.waiting_days:
        since = context.now - timedelta(days=filters.waiting_days)
        conditions.append(application.c.submitted_at <= since)
    if matches is not None:
        conditions.append(application.c.application_id.in_(matches))
    return [*conditions, *application_conditions.conditions(filters.slice, context)]


def judged(
    filters: Filters, values: dict[str, ColumnElement[Any]], context: JudgingContext
) -> list[ColumnElement[bool]]:
    """Return conditions over criterion values for the filters on eligibility and track."""
    conditions: list[ColumnElement[bool]] = []
    if filters.eligibility:
        truth = whole_truth(values, context.policy)
        conditions.append(or_(*(truth.is_(outcome.truth) for outcome in filters.eligibility)))
    if filters.track:
        truths = {t.key: track_truth(t, values, context.policy) for t in TRACKS}
        if filters.track == BOTH_TRACKS:
            conditions.append(and_(*truths.values()))
        else:
            others = [t for key, t in truths.items() if key != filters.track]
            conditions += [truths[filters.track], *(other.is_not(True) for other in others)]
    return conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """A part of an order. Values that ``may_be_unknown`` come last in both directions.

    With ``stays``, the direction is never reversed.
    """

    column: ColumnElement[Any]
    descending: bool = False
    may_be_unknown: bool = False
    stays: bool = False


def _directed(order: Sequence[By], *, reverse: bool) -> list[ColumnElement[Any]]:
    """Return the order, or its reverse."""
    made: list[ColumnElement[Any]] = []
    for by in order:
        descending = by.descending != (reverse and not by.stays)
        part = by.column.desc() if descending else by.column.asc()
        # In ascending order Postgres puts NULLs last already.
        made.append(part.nulls_last() if descending and by.may_be_unknown else part)
    return made


def ordering(
    filters: Filters, values: dict[str, ColumnElement[Any]], context: JudgingContext
) -> list[ColumnElement[Any]]:
    """Return the requested order; ``values`` must hold the columns it uses.

    Decided and withdrawn applications have no priority and no clock, and are ordered latest first.
    """
    return _directed(_order(filters, values, context), reverse=filters.reverse)


def _order(
    filters: Filters, values: dict[str, ColumnElement[Any]], context: JudgingContext
) -> list[By]:
    application = tables.applications.c
    if filters.sort in SORT_METRIC:
        # An unknown is not zero: it comes after every known value, never among them.
        largest = values[SORT_METRIC[filters.sort]]
        return [
            By(column=largest, descending=True, may_be_unknown=True),
            By(column=application.application_id),
        ]
    newest = By(column=application.application_id, descending=True)
    if filters.sort is Sort.SUBMITTED:
        return [By(column=application.submitted_at, descending=True), newest]
    if not filters.only_open:
        latest = application.status_changed_at
        return [By(column=latest, descending=True, may_be_unknown=True), newest]
    if filters.sort is Sort.WAITING:
        return [By(column=application.submitted_at), By(column=application.application_id)]
    eldest = [By(column=clock_from()), By(column=application.application_id)]
    if filters.sort is Sort.DUE:
        # While the clock is stopped, the due date is unknown.
        return [By(column=tables.desk.c.paused_at.is_not(None), stays=True), *eldest]
    points = priority_sql.score(
        values,
        whole_truth(values, context.policy),
        clock_from=_counting_from(context),
        answered=tables.desk.c.answered_at.is_not(None),
        context=context,
    )
    return [By(column=points, descending=True), *eldest]


def _counting_from(context: JudgingContext) -> ColumnElement[datetime]:
    """Return when the clock starts to add to the priority; a stopped clock has not started."""
    paused = tables.desk.c.paused_at.is_not(None)
    return case((paused, literal(context.now + YET_TO_BEGIN)), else_=clock_from())


def _set_aside(connection: Connection, now: datetime) -> dict[Status, int]:
    desk, application = tables.desk, tables.applications
    found = connection.execute(
        select(desk.c.status, func.count().label("number"))
        .join(application, application.c.application_id == desk.c.application_id)
        .where(
            application.c.status == Status.PENDING,
            desk.c.status != Status.PENDING,
            effective_status(now) != Status.PENDING,
        )
        .group_by(desk.c.status)
    )
    numbers = {Status(row.status): row.number for row in found}
    return {status: numbers.get(status, 0) for status in OPEN_STATUSES[1:]}


@dataclass(frozen=True, slots=True)
class Matching:
    """Ids of the matching applications, and their order."""

    statement: Select[int]
    order: Sequence[ColumnElement[Any]]


def matching_ids(filters: Filters, context: JudgingContext) -> Matching:
    """Match with only the tables that filters and order need."""
    application = tables.applications
    pending_only = filters.only_open
    matches = search_matches(filters, pending_only=pending_only)
    conditions = [*in_statuses(filters, context.now), *filtered(filters, context, matches)]
    values: dict[str, ColumnElement[Any]] = {}
    source: FromClause = application
    ranked = filters.sort is Sort.PRIORITY and pending_only
    if filters.eligibility or filters.track or ranked:
        # With a search only the matches are judged.
        found = judging(context, only=() if matches is None else matches)
        source, values = found.source, found.values
        conditions += judged(filters, values, context)
    elif filters.sort in SORT_METRIC:
        late = uncovered(context)
        source, values = measured(late), {key: metric(key, late) for key in METRIC_TYPES}
    if filters.country:
        source = with_account(source)
    if pending_only or filters.owner or filters.due or filters.slice.clock:
        source = with_desk(source)
    statement = select(application.c.application_id).select_from(source).where(*conditions)
    if ranked:
        return _ranked(statement, values, context, reverse=filters.reverse)
    return Matching(statement, ordering(filters, values, context))


def _ranked(
    statement: Select[int],
    values: dict[str, ColumnElement[Any]],
    context: JudgingContext,
    *,
    reverse: bool,
) -> Matching:
    """Rank by priority, computing each value and the eligibility once per row.

    OFFSET 0 keeps the planner from repeating them wherever they are used.
    """
    valued = statement.add_columns(
        clock_from().label("clock_from"),
        _counting_from(context).label("counting_from"),
        tables.desk.c.answered_at.is_not(None).label("answered"),
        *(value.label(key) for key, value in values.items()),
    ).offset(0)
    found = valued.subquery("valued").c
    judged_once = select(*found, whole_truth(dict(found), context.policy).label("truth")).offset(0)
    row = judged_once.subquery("judged").c
    points = priority_sql.score(
        dict(row), row.truth, clock_from=row.counting_from, answered=row.answered, context=context
    )
    order = [
        By(column=points, descending=True),
        By(column=row.clock_from),
        By(column=row.application_id),
    ]
    return Matching(select(row.application_id), _directed(order, reverse=reverse))


def _recent_months(context: JudgingContext) -> ColumnElement[Any]:
    table = tables.affiliate_monthly
    if context.freshness is None:
        return literal(None)
    first = months_later(month_start(context.freshness.data_through), 1 - SPARKLINE_MONTHS)
    return (
        select(func.jsonb_object_agg(table.c.month, func.text(table.c.volume_usd)))
        .where(
            table.c.affiliate_account_id == tables.applications.c.account_id,
            table.c.month >= first,
        )
        .correlate(tables.applications)
        .scalar_subquery()
    )


def _row(row: dict[str, Any], context: JudgingContext) -> QueueRow:
    found = Facts(
        **{key: row[key] for key in METRIC_TYPES},
        x_followers=None if row["x_followers"] is None else int(row["x_followers"]),
        external_volume_usd=row["external_volume_usd"],
    )
    current = found.x_followers is not None or found.external_volume_usd is not None
    recorded = EvidenceState.EXPIRED if row["recorded"] else EvidenceState.NONE
    judged_now = assess(found, context.policy)
    desk = desk_of(row)
    return QueueRow(
        application_id=row["application_id"],
        account_id=row["account_id"],
        username=row["username"],
        country_code=row["country_code"],
        social_platform=row["social_platform"],
        social_handle=row["social_handle"],
        submitted_at=row["submitted_at"],
        status_changed_at=row["status_changed_at"],
        facts=found,
        assessment=judged_now,
        months=_months(row["months"], row["data_begin"], context),
        evidence=EvidenceState.CURRENT if current else recorded,
        status=Status(row["status"]),
        desk=desk,
        priority=priority_of(found, judged_now, desk, context),
        due_at=due_at(desk, context),
    )


def priority_of(
    facts: Facts, judged_now: Assessment, desk: Desk, context: JudgingContext
) -> Priority:
    """Return the priority with its parts in words; same points as the order in SQL.

    While the applicant owes information, the clock is stopped and adds nothing.
    """
    paused = desk.paused_at is not None
    return priority.explain(
        facts,
        judged_now,
        policy=context.policy,
        clock_from=context.now + YET_TO_BEGIN if paused else desk.clock_from,
        answered=desk.answered_at is not None,
        now=context.now,
        holidays=context.holidays,
    )


def due_at(desk: Desk, context: JudgingContext) -> datetime:
    """Return when the review is due; if the applicant owes information, as if answered now."""
    start = desk.clock_from
    if desk.paused_at is not None:
        start = business_time.resume(start, desk.paused_at, context.now, context.holidays)
    return business_time.due_at(start, context.policy.review_sla_business_days, context.holidays)


def _months(
    found: dict[str, str] | None, begin: date | None, context: JudgingContext
) -> tuple[Decimal, ...]:
    """Return the volumes of the last months; months before the first delivered day are left out."""
    if context.freshness is None:
        return ()
    last = month_start(context.freshness.data_through)
    months = recent_months(last, SPARKLINE_MONTHS, begin)
    return tuple(Decimal((found or {}).get(month.isoformat(), "0")) for month in months)

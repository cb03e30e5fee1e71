"""Lists of settled applications, and of those behind a figure: filters and orders of any status.

Exports filter and order by the same conditions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
)

from data_access.applications import conditions as application_conditions
from data_access.applications import searching
from data_access.applications.read import (
    clock_from,
    is_held,
    platform_key,
    with_desk,
    with_status,
)
from data_access.db import tables
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
from data_access.queue import priority_sql
from data_access.risk import judged_risk
from program.policy.criteria import BOTH_TRACKS, ON_EXCHANGE, TRACKS
from program.policy.robust import VARIANTS
from program.review.queue_filters import Filters, Owner, Robustness, Sort

SORT_METRIC = {
    Sort.VOLUME: "volume_usd",
    Sort.ACTIVE: "active_users",
    Sort.NEW: "new_users",
}


# The risk score among the values.
RISK = "risk_score"


def search_matches(filters: Filters, *, pending_only: bool) -> Select[int] | None:
    """Select the ids that match the search, found once per statement; ``None`` without a search."""
    if not filters.search:
        return None
    found = searching.applications(filters.search, pending_only=pending_only)
    return select(found.cte("search_matches").prefix_with("MATERIALIZED").c.application_id)


def in_statuses(
    filters: Filters, now: datetime | ColumnElement[datetime]
) -> list[ColumnElement[bool]]:
    """Return the conditions for the list's statuses; open ones need the desk joined."""
    if filters.slice.scope is None:
        return with_status(filters.status, now)
    return application_conditions.in_scope(filters.slice.scope)


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


def at_risk(
    filters: Filters, values: Mapping[str, ColumnElement[Any]]
) -> list[ColumnElement[bool]]:
    """Return conditions over `judged_risk.values` for the filters on risk."""
    conditions: list[ColumnElement[bool]] = []
    if filters.risk:
        conditions.append(values["risk_level"].in_([str(level) for level in filters.risk]))
    if filters.robust:
        met = values["robust_met"]
        weakest = func.least(*(values[f"robust_{variant.key}"] for variant in VARIANTS))
        fewer = weakest < met if filters.robust is Robustness.FRAGILE else weakest >= met
        conditions += [met == len(ON_EXCHANGE.criteria), fewer]
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
        risk=values[RISK],
        context=context,
    )
    return [By(column=points, descending=True), *eldest]


def _counting_from(context: JudgingContext) -> ColumnElement[datetime]:
    """Return when the clock starts to add to the priority; a stopped clock has not started."""
    paused = tables.desk.c.paused_at.is_not(None)
    return case((paused, literal(context.now + priority_sql.JUST_AFTER)), else_=clock_from())


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
    if filters.risk or filters.robust or ranked:
        joined = judged_risk.of_account(context.policy, application.c.account_id)
        source, risk = source.outerjoin(joined, true()), judged_risk.values(joined)
        values = {**values, RISK: risk[RISK]}
        conditions += at_risk(filters, risk)
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
        dict(row),
        row.truth,
        clock_from=row.counting_from,
        answered=row.answered,
        risk=row[RISK],
        context=context,
    )
    order = [
        By(column=points, descending=True),
        By(column=row.clock_from),
        By(column=row.application_id),
    ]
    return Matching(select(row.application_id), _directed(order, reverse=reverse))

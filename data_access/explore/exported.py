"""The queue's rows as exported."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from data_access.applications.read import with_status
from data_access.db import tables
from data_access.db.errors import Invalid
from data_access.eligibility.judging import JudgingContext
from data_access.explore import sources
from data_access.explore.cells import Writer, guarded
from data_access.explore.sources import Source
from data_access.queue import drilldown_list
from program.policy.criteria import CRITERIA
from program.reports.datasets import APPLICATIONS, RISK, DatasetColumn
from program.review.queue_filters import Filters, Sort
from program.review.workflow import OPEN_STATUSES, Status

BY_NAME: dict[str, DatasetColumn] = {column.name: column for column in APPLICATIONS.columns}


def applications(
    filters: Filters,
    context: JudgingContext,
    *,
    statuses: Sequence[Status] = tuple(Status),
    columns: Sequence[str] = APPLICATIONS.names,
    write: Writer = guarded,
) -> Select[Any]:
    """Return the statement of the queue's export: all matching rows, in order.

    Over every status and without a filter the order is by application id. Raises Invalid for an
    unknown column.
    """
    require_known(columns)
    source = sources.of(APPLICATIONS, context, needed=_needed(filters, columns, statuses))
    order = _order(filters, source, context, statuses)
    raw = _raw(filters, context, statuses, source, order, columns, write).subquery("raw").c
    derived = source.derived(dict(raw))
    shown = (
        raw[name] if name in source.stored else write(BY_NAME[name], derived[name]).label(name)
        for name in columns
    )
    return select(*shown).order_by(*(raw[f"order_{index}"] for index in range(len(order))))


def _needed(filters: Filters, columns: Sequence[str], statuses: Sequence[Status]) -> frozenset[str]:
    """Return the columns that are written, filtered or ordered by."""
    needed = frozenset(columns)
    ranked = filters.sort is Sort.PRIORITY and not _is_whole(filters, statuses)
    return needed | RISK if filters.risk or filters.robust or ranked else needed


def _order(
    filters: Filters, source: Source, context: JudgingContext, statuses: Sequence[Status]
) -> list[ColumnElement[Any]]:
    if _is_whole(filters, statuses):
        return [tables.applications.c.application_id]
    # Numbering the rows keeps descending orders and NULLS LAST without repeating them.
    return [
        func.row_number().over(order_by=drilldown_list.ordering(filters, _values(source), context))
    ]


def _raw(
    filters: Filters,
    context: JudgingContext,
    statuses: Sequence[Status],
    source: Source,
    order: Sequence[ColumnElement[Any]],
    columns: Sequence[str],
    write: Writer,
) -> Select[Any]:
    """Return the rows before outcomes are formatted; each track is judged once per row."""
    stored = dict.fromkeys(name for name in columns if name in source.stored)
    only_open = set(statuses) <= set(OPEN_STATUSES)
    matches = drilldown_list.search_matches(filters, pending_only=only_open)
    statement = (
        select(
            # Written at the level at which several workers can share the work.
            *(write(BY_NAME[name], source.stored[name]).label(name) for name in stored),
            *(truth.label(name) for name, truth in source.inner.items()),
            *(column.label(f"order_{index}") for index, column in enumerate(order)),
        )
        .select_from(source.rows)
        .where(
            *([] if _is_whole(filters, statuses) else [_in_statuses(statuses, context)]),
            *drilldown_list.filtered(filters, context, matches),
            *drilldown_list.judged(filters, _values(source), context),
            *drilldown_list.at_risk(filters, source.stored),
        )
        .order_by(*order)
    )
    # OFFSET 0 keeps the planner from repeating the judging wherever a result is used.
    return statement.offset(0)


def _is_whole(filters: Filters, statuses: Sequence[Status]) -> bool:
    return len(statuses) == len(Status) and not filters.narrows


def _values(source: Source) -> dict[str, ColumnElement[Any]]:
    values = {criterion.key: source.stored[criterion.key] for criterion in CRITERIA}
    score = source.stored.get(drilldown_list.RISK)
    return values if score is None else {**values, drilldown_list.RISK: score}


def _in_statuses(statuses: Sequence[Status], context: JudgingContext) -> ColumnElement[bool]:
    return or_(*(and_(*with_status(status, context.now)) for status in statuses))


def require_known(columns: Sequence[str]) -> None:
    """Raise Invalid for an unknown column, or for none."""
    unknown = [name for name in columns if name not in BY_NAME]
    if unknown:
        raise Invalid(
            f"There is no column {', '.join(unknown)}. The columns are: {', '.join(BY_NAME)}."
        )
    if not columns:
        raise Invalid("Name at least one column.")

"""The review queue: applications of one list, filtered, ordered, counted and paged in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from data_access.db import tables
from data_access.eligibility.judging import JudgingContext
from data_access.people.identities import known_by
from data_access.queue import drilldown_list, open_counts, open_list, rows
from data_access.queue.news import Pulse, pulse_of
from data_access.queue.open_list import DUES, OUTCOMES, OWNERS
from data_access.queue.rows import QueueRow
from program.policy.outcomes import Outcome
from program.review.queue_filters import PAGE_SIZE, Due, Filters, Owner, Sort
from program.review.workflow import OPEN_STATUSES, Status
from program.text.platforms import choices

COUNTED = ("total", "met", "not_met", "overdue", "unassigned", "mine")


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


# How many of the list each choice of a kind would leave, with the filters of the other kinds.
Facets = Mapping[Outcome | Owner | Due, int]
COUNTED_FACETS: tuple[Outcome | Owner | Due, ...] = (*OUTCOMES, *OWNERS, *DUES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The counts of the whole queue, the pulse, and how many match the view.

    ``matching`` is ``None`` for a list that is not open, or that nothing narrows. ``facets`` are
    empty for a list that is not open.
    """

    numbers: Counts
    facets: Facets
    pulse: Pulse
    matching: int | None


def overview(connection: Connection, filters: Filters, context: JudgingContext) -> Overview:
    """Count the whole queue by eligibility, clock and owner, and the view, in one query."""
    row = open_counts.overview(filters, context).run(connection).mappings().one()
    counted = {name: row[name] for name in COUNTED}
    numbers = Counts(
        **counted,
        unknown=row["total"] - row["met"] - row["not_met"],
        set_aside={status: row[status] for status in OPEN_STATUSES[1:]},
    )
    return Overview(
        numbers=numbers,
        facets=_facets(filters, numbers, row.get("facets")),
        pulse=pulse_of(row),
        matching=row.get("matching"),
    )


def _facets(filters: Filters, numbers: Counts, counted: Sequence[int] | None) -> Facets:
    if counted is not None:
        return dict(zip(COUNTED_FACETS, counted, strict=True))
    if not filters.is_open or filters.status is not Status.PENDING:
        return {}
    return {
        Outcome.MET: numbers.met,
        Outcome.NOT_MET: numbers.not_met,
        Outcome.UNKNOWN: numbers.unknown,
        Owner.MINE: numbers.mine,
        Owner.UNASSIGNED: numbers.unassigned,
        Due.OVERDUE: numbers.overdue,
    }


@known_by("viewer")
def counts(connection: Connection, context: JudgingContext, *, viewer: str = "") -> Counts:
    """Count the whole queue by eligibility, clock and owner."""
    return overview(connection, Filters(viewer=viewer), context).numbers


def count(connection: Connection, filters: Filters, context: JudgingContext) -> int:
    """Count the applications that match the filters."""
    if filters.is_open:
        counted: int = open_counts.counted(filters, context).run(connection).scalar_one()
        return counted
    matching = drilldown_list.matching_ids(filters.in_order(Sort.WAITING), context).statement
    return connection.execute(
        matching.with_only_columns(func.count(), maintain_column_froms=True)
    ).scalar_one()


def page(
    connection: Connection,
    filters: Filters,
    context: JudgingContext,
    *,
    size: int = PAGE_SIZE,
    total: int | None = None,
) -> list[QueueRow]:
    """Return the rows of the requested page, in order; empty past the end.

    With the ``total``, pages near the end are found from there.
    """
    offset = (filters.page - 1) * size
    if filters.is_open:
        found = open_list.page(filters, context, size=size, offset=offset, total=total)
        return rows.of_open(connection, found, context)
    matching = drilldown_list.matching_ids(filters, context)
    ids = connection.execute(
        matching.statement.order_by(*matching.order).offset(offset).limit(size)
    ).scalars()
    return rows.of_ids(connection, list(ids.all()), context)


def ids(
    connection: Connection, filters: Filters, context: JudgingContext, *, most: int | None
) -> list[int]:
    """Return the ids of all matches, in order, at most ``most``."""
    if filters.is_open:
        return list(open_list.found(filters, context, size=most).run(connection).scalars())
    matching = drilldown_list.matching_ids(filters, context)
    found = connection.execute(matching.statement.order_by(*matching.order).limit(most))
    return list(found.scalars())


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

"""What Explore reads of a view: the number of rows, a page, a chart, the choices of a column."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, Select, func, select, text
from sqlalchemy.exc import OperationalError

from data_access.db.errors import Refusal
from data_access.eligibility.judging import JudgingContext
from data_access.explore import pivots as explore_pivots
from data_access.explore import sources
from data_access.explore.cells import Expression, Writer
from data_access.explore.pivots import Pivot
from data_access.explore.statements import ViewQuery
from program.reports import pivots
from program.reports.charted import Charted
from program.reports.datasets import Dataset
from program.reports.pivots import Pivoted
from program.reports.views import PAGE_SIZE, Function, View
from program.text import platforms

# The time limit of a page; files have a longer one.
LOOK_MS = 20_000
CHOICES_MS = 2_000
MOST_CHOICES = 200
# The number of all groups, and before a measure's name what they all come to, beside each group of
# a page; no column of a view has such a name.
TOTAL, IN_ALL = "groups_in_total", "in_all_"
# How measures of groups come to one of all. Those of averages, medians and different values do not.
TOGETHER: Mapping[Function, Callable[[Expression], Expression]] = {
    Function.COUNT: func.sum,
    Function.KNOWN: func.sum,
    Function.SUM: func.sum,
    Function.LEAST: func.min,
    Function.MOST: func.max,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A page of a view: the number of rows, and the page's rows.

    ``in_all`` is what all groups of a grouped view come to, by measure, where that means something.
    """

    view: View
    total: int
    rows: list[dict[str, Any]]
    in_all: Mapping[str, Any] = field(default_factory=dict)
    pivot: Pivot | None = None

    @property
    def in_files(self) -> int:
        """The number of rows of a file, which has a pivot's cells below each other."""
        return self.pivot.pairs if self.pivot else self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Chartable:
    """The groups of a chart; ``has_more`` if there are others, which are smaller or later."""

    charted: Charted
    rows: list[dict[str, Any]]
    has_more: bool
    pivot: Pivot | None = None


def preview(connection: Connection, view: View, context: JudgingContext) -> Preview:
    """Count the view and read its page, or the last page.

    Raises Invalid for too wide a view, TooSlow for one that takes longer than a page may.
    """
    connection.execute(text(f"set local statement_timeout = {LOOK_MS}"))
    try:
        pivoted = pivots.of(view)
        if pivoted is not None:
            return _pivot_preview(connection, pivoted, context)
        shown = _grouped_preview(connection, view, context) if view.groups else None
        if shown is not None:
            return shown
        total = count(connection, view, context)
        last = max(1, -(-total // PAGE_SIZE))
        view = view.on_page(min(view.page, last))
        shown = _grouped_preview(connection, view, context) if view.groups and total else None
        return shown or Preview(view=view, total=total, rows=page(connection, view, context))
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise TooSlow(
                f"This view takes longer than {LOOK_MS // 1_000} seconds to show. Narrow the "
                "filters or choose fewer columns; an export may take longer."
            ) from error
        raise


def _pivot_preview(connection: Connection, pivoted: Pivoted, context: JudgingContext) -> Preview:
    view = pivoted.view
    found = explore_pivots.read(connection, pivoted, context, page=view.page)
    if not found.rows and found.total:
        view = view.on_page(-(-found.total // PAGE_SIZE))
        found = explore_pivots.read(connection, pivoted, context, page=view.page)
    rows = [{**row.by, pivoted.measure.name: row.whole} for row in found.rows]
    return Preview(view=view, total=found.total, rows=rows, pivot=found)


def _grouped_preview(connection: Connection, view: View, context: JudgingContext) -> Preview | None:
    """Count the groups and read their page by one statement, as forming them reads every row.

    Returns ``None`` if the page is empty, which says nothing about their number.
    """
    found = ViewQuery(view, context).shown(view.page, PAGE_SIZE)
    together = {
        measure.name: TOGETHER[measure.function](found.selected_columns[measure.name]).over()
        for measure in view.figures
        if measure.function in TOGETHER
    }
    counted = found.add_columns(
        func.count().over().label(TOTAL),
        *(value.label(IN_ALL + name) for name, value in together.items()),
    )
    rows = connection.execute(counted).mappings().all()
    if not rows:
        return None
    names = [column.name for column in view.shown]
    shown = [{name: row[name] for name in names} for row in rows]
    in_all = {name: rows[0][IN_ALL + name] for name in together}
    return Preview(view=view, total=rows[0][TOTAL], rows=shown, in_all=in_all)


def charted(connection: Connection, wanted: Charted, context: JudgingContext) -> Chartable | None:
    """Return the groups that a chart draws, of all rows that match; ``None`` if that is too slow.

    Call it last in a transaction, which is at its end then.
    """
    pivoted = pivots.of(wanted.view)
    try:
        if pivoted is not None:
            return _charted_pivot(connection, wanted, pivoted, context)
        rows = page(connection, wanted.view, context, size=wanted.most + 1)
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            return None
        raise
    return Chartable(charted=wanted, rows=rows[: wanted.most], has_more=len(rows) > wanted.most)


def _charted_pivot(
    connection: Connection, wanted: Charted, pivoted: Pivoted, context: JudgingContext
) -> Chartable:
    found = explore_pivots.read(
        connection, pivoted, context, size=wanted.most, most=wanted.most_series
    )
    has_more = found.total > len(found.rows)
    return Chartable(charted=wanted, rows=[], has_more=has_more, pivot=found)


class TooSlow(Refusal):
    """A preview would take too long."""


def count(connection: Connection, view: View, context: JudgingContext) -> int:
    """Return how many rows match the filters, or how many groups they form."""
    if view.groups:
        found = ViewQuery(view, context).grouped().order_by(None)
    else:
        # A join for a column that is only shown would be most of the work.
        found = ViewQuery(view, context, columns=()).matching()
    rows = found.subquery("found")
    return connection.execute(select(func.count()).select_from(rows)).scalar_one()


def page(
    connection: Connection, view: View, context: JudgingContext, *, size: int = PAGE_SIZE
) -> list[dict[str, Any]]:
    """Return the rows of the view's page, in order, as values by column name."""
    statement = ViewQuery(view, context).shown(view.page, size)
    narrowed_by = sources.NARROWED_BY.get(view.dataset.key)
    if view.groups or narrowed_by is None:
        return [dict(row) for row in connection.execute(statement).mappings()]
    return _in_two_steps(connection, view, context, size, narrowed_by)


def statement(view: View, context: JudgingContext, *, write: Writer) -> Select[Any]:
    """Return all rows of the view in its order, each value through ``write``: for a file."""
    query = ViewQuery(view, context)
    return query.grouped(write=write) if view.groups else query.written(write)


def choices(
    connection: Connection, dataset: Dataset, context: JudgingContext, name: str
) -> dict[str, str]:
    """Return the values of a column with labels, most frequent first, at most 200.

    Empty if that takes too long.
    """
    query = ViewQuery(View(dataset=dataset, columns=(name,)).bounded(), context)
    found = query.rows((name,)).order_by(None).subquery("found").c[name]
    connection.execute(text(f"set local statement_timeout = {CHOICES_MS}"))
    try:
        rows = connection.execute(
            select(found, func.count())
            .where(found.is_not(None))
            .group_by(found)
            .order_by(func.count().desc(), found)
            .limit(MOST_CHOICES)
        )
        spelled = {str(value): number for value, number in rows}
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            connection.rollback()
            return {}
        raise
    column = dataset.column(name)
    if column is not None and column.is_platform:
        return platforms.choices(spelled)
    return {value: value for value in spelled}


def _in_two_steps(
    connection: Connection, view: View, context: JudgingContext, size: int, narrowed_by: str
) -> list[dict[str, Any]]:
    # First the ids, from only the tables that filters and order need.
    order = (order.column for order in view.sorted_by)
    found = ViewQuery(view, context, columns=(narrowed_by, *order)).rows((narrowed_by,))
    start = (view.page - 1) * size
    ids = list(connection.execute(found.offset(start).limit(size)).scalars())
    if not ids:
        return []
    shown = [column.name for column in view.shown]
    by_id = rows_of(connection, view.dataset, shown, context, ids)
    return [by_id[id_] for id_ in ids if id_ in by_id]


def rows_of(
    connection: Connection,
    dataset: Dataset,
    names: Sequence[str],
    context: JudgingContext,
    ids: Sequence[int],
) -> dict[int, dict[str, Any]]:
    """Return these columns of the rows with these ids (see `sources.NARROWED_BY`), by id."""
    key = sources.NARROWED_BY[dataset.key]
    view = View(dataset=dataset, columns=tuple(dict.fromkeys((key, *names))))
    query = ViewQuery(view, context, only=ids).rows(view.columns).order_by(None)
    rows = connection.execute(query).mappings()
    return {row[key]: {name: row[name] for name in names} for row in rows}

"""A view of a dataset as SQL: the number of rows, a page of them, or all for a file.

The shape of a statement depends on columns, filter types and order, which all come from the
datasets; whatever somebody typed is a bound parameter, a list of values a single one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Numeric,
    Select,
    Text,
    case,
    cast,
    collate,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.exc import OperationalError

from data_access.applications.read import platform_key
from data_access.db.errors import Invalid, Refusal
from data_access.eligibility.judging import JudgingContext
from data_access.explore import conditions, sources
from data_access.explore.sources import Source
from program.periods import utc_day
from program.reports import csv_guard
from program.reports.charted import Charted
from program.reports.column_filters import Filter, OneOf
from program.reports.datasets import AMOUNTS, NUMBERS, WORDS, ColumnKind, Dataset, DatasetColumn
from program.reports.views import PAGE_SIZE, Bucket, Function, Measure, View
from program.text import platforms

Expression = ColumnElement[Any]
Expressions = Mapping[str, Expression]
Writer = Callable[[DatasetColumn, Expression], Expression]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chartable:
    """The groups of a chart; ``has_more`` if there are others, which are smaller or later."""

    charted: Charted
    rows: list[dict[str, Any]]
    has_more: bool


def preview(connection: Connection, view: View, context: JudgingContext) -> Preview:
    """Count the view and read its page, or the last page.

    Raises Invalid for too wide a view, TooSlow for one that takes longer than a page may.
    """
    connection.execute(text(f"set local statement_timeout = {LOOK_MS}"))
    try:
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


def _grouped_preview(connection: Connection, view: View, context: JudgingContext) -> Preview | None:
    """Count the groups and read their page by one statement, as forming them reads every row.

    Returns ``None`` if the page is empty, which says nothing about their number.
    """
    found = _ViewQuery(view, context).shown(view.page, PAGE_SIZE)
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
    try:
        rows = page(connection, wanted.view, context, size=wanted.most + 1)
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            return None
        raise
    return Chartable(charted=wanted, rows=rows[: wanted.most], has_more=len(rows) > wanted.most)


class TooSlow(Refusal):
    """A preview would take too long."""


def count(connection: Connection, view: View, context: JudgingContext) -> int:
    """Return how many rows match the filters, or how many groups they form."""
    if view.groups:
        found = _ViewQuery(view, context).grouped().order_by(None)
    else:
        # A join for a column that is only shown would be most of the work.
        found = _ViewQuery(view, context, columns=()).matching()
    rows = found.subquery("found")
    return connection.execute(select(func.count()).select_from(rows)).scalar_one()


def page(
    connection: Connection, view: View, context: JudgingContext, *, size: int = PAGE_SIZE
) -> list[dict[str, Any]]:
    """Return the rows of the view's page, in order, as values by column name."""
    statement = _ViewQuery(view, context).shown(view.page, size)
    narrowed_by = sources.NARROWED_BY.get(view.dataset.key)
    if view.groups or narrowed_by is None:
        return [dict(row) for row in connection.execute(statement).mappings()]
    return _in_two_steps(connection, view, context, size, narrowed_by)


def statement(view: View, context: JudgingContext, *, write: Writer) -> Select[Any]:
    """Return all rows of the view in its order, each value through ``write``: for a file."""
    query = _ViewQuery(view, context)
    return query.grouped(write=write) if view.groups else query.written(write)


def choices(
    connection: Connection, dataset: Dataset, context: JudgingContext, name: str
) -> dict[str, str]:
    """Return the values of a column with labels, most frequent first, at most 200.

    Empty if that takes too long.
    """
    query = _ViewQuery(View(dataset=dataset, columns=(name,)).bounded(), context)
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


def plain(column: DatasetColumn, value: Expression) -> Expression:
    """Format a value as text: times in ISO 8601, booleans as true and false."""
    if column.kind is ColumnKind.MOMENT:
        return utc(value)
    if column.kind is ColumnKind.TRUTH:
        return case((value, "true"), (~value, "false"))
    return value


def typed(column: DatasetColumn, value: Expression) -> Expression:
    """Format a value for a file with types, with the decimals that the file keeps."""
    if column.kind in AMOUNTS and column.scale:
        return cast(value, Numeric(38, column.scale))
    return plain(column, value)


def guarded(column: DatasetColumn, value: Expression) -> Expression:
    """Format a value for CSV, by the rule of ``program.reports.csv_guard``."""
    if column.kind not in WORDS or column.choices:
        return plain(column, value)
    # Most texts need no regular expression, which takes longer than the rest of a cell.
    breaks = or_(*(func.strpos(value, sign) > 0 for sign in csv_guard.BREAKS))
    first = func.ascii(func.ltrim(value, csv_guard.SKIPPED))
    begins = first.in_([ord(sign) for sign in csv_guard.SIGNS + csv_guard.LEADING_BREAKS])
    return case(
        (breaks, func.regexp_replace(value, csv_guard.PLACES, csv_guard.GUARD, "g")),
        (begins, func.concat(csv_guard.GUARD, value)),
        else_=value,
    )


def with_commas(column: DatasetColumn, value: Expression) -> Expression:
    """Format a value for CSV with decimal commas."""
    if column.kind in NUMBERS and column.kind is not ColumnKind.ID:
        return func.replace(cast(plain(column, value), Text), ".", ",")
    return guarded(column, value)


def utc(moment: Expression) -> Expression:
    """Format a time as 2026-03-01T10:00:00Z."""
    # By concatenation, since to_char takes five times as long.
    written = cast(func.timezone("UTC", moment), Text)
    return func.replace(written, " ", "T").concat("Z")


def _in_two_steps(
    connection: Connection, view: View, context: JudgingContext, size: int, narrowed_by: str
) -> list[dict[str, Any]]:
    # First the ids, from only the tables that filters and order need.
    order = (order.column for order in view.sorted_by)
    found = _ViewQuery(view, context, columns=(narrowed_by, *order)).rows((narrowed_by,))
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
    query = _ViewQuery(view, context, only=ids).rows(view.columns).order_by(None)
    rows = connection.execute(query).mappings()
    return {row[key]: {name: row[name] for name in names} for row in rows}


class _ViewQuery:
    """One view over its source, as statements."""

    def __init__(
        self,
        view: View,
        context: JudgingContext,
        *,
        columns: Sequence[str] | None = None,
        only: Sequence[int] = (),
    ) -> None:
        self.view, self.context = view, context
        refused = view.too_long(utc_day(context.now))
        if refused is not None:
            raise Invalid(refused)
        needed = self._needed() if columns is None else {*columns, *self._filtered_on}
        self.source: Source = sources.of(view.dataset, context, needed=needed, only=only)

    @property
    def _filtered_on(self) -> set[str]:
        return {filter_.column for filter_ in self.view.filters}

    def _needed(self) -> set[str]:
        view = self.view
        return {
            *self._filtered_on,
            *(column.name for column in view.shown),
            *(order.column for order in view.sorted_by),
            *(group.column for group in view.groups),
            *(measure.column for measure in view.figures),
        }

    def shown(self, page: int, size: int) -> Select[Any]:
        """Return one page in a single step."""
        names = tuple(column.name for column in self.view.shown)
        found = self.grouped() if self.view.groups else self.rows(names)
        return found.offset((page - 1) * size).limit(size)

    def rows(self, names: Sequence[str]) -> Select[Any]:
        """Return the matching rows with these columns, raw, in the view's order."""
        inner, values = self._inner({*names, *self._order_names})
        listed = [values[name].label(name) for name in names]
        chosen = select(*listed) if listed else select(literal(1).label("one"))
        return self._ordered(chosen.select_from(inner).where(*self._outer(values)), values)

    def matching(self) -> Select[Any]:
        """Return a row without columns for each that matches, in any order."""
        inner, values = self._inner(set(), ordered=False)
        return select(literal(1).label("one")).select_from(inner).where(*self._outer(values))

    def written(self, write: Writer) -> Select[Any]:
        """Return the matching rows with the shown columns, formatted."""
        shown = self.view.shown
        stored = {c.name: c for c in shown if c.name in self.source.stored}
        extra = {
            f"written_{name}": write(column, self.source.stored[name])
            for name, column in stored.items()
        }
        wanted = {*(c.name for c in shown if c.name not in stored), *self._order_names}
        inner, values = self._inner(wanted, extra=extra, whole=True)
        listed = [
            inner.c[f"written_{c.name}"].label(c.name)
            if c.name in stored
            else write(c, values[c.name]).label(c.name)
            for c in shown
        ]
        return self._ordered(select(*listed).select_from(inner).where(*self._outer(values)), values)

    def grouped(self, write: Writer | None = None) -> Select[Any]:
        """Return the groups of the matching rows with their figures."""
        view = self.view
        columns = {*(g.column for g in view.groups), *(m.column for m in view.figures if m.column)}
        inner, values = self._inner(columns, ordered=False)
        shown = {column.name: column for column in view.shown}
        by = {
            group.name: _bucketed(
                self._by_platform(group.column, values[group.column]),
                group.bucket,
                self._kind(group.column),
            )
            for group in view.groups
        }
        figures = {
            measure.name: _figure(measure, values, shown[measure.name]) for measure in view.figures
        }
        found = {**by, **figures}
        put = write or (lambda _, value: value)
        names = [order.column for order in view.sorted_by]
        return (
            select(*(put(shown[name], value).label(name) for name, value in found.items()))
            .select_from(inner)
            .where(*self._outer(values))
            .group_by(*by.values())
            .order_by(
                *(
                    _sorted(found[order.column], shown[order.column], descending=order.descending)
                    for order in view.sorted_by
                ),
                *(_sorted(value, shown[name]) for name, value in by.items() if name not in names),
            )
        )

    @property
    def _order_names(self) -> set[str]:
        return {order.column for order in self.view.sorted_by} | set(self.view.dataset.keys)

    def _kind(self, name: str) -> ColumnKind:
        column = self.view.dataset.column(name)
        assert column is not None
        return column.kind

    def _inner(
        self,
        names: set[str],
        *,
        extra: Expressions | None = None,
        whole: bool = False,
        ordered: bool = True,
    ) -> tuple[Any, dict[str, Expression]]:
        """Return the source filtered on stored columns, with every value in ``names``."""
        source = self.source
        wanted = self._wanted(names, ordered=ordered)
        derives = bool(wanted & source.derives)
        stored = {name: source.stored[name] for name in sorted(wanted & set(source.stored))}
        columns = {**stored, **(source.inner if derives else {}), **(extra or {})}
        inner = self._filtered(columns, fenced=derives or whole).subquery("inner")
        derived = source.derived(dict(inner.c)) if derives else {}
        return inner, {name: inner.c[name] for name in stored} | derived

    def _wanted(self, names: set[str], *, ordered: bool) -> set[str]:
        """Return the requested columns, plus those that derived filters or the order need."""
        judged = {one.column for one in self.view.filters if one.column in self.source.derives}
        return names | judged | (self._order_names if ordered else set())

    def _filtered(self, columns: Expressions, *, fenced: bool) -> Select[Any]:
        """Return the source's rows that match every filter on stored columns."""
        source = self.source
        statement = (
            select(*(value.label(name) for name, value in columns.items()))
            .select_from(source.rows)
            .where(*source.conditions, *self._conditions(source.stored))
        )
        # OFFSET 0 keeps the planner from repeating the judging wherever a result is used.
        return statement.offset(0) if fenced else statement

    def _outer(self, values: Expressions) -> list[ColumnElement[bool]]:
        return self._conditions({n: v for n, v in values.items() if n in self.source.derives})

    def _conditions(self, values: Expressions) -> list[ColumnElement[bool]]:
        return [
            conditions.condition(
                wanted, self._meant(wanted, values), self._kind(wanted.column), self.context
            )
            for wanted in self.view.filters
            if wanted.column in values
        ]

    def _meant(self, filter_: Filter, values: Expressions) -> Expression:
        value = values[filter_.column]
        return self._by_platform(filter_.column, value) if isinstance(filter_, OneOf) else value

    def _by_platform(self, name: str, value: Expression) -> Expression:
        column = self.view.dataset.column(name)
        return platform_key(value) if column is not None and column.is_platform else value

    def _ordered(self, statement: Select[Any], values: Expressions) -> Select[Any]:
        dataset, orders = self.view.dataset, self.view.sorted_by
        by = {order.column: order.descending for order in orders}
        by |= {key: False for key in dataset.keys if key not in by}
        return statement.order_by(
            *(
                _sorted(values[name], column, descending=descending)
                for name, descending in by.items()
                if (column := dataset.column(name)) is not None
            )
        )


def _bucketed(value: Expression, bucket: Bucket | None, kind: ColumnKind) -> Expression:
    if bucket is None:
        return value
    in_utc = func.timezone("UTC", value) if kind is ColumnKind.MOMENT else value
    # The unit comes from the enum and is a literal, so that grouped expressions compare equal.
    return cast(func.date_trunc(literal_column(f"'{bucket}'"), in_utc), Date)


def _figure(measure: Measure, values: Expressions, shown: DatasetColumn) -> Expression:
    if measure.function is Function.COUNT:
        return func.count()
    value = values[measure.column]
    match measure.function:
        case Function.SUM:
            return func.sum(value)
        case Function.AVERAGE:
            return func.round(func.avg(value), shown.scale)
        case Function.MEDIAN:
            # The lower of the two middle values: an existing value, and never a float.
            return func.percentile_disc(0.5).within_group(value.asc())
        case Function.LEAST:
            return func.min(value)
        case Function.MOST:
            return func.max(value)
        case Function.KNOWN:
            return func.count(value)
        case _:
            return func.count(value.distinct())


def _sorted(value: Expression, column: DatasetColumn, *, descending: bool = False) -> Expression:
    if column.kind in WORDS:
        # In collation C, the same on every server.
        value = func.lower(collate(value, "C"))
    ordered = value.desc() if descending else value.asc()
    return ordered if column.always else ordered.nulls_last()

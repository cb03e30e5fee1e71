"""A view of a dataset as a statement: its rows, or its groups with their figures.

The shape of a statement depends on columns, filter types and order, which all come from the
datasets; whatever somebody typed is a bound parameter, a list of values a single one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    cast,
    collate,
    func,
    literal,
    literal_column,
    select,
)

from data_access.applications.read import platform_key
from data_access.db.errors import Invalid
from data_access.eligibility.judging import JudgingContext
from data_access.explore import conditions, sources
from data_access.explore.cells import Expression, Writer
from data_access.explore.sources import Source
from program.periods import utc_day
from program.reports.column_filters import Filter, OneOf
from program.reports.datasets import WORDS, ColumnKind, DatasetColumn
from program.reports.views import Bucket, Function, Measure, View

Expressions = Mapping[str, Expression]
# Before the name of a column that is measured, which may be a group as well.
MEASURED = "measured_"


class ViewQuery:
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
        inner, values = self._inner(self._grouped_columns, ordered=False)
        shown = {column.name: column for column in view.shown}
        by = self._by(values)
        figures = {
            measure.name: figure(measure, values, shown[measure.name]) for measure in view.figures
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
                    in_order(found[order.column], shown[order.column], descending=order.descending)
                    for order in view.sorted_by
                ),
                *(in_order(value, shown[name]) for name, value in by.items() if name not in names),
            )
        )

    def keyed(self) -> Subquery:
        """Return the matching rows with the values of their groups and of what is measured.

        Groups have their names, measured columns those of `measured`.
        """
        inner, values = self._inner(self._grouped_columns, ordered=False)
        columns = sorted({one.column for one in self.view.figures if one.column})
        return (
            select(
                *(value.label(name) for name, value in self._by(values).items()),
                *(values[name].label(MEASURED + name) for name in columns),
            )
            .select_from(inner)
            .where(*self._outer(values))
            .subquery("keyed")
        )

    @property
    def _grouped_columns(self) -> set[str]:
        figures = {measure.column for measure in self.view.figures if measure.column}
        return {*(group.column for group in self.view.groups), *figures}

    def _by(self, values: Expressions) -> Expressions:
        """Return the value by which rows are grouped, by the group's name."""
        return {
            group.name: _bucketed(
                self._by_platform(group.column, values[group.column]),
                group.bucket,
                self._kind(group.column),
            )
            for group in self.view.groups
        }

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
                in_order(values[name], column, descending=descending)
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


def measured(keyed: Subquery) -> Expressions:
    """Return the measured columns of `ViewQuery.keyed` by their own names."""
    return {
        name.removeprefix(MEASURED): value
        for name, value in keyed.c.items()
        if name.startswith(MEASURED)
    }


def figure(
    measure: Measure,
    values: Expressions,
    shown: DatasetColumn,
    *,
    only: ColumnElement[bool] | None = None,
) -> Expression:
    """Return a measure of a group's rows, or of those for which ``only`` holds."""
    if measure.function is Function.COUNT:
        return _of(func.count(), only)
    value = values[measure.column]
    match measure.function:
        case Function.SUM:
            return _of(func.sum(value), only)
        case Function.AVERAGE:
            return func.round(_of(func.avg(value), only), shown.scale)
        case Function.MEDIAN:
            # The lower of the two middle values: an existing value, and never a float.
            return _of(func.percentile_disc(0.5).within_group(value.asc()), only)
        case Function.LEAST:
            return _of(func.min(value), only)
        case Function.MOST:
            return _of(func.max(value), only)
        case Function.KNOWN:
            return _of(func.count(value), only)
        case _:
            return _of(func.count(value.distinct()), only)


def _of(aggregate: Any, only: ColumnElement[bool] | None) -> Expression:  # noqa: ANN401 - any aggregate
    found: Expression = aggregate if only is None else aggregate.filter(only)
    return found


def in_order(value: Expression, column: DatasetColumn, *, descending: bool = False) -> Expression:
    """Return the value as a list is sorted by it: unknown ones last, text in any case."""
    if column.kind in WORDS:
        # In collation C, the same on every server.
        value = func.lower(collate(value, "C"))
    ordered = value.desc() if descending else value.asc()
    return ordered if column.always else ordered.nulls_last()

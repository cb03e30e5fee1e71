"""A view of a dataset: columns, filters, groups, order and page, as one record.

The record travels in the address, in saved views, in download links and on the command line, always
in the same form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from program import query, wording
from program.periods import ONE_DAY, ONE_WEEK, months_later
from program.query import Parameter
from program.reports import column_filters as filtering
from program.reports.column_filters import Days, Filter
from program.reports.datasets import (
    AMOUNTS,
    APPLICATIONS,
    BY_KEY,
    MONTH,
    NUMBERS,
    TIMES,
    ColumnKind,
    Dataset,
    DatasetColumn,
)

PAGE_SIZE = 50
MOST_GROUPED_BY = 3
MOST_MEASURES = 12
MOST_ORDERS = 4
# Numbers whose values are too many and too long to be columns.
FRACTIONS = frozenset({ColumnKind.MONEY, ColumnKind.SHARE, ColumnKind.NUMBER})


class Bucket(StrEnum):
    """How days and times are grouped."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def end(self, first: date) -> date:
        """Return the day after the last one of the group that begins on ``first``."""
        if self is Bucket.MONTH:
            return months_later(first, 1)
        return first + (ONE_WEEK if self is Bucket.WEEK else ONE_DAY)


class Function(StrEnum):
    """The aggregate functions of a group."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MEDIAN = "median"
    LEAST = "least"
    MOST = "most"
    KNOWN = "known"
    DISTINCT = "distinct"


FUNCTION_WORDS: dict[Function, str] = {
    Function.COUNT: "Number of rows",
    Function.SUM: "Sum",
    Function.AVERAGE: "Average",
    Function.MEDIAN: "Median",
    Function.LEAST: "Least",
    Function.MOST: "Most",
    Function.KNOWN: "Number of known values",
    Function.DISTINCT: "Number of different values",
}
COUNTS = (Function.COUNT, Function.KNOWN, Function.DISTINCT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A column to group by; days and times by ``bucket``."""

    column: str
    bucket: Bucket | None = None

    @property
    def name(self) -> str:
        """The grouped column's name; a month column grouped by month keeps its own."""
        plain = self.bucket is None or self.bucket == self.column
        return self.column if plain else f"{self.column}_{self.bucket}"

    def __str__(self) -> str:
        return f"{self.column}:{self.bucket}" if self.bucket else self.column


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure of each group; without ``column``, the number of its rows."""

    function: Function
    column: str = ""

    @property
    def name(self) -> str:
        """The figure's column name."""
        return f"{self.function}_{self.column}" if self.column else str(self.function)

    def __str__(self) -> str:
        return f"{self.function}:{self.column}" if self.column else str(self.function)


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """A pivot: the group whose values are columns, and the measure in the cells, by their names."""

    group: str
    measure: str

    def __str__(self) -> str:
        return f"{self.group},{self.measure}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A column to sort by; unknown values come last in either direction."""

    column: str
    descending: bool = False

    def __str__(self) -> str:
        return f"-{self.column}" if self.descending else self.column


@dataclass(frozen=True, slots=True, kw_only=True)
class View(query.PagedRecord):
    """Which columns and rows of ``dataset``, in which order. Build with `from_query`.

    ``problems`` says which parts of the request were not understood and are left out.
    """

    parameters = (
        Parameter(name="dataset", field="key", read=BY_KEY.get),
        Parameter(name="columns", field="columns", read=query.items, write=query.joined),
        Parameter(name="group", field="groups", read=query.items, write=query.joined),
        Parameter(name="measures", field="measures", read=query.items, write=query.joined),
        Parameter(name="across", field="across", read=str),
        Parameter(name="sort", field="orders", read=query.items, write=query.joined),
        Parameter(name="chart", field="chart", read=str),
        query.PAGE,
    )
    dataset: Dataset = APPLICATIONS
    columns: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    groups: tuple[Group, ...] = ()
    measures: tuple[Measure, ...] = ()
    across: Across | None = None
    orders: tuple[Order, ...] = ()
    chart: str = ""
    problems: tuple[str, ...] = field(default=(), compare=False)

    @property
    def shown(self) -> tuple[DatasetColumn, ...]:
        """The table's columns in order; if grouped, the groups and their figures."""
        if not self.groups:
            found = (self.dataset.column(name) for name in self.columns or self.dataset.usual)
            return tuple(column for column in found if column is not None)
        return (
            *(_group_column(self.dataset, group) for group in self.groups),
            *(_measure_column(self.dataset, measure) for measure in self.figures),
        )

    @property
    def months(self) -> frozenset[str]:
        """The columns of the table whose days stand for months."""
        grouped = {group.name for group in self.groups if group.bucket is Bucket.MONTH}
        return frozenset(grouped or {MONTH})

    @property
    def shows_contacts(self) -> bool:
        """Whether the table has personal columns, or groups by one."""
        return any(column.personal for column in self.shown)

    @property
    def figures(self) -> tuple[Measure, ...]:
        """The figures of each group; by default the number of rows."""
        return self.measures or (Measure(function=Function.COUNT),)

    @property
    def sorted_by(self) -> tuple[Order, ...]:
        """The chosen order, or the default."""
        if self.orders:
            return self.orders
        if self.groups:
            across = self.across.group if self.across else ""
            names = (group.name for group in self.groups)
            return tuple(Order(column=name) for name in names if name != across)
        return (_order(self.dataset.order),)

    def filter_on(self, column: str) -> Filter | None:
        """Return the filter on a column, if there is one."""
        return next((filter_ for filter_ in self.filters if filter_.column == column), None)

    def with_filter(self, column: str, filter_: Filter | None) -> "View":
        """Return the view with this filter on the column, or none, back on the first page."""
        if filter_ is not None and self.filter_on(column) is not None:
            changed = tuple(filter_ if f.column == column else f for f in self.filters)
        else:
            changed = tuple(f for f in self.filters if f.column != column)
            changed += (filter_,) if filter_ is not None else ()
        return replace(self, filters=changed, page=1)

    def sorted_anew(self, column: str) -> "View":
        """Sort by this column: text ascending, figures and times descending; again reverses."""
        first = self.sorted_by[0]
        shown = next((one for one in self.shown if one.name == column), None)
        falls = shown is not None and shown.kind in NUMBERS | TIMES
        descending = not first.descending if first.column == column else falls
        return replace(self, orders=(Order(column=column, descending=descending),), page=1)

    @property
    def key(self) -> str:
        """The dataset's key."""
        return self.dataset.key

    def to_query(self) -> dict[str, str]:
        """Return the query parameters; defaults are left out."""
        filters = {filter_.column: filtering.to_text(filter_) for filter_ in self.filters}
        return query.Record.to_query(self) | filters

    @classmethod
    def from_query(cls, found: Mapping[str, str], *, personal: bool) -> "View":
        """Parse the query parameters, without columns that the person may not see.

        Whatever is malformed or not allowed is left out and named in ``problems``.
        """
        asked, key = cls.values(found), found.get("dataset", "")
        dataset = asked.get("key", APPLICATIONS).for_reader(personal=personal)
        reader = _Reader(dataset, found, asked)
        if key and key not in BY_KEY:
            reader.problems.append(f"There is no dataset {wording.quoted(key)}.")
        groups = reader.groups()
        read = cls(
            dataset=dataset,
            columns=reader.columns(),
            filters=reader.filters(),
            groups=groups,
            measures=reader.measures() if groups else (),
            page=asked.get("page", 1),
        )
        across = reader.across(read)
        return replace(
            read,
            across=across,
            orders=reader.orders(sortable(replace(read, across=across))),
            chart=reader.chart({column.name for column in read.shown}),
            problems=tuple(reader.problems),
        )

    def bounded(self) -> "View":
        """Return the view with a range of days if the dataset needs one: by default the last 30."""
        name = self.dataset.bounded
        if name is None or self.filter_on(name) is not None:
            return self
        return self.with_filter(name, Days(column=name, latest=30)).on_page(self.page)

    def too_long(self, today: date) -> str | None:
        """Return the error if the view has more days than the dataset allows, or ``None``."""
        name = self.dataset.bounded
        if name is None:
            return None
        filter_ = self.filter_on(name)
        first, last = filter_.span(today) if isinstance(filter_, Days) else (None, None)
        end = last or today
        if first is not None and (end - first).days < self.dataset.most_days:
            return None
        return (
            f"{self.dataset.title} is read at most {self.dataset.most_days} days at a time. "
            f"Set the first and the last {name}."
        )

    def in_words(self) -> list[str]:
        """Format each filter as a line: ``volume_usd: 1,000 or more``."""
        return [f"{filter_.column}: {filtering.describe(filter_)}" for filter_ in self.filters]


OWN_NAMES = tuple(one.name for one in View.parameters)


@dataclass(slots=True)
class _Reader:
    """Parses a request piece by piece and collects what it cannot understand."""

    dataset: Dataset
    query: Mapping[str, str]
    asked: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)

    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._known("columns", self.asked.get("columns", ()))))

    def filters(self) -> tuple[Filter, ...]:
        found = []
        for name, text in self.query.items():
            column = self.dataset.column(name)
            if column is None:
                self._note_unknown_filter(name)
                continue
            filter_ = filtering.parse(column, text)
            if filter_ is None:
                self.problems.append(filtering.refusal(column, text))
            else:
                found.append(filter_)
        return tuple(found)

    def groups(self) -> tuple[Group, ...]:
        found = []
        for text in self.asked.get("groups", ()):
            name, _, bucket = text.partition(":")
            column = self.dataset.column(name)
            if column is None or (
                bucket and (column.kind not in TIMES or bucket not in tuple(Bucket))
            ):
                self.problems.append(f"Grouping by {wording.quoted(text)} is not understood.")
                continue
            found.append(Group(column=name, bucket=_bucket(column, bucket)))
        return tuple(dict.fromkeys(found))[:MOST_GROUPED_BY]

    def measures(self) -> tuple[Measure, ...]:
        found = []
        for text in self.asked.get("measures", ()):
            name, _, column = text.partition(":")
            if name not in tuple(Function) or not measurable(self.dataset, Function(name), column):
                self.problems.append(f"The figure {wording.quoted(text)} is not understood.")
                continue
            found.append(Measure(function=Function(name), column=column))
        return tuple(dict.fromkeys(found))[:MOST_MEASURES]

    def across(self, read: View) -> Across | None:
        text: str = self.asked.get("across", "")
        if not text:
            return None
        group, _, measure = text.partition(",")
        found = Across(group=group, measure=measure)
        if can_be_across(read, found):
            return found
        self.problems.append(
            f"The columns across {wording.quoted(text)} are not understood; "
            "they need another group and a figure."
        )
        return None

    def orders(self, names: set[str]) -> tuple[Order, ...]:
        orders = [_order(text) for text in self.asked.get("orders", ())]
        for order in orders:
            if order.column not in names:
                self.problems.append(
                    f"Sorting by {wording.quoted(order.column)} is not understood."
                )
        kept = {order.column: order for order in reversed(orders) if order.column in names}
        return tuple(reversed(kept.values()))[:MOST_ORDERS]

    def chart(self, names: set[str]) -> str:
        text: str = self.asked.get("chart", "")
        if not text or (set(text.split(",")) <= names and text.count(",") == 1):
            return text
        self.problems.append(f"The chart {wording.quoted(text)} is not of columns that are shown.")
        return ""

    def _known(self, what: str, names: Sequence[str]) -> list[str]:
        for name in names:
            if self.dataset.column(name) is None:
                self.problems.append(
                    f"There is no column {wording.quoted(name)} for you in {what}."
                )
        return [name for name in names if self.dataset.column(name) is not None]

    def _note_unknown_filter(self, name: str) -> None:
        if name not in OWN_NAMES:
            self.problems.append(f"There is no column {wording.quoted(name)} for you to filter by.")


def buckets_of(column: DatasetColumn) -> tuple[Bucket, ...]:
    """Return the steps by which a column can be grouped, the usual one first; a month is one."""
    if column.kind not in TIMES:
        return ()
    return (Bucket.MONTH,) if column.name == MONTH else tuple(Bucket)


def _bucket(column: DatasetColumn, asked: str) -> Bucket | None:
    """Return the step asked for, or the column's usual one, if it has any."""
    return Bucket(asked) if asked else next(iter(buckets_of(column)), None)


def measurable(dataset: Dataset, function: Function, name: str) -> bool:
    """Whether the function applies to the column; the number of rows needs none."""
    if function is Function.COUNT:
        return not name
    column = dataset.column(name)
    if column is None:
        return False
    if function in (Function.KNOWN, Function.DISTINCT):
        return True
    if function in (Function.LEAST, Function.MOST):
        return column.kind in AMOUNTS | TIMES
    return column.kind in AMOUNTS


def sortable(view: View) -> set[str]:
    """Return the columns that sort the rows; of a pivot the groups down and the measure."""
    if not view.groups:
        return set(view.dataset.names)
    if view.across is None:
        return {column.name for column in view.shown}
    names = {group.name for group in view.groups} - {view.across.group}
    return names | {view.across.measure}


def can_be_across(view: View, across: Across) -> bool:
    """Whether the group can lie across: it is not the only one, and its values are no amounts."""
    groups = {group.name: group for group in view.groups}
    measures = {measure.name for measure in view.figures}
    if len(groups) < 2 or across.group not in groups or across.measure not in measures:
        return False
    column = view.dataset.column(groups[across.group].column)
    return column is not None and column.kind not in FRACTIONS


def _group_column(dataset: Dataset, group: Group) -> DatasetColumn:
    column = dataset.column(group.column)
    assert column is not None
    if group.bucket is None:
        return column
    described = f"{column.description}: the {group.bucket}"
    if group.bucket is not Bucket.DAY:
        described += ", by its first day"
    return replace(column, name=group.name, kind=ColumnKind.DAY, description=described)


def _measure_column(dataset: Dataset, measure: Measure) -> DatasetColumn:
    column = dataset.column(measure.column)
    words = FUNCTION_WORDS[measure.function]
    if column is None or measure.function in COUNTS:
        of = f" of {measure.column}" if measure.column else ""
        described = words + of
        return DatasetColumn(
            name=measure.name, kind=ColumnKind.WHOLE, description=described, always=True
        )
    made = replace(
        column,
        name=measure.name,
        description=f"{words} of {measure.column}; unknown values do not count",
        always=False,
    )
    if measure.function is not Function.AVERAGE:
        return made
    kind = ColumnKind.NUMBER if column.kind is ColumnKind.WHOLE else column.kind
    return replace(made, kind=kind, scale=max(column.scale, 2))


def _order(text: str) -> Order:
    return Order(column=text.removeprefix("-"), descending=text.startswith("-"))


def described(view: View) -> str:
    """Describe the view in one sentence, for logs and second sheets."""
    parts = view.in_words()
    return wording.listed(parts) if parts else "all rows"

"""A pivot: one of a view's groups lies across, so that its values are columns of one measure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from program.reports.datasets import DatasetColumn
from program.reports.views import Function, Group, Measure, View

# Columns that can be read side by side; the values of all others stand in one more.
MOST_ACROSS = 12
# Measures whose cells add up to that of the row.
ADDED = frozenset({Function.COUNT, Function.KNOWN, Function.SUM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivoted:
    """The groups of ``view`` that lie down and across, and the measure in the cells."""

    view: View
    down: tuple[Group, ...]
    across: Group
    measure: Measure

    @property
    def in_time(self) -> bool:
        """Whether the columns are days, weeks or months."""
        return self.across.bucket is not None

    @property
    def adds_up(self) -> bool:
        """Whether cells of a row can be added; averages and medians cannot."""
        return self.measure.function in ADDED

    def column(self, name: str) -> DatasetColumn:
        """Return the group or measure with this name as a column."""
        return next(column for column in self.view.shown if column.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """The columns across: known ``values`` in order, then all others, then the unknown.

    ``others`` is how many values have no column of their own.
    """

    values: tuple[Any, ...]
    others: int = 0
    has_unknown: bool = False

    @property
    def number(self) -> int:
        """How many columns there are."""
        return len(self.values) + bool(self.others) + self.has_unknown


def of(view: View) -> Pivoted | None:
    """Return how the view is pivoted; ``None`` without a group across."""
    if view.across is None:
        return None
    across = next(group for group in view.groups if group.name == view.across.group)
    measure = next(one for one in view.figures if one.name == view.across.measure)
    down = tuple(group for group in view.groups if group != across)
    return Pivoted(view=view, down=down, across=across, measure=measure)


def in_order(values: Sequence[Any], column: DatasetColumn, *, in_time: bool) -> tuple[Any, ...]:
    """Sort the columns: in time, as the choices of ``column`` are listed, or as they are."""
    if in_time:
        return tuple(sorted(values))
    if column.choices:
        places = {choice: place for place, choice in enumerate(column.choices)}
        return tuple(sorted(values, key=lambda value: places.get(value, len(places))))
    return tuple(values)


def cut_words(pivoted: Pivoted, heads: Heads) -> str:
    """Say which values have a column if not all have; else ""."""
    if not heads.others:
        return ""
    which = "newest" if pivoted.in_time else "largest" if pivoted.adds_up else "most frequent"
    own = len(heads.values)
    return f"the {own} {which} of {own + heads.others:,}"

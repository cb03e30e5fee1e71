"""What a chart in Explore draws: the groups of all rows that match, never those of one page."""

from dataclasses import dataclass, replace
from datetime import date

from program.reports import pivots
from program.reports.column_filters import Days
from program.reports.datasets import AMOUNTS, MONTH, TIMES
from program.reports.views import Bucket, Function, Group, Measure, Order, View

# Bars that can be told apart; of more categories, the largest.
MOST_BARS = 30
MOST_DAYS, MOST_WEEKS = 110, 110 * 7
# Steps of time that a chart may have; of more, the newest.
MOST_STEPS = 400
# Parts of a stack and lines that can be told apart, beside those of all others and the unknown;
# and so many steps that each may have all of them.
MOST_STACKED, MOST_LINES, MOST_STEPS_IN_SERIES = 7, 4, 110
# Stacks that lie below each other, each as high as its name.
MOST_BARS_IN_SERIES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Charted:
    """The groups to draw as a view, and which of its columns lie across and up."""

    view: View
    across: str
    up: str
    bucket: Bucket | None

    @property
    def most(self) -> int:
        """How many groups are drawn: the newest steps, or the largest categories."""
        if self.view.across:
            return MOST_STEPS_IN_SERIES if self.bucket else MOST_BARS_IN_SERIES
        return MOST_STEPS if self.bucket else MOST_BARS

    @property
    def most_series(self) -> int:
        """How many values across have a part of the bars, or a line, of their own."""
        pivoted = pivots.of(self.view)
        return MOST_STACKED if pivoted is None or pivoted.adds_up else MOST_LINES

    def words(self, *, has_more: bool) -> str:
        """Say what is drawn of all that match."""
        which = "newest" if self.bucket else "largest"
        return f"the {self.most} {which} of all that match" if has_more else "all that match"


def of(view: View, today: date) -> Charted | None:
    """Return what the view's chart draws; ``None`` without a chart."""
    across, _, up = view.chart.partition(",")
    if not across or not up:
        return None
    return _of_groups(view, across, up) if view.groups else _of_rows(view, across, up, today)


def _of_groups(view: View, across: str, up: str) -> Charted | None:
    """Group by what lies across alone: averages of smaller groups do not add up."""
    group = next((one for one in view.groups if one.name == across), None)
    measure = next((one for one in view.figures if one.name == up), None)
    if group is None or measure is None:
        return None
    drawn = _charted(view, group, measure)
    pivoted = pivots.of(view)
    if pivoted is None or pivoted.across == group or pivoted.measure != measure:
        return drawn
    if not pivoted.adds_up and group.bucket is None:
        # Neither a stack of averages nor a line from one country to the next says anything.
        return drawn
    series = replace(drawn.view, groups=(group, pivoted.across), across=view.across)
    return replace(drawn, view=series)


def _of_rows(view: View, across: str, up: str, today: date) -> Charted | None:
    column, height = view.dataset.column(across), view.dataset.column(up)
    if column is None or height is None or height.kind not in AMOUNTS:
        return None
    bucket = _fitting(view, across, today) if column.kind in TIMES else None
    group = Group(column=across, bucket=bucket)
    return _charted(view, group, Measure(function=Function.SUM, column=up))


def _charted(view: View, group: Group, measure: Measure) -> Charted:
    order = Order(column=group.name if group.bucket else measure.name, descending=True)
    groups = replace(
        view,
        groups=(group,),
        measures=(measure,),
        across=None,
        columns=(),
        orders=(order,),
        chart="",
        page=1,
    )
    return Charted(view=groups, across=group.name, up=measure.name, bucket=group.bucket)


def _fitting(view: View, column: str, today: date) -> Bucket:
    """Return the finest step in which the filtered days stay readable; months if not filtered."""
    filter_ = view.filter_on(column)
    first, last = filter_.span(today) if isinstance(filter_, Days) else (None, None)
    if column == MONTH or first is None:
        return Bucket.MONTH
    days = ((last or today) - first).days + 1
    if days <= MOST_DAYS:
        return Bucket.DAY
    return Bucket.WEEK if days <= MOST_WEEKS else Bucket.MONTH

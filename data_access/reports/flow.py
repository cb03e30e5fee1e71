"""Applications submitted and open, step by step."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from data_access.applications import conditions
from data_access.db import tables
from data_access.reports import workload
from data_access.reports.workload import Uncounted
from data_access.rollups.lifecycle import At
from program.periods import Window
from program.reports.periods import Grain, buckets
from program.review.drilldown import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a period. ``open_then`` is how many were open at its end."""

    start: date
    submitted: int
    open_then: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The steps of a period in order, and how many were open at its beginning."""

    steps: tuple[Step, ...]
    open_before: int


def steps(
    connection: Connection, period: Window, grain: Grain, news: Uncounted | None = None
) -> Flow:
    """Return the steps of ``period``, empty ones as zeros."""
    if news is None:
        news = workload.uncounted(connection)
    submitted = workload.by_step(connection, At.SUBMITTED, period, grain, news)
    left = workload.by_step(connection, At.LEFT, period, grain, news)
    open_then = _open_after(connection, period, news)
    made: list[Step] = []
    # Backwards: subtract those submitted in the step and add those that left in it.
    for step in reversed(buckets(period, grain)):
        came = submitted[step.start].number if step.start in submitted else 0
        made.append(Step(start=step.start, submitted=came, open_then=open_then))
        open_then += (left[step.start].number if step.start in left else 0) - came
    return Flow(steps=tuple(made[::-1]), open_before=open_then)


def _open_after(connection: Connection, period: Window, news: Uncounted) -> int:
    """Return how many were open at the period's end: open now, plus left, minus arrived since."""
    now: int = connection.execute(
        select(func.count())
        .select_from(tables.applications)
        .where(*conditions.in_scope(Scope.OPEN))
    ).scalar_one()
    left = workload.since(connection, At.LEFT, period.end, news)
    return now + left - workload.since(connection, At.SUBMITTED, period.end, news)

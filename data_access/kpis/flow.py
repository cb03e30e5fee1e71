"""Applications in and open, step by step."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Select, cast, func, literal, select

from data_access import slices, tables
from program.periods import Window, day_start
from program.reports import Grain, buckets
from program.slices import Moment, Scope, Slice
from program.workflow import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a period. ``open_then`` is how many were open when it ended."""

    start: date
    submitted: int
    open_then: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The steps of a period in order, and how many were open when it began."""

    steps: tuple[Step, ...]
    open_before: int


def steps(connection: Connection, period: Window, grain: Grain) -> Flow:
    """The steps of ``period``, empty ones as zeros."""
    found = connection.execute(
        _submitted(period, grain).union_all(_left(period, grain), _open_after(period))
    )
    counts = {(row.what, row.start): int(row.number) for row in found}
    open_then = counts.get(("open", period.start), 0)
    made: list[Step] = []
    # Walking back: what arrived in a step was not there before it, what left still was.
    for step in reversed(buckets(period, grain)):
        submitted = counts.get(("submitted", step.start), 0)
        made.append(Step(start=step.start, submitted=submitted, open_then=open_then))
        open_then += counts.get(("left", step.start), 0) - submitted
    return Flow(steps=tuple(made[::-1]), open_before=open_then)


def bucket(day: ColumnElement[Any], period: Window, grain: Grain) -> ColumnElement[date]:
    """The first day of the step that a UTC day or time lies in, cut at the period's start."""
    start = cast(func.date_trunc(str(grain), day), Date)
    cut: ColumnElement[date] = func.greatest(start, cast(literal(period.start), Date))
    return cut


def _submitted(period: Window, grain: Grain) -> Select[Any]:
    asked = Slice(scope=Scope.ALL, moment=Moment.SUBMITTED).during(period)
    at = tables.applications.c.submitted_at
    return _by_step(literal("submitted"), at, period, grain).where(*slices.submitted(asked))


def _left(period: Window, grain: Grain) -> Select[Any]:
    settled = tables.applications.c.status != Status.PENDING
    left = _leaving()
    return _by_step(literal("left"), left, period, grain).where(
        settled, *slices.within(left, period)
    )


def _open_after(period: Window) -> Select[Any]:
    """How many were open when the period ended: open now, and left since, but not arrived since."""
    end, table = day_start(period.end), tables.applications
    now, since = select(func.count()).select_from(table), table.c.submitted_at >= end
    left = now.where(table.c.status != Status.PENDING, _leaving() >= end)
    number = (
        now.where(table.c.status == Status.PENDING).scalar_subquery()
        + left.scalar_subquery()
        - now.where(since).scalar_subquery()
    )
    return select(literal("open").label("what"), _day(period), number.label("number"))


def _day(period: Window) -> ColumnElement[date]:
    return cast(literal(period.start), Date).label("start")


def _leaving() -> ColumnElement[datetime]:
    # Upstream may not say when it settled an application: then it never waited.
    table = tables.applications
    return func.greatest(table.c.status_changed_at, table.c.submitted_at)


def _by_step(
    what: ColumnElement[str], moment: ColumnElement[datetime], period: Window, grain: Grain
) -> Select[Any]:
    start = bucket(func.timezone("UTC", moment), period, grain)
    columns: list[ColumnElement[Any]] = [what.label("what"), start.label("start")]
    return select(*columns, func.count().label("number")).group_by("what", "start")

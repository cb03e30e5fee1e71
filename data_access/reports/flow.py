"""Applications submitted and open, step by step."""

from dataclasses import dataclass
from datetime import date

from data_access.reports import workload
from data_access.reports.workload import Selection, Sums
from data_access.rollups.lifecycle import At
from program.periods import Window
from program.reports.periods import Grain, buckets


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


def selections(period: Window, grain: Grain) -> tuple[Selection, ...]:
    """Return the sums that `steps` reads."""
    both = (At.SUBMITTED, At.LEFT)
    return (
        *(Selection(at=at, days=period, grain=grain) for at in both),
        *(Selection(at=at, days=workload.since(period.end)) for at in both),
    )


def steps(sums: Sums, period: Window, grain: Grain, *, open_now: int) -> Flow:
    """Return the steps of ``period``, empty ones as zeros."""
    submitted = sums.by_step(At.SUBMITTED, period, grain)
    left = sums.by_step(At.LEFT, period, grain)
    # Open at the end: open now, plus left, minus arrived since.
    open_then = open_now + sums.since(At.LEFT, period.end) - sums.since(At.SUBMITTED, period.end)
    made: list[Step] = []
    # Backwards: subtract those submitted in the step and add those that left in it.
    for step in reversed(buckets(period, grain)):
        came = submitted[step.start].number if step.start in submitted else 0
        made.append(Step(start=step.start, submitted=came, open_then=open_then))
        open_then += (left[step.start].number if step.start in left else 0) - came
    return Flow(steps=tuple(made[::-1]), open_before=open_then)

"""The priority's points as an SQL expression, built from the same tables that explain it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, DateTime, and_, case, cast, func, literal

from data_access.standings import Basis
from program import business_time, priority
from program.criteria import ON_EXCHANGE, VOLUME
from program.outcomes import Outcome

JUST_AFTER = timedelta(microseconds=1)
Value = ColumnElement[Any]


def score(
    values: Mapping[str, Value],
    truth: ColumnElement[bool],
    *,
    clock_from: ColumnElement[datetime],
    answered: ColumnElement[bool],
    ground: Basis,
) -> ColumnElement[int]:
    """The points of `priority.explain` for the row; ``truth`` is the whole's, NULL unknown."""
    sla = ground.policy.review_sla_business_days
    most = max(priority.DAYS_WAITING_COUNTED, sla + priority.DAYS_OVERDUE_COUNTED)
    starts = business_time.latest_starts(ground.now, most, ground.holidays)
    points = (
        priority.POINTS_A_DAY_WAITING
        * _reached(clock_from, starts[1 : priority.DAYS_WAITING_COUNTED + 1])
        + _overdue(clock_from, starts[sla : sla + priority.DAYS_OVERDUE_COUNTED + 1])
        + _eligibility(truth)
        + _size(values[VOLUME.key], ground)
        + case((and_(truth.is_not(True), _near(values, ground)), priority.NEAR_MISS.cap), else_=0)
        + case((answered, priority.ANSWERED.cap), else_=0)
    )
    total: ColumnElement[int] = func.least(priority.HIGHEST, points)
    return total


def _reached(clock_from: ColumnElement[datetime], starts: Sequence[datetime]) -> Value:
    """How many of the moments the clock began at or before."""
    # width_bucket counts the bounds at or before a value, and wants them ascending.
    bounds = cast(
        literal([s + JUST_AFTER for s in reversed(starts)], ARRAY(DateTime(timezone=True))),
        ARRAY(DateTime(timezone=True)),
    )
    return len(starts) - func.width_bucket(clock_from, bounds)


def _overdue(clock_from: ColumnElement[datetime], starts: Sequence[datetime]) -> Value:
    late = _reached(clock_from, starts)
    points = priority.POINTS_WHEN_OVERDUE + priority.POINTS_A_DAY_OVERDUE * (late - 1)
    return case((clock_from <= starts[0], points), else_=0)


def _eligibility(truth: ColumnElement[bool]) -> Value:
    points = priority.ELIGIBILITY_POINTS
    return case(
        (truth, points[Outcome.MET]),
        (~truth, points[Outcome.NOT_MET]),
        else_=points[Outcome.UNKNOWN],
    )


def _size(volume: Value, ground: Basis) -> Value:
    minimum = ground.policy.min_volume_usd
    steps = [(volume >= times * minimum, points) for times, points in priority.VOLUME_STEPS]
    return case(*steps, else_=0)


def _near(values: Mapping[str, Value], ground: Basis) -> ColumnElement[bool]:
    return and_(
        *(
            values[criterion.key] >= priority.NEAR_SHARE * getattr(ground.policy, criterion.minimum)
            for criterion in ON_EXCHANGE.criteria
        )
    )

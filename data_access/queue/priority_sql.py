"""Build the priority's points as an SQL expression, from the tables that explain them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    and_,
    case,
    cast,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import array

from data_access.eligibility.judging import JudgingContext
from program.policy.criteria import ON_EXCHANGE, VOLUME
from program.policy.outcomes import Outcome
from program.review import business_time, priority

JUST_AFTER = timedelta(microseconds=1)
Value = ColumnElement[Any]


def score(
    values: Mapping[str, Value],
    truth: ColumnElement[bool],
    *,
    clock_from: ColumnElement[datetime],
    answered: ColumnElement[bool],
    risk: ColumnElement[int],
    context: JudgingContext,
) -> ColumnElement[int]:
    """Return the points of `priority.explain` for the row.

    ``truth`` is its eligibility, ``risk`` its risk score, NULL if it was not measured.
    """
    points = (
        _clock(clock_from, context)
        + _eligibility(truth)
        + _size(values[VOLUME.key], context)
        + case((and_(truth.is_not(True), _near(values, context)), priority.NEAR_MISS.cap), else_=0)
        + case((answered, priority.ANSWERED.cap), else_=0)
        + func.least(priority.RISK.cap, func.coalesce(risk, 0) // priority.RISK_SCORE_A_POINT)
    )
    total: ColumnElement[int] = func.least(priority.HIGHEST, points)
    return total


def _clock(clock_from: ColumnElement[datetime], context: JudgingContext) -> Value:
    """Return the points for waiting and overdue, looked up in a table of times."""
    starts, by_days = clock_steps(context)
    moments = ARRAY(DateTime(timezone=True))
    # width_bucket counts the times at or before a value, and needs them ascending.
    passed = func.width_bucket(clock_from, cast(literal(list(starts), moments), moments))
    return array(by_days, type_=Integer)[passed + 1]


def clock_steps(context: JudgingContext) -> tuple[Sequence[datetime], Sequence[int]]:
    """Return times in order, and the points before, between and after them.

    A clock that started at or after a time, and before the next, has the points in between.
    """
    most = priority.days_counted(context.policy)
    sla = context.policy.review_sla_business_days
    starts = business_time.latest_starts(context.now, most, context.holidays)
    by_days = [
        priority.waiting_points(days) + priority.overdue_points(days - sla)
        for days in range(most + 1)
    ]
    yet_to_begin = 0
    return [start + JUST_AFTER for start in reversed(starts)], [*reversed(by_days), yet_to_begin]


def _eligibility(truth: ColumnElement[bool]) -> Value:
    points = priority.ELIGIBILITY_POINTS
    return case(
        (truth, points[Outcome.MET]),
        (~truth, points[Outcome.NOT_MET]),
        else_=points[Outcome.UNKNOWN],
    )


def _size(volume: Value, context: JudgingContext) -> Value:
    minimum = context.policy.min_volume_usd
    steps = [(volume >= times * minimum, points) for times, points in priority.VOLUME_STEPS]
    return case(*steps, else_=0)


def _near(values: Mapping[str, Value], context: JudgingContext) -> ColumnElement[bool]:
    return and_(
        *(
            values[criterion.key] >= priority.near(criterion, context.policy)
            for criterion in ON_EXCHANGE.criteria
        )
    )

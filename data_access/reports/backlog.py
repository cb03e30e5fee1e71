"""Open applications by age and by the state of the review clock."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, and_, case, func, select
from sqlalchemy.dialects.postgresql import array

from data_access.applications import conditions
from data_access.applications.read import with_desk
from data_access.db import tables
from data_access.eligibility.judging import JudgingContext
from program.reports import forecast
from program.review.drilldown import AGE_GROUPS, Clock, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The number of open applications of this age with this state of the clock.

    ``overdue_then`` are how many of them will be overdue at each horizon of the forecast, unless
    they are decided before.
    """

    age: str
    clock: Clock
    number: int
    overdue_then: tuple[int, ...] = field(default=(), compare=False)


def by_age_and_clock(connection: Connection, context: JudgingContext) -> list[Open]:
    """Return the number for every combination, youngest first."""
    age = case(*((and_(*_aged(group.key, context)), group.key) for group in AGE_GROUPS))
    clock = case(*((conditions.clock(state, context), str(state)) for state in Clock))
    then = [
        func.count().filter(conditions.overdue_at(end, context))
        for end in forecast.horizons(context.now, context.holidays)
    ]
    found = connection.execute(
        select(
            age.label("age"),
            clock.label("clock"),
            func.count().label("number"),
            array(then).label("overdue_then"),
        )
        .select_from(with_desk(tables.applications))
        .where(*conditions.in_scope(Scope.OPEN))
        .group_by("age", "clock")
    )
    rows = [
        Open(
            age=row.age,
            clock=Clock(row.clock),
            number=row.number,
            overdue_then=tuple(row.overdue_then),
        )
        for row in found
    ]
    places = {group.key: place for place, group in enumerate(AGE_GROUPS)}
    return sorted(rows, key=lambda row: (places[row.age], list(Clock).index(row.clock)))


def total(rows: Iterable[Open], *, age: str | None = None, clock: Clock | None = None) -> int:
    """Return the total of the ``rows`` with this age and this clock; of any if not given."""
    return sum(row.number for row in rows if age in (None, row.age) and clock in (None, row.clock))


def overdue_then(rows: Iterable[Open], horizon: int) -> int:
    """Return how many will be overdue at a horizon, unless they are decided before."""
    return sum(row.overdue_then[horizon] for row in rows)


def _aged(key: str, context: JudgingContext) -> list[conditions.Condition]:
    return conditions.aged(key, context.now)

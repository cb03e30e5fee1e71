"""Open applications by age and by the state of the review clock."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, select

from data_access.applications import conditions
from data_access.applications.read import with_desk
from data_access.db import tables
from data_access.eligibility.judging import JudgingContext
from program.review.drilldown import AGE_GROUPS, Clock, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The number of open applications of this age with this state of the clock."""

    age: str
    clock: Clock
    number: int


def by_age_and_clock(connection: Connection, context: JudgingContext) -> list[Open]:
    """Return the number for every combination, youngest first."""
    age = case(*((and_(*_aged(group.key, context)), group.key) for group in AGE_GROUPS))
    clock = case(*((conditions.clock(state, context), str(state)) for state in Clock))
    found = connection.execute(
        select(age.label("age"), clock.label("clock"), func.count().label("number"))
        .select_from(with_desk(tables.applications))
        .where(*conditions.in_scope(Scope.OPEN))
        .group_by("age", "clock")
    )
    rows = [Open(age=row.age, clock=Clock(row.clock), number=row.number) for row in found]
    places = {group.key: place for place, group in enumerate(AGE_GROUPS)}
    return sorted(rows, key=lambda row: (places[row.age], list(Clock).index(row.clock)))


def total(rows: Iterable[Open], *, age: str | None = None, clock: Clock | None = None) -> int:
    """Return the total of the ``rows`` with this age and this clock; of any if not given."""
    return sum(row.number for row in rows if age in (None, row.age) and clock in (None, row.clock))


def _aged(key: str, context: JudgingContext) -> list[conditions.Condition]:
    return conditions.aged(key, context.now)

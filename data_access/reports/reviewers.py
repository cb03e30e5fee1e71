"""What each reviewer decided, and what was reopened of it."""

from sqlalchemy import Connection, func, select

from data_access.applications import conditions
from program.periods import Window
from program.review.drilldown import Moment, Scope, Slice


def reopened(connection: Connection, period: Window) -> dict[str | None, int]:
    """Return the number of reopened applications by the reviewer who had decided them.

    The key ``None`` counts each application once, whoever decided.
    """
    slice_ = Slice(scope=Scope.ALL, moment=Moment.REOPENED).during(period)
    found = conditions.reopenings(slice_).subquery("reopened").c
    rows = connection.execute(
        select(
            found.decided_by,
            func.grouping(found.decided_by).label("all"),
            func.count(found.application_id.distinct()).label("number"),
        ).group_by(func.rollup(found.decided_by))
    )
    return {
        None if row.all else row.decided_by: row.number
        for row in rows
        if row.all or row.decided_by is not None
    }

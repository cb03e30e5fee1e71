"""From submitted to active: how far the applications of a period came."""

from sqlalchemy import Connection, func, select

from data_access import slices, tables
from program.periods import Window
from program.slices import Moment, Scope, Slice, Stage

SUBMITTED = "submitted"


def stages(connection: Connection, period: Window) -> dict[str, int]:
    """How many were submitted in the period, and how many of them reached each stage by now."""
    asked = Slice(scope=Scope.ALL, moment=Moment.SUBMITTED).during(period)
    row = connection.execute(
        select(
            func.count().label(SUBMITTED),
            *(
                func.count().filter(slices.reached(stage, period.start)).label(str(stage))
                for stage in Stage
            ),
        )
        .select_from(tables.applications)
        .where(*slices.submitted(asked))
    ).mappings()
    return {str(name): number for name, number in row.one().items()}

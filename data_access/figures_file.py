"""Files of the program's figures: for somebody who may have them, and kept in the log."""

from collections.abc import Sequence

from sqlalchemy import Engine, insert

from data_access import database, staff, tables
from program.periods import Window
from program.permissions import Act

DATASET = "program_figures"


def log(
    engine: Engine,
    *,
    name: str,
    window: Window | None,
    columns: Sequence[str],
    row_count: int,
    email: str,
) -> None:
    """Keep that these rows leave, before they do; raises NotAllowed.

    ``name`` is which figures; ``window`` their days, UTC, ``None`` for those of now.
    """
    days = {"from": str(window.start), "to": str(window.last_day)} if window else {}
    with database.acting(engine) as connection:
        staff.require(connection, email, Act.SEE_PROGRAM)
        staff.require(connection, email, Act.EXPORT)
        connection.execute(
            insert(tables.exports).values(
                exported_by=email,
                dataset=DATASET,
                format="csv",
                filters={"figures": name, **days},
                columns=list(columns),
                row_count=row_count,
            )
        )

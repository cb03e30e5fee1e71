"""Files of the program page, for people who may export; logged."""

from collections.abc import Sequence

from sqlalchemy import Engine

from data_access.db import database
from data_access.exports import log
from data_access.people import staff
from data_access.people.identities import known_by
from program.periods import Window
from program.reports.export_formats import FileFormat
from program.review.permissions import Act

DATASET = "program"


@known_by("email")
def record(
    engine: Engine,
    *,
    email: str,
    sheet: str,
    window: Window | None,
    columns: Sequence[str],
    row_count: int,
) -> None:
    """Record which of the page's tables was exported for which UTC days; raises NotAllowed."""
    days = (
        {"first_day_utc": window.start.isoformat(), "last_day_utc": window.last_day.isoformat()}
        if window
        else {}
    )
    with database.acting(engine) as connection:
        staff.require(connection, email, Act.SEE_PROGRAM)
        staff.require(connection, email, Act.EXPORT)
        entry = log.Entry(
            exported_by=email,
            dataset=DATASET,
            file_format=FileFormat.CSV,
            filters={"sheet": sheet, **days},
            columns=columns,
            row_count=row_count,
        )
        log.record(connection, entry)

"""Writing an export for somebody: checked, streamed and kept in the log."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from data_access import database, exports, staff, standings
from data_access.exports import BY_NAME, CsvStream
from program.permissions import Act
from program.queue import Filters
from program.workflow import Status


def queue_as_csv(*, email: str, filters: Filters, now: datetime) -> Iterator[bytes]:
    """The filtered queue for a member of staff. Raises NotAllowed before anything is read."""
    with database.reader().connect() as connection:
        staff.require(connection, email, Act.EXPORT)
    return applications_as_csv(
        exported_by=email, filters=filters.seen_by(email), statuses=filters.statuses, now=now
    )


def applications_as_csv(
    *,
    exported_by: str,
    filters: Filters,
    statuses: Sequence[Status],
    now: datetime,
    columns: Sequence[str] = tuple(BY_NAME),
) -> Iterator[bytes]:
    """Applications as CSV, piece by piece; the log says how many rows left."""
    with database.reporter().connect() as connection, connection.begin():
        ground = standings.basis(connection, now=now)
        statement = exports.applications(filters, ground, statuses=statuses, columns=columns)
        stream = CsvStream(connection, statement)
        try:
            yield from stream
        finally:
            # Also when whoever reads hangs up before the end: what left is what is logged.
            _log(exported_by, filters, statuses, columns, stream.row_count)


def _log(
    exported_by: str,
    filters: Filters,
    statuses: Sequence[Status],
    columns: Sequence[str],
    row_count: int,
) -> None:
    with database.writer().begin() as connection:
        exports.record(
            connection,
            exported_by=exported_by,
            dataset="applications",
            file_format="csv",
            filters=filters,
            statuses=statuses,
            columns=columns,
            row_count=row_count,
        )

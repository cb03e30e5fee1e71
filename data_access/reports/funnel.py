"""The funnel from submitted to active."""

from sqlalchemy import Connection

from data_access.reports import workload
from data_access.reports.workload import Uncounted
from data_access.rollups.lifecycle import At
from program.periods import Window
from program.review.drilldown import Stage

SUBMITTED = "submitted"


def stages(connection: Connection, period: Window, news: Uncounted | None = None) -> dict[str, int]:
    """Return how many were submitted in the period, and how many of them reached each stage."""
    if news is None:
        news = workload.uncounted(connection)
    found = workload.whole(connection, At.SUBMITTED, period, news)
    return {
        SUBMITTED: found.number,
        str(Stage.TOUCHED): found.touched,
        str(Stage.DECIDED): found.decided,
        str(Stage.APPROVED): found.approved,
        str(Stage.ACTIVE): found.active,
    }

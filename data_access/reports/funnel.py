"""The funnel from submitted to active."""

from data_access.reports.workload import Sums
from data_access.rollups.lifecycle import At
from program.periods import Window
from program.review.drilldown import Stage

SUBMITTED = "submitted"


def stages(sums: Sums, period: Window) -> dict[str, int]:
    """Return how many were submitted in the period, and how many of them reached each stage."""
    found = sums.whole(At.SUBMITTED, period)
    return {
        SUBMITTED: found.number,
        str(Stage.TOUCHED): found.touched,
        str(Stage.DECIDED): found.decided,
        str(Stage.APPROVED): found.approved,
        str(Stage.ACTIVE): found.active,
    }

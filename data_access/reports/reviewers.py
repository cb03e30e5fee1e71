"""What each reviewer decided, what was reopened of it, and how their approvals compare."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, func, select

from data_access.applications import conditions
from data_access.people import staff
from data_access.reports import speed, workload
from data_access.reports.workload import Selection, Sums, Worked
from data_access.rollups.lifecycle import At
from program.periods import Window
from program.reports import case_mix
from program.reports.case_mix import Compared, Tally
from program.review.drilldown import Moment, Scope, Slice
from program.review.permissions import Act, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One reviewer beside what the others approved of such cases; hours since submission."""

    compared: Compared
    median_hours: Decimal | None


def selection(period: Window) -> Selection:
    """Return the sums that `compared` reads."""
    return Selection(at=At.DECIDED, days=period, dimension="case")


def compared(sums: Sums, period: Window, role: Role) -> list[Reviewed]:
    """Return the reviewers of the period by name. Raises NotAllowed for a role that may not."""
    staff.require_role(role, Act.COMPARE_REVIEWERS)
    found: dict[str, dict[str, Worked]] = defaultdict(dict)
    for segment, worked in sums.by_segment(At.DECIDED, period, "case").items():
        eligibility, track, reviewer = segment.split(" ", 2)
        found[reviewer][f"{eligibility} {track}"] = worked
    mix = {reviewer: _tallies(cases) for reviewer, cases in found.items()}
    return [
        Reviewed(
            compared=one,
            median_hours=workload.together(found[one.reviewer].values()).hours(speed.MEDIAN)[0],
        )
        for one in case_mix.compare(mix)
    ]


def _tallies(cases: Mapping[str, Worked]) -> dict[str, Tally]:
    return {
        case: Tally(decided=worked.number, approved=worked.approved)
        for case, worked in cases.items()
    }


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

"""What the queue's figures mean: tooltips, the help panel and docs/review-desk.md say it so."""

from collections.abc import Iterator

from program.policy.outcomes import Outcome
from program.review import priority
from program.review.priority import Component

# By the column's heading.
COLUMNS: dict[str, str] = {
    "Waiting": "Calendar days since it arrived.",
    "Due": "In business days, UTC. The clock stops while the applicant owes information.",
    "Priority": "Points, at most 100. The column Why and the application's page show how they add "
    "up.",
    "Why": "The parts of the priority.",
    "Eligibility": "Whether the minimums of a track are met. Unknown is not a failure: somebody "
    "has to establish it.",
    "Risk": "What the figures ask about. The application's page shows which signals, and the rows "
    "behind them.",
    "Marks": "Another account applied under the same handle or contact; this account was rejected "
    "before; eligibility is unknown for want of evidence. The application's page has more.",
    "Robust": "On-exchange criteria that are met → the fewest that still are without the top user, "
    "without small users, or on fee-bearing volume.",
    "Volume": "Referral volume in the window, USD, rounded down.",
    "Active": "Distinct referred users with trading volume in the window.",
    "New": "Users referred on a day of the window.",
    "6 months": "Volume by calendar month, the last one still running.",
}


def points() -> Iterator[tuple[Component, str]]:
    """Yield each part of the priority and what it adds."""
    met, unknown, not_met = (
        priority.ELIGIBILITY_POINTS[one] for one in (Outcome.MET, Outcome.UNKNOWN, Outcome.NOT_MET)
    )
    late, later = priority.POINTS_WHEN_OVERDUE, priority.POINTS_A_DAY_OVERDUE
    volumes = (f"{more} from {times} x" for times, more in reversed(priority.VOLUME_STEPS))
    near, answered = priority.NEAR_MISS.cap, priority.ANSWERED.cap
    yield priority.OVERDUE, f"{late}, and {later} for each business day beyond"
    yield priority.ELIGIBILITY, f"met {met}, unknown {unknown}, not met {not_met}"
    yield priority.WAITING, f"{priority.POINTS_A_DAY_WAITING} for each business day"
    yield priority.VOLUME, f"{', '.join(volumes)} the minimum in the window"
    yield priority.NEAR_MISS, f"{near} within a tenth of every on-exchange minimum"
    yield priority.ANSWERED, f"{answered} once the applicant answered a question"
    yield priority.RISK, f"1 for every {priority.RISK_SCORE_A_POINT} points of the risk score"

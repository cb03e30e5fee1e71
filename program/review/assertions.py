"""The facts that a rejection reason asserts, and whether they are established.

No message states as a fact what was not checked: either the fact is established first, or the
reviewer confirms that they reject without it, and the message does not claim it.
"""

from collections.abc import Collection, Mapping

from program import wording
from program.policy.checklist import CheckOutcome, item
from program.policy.eligibility import Assessment
from program.policy.outcomes import Outcome
from program.review.workflow import Reason


def unproven(
    reason: Reason,
    assessment: Assessment,
    checks: Mapping[str, CheckOutcome],
    *,
    items: Collection[str],
) -> tuple[str, ...]:
    """Return in words the facts that the reason asserts and that are not established.

    ``checks`` are the newest answers, ``items`` the items on the policy's checklist; an item that
    is not on it cannot be missing.
    """
    found = []
    if reason.asserts_not_met and assessment.outcome is Outcome.MET:
        found.append("that the minimums are not met, which they are")
    elif reason.asserts_not_met and assessment.outcome is Outcome.UNKNOWN:
        found += [
            result.criterion.label
            for track in assessment.tracks
            for result in track.criteria
            if result.outcome is Outcome.UNKNOWN
        ]
    key = reason.asserts_failed
    if key is not None and key in items and checks.get(key) is not CheckOutcome.FAILED:
        how = "not answered" if key not in checks else str(checks[key]).replace("_", " ")
        found.append(f"the check “{item(key).label}”, which is {how}")
    return tuple(found)


def unproven_sentence(reason: Reason, missing: Collection[str]) -> str:
    """Return the error that names what must be established before this rejection."""
    return (
        f"{reason.label} requires facts that are not established: {wording.listed(list(missing))}. "
        "Establish them first, or confirm that you reject without them."
    )

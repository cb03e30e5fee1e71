"""The application's statuses, the moves between them, and why one is rejected."""

from dataclasses import dataclass
from enum import StrEnum

from program.outcomes import Outcome


class Status(StrEnum):
    """Where an application stands; upstream's own words."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    """What a reviewer can decide."""

    APPROVED = "approved"
    REJECTED = "rejected"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.APPROVED, Status.REJECTED, Status.WITHDRAWN}),
    Status.APPROVED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.WITHDRAWN: frozenset(),
}


def is_override(decision: Decision, outcome: Outcome) -> bool:
    """Whether the decision goes against the computed eligibility.

    Approving what is not known to be met does, and so does rejecting what is.
    """
    return (decision is Decision.APPROVED) is not (outcome is Outcome.MET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an application is rejected, with the message the applicant may be sent."""

    code: str
    label: str
    message: str


REASONS: tuple[Reason, ...] = (
    Reason(
        code="below_minimums",
        label="Below the minimums",
        message=(
            "Thank you for applying to the affiliate program. Your referrals do not yet reach "
            "the program's minimums. You are welcome to apply again once they do."
        ),
    ),
    Reason(
        code="evidence_missing",
        label="Reach could not be confirmed",
        message=(
            "Thank you for applying to the affiliate program. We could not confirm the reach or "
            "the volume you have elsewhere. You are welcome to apply again with a public profile "
            "or a recent statement."
        ),
    ),
    Reason(
        code="account_not_in_order",
        label="Account not in order",
        message=(
            "Thank you for applying to the affiliate program. Your account does not currently "
            "meet the program's requirements. Please complete identity verification and contact "
            "support before you apply again."
        ),
    ),
    Reason(
        code="audience_not_genuine",
        label="Audience or activity not genuine",
        message=(
            "Thank you for applying to the affiliate program. After review we are not able to "
            "accept your application."
        ),
    ),
    Reason(
        code="promotion_methods",
        label="Promotion methods not acceptable",
        message=(
            "Thank you for applying to the affiliate program. The way the exchange is promoted "
            "does not follow the program's rules, so we cannot accept your application."
        ),
    ),
    Reason(
        code="api_broker",
        label="Already an API broker",
        message=(
            "Thank you for applying to the affiliate program. It cannot be combined with the API "
            "Broker program, in which your account takes part."
        ),
    ),
    Reason(
        code="self_referral",
        label="Self-referral",
        message=(
            "Thank you for applying to the affiliate program. Accounts that refer themselves or "
            "linked accounts cannot be accepted."
        ),
    ),
    Reason(
        code="duplicate",
        label="Duplicate of another application",
        message=(
            "Thank you for applying to the affiliate program. We already have an application for "
            "the same person, so this one is closed."
        ),
    ),
    Reason(
        code="other",
        label="Other",
        message="Thank you for applying to the affiliate program. ",
    ),
)
REASONS_BY_CODE: dict[str, Reason] = {reason.code: reason for reason in REASONS}
APPROVAL_MESSAGE = (
    "Welcome to the affiliate program. Your application is approved, and your new rebate rate "
    "applies from now on."
)

"""The application's statuses, its status transitions, and the rejection reasons."""

from dataclasses import dataclass
from enum import StrEnum

from program.policy.outcomes import Outcome
from program.review.permissions import Act


class Status(StrEnum):
    """The status of an application.

    Upstream knows four of them; an application that waits here for an answer, a date or a second
    person is still pending there.
    """

    PENDING = "pending"
    MORE_INFO_NEEDED = "more_info_needed"
    DEFERRED = "deferred"
    AWAITING_SECOND_APPROVAL = "awaiting_second_approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def upstream(self) -> "Status":
        """The status that upstream stores."""
        return Status.PENDING if self in OPEN_STATUSES else self


OPEN_STATUSES = (
    Status.PENDING,
    Status.MORE_INFO_NEEDED,
    Status.DEFERRED,
    Status.AWAITING_SECOND_APPROVAL,
)
UPSTREAM_STATUSES = (Status.PENDING, Status.APPROVED, Status.REJECTED, Status.WITHDRAWN)
STATUS_WORDS = {
    Status.PENDING: "pending",
    Status.MORE_INFO_NEEDED: "waiting for the applicant",
    Status.DEFERRED: "deferred",
    Status.AWAITING_SECOND_APPROVAL: "waiting for a second approval",
    Status.APPROVED: "approved",
    Status.REJECTED: "rejected",
    Status.WITHDRAWN: "withdrawn",
}


class Decision(StrEnum):
    """The outcomes that a reviewer can decide."""

    APPROVED = "approved"
    REJECTED = "rejected"


class Move(StrEnum):
    """A change of status. The value is the kind of its event on the timeline."""

    APPROVE = "approved"
    REJECT = "rejected"
    REQUEST_INFORMATION = "information_requested"
    RECORD_ANSWER = "answer_recorded"
    STOP_WAITING = "waiting_stopped"
    DEFER = "deferred"
    BRING_BACK = "brought_back"
    ASK_SECOND_APPROVAL = "second_approval_asked"
    CONFIRM = "second_approval_confirmed"
    DECLINE = "second_approval_declined"
    CANCEL = "second_approval_cancelled"
    LAPSE = "second_approval_lapsed"
    REOPEN = "reopened"
    UNDO = "undone"
    WITHDRAW = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One allowed change from a status to another. Without ``act``, no person makes it.

    ``label`` is the text on buttons and in the diagram.
    """

    move: Move
    old: Status
    new: Status
    label: str
    act: Act | None


def _ways(
    move: Move, label: str, act: Act | None, *pairs: tuple[Status, Status]
) -> tuple[Transition, ...]:
    return tuple(
        Transition(move=move, old=old, new=new, label=label, act=act) for old, new in pairs
    )


_PENDING, _INFO, _LATER, _SECOND = OPEN_STATUSES
_YES, _NO, _GONE = Status.APPROVED, Status.REJECTED, Status.WITHDRAWN

TRANSITIONS: tuple[Transition, ...] = (
    *_ways(Move.APPROVE, "Approve", Act.DECIDE, (_PENDING, _YES)),
    *_ways(Move.REJECT, "Reject", Act.DECIDE, (_PENDING, _NO)),
    *_ways(
        Move.REQUEST_INFORMATION,
        "Ask for information",
        Act.REQUEST_INFORMATION,
        (_PENDING, _INFO),
    ),
    *_ways(Move.RECORD_ANSWER, "Record the answer", Act.RECORD_ANSWER, (_INFO, _PENDING)),
    *_ways(Move.STOP_WAITING, "Stop waiting", Act.RECORD_ANSWER, (_INFO, _PENDING)),
    *_ways(Move.DEFER, "Defer", Act.DEFER, (_PENDING, _LATER)),
    *_ways(Move.BRING_BACK, "Bring back", Act.DEFER, (_LATER, _PENDING)),
    # A deferred application also returns on its date or when a result changes.
    *_ways(Move.BRING_BACK, "Return when due", None, (_LATER, _PENDING)),
    *_ways(Move.ASK_SECOND_APPROVAL, "Ask for a second approval", Act.DECIDE, (_PENDING, _SECOND)),
    *_ways(Move.CONFIRM, "Confirm", Act.APPROVE_SECOND, (_SECOND, _YES), (_SECOND, _NO)),
    *_ways(Move.DECLINE, "Decline", Act.APPROVE_SECOND, (_SECOND, _PENDING)),
    *_ways(Move.CANCEL, "Cancel", Act.DECIDE, (_SECOND, _PENDING)),
    *_ways(Move.LAPSE, "Expire when the facts change", None, (_SECOND, _PENDING)),
    *_ways(Move.REOPEN, "Reopen", Act.REOPEN, (_YES, _PENDING), (_NO, _PENDING)),
    # Only by the sender, and only until the message leaves.
    *_ways(Move.UNDO, "Undo", Act.UNDO, (_YES, _PENDING), (_NO, _PENDING), (_INFO, _PENDING)),
    *_ways(
        Move.WITHDRAW,
        "Withdraw upstream",
        None,
        *((status, _GONE) for status in OPEN_STATUSES),
    ),
)


def way(move: Move, old: Status, *, new: Status | None = None) -> Transition | None:
    """Return the transition of ``move`` from ``old``; ``None`` if it is not allowed."""
    for transition in TRANSITIONS:
        if (transition.move, transition.old) == (move, old) and new in (None, transition.new):
            return transition
    return None


def is_override(decision: Decision, outcome: Outcome) -> bool:
    """Whether the decision goes against the computed eligibility.

    Approving is one unless eligibility is met; rejecting is one if it is.
    """
    return (decision is Decision.APPROVED) is not (outcome is Outcome.MET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an application is rejected; the message to the applicant is in `messages`.

    A reason may assert a fact about the applicant that must be established first: that the minimums
    are not met, or that a check failed.
    """

    code: str
    label: str
    asserts_not_met: bool = False
    asserts_failed: str | None = None

    @property
    def asserts(self) -> bool:
        """Whether the reason asserts a fact that could be unknown."""
        return self.asserts_not_met or self.asserts_failed is not None


REASONS: tuple[Reason, ...] = (
    Reason(code="below_minimums", label="Below the minimums", asserts_not_met=True),
    Reason(code="evidence_missing", label="Reach could not be confirmed"),
    Reason(
        code="account_not_in_order",
        label="Account not in order",
        asserts_failed="identity_and_account",
    ),
    Reason(
        code="audience_not_genuine",
        label="Audience or activity not genuine",
        asserts_failed="audience_real",
    ),
    Reason(
        code="promotion_methods",
        label="Promotion methods not acceptable",
        asserts_failed="promotion_methods",
    ),
    Reason(code="api_broker", label="Already an API broker", asserts_failed="not_api_broker"),
    Reason(code="self_referral", label="Self-referral", asserts_failed="no_self_referral"),
    Reason(code="duplicate", label="Duplicate of another application"),
    Reason(code="other", label="Other"),
)
REASONS_BY_CODE: dict[str, Reason] = {reason.code: reason for reason in REASONS}

"""Statuses, the moves between them, and reasons: the whole tables."""

import pytest

from program.outcomes import Outcome
from program.workflow import (
    APPROVAL_MESSAGE,
    REASONS,
    REASONS_BY_CODE,
    TRANSITIONS,
    Decision,
    Status,
    is_override,
)

MOVES = {
    (Status.PENDING, Status.PENDING): False,
    (Status.PENDING, Status.APPROVED): True,
    (Status.PENDING, Status.REJECTED): True,
    (Status.PENDING, Status.WITHDRAWN): True,
    (Status.APPROVED, Status.PENDING): False,
    (Status.APPROVED, Status.APPROVED): False,
    (Status.APPROVED, Status.REJECTED): False,
    (Status.APPROVED, Status.WITHDRAWN): False,
    (Status.REJECTED, Status.PENDING): False,
    (Status.REJECTED, Status.APPROVED): False,
    (Status.REJECTED, Status.REJECTED): False,
    (Status.REJECTED, Status.WITHDRAWN): False,
    (Status.WITHDRAWN, Status.PENDING): False,
    (Status.WITHDRAWN, Status.APPROVED): False,
    (Status.WITHDRAWN, Status.REJECTED): False,
    (Status.WITHDRAWN, Status.WITHDRAWN): False,
}
OVERRIDES = {
    (Decision.APPROVED, Outcome.MET): False,
    (Decision.APPROVED, Outcome.NOT_MET): True,
    (Decision.APPROVED, Outcome.UNKNOWN): True,
    (Decision.REJECTED, Outcome.MET): True,
    (Decision.REJECTED, Outcome.NOT_MET): False,
    (Decision.REJECTED, Outcome.UNKNOWN): False,
}
CODES = (
    "below_minimums",
    "evidence_missing",
    "account_not_in_order",
    "audience_not_genuine",
    "promotion_methods",
    "api_broker",
    "self_referral",
    "duplicate",
    "other",
)


def test_the_statuses_are_upstreams_own_words() -> None:
    assert tuple(Status) == ("pending", "approved", "rejected", "withdrawn")


def test_only_a_pending_application_moves() -> None:
    moves = {(old, new): new in TRANSITIONS[old] for old in Status for new in Status}

    assert moves == MOVES


def test_every_decision_is_a_status() -> None:
    assert {Status(decision) for decision in Decision} == {Status.APPROVED, Status.REJECTED}


def test_approving_what_is_not_known_to_be_met_and_rejecting_what_is_are_overrides() -> None:
    found = {(d, o): is_override(d, o) for d in Decision for o in Outcome}

    assert found == OVERRIDES


def test_the_reasons_keep_their_codes() -> None:
    """Decisions of years ago name them."""
    assert tuple(reason.code for reason in REASONS) == CODES
    assert tuple(REASONS_BY_CODE) == CODES


def test_reasons_are_told_apart_by_their_labels() -> None:
    labels = {reason.label for reason in REASONS}

    assert len(labels) == len(REASONS)
    assert all(label.strip() for label in labels)


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.code)
def test_every_reason_offers_a_courteous_message(reason: object) -> None:
    message = getattr(reason, "message", "")

    assert message.startswith("Thank you for applying to the affiliate program.")
    assert "!" not in message


def test_approval_has_a_message() -> None:
    assert APPROVAL_MESSAGE.strip()

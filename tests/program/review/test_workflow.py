"""The workflow: every pair of statuses with every role, and the page that draws it."""

from itertools import product

import pytest

from docs import generated
from program.messages.canned_texts import Use, texts
from program.policy.outcomes import Outcome
from program.review.permissions import Act, Role, may
from program.review.workflow import (
    OPEN_STATUSES,
    REASONS,
    REASONS_BY_CODE,
    STATUS_WORDS,
    TRANSITIONS,
    UPSTREAM_STATUSES,
    Decision,
    Move,
    Status,
    is_override,
    way,
)
from tests.program.grid import CELLS, WHO


@pytest.mark.parametrize(("old", "new", "role"), CELLS)
def test_every_transition_has_its_roles(old: Status, new: Status, role: Role) -> None:
    acts = [t.act for t in TRANSITIONS if (t.old, t.new) == (old, new) and t.act is not None]
    assert any(may(role, act) for act in acts) is (role in WHO[old, new])


def test_the_grid_leaves_no_cell_out() -> None:
    assert len(set(CELLS)) == len(CELLS) == 7 * 7 * 4
    assert set(CELLS) == set(product(Status, Status, Role))


# Written by hand, like the grid: move, from, to, and the required act.
WAYS = {
    ("approved", "pending", "approved", Act.DECIDE),
    ("rejected", "pending", "rejected", Act.DECIDE),
    ("information_requested", "pending", "more_info_needed", Act.REQUEST_INFORMATION),
    ("answer_recorded", "more_info_needed", "pending", Act.RECORD_ANSWER),
    ("waiting_stopped", "more_info_needed", "pending", Act.RECORD_ANSWER),
    ("deferred", "pending", "deferred", Act.DEFER),
    ("brought_back", "deferred", "pending", Act.DEFER),
    ("brought_back", "deferred", "pending", None),
    ("second_approval_asked", "pending", "awaiting_second_approval", Act.DECIDE),
    ("second_approval_confirmed", "awaiting_second_approval", "approved", Act.APPROVE_SECOND),
    ("second_approval_confirmed", "awaiting_second_approval", "rejected", Act.APPROVE_SECOND),
    ("second_approval_declined", "awaiting_second_approval", "pending", Act.APPROVE_SECOND),
    ("second_approval_cancelled", "awaiting_second_approval", "pending", Act.DECIDE),
    ("second_approval_lapsed", "awaiting_second_approval", "pending", None),
    ("reopened", "approved", "pending", Act.REOPEN),
    ("reopened", "rejected", "pending", Act.REOPEN),
    ("undone", "approved", "pending", Act.UNDO),
    ("undone", "rejected", "pending", Act.UNDO),
    ("undone", "more_info_needed", "pending", Act.UNDO),
    ("withdrawn", "pending", "withdrawn", None),
    ("withdrawn", "more_info_needed", "withdrawn", None),
    ("withdrawn", "deferred", "withdrawn", None),
    ("withdrawn", "awaiting_second_approval", "withdrawn", None),
}


def test_the_ways_are_these_and_no_others() -> None:
    ways = [(t.move, t.old, t.new, t.act) for t in TRANSITIONS]

    assert set(ways) == WAYS
    assert len(ways) == len(WAYS)


@pytest.mark.parametrize(("move", "old"), list(product(Move, Status)))
def test_a_way_is_found_by_its_move_and_where_it_begins(move: Move, old: Status) -> None:
    ends = [to for by, begins, to, _ in WAYS if (by, begins) == (move, old)]

    found = way(move, old)
    assert (found is not None) is bool(ends)
    for new in Status:
        exact = way(move, old, new=new)
        assert (exact is not None) is (new in ends)
        assert exact is None or (exact.move, exact.old, exact.new) == (move, old, new)


def test_every_status_but_withdrawn_leads_on_and_every_one_can_be_reached() -> None:
    assert {t.old for t in TRANSITIONS} == set(Status) - {Status.WITHDRAWN}
    assert {t.new for t in TRANSITIONS} == set(Status)


def test_every_way_has_a_name_for_its_button_and_every_status_a_word() -> None:
    assert all(t.label.strip() for t in TRANSITIONS)
    assert set(STATUS_WORDS) == set(Status)
    assert len(set(STATUS_WORDS.values())) == len(Status)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("pending", "pending"),
        ("more_info_needed", "pending"),
        ("deferred", "pending"),
        ("awaiting_second_approval", "pending"),
        ("approved", "approved"),
        ("rejected", "rejected"),
        ("withdrawn", "withdrawn"),
    ],
)
def test_upstream_has_four_words(status: str, word: str) -> None:
    assert Status(status).upstream == word
    assert UPSTREAM_STATUSES == ("pending", "approved", "rejected", "withdrawn")
    assert (Status(status) in OPEN_STATUSES) is (word == "pending")


def test_every_decision_is_a_status() -> None:
    assert {Status(decision) for decision in Decision} == {Status.APPROVED, Status.REJECTED}


@pytest.mark.parametrize(
    ("decision", "outcome", "against"),
    [
        (Decision.APPROVED, Outcome.MET, False),
        (Decision.APPROVED, Outcome.NOT_MET, True),
        (Decision.APPROVED, Outcome.UNKNOWN, True),
        (Decision.REJECTED, Outcome.MET, True),
        (Decision.REJECTED, Outcome.NOT_MET, False),
        (Decision.REJECTED, Outcome.UNKNOWN, False),
    ],
)
def test_overrides_are_recognized(decision: Decision, outcome: Outcome, against: bool) -> None:
    assert is_override(decision, outcome) is against


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


def test_the_reasons_keep_their_codes() -> None:
    """Old decisions name them."""
    assert tuple(reason.code for reason in REASONS) == CODES
    assert tuple(REASONS_BY_CODE) == CODES


def test_reasons_have_distinct_labels() -> None:
    labels = {reason.label for reason in REASONS}

    assert len(labels) == len(REASONS)
    assert all(label.strip() for label in labels)


def test_every_reason_has_a_text_to_start_from() -> None:
    assert {text.key for text in texts(Use.REJECTION)} == set(CODES)


def test_the_documented_diagram_draws_every_way_once() -> None:
    lines = generated.workflow_diagram().splitlines()
    drawn = [line.strip() for line in lines if "-->" in line and "[*]" not in line]

    assert sorted(drawn) == sorted(f"{t.old} --> {t.new}: {t.label}" for t in TRANSITIONS)

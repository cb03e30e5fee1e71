"""The checklist: open items, obstacles to an approval, and the table of items."""

import pytest

from program.policy.checklist import (
    ITEMS,
    OUTCOME_LABELS,
    CheckOutcome,
    item,
    obstacles,
    open_items,
)
from program.policy.policy import DEFAULT_CHECKLIST, DEFAULT_REQUIRED_CHECKS

PASSED, FAILED, NOT_APPLICABLE = CheckOutcome


def test_the_items_are_the_policys_default_checklist_in_its_order() -> None:
    assert tuple(each.key for each in ITEMS) == DEFAULT_CHECKLIST
    assert set(DEFAULT_REQUIRED_CHECKS) <= set(DEFAULT_CHECKLIST)


def test_the_outcomes_are_those_of_the_contract() -> None:
    assert tuple(CheckOutcome) == ("passed", "failed", "not_applicable")
    assert set(OUTCOME_LABELS) == set(CheckOutcome)


@pytest.mark.parametrize("each", ITEMS, ids=lambda each: each.key)
def test_every_item_asks_a_question_that_yes_passes_and_says_where_to_look(each: object) -> None:
    question, hint = getattr(each, "question", ""), getattr(each, "hint", "")

    assert question.split()[0] in {"Is", "Are", "Does", "Was", "May"}
    assert question.endswith("?")
    assert hint.endswith(".")


def test_items_have_distinct_labels() -> None:
    assert len({each.label for each in ITEMS}) == len(ITEMS)


def test_an_item_that_only_a_policy_names_reads_as_its_key() -> None:
    assert item("tax_form_seen").label == "Tax form seen"


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ({}, ["b", "a", "c"]),
        ({"a": PASSED}, ["b", "c"]),
        ({"a": FAILED, "b": NOT_APPLICABLE}, ["c"]),
        ({"a": PASSED, "b": PASSED, "c": PASSED}, []),
        ({"no longer asked": PASSED}, ["b", "a", "c"]),
    ],
)
def test_open_items_are_the_unanswered_ones_required_first(
    answers: dict[str, CheckOutcome], left: list[str]
) -> None:
    assert [each.key for each in open_items(["a", "b", "c"], ["b"], answers)] == left


@pytest.mark.parametrize(
    ("answers", "sentences"),
    [
        ({}, ("No prior ban: not answered yet. Answer it before you approve.",)),
        ({"no_prior_ban": PASSED}, ()),
        ({"no_prior_ban": NOT_APPLICABLE}, ()),
        (
            {"no_prior_ban": FAILED},
            ("No prior ban: failed. An approval needs it passed or not applicable.",),
        ),
        ({"no_prior_ban": PASSED, "jurisdiction": FAILED}, ()),
    ],
)
def test_a_required_item_blocks_until_it_is_passed_or_does_not_apply(
    answers: dict[str, CheckOutcome], sentences: tuple[str, ...]
) -> None:
    assert obstacles(["no_prior_ban"], answers) == sentences


def test_every_obstacle_is_named() -> None:
    assert len(obstacles(DEFAULT_REQUIRED_CHECKS, {"no_self_referral": FAILED})) == len(
        DEFAULT_REQUIRED_CHECKS
    )

"""A reason's facts are established before they are stated."""

from decimal import Decimal
from typing import Any

import pytest

from program.messages import canned_texts
from program.messages.canned_texts import CANNED_BY_KEY, Use
from program.policy.checklist import ITEMS_BY_KEY, CheckOutcome
from program.policy.eligibility import Facts, assess
from program.policy.policy import DEFAULT_CHECKLIST, Policy
from program.review.assertions import unproven, unproven_sentence
from program.review.workflow import REASONS, REASONS_BY_CODE

PASSED, FAILED, NOT_APPLICABLE = CheckOutcome
ON_EXCHANGE = {"volume_usd": Decimal("19999999.99"), "active_users": 15, "new_users": 5}
FOLLOWERS, ELSEWHERE = {"x_followers": 5000}, {"external_volume_usd": Decimal("19999999.99")}
LABELS = {
    "volume": "Referral volume",
    "active": "Active users",
    "new": "New users",
    "followers": "Followers on X",
    "elsewhere": "Volume on other exchanges",
}
# Reasons whose letters state nothing have nothing to withhold.
SAYING = [reason for reason in REASONS if reason.asserts and reason.code != "audience_not_genuine"]


def missing(code: str, facts: dict[str, Any], checks: Any = None, **given: Any) -> tuple[str, ...]:
    judged = assess(Facts(**facts), Policy())
    return unproven(
        REASONS_BY_CODE[code], judged, checks or {}, **{"items": DEFAULT_CHECKLIST, **given}
    )


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ({}, ["volume", "active", "new", "followers", "elsewhere"]),
        (ON_EXCHANGE, ["followers", "elsewhere"]),
        ({**ON_EXCHANGE, **FOLLOWERS}, ["elsewhere"]),
        ({**ON_EXCHANGE, **ELSEWHERE}, ["followers"]),
        ({**FOLLOWERS, **ELSEWHERE}, ["volume", "active", "new"]),
        ({**ON_EXCHANGE, **FOLLOWERS, **ELSEWHERE}, []),
    ],
)
def test_below_the_minimums_is_known_only_where_every_track_is(
    facts: dict[str, Any], left: list[str]
) -> None:
    assert missing("below_minimums", facts) == tuple(LABELS[name] for name in left)


def test_an_eligible_applicant_is_not_below_the_minimums() -> None:
    met = {**ON_EXCHANGE, "x_followers": 5001}

    assert missing("below_minimums", met) == ("that the minimums are not met, which they are",)
    judged = assess(Facts(**met), Policy())
    assert canned_texts.finding("below_minimums", judged, missing("below_minimums", met)) is None


@pytest.mark.parametrize(
    "reason", [reason for reason in REASONS if reason.asserts_failed], ids=lambda one: one.code
)
@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (None, "not answered"),
        (PASSED, "passed"),
        (NOT_APPLICABLE, "not applicable"),
        (FAILED, None),
    ],
)
def test_a_reason_that_rests_on_a_check_needs_it_failed(
    reason: Any, answer: CheckOutcome | None, how: str | None
) -> None:
    key = reason.asserts_failed
    label = ITEMS_BY_KEY[key].label
    checks = {} if answer is None else {key: answer}

    found = missing(reason.code, {}, checks)

    assert found == (() if how is None else (f"the check “{label}”, which is {how}",))
    # A requirement that the policy does not have cannot be missing.
    assert missing(reason.code, {}, checks, items=()) == ()


def test_the_other_reasons_assert_nothing_that_is_kept() -> None:
    silent = {reason.code for reason in REASONS if not reason.asserts}

    assert silent == {"evidence_missing", "duplicate", "other"}
    assert all(missing(code, {}) == () for code in silent)


@pytest.mark.parametrize("reason", SAYING, ids=lambda one: one.code)
def test_the_letter_claims_it_where_it_is_known_and_nothing_where_it_is_not(reason: Any) -> None:
    judged = assess(Facts(**ON_EXCHANGE), Policy())
    finding = CANNED_BY_KEY[Use.REJECTION, reason.code].finding
    assert finding is not None

    known = canned_texts.finding(reason.code, judged, ())
    unknown = canned_texts.finding(reason.code, judged, ("anything",))

    assert (known, unknown) == (finding.known, finding.unknown)
    assert canned_texts.asserts_unproven(reason.code, f"Hello.\n{known}", ("anything",))
    assert not canned_texts.asserts_unproven(reason.code, f"Hello.\n{known}", ())
    assert not canned_texts.asserts_unproven(reason.code, f"Hello.\n{unknown}", ("anything",))
    # The canned text states it only by its placeholder.
    assert "finding" in canned_texts.unfilled(CANNED_BY_KEY[Use.REJECTION, reason.code].message)


def test_the_refusal_names_what_is_missing_and_both_ways_on() -> None:
    sentence = unproven_sentence(REASONS_BY_CODE["below_minimums"], ("Followers on X",))

    assert sentence == (
        "Below the minimums requires facts that are not established: Followers on X. "
        "Establish them first, or confirm that you reject without them."
    )

"""Changed results of a decision, and figures that only moved."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from program.policy import viewed
from program.policy.eligibility import Facts
from program.policy.policy import Policy
from program.policy.viewed import ViewedFacts

FACTS = Facts(
    volume_usd=Decimal("25100000.00"),
    active_users=40,
    new_users=9,
    x_followers=6_000,
    external_volume_usd=None,
)
SEEN = ViewedFacts(
    data_through=date(2026, 3, 14),
    policy_version=1,
    facts=FACTS,
    newest_evidence_id=7,
    fees_usd=Decimal("1000.00"),
    evidence_ids=(7,),
    checks={"identity_and_account": "passed"},
    applicant={"identity verification": "verified"},
)
TOMORROW = date(2026, 3, 15)


def facts(**given: Any) -> dict[str, Any]:
    return {"facts": replace(FACTS, **given)}


def costly(fees_usd: Decimal | None) -> tuple[str, ...]:
    return ("high extra cost",) if (fees_usd or 0) >= 2_000 else ()


@pytest.mark.parametrize(
    ("later", "sentence"),
    [
        ({"policy_version": 2}, "policy version: 1 → 2"),
        # On either side of a minimum, each time.
        (facts(volume_usd=Decimal("19999999.99")), "referral volume: 25.1 M USD (met) → 19.9 M USD (not met)"),
        (facts(active_users=14), "active users: 40 (met) → 14 (not met)"),
        (facts(new_users=None), "new users: 9 (met) → unknown"),
        (facts(x_followers=5_000), "followers on X: 6,000 (met) → 5,000 (not met)"),
        (facts(external_volume_usd=Decimal(1)), "unknown → 1.00 USD (not met)"),
        ({"newest_evidence_id": 8}, "evidence: without the newest entry"),
        ({"evidence_ids": ()}, "evidence that counts: 1 entry → 0 entries"),
        ({"fees_usd": Decimal("2000.00")}, "no second person needed → high extra cost"),
        ({"checks": {"identity_and_account": "failed"}}, "passed → failed"),
        ({"checks": {"identity_and_account": "not_applicable"}}, "passed → not applicable"),
        ({"checks": {}}, "passed → not answered"),
        ({"checks": {**(SEEN.checks or {}), "jurisdiction": "failed"}}, "not answered → failed"),
        ({"applicant": {"identity verification": "rejected"}}, "verified → rejected"),
        ({"applicant": {}}, "verified → none"),
    ],
)  # fmt: skip
def test_changed_facts_of_a_decision_are_found(later: dict[str, Any], sentence: str) -> None:
    found = viewed.compare(SEEN, replace(SEEN, **later), Policy(), costly)

    assert [sentence in str(change) for change in found.changed] == [True], found


@pytest.mark.parametrize(
    ("later", "sentences"),
    [
        ({"data_through": TOMORROW}, []),
        (facts(volume_usd=Decimal("25300000.00")), ["referral volume: 25.1 M USD → 25.3 M USD"]),
        # Equal in short form, so in full.
        (
            facts(volume_usd=Decimal("25100000.01")),
            ["referral volume: 25,100,000.00 USD → 25,100,000.01 USD"],
        ),
        (facts(active_users=15), ["active users: 40 → 15"]),
        (facts(x_followers=5_001), ["followers on X: 6,000 → 5,001"]),
        ({"fees_usd": Decimal("1999.99")}, ["net fees: 1,000.00 USD → 1,999.99 USD"]),
        (
            {"checks": {**(SEEN.checks or {}), "jurisdiction": "passed"}},
            ["check “Jurisdiction allowed”: not answered → passed"],
        ),
        (
            {"data_through": TOMORROW, **facts(new_users=10)},
            ["data through: 14 Mar 2026 → 15 Mar 2026", "new users: 9 → 10"],
        ),
    ],
)
def test_a_figure_moved_and_nothing_rests_on_it(
    later: dict[str, Any], sentences: list[str]
) -> None:
    found = viewed.compare(SEEN, replace(SEEN, **later), Policy(), costly)

    assert found.changed == ()
    assert [str(change) for change in found.moved] == sentences


def test_what_the_viewer_did_is_no_news_and_what_others_did_is() -> None:
    checks = {**(SEEN.checks or {}), "no_prior_ban": "passed", "jurisdiction": "failed"}
    now = replace(
        SEEN, checks=checks, newest_evidence_id=8, evidence_ids=(8,), **facts(x_followers=9)
    )

    def told(*answered: str, recorded: bool) -> list[str]:
        known = viewed.with_own(SEEN, now, answered=answered, recorded=recorded)
        found = viewed.compare(known, now, Policy())
        return [change.what for change in (*found.changed, *found.moved)]

    jurisdiction, ban = "check “Jurisdiction allowed”", "check “No prior ban”"
    assert told("no_prior_ban", "jurisdiction", recorded=True) == []
    assert told("no_prior_ban", recorded=True) == [jurisdiction]
    assert told("jurisdiction", recorded=False) == ["followers on X", "evidence", ban]
    # Trading is nobody's act.
    traded = replace(now, facts=replace(now.facts, active_users=41))
    known = viewed.with_own(SEEN, traded, answered=checks, recorded=True)
    assert [one.what for one in viewed.compare(known, traded, Policy()).moved] == ["active users"]
    bare = replace(SEEN, checks=None)
    assert viewed.with_own(bare, now, answered=checks, recorded=False) == bare


def test_facts_that_were_not_stored_are_not_compared() -> None:
    bare = replace(SEEN, checks=None, applicant=None, evidence_ids=None, fees_usd=None)

    assert not viewed.compare(bare, SEEN, Policy(), costly)
    assert not viewed.compare(SEEN, bare, Policy(), costly)


def test_the_stored_facts_are_the_viewed_facts() -> None:
    assert ViewedFacts.from_json(SEEN.to_json()) == SEEN
    assert dict(viewed.figures(SEEN))["Referral volume"] == "25,100,000.00 USD"

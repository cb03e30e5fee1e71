"""Requalification on paper: which misses count, what they suggest, and which rate stays."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from program.affiliates import requalification
from program.affiliates.requalification import (
    REASONS,
    TRANSITIONS,
    MonthTest,
    Standing,
    Step,
    reasons,
    suggested_rate,
    suggestion,
    way,
)
from program.policy.eligibility import Facts
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.review.permissions import Role, may
from tests.program.oracles import is_near, misses_in_a_row

MILLION = Decimal(1_000_000)
POLICY = Policy()
OUTCOMES = {"+": Outcome.MET, "-": Outcome.NOT_MET, "?": Outcome.UNKNOWN}


def months(signs: str, first: date = date(2026, 1, 1)) -> list[MonthTest]:
    """Return one test per sign, from ``first`` on."""
    return [
        MonthTest(
            month=requalification.months_later(first, place),
            outcome=OUTCOMES[sign],
            facts=Facts(),
            near=False,
            policy_version=1,
        )
        for place, sign in enumerate(signs)
    ]


@pytest.mark.parametrize(
    ("signs", "counted_from", "misses"),
    [
        ("", date(2026, 1, 1), 0),
        ("-", date(2026, 1, 1), 1),
        ("---", date(2026, 1, 1), 3),
        ("--+", date(2026, 1, 1), 0),
        ("--+-", date(2026, 1, 1), 1),
        # An unknown month neither adds nor ends anything.
        ("-?-", date(2026, 1, 1), 2),
        ("-??", date(2026, 1, 1), 1),
        # January and February are protected; March is the first that counts.
        ("----", date(2026, 3, 1), 2),
        ("--", date(2026, 3, 1), 0),
    ],
)
def test_misses_in_a_row(signs: str, counted_from: date, misses: int) -> None:
    assert misses_in_a_row(months(signs), counted_from=counted_from) == misses


@pytest.mark.parametrize(
    ("approved", "tested", "counted"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), date(2026, 2, 1), date(2026, 5, 1)),
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), date(2026, 2, 1), date(2026, 5, 1)),
        (datetime(2025, 11, 15, tzinfo=UTC), date(2025, 12, 1), date(2026, 3, 1)),
    ],
)
def test_the_month_of_the_approval_and_three_more_are_protected(
    approved: datetime, tested: date, counted: date
) -> None:
    assert requalification.first_tested(approved) == tested
    assert requalification.first_counted(approved, POLICY) == counted
    assert requalification.first_counted(approved, POLICY, date(2026, 9, 1)) == date(2026, 9, 1)
    unprotected = replace(POLICY, requalification_protection_months=0)
    assert requalification.first_counted(approved, unprotected) == tested


MAY = date(2026, 5, 1)
BEFORE, IN_JUNE = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
SUGGESTED = [
    # standing, since, misses, newest, suggested
    (Standing.ACTIVE, None, 0, Outcome.MET, None),
    (Standing.ACTIVE, None, 1, Outcome.NOT_MET, Step.PUT_ON_NOTICE),
    (Standing.ACTIVE, None, 2, Outcome.NOT_MET, Step.PUT_ON_NOTICE),
    (Standing.ACTIVE, None, 3, Outcome.NOT_MET, Step.SUSPEND),
    (Standing.ACTIVE, None, 2, Outcome.UNKNOWN, Step.PUT_ON_NOTICE),
    (Standing.ON_NOTICE, BEFORE, 2, Outcome.NOT_MET, None),
    (Standing.ON_NOTICE, BEFORE, 3, Outcome.NOT_MET, Step.SUSPEND),
    (Standing.ON_NOTICE, BEFORE, 0, Outcome.MET, Step.RESTORE),
    (Standing.ON_NOTICE, BEFORE, 0, Outcome.UNKNOWN, None),
    # May ended before this standing began, so it is no reason to lift it.
    (Standing.ON_NOTICE, IN_JUNE, 0, Outcome.MET, None),
    (Standing.SUSPENDED, BEFORE, 3, Outcome.NOT_MET, None),
    (Standing.SUSPENDED, BEFORE, 0, Outcome.MET, Step.RESTORE),
    (Standing.TERMINATED, BEFORE, 3, Outcome.NOT_MET, None),
    (Standing.TERMINATED, BEFORE, 0, Outcome.MET, None),
]


@pytest.mark.parametrize(("standing", "since", "misses", "newest", "suggested"), SUGGESTED)
def test_suggestions_by_standing_and_months(
    standing: Standing, since: datetime | None, misses: int, newest: Outcome, suggested: Step | None
) -> None:
    found = suggestion(
        standing, since=since, misses=misses, newest=newest, newest_month=MAY, policy=POLICY
    )
    assert found is suggested
    assert found is None or way(found, standing)


def test_the_number_of_misses_is_the_policys() -> None:
    given = {"since": None, "newest": Outcome.NOT_MET, "newest_month": MAY}
    one = replace(POLICY, requalification_misses=1)

    assert suggestion(Standing.ACTIVE, misses=1, policy=one, **given) is Step.SUSPEND


def test_every_way_is_a_managers_and_has_its_reasons() -> None:
    for transition in TRANSITIONS:
        assert {role for role in Role if may(role, transition.act)} == {Role.MANAGER}
        assert reasons(transition.step)
    assert {step for reason in REASONS for step in reason.steps} == set(Step)
    assert not [
        t for t in TRANSITIONS if t.old is Standing.TERMINATED and t.step is not Step.REINSTATE
    ]


RATES = [
    # granted, outcome, volume in millions, misses, suggested
    ("0.40", "-", 5, 1, "0.10"),
    ("0.40", "-", 5, 0, "0.40"),  # protected, so it does not count
    ("0.40", "?", 5, 2, "0.40"),
    ("0.20", "+", 25, 0, "0.20"),
    ("0.25", "+", 25, 0, "0.20"),
    ("0.25", "+", 40, 0, "0.25"),
    ("0.35", "+", "99.99", 0, "0.30"),
    ("0.35", "+", 100, 0, "0.35"),
    ("0.15", "+", 500, 0, "0.15"),
    ("0.60", "+", 500, 0, "0.50"),  # never above the policy's maximum
    ("0.60", "?", 500, 0, "0.50"),
    ("0.40", "+", None, 0, "0.40"),  # met externally; the volume here is unknown
]


@pytest.mark.parametrize(("granted", "sign", "volume", "misses", "suggested"), RATES)
def test_the_suggested_rate(
    granted: str, sign: str, volume: int | str | None, misses: int, suggested: str
) -> None:
    (month,) = months(sign)
    known = None if volume is None else Decimal(volume) * MILLION
    newest = replace(month, facts=Facts(volume_usd=known))

    rate = suggested_rate(Decimal(granted), newest, misses=misses, policy=POLICY)

    assert rate.rate == Decimal(suggested)
    assert rate.rate <= POLICY.max_rebate_rate
    assert rate.why


@pytest.mark.parametrize(
    ("sign", "volume", "rate", "why"),
    [
        ("+", 40, "0.30", "kept: passed with enough volume"),
        # A lower bound: the missing days may have justified the granted rate.
        ("+", "39.99", "0.30", "kept: 3 of 31 days not delivered"),
        ("?", None, "0.30", "kept: 3 of 31 days not delivered"),
    ],
)
def test_a_month_with_missing_days_keeps_the_granted_rate(
    sign: str, volume: int | str | None, rate: str, why: str
) -> None:
    (month,) = months(sign)
    known = None if volume is None else Decimal(volume) * MILLION
    newest = replace(month, facts=Facts(volume_usd=known), missing_days=3)

    found = suggested_rate(Decimal("0.30"), newest, misses=0, policy=POLICY)

    assert (found.rate, found.why) == (Decimal(rate), why)


def test_nobody_is_near_while_days_are_missing() -> None:
    near = Facts(volume_usd=20 * MILLION, active_users=15, new_users=5)
    assert [is_near(near, Outcome.MET, POLICY, missing_days=n) for n in (0, 1)] == [
        True,
        False,
    ]


def test_near_is_a_tenth_below_or_above() -> None:
    def near(volume: str, active: int, new: int, sign: str) -> bool:
        facts = Facts(volume_usd=Decimal(volume) * MILLION, active_users=active, new_users=new)
        return is_near(facts, OUTCOMES[sign], POLICY)

    assert not near("17.99", 15, 5, "-")
    assert near("18", 15, 5, "-")
    assert near("18", 14, 5, "-")
    assert not near("18", 13, 5, "-")
    assert near("22", 100, 100, "+")
    assert near("30", 16, 6, "+")
    assert not near("22.01", 17, 6, "+")
    assert not near("22.01", 17, 6, "?")
    assert is_near(Facts(x_followers=4500), Outcome.NOT_MET, POLICY)
    assert is_near(Facts(x_followers=5500), Outcome.MET, POLICY)
    assert not is_near(Facts(x_followers=5501), Outcome.MET, POLICY)

"""Priority: what adds how many points, on both sides of each boundary."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from program.policy.eligibility import Facts, assess
from program.policy.policy import Policy
from program.review.priority import (
    ANSWERED,
    ELIGIBILITY,
    HIGHEST,
    NEAR_MISS,
    OVERDUE,
    VOLUME,
    WAITING,
    Clock,
    Priority,
    explain,
)
from program.risk.judging import Headline

NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)  # a Friday
NEAR: dict[str, Any] = {
    "volume_usd": Decimal("18000000.00"),
    "active_users": 14,
    "new_users": 5,
    "x_followers": 0,
    "external_volume_usd": Decimal(0),
}
NOTHING: dict[str, Any] = {**NEAR, "volume_usd": Decimal(0), "active_users": 0, "new_users": 0}


def priority(facts: dict[str, Any], *, ago: timedelta = timedelta(0), **given: Any) -> Priority:
    known = Facts(**facts)
    clock = Clock(since=given.pop("since", NOW - ago), now=NOW)
    return explain(
        known,
        assess(known, Policy()),
        **{"policy": Policy(), "clock": clock, "answered": False, **given},
    )


def points(found: Priority, key: str) -> int:
    return sum(part.points for part in found.parts if part.component.key == key)


@pytest.mark.parametrize(
    ("ago", "waiting", "overdue"),
    [
        (timedelta(hours=23), 0, 0),
        (timedelta(days=1), 2, 0),
        (timedelta(days=3) - timedelta(microseconds=1), 4, 0),
        (timedelta(days=3), 6, 15),
        (timedelta(days=4), 8, 18),
        (timedelta(days=13), 18, 30),
        (timedelta(days=14), 20, 30),
        (timedelta(days=90), 20, 30),
    ],
)
def test_waiting_and_being_overdue(ago: timedelta, waiting: int, overdue: int) -> None:
    found = priority(NOTHING, ago=ago)

    assert (points(found, "waiting"), points(found, "overdue")) == (waiting, overdue)


@pytest.mark.parametrize(
    ("ago", "overdue"),
    [(timedelta(microseconds=-1), 0), (timedelta(0), 15), (timedelta(days=1), 18)],
)
def test_with_no_days_to_review_in_it_is_overdue_once_it_is_there(
    ago: timedelta, overdue: int
) -> None:
    found = priority(NOTHING, ago=ago, policy=Policy(review_sla_business_days=0))

    assert points(found, "overdue") == overdue


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ("19999999.99", 0),
        ("20000000.00", 5),
        ("39999999.99", 5),
        ("40000000.00", 10),
        ("99999999.99", 10),
        ("100000000.00", 15),
        ("900000000.00", 15),
    ],
)
def test_the_size_of_the_volume(volume: str, expected: int) -> None:
    assert points(priority({**NOTHING, "volume_usd": Decimal(volume)}), "volume") == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({**NEAR, "volume_usd": Decimal(20_000_000), "active_users": 15}, 25),
        ({**NEAR, "x_followers": None}, 10),
        (NEAR, 0),
    ],
)
def test_eligibility(facts: dict[str, Any], expected: int) -> None:
    assert points(priority(facts), "eligibility") == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, 10),
        ({"volume_usd": Decimal("17999999.99")}, 0),
        ({"active_users": 13}, 0),
        ({"new_users": 4}, 0),
        ({"new_users": None}, 0),
        ({"x_followers": None}, 10),
        ({"x_followers": 5001}, 0),
    ],
)
def test_a_near_miss(changed: dict[str, Any], expected: int) -> None:
    assert points(priority({**NEAR, **changed}), "near_miss") == expected


def test_an_answer_moves_it_up() -> None:
    assert priority(NOTHING, answered=True).total - priority(NOTHING).total == 10


def test_the_parts_add_up_and_no_part_exceeds_its_cap() -> None:
    facts = {**NEAR, "volume_usd": Decimal(10**9), "active_users": 99, "new_users": 9}
    found = priority(facts, ago=timedelta(days=200), answered=True)

    assert found.total == min(HIGHEST, sum(part.points for part in found.parts)) == HIGHEST
    assert all(part.points <= part.component.cap for part in found.parts)
    components = {OVERDUE, ELIGIBILITY, WAITING, VOLUME, NEAR_MISS, ANSWERED}
    assert {part.component for part in found.parts} <= components


def test_unknown_figures_add_nothing_but_that_they_are_unknown() -> None:
    assert [part.component.key for part in priority({}).parts] == ["eligibility"]


def test_the_priority_is_explained_in_words_with_the_points() -> None:
    assert priority(NEAR, ago=timedelta(days=4)).sentence == (
        "overdue by 1 business day 18 · within a tenth of every on-exchange minimum 10 · "
        "waiting 4 business days 8"
    )


@pytest.mark.parametrize(("score", "expected"), [(0, 0), (9, 0), (10, 1), (57, 5), (100, 10)])
def test_risk_adds_a_tenth_of_its_score(score: int, expected: int) -> None:
    assert points(priority(NOTHING, risk=Headline(score=score)), "risk") == expected


def test_risk_names_its_first_three_signals() -> None:
    signals = ("R01", "R07", "R19", "R33")
    (part,) = priority(NOTHING, risk=Headline(score=60, signals=signals)).parts

    assert part.sentence == "risk: top-user share, one-day volume, zero-fee share and 1 more"

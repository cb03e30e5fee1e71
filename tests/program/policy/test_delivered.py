"""Known days, on both sides of each edge: whole, partial, before, between, after."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from program.periods import Window, recent_months
from program.policy.delivered import Delivered, no_change
from program.policy.eligibility import Facts
from program.policy.policy import Policy
from tests.program.oracles import known_facts

BEGIN = date(2025, 11, 1)
# Thirty days without the 11th and 12th.
DELIVERED = Delivered(
    days=[BEGIN + timedelta(days=n) for n in range(30) if n not in (10, 11)],
    first_referral=date(2025, 10, 20),
)


def days(first: str, last: str) -> Window:
    return Window(date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))


@pytest.mark.parametrize(
    ("window", "number", "gap"),
    [
        (days("2025-11-01", "2025-11-10"), 10, ""),
        (days("2025-10-31", "2025-11-10"), 10, "over the 10 delivered days of 11"),
        (days("2025-11-10", "2025-11-11"), 1, "over the 1 delivered day of 2"),
        (days("2025-11-11", "2025-11-12"), 0, "none of these days was delivered"),
        (days("2024-12-01", "2025-11-30"), 28, "over the 28 delivered days of 365"),
        (days("2020-01-01", "2020-01-31"), 0, "data begin 1 Nov 2025"),
        (days("2025-10-31", "2025-10-31"), 0, "data begin 1 Nov 2025"),
        (days("2025-12-01", "2025-12-01"), 0, "none of these days was delivered"),
    ],
)
def test_days_that_were_not_delivered_are_shown(window: Window, number: int, gap: str) -> None:
    known = DELIVERED.trading(window)

    assert (known.days, known.gap) == (number, gap)
    assert known.whole is (gap == "")
    assert Delivered().trading(window).gap == "no data yet"


@pytest.mark.parametrize(
    ("window", "number"),
    [
        (days("2025-10-19", "2025-10-19"), 0),
        (days("2025-10-19", "2025-10-20"), 1),
        (days("2025-11-11", "2025-11-12"), 2),
    ],
)
def test_referrals_are_known_from_the_first_one_on(window: Window, number: int) -> None:
    assert DELIVERED.referring(window).days == number
    without = Delivered(days=DELIVERED.days)
    assert without.referring(days("2025-10-31", "2025-11-01")).days == 1
    assert not Delivered().referring(window).any


@pytest.mark.parametrize(
    ("now", "before", "why"),
    [
        (days("2025-11-06", "2025-11-10"), days("2025-11-01", "2025-11-05"), ""),
        (
            days("2025-11-01", "2025-11-05"),
            days("2025-10-27", "2025-10-31"),
            "unknown, data begin 1 Nov 2025",
        ),
        (
            days("2025-11-13", "2025-11-15"),
            days("2025-11-10", "2025-11-12"),
            "unknown, 2 days were not delivered",
        ),
        (
            days("2025-11-12", "2025-11-13"),
            days("2025-11-09", "2025-11-10"),
            "unknown, 1 day was not delivered",
        ),
    ],
)
def test_nothing_is_compared_unless_all_of_both_was_delivered(
    now: Window, before: Window, why: str
) -> None:
    assert no_change(DELIVERED.trading(now), DELIVERED.trading(before)) == why


@pytest.mark.parametrize(
    ("begin", "months"),
    [(None, [1, 2, 3]), (date(2026, 1, 31), [1, 2, 3]), (date(2026, 2, 1), [2, 3])],
)
def test_months_before_the_first_delivered_day_are_not_shown(
    begin: date | None, months: list[int]
) -> None:
    assert [m.month for m in recent_months(date(2026, 3, 1), 3, begin)] == months


@pytest.mark.parametrize(
    ("window", "volume", "users", "reaching"),
    [
        (days("2025-11-01", "2025-11-10"), "19999999.99", 14, 4),
        (days("2025-11-01", "2025-11-11"), None, None, None),
        (days("2025-11-11", "2025-11-12"), None, None, None),
    ],
)
def test_a_figure_is_known_from_below_while_days_are_missing(
    window: Window, volume: str | None, users: int | None, reaching: int | None
) -> None:
    """Below the minimum it is unknown, at it known, unless nothing was delivered."""
    short = Facts(volume_usd=Decimal("19999999.99"), active_users=14, new_users=4, x_followers=1)
    at_it = Facts(volume_usd=Decimal(20000000), active_users=15, new_users=5)
    known = DELIVERED.trading(window)

    assert known_facts(short, known, Policy()) == Facts(
        volume_usd=None if volume is None else Decimal(volume),
        active_users=users,
        new_users=reaching,
        x_followers=1,
    )
    assert known_facts(at_it, known, Policy()) == (at_it if known.any else Facts())

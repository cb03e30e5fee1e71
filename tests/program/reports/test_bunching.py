"""Bunching above a minimum: planted, absent, and too few to say."""

from decimal import Decimal
from math import exp, log, sqrt

import numpy as np
import pytest

from program.policy.criteria import ACTIVE_USERS, NEW_USERS
from program.reports.bunching import LEAST_NEAR, of_users, of_volume

MINIMUM = Decimal(20_000_000)


def smooth(seed: int, number: int = 2_000) -> list[Decimal]:
    """Draw volumes whose logarithm is normal, without a step at the minimum."""
    drawn = np.random.default_rng(seed).lognormal(log(15e6), 0.8, number)
    return [Decimal(float(volume)).quantize(Decimal("0.01")) for volume in drawn]


def test_smooth_volumes_show_a_step_as_rarely_as_the_interval_says() -> None:
    clear = [
        step.is_clear
        for seed in range(200)
        if (step := of_volume(smooth(seed), MINIMUM).step) is not None
    ]

    # One side of a 95 % interval: 2.5 % of 200 are 5.
    assert len(clear) == 200
    assert sum(clear) <= 12


def test_planted_bunching_is_found_and_counted() -> None:
    planted = [MINIMUM + Decimal(10_000) * number for number in range(80)]

    found = of_volume([*smooth(1), *planted], MINIMUM)

    assert found.step is not None
    assert found.step.is_clear
    assert found.step.observed >= 80
    assert found.step.expected < 0.8 * found.step.observed


def test_the_step_of_volumes_by_hand() -> None:
    """Every bin below holds 4 applicants and every bin above 8: the fits are flat."""
    edges = [place * 0.05 + 0.025 for place in range(-10, 10)]
    volumes = [MINIMUM * Decimal(exp(edge)) for edge in edges for _ in range(8 if edge > 0 else 4)]

    found = of_volume(volumes, MINIMUM)

    assert [one.applicants for one in found.bins] == [4] * 10 + [8] * 10
    assert found.near == 120
    step = found.step
    assert step is not None
    assert step.observed == 8
    assert step.expected == pytest.approx(4)
    assert step.ratio == pytest.approx(2)
    # McCrary: 24/5 over the bandwidth, for densities of 80 and 160 a unit of the logarithm.
    spread = sqrt(24 / 5 / 0.5 * (1 / 80 + 1 / 160))
    assert step.low == pytest.approx(2 * exp(-1.96 * spread), rel=1e-4)
    assert step.high == pytest.approx(2 * exp(1.96 * spread), rel=1e-4)
    assert not step.is_clear


def test_a_rising_density_lets_expect_more_above() -> None:
    """1, 2, … 10 applicants in the bins below rise by one a bin, so 11 are expected next."""
    middles = [place * 0.05 + 0.025 for place in range(-10, 10)]
    below = [
        MINIMUM * Decimal(exp(middle))
        for number, middle in enumerate(middles[:10], 1)
        for _ in range(number)
    ]
    above = [MINIMUM * Decimal(exp(middle)) for middle in middles[10:] for _ in range(12)]

    step = of_volume([*below, *above], MINIMUM).step

    assert step is not None
    assert step.expected == pytest.approx(11)
    assert step.ratio == pytest.approx(12 / 10.5)


def test_a_cent_counts_below_the_largest_minimum_too() -> None:
    largest = Decimal(10) ** 15
    bins = of_volume([largest - Decimal("0.01"), largest], largest).bins

    assert [one.applicants for one in bins[9:11]] == [1, 1]


@pytest.mark.parametrize(
    ("volume", "above"),
    [("19999999.99", False), ("20000000.00", True), ("20999999.99", True)],
)
def test_a_cent_below_the_minimum_is_below_it(volume: str, above: bool) -> None:
    bins = of_volume([Decimal(volume)], MINIMUM).bins

    assert [one.start >= MINIMUM for one in bins if one.applicants] == [above]


def test_few_applicants_are_too_few_to_say() -> None:
    volumes = smooth(3)
    near = [one for one in volumes if exp(-0.5) < one / MINIMUM < exp(0.5)]

    assert of_volume(near[: LEAST_NEAR - 1], MINIMUM).step is None
    assert of_volume(near[:LEAST_NEAR], MINIMUM).step is not None
    # All on one side.
    assert of_volume([MINIMUM] * 500, MINIMUM).step is None
    assert of_volume([], MINIMUM).step is None
    assert of_volume([Decimal(5)] * 500, Decimal(0)).step is None


def test_users_are_compared_by_counting() -> None:
    """40 of 50 above is 0.663 to 0.900 by Clopper and Pearson, so 1.97 to 8.99 times as many."""
    active = [15] * 25 + [16] * 15 + [14] * 6 + [13] * 4 + [17] * 90 + [12] * 90

    found = of_users(ACTIVE_USERS, active, 15)

    step = found.step
    assert step is not None
    assert (found.near, step.observed, step.expected, step.ratio) == (50, 40, 10, 4)
    assert (step.low, step.high) == (pytest.approx(1.97, abs=0.01), pytest.approx(8.99, abs=0.05))
    assert {int(one.start): one.applicants for one in found.bins}[17] == 90


@pytest.mark.parametrize(
    ("above", "below", "told"), [(15, 15, True), (15, 14, False), (26, 4, False)]
)
def test_of_new_users_exactly_the_minimum_lies_just_above(
    above: int, below: int, told: bool
) -> None:
    found = of_users(NEW_USERS, [5] * above + [4] * below + [6] * 50, 5)

    assert (found.step is not None) is told
    assert found.near == above + below


def test_even_numbers_of_users_show_no_step() -> None:
    step = of_users(ACTIVE_USERS, [number for number in range(30) for _ in range(20)], 15).step

    assert step is not None
    assert step.ratio == 1
    assert not step.is_clear

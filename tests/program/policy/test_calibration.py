"""Distributions, what thresholds flag, and intervals, by hand."""

from decimal import Decimal

import pytest

from program.policy.calibration import Portion, calibrate
from program.policy.policy import Policy
from program.policy.settings import with_values
from program.risk.signals import BY_ID, Severity

WARN, HIGH = Severity.WARN, Severity.HIGH


def test_values_are_flagged_by_the_thresholds_of_their_sample() -> None:
    # R01: 15 users warn at 0.80 and high at 0.96; 30 at 0.70 and 0.91; below 5 not enough.
    pairs = [(0.75, 15), (0.80, 15), (0.96, 15), (0.75, 30), (0.91, 30), (0.99, 4), (None, 50)]
    found = calibrate(BY_ID["R01"], Policy(), *map(list, zip(*pairs, strict=True)))

    assert (found.measured, found.lacking) == (5, 2)
    assert found.flagged == {WARN: 2, HIGH: 2}
    assert found.quantiles[2] == 0.80


def test_the_policys_thresholds_count_and_lower_may_be_worse() -> None:
    policy = with_values(Policy(), {"R26.warn": Decimal("0.5")})
    values: list[float | None] = [0.2, 0.25, 0.5, 0.51]

    assert calibrate(BY_ID["R26"], Policy(), values, [15] * 4).flagged == {WARN: 0, HIGH: 2}
    assert calibrate(BY_ID["R26"], policy, values, [15] * 4).flagged == {WARN: 1, HIGH: 2}
    # A signal without a high threshold is never high.
    assert calibrate(BY_ID["R28"], policy, [0.0], [7]).flagged == {WARN: 1, HIGH: 0}


def test_bars_hold_all_but_the_extreme_values() -> None:
    found = calibrate(BY_ID["R06"], Policy(), [float(n) for n in range(1000)], [None] * 1000)

    assert len(found.bars) == 30
    assert 985 <= sum(bar.number for bar in found.bars) <= 1000
    same = calibrate(BY_ID["R06"], Policy(), [2.0] * 5, [None] * 5)
    assert sum(bar.number for bar in same.bars) == 5
    assert calibrate(BY_ID["R06"], Policy(), [None], [None]).bars == ()


def test_one_value_far_away_does_not_squeeze_the_others_into_one_bar() -> None:
    values = [n / 100 for n in range(70)] + [80.0]
    found = calibrate(BY_ID["R06"], Policy(), values, [None] * len(values))

    assert sum(bar.number for bar in found.bars) >= 69
    assert sum(bar.number > 0 for bar in found.bars) >= 10
    assert found.bars[-1].end < 2


@pytest.mark.parametrize(
    ("number", "of", "low", "high"),
    # Wilson's intervals as in the literature.
    [(8, 20, 0.2188, 0.6134), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)],
)
def test_shares_have_wilsons_interval(number: int, of: int, low: float, high: float) -> None:
    portion = Portion(number=number, of=of)

    assert portion.interval == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert portion.is_known


def test_fewer_than_ten_are_too_few() -> None:
    assert not Portion(number=9, of=9).is_known
    assert Portion(number=0, of=0).interval == (0.0, 1.0)

"""Judging measured signals: both sides of each threshold, the headline, and the score."""

from decimal import Decimal

import pytest

from program.risk import judging
from program.risk.judging import Measured
from program.risk.signals import SIGNALS, THRESHOLDS, Severity, Threshold

ULP = Decimal("0.000001")


def judged(id_: str, value: str, sample: int = 10**6, **thresholds: Decimal) -> Severity:
    measured = {id_: Measured(value=Decimal(value), sample=Decimal(sample))}
    (result,) = [r for r in judging.judge(measured, thresholds).results if r.signal.id == id_]
    return result.severity


@pytest.mark.parametrize("threshold", THRESHOLDS, ids=lambda one: one.key)
def test_a_threshold_is_inclusive(threshold: Threshold) -> None:
    signal = threshold.signal
    sample = Decimal(max(threshold.sample, signal.least_sample))
    worse = -ULP if signal.lower_is_worse else ULP
    found = []
    for value in (threshold.default - worse, threshold.default):
        measured = {signal.id: Measured(value=value, sample=sample)}
        if signal.high_with:
            measured[signal.high_with] = Measured(value=Decimal(10**6), sample=Decimal(10**6))
        (result,) = [r for r in judging.judge(measured, {}).results if r.signal is signal]
        found.append(judging.ORDER.index(result.severity))

    assert found[0] < judging.ORDER.index(threshold.severity) <= found[1]


@pytest.mark.parametrize(
    "signal", [s for s in SIGNALS if s.least_sample], ids=lambda signal: signal.id
)
def test_below_the_least_sample_there_is_not_enough_data(signal: judging.Signal) -> None:
    value = "0" if signal.lower_is_worse else "1000000"

    assert judged(signal.id, value, signal.least_sample - 1) is Severity.NOT_ENOUGH_DATA
    assert judged(signal.id, value, signal.least_sample) is not Severity.NOT_ENOUGH_DATA


def test_a_signal_without_a_value_is_not_clear() -> None:
    assert {r.severity for r in judging.judge({}, {}).results} == {Severity.NOT_ENOUGH_DATA}
    assert judging.judge({}, {}).level is Severity.NOT_ENOUGH_DATA


def test_clockwork_onboarding_is_high_only_with_a_burst() -> None:
    all_at_once = {"R20": Measured(value=Decimal(1), sample=Decimal(10))}
    burst = {"R09": Measured(value=Decimal(9), sample=Decimal(10))}

    def severity(measured: dict[str, Measured]) -> Severity:
        return next(r.severity for r in judging.judge(measured, {}).results if r.signal.id == "R20")

    assert severity(all_at_once) is Severity.WARN
    assert severity(all_at_once | burst) is Severity.HIGH


def test_related_signals_do_not_multiply() -> None:
    alike = {
        id_: Measured(value=Decimal(value), sample=Decimal(100))
        for id_, value in {"R01": "1", "R02": "1", "R26": "0", "R04": "0"}.items()
    }
    risk = judging.judge(alike, {})

    # R02 is scored once with R01; the other three would be 60.
    assert sum(judging.points_of(r) for r in risk.flagged) == 80
    assert risk.score == 30


def test_a_dismissed_signal_is_a_result_but_neither_headline_nor_score() -> None:
    measured = {"R10": Measured(value=Decimal(1), sample=Decimal(10))}

    risk = judging.judge(measured, {}, dismissed={"R10"})

    assert (risk.level, risk.score, risk.flagged) == (Severity.CLEAR, 0, ())
    assert [(r.severity, r.dismissed) for r in risk.results if r.signal.id == "R10"] == [
        (Severity.HIGH, True)
    ]


def test_a_policy_moves_a_threshold() -> None:
    assert judged("R18", "0.25") is Severity.WARN
    assert judged("R18", "0.25", **{"R18.warn": Decimal("0.24")}) is Severity.CLEAR

"""How a signal is distributed, what its thresholds flag, and how flagged ones ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from program.policy import thresholds
from program.policy.policy import Policy
from program.risk.signals import THRESHOLDS, Severity, Signal

Numbers = NDArray[np.float64]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 30
# The histogram leaves out the most extreme values on either side, and those farther from the
# middle nine tenths than these are wide.
SHOWN = (0.005, 0.995)
LEAST = 10
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How many values are at least ``start`` and below ``end``, the last bar's end included."""

    start: float
    end: float
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """So many of so many, with the 95 % interval of Wilson."""

    number: int
    of: int

    @property
    def is_known(self) -> bool:
        """Whether they are enough to say something."""
        return self.of >= LEAST

    @property
    def share(self) -> float:
        """The share; 0 of none."""
        return self.number / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the share."""
        if not self.of:
            return 0.0, 1.0
        z, n, p = NORMAL_95, self.of, self.share
        middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


NONE = Portion(number=0, of=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """Of those decided: how many were approved, and of these how many kept half their volume."""

    approved: Portion = NONE
    kept: Portion = NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One signal over the current affiliates. ``lacking`` have not enough data.

    ``flagged`` counts those at each severity, high ones not among warn; ``dismissed`` counts
    dismissals ever, of ``dismissed_accounts``. ``when_flagged`` and ``when_clear`` are endings of
    decisions by what the signal said then.
    """

    signal: Signal
    measured: int
    lacking: int
    quantiles: tuple[float, ...] = ()
    bars: tuple[Bar, ...] = ()
    flagged: Mapping[Severity, int] = field(default_factory=dict)
    dismissed: int = 0
    dismissed_accounts: int = 0
    when_flagged: Endings = field(default_factory=Endings)
    when_clear: Endings = field(default_factory=Endings)


def calibrate(
    signal: Signal,
    policy: Policy,
    values: Sequence[float | None],
    samples: Sequence[float | None],
) -> Calibration:
    """Return the distribution of the measured values, and how many each threshold flags."""
    value = np.array([np.nan if one is None else one for one in values], dtype=float)
    sample = np.array([0.0 if one is None else one for one in samples], dtype=float)
    enough = ~np.isnan(value) & (sample >= signal.least_sample)
    value, sample = value[enough], sample[enough]
    lacking = int((~enough).sum())
    if not len(value):
        return Calibration(signal=signal, measured=0, lacking=lacking)
    high = _reaches(signal, policy, Severity.HIGH, value, sample)
    warn = _reaches(signal, policy, Severity.WARN, value, sample) & ~high
    return Calibration(
        signal=signal,
        measured=len(value),
        lacking=lacking,
        quantiles=tuple(float(one) for one in np.quantile(value, QUANTILES)),
        bars=_bars(value),
        flagged={Severity.WARN: int(warn.sum()), Severity.HIGH: int(high.sum())},
    )


def limits(signal: Signal, policy: Policy, severity: Severity) -> list[tuple[int, Decimal]]:
    """Return the policy's thresholds of a signal by sample, the smallest first."""
    own = [one for one in THRESHOLDS if one.signal is signal and one.severity is severity]
    return sorted((one.sample, thresholds.value(policy, one)) for one in own)


def _reaches(
    signal: Signal, policy: Policy, severity: Severity, value: Numbers, sample: Numbers
) -> NDArray[np.bool_]:
    steps = limits(signal, policy, severity)
    limit = np.full(len(value), np.nan)
    for least, threshold in steps:
        limit[sample >= least] = float(threshold)
    # Nothing reaches a threshold that there is none of.
    return value <= limit if signal.lower_is_worse else value >= limit


def _bars(value: Numbers) -> tuple[Bar, ...]:
    low, high = np.quantile(value, SHOWN)
    first, last = np.quantile(value, (QUANTILES[0], QUANTILES[-1]))
    if first < last:
        low, high = max(low, 2 * first - last), min(high, 2 * last - first)
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(value, bins=BINS, range=(float(low), float(high)))
    return tuple(
        Bar(start=float(start), end=float(end), number=int(number))
        for start, end, number in zip(edges[:-1], edges[1:], counts, strict=True)
    )

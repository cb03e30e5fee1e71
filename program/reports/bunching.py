"""Whether applicants bunch just above a minimum: the density on both sides of it.

Volume is judged as McCrary does: a local linear fit of the histogram on each side, and the
logarithm of the ratio of both fits at the minimum. Whole numbers of users are compared by
counting, with the exact interval of a binomial share.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, floor, log, sqrt

import numpy as np
from numpy.typing import NDArray

from program.policy.criteria import ACTIVE_USERS, NEW_USERS, VOLUME, Criterion

# Of the logarithm of volume over the minimum: bins of 5 %, and half of the logarithm on each side.
BIN, BANDWIDTH = 0.05, 0.5
Counts = NDArray[np.int64]
# Users that count as just above: for active users 15 and 16, for new users exactly 5.
JUST_ABOVE: dict[str, int] = {ACTIVE_USERS.key: 2, NEW_USERS.key: 1}
# Bins shown on each side of a minimum of users.
SHOWN = 10
LEAST_NEAR, LEAST_COUNTED, LEAST_SIDE = 60, 30, 5
NORMAL_95 = 1.959963984540054
CRITERIA: tuple[Criterion, ...] = (VOLUME, ACTIVE_USERS, NEW_USERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Applicants whose figure is at least ``start`` and below ``end``."""

    start: Decimal
    end: Decimal
    applicants: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The density above the minimum over that below, with its 95 % interval.

    ``observed`` applicants lie just above the minimum, where the bins below let expect
    ``expected``.
    """

    observed: int
    expected: float
    ratio: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether more lie above than chance explains."""
        return self.low > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bunching:
    """One minimum. ``near`` applicants are close enough to count; without a ``step`` too few."""

    criterion: Criterion
    minimum: Decimal
    bins: tuple[Bin, ...]
    near: int
    least: int
    step: Step | None


def of_volume(volumes: Sequence[Decimal], minimum: Decimal) -> Bunching:
    """Return the step of volumes at the minimum; one of 0 has none."""
    half = round(BANDWIDTH / BIN)
    counts = np.zeros(2 * half, dtype=int)
    for volume in volumes:
        if volume > 0 and minimum > 0:
            place = floor(log(volume / minimum) / BIN)
            # The logarithm rounds; a cent below the minimum is below it.
            place = place if volume >= minimum else min(place, -1)
            if -half <= place < half:
                counts[place + half] += 1
    edges = [minimum * Decimal(exp(BIN * place)) for place in range(-half, half + 1)]
    return Bunching(
        criterion=VOLUME,
        minimum=minimum,
        bins=_bins(edges, counts),
        near=int(counts.sum()),
        least=LEAST_NEAR,
        step=_volume_step(counts[:half], counts[half:]),
    )


def of_users(criterion: Criterion, users: Sequence[int], minimum: int) -> Bunching:
    """Return the step of numbers of users at the minimum."""
    width = JUST_ABOVE[criterion.key]
    # Most applicants have no users; they are not near, and would dwarf the others.
    first = min(max(1, minimum - SHOWN), minimum)
    having = Counter(users)
    counts = np.array([having[number] for number in range(first, minimum + SHOWN)])
    below = int(counts[max(0, minimum - width - first) : minimum - first].sum())
    above = int(counts[minimum - first : minimum - first + width].sum())
    edges = [Decimal(number) for number in range(first, minimum + SHOWN + 1)]
    return Bunching(
        criterion=criterion,
        minimum=Decimal(minimum),
        bins=_bins(edges, counts),
        near=below + above,
        least=LEAST_COUNTED,
        step=_count_step(above, below) if minimum > width else None,
    )


def _bins(edges: Sequence[Decimal], counts: Counts) -> tuple[Bin, ...]:
    return tuple(
        Bin(start=start, end=end, applicants=int(count))
        for start, end, count in zip(edges[:-1], edges[1:], counts, strict=True)
    )


def _volume_step(below: Counts, above: Counts) -> Step | None:
    if below.sum() + above.sum() < LEAST_NEAR or min(below.sum(), above.sum()) < LEAST_SIDE:
        return None
    left, slope = _fit(below[::-1])
    right, _ = _fit(above)
    if left <= 0 or right <= 0:
        return None
    spread = sqrt(24 / (5 * BANDWIDTH) * (1 / left + 1 / right))
    return Step(
        observed=int(above[0]),
        expected=max(0.0, (left - slope * BIN / 2) * BIN),
        ratio=right / left,
        low=exp(log(right / left) - NORMAL_95 * spread),
        high=exp(log(right / left) + NORMAL_95 * spread),
    )


def _fit(counts: Counts) -> tuple[float, float]:
    """Return applicants per unit at the minimum, and the slope away from it.

    A line through the bins' heights, those closer to the minimum weighing more.
    """
    away = (np.arange(len(counts)) + 0.5) * BIN
    slope, height = np.polyfit(away, counts / BIN, 1, w=np.sqrt(1 - away / BANDWIDTH))
    return float(height), float(slope)


def _count_step(above: int, below: int) -> Step | None:
    if above + below < LEAST_COUNTED or min(above, below) < LEAST_SIDE:
        return None
    # Imported where it is used: SciPy takes long to import, and no other page needs it.
    from scipy import stats

    share = stats.binomtest(above, above + below).proportion_ci(0.95, method="exact")
    return Step(
        observed=above,
        expected=float(below),
        ratio=above / below,
        low=share.low / (1 - share.low),
        high=share.high / (1 - share.high),
    )

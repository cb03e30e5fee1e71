"""Colors that mean something are told apart by every kind of eyes, on both backgrounds."""

from itertools import combinations

import pytest

from dashboard.pages.policy import calibration
from dashboard.pages.program.workload import CLOCK_LOOKS
from program.policy.calibration import Bar, Calibration
from program.policy.policy import Policy
from program.risk.signals import BY_ID, Severity

BACKGROUNDS = ("#ffffff", "#14161b")
# What eyes without one kind of cones see of linear red, green and blue.
# Machado, Oliveira and Fernandes 2009, severity 1.0.
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red cones": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green cones": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue cones": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)
Triple = tuple[float, ...]


def linear(color: str) -> Triple:
    parts = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return tuple(p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)


def times(matrix: tuple[Triple, ...], vector: Triple) -> Triple:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def lab(rgb: Triple) -> Triple:
    scaled = [value / white for value, white in zip(times(TO_XYZ, rgb), WHITE, strict=True)]
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in scaled)
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))


def seen(color: str, eyes: str) -> Triple:
    return lab(tuple(min(1.0, max(0.0, part)) for part in times(EYES[eyes], linear(color))))


def difference(one: str, other: str, eyes: str) -> float:
    """CIE 1976 delta E."""
    pairs = zip(seen(one, eyes), seen(other, eyes), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def contrast(one: str, other: str) -> float:
    dark, light = sorted(times(TO_XYZ, linear(color))[1] for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(("one", "other"), list(combinations(CLOCK_LOOKS, 2)))
def test_states_of_the_clock_are_told_apart(one: str, other: str, eyes: str) -> None:
    assert difference(CLOCK_LOOKS[one].color, CLOCK_LOOKS[other].color, eyes) >= 25


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("state", CLOCK_LOOKS)
def test_a_state_stands_out_from_both_backgrounds(state: str, background: str) -> None:
    assert contrast(CLOCK_LOOKS[state].color, background) >= 3


def test_overdue_is_red_and_a_stopped_clock_is_hatched() -> None:
    red, green, blue = linear(CLOCK_LOOKS["overdue"].color)

    assert red > 4 * max(green, blue)
    assert CLOCK_LOOKS["clock stopped"].pattern


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_thresholds_stand_out_as_lines_and_their_words_have_the_text_color(background: str) -> None:
    for color in calibration.COLORS.values():
        assert contrast(color, background) >= 4, color
    bars = tuple(Bar(start=tenth / 10, end=(tenth + 1) / 10, number=1) for tenth in range(10))
    found = Calibration(
        signal=BY_ID["R07"], measured=10, lacking=0, bars=bars, flagged=dict.fromkeys(Severity, 0)
    )
    words = calibration.histogram(found, Policy()).figure.layout.annotations
    assert [one.text.split()[0] for one in words] == ["warn", "high"]
    assert all(one.font.color is None for one in words)

"""The bar of a volume tells how far below or beyond the minimum it is."""

import re
from urllib.parse import unquote

import pytest

from dashboard.ui import grid

MARK = "M28 5h2v18h-2z"


def length(share: float) -> int:
    """Return how long a bar is drawn, in pixels."""
    found = re.findall(r"d='M0 10h(-?\d+)", unquote(grid.scaled_bar(share)))
    return int(found[1])


@pytest.mark.parametrize("share", [0, 0.1, 1, 2.5, 40])
def test_the_mark_stands_at_the_minimum_whatever_the_volume_is(share: float) -> None:
    assert unquote(grid.scaled_bar(share)).count(MARK) == 1


def test_a_bar_reaches_the_mark_at_the_minimum_and_goes_on_beyond_it() -> None:
    assert [length(share) for share in (0, 0.5, 1, 1.5, 2)] == [0, 14, 28, 42, 56]


def test_a_bar_beyond_the_scale_ends_in_a_point() -> None:
    pointed = unquote(grid.scaled_bar(3))

    assert "l6 4l-6 4" in pointed
    assert grid.scaled_bar(62) == grid.scaled_bar(3)
    assert "l6 4l-6 4" not in unquote(grid.scaled_bar(2.9))


def test_twenty_and_sixty_two_million_do_not_look_alike() -> None:
    assert grid.scaled_bar(20 / 20) != grid.scaled_bar(62 / 20)

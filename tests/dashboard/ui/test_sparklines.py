"""The small charts of figures."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ui import sparklines


def heights(values: list[float]) -> list[float]:
    """Return how far each corner between the first and the last lies above the lowest, in percent."""
    places = (corner.split(" ") for corner in sparklines.corners(values).split(", "))
    corners = [float(down.removesuffix("%")) for _, down in places]
    return [round(max(corners) - corner, 2) for corner in corners[1:-1]]


def test_the_area_starts_at_zero_so_that_twice_the_value_is_twice_as_high() -> None:
    assert heights([10, 20, 15]) == [50, 100, 75]
    assert heights([1000, 1001]) == [99.9, 100]


def test_its_first_and_last_corner_lie_at_zero_and_it_fills_the_width() -> None:
    assert sparklines.corners([5, 10, 5]) == (
        "0.00% 100.00%, 0.00% 50.00%, 50.00% 0.00%, 100.00% 50.00%, 100.00% 100.00%"
    )
    # Below zero, the area hangs from it.
    assert sparklines.corners([-5, 5]).startswith("0.00% 50.00%, 0.00% 100.00%")


@pytest.mark.parametrize(("values", "drawn"), [([], 0), ([3], 0), ([0, 0], 0), ([0, 1], 1)])
def test_a_course_without_a_shape_is_not_drawn(values: list[float], drawn: int) -> None:
    def script(values: list[float]) -> None:
        from dashboard.ui import sparklines

        sparklines.draw(values, of="open")

    app = AppTest.from_function(script, args=(values,)).run()

    assert not app.exception
    assert len(app.get("html")) == drawn

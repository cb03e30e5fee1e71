"""A figure in words beside the one it is compared with."""

from decimal import Decimal

import pytest

from program.reports.amounts import amount_text
from program.reports.kpis import Unit


@pytest.mark.parametrize(
    ("unit", "value", "other", "words"),
    [
        (Unit.HOURS, "132", "120", ("5.5 d", "5.0 d")),
        (Unit.HOURS, "100", "5", ("100.0 h", "5.0 h")),
        (Unit.HOURS, "0.5", "0.25", ("30 min", "15 min")),
        # One of them would round away.
        (Unit.HOURS, "1.2", "0.04", ("1.2 h", "2 min")),
        (Unit.HOURS, "1.2", "0.05", ("1.2 h", "0.1 h")),
        (Unit.INDEX, "7.25", "8", ("7.3", "8.0")),
        (Unit.INDEX, "120", "0.4", ("120.0", "0.4")),
        (Unit.INDEX, "101.2", "150.7", ("101", "151")),
        (Unit.APPLICATIONS, "1234", "12", ("1,234", "12")),
        (Unit.USD, "130000000", "400000", ("130 M USD", "400 k USD")),
        (Unit.SHARE, "0.441", "0.43", ("44 %", "43 %")),
    ],
)
def test_a_figure_is_written_like_the_one_beside_it(
    unit: Unit, value: str, other: str, words: tuple[str, str]
) -> None:
    one, two = Decimal(value), Decimal(other)

    found = amount_text(unit, one, beside=two), amount_text(unit, two, beside=one)

    assert found == words

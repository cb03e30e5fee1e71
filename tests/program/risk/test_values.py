"""Values of signals: short in sentences, with equal decimals in a table."""

from dataclasses import replace
from decimal import Decimal

import pytest

from program.risk import values
from program.risk.signals import BY_ID, Unit


@pytest.mark.parametrize(
    ("unit", "value", "short", "even"),
    [
        (Unit.SHARE, "0.96", "96 %", "96.0 %"),
        (Unit.SHARE, "0", "0 %", "0.0 %"),
        (Unit.SHARE, "0.0001", "<0.1 %", "<0.1 %"),
        (Unit.TIMES, "3.1", "3.1 ×", "3.10 ×"),
        (Unit.COUNT, "1234", "1,234", "1,234"),
        (Unit.NUMBER, "0.05", "0.05", "0.050"),
        (Unit.NUMBER, "-0.118", "−0.118", "−0.118"),
    ],
)
def test_a_table_shows_equal_decimals_where_a_sentence_leaves_them_out(
    unit: Unit, value: str, short: str, even: str
) -> None:
    signal = replace(next(iter(BY_ID.values())), unit=unit)

    assert values.short(signal, Decimal(value)) == short
    assert values.even(signal, Decimal(value)) == even

"""Format the values of signals: shares in percent, ratios with ×."""

from collections.abc import Callable
from decimal import Decimal

from program import wording
from program.risk.signals import Signal, Unit

# Decimals of a value in short; of shares, in percent.
PLACES = {Unit.SHARE: 1, Unit.COUNT: 0, Unit.TIMES: 2, Unit.NUMBER: 3}
MARKS = {Unit.SHARE: " %", Unit.TIMES: " ×"}


def exact(signal: Signal, value: Decimal) -> str:
    """Format a value or threshold with all its digits: ``0.35``, ``96 %``, ``3 ×``."""
    if signal.unit is Unit.SHARE:
        return wording.percent(value)
    return wording.full_usd(value) + (" ×" if signal.unit is Unit.TIMES else "")


def short(signal: Signal, value: Decimal) -> str:
    """Format a measured value in short: ``0.348``, ``96.4 %``, ``3.12 ×``."""
    return _rounded(signal, value, wording.trimmed)


def even(signal: Signal, value: Decimal) -> str:
    """The same for a table, with equal decimals in each unit: ``0.350``, ``96.0 %``, ``3.10 ×``."""
    return _rounded(signal, value, str)


def _rounded(signal: Signal, value: Decimal, ending: Callable[[str], str]) -> str:
    """Round to the decimals of the unit; what is not zero does not read zero."""
    places, mark = PLACES[signal.unit], MARKS.get(signal.unit, "")
    size = value * 100 if signal.unit is Unit.SHARE else value
    number = wording.rounded(size, places)
    if not number and size:
        return f"{wording.signed(size, '<')}{Decimal(1).scaleb(-places)}{mark}"
    return f"{wording.signed(number, ending(f'{abs(number):,f}'))}{mark}"

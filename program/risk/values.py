"""Format the values of signals: shares in percent, ratios with ×."""

from decimal import Decimal

from program import wording
from program.risk.signals import Signal, Unit

# Decimals of a number in short.
PLACES = 3


def exact(signal: Signal, value: Decimal) -> str:
    """Format a value or threshold with all its digits: ``0.35``, ``96 %``, ``3 ×``."""
    if signal.unit is Unit.SHARE:
        return wording.percent(value)
    return wording.full_usd(value) + (" ×" if signal.unit is Unit.TIMES else "")


def short(signal: Signal, value: Decimal) -> str:
    """Format a measured value in short: ``0.348``, ``96.4 %``, ``3.12 ×``."""
    if signal.unit is Unit.SHARE:
        return f"{_cut(value * 100, 1)} %"
    if signal.unit is Unit.COUNT:
        return _cut(value, 0)
    if signal.unit is Unit.TIMES:
        return f"{_cut(value, 2)} ×"
    return _cut(value, PLACES)


def _cut(value: Decimal, places: int) -> str:
    """Round to so many decimals; what is not zero does not read zero."""
    number = wording.rounded(value, places)
    if not number and value:
        return f"{wording.signed(value, '<')}{Decimal(1).scaleb(-places)}"
    return wording.signed(number, wording.trimmed(f"{abs(number):,f}"))

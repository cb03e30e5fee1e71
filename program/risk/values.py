"""Format the values of signals: shares in percent, ratios with ×."""

from decimal import Decimal

from program import wording
from program.risk.signals import Signal, Unit


def exact(signal: Signal, value: Decimal) -> str:
    """Format a value or threshold with all its digits: ``0.35``, ``96 %``, ``3 ×``."""
    if signal.unit is Unit.SHARE:
        return wording.percent(value)
    return wording.full_usd(value) + (" ×" if signal.unit is Unit.TIMES else "")

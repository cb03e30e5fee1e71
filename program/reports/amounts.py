"""The amount of a figure in words: in short, in full, and its change."""

from decimal import Decimal

from program import wording
from program.reports.kpis import Unit
from program.wording import DASH, MINUS, rounded

Amount = int | Decimal | None
UNCHANGED = "unchanged"
MEAN_OF_FEW = 100


def amount_text(unit: Unit, value: Amount, *, beside: Amount = None, nothing: str = DASH) -> str:
    """Format a value with its unit, in short.

    Where it stands ``beside`` another one, both are in one scale with equal decimals.
    """
    if value is None:
        return nothing
    amount, other = Decimal(value), Decimal(value if beside is None else beside)
    if unit is Unit.USD:
        return f"{wording.beside_usd(amount, other)} USD"
    if unit is Unit.SHARE:
        return wording.whole_percent(amount)
    if unit is Unit.HOURS:
        return wording.beside_took(amount, other)
    return counted(amount, other)


def counted(value: Decimal, beside: Decimal | None = None) -> str:
    """Format a number, with a decimal if it or ``beside`` is a mean of few: ``7.3``, ``1,234``."""
    both = (value, value if beside is None else beside)
    is_mean = any(one != int(one) for one in both)
    places = 1 if is_mean and min(map(abs, both)) < MEAN_OF_FEW else 0
    return f"{rounded(value, places):,f}".replace("-", MINUS)


def exactly(unit: Unit, value: Amount) -> str:
    """Return a sentence with the value in full, if the card shortens it."""
    if value is None or unit in (Unit.APPLICATIONS, Unit.AFFILIATES):
        return ""
    number = Decimal(value)
    if unit is Unit.USD:
        return f"Exactly {wording.cents_usd(number)} USD."
    words = {Unit.SHARE: (number * 100, " %"), Unit.HOURS: (number, " hours")}
    size, letters = words.get(unit, (number, ""))
    return f"Exactly {rounded(size, 2):,f}{letters}."


def change(unit: Unit, now: Amount, before: Amount) -> str | None:
    """Format the difference from before, with its sign; ``None`` if one is unknown."""
    if now is None or before is None:
        return None
    if now == before:
        return UNCHANGED
    more = Decimal(now) - Decimal(before)
    sign = MINUS if more < 0 else "+"
    if unit is Unit.SHARE:
        points = rounded(abs(more) * 100)
        return f"{sign}{points or '<1'} point{'' if points <= 1 else 's'}"
    if unit is Unit.HOURS:
        return f"{sign}{wording.took(abs(more))}"
    if unit is Unit.USD or abs(Decimal(before)) >= 1_000:
        share = None if not before else more / abs(Decimal(before))
        return None if share is None else wording.change(share)
    return f"{sign}{counted(abs(more))}"

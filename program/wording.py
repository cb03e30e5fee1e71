"""Figures, days and lists as a sentence says them, whoever it is for."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal

from program.periods import Window

MINUS = "−"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SCALES = ((Decimal(10**9), " B"), (Decimal(10**6), " M"), (Decimal(10**3), " k"))
CENT = Decimal("0.01")


def short_usd(value: Decimal) -> str:
    """Money in short: ``4.1 M``. Cut, not rounded: 19,999,999.99 must never read 20 M."""
    size = abs(value)
    scale, letter = next(((s, name) for s, name in SCALES if size >= s), (Decimal(1), ""))
    places = Decimal("0.1") if letter else Decimal(1)
    cut = (size / scale).quantize(places, ROUND_DOWN)
    return _signed(value, f"{cut:f}".removesuffix(".0") + letter)


def stated_usd(value: Decimal) -> str:
    """A limit: in short where that is all of it, ``20 M``, and otherwise every digit."""
    scale = next((s for s, _ in SCALES if abs(value) >= s), Decimal(1))
    tenths = value / scale * (10 if scale > 1 else 1)
    return short_usd(value) if tenths == int(tenths) else full_usd(value)


def full_usd(value: Decimal) -> str:
    """Money to its last digit: ``20,000,000`` or ``20,500,555.50``."""
    return exact_usd(value).removesuffix(".00")


def exact_usd(value: Decimal) -> str:
    """Money to its last digit and at least to the cent: ``4,100,000.00``."""
    cents = value.quantize(CENT)
    return _signed(value, f"{abs(cents if cents == value else value.normalize()):,f}")


def cents_usd(value: Decimal) -> str:
    """Money rounded to the cent: ``4,100,000.00``."""
    return exact_usd(value.quantize(CENT))


def percent(share: Decimal) -> str:
    """A rate with the digits it has: 0.20 is ``20 %``, 0.125 is ``12.5 %``."""
    text = f"{share * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def day(value: date, *, year: bool = True) -> str:
    """A day: ``24 Dec 2026``."""
    return f"{value.day} {MONTHS[value.month - 1]}" + (f" {value.year}" if year else "")


def span(window: Window) -> str:
    """A window's first and last day: ``24 Oct to 22 Nov``, with years where they differ."""
    first, last = window.start, window.last_day
    year = first.year != last.year
    return f"{day(first, year=year)} to {day(last, year=year)}"


def listed(parts: Sequence[str], *, last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *before, final = parts
    return f"{', '.join(before)} {last} {final}" if before else final


def sentence(text: str) -> str:
    """With a capital at its start and a full stop at its end."""
    return f"{text[:1].upper()}{text[1:]}."


def _signed(value: Decimal, size: str) -> str:
    return f"{MINUS}{size}" if value < 0 else size


def inline(label: str) -> str:
    """A label within a sentence: its first letter small, names as they are."""
    return label[:1].lower() + label[1:]

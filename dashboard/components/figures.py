"""Numbers and times as people read them. Pure; every figure carries its unit."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

UNKNOWN = "unknown"
DASH = "–"
MINUS = "−"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SCALES = ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))


def usd(value: Decimal | None, *, unknown: str = UNKNOWN) -> str:
    """Money in short: ``12.4 M``. Cut, not rounded, so that 19,999,999.99 never reads 20 M."""
    if value is None:
        return unknown
    size = abs(value)
    scale, letter = next(((s, f" {name}") for s, name in SCALES if size >= s), (Decimal(1), ""))
    places = Decimal("0.1") if letter else Decimal(1)
    short = (size / scale).quantize(places, ROUND_DOWN)
    return _signed(value, f"{short:f}".removesuffix(".0") + letter)


def usd_exact(value: Decimal | None, *, unknown: str = UNKNOWN) -> str:
    """Money to the last digit it has, and at least to the cent: ``12,400,000.00 USD``."""
    if value is None:
        return unknown
    cents = Decimal("0.01")
    exact = value.quantize(cents) if value == value.quantize(cents) else value
    return _signed(value, f"{abs(exact):,f} USD")


def count(value: int | None, *, unknown: str = UNKNOWN) -> str:
    """A whole number with separators: ``1,234``."""
    return unknown if value is None else _signed(value, f"{abs(value):,}")


def percent(share: Decimal | None, *, unknown: str = DASH) -> str:
    """A margin as a signed percentage, cut to whole ones: 0.565 is ``+56 %``.

    A margin smaller than one percent keeps its sign, so a near miss never reads as reached.
    """
    if share is None:
        return unknown
    if share == 0:
        return "0 %"
    whole = int(abs(share) * 100)
    return f"{MINUS if share < 0 else '+'}{f'{whole:,}' if whole else '<1'} %"


def rate(share: Decimal | None, *, unknown: str = DASH) -> str:
    """A share as a plain percentage with the digits it has: 0.125 is ``12.5 %``."""
    if share is None:
        return unknown
    text = f"{share * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def whole_percent(share: Decimal | None, *, unknown: str = DASH) -> str:
    """A share rounded to whole percents: 0.456 is ``46 %``; some, but less than one, ``<1 %``."""
    if share is None:
        return unknown
    if 0 < share < Decimal("0.005"):
        return "<1 %"
    return f"{round(share * 100)} %"


def took(hours: Decimal | None, *, unknown: str = DASH) -> str:
    """A length of work in hours or days: ``35 min``, ``5.5 h``, ``2.4 d``; days from 48 hours."""
    if hours is None:
        return unknown
    if hours >= 48:
        return f"{round(hours / 24, 1):,} d"
    return f"{round(hours, 1)} h" if hours >= 1 else f"{round(hours * 60)} min"


def waiting(span: timedelta | None, *, unknown: str = DASH) -> str:
    """A length of time in its largest whole unit: ``4 d``, ``3 h``, ``12 min``."""
    if span is None:
        return unknown
    minutes = max(0, int(span.total_seconds())) // 60
    if minutes >= 24 * 60:
        return f"{minutes // (24 * 60):,} d"
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"


def day(value: date | None, *, year: bool = False, unknown: str = UNKNOWN) -> str:
    """A day: ``24 Oct``, or ``24 Oct 2026`` where the year is asked for."""
    if value is None:
        return unknown
    short = f"{value.day} {MONTHS[value.month - 1]}"
    return f"{short} {value.year}" if year else short


def month(value: date) -> str:
    """A calendar month: ``Oct 2026``."""
    return f"{MONTHS[value.month - 1]} {value.year}"


def day_range(first: date, last: date) -> str:
    """Days from ``first`` to ``last``, both included: ``24 Oct – 22 Nov``."""
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{day(first, year=True)} {DASH} {day(last, year=True)}"
    if first.month == last.month:
        return f"{first.day} {DASH} {day(last)}"
    return f"{day(first)} {DASH} {day(last)}"


def moment(value: datetime | None, *, unknown: str = UNKNOWN) -> str:
    """A time in UTC: ``21 Nov 2026, 14:02 UTC``. Raises ValueError if it carries no zone."""
    if value is None:
        return unknown
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown in UTC")
    utc = value.astimezone(UTC)
    return f"{day(utc.date(), year=True)}, {utc:%H:%M} UTC"


def _signed(value: Decimal | int, size: str) -> str:
    return f"{MINUS}{size}" if value < 0 else size

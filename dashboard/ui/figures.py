"""Format numbers and times for people. Pure; every figure has its unit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from program import wording
from program.wording import MONTHS

UNKNOWN, DASH = wording.UNKNOWN, wording.DASH


def usd(value: Decimal | None) -> str:
    """Format money in short, rounded to three digits: ``12.4 M``."""
    return UNKNOWN if value is None else wording.short_usd(value)


def usd_cut(value: Decimal | None) -> str:
    """Format money beside a minimum, rounded down: 19,999,999.99 must never read 20 M."""
    return UNKNOWN if value is None else wording.cut_usd(value)


def usd_exact(value: Decimal | None) -> str:
    """Format money with every digit and at least two decimals: ``12,400,000.00 USD``."""
    return UNKNOWN if value is None else f"{wording.exact_usd(value)} USD"


def count(value: int | None) -> str:
    """Format a whole number with separators: ``1,234``."""
    return UNKNOWN if value is None else wording.signed(value, f"{abs(value):,}")


def percent(share: Decimal | None) -> str:
    """Format a change or a margin as a signed whole percentage: 0.565 is ``+57 %``."""
    return DASH if share is None else wording.change(share)


def rate(share: Decimal | None) -> str:
    """Format a share as a percentage with all its digits: 0.125 is ``12.5 %``."""
    return DASH if share is None else wording.percent(share)


def whole_percent(share: Decimal | None) -> str:
    """Format a share in whole percent: 0.456 is ``46 %``; also ``<1 %`` and ``>99 %``."""
    return DASH if share is None else wording.whole_percent(share)


def took(hours: Decimal | None) -> str:
    """Format a duration in hours or days: ``35 min``, ``5.5 h``, ``2.4 d``; days from 48 hours."""
    return DASH if hours is None else wording.took(hours)


def waiting(span: timedelta | None) -> str:
    """Format a duration in its largest whole unit: ``4 d``, ``3 h``, ``12 min``."""
    if span is None:
        return DASH
    minutes = max(0, int(span.total_seconds())) // 60
    if minutes >= 24 * 60:
        return f"{minutes // (24 * 60):,} d"
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"


def this_year() -> int:
    """Return the current year in UTC, which dates leave out."""
    return datetime.now(UTC).year


def day(value: date | None, *, year: bool | None = None) -> str:
    """Format a day: ``24 Oct``; with its year if it is not this year, or on request."""
    if value is None:
        return UNKNOWN
    return wording.day(value, year=value.year != this_year() if year is None else year)


def month(value: date, *, year: bool | None = True) -> str:
    """Format a calendar month: ``Oct 2026``; ``year=None`` leaves this year out."""
    named = value.year != this_year() if year is None else year
    return f"{MONTHS[value.month - 1]} {value.year}" if named else MONTHS[value.month - 1]


def day_range(first: date, last: date) -> str:
    """Format days, both included: ``24 Oct – 22 Nov``, ``1 – 31 Jan 2020``."""
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{day(first, year=True)} {DASH} {day(last, year=True)}"
    if first.month == last.month:
        return f"{first.day} {DASH} {day(last)}"
    return f"{day(first, year=False)} {DASH} {day(last)}"


def moment(value: datetime | None) -> str:
    """Format a time in UTC: ``21 Nov 2026, 14:02 UTC``. Raises ValueError without a zone."""
    return UNKNOWN if value is None else wording.moment(value)

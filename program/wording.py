"""Format figures, days and lists for sentences."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from statistics import median_low

from program.periods import Window

MINUS = "−"
# What is not known, and what there is none of.
UNKNOWN, DASH = "unknown", "–"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SCALES = (
    (Decimal(1), ""),
    (Decimal(10**3), " k"),
    (Decimal(10**6), " M"),
    (Decimal(10**9), " B"),
)
DIGITS = 3
CENT = Decimal("0.01")
IN_CENTS = 100


def short_usd(value: Decimal) -> str:
    """Format money in short, in three digits: ``4.13 M``, ``462 k``; under 100 with cents."""
    return _short(value, ROUND_HALF_UP)


def cut_usd(value: Decimal) -> str:
    """The same, rounded down: beside a minimum of 20 M, 19,999,999.99 must never read 20 M."""
    return _short(value, ROUND_DOWN)


def column_usd(values: Iterable[Decimal | None]) -> Callable[[Decimal], str]:
    """Return how money is written in one column: all in one scale, with two decimals.

    It is the scale of the largest amount, or the next smaller one if most are far smaller.
    """
    sizes = sorted(abs(value) for value in values if value)
    fitting = [place for place, (scale, _) in enumerate(SCALES) if sizes and sizes[-1] >= scale]
    place = fitting[-1] if fitting else 0
    if place and median_low(sizes) < SCALES[place][0] / 10:
        place -= 1
    scale, letter = SCALES[place]

    def words(value: Decimal) -> str:
        number = rounded(abs(value) / scale, 2)
        least = CENT if value and not number else None
        return signed(value, f"<{least}{letter}" if least else f"{number:,}{letter}")

    return words


def beside_usd(value: Decimal, other: Decimal) -> str:
    """Format money in short beside ``other``: in one scale, with equal decimals.

    The larger one has three digits. Each is in its own scale if one is far smaller: below a tenth
    of the scale, or too small for these digits.
    """
    number, scale, letter = _scaled(max(abs(value), abs(other)), ROUND_HALF_UP)
    decimals = -int(number.as_tuple().exponent)
    least = max(Decimal("0.1"), Decimal(1).scaleb(-decimals))
    if min(abs(value), abs(other)) < scale * least:
        return short_usd(value)
    pair = [rounded(abs(amount) / scale, decimals) for amount in (value, other)]
    # Both cents of an amount stay, or none.
    fewer = range(decimals + 1) if letter else (0, decimals)
    needed = next(n for n in fewer if all(size == rounded(size, n) for size in pair))
    return signed(value, f"{rounded(pair[0], needed):,f}{letter}")


def stated_usd(value: Decimal) -> str:
    """Format a limit: in short if that is exact, ``20 M``, else every digit."""
    number, scale, _ = _scaled(abs(value), ROUND_HALF_UP)
    return short_usd(value) if number * scale == abs(value) else full_usd(value)


def full_usd(value: Decimal) -> str:
    """Format money with every digit: ``20,000,000`` or ``20,500,555.50``."""
    return exact_usd(value).removesuffix(".00")


def exact_usd(value: Decimal) -> str:
    """Format money with every digit and at least two decimals: ``4,100,000.00``."""
    cents = value.quantize(CENT)
    return signed(value, f"{abs(cents if cents == value else value.normalize()):,f}")


def cents_usd(value: Decimal) -> str:
    """Format money rounded to the cent: ``4,100,000.00``."""
    return exact_usd(value.quantize(CENT))


def rounded(value: Decimal, places: int = 0) -> Decimal:
    """Round to ``places`` decimals, half away from zero."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def cut(value: Decimal, places: int = 0) -> Decimal:
    """Truncate to ``places`` decimals."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_DOWN)


def trimmed(number: str) -> str:
    """Leave out zeros at the end of the decimals: ``12.50`` is ``12.5``, ``100`` stays."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def percent(share: Decimal) -> str:
    """Format a rate with all its digits: 0.20 is ``20 %``, 0.125 is ``12.5 %``."""
    return f"{trimmed(f'{share * 100:f}')} %"


def whole_percent(share: Decimal) -> str:
    """Format a share in whole percent: 0.456 is ``46 %``; also ``<1 %`` and ``>99 %``."""
    whole = rounded(share * 100)
    if whole == 0 < share:
        return "<1 %"
    if share < 1 and whole == 100:
        return ">99 %"
    return f"{whole:,f} %"


def took(hours: Decimal) -> str:
    """Format a duration in hours or days: ``35 min``, ``5.5 h``, ``2.4 d``; days from 48 hours."""
    if hours >= 48:
        return f"{rounded(hours / 24, 1):,} d"
    return f"{rounded(hours, 1)} h" if hours >= 1 else f"{rounded(hours * 60)} min"


def column_took(values: Iterable[Decimal | None]) -> Callable[[Decimal], str]:
    """Return how durations, in hours, are written in one column: all in one unit.

    Days if one is at least two and all are half a day or more; minutes if all are below an hour.
    """
    known = [value for value in values if value is not None]
    hours, unit, places = Decimal(1), "h", 1
    if known and max(known) >= 48 and min(known) >= 12:
        hours, unit = Decimal(24), "d"
    elif known and max(known) < 1:
        hours, unit, places = Decimal(1) / 60, "min", 0

    def words(value: Decimal) -> str:
        number = rounded(value / hours, places)
        least = Decimal(1).scaleb(-places)
        return f"<{least} {unit}" if value and not number else f"{number:,} {unit}"

    return words


def beside_took(hours: Decimal, other: Decimal) -> str:
    """Format a duration beside ``other``: in one unit, or each in its own if one is far shorter."""
    words = column_took((hours, other))
    is_far = any(words(one).startswith("<") for one in (hours, other))
    return took(hours) if is_far else words(hours)


def change(share: Decimal) -> str:
    """Format a change or a margin as a signed whole percentage: 0.565 is ``+57 %``.

    Below one percent it has a decimal, and keeps its sign, so that a near miss never reads as
    reached: ``−0.4 %``, ``−<0.1 %``.
    """
    if share == 0:
        return "0 %"
    percent = abs(share) * 100
    size = f"{rounded(percent) if percent >= 1 else rounded(percent, 1).normalize():,f}"
    if size == "0":
        size = "<0.1"
    return f"{MINUS if share < 0 else '+'}{size} %"


def day(value: date, *, year: bool = True) -> str:
    """Format a day: ``24 Dec 2026``."""
    return f"{value.day} {MONTHS[value.month - 1]}" + (f" {value.year}" if year else "")


def moment(value: datetime) -> str:
    """Format a time in UTC: ``21 Nov 2026, 14:02 UTC``. Raises ValueError without a zone."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown in UTC")
    utc = value.astimezone(UTC)
    return f"{day(utc.date())}, {utc:%H:%M} UTC"


def span(window: Window) -> str:
    """Format a window's days: ``24 Oct to 22 Nov 2026``, with both years if they differ."""
    first, last = window.start, window.last_day
    if first == last:
        return day(last)
    return f"{day(first, year=first.year != last.year)} to {day(last)}"


def listed(parts: Sequence[str], *, last: str = "and") -> str:
    """Join a list: ``a``, ``a and b``, ``a, b and c``."""
    *before, final = parts
    return f"{', '.join(before)} {last} {final}" if before else final


def capital(text: str) -> str:
    """Begin the text with a capital letter; the rest stays."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Capitalize the text and add a full stop."""
    return f"{capital(text)}."


def counted(number: int, noun: str) -> str:
    """Return ``1 row``, ``1,200 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _short(value: Decimal, rounding: str) -> str:
    number, _, letter = _scaled(abs(value), rounding)
    if not number and value:
        return signed(value, "<0.01")
    text = f"{number:,f}"
    if letter or number == int(number):
        text = trimmed(text)
    return signed(value, text + letter)


def _scaled(size: Decimal, rounding: str) -> tuple[Decimal, Decimal, str]:
    """Return the number before the letter, the factor of the letter, and the letter."""
    for scale, letter in SCALES:
        number = size / scale
        whole = len(str(int(number)))
        places = max(0, DIGITS - whole) if letter else 2 * (size < IN_CENTS)
        number = number.quantize(Decimal(1).scaleb(-places), rounding)
        if number < 1000 or scale == SCALES[-1][0]:
            break
    return number, scale, letter


def signed(value: Decimal | int, size: str) -> str:
    """``size`` with a minus sign before it where ``value`` is negative."""
    return f"{MINUS}{size}" if value < 0 else size


def inline(label: str) -> str:
    """Format a label for the middle of a sentence: its first letter in lower case, but for KYC."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def quoted(text: str) -> str:
    """Quote typed text in a sentence: shortened, without unprintable characters."""
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:60])
    return f"“{shown}”"

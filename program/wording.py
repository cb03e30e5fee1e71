"""Figures, days and lists as a sentence says them, whoever it is for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from program.periods import Window

MINUS = "−"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SCALES = (
    (Decimal(1), ""),
    (Decimal(10**3), " k"),
    (Decimal(10**6), " M"),
    (Decimal(10**9), " B"),
)
DIGITS = 3
CENT = PERCENT = Decimal("0.01")
IN_CENTS = 100


def short_usd(value: Decimal) -> str:
    """Money in short, rounded to three digits: ``4.13 M``, ``462 k``; under 100 to the cent."""
    return _short(value, ROUND_HALF_UP)


def cut_usd(value: Decimal) -> str:
    """The same, cut: beside a minimum of 20 M, 19,999,999.99 must never read 20 M."""
    return _short(value, ROUND_DOWN)


def stated_usd(value: Decimal) -> str:
    """A limit: in short where that is all of it, ``20 M``, and otherwise every digit."""
    number, scale, _ = _scaled(abs(value), ROUND_HALF_UP)
    return short_usd(value) if number * scale == abs(value) else full_usd(value)


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


def rounded(value: Decimal, places: int = 0) -> Decimal:
    """To so many decimals, halves away from zero."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def cut(value: Decimal, places: int = 0) -> Decimal:
    """To so many decimals, what is beyond them left out."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_DOWN)


def percent(share: Decimal) -> str:
    """A rate with the digits it has: 0.20 is ``20 %``, 0.125 is ``12.5 %``."""
    text = f"{share * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def change(share: Decimal) -> str:
    """A change or a margin as a signed percentage in whole ones: 0.565 is ``+57 %``.

    One smaller than one percent keeps its sign, so a near miss never reads as reached.
    """
    if share == 0:
        return "0 %"
    size = f"{rounded(abs(share) * 100):,f}" if abs(share) >= PERCENT else "<1"
    return f"{MINUS if share < 0 else '+'}{size} %"


def day(value: date, *, year: bool = True) -> str:
    """A day: ``24 Dec 2026``."""
    return f"{value.day} {MONTHS[value.month - 1]}" + (f" {value.year}" if year else "")


def span(window: Window) -> str:
    """A window's first and last day: ``24 Oct to 22 Nov 2026``, both years where they differ."""
    first, last = window.start, window.last_day
    if first == last:
        return day(last)
    return f"{day(first, year=first.year != last.year)} to {day(last)}"


def listed(parts: Sequence[str], *, last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *before, final = parts
    return f"{', '.join(before)} {last} {final}" if before else final


def sentence(text: str) -> str:
    """With a capital at its start and a full stop at its end."""
    return f"{text[:1].upper()}{text[1:]}."


def _short(value: Decimal, rounding: str) -> str:
    number, _, letter = _scaled(abs(value), rounding)
    if not number and value:
        return _signed(value, "<0.01")
    text = f"{number:,f}"
    if letter or number == int(number):
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return _signed(value, text + letter)


def _scaled(size: Decimal, rounding: str) -> tuple[Decimal, Decimal, str]:
    """The number before the letter, what the letter stands for, and the letter."""
    for scale, letter in SCALES:
        number = size / scale
        whole = len(str(int(number)))
        places = max(0, DIGITS - whole) if letter else 2 * (size < IN_CENTS)
        number = number.quantize(Decimal(1).scaleb(-places), rounding)
        if number < 1000 or scale == SCALES[-1][0]:
            break
    return number, scale, letter


def _signed(value: Decimal, size: str) -> str:
    return f"{MINUS}{size}" if value < 0 else size


def inline(label: str) -> str:
    """A label within a sentence: its first letter small, names as they are."""
    return label[:1].lower() + label[1:]


def left_out(
    query: Mapping[str, str],
    taken: Mapping[str, str],
    *,
    usual: Mapping[str, str],
    lists: Collection[str] = (),
) -> str:
    """The sentence that names what of an address was not taken from it; "" if all was.

    ``taken`` is the address that follows from what was; it leaves out what is ``usual``. Of
    ``lists``, separated by commas, each part counts.
    """
    lost = []
    for name, text in query.items():
        parts = text.split(",") if name in lists else [text]
        kept = taken.get(name, "").split(",") if name in lists else parts * (name in taken)
        lost += [
            f"{name} {quoted(part)}"
            for part in parts
            if part.strip() and part not in kept and usual.get(name) != part
        ]
    return f"The address asks for {listed(lost)}, which is not understood." if lost else ""


def quoted(text: str) -> str:
    """Typed text as a sentence quotes it: bounded, and without signs that cannot be shown."""
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:60])
    return f"“{shown}”"

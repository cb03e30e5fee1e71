"""Numbers as people and files write them: a decimal point, no separators.

A field that one person fills also takes separators that cannot be a decimal comma.

Both `1.234` and `1,234` are read in two ways around the world, so loaded files, fields, addresses
and command lines accept one form only; anything else is refused with how to write it.
"""

import re
from decimal import Decimal

from program.text import invisible

SEPARATOR = "[,'_ \u00a0\u2009\u202f\u2019]"
MOST_DIGITS, MOST_DECIMALS = 40, 6
MOST_WHOLE_DIGITS = 18
_PLAIN = re.compile(rf"-?[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?", flags=re.ASCII)
_WHOLE = re.compile(rf"-?[0-9]{{1,{MOST_WHOLE_DIGITS}}}", flags=re.ASCII)

# Wrong formats and the error for each; the first match counts. An error may name {plain}, the text
# without separators, and {point}, with a point for the comma.
WRONG_WAYS: tuple[tuple[str, str], ...] = (
    (
        "[$\u00a2-\u00a5\u20a0-\u20cf\ufe69\uff04]|^(?!UID)[A-Z]{3} ?[0-9]|[0-9] ?(USD|EUR|USDT)$",
        "has a currency sign; write only the number",
    ),
    (r"(?i)^[+-]?s?nan[0-9]*$", "is not a number; write the amount, or leave the row out"),
    (r"(?i)^[+-]?inf(inity)?$|∞", "is infinite; write the amount"),
    (r"(?![0-9])\d", "has digits other than 0 to 9; write it with those"),
    (r"(?i)^[+-]?0[xob]", "is not written in decimal digits; write it with 0 to 9"),
    (r"^[+-]?[0-9.,]+[eE][+-]?[0-9]+$", "is written with an exponent; write all its digits"),
    (r"%", "is a percentage; write the number itself"),
    (
        rf"^[+-]?[1-9][0-9]{{0,2}}({SEPARATOR}[0-9]{{3}})+(\.[0-9]*)?$|^[0-9]+(_[0-9]+)+$",
        "has a thousands separator; write `{plain}`",
    ),
    (r"^[+-]?[0-9.]*,[0-9]+$", "has a decimal comma; write `{point}`"),
    (r"^\+", "has a plus sign; leave it out"),
    (r"^[−–—]", "has a dash for a minus sign; write -"),
    (r"^-?\.[0-9]", "starts with a point; write a 0 before it"),
    (r"^-?[0-9]+\.$", "ends in a point; remove it"),
)
# Further errors for a single typed number, checked before and after those.
_FIRST_WAYS = (
    (r"^\s*\Z", "is empty; write digits"),
    (r"^\s|\s\Z", "has spaces around it; remove them"),
    (r"(?i)^[+-]?s?nan[0-9]*$", "is not a number; write digits"),
    (r"(?i)^[+-]?inf(inity)?$|∞", "is infinite; leave an open end empty"),
)
_OTHER_WAYS: tuple[tuple[str, str], ...] = (
    (r"^-?[0-9]+(\.[0-9]{3}){2,}$", "has points between its digits; write `{joined}`"),
    (r"^[0-9]{1,3}([ '.\u2019][0-9]{3})+,[0-9]+$", "has a decimal comma; write `{point}`"),
    (rf"^-?[0-9]{{{MOST_DIGITS + 1},}}(\.[0-9]+)?$", "is too large"),
    (rf"\.[0-9]{{{MOST_DECIMALS + 1},}}$", f"has more than {MOST_DECIMALS} decimals; round it"),
    (r"", "is not a number; write it like 1234.50"),
)
_OTHER_WAYS_WHOLE: tuple[tuple[str, str], ...] = (
    (r"^-?[0-9]+(\.[0-9]{3}){2,}$", "has points between its digits; write `{joined}`"),
    (r"^-?[0-9]+\.[0-9]+$", "is not a whole number; write it without decimals"),
    (r"^-?[0-9]+\Z", "is too large"),
    (r"", "is not a whole number; write digits only"),
)


class NotANumber(ValueError):
    """The text is not a number; the message completes a sentence that begins with the text."""


def read(text: str, *, whole: bool = False) -> Decimal:
    """Parse ``text``. Raises `NotANumber` with what is wrong and what to write."""
    if (_WHOLE if whole else _PLAIN).fullmatch(text):
        number = Decimal(text)
        # There is one zero.
        return number or number.copy_abs()
    raise NotANumber(reason(text, whole=whole))


# Separated by one sign throughout. One group after a comma may be decimals.
_GROUPED = re.compile(
    "[0-9]{1,3}(?P<sign>[,' \u00a0\u2009\u202f\u2019])[0-9]{3}((?P=sign)[0-9]{3})*([.][0-9]+)?"
)


def read_typed(text: str, *, whole: bool = False) -> Decimal:
    """Parse what a person typed: as `read`, and also `5,000,000` and `5,000` if it is whole.

    Spaces around it, and what nobody sees, do not count.
    """
    text = as_seen(text)
    grouped = _GROUPED.fullmatch(text)
    if grouped and (whole or grouped["sign"] != "," or text.count(",") > 1 or "." in text):
        text = text.replace(grouped["sign"], "")
    return read(text, whole=whole)


def as_seen(text: str) -> str:
    """Return what a person sees of a number that was typed or pasted.

    Phones and spreadsheets add direction marks, zero-width and non-breaking spaces.
    """
    return invisible.clean(text).text


def reason(text: str, *, whole: bool = False) -> str:
    """Return why ``text`` is not a number."""
    others = _OTHER_WAYS_WHOLE if whole else _OTHER_WAYS
    ways = (*_FIRST_WAYS, *WRONG_WAYS, *others)
    words = next(words for pattern, words in ways if re.search(pattern, text))
    return words.format(**rewritten(text))


def rewritten(text: str) -> dict[str, str]:
    """Return the text as it may have been meant, by assumption."""
    return {
        "plain": re.sub(SEPARATOR, "", text),
        "point": re.sub("[ '.\u2019]", "", text).replace(",", "."),
        "joined": text.replace(".", ""),
    }

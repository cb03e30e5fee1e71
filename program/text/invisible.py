"""Invisible characters: which ones carry meaning, and text without the others.

Text copied from a contact list or a chat contains direction marks; spreadsheets add non-breaking
spaces and hyphens. A joiner within an emoji or a Persian word, and the tags of a flag, are part of
the spelling.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from program.text.folding import ZERO_WIDTH

# The Braille pattern without dots.
BLANK = "\u2800"
ZWNJ, ZWJ = "\u200c", "\u200d"
FLAG, END_OF_TAGS = "\U0001f3f4", "\U000e007f"
TAG_FLAG = re.compile(f"{FLAG}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{{3,6}}{END_OF_TAGS}")
# Scripts whose spelling needs joiners: Arabic to Mandaic, Indic to Sinhala, Tibetan to Khmer,
# Mongolian, and their extensions.
JOINING = (
    (0x0600, 0x08FF),
    (0x0900, 0x0DFF),
    (0x0F00, 0x109F),
    (0x1780, 0x18AF),
    (0xA8E0, 0xA8FF),
    (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFC),
)
EMOJI = (
    (0x1F000, 0x1FAFF),
    (0x2190, 0x21FF),
    (0x2300, 0x27BF),
    (0x2B00, 0x2BFF),
    (0xFE0F, 0xFE0F),
    (0xE0020, 0xE007F),
)
# Non-breaking hyphens.
HYPHENS = str.maketrans({"\u2010": "-", "\u2011": "-"})
# Format characters that are visible: signs that enclose numbers and verses.
SEEN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Cleaned text, and its changes in words; "" if there are none."""

    text: str
    changes: str


def shows_nothing(text: str) -> bool:
    """Whether the text has no visible character."""
    left = re.sub(f"{ZERO_WIDTH}|{BLANK}", "", unicodedata.normalize("NFKC", text))
    return all(sign.isspace() or _is_hidden(sign) for sign in left)


def clean(text: str) -> Cleaned:
    """Remove meaningless invisible characters and normalize hyphens and spaces.

    Control characters other than white space stay: they indicate damage, which must be visible.
    """
    if text.isascii():
        return Cleaned(" ".join(text.split()), "")
    taken = meaningless(text)
    kept = "".join(sign for at, sign in enumerate(text) if at not in taken)
    plain = kept.translate(HYPHENS)
    parts = []
    if taken:
        counted = Counter(_name(text[at]) for at in sorted(taken))
        parts.append("without " + ", ".join(_times(name, n) for name, n in counted.items()))
    if plain != kept:
        parts.append("with ordinary hyphens for non-breaking ones")
    return Cleaned(" ".join(plain.split()), " and ".join(parts))


def first_wrong(text: str) -> str:
    """Return the first character that stored text may not contain; "" if there is none."""
    taken = meaningless(text)
    return next(
        (
            sign
            for at, sign in enumerate(text)
            if at in taken or unicodedata.category(sign) in ("Cc", "Zl", "Zp")
        ),
        "",
    )


def meaningless(text: str) -> frozenset[int]:
    """Return the indexes of format characters (Cf) that have no meaning at their place."""
    flags = {at for flag in TAG_FLAG.finditer(text) for at in range(*flag.span())}
    return frozenset(
        at
        for at, sign in enumerate(text)
        if unicodedata.category(sign) == "Cf"
        and sign not in SEEN
        and at not in flags
        and not _joins(text, at)
    )


def _is_hidden(sign: str) -> bool:
    """Whether it is an invisible control or format character."""
    return unicodedata.category(sign) in ("Cc", "Cf") and sign not in SEEN


def _joins(text: str, at: int) -> bool:
    sign, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if sign not in (ZWJ, ZWNJ) or not before or not after:
        return False
    if sign == ZWJ and _within(before, EMOJI) and _within(after, EMOJI):
        return True
    # Some Indic words end in a joiner, so the next character may be of another script.
    return _within(before, JOINING) and (_within(after, JOINING) or sign == ZWJ)


def _within(sign: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(sign) <= last for first, last in ranges)


def _name(sign: str) -> str:
    return f"U+{ord(sign):04X} {unicodedata.name(sign, 'an invisible character')}"


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{count} x {name}"

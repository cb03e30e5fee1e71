"""Fold text for comparison: one spelling for all the ways in which people type a word.

``review.folded`` in the database is the same; its tables are frozen in a migration.
"""

import re
import unicodedata

# European letters, whose lower case is the same in every version of Unicode.
_CASED = (*range(0x41, 0x590), *range(0x1E00, 0x2000))
# Also: the Greek final sigma, and the two Turkish letters i.
_UNIFIED = {"\u03c2": "\u03c3", "\u0130": "i", "\u0131": "i"}
LOWER: dict[int, str] = {
    code: lower for code in _CASED if len(lower := chr(code).lower()) == 1 and lower != chr(code)
} | {ord(sign): lower for sign, lower in _UNIFIED.items()}
# Replacements with more than one character on a side, applied after lower-casing.
SPELLED: tuple[tuple[str, str], ...] = (("\u00df", "ss"), ("i\u0307", "i"))

# Characters without width, and the spaces that NFKC leaves.
ZERO_WIDTH = (
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
# Spaces, punctuation and symbols, in ranges that Postgres reads the same way.
SEPARATORS = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf"
    r"\u00d7\u00f7\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff"
    r"\u3000-\u3004\u3008-\u3020\u3030\u30fb\U0001f000-\U0001faff]"
)
# Word separators; NFKC has turned the other spaces into plain ones.
SPACES = r"[ \u0009-\u000d\u001c-\u001f\u0085\u1680\u2028\u2029]+"
# Longer than anything real; folded text is stored in indexes.
LONGEST_FOLDED = 2_000
LONGEST_WORD = 100


def folded(typed: str) -> str:
    """Return the text in NFKC and lower case, without invisible characters."""
    text = typed[:LONGEST_FOLDED]
    if not text.isascii():
        text = re.sub(ZERO_WIDTH, "", unicodedata.normalize("NFKC", text))
    text = text.translate(LOWER)
    for several, one in SPELLED:
        text = text.replace(several, one)
    return text


def name_key(typed: str) -> str:
    """Return the key by which user-given names are compared: folded, with single spaces."""
    return re.sub(SPACES, " ", folded(typed)).strip(" ")


def word(typed: str) -> str:
    """Return only letters and digits, at most 100: ``E-mail`` and ``e mail`` give the same.

    Text of only symbols is returned as it is, so that it does not count as empty.
    """
    text = folded(typed)
    # Removing separators may join characters that now compose.
    letters = unicodedata.normalize("NFKC", re.sub(SEPARATORS, "", text))
    return (letters or text.strip(" "))[:LONGEST_WORD]

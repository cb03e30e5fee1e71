"""Text as it is compared: one spelling for all the ways in which people type the same word.

``review.folded`` in the database does the same; what it depends on is frozen in a migration.
"""

import re
import unicodedata

# European letters have a lower case that every version of Unicode agrees on.
_CASED = (*range(0x41, 0x590), *range(0x1E00, 0x2000))
# Besides, one Greek letter has a form for the end of a word, and Turkish has two letters i.
_UNIFIED = {"\u03c2": "\u03c3", "\u0130": "i", "\u0131": "i"}
LOWER: dict[int, str] = {
    code: lower for code in _CASED if len(lower := chr(code).lower()) == 1 and lower != chr(code)
} | {ord(sign): lower for sign, lower in _UNIFIED.items()}
# Several characters that stand for one, or one for several; after everything is in lower case.
SPELLED: tuple[tuple[str, str], ...] = (("\u00df", "ss"), ("i\u0307", "i"))

# What takes no room on the page, and what NFKC leaves of Unicode's spaces.
ZERO_WIDTH = (
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
# Spaces, punctuation and symbols, which are no part of a name; in ranges that Postgres reads alike.
SEPARATORS = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf"
    r"\u00d7\u00f7\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff"
    r"\u3000-\u3004\u3008-\u3020\u3030\u30fb\U0001f000-\U0001faff]"
)
# What a text is split at into words: NFKC has made the other spaces plain ones.
SPACES = r"[ \u0009-\u000d\u001c-\u001f\u0085\u1680\u2028\u2029]+"
# Nothing real is longer, and what is compared is kept in indexes.
LONGEST_FOLDED = 2_000
LONGEST_WORD = 100


def folded(typed: str) -> str:
    """In lower case, composed, full-width as plain letters, without invisible characters."""
    text = typed[:LONGEST_FOLDED]
    if not text.isascii():
        text = re.sub(ZERO_WIDTH, "", unicodedata.normalize("NFKC", text))
    text = text.translate(LOWER)
    for several, one in SPELLED:
        text = text.replace(several, one)
    return text


def name_key(typed: str) -> str:
    """What a name that somebody gave is compared by: folded, with single spaces inside."""
    return re.sub(SPACES, " ", folded(typed)).strip(" ")


def word(typed: str) -> str:
    """The letters and digits alone: of ``E-mail`` and ``e mail`` the same; at most 100.

    A text of signs alone stays itself, so that it is not taken for an empty one.
    """
    text = folded(typed)
    # What stood apart may now compose with what stood before it.
    letters = unicodedata.normalize("NFKC", re.sub(SEPARATORS, "", text))
    return (letters or text.strip(" "))[:LONGEST_WORD]

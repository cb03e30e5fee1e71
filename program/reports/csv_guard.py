"""Text that a spreadsheet would run as a formula, and how CSV files prevent it.

A spreadsheet takes a cell for a formula if it begins with one of a few signs, full-width forms
included, and some skip spaces first. A file may also be opened with ``;`` or a tab as separator, as
in half of the world: then a cell begins after each of those and after each line break, since
quotation marks no longer enclose the text.

In CSV an apostrophe is inserted wherever such a cell would begin, also before existing apostrophes,
so that removing one at each place restores the text.
"""

import re

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
# Text that begins with one of these gets an apostrophe too.
LEADING_BREAKS = "\t\r\n"
# After these a cell begins for a reader with another separator.
BREAKS = ";\t\n\r"
# Skipped before a sign; includes the apostrophe, so that guarding can be undone.
SKIPPED = "'\" \u00a0\u3000\ufeff\u200b"
GUARD = "'"


def _one_of(signs: str) -> str:
    """A character class, written for both Python and Postgres."""
    return "[" + "".join(f"\\u{ord(sign):04x}" for sign in signs) + "]"


_BEGINS = f"{_one_of(SKIPPED)}*{_one_of(SIGNS)}"
_BEGINS_TEXT = f"{_one_of(SKIPPED)}*{_one_of(SIGNS + LEADING_BREAKS)}"
# Where to insert an apostrophe: zero-width, so that adjacent places all match.
PLACES = f"\\A(?={_BEGINS_TEXT})|(?<={_one_of(BREAKS)})(?={_BEGINS})"
_PLACES = re.compile(PLACES)


def is_dangerous(text: str) -> bool:
    """Whether a spreadsheet might run the text as a formula, or the text looks guarded."""
    return text.lstrip(SKIPPED)[:1] in tuple(SIGNS + LEADING_BREAKS)


def guarded(text: str) -> str:
    """Return the text as CSV stores it."""
    return _PLACES.sub(GUARD, text)

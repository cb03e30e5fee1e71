"""Text that a spreadsheet would run, and how a CSV file keeps it from running.

A spreadsheet takes a cell for a formula that begins with one of a few signs, full-width twins
included, and some look past spaces first. A file may also be opened with ``;`` or a tab for a
separator, as spreadsheets of half the world do: then a cell begins behind each of those, and
behind a line's end, since quotation marks no longer hold a text together.

In CSV an apostrophe stands wherever such a cell would begin; also where apostrophes stand
before the sign already, so that one can be taken off again at each place and nothing is lost.
"""

import re

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
# A text that begins with one of these is led by an apostrophe as well.
LEADING_BREAKS = "\t\r\n"
# Behind these a cell begins for a reader that splits lines at another separator.
BREAKS = ";\t\n\r"
# Looked past, in front of a sign; apostrophes among them, so that guarding can be undone.
LOOKED_PAST = "'\" \u00a0\u3000\ufeff\u200b"
GUARD = "'"


def _one_of(signs: str) -> str:
    """A class of signs, spelled alike for Python and Postgres."""
    return "[" + "".join(f"\\u{ord(sign):04x}" for sign in signs) + "]"


_BEGINS = f"{_one_of(LOOKED_PAST)}*{_one_of(SIGNS)}"
_BEGINS_TEXT = f"{_one_of(LOOKED_PAST)}*{_one_of(SIGNS + LEADING_BREAKS)}"
# Where an apostrophe belongs: nothing is consumed, so places may follow each other closely.
PLACES = f"\\A(?={_BEGINS_TEXT})|(?<={_one_of(BREAKS)})(?={_BEGINS})"
_PLACES = re.compile(PLACES)
_GUARDS = re.compile(f"\\A{GUARD}(?={_BEGINS_TEXT})|(?<={_one_of(BREAKS)}){GUARD}(?={_BEGINS})")


def is_dangerous(text: str) -> bool:
    """Whether a spreadsheet might run it as a cell, or it looks like something guarded."""
    return text.lstrip(LOOKED_PAST)[:1] in tuple(SIGNS + LEADING_BREAKS)


def guarded(text: str) -> str:
    """The text as CSV keeps it."""
    return _PLACES.sub(GUARD, text)


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return _GUARDS.sub("", text)

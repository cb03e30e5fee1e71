"""Text that a spreadsheet would run, and how a file keeps it from running.

A spreadsheet takes a cell for a formula that begins with one of a few signs, full-width twins
included, and some look past spaces first. In CSV such text is led by an apostrophe; so is text
that already begins with apostrophes before such a sign, so that one apostrophe can be taken
off again and nothing is lost.
"""

SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
# Looked past, in front of a sign; apostrophes among them, so that guarding can be undone.
LOOKED_PAST = "' \u00a0\u3000\ufeff\u200b"
GUARD = "'"


def is_dangerous(text: str) -> bool:
    """Whether a spreadsheet might run it, or it looks like something guarded."""
    return text.lstrip(LOOKED_PAST)[:1] in tuple(SIGNS)


def guarded(text: str) -> str:
    """The text as CSV keeps it."""
    return GUARD + text if is_dangerous(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text.removeprefix(GUARD) if is_dangerous(text) else text

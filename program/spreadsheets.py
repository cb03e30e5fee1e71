"""What a spreadsheet would run instead of show."""

# A spreadsheet runs what begins with one of these, or with its full-width twin.
FORMULA_SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def guarded(text: str) -> str:
    """``text`` as a cell that is only ever shown."""
    return f"'{text}" if text[:1] and text[0] in FORMULA_SIGNS else text

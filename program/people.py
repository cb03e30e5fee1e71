"""Who somebody is: one normal form of a person's address, the same in Python and in SQL.

Only what both fold alike is folded: the blanks around, and the 26 letters of ASCII. Whatever else
Unicode calls the same letter differs by version and by server, so an address of a member of staff
holds nothing else.
"""

from string import ascii_lowercase, ascii_uppercase

BLANKS = " \t\n\r\f\v"
LONGEST = 254
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def normal(address: str) -> str:
    """The form in which an address is stored and compared; ``review.person`` is the same in SQL."""
    return address.strip(BLANKS).translate(_SMALL)


def same(one: str | None, other: str | None) -> bool:
    """Whether both are given and name one person."""
    return one is not None and other is not None and normal(one) == normal(other)


def fault(address: str) -> str | None:
    """Why this cannot be the address of a member of staff, a sentence; ``None`` if it can."""
    text = normal(address)
    if not text:
        return "The address is empty."
    if len(text) > LONGEST:
        return f"The address has {len(text):,} characters; {LONGEST} fit."
    if not all("!" <= sign <= "~" for sign in text):
        return (
            "The address holds a blank or a letter outside of a to z. People are told apart by "
            "letters, digits and signs of ASCII: use such an address."
        )
    return None

"""Who somebody is: one normal form of a person's address, the same in Python and in SQL.

Only what both fold alike is folded: the blanks around, and the 26 letters of ASCII. Whatever else
Unicode calls the same letter differs by version and by server, so an address of a member of staff
holds nothing else. A domain in other letters becomes its ASCII form (IDNA) here, at the door;
Postgres has no such table, so there an address that came past the door is asked for in both
`spellings`.
"""

from string import ascii_lowercase, ascii_uppercase

import idna

from program.text.mail_addresses import domain_in_ascii

BLANKS = " \t\n\r\f\v"
LONGEST = 254
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def normal(address: str) -> str:
    """The form in which an address is stored and compared.

    ``review.person`` is the same in SQL, but for the domain in letters beyond ASCII.
    """
    text = address.strip(BLANKS).translate(_SMALL)
    local, at, domain = text.rpartition("@")
    if domain.isascii() or len(domain) > LONGEST:
        return text
    return f"{local}{at}{domain_in_ascii(domain) or domain}"


def spellings(address: str) -> tuple[str, ...]:
    """The normal form, and that with its domain in letters beyond ASCII where it has such."""
    text = normal(address)
    local, at, domain = text.rpartition("@")
    try:
        written = idna.decode(domain) if at and "xn--" in domain else domain
    except UnicodeError:
        return (text,)
    return tuple(dict.fromkeys((text, f"{local}{at}{written}")))


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
            "The address contains a space or a letter outside of a to z. Use an address of "
            "ASCII letters, digits and signs."
        )
    return None

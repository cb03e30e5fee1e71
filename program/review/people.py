"""People's addresses: one normal form, the same in Python and in SQL.

Only what both fold in the same way is folded: outer blanks, and the 26 ASCII letters. Other case
rules of Unicode differ by version and by server, so staff addresses contain ASCII only. A domain in
other letters is converted to its ASCII form (IDNA) here. Postgres has no such conversion, so an
address that was stored unconverted is looked up in both `spellings`.
"""

from string import ascii_lowercase, ascii_uppercase

import idna

from program.text.mail_addresses import domain_in_ascii

BLANKS = " \t\n\r\f\v"
LONGEST = 254
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def normal(address: str) -> str:
    """Return the form in which an address is stored and compared.

    ``review.person`` is the same in SQL, except for domains in letters beyond ASCII.
    """
    text = address.strip(BLANKS).translate(_SMALL)
    local, at, domain = text.rpartition("@")
    if domain.isascii() or len(domain) > LONGEST:
        return text
    return f"{local}{at}{domain_in_ascii(domain) or domain}"


def spellings(address: str) -> tuple[str, ...]:
    """Return the normal form and, for a non-ASCII domain, the form with that domain."""
    text = normal(address)
    local, at, domain = text.rpartition("@")
    try:
        written = idna.decode(domain) if at and "xn--" in domain else domain
    except UnicodeError:
        return (text,)
    return tuple(dict.fromkeys((text, f"{local}{at}{written}")))


def same(one: str | None, other: str | None) -> bool:
    """Whether both are given and name the same person."""
    return one is not None and other is not None and normal(one) == normal(other)


def fault(address: str) -> str | None:
    """Return why this cannot be a staff address, as a sentence; ``None`` if it can."""
    text = normal(address)
    if not text:
        return "The address is empty."
    if len(text) > LONGEST:
        return f"The address has {len(text):,} characters; the limit is {LONGEST}."
    if not all("!" <= sign <= "~" for sign in text):
        return (
            "The address contains a space or a letter outside of a to z. Use an address of "
            "ASCII letters, digits and signs."
        )
    return None

"""Email addresses as people type or paste them, and as mail servers accept them."""

import re
import unicodedata
from urllib.parse import unquote

import idna

LONGEST = 254
LONGEST_LOCAL = 64
LINK = "mailto:"
# One address, without characters that a mail header could read as something else.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,190}}\Z)(?:{_LABEL}\.)+(?:[A-Za-z]{{2,63}}|[Xx][Nn]--{_LABEL})")


def bare(typed: str) -> str:
    """Strip outer spaces and a ``mailto:`` link around the address."""
    text = typed.strip()
    if text[: len(LINK)].lower() != LINK:
        return text
    return unquote(text[len(LINK) :].partition("?")[0]).strip().removeprefix("//")


def mail_address(typed: str) -> str | None:
    """Return the address with its domain in ASCII, ready to send to; ``None`` if it is invalid.

    The local part may contain letters beyond ASCII, which not every server accepts.
    """
    text = unicodedata.normalize("NFC", bare(typed))
    if len(text) > LONGEST:
        return None
    local, _, domain = text.rpartition("@")
    host = domain_in_ascii(domain)
    whole = f"{local}@{host}"
    if not _is_local(local) or not _DOMAIN.fullmatch(host):
        return None
    fits = len(local.encode()) <= LONGEST_LOCAL and len(whole.encode()) <= LONGEST
    return whole if fits else None


def _is_local(text: str) -> bool:
    dotted = text.startswith(".") or text.endswith(".") or ".." in text
    hidden = any(unicodedata.category(sign)[0] in "CZ" for sign in text)
    return _LOCAL.fullmatch(text) is not None and not dotted and not hidden


def domain_in_ascii(domain: str) -> str:
    """Convert the domain to ASCII (IDNA); "" if it is not a valid domain."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""

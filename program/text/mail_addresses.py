"""Mail addresses as people type or paste them, and as mail servers take them."""

import re
import unicodedata
from urllib.parse import unquote

import idna

LONGEST = 254
LONGEST_LOCAL = 64
LINK = "mailto:"
# One address and nothing that a mail header could take for anything else.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,190}}\Z)(?:{_LABEL}\.)+(?:[A-Za-z]{{2,63}}|[Xx][Nn]--{_LABEL})")


def bare(typed: str) -> str:
    """What was typed without blanks around it, and out of a ``mailto:`` link."""
    text = typed.strip()
    if text[: len(LINK)].lower() != LINK:
        return text
    return unquote(text[len(LINK) :].partition("?")[0]).strip().removeprefix("//")


def mail_address(typed: str) -> str | None:
    """The address with its domain in ASCII, as it is sent to; ``None`` where it is none.

    What is before the @ may hold letters beyond ASCII, which not every server takes.
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
    """The domain as it stands in the net, which is ASCII; nothing where it cannot be one."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""

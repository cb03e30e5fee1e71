"""The queue search: people by a part of a name, a link, a phone number or an id.

`data_access/applications/searching.py` runs it in SQL, also for affiliates and Explore.

``review.search_text`` in the database returns the same text as `search_text`.
"""

import re
from dataclasses import dataclass

from program.text.folding import folded
from program.text.handles import dialed, identity, identity_key
from program.text.links import IdentifierKind

SHORTEST_DIGITS = 4
# An id as people quote it, and the address of one of our pages.
NUMBER = re.compile(r"#? ?([0-9]{1,19})")
OUR_PAGE = re.compile(r"https?://[^/?#]+/application/?\?(?:[^#]*&)?id=([0-9]{1,19})(?:[&#].*)?")
SCHEME = re.compile(r"(?:https?:)?//(?:www\.)?")
LARGEST_ID = 2**63 - 1


def search_text(typed: str) -> str:
    """Return the searchable text of a name, handle or contact: folded, plus a phone's digits."""
    text = folded(typed)
    digits = dialed(text)
    return f"{text} {digits}" if digits else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a search looks for: any of these texts, the person it names, or an id.

    ``texts`` are parts of `search_text`; ``key`` is an `identity_key`, or empty.
    """

    texts: tuple[str, ...]
    key: str = ""
    number: int | None = None


def sought(term: str) -> Sought:
    """Parse a typed or pasted search term."""
    text = folded(term).strip()
    number = NUMBER.fullmatch(text) or OUR_PAGE.fullmatch(text)
    part = SCHEME.sub("", text).lstrip("@").rstrip("/")
    found = identity("", term)
    return Sought(
        texts=tuple(dict.fromkeys([part, *_named(term)])),
        # A name without a platform identifies nobody.
        key=identity_key("", term)
        if found and (found.platform or found.kind is IdentifierKind.PHONE)
        else "",
        number=int(number[1]) if number and int(number[1]) <= LARGEST_ID else None,
    )


def link_names(text: str) -> str:
    """Return the name in a link, as a search would spell it; empty if it names nobody."""
    found = identity("", text)
    return found.text if found is not None and found.platform else ""


def _named(term: str) -> list[str]:
    """Return the name, number or address in the term that its owner may have spelled otherwise."""
    digits = dialed(folded(term).strip())
    if len(digits) >= SHORTEST_DIGITS:
        # National phone numbers begin with a zero, which the international form omits.
        return [re.sub(r"\A0+(?=[0-9]{4})", "", digits)]
    named = link_names(term)
    return [named] if named else []

"""Searching for people by whatever is at hand: a part of a name, a link, a phone, a number.

``review.search_text`` in the database gives the same text as `search_text`.
"""

import re
from dataclasses import dataclass

from program.text.folding import folded
from program.text.handles import dialed, identity, identity_key
from program.text.links import Kind

SHORTEST_DIGITS = 4
# A number as people quote it, and the address of one of our own pages.
NUMBER = re.compile(r"#? ?([0-9]{1,19})")
OUR_PAGE = re.compile(r"https?://[^/?#]+/application/?\?(?:[^#]*&)?id=([0-9]{1,19})(?:[&#].*)?")
SCHEME = re.compile(r"(?:https?:)?//(?:www\.)?")
LARGEST_ID = 2**63 - 1


def search_text(typed: str) -> str:
    """What is searched of a name, handle or contact: its folded text, and a phone's digits."""
    text = folded(typed)
    digits = dialed(text)
    return f"{text} {digits}" if digits else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a search looks for: any of these texts, the person it names, or an id.

    ``texts`` are parts of what `search_text` gives, ``key`` is one of `identity_key`, or empty.
    """

    texts: tuple[str, ...]
    key: str = ""
    number: int | None = None


def sought(term: str) -> Sought:
    """What a typed or pasted term means."""
    text = folded(term).strip()
    number = NUMBER.fullmatch(text) or OUR_PAGE.fullmatch(text)
    part = SCHEME.sub("", text).lstrip("@").rstrip("/")
    found = identity("", term)
    return Sought(
        texts=tuple(dict.fromkeys([part, *_named(term)])),
        # A bare name is nobody's in particular.
        key=identity_key("", term)
        if found and (found.platform or found.kind is Kind.PHONE)
        else "",
        number=int(number[1]) if number and int(number[1]) <= LARGEST_ID else None,
    )


def link_names(text: str) -> str:
    """Whom a link names, as a search for them would be typed; empty where it names nobody."""
    found = identity("", text)
    return found.text if found is not None and found.platform else ""


def _named(term: str) -> list[str]:
    """What a link, a phone or an address holds that its owner may have typed otherwise."""
    digits = dialed(folded(term).strip())
    if len(digits) >= SHORTEST_DIGITS:
        # Whoever keeps a number for calls within a country leads it by a zero.
        return [re.sub(r"\A0+(?=[0-9]{4})", "", digits)]
    named = link_names(term)
    return [named] if named else []

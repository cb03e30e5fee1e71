"""Records that travel in an address, by one table of parameters for both directions.

What stands in an address is untrusted text: what a parameter does not accept is ignored.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import urlencode

from program import wording

Member = TypeVar("Member", bound=StrEnum)
LAST_PAGE = 1_000_000
# What `Parameter.read` is given and returns; ``None`` where it does not accept the text.
Read = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A field of a record as a query parameter called ``name``; lists are written by `joined`."""

    name: str
    field: str
    read: Read
    write: Callable[[Any], str] = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a screen shows. Each subclass names its ``parameters``; those of its parts it adds."""

    parameters: ClassVar[tuple[Parameter, ...]]

    def to_query(self) -> dict[str, str]:
        """Return the query parameters; defaults are left out."""
        usual = type(self)()
        return {
            one.name: one.write(value)
            for one in self.parameters
            if (value := getattr(self, one.field)) != getattr(usual, one.field)
        }

    @classmethod
    def values(cls, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of the fields that ``query`` sets; anything malformed is ignored."""
        own = (one for one in cls.parameters if one.name in query)
        found = {one.field: one.read(query[one.name]) for one in own}
        return {field: value for field, value in found.items() if value is not None}

    def left_out(self, query: Mapping[str, str]) -> str:
        """Return the sentence that names parts of the address that were not used; "" if all were.

        Pages are never named; in a list each part counts.
        """
        lists = {one.name for one in self.parameters if one.write is joined}
        taken, usual = self.to_query(), self._spelled_out()
        lost = []
        for name, text in query.items():
            parts = text.split(",") if name in lists else [text]
            used = taken.get(name, "").split(",") if name in lists else parts * (name in taken)
            lost += [
                f"{name} {wording.quoted(part)}"
                for part in parts
                if name != "page" and part.strip() and part not in used and usual.get(name) != part
            ]
        if not lost:
            return ""
        return f"The address asks for {wording.listed(lost)}, which is not understood."

    @classmethod
    def _spelled_out(cls) -> dict[str, str]:
        """Return the defaults as an address may spell them out."""
        values = ((one, getattr(cls(), one.field)) for one in cls.parameters)
        return {one.name: one.write(value) for one, value in values if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedRecord(Record):
    """A view of a list, of which a screen shows one page."""

    page: int = 1

    def on_page(self, page: int) -> Self:
        """Return the same view on another page."""
        return replace(self, page=page)

    @property
    def kept(self) -> str:
        """Format the view as one line of text, without its page."""
        return urlencode(self.on_page(1).to_query())


def joined(values: Iterable[object]) -> str:
    """Format the values of a list."""
    return ",".join(str(value) for value in values)


def items(text: str) -> tuple[str, ...]:
    """Accept a list of any texts."""
    return tuple(item for item in text.split(",") if item)


def member(kind: type[Member]) -> Callable[[str], Member | None]:
    """Accept a value of the enumeration."""
    return lambda text: kind(text) if text in tuple(kind) else None


def one_of(choices: Collection[str]) -> Read:
    """Accept one of these texts."""
    return lambda text: text if text and text in choices else None


def matching(pattern: str) -> Read:
    """Accept text that the whole ``pattern`` matches."""
    return lambda text: text if re.fullmatch(pattern, text) else None


def flag(word: str) -> Read:
    """Accept ``word`` for true."""
    return lambda text: True if text == word else None


def whole(text: str) -> int | None:
    """Accept a whole number of at most nine digits."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def page(text: str) -> int | None:
    """Accept the number of a page."""
    number = whole(text)
    return None if number is None else max(1, min(number, LAST_PAGE))


PAGE = Parameter(name="page", field="page", read=page)


def day(text: str) -> date | None:
    """Accept a day such as 2026-03-31."""
    # fromisoformat alone would accept 20260331 and 2026-W14-2.
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

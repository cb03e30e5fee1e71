"""Records as query parameters and back, by one table of parameters for both directions.

What stands in an address is untrusted text: what a parameter does not accept is ignored.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

Member = TypeVar("Member", bound=StrEnum)
LAST_PAGE = 1_000_000
# What `Parameter.read` is given and returns; ``None`` where it does not accept the text.
Read = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A field of a record as a query parameter called ``name``."""

    name: str
    field: str
    read: Read
    write: Callable[[Any], str] = str


def write(record: Any, parameters: Sequence[Parameter]) -> dict[str, str]:  # noqa: ANN401
    """Return the parameters of a record's fields; defaults are left out."""
    usual = type(record)()
    return {
        one.name: one.write(value)
        for one in parameters
        if (value := getattr(record, one.field)) != getattr(usual, one.field)
    }


def read(parameters: Sequence[Parameter], query: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the fields that ``query`` sets."""
    found = {one.field: one.read(query[one.name]) for one in parameters if one.name in query}
    return {field: value for field, value in found.items() if value is not None}


def defaults(kind: type, parameters: Sequence[Parameter]) -> dict[str, str]:
    """Return the defaults of a record's fields as an address may spell them out."""
    values = ((one, getattr(kind(), one.field)) for one in parameters)
    return {one.name: one.write(value) for one, value in values if value}


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


def day(text: str) -> date | None:
    """Accept a day such as 2026-03-31."""
    # fromisoformat alone would accept 20260331 and 2026-W14-2.
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

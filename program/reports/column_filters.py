"""Filters on a dataset's columns: one frozen record per column, by the column's type.

Each is written into the address as a short text and parsed back. The address is untrusted: text
that cannot be parsed is no filter, and the person is told.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import quote, unquote

from program import wording
from program.reports.datasets import NUMBERS, TIMES, TRUTHS, WORDS, ColumnKind, DatasetColumn
from program.text import numbers
from program.text.platforms import platform_key

LONGEST_TEXT = 200
MOST_VALUES = 200
OR_UNKNOWN, UNKNOWN, KNOWN, PART, BETWEEN = "?", "?", "!", "~", ".."
WITHOUT = "!"
WHOLES = (ColumnKind.ID, ColumnKind.WHOLE)
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_LATEST = r"last([0-9]{1,4})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers from ``least`` to ``most``, both included; an open end is ``None``."""

    column: str
    least: Decimal | None = None
    most: Decimal | None = None
    or_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """UTC days from ``first`` to ``last``, both included, or the ``latest`` days before today."""

    column: str
    first: date | None = None
    last: date | None = None
    latest: int | None = None
    or_unknown: bool = False

    def span(self, today: date) -> tuple[date | None, date | None]:
        """Return the first and last day that are meant on the UTC day ``today``."""
        if self.latest is None:
            return self.first, self.last
        return today - timedelta(days=self.latest), today - timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """Any of these values, or if ``without`` any other."""

    column: str
    values: tuple[str, ...]
    or_unknown: bool = False
    without: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains:
    """Text that contains ``part``, in any case."""

    column: str
    part: str
    or_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Only known values, or only unknown ones."""

    column: str
    known: bool


Filter = Range | Days | OneOf | Contains | Known


def parse(column: DatasetColumn, text: str) -> Filter | None:
    """Parse the filter text of a column; ``None`` if it cannot be parsed."""
    if text == KNOWN:
        return Known(column=column.name, known=True)
    if text == UNKNOWN:
        return Known(column=column.name, known=False)
    or_unknown = text.startswith(OR_UNKNOWN)
    rest = text[1:] if or_unknown else text
    if column.kind in NUMBERS:
        return _range(column, rest, or_unknown=or_unknown)
    if column.kind in TIMES:
        return _days(column, rest, or_unknown=or_unknown)
    if column.kind in WORDS and rest.startswith(PART):
        part = clean(rest[1:])
        return Contains(column=column.name, part=part, or_unknown=or_unknown) if part else None
    return _one_of(column, rest, or_unknown=or_unknown)


def refusal(column: DatasetColumn, text: str) -> str:
    """Return a sentence that says why `parse` cannot parse ``text`` and what to write."""
    shown = wording.quoted(text)
    turned = _turned(column, text)
    if turned is not None:
        return (
            f"The filter {shown} on {column.name} ends before it begins; "
            f"write it as {wording.quoted(turned)}."
        )
    if column.kind in TIMES:
        return (
            f"The filter {shown} on {column.name} is not understood: days can be from "
            f"{FIRST_DAY} to {LAST_DAY}; write them like 2026-03-01..2026-03-31, 2026-03-01.. "
            "or last30."
        )
    if column.kind not in NUMBERS:
        allowed = TRUTHS if column.kind is ColumnKind.TRUTH else column.choices
        known = f": it can be {wording.listed(allowed, last='or')}" if allowed else ""
        return f"The filter {shown} on {column.name} is not understood{known}."
    for end in text.removeprefix(OR_UNKNOWN).split(BETWEEN):
        try:
            _end(column, end)
        except numbers.NotANumber as error:
            wrong = f"{wording.quoted(end)} {error}"
            return f"The filter {shown} on {column.name} is not understood: {wrong}."
    return (
        f"The filter {shown} on {column.name} is not understood; "
        "write it like 15..40, 15.. or ..40."
    )


def _turned(column: DatasetColumn, text: str) -> str | None:
    """Return the range in the right order if both ends are valid but reversed."""
    ends = text.removeprefix(OR_UNKNOWN).split(BETWEEN)
    if column.kind not in NUMBERS | TIMES or len(ends) != 2 or not all(ends):
        return None
    turned = BETWEEN.join(reversed(ends))
    return turned if parse(column, turned) is not None else None


def to_text(filter_: Filter) -> str:
    """Format the filter for the address; `parse` parses it back."""
    match filter_:
        case Known():
            return KNOWN if filter_.known else UNKNOWN
        case Range():
            rest = f"{_plain(filter_.least)}..{_plain(filter_.most)}"
        case Days(latest=int(latest)):
            rest = f"last{latest}"
        case Days():
            rest = f"{filter_.first or ''}..{filter_.last or ''}"
        case OneOf():
            # A sign at the beginning would make another filter of it.
            values = (quote(value, safe=" @").replace(PART, "%7E") for value in filter_.values)
            rest = (WITHOUT if filter_.without else "") + ",".join(values)
        case Contains():
            rest = PART + filter_.part
    return (OR_UNKNOWN if filter_.or_unknown else "") + rest


def describe(filter_: Filter) -> str:
    """Describe the filter without its column: ``1,000 or more, or unknown``."""
    match filter_:
        case Known():
            return "known" if filter_.known else "unknown"
        case Range():
            words = _ends(
                *(None if end is None else f"{end:,f}" for end in (filter_.least, filter_.most)),
                after="or more",
                before="or less",
            )
        case Days(latest=int(latest)):
            words = f"the last {latest:,} days" if latest > 1 else "yesterday"
        case Days():
            words = _ends(
                *(
                    None if end is None else wording.day(end)
                    for end in (filter_.first, filter_.last)
                ),
                after="or later",
                before="or earlier",
            )
        case OneOf():
            words = wording.listed(filter_.values, last="or")
            words = f"not {words}" if filter_.without else words
        case Contains():
            words = f"contains {filter_.part}"
    return f"{words}, or unknown" if filter_.or_unknown else words


def clean(text: str) -> str:
    """Bound search text and remove what the database cannot store."""
    kept = "".join(sign for sign in text if sign != "\0" and not "\ud800" <= sign <= "\udfff")
    return kept[:LONGEST_TEXT]


def one_of(
    column: DatasetColumn,
    values: Sequence[str],
    *,
    or_unknown: bool = False,
    without: bool = False,
) -> OneOf | None:
    """Return a filter on these values, each once; ``None`` if the column can hold none of them."""
    allowed = TRUTHS if column.kind is ColumnKind.TRUTH else column.choices
    meant = platform_key if column.is_platform else _same
    kept = dict.fromkeys(key for value in values if (key := meant(clean(value))))
    if allowed:
        if not set(kept) <= set(allowed):
            return None
        kept = dict.fromkeys(value for value in allowed if value in kept)
    if not 0 < len(kept) <= MOST_VALUES:
        return None
    return OneOf(column=column.name, values=tuple(kept), or_unknown=or_unknown, without=without)


def _same(value: str) -> str:
    return value


def _one_of(column: DatasetColumn, text: str, *, or_unknown: bool) -> Filter | None:
    without = text.startswith(WITHOUT)
    values = [unquote(value) for value in text.removeprefix(WITHOUT).split(",")]
    return one_of(column, values, or_unknown=or_unknown, without=without)


def _range(column: DatasetColumn, text: str, *, or_unknown: bool) -> Filter | None:
    ends = text.split(BETWEEN)
    if len(ends) != 2 or not any(ends):
        return None
    try:
        least, most = (_end(column, end) for end in ends)
    except numbers.NotANumber:
        return None
    if least is not None and most is not None and least > most:
        return None
    return Range(column=column.name, least=least, most=most, or_unknown=or_unknown)


def _end(column: DatasetColumn, text: str) -> Decimal | None:
    return numbers.read(text, whole=column.kind in WHOLES) if text else None


def typed_end(column: DatasetColumn, text: str) -> str:
    """Return a typed number as the address has it; what is none stays, for its refusal."""
    seen = numbers.as_seen(text)
    try:
        return _plain(numbers.read_typed(seen, whole=column.kind in WHOLES)) if seen else ""
    except numbers.NotANumber:
        return seen


def _days(column: DatasetColumn, text: str, *, or_unknown: bool) -> Filter | None:
    latest = re.fullmatch(_LATEST, text)
    if latest is not None:
        number = int(latest[1])
        made = Days(column=column.name, latest=number, or_unknown=or_unknown)
        return made if number else None
    found = re.fullmatch(rf"({_DAY})?\.\.({_DAY})?", text)
    if found is None or not any(found.groups()):
        return None
    try:
        first, last = (date.fromisoformat(end) if end else None for end in found.groups())
    except ValueError:
        return None
    if not all(FIRST_DAY <= day <= LAST_DAY for day in (first, last) if day):
        return None
    if first is not None and last is not None and first > last:
        return None
    return Days(column=column.name, first=first, last=last, or_unknown=or_unknown)


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _ends(least: str | None, most: str | None, *, after: str, before: str) -> str:
    if least is not None and most is not None:
        return least if least == most else f"{least} to {most}"
    return f"{least} {after}" if most is None else f"{most} {before}"

"""Explain refused values in words. Rules refuse many values fast; this explains a few of them."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from data_access.loading.kinds import ColumnRule, Form
from program.text import invisible, numbers


@dataclass(frozen=True, slots=True)
class Explanation:
    """A wrong format, and its error.

    The reason may contain ``{plain}`` (without separators), ``{point}`` (a decimal point for the
    comma), ``{day}`` (with hyphens), ``{value}`` and any field of the column's rule.
    """

    pattern: re.Pattern[str]
    reason: str


def _table(*rows: tuple[str, str]) -> tuple[Explanation, ...]:
    return tuple(Explanation(re.compile(pattern), reason) for pattern, reason in rows)


EMPTY = _table((r"^$", "is empty; a value is required"))
SPACED = _table((r"^\s|\s$", "has spaces around it; remove them"))

NUMBER = _table(*numbers.WRONG_WAYS)
WHOLE = NUMBER + _table(
    (r"^-[0-9]+$", "is negative; the least is {minimum}"),
    (r"^-?[0-9]+\.[0-9]+$", "is not a whole number"),
    (r"^0$", "is out of range; the least is {minimum}"),
    (r"^0[0-9]+$", "has leading zeros; remove them"),
    (r"^[0-9]+$", "is out of range; the most is {maximum}"),
    (r"", "is not a whole number; write digits only"),
)
MONEY = NUMBER + _table(
    (r"^-?0[0-9]+(\.[0-9]+)?$", "has leading zeros; remove them"),
)
UNSIGNED_MONEY = _table((r"^-", "is negative; the least is 0"))
TOO_FINE = "has more than {decimals} decimals; round it at the source"
LARGE_MONEY = _table(
    (r"^-?[0-9]{10,}(\.[0-9]+)?$", "is out of range; {digits} digits before the point is the most"),
)
LAST_MONEY = _table((r"", "is not an amount; write it like 1234.50"))

DATE = _table(
    (
        r"(?i)^[+-]?(today|now|yesterday|tomorrow|epoch|infinity|allballs)$",
        "is a word; write the day itself, such as 2026-03-31",
    ),
    (r"(?![0-9])\d", "has digits other than 0 to 9; write it with those"),
    (
        r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-]([0-9]{2}|[0-9]{4})\b",
        "can be read in two ways; write year-month-day, such as 2026-03-31",
    ),
    (r"^[0-9]{5}(\.[0-9]+)?$", "is a spreadsheet's day number; write it like 2026-03-31"),
    (r"^[0-9]{8}$", "lacks its hyphens; write `{day}`"),
    (r"^[0-9]{10,13}$", "is a count of seconds; write it like 2026-03-31"),
    (r"^[0-9]{4}[/.]", "has other signs than hyphens; write it like 2026-03-31"),
    (r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$", "lacks a zero; write it like 2026-03-05"),
)
DAY = DATE + _table(
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", "has a time of day; write only the day"),
    (r"", "is not a day; write it like 2026-03-31"),
)
MOMENT = _table(
    (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "has no time of day; write `{value}T00:00:00Z` if midnight UTC is meant",
    ),
    (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?$",
        "has no time zone; write `{value}Z` if it is UTC",
    ),
    (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}[^:.0-9]",
        "has no seconds; write it like 2026-03-31T10:00:00Z",
    ),
    (r"[.][0-9]{7,}", "is finer than a microsecond; write six digits after the second's point"),
    (
        r"(?i)(utc|gmt|[ce]e?s?t|[ap][sd]t|europe/.*|america/.*|asia/.*)$",
        "names its time zone; write Z for UTC or an offset such as +02:00",
    ),
)
MOMENT_LAST = _table((r"", "is not a time; write it like 2026-03-31T10:00:00Z"))
COUNTRY = _table(
    (r"^[a-z]{2}$", "is in lower case; write `{upper}`"),
    (r"", "is not a country code; write two capital letters, such as DE"),
)

IMPOSSIBLE = "does not exist in the calendar"
IS_DAY = re.compile(r"^([0-9]{4})-([0-9]{2})-([0-9]{2})$")
IS_MOMENT = re.compile(
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
)


def explain(column: ColumnRule, value: str, *, earliest: date, now: datetime) -> str:
    """Return why ``value`` was refused for ``column``; completes a sentence, without full stop."""
    if column.form is Form.TEXT:
        return _text(value)
    if column.form is Form.WORD:
        return _first(EMPTY, column, value) or f"is not one of {', '.join(column.words)}"
    calendar = _calendar(column, value, earliest=earliest, now=now)
    return calendar or _first(_explanations(column), column, value) or "cannot be read"


def _explanations(column: ColumnRule) -> tuple[Explanation, ...]:
    tables = {
        Form.WHOLE: WHOLE,
        Form.MONEY: MONEY
        + (() if column.signed else UNSIGNED_MONEY)
        + _too_fine(column)
        + LARGE_MONEY
        + LAST_MONEY,
        Form.DAY: DAY,
        Form.MOMENT: MOMENT[:2] + DATE + MOMENT[2:] + MOMENT_LAST,
        Form.COUNTRY: COUNTRY,
    }
    return EMPTY + SPACED + tables[column.form]


def _too_fine(column: ColumnRule) -> tuple[Explanation, ...]:
    return _table(
        (rf"^-?[0-9]+\.[0-9]{{{column.decimals + 1},}}$", TOO_FINE),
    )


def _first(table: tuple[Explanation, ...], column: ColumnRule, value: str) -> str | None:
    for explanation in table:
        if explanation.pattern.search(value):
            return explanation.reason.format(
                value=value,
                **numbers.rewritten(value),
                day=f"{value[:4]}-{value[4:6]}-{value[6:8]}",
                upper=value.upper(),
                minimum=column.minimum,
                maximum=column.maximum,
                digits=column.digits,
                decimals=column.decimals,
            )
    return None


def _calendar(column: ColumnRule, value: str, *, earliest: date, now: datetime) -> str | None:
    if column.form is Form.DAY and IS_DAY.match(value) and value.isascii():
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return IMPOSSIBLE
        if day < earliest:
            return f"is before {earliest}, the earliest day accepted"
        return f"is in the future; today is {now:%Y-%m-%d} in UTC"
    if column.form is Form.MOMENT and IS_MOMENT.match(value) and value.isascii():
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return IMPOSSIBLE
        if moment > now:
            return (
                f"is in the future; it is {now:%Y-%m-%dT%H:%M:%SZ} now. Check the clock and the "
                "zone of whatever wrote it"
            )
        if moment.date() <= earliest:
            return f"is before {earliest}, the earliest day accepted"
    return None


def _text(value: str) -> str:
    if invisible.shows_nothing(value):
        return "is empty; a value is required"
    character = invisible.first_wrong(value)
    if character:
        name = unicodedata.name(character, "a control character")
        return f"has an invisible character (U+{ord(character):04X}, {name}); remove it"
    return "is longer than 500 characters"

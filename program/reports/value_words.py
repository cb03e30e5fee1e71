"""What the values of columns are called on screens, and which values a filter takes.

Files, the command line and the address have the values themselves.
"""

from collections.abc import Mapping

from program import wording
from program.policy.criteria import TRACK_WORDS, TRACKS
from program.policy.outcomes import OUTCOME_WORDS
from program.reports.datasets import (
    NUMBERS,
    PEOPLE,
    TIMES,
    TRUTHS,
    ColumnKind,
    DatasetColumn,
)
from program.review.reapplication import RULES
from program.review.workflow import REASONS, STATUS_WORDS
from program.risk.signals import SEVERITY_WORDS

_OUTCOMES = {str(outcome): words for outcome, words in OUTCOME_WORDS.items()}
_JUDGED = ("eligibility", *(track.key for track in TRACKS))
# By column: the words for values that are codes.
VALUE_WORDS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys((*_JUDGED, *(f"snapshot_{name}" for name in _JUDGED)), _OUTCOMES),
    "risk_level": {str(level): words for level, words in SEVERITY_WORDS.items()},
    "track": TRACK_WORDS,
    "snapshot_track": TRACK_WORDS,
    "desk_status": {str(status): words for status, words in STATUS_WORDS.items()},
    "reason_code": {reason.code: reason.label for reason in REASONS},
    "reapply": {rule.key: rule.label for rule in RULES},
}
NUMBERS_TAKEN = {
    ColumnKind.ID: "Whole numbers",
    ColumnKind.WHOLE: "Whole numbers, such as 1500",
    ColumnKind.MONEY: "USD with a point, such as 20000000 or 1234.50",
    ColumnKind.SHARE: "Shares as fractions: 0.2 is 20 %",
    ColumnKind.NUMBER: "Numbers with a point, such as 12.5",
}
COUNTRIES_TAKEN = "Two capital letters of ISO 3166, such as BR."
PLATFORMS_TAKEN = "A platform by any of its names: X and Twitter are the same."
PEOPLE_TAKEN = "Addresses of colleagues; capitals do not matter."
DAYS_TAKEN = "UTC days, such as 2026-03-31; both ends are included."
PARTS_TAKEN = "Any part of the text; capitals do not matter."
OTHERS_TAKEN = "The choices are the most frequent values; others can be typed."


def word(column: str, value: str) -> str:
    """Return what a value of the column is called: itself if it has no other words."""
    return VALUE_WORDS.get(column, {}).get(value, value)


def taken(column: DatasetColumn) -> str:
    """Say which values a filter on the column takes."""
    if column.kind in NUMBERS:
        return f"{NUMBERS_TAKEN[column.kind]}; both ends are included."
    if column.kind in TIMES:
        return DAYS_TAKEN
    if column.kind is ColumnKind.TEXT:
        return PARTS_TAKEN
    return _listed(column) or _described(column)


def _listed(column: DatasetColumn) -> str:
    allowed = TRUTHS if column.kind is ColumnKind.TRUTH else column.choices
    values = allowed or VALUE_WORDS.get(column.name, {})
    if not values:
        return ""
    spelled = [_spelled(column.name, value) for value in values]
    return f"It can be {wording.listed(spelled, last='or')}."


def _spelled(column: str, value: str) -> str:
    words = word(column, value)
    return value if words == value else f"{value} ({words})"


def _described(column: DatasetColumn) -> str:
    if column.name == "country_code":
        return f"{COUNTRIES_TAKEN} {OTHERS_TAKEN}"
    if column.is_platform:
        return f"{PLATFORMS_TAKEN} {OTHERS_TAKEN}"
    return f"{PEOPLE_TAKEN} {OTHERS_TAKEN}" if column.name in PEOPLE else OTHERS_TAKEN

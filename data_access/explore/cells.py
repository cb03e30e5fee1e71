"""How a value is written into a file: as plain text, typed, or guarded for CSV."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Text, case, cast, func, or_

from program.reports import csv_guard
from program.reports.datasets import AMOUNTS, NUMBERS, WORDS, ColumnKind, DatasetColumn

Expression = ColumnElement[Any]
Writer = Callable[[DatasetColumn, Expression], Expression]


def plain(column: DatasetColumn, value: Expression) -> Expression:
    """Format a value as text: times in ISO 8601, booleans as true and false."""
    if column.kind is ColumnKind.MOMENT:
        return utc(value)
    if column.kind is ColumnKind.TRUTH:
        return case((value, "true"), (~value, "false"))
    return value


def typed(column: DatasetColumn, value: Expression) -> Expression:
    """Format a value for a file with types, with the decimals that the file keeps."""
    if column.kind in AMOUNTS and column.scale:
        return cast(value, Numeric(38, column.scale))
    return plain(column, value)


def guarded(column: DatasetColumn, value: Expression) -> Expression:
    """Format a value for CSV, by the rule of ``program.reports.csv_guard``."""
    if column.kind not in WORDS or column.choices:
        return plain(column, value)
    # Most texts need no regular expression, which takes longer than the rest of a cell.
    breaks = or_(*(func.strpos(value, sign) > 0 for sign in csv_guard.BREAKS))
    first = func.ascii(func.ltrim(value, csv_guard.SKIPPED))
    begins = first.in_([ord(sign) for sign in csv_guard.SIGNS + csv_guard.LEADING_BREAKS])
    return case(
        (breaks, func.regexp_replace(value, csv_guard.PLACES, csv_guard.GUARD, "g")),
        (begins, func.concat(csv_guard.GUARD, value)),
        else_=value,
    )


def with_commas(column: DatasetColumn, value: Expression) -> Expression:
    """Format a value for CSV with decimal commas."""
    if column.kind in NUMBERS and column.kind is not ColumnKind.ID:
        return func.replace(cast(plain(column, value), Text), ".", ",")
    return guarded(column, value)


def utc(moment: Expression) -> Expression:
    """Format a time as 2026-03-01T10:00:00Z."""
    # By concatenation, since to_char takes five times as long.
    written = cast(func.timezone("UTC", moment), Text)
    return func.replace(written, " ", "T").concat("Z")

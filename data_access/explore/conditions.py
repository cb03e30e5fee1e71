"""Filters on the columns of a dataset, as SQL."""

from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Numeric,
    Text,
    all_,
    and_,
    any_,
    literal,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from data_access.applications import searching
from data_access.eligibility.judging import JudgingContext
from program.periods import ONE_DAY, day_start, utc_day
from program.reports.column_filters import Contains, Days, Filter, Known, OneOf, Range
from program.reports.datasets import PEOPLE, ColumnKind
from program.review import people
from program.review.searching import sought
from program.text.folding import folded

Expression = ColumnElement[Any]
# Columns that name people, in which a pasted link or phone number is found in any spelling.
NAMING = ("username", "social_handle", "contact_handle")


def condition(
    filter_: Filter, value: Expression, kind: ColumnKind, context: JudgingContext
) -> ColumnElement[bool]:
    """Return a filter on a column's value; every value in it is a parameter."""
    if isinstance(filter_, Known):
        return value.is_not(None) if filter_.known else value.is_(None)
    match filter_:
        case Range():
            found = _range(filter_, value, kind)
        case Days():
            found = _days(filter_, value, kind, context)
        case OneOf():
            found = _one_of(filter_, value, kind)
        case Contains():
            naming = filter_.column in NAMING
            texts = sought(filter_.part).texts if naming else (folded(filter_.part),)
            found = searching.contains(value, texts)
    return or_(found, value.is_(None)) if filter_.or_unknown else found


def _range(filter_: Range, value: Expression, kind: ColumnKind) -> ColumnElement[bool]:
    of: TypeEngine[Any] = BigInteger() if kind in (ColumnKind.ID, ColumnKind.WHOLE) else Numeric()
    ends = []
    if filter_.least is not None:
        ends.append(value >= literal(_number(filter_.least, of), of))
    if filter_.most is not None:
        ends.append(value <= literal(_number(filter_.most, of), of))
    return and_(*ends)


def _number(value: Any, of: TypeEngine[Any]) -> Any:  # noqa: ANN401 - a Decimal or an int
    return int(value) if isinstance(of, BigInteger) else value


def _days(
    filter_: Days, value: Expression, kind: ColumnKind, context: JudgingContext
) -> ColumnElement[bool]:
    first, last = filter_.span(utc_day(context.now))
    of: TypeEngine[Any] = DateTime(timezone=True) if kind is ColumnKind.MOMENT else Date()
    moment = day_start if kind is ColumnKind.MOMENT else _same
    ends = []
    if first is not None:
        ends.append(value >= literal(moment(first), of))
    if last is not None:
        ends.append(value < literal(moment(last + ONE_DAY), of))
    return and_(*ends)


def _same(day: date) -> date:
    return day


def _one_of(filter_: OneOf, value: Expression, kind: ColumnKind) -> ColumnElement[bool]:
    if kind is ColumnKind.TRUTH:
        values = literal([word == "yes" for word in filter_.values], ARRAY(Boolean))
    else:
        named = filter_.column in PEOPLE
        words = [people.normal(word) for word in filter_.values] if named else list(filter_.values)
        values = literal(words, ARRAY(Text))
    return value != all_(values) if filter_.without else value == any_(values)

"""The filters that a cell of a table offers: only its value, without it, from or up to it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from program import wording
from program.periods import ONE_DAY, utc_day
from program.reports import column_filters as filtering
from program.reports.column_filters import Days, Filter, Known, OneOf, Range
from program.reports.datasets import NUMBERS, TIMES, TRUTHS, ColumnKind, DatasetColumn
from program.reports.value_words import word
from program.reports.views import Bucket, View

LONGEST_WORDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A filter that can be added to a view, in words that hold the cell's text."""

    words: str
    filter_: Filter


def offers(view: View, name: str, value: Any) -> tuple[Offer, ...]:  # noqa: ANN401 - any cell
    """Return what a cell of the column ``name`` offers; nothing for a measure of a group.

    A filter of numbers or days keeps its other end. Nothing is offered that the address could not
    hold, or that would drop a filter of another form.
    """
    group = next((one for one in view.groups if one.name == name), None)
    if view.groups and group is None:
        return ()
    column = view.dataset.column(group.column if group else name)
    if column is None:
        return ()
    held = view.filter_on(column.name)
    found = _possible(column, held, value, group.bucket if group else None)
    return tuple(offer for offer in found if offer.filter_ != held and _travels(column, offer))


def _possible(
    column: DatasetColumn,
    held: Filter | None,
    value: Any,  # noqa: ANN401 - any cell
    bucket: Bucket | None,
) -> Iterable[Offer]:
    if value is None:
        return _unknown(column)
    if column.kind in TIMES:
        return _days(column, held, value, bucket)
    if column.kind in NUMBERS:
        return _numbers(column, held, value)
    return _words(column, held, value)


def _unknown(column: DatasetColumn) -> Iterable[Offer]:
    yield Offer(words="Only unknown", filter_=Known(column=column.name, known=False))
    yield Offer(words="Without unknown", filter_=Known(column=column.name, known=True))


def _words(column: DatasetColumn, held: Filter | None, value: Any) -> Iterable[Offer]:  # noqa: ANN401
    text = TRUTHS[not value] if column.kind is ColumnKind.TRUTH else str(value)
    shown = word(column.name, text)
    if len(shown) > LONGEST_WORDS:
        shown = f"{shown[:LONGEST_WORDS]}…"
    only = filtering.one_of(column, [text])
    if only is None or (only.values != (text,) and not column.is_platform):
        # A filter on a part of the text, or on its harmless signs, would be another one.
        return
    yield Offer(words=f"Only {shown}", filter_=only)
    without = _without(column, held, text, only)
    if without is not None:
        yield Offer(words=f"Without {shown}", filter_=without)


def _without(column: DatasetColumn, held: Filter | None, text: str, only: OneOf) -> Filter | None:
    """Return the filter held without the value; unknown values stay as they are."""
    if isinstance(held, OneOf) and not held.without:
        kept = tuple(value for value in held.values if value not in only.values)
        return replace(held, values=kept) if kept else None
    if isinstance(held, OneOf):
        values = (*held.values, text)
        return filtering.one_of(column, values, or_unknown=held.or_unknown, without=True)
    if held is None:
        return filtering.one_of(column, [text], or_unknown=not column.always, without=True)
    if isinstance(held, Known) and held.known:
        return filtering.one_of(column, [text], without=True)
    return None


def _numbers(column: DatasetColumn, held: Filter | None, value: Any) -> Iterable[Offer]:  # noqa: ANN401
    number = Decimal(value)
    ends = held if isinstance(held, Range) else Range(column=column.name)
    shown = f"{number:,f}" if column.kind is not ColumnKind.ID else f"{number:f}"
    exact = Range(column=column.name, least=number, most=number)
    yield Offer(words=f"Only {shown}", filter_=exact)
    if column.kind is not ColumnKind.ID:
        yield Offer(words=f"At least {shown}", filter_=replace(ends, least=number))
        yield Offer(words=f"At most {shown}", filter_=replace(ends, most=number))


def _days(
    column: DatasetColumn,
    held: Filter | None,
    value: Any,  # noqa: ANN401 - a day or a time
    bucket: Bucket | None,
) -> Iterable[Offer]:
    first = utc_day(value) if isinstance(value, datetime) else value
    last, shown = _span(first, bucket)
    ends = Days(column=column.name)
    if isinstance(held, Days) and held.latest is None:
        ends = held
    exact = Days(column=column.name, first=first, last=last)
    yield Offer(words=f"Only {shown}", filter_=exact)
    yield Offer(words=f"From {wording.day(first)}", filter_=replace(ends, first=first))
    yield Offer(words=f"Until {wording.day(last)}", filter_=replace(ends, last=last))


def _span(first: date, bucket: Bucket | None) -> tuple[date, str]:
    """Return the last day that a cell stands for, and its words."""
    last, words = (bucket or Bucket.DAY).end(first) - ONE_DAY, wording.day(first)
    if bucket is Bucket.MONTH:
        words = f"{wording.MONTHS[first.month - 1]} {first.year}"
    elif bucket is Bucket.WEEK:
        words = f"the week from {words}"
    return last, words


def _travels(column: DatasetColumn, offer: Offer) -> bool:
    """Whether the address holds the filter as it is."""
    return filtering.parse(column, filtering.to_text(offer.filter_)) == offer.filter_

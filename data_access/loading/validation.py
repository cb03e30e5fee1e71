"""Validation of values, for all loads: a column of texts at a time."""

import io
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from data_access.loading.explanations import explain
from data_access.loading.kinds import ColumnRule, FactKind, Form
from data_access.loading.problems import Problem, Problems
from program.text import invisible

# Before any such exchange existed; an older day is a mistake and would create a useless partition.
EARLIEST = date(2010, 1, 1)
# Tolerance between two computers' clocks; a later time is a mistake.
CLOCK_SKEW = timedelta(minutes=5)
LONGEST_TEXT = 500
# White space and letters that show nothing: Hangul fillers, the Braille pattern without dots.
SHOWING_NOTHING = r"^[\s\p{Z}\x{3164}\x{ffa0}\x{115f}\x{1160}\x{2800}]*$"
INVISIBLE = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"
DATE_PATTERN = r"20[1-9][0-9]-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
TIME_PATTERN = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
ZONE_PATTERN = r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"
MOMENT_PATTERN = f"^{DATE_PATTERN}[T ]{TIME_PATTERN}{ZONE_PATTERN}$"

Lines = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of a file as texts, and their CSV bytes for COPY.

    ``lines`` holds each row's line, ``faults`` the problems of other lines. ``bytes_done`` counts
    the file's bytes read so far. An empty text means no value, whether the source quoted it, left
    it out or had a null.
    """

    file: str
    columns: dict[str, pa.Array]
    lines: Lines
    payload: bytes
    bytes_done: int
    faults: tuple[Problem, ...] = ()
    blank_rows: int = 0

    def without(self, lines: set[int]) -> "Batch":
        """Return the batch without the rows on those lines."""
        kept = ~np.isin(self.lines, list(lines))
        columns = {name: values.filter(pa.array(kept)) for name, values in self.columns.items()}
        return replace(self, columns=columns, lines=self.lines[kept], payload=as_csv(columns))


def as_csv(columns: dict[str, pa.Array]) -> bytes:
    """Return the rows as CSV, every value quoted."""
    table = pa.table(columns)
    sink = io.BytesIO()
    arrow_csv.write_csv(table, sink, arrow_csv.WriteOptions(include_header=False))
    return sink.getvalue()


def check(batch: Batch, kind: FactKind, problems: Problems, *, now: datetime) -> set[int]:
    """Add the batch's problems to ``problems``, in order of its lines.

    Returns the lines of the problems that were named.
    """
    # Line, column position, and the fault or (row, column) of the refusal.
    wrong: list[tuple[int, int, Problem | tuple[int, str]]] = [
        (fault.line or 0, -1, fault) for fault in batch.faults
    ]
    for position, (name, values) in enumerate(batch.columns.items()):
        rows = np.flatnonzero(refusals(kind.by_name[name], values, now=now))
        problems.more += max(0, len(rows) - problems.room)
        wrong += [
            (int(batch.lines[row]), position, (row, name)) for row in rows[: problems.room].tolist()
        ]
    for line, _, what in sorted(wrong, key=lambda found: found[:2]):
        problems.add(what if isinstance(what, Problem) else _refused(batch, kind, line, *what, now))
    return {line for line, _, _ in wrong}


def _refused(
    batch: Batch, kind: FactKind, line: int, row: int, name: str, now: datetime
) -> Problem:
    value = batch.columns[name][row].as_py()
    reason = explain(kind.by_name[name], value, earliest=EARLIEST, now=now)
    return Problem(file=batch.file, line=line, column=name, value=value, reason=reason)


def refusals(column: ColumnRule, values: pa.Array, *, now: datetime) -> Mask:
    """Return which of the texts the column's rule refuses."""
    wrong = RULES[column.form](column, values, now)
    if column.required or column.form is Form.TEXT:
        return wrong
    empty = _mask(pc.equal(values, ""))
    return wrong & ~empty


def _mask(truths: pa.Array) -> Mask:
    made: Mask = truths.to_numpy(zero_copy_only=False)
    return made


def _mismatch(values: pa.Array, pattern: str) -> Mask:
    matching = pc.match_substring_regex(values, pattern)
    return ~_mask(matching)


def _whole(column: ColumnRule, values: pa.Array, _now: datetime) -> Mask:
    most = str(column.maximum)
    zero = "0|" if column.minimum == 0 else ""
    wrong = _mismatch(values, f"^(?:{zero}[1-9][0-9]{{0,{len(most) - 1}}})$")
    # With equally many digits, text order is numeric order.
    if (pc.max(pc.binary_length(values)).as_py() or 0) >= len(most):
        as_long = pc.equal(pc.binary_length(values), len(most))
        beyond = pc.and_(as_long, pc.greater(values, most))
        wrong |= _mask(beyond)
    return wrong


def _money(column: ColumnRule, values: pa.Array, _now: datetime) -> Mask:
    sign = "-?" if column.signed else ""
    whole = f"(?:0|[1-9][0-9]{{0,{column.digits - 1}}})"
    return _mismatch(values, rf"^{sign}{whole}(?:\.[0-9]{{1,{column.decimals}}})?$")


def _day(_column: ColumnRule, values: pa.Array, now: datetime) -> Mask:
    # A file has few days, each many times.
    today = now.astimezone(UTC).date()
    wrong = [day for day in pc.unique(values).to_pylist() if not _is_day(day, today)]
    return _mask(pc.is_in(values, pa.array(wrong, pa.string())))


def _is_day(text: str, today: date) -> bool:
    # fromisoformat alone would accept 20260331 and 2026-W14-2.
    try:
        return (
            str(date.fromisoformat(text)) == text and EARLIEST <= date.fromisoformat(text) <= today
        )
    except ValueError:
        return False


def _moment(_column: ColumnRule, values: pa.Array, now: datetime) -> Mask:
    wrong = _mismatch(values, MOMENT_PATTERN)
    written = pc.if_else(pa.array(wrong), pa.scalar(None, pa.string()), values)
    try:
        moments = pc.cast(written, pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return np.array([not _is_moment(text, now) for text in written.to_pylist()])
    first = pa.scalar(datetime(EARLIEST.year, EARLIEST.month, EARLIEST.day, tzinfo=UTC))
    outside = pc.or_(pc.greater(moments, pa.scalar(now + CLOCK_SKEW)), pc.less(moments, first))
    return wrong | _mask(pc.fill_null(outside, pa.scalar(value=False)))


def _is_moment(text: str | None, now: datetime) -> bool:
    try:
        return text is not None and datetime.fromisoformat(text) <= now + CLOCK_SKEW
    except ValueError:
        return False


def _text(column: ColumnRule, values: pa.Array, _now: datetime) -> Mask:
    wrong = pc.match_substring_regex(values, INVISIBLE)
    if pc.any(wrong).as_py():
        # Few texts have any, and some need them: joined emoji, Persian words.
        marked = pc.unique(pc.filter(values, wrong)).to_pylist()
        bad = pa.array([text for text in marked if invisible.first_wrong(text)], pa.string())
        wrong = pc.is_in(values, bad)
    wrong = pc.or_(wrong, pc.greater(pc.utf8_length(values), LONGEST_TEXT))
    if column.required:
        wrong = pc.or_(wrong, pc.match_substring_regex(values, SHOWING_NOTHING))
    return _mask(wrong)


def _word(column: ColumnRule, values: pa.Array, _now: datetime) -> Mask:
    return _mask(pc.invert(pc.is_in(values, pa.array(column.words))))


def _country(_column: ColumnRule, values: pa.Array, _now: datetime) -> Mask:
    return _mismatch(values, "^[A-Z]{2}$")


RULES = {
    Form.WHOLE: _whole,
    Form.MONEY: _money,
    Form.DAY: _day,
    Form.MOMENT: _moment,
    Form.TEXT: _text,
    Form.WORD: _word,
    Form.COUNTRY: _country,
}

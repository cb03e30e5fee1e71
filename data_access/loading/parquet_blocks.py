"""Parquet in batches: types are checked here, then values are converted to CSV texts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from data_access.loading.kinds import ColumnRule, FactKind, Form, header_problems
from data_access.loading.problems import Problem, Problems
from data_access.loading.sources import (
    PARQUET,
    SNIFFED,
    Source,
    Unreadable,
    io_reason,
    misnamed,
    unreadable,
)
from data_access.loading.validation import Batch, as_csv

ROWS = 20_000
MOST_DECIMALS = 6
types = pa.types
# What Arrow raises for a damaged file.
DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage type that is refused for some forms, and what to do instead."""

    stored: Callable[[pa.DataType], bool]
    forms: tuple[Form, ...]
    reason: str


REFUSED = (
    Storage(types.is_nested, tuple(Form), "is a nested column; store plain values"),
    Storage(
        types.is_floating,
        tuple(Form),
        "is stored as floating point, which loses digits; store it as {advice}",
    ),
    Storage(
        lambda stored: types.is_timestamp(stored) and stored.tz is None,
        (Form.MOMENT,),
        "is stored as a time without zone; store it as {advice}",
    ),
    Storage(types.is_timestamp, (Form.DAY,), "is stored as a time; store it as {advice}"),
)
TAKEN: dict[Form, tuple[Callable[[pa.DataType], bool], ...]] = {
    Form.WHOLE: (types.is_integer, types.is_decimal),
    Form.MONEY: (types.is_integer, types.is_decimal),
    Form.DAY: (types.is_date,),
    Form.MOMENT: (types.is_timestamp,),
    Form.TEXT: (),
    Form.WORD: (),
    Form.COUNTRY: (),
}
ADVICE = {
    Form.WHOLE: "int64",
    Form.MONEY: "decimal",
    Form.DAY: "date32",
    Form.MOMENT: "a timestamp with zone UTC",
    Form.TEXT: "text",
    Form.WORD: "text",
    Form.COUNTRY: "text",
}


def header_and_batches(
    kind: FactKind, source: Source, problems: Problems
) -> Iterator[list[str] | Batch]:
    """Yield the column names, then the rows in batches, like `csv_blocks`. Raises Unreadable."""
    with unreadable(), source.path.open("rb") as raw:
        start = raw.read(SNIFFED)
    if not start:
        raise Unreadable("is empty")
    if not start.startswith(PARQUET.start):
        raise Unreadable(misnamed(source.path.suffix, PARQUET.what, start))
    # Parquet is read from its end, so the fingerprint needs a pass of its own.
    source.take_fingerprint()
    try:
        yield from _read(kind, source, problems)
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno:
            raise Unreadable(io_reason(error)) from error
        raise Unreadable("is a Parquet file that is cut short or damaged") from error


def _read(kind: FactKind, source: Source, problems: Problems) -> Iterator[list[str] | Batch]:
    with parquet.ParquetFile(source.path, buffer_size=1 << 20, pre_buffer=False) as file:
        schema, total = file.schema_arrow, file.metadata.num_rows
        wrong = header_problems(source.name, schema.names, kind)
        wrong = wrong or _storage_problems(source.name, schema, kind)
        for problem in wrong:
            problems.add(problem)
        if wrong:
            return
        if not total:
            raise Unreadable("has no rows")
        yield schema.names
        row = 1
        for batch in file.iter_batches(batch_size=ROWS):
            columns = {name: _texts(name, batch[name]) for name in schema.names}
            done = int(source.size * (row - 1 + batch.num_rows) / total)
            lines = np.arange(row, row + batch.num_rows, dtype=np.int64)
            row += batch.num_rows
            yield Batch(
                file=source.name,
                columns=columns,
                lines=lines,
                payload=as_csv(columns),
                bytes_done=done,
            )


def _storage_problems(file: str, schema: pa.Schema, kind: FactKind) -> list[Problem]:
    wrong = []
    for field in schema:
        reason = _storage_reason(kind.by_name[field.name], field.type)
        if reason:
            wrong.append(Problem(file=file, column=field.name, reason=reason))
    return wrong


def _is_text(stored: pa.DataType) -> bool:
    kinds = (types.is_string, types.is_large_string, types.is_string_view)
    return any(is_kind(stored) for is_kind in kinds)


def _storage_reason(column: ColumnRule, stored: pa.DataType) -> str | None:
    while types.is_dictionary(stored):
        stored = stored.value_type
    advice = ADVICE[column.form]
    for storage in REFUSED:
        if column.form in storage.forms and storage.stored(stored):
            return storage.reason.format(advice=advice)
    if (
        _is_text(stored)
        or types.is_null(stored)
        or any(test(stored) for test in TAKEN[column.form])
    ):
        return None
    return f"is stored as {stored}; store it as {advice}"


def _texts(name: str, values: pa.Array) -> pa.Array:
    """Return the values as CSV would have them; nulls become empty. Raises Unreadable."""
    while types.is_dictionary(values.type):
        values = _decoded(values)
    texts = _written(values)
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid as error:
        raise Unreadable(f"has text in `{name}` that is not UTF-8") from error
    return pc.fill_null(texts, "")


def _decoded(values: pa.DictionaryArray) -> pa.Array:
    # Arrow cannot take from a dictionary of views.
    words = values.dictionary
    words = pc.cast(words, pa.string()) if _is_text(words.type) else words
    return words.take(values.indices)


def _written(values: pa.Array) -> pa.Array:
    if types.is_timestamp(values.type):
        moments = pc.cast(values, pa.timestamp(values.type.unit, "UTC"))
        texts = pc.strftime(moments, "%Y-%m-%dT%H:%M:%SZ")
        # Nanoseconds matter only if they are not zero.
        return pc.replace_substring_regex(texts, r"(\.[0-9]{6})000Z$", r"\1Z")
    if types.is_decimal(values.type):
        # A large scale is not an error; digits beyond the usual scale are.
        texts = pc.cast(_of_usual_scale(values), pa.string())
        return _trimmed(texts)
    return pc.cast(values, pa.string())


def _trimmed(texts: pa.Array) -> pa.Array:
    without_zeros = pc.replace_substring_regex(texts, r"(\.[0-9]*?)0+$", r"\1")
    return pc.replace_substring_regex(without_zeros, r"\.$", "")


def _of_usual_scale(values: pa.Array) -> pa.Array:
    # Beyond six decimals Arrow would write a zero as 0E-18.
    if values.type.scale <= MOST_DECIMALS:
        return values
    try:
        return pc.cast(values, pa.decimal256(values.type.precision, MOST_DECIMALS))
    except pa.ArrowInvalid:
        return values

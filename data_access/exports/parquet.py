"""Rows as Parquet: decimals as decimals, days as days, times in UTC, text unchanged."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from data_access.exports.copy_stream import CsvStream
from data_access.exports.target import Target
from program.reports.datasets import ColumnKind, DatasetColumn

GROUP_ROWS = 100_000
BLOCK_BYTES = 1 << 20
DIGITS = 38


def write(
    stream: CsvStream,
    columns: Sequence[DatasetColumn],
    target: Target,
    *,
    about: Mapping[str, str],
    progress: Callable[[int], None],
) -> None:
    """Write all rows; ``about`` goes into the file's metadata."""
    types = {column.name: arrow_type(column) for column in columns}
    schema = pa.schema(list(types.items())).with_metadata(dict(about))
    writer = pq.ParquetWriter(target, schema, compression="zstd")
    waiting: list[pa.Table] = []
    for block in _blocks(stream):
        waiting.append(_table(block, types))
        if sum(held.num_rows for held in waiting) >= GROUP_ROWS:
            writer.write_table(pa.concat_tables(waiting).cast(schema))
            waiting.clear()
            progress(stream.row_count)
    if waiting:
        writer.write_table(pa.concat_tables(waiting).cast(schema))
    # Not after an error: only a complete file gets its footer.
    writer.close()


def _blocks(stream: CsvStream) -> Iterator[bytes]:
    """Yield whole rows, about a megabyte at a time.

    They are fetched by the reader and not by Arrow's threads, so that signals are handled while
    waiting for the database.
    """
    pieces = iter(stream)
    next(pieces)  # Skip the header.
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _table(block: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
    return arrow_csv.read_csv(
        pa.py_buffer(block),
        read_options=arrow_csv.ReadOptions(column_names=list(types), block_size=len(block) + 1),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types,
            # COPY writes NULL as nothing and empty text in quotes.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["true"],
            false_values=["false"],
        ),
    )


def arrow_type(column: DatasetColumn) -> pa.DataType:
    """Return the column's type in the file."""
    match column.kind:
        case ColumnKind.ID | ColumnKind.WHOLE:
            return pa.int64()
        case ColumnKind.MONEY | ColumnKind.SHARE | ColumnKind.NUMBER:
            return pa.decimal128(DIGITS, column.scale)
        case ColumnKind.TRUTH:
            return pa.bool_()
        case ColumnKind.DAY:
            return pa.date32()
        case ColumnKind.MOMENT:
            return pa.timestamp("us", tz="UTC")
        case _:
            return pa.string()

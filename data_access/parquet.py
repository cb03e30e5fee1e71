"""Rows as Parquet: decimals as decimals, days as days, times in UTC, text unaltered."""

from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from data_access.copying import CsvFile, CsvStream
from program.datasets import Column, Kind

GROUP_ROWS = 100_000
BLOCK_BYTES = 1 << 20
DIGITS = 38


def write(
    stream: CsvStream,
    columns: Sequence[Column],
    target: BinaryIO,
    *,
    about: Mapping[str, str],
    progress: Callable[[int], None],
) -> None:
    """Write all rows; ``about`` goes into the file's own description."""
    types = {column.name: arrow_type(column) for column in columns}
    schema = pa.schema(list(types.items())).with_metadata(dict(about))
    batches = arrow_csv.open_csv(
        CsvFile(stream),
        read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types,
            # COPY writes NULL as nothing at all and an empty text in quotes.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["true"],
            false_values=["false"],
        ),
    )
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            waiting.append(batch)
            if sum(held.num_rows for held in waiting) >= GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(waiting).cast(schema))
                waiting.clear()
                progress(stream.row_count)
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting).cast(schema))


def arrow_type(column: Column) -> pa.DataType:
    """The type that a column has in the file."""
    match column.kind:
        case Kind.ID | Kind.WHOLE:
            return pa.int64()
        case Kind.MONEY | Kind.SHARE | Kind.NUMBER:
            return pa.decimal128(DIGITS, column.scale)
        case Kind.TRUTH:
            return pa.bool_()
        case Kind.DAY:
            return pa.date32()
        case Kind.MOMENT:
            return pa.timestamp("us", tz="UTC")
        case _:
            return pa.string()

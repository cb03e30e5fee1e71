"""CSV in blocks of whole lines: shape and encoding are checked here, values elsewhere.

A block that is in order goes to COPY as the bytes it came as, so nothing can differ between
what was checked and what is stored.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from data_access.loading.kinds import Kind, header_problems
from data_access.loading.problems import Problem, Problems
from data_access.loading.sources import Source, Unreadable
from data_access.loading.validation import Batch

BLOCK = 2 << 20
LONGEST_LINE = 64 << 10
BOM = b"\xef\xbb\xbf"
UNQUOTED, QUOTED = r'[^",]*', r'"(?:[^"]|"")*"'
WELL_QUOTED = f"(?:{UNQUOTED}|{QUOTED})(?:,(?:{UNQUOTED}|{QUOTED}))*"

Lines = np.ndarray[Any, np.dtype[np.int64]]


def header_and_batches(
    kind: Kind, source: Source, problems: Problems
) -> Iterator[list[str] | Batch]:
    """First the column names, then the rows in batches.

    What is wrong with the header goes into ``problems`` and ends the file. Raises Unreadable.
    """
    with source.opened() as (unpacked, counted):
        blocks = _blocks(unpacked)
        first = next(blocks, b"").removeprefix(BOM)
        head, _, rest = first.partition(b"\n")
        names = _header(source.name, head, kind, problems)
        if not names:
            return
        yield names
        line = 2
        for block in _with_first(rest, blocks):
            yield _batch(source.name, block, names, line, counted.position)
            line += block.count(b"\n")
        if line == 2:
            raise Unreadable("has a header and no rows")


def _batch(file: str, block: bytes, names: list[str], line: int, done: int) -> Batch:
    text, numbers, faults = _sorted_out(block, line, file)
    columns, kept, misshapen = _parsed(text, names, numbers, file)
    return Batch(
        file=file,
        columns=columns,
        lines=kept,
        payload=text,
        bytes_done=done,
        faults=(*faults, *misshapen),
    )


def _with_first(rest: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if rest:
        yield rest
    yield from blocks


def _blocks(unpacked: IO[bytes]) -> Iterator[bytes]:
    held = b""
    while read := unpacked.read(BLOCK):
        cut = read.rfind(b"\n") + 1
        if cut:
            yield held + read[:cut]
            held = read[cut:]
        else:
            held += read
        if len(held) > LONGEST_LINE:
            raise Unreadable(f"has a line of more than {LONGEST_LINE:,} bytes")
    if held:
        # A complete last line may lack its newline.
        yield held + b"\n"


def _header(file: str, head: bytes, kind: Kind, problems: Problems) -> list[str]:
    try:
        text = head.decode().removesuffix("\r")
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8; save it as UTF-8") from error
    if "\r" in text:
        raise Unreadable("ends its lines with a lone carriage return; end them with a line feed")
    if not text:
        raise Unreadable("starts with an empty line; the first must name the columns")
    try:
        names = next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise Unreadable("has a first line that is not CSV; it must name the columns") from error
    for separator in (";", "\t", "|"):
        if len(names) == 1 and separator in text:
            raise Unreadable(f"separates its columns with {separator!r}; use commas")
    wrong = header_problems(file, names, kind)
    for problem in wrong:
        problems.add(problem)
    return [] if wrong else names


def _sorted_out(block: bytes, line: int, file: str) -> tuple[bytes, Lines, list[Problem]]:
    """The block with line feeds only and without lines that cannot be parsed, and those lines."""
    text = block.replace(b"\r\n", b"\n") if b"\r" in block else block
    numbers = np.arange(line, line + text.count(b"\n"), dtype=np.int64)
    if not _suspicious(text):
        return text, numbers, []
    good, kept, found = [], [], []
    for number, raw in zip(numbers, text.split(b"\n"), strict=False):
        reason = _fault(raw)
        if reason is None:
            good.append(raw)
            kept.append(number)
        else:
            value = raw.decode(errors="replace")
            found.append(Problem(file=file, line=int(number), value=value, reason=reason))
    return b"".join(raw + b"\n" for raw in good), np.array(kept, np.int64), found


def _suspicious(text: bytes) -> bool:
    return (
        b"\0" in text
        or b"\r" in text
        or text.startswith(b"\n")
        or b"\n\n" in text
        or not (text.isascii() or _is_utf8(text))
        or (b'"' in text and not _all_well_quoted(text))
    )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _all_well_quoted(text: bytes) -> bool:
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    # One array over the block itself: every line but the first begins with its newline.
    offsets = np.concatenate([[0], ends]).astype(np.int32).tobytes()
    lines = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))
    matching = pc.match_substring_regex(lines, rf"^\n?(?:{WELL_QUOTED})$")
    return bool(pc.all(matching).as_py())


def _fault(raw: bytes) -> str | None:
    """Why this line cannot be parsed, if so."""
    if not raw:
        return "is an empty line; remove it"
    if b"\0" in raw:
        return "has a NUL byte; remove it"
    if b"\r" in raw:
        return "has a carriage return that ends no line; remove it"
    if not _is_utf8(raw):
        return "is not UTF-8; save the file as UTF-8"
    if re.fullmatch(WELL_QUOTED, raw.decode()):
        return None
    if raw.count(b'"') % 2:
        return (
            "has a quote that is not closed on its line; line breaks within quotes are not "
            "taken, and a file cut short looks like this"
        )
    return 'has a quote within a value; quote the value and write the quote as ""'


def _parsed(
    text: bytes, names: list[str], numbers: Lines, file: str
) -> tuple[dict[str, pa.Array], Lines, list[Problem]]:
    misshapen: dict[int, Problem] = {}

    def note(row: arrow_csv.InvalidRow) -> str:
        misshapen[row.number - 1] = Problem(
            file=file,
            line=int(numbers[row.number - 1]),
            value=row.text,
            reason=_shape(row.text, row.actual_columns, row.expected_columns),
        )
        return "skip"

    if not text:
        return {}, numbers[:0], []
    table = arrow_csv.read_csv(
        io.BytesIO(text),
        read_options=arrow_csv.ReadOptions(
            use_threads=False, column_names=names, block_size=len(text) + 1
        ),
        parse_options=arrow_csv.ParseOptions(invalid_row_handler=note, ignore_empty_lines=False),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    columns = {name: _one(table[name]) for name in names}
    return columns, np.delete(numbers, list(misshapen)), list(misshapen.values())


def _shape(text: str, actual: int, expected: int) -> str:
    if text == r"\.":
        return "is a line that old databases take for the end of the file; remove it"
    counted = f"has {actual} columns instead of {expected}"
    if actual < expected:
        return f"{counted}; the line is cut short or values are missing"
    return f"{counted}; a value that holds a comma needs quotes"


def _one(chunked: pa.ChunkedArray) -> pa.Array:
    whole = chunked.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)

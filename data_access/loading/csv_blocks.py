"""CSV in blocks of whole lines: structure and encoding are checked here, values elsewhere.

A valid block goes to COPY as its original bytes, so that the checked and the stored data cannot
differ.
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

from data_access.loading.kinds import FactKind, header_problems
from data_access.loading.problems import Problem, Problems
from data_access.loading.sources import Source, Unreadable
from data_access.loading.validation import Batch

BLOCK = 2 << 20
LONGEST_LINE = 64 << 10
BOM = b"\xef\xbb\xbf"
# A row that spreadsheets leave below a table: only separators, spaces and quotes.
NOTHING = r'(?:\s*|"\s*")'
BLANK = re.compile(f"{NOTHING}(?:,{NOTHING})*")
# The same in bytes, approximately: it may miss blank lines but never matches others.
PERHAPS_BLANK = re.compile(rb'\n[\s,"\xa0\xc2\xe3\x80-\x8f\xe2\x9f\xaf]*\n')
# The line by which spreadsheets set their separator; Excel writes it itself.
SEPARATOR_LINE = re.compile(r'"?sep=(.|\\t)"?[\s,]*', re.IGNORECASE)
UNQUOTED, QUOTED = r'[^",]*', r'"(?:[^"]|"")*"'
WELL_QUOTED = f"(?:{UNQUOTED}|{QUOTED})(?:,(?:{UNQUOTED}|{QUOTED}))*"

Lines = np.ndarray[Any, np.dtype[np.int64]]


def header_and_batches(
    kind: FactKind, source: Source, problems: Problems
) -> Iterator[list[str] | Batch]:
    """Yield the column names, then the rows in batches.

    Problems with the header end the file. Raises Unreadable.
    """
    with source.opened() as (unpacked, counted):
        blocks = _blocks(unpacked)
        first, head, rest = _first_line(next(blocks, b"").removeprefix(BOM))
        names = _header(source.name, head, first, kind, problems)
        if not names:
            return
        yield names
        line, any_rows = first + 1, False
        for block in _with_first(rest, blocks):
            batch = _batch(source.name, block, names, line, counted.position)
            any_rows = any_rows or bool(len(batch.lines) or batch.faults)
            yield batch
            line += block.count(b"\n")
        if not any_rows:
            raise Unreadable("has a header and no rows")


def _first_line(block: bytes) -> tuple[int, bytes, bytes]:
    """Return the header line: its number, its bytes, and the rest.

    Skips blank lines before it and a spreadsheet's `sep=,`. Raises Unreadable.
    """
    number, rest = 1, block
    while rest:
        head, _, rest = rest.partition(b"\n")
        text = head.decode(errors="replace").strip()
        separator = SEPARATOR_LINE.fullmatch(text)
        if separator and separator[1] != ",":
            raise Unreadable(
                f"says in its first line that {separator[1]!r} separates its columns; use commas"
            )
        if not separator and not BLANK.fullmatch(text):
            return number, head, rest
        number += 1
    raise Unreadable(
        "starts with an empty line and holds no other; the first must name the columns"
    )


def _batch(file: str, block: bytes, names: list[str], line: int, done: int) -> Batch:
    text, numbers, faults, blank = _sorted_out(block, line, file)
    text, columns, kept, misshapen = _parsed(text, names, numbers, file)
    return Batch(
        file=file,
        columns=columns,
        lines=kept,
        payload=text,
        bytes_done=done,
        faults=(*faults, *misshapen),
        blank_rows=blank,
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
        # The last line may lack its newline.
        yield held + b"\n"


def _header(file: str, head: bytes, line: int, kind: FactKind, problems: Problems) -> list[str]:
    try:
        text = head.decode().removesuffix("\r")
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8; save it as UTF-8") from error
    if "\r" in text:
        raise Unreadable("ends its lines with a lone carriage return; end them with a line feed")
    try:
        names = next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise Unreadable("has a first line that is not CSV; it must name the columns") from error
    for separator in (";", "\t", "|"):
        if len(names) == 1 and separator in text:
            raise Unreadable(f"separates its columns with {separator!r}; use commas")
    # Spreadsheets save empty columns to the right of a table too.
    while names and not names[-1].strip():
        names.pop()
    wrong = header_problems(file, names, kind, line)
    for problem in wrong:
        problems.add(problem)
    return [] if wrong else names


def _sorted_out(block: bytes, line: int, file: str) -> tuple[bytes, Lines, list[Problem], int]:
    """Return the block with line feeds only and without unparsable lines, and those lines.

    The last number is how many lines were blank.
    """
    text = block.replace(b"\r\n", b"\n") if b"\r" in block else block
    numbers = np.arange(line, line + text.count(b"\n"), dtype=np.int64)
    if not _suspicious(text):
        return text, numbers, [], 0
    blank = 0
    good, kept, found = [], [], []
    for number, raw in zip(numbers, text.split(b"\n"), strict=False):
        reason = _fault(raw)
        if reason is None and BLANK.fullmatch(raw.decode()):
            blank += 1
        elif reason is None:
            good.append(raw)
            kept.append(number)
        else:
            value = raw.decode(errors="replace")
            found.append(Problem(file=file, line=int(number), value=value, reason=reason))
    return b"".join(raw + b"\n" for raw in good), np.array(kept, np.int64), found, blank


def _suspicious(text: bytes) -> bool:
    return (
        b"\0" in text
        or b"\r" in text
        or PERHAPS_BLANK.search(b"\n" + text) is not None
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
    # One array over the block: every line but the first begins with its newline.
    offsets = np.concatenate([[0], ends]).astype(np.int32).tobytes()
    lines = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))
    matching = pc.match_substring_regex(lines, rf"^\n?(?:{WELL_QUOTED})$")
    return bool(pc.all(matching).as_py())


def _fault(raw: bytes) -> str | None:
    """Return why this line cannot be parsed, or ``None``."""
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
) -> tuple[bytes, dict[str, pa.Array], Lines, list[Problem]]:
    invalid: dict[int, arrow_csv.InvalidRow] = {}

    def note(row: arrow_csv.InvalidRow) -> str:
        invalid[row.number - 1] = row
        return "skip"

    if not text:
        return text, {}, numbers[:0], []
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
    narrowed = {at: line for at, row in invalid.items() if (line := _narrowed(row)) is not None}
    if narrowed:
        lines = text.split(b"\n")
        for at, line in narrowed.items():
            lines[at] = line
        return _parsed(b"\n".join(lines), names, numbers, file)
    columns = {name: _one(table[name]) for name in names}
    misshapen = [_misshapen(file, int(numbers[at]), row) for at, row in invalid.items()]
    return text, columns, np.delete(numbers, list(invalid)), misshapen


def _narrowed(row: arrow_csv.InvalidRow) -> bytes | None:
    """Return the line without empty values beyond its columns; ``None`` if others are not empty."""
    if row.actual_columns <= row.expected_columns:
        return None
    values = next(csv.reader([row.text], strict=True))
    if any(value.strip() for value in values[row.expected_columns :]):
        return None
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values[: row.expected_columns])
    return line.getvalue().encode()


def _misshapen(file: str, line: int, row: arrow_csv.InvalidRow) -> Problem:
    reason = _shape(row.text, row.actual_columns, row.expected_columns)
    return Problem(file=file, line=line, value=row.text, reason=reason)


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

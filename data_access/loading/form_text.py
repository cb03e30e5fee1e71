"""The text of a form export: its encoding, separator and rows.

Spreadsheets save exports in other encodings and with other separators. What can be detected with
certainty is used and reported; anything else is left to the map.
"""

import codecs
import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO

from data_access.loading.csv_blocks import SEPARATOR_LINE
from data_access.loading.sources import Unreadable
from program.text import invisible

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-32": "UTF-32",
    "windows-1250": "Windows-1250",
    "windows-1251": "Windows-1251",
    "windows-1252": "Windows-1252",
    "windows-1254": "Windows-1254",
}
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Nobody would read a larger export row by row.
LARGEST = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the file.

    ``line`` counts lines from 1, as an editor does; ``row`` counts rows, as a spreadsheet does.
    """

    line: int
    row: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        """Whether all its cells are empty."""
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormText:
    """The text, and how it was read. ``remarks`` are for the person."""

    text: str
    delimiter: str
    encoding: str
    remarks: tuple[str, ...] = ()

    def lines(self) -> Iterator[Line]:
        """Yield the rows, the header first. Raises Unreadable."""
        reader = csv.reader(
            io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True
        )
        line = 1
        try:
            for row, cells in enumerate(reader, 1):
                if not (
                    row == 1 and SEPARATOR_LINE.fullmatch(self.text.partition("\n")[0].strip())
                ):
                    yield Line(line=line, row=row, cells=tuple(cells))
                line = reader.line_num + 1
        except csv.Error as error:
            raise Unreadable(
                f"is not CSV from line {line:,} on ({error}); a quote that is never closed "
                "or a file cut short looks like this"
            ) from error


def read(
    unpacked: IO[bytes], known: Collection[str], *, encoding: str = "", delimiter: str = ""
) -> FormText:
    """Read the text of an export. ``known`` are field names that a map looks for.

    ``encoding`` and ``delimiter`` are the map's, if set. Raises Unreadable.
    """
    content = unpacked.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable(f"is larger than {LARGEST >> 20} MB; split it")
    text, used, remarks = _decoded(content, encoding)
    found = delimiter or _delimiter(text, known)
    if found != ",":
        remarks = (*remarks, f"has its columns separated by {DELIMITERS[found]}")
    return FormText(text=text, delimiter=found, encoding=used, remarks=remarks)


def looks_like(content: bytes) -> str:
    """Guess the encoding of bytes that are not UTF-8; "" if they are UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        whole = codecs.getincrementaldecoder("utf-8")("ignore").decode(content)
        # If anything beyond ASCII decodes, it is damaged UTF-8.
        return "utf-8" if not whole.isascii() else "windows-1252"
    return ""


def _decoded(content: bytes, encoding: str) -> tuple[str, str, tuple[str, ...]]:
    mark = next((name for start, name in MARKS if content.startswith(start)), "")
    name = mark or encoding or _unmarked(content)
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        if looks_like(content) != "utf-8" or not name.startswith("utf-8"):
            raise Unreadable(_undecodable(name)) from error
        # A few damaged bytes are problems of their rows.
        text = content.decode(name, errors="surrogateescape")
    # A second byte order mark, or one in an encoding from the map.
    text = text.lstrip("\ufeff")
    if "\0" in text.partition("\n")[0]:
        raise Unreadable("holds NUL bytes in its first line, so it is no text; export it again")
    if not mark and name == "utf-8":
        return text, "utf-8", ()
    plain = name.removesuffix("-sig").removesuffix("-le").removesuffix("-be")
    return text, plain, () if plain == "utf-8" else (f"is {ENCODINGS[plain]} text",)


def _unmarked(content: bytes) -> str:
    """Return the encoding of text without a byte order mark; UTF-16 shows by its zero bytes."""
    zeros = [not byte for byte in content[:4]]
    if zeros == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if zeros == [True, False, True, False] else "utf-8"


def _undecodable(name: str) -> str:
    if not name.startswith("utf-8"):
        plain = name.removesuffix("-le").removesuffix("-be")
        return f"is not {ENCODINGS[plain]} text or cut short; name its encoding in the map"
    return (
        "is not UTF-8; it looks like Windows-1252: name that encoding in the map and look at "
        "the names, or export it as UTF-8"
    )


def _delimiter(text: str, known: Collection[str]) -> str:
    """Return the separator: from the `sep=` line, else the one that gives known fields."""
    first, _, _ = text.partition("\n")
    line = SEPARATOR_LINE.fullmatch(first.strip())
    if line:
        separator = "\t" if line[1] == "\\t" else line[1]
        if separator not in DELIMITERS:
            raise Unreadable(f"says that {separator!r} separates its columns; use commas")
        return separator
    names = {folded(name) for name in known}

    def fields(delimiter: str) -> tuple[int, int]:
        try:
            header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        return sum(folded(cell) in names for cell in header), len(header)

    return max(DELIMITERS, key=fields)


def folded(name: str) -> str:
    """Return a field's name for comparison: folded, without invisible characters."""
    return invisible.clean(name).text.casefold()

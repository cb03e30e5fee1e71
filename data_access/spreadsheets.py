"""Rows as a workbook: typed cells, a frozen header, and a second sheet that says what it is.

Text is always written as text, so no cell is a formula or a link. A number with more digits
than a spreadsheet keeps (15) is written as text rather than rounded. Cells are made a column
of some thousand rows at a time; only the few that need a closer look are looked at one by one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from data_access import workbooks
from data_access.copying import CsvFile, CsvStream
from data_access.refusals import Invalid
from data_access.workbooks import FIRST_NUMBER, QUOTED
from program import formulas
from program.datasets import NUMBERS, Column, Kind
from program.exports import XLSX_ROWS, FileFormat, too_many_rows

BLOCK_BYTES = 1 << 20
DIGITS = 15
LONGEST_TEXT = 32_767
# Days as spreadsheets count them: 1970-01-01, and the first on which they agree, 1900-03-01.
FIRST_DAY, EARLIEST = 25_569, 61
DAY_US = 86_400e6
# Texts that repeat are written once, as long as they are so few.
MOST_SHARED = 65_536
WIDTHS = {
    Kind.ID: 14,
    Kind.WHOLE: 12,
    Kind.MONEY: 18,
    Kind.SHARE: 10,
    Kind.NUMBER: 12,
    Kind.TEXT: 26,
    Kind.CHOICE: 16,
    Kind.TRUTH: 10,
    Kind.DAY: 12,
    Kind.MOMENT: 20,
}
PLAIN_NUMBER = f"^-?[0-9.]{{1,{DIGITS}}}$"
LONG_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Text that is more than its characters between two tags; space at its ends must be kept.
PARTICULAR = (
    r"[&<>\x00-\x1f\x{FFFE}\x{FFFF}]|_x[0-9A-Fa-f]{4}_|\s$|^["
    + "".join(f"\\x{{{ord(sign):X}}}" for sign in formulas.LOOKED_PAST + formulas.SIGNS)
    + r"\s]|[\x{80}-\x{A0}\x{1680}\x{2000}-\x{200B}\x{2028}-\x{202F}\x{205F}\x{3000}\x{FEFF}]"
)
# What follows a cell's reference: its look, its type and what it holds.
Rest = Callable[[str], str]


def write(
    stream: CsvStream,
    columns: Sequence[Column],
    target: BinaryIO,
    *,
    about: Mapping[str, str],
    progress: Callable[[int], None],
) -> None:
    """Write all rows, then the sheet about them; memory stays flat.

    Raises Invalid for more than a sheet holds.
    """
    cells = _Cells()
    with workbooks.opened(target) as archive:
        number = _rows(archive, cells, stream, columns, progress)
        told = {**about, "Rows": f"{number:,}"}
        if cells.cut:
            told["Cut"] = (
                f"{cells.cut:,} texts end after {LONGEST_TEXT:,} characters, all a cell holds"
            )
        _about(archive, told)
        workbooks.add(archive, "xl/styles.xml", workbooks.styles(cells.formats))
        workbooks.add(archive, "xl/sharedStrings.xml", workbooks.shared_strings(list(cells.shared)))
        workbooks.add(
            archive, "xl/workbook.xml", workbooks.workbook(filtered=_all(columns, number))
        )


def _rows(
    archive: ZipFile,
    cells: "_Cells",
    stream: CsvStream,
    columns: Sequence[Column],
    progress: Callable[[int], None],
) -> int:
    made = [cells.maker(column) for column in columns]
    number = 0
    with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
        size = sheet.write((workbooks.XML + _head(columns)).encode())
        for batch in _batches(stream, columns):
            numbers = pa.array(range(number + 2, number + 2 + batch.num_rows)).cast(pa.string())
            number += batch.num_rows
            if number > XLSX_ROWS:
                raise Invalid(too_many_rows(number, FileFormat.XLSX) or "")
            size += sheet.write(_lines(numbers, batch.columns, made))
            if size > workbooks.LARGEST_PART:
                raise Invalid(
                    f"A sheet holds 2 GB and these columns of {stream.row_count:,} rows are more. "
                    "Choose fewer columns, narrow the filters, or export as CSV or Parquet."
                )
            progress(number)
        end = f'</sheetData><autoFilter ref="{_all(columns, number)}"/></worksheet>'
        sheet.write(end.encode())
    return number


def _batches(stream: CsvStream, columns: Sequence[Column]) -> arrow_csv.CSVStreamingReader:
    """The rows by some thousand, every value as its text."""
    return arrow_csv.open_csv(
        CsvFile(stream),
        read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types={column.name: pa.string() for column in columns},
            # An empty cell is what a spreadsheet has for unknown and for empty text alike.
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _lines(numbers: pa.Array, values: Sequence[pa.Array], made: Sequence["_Maker"]) -> memoryview:
    """The rows' XML."""
    listed = [
        pc.binary_join_element_wise(
            f'<c r="{workbooks.letters(place)}', numbers, make(column), ""
        ).fill_null("")
        for place, (make, column) in enumerate(zip(made, values, strict=True))
    ]
    lines = pc.binary_join_element_wise('<row r="', numbers, '">', *listed, "</row>", "")
    return memoryview(lines.buffers()[2])[: pc.sum(pc.binary_length(lines)).as_py()]


def _head(columns: Sequence[Column]) -> str:
    widths = [max(WIDTHS[column.kind], len(column.name) + 2) for column in columns]
    names = "".join(
        workbooks.cell(f"{workbooks.letters(place)}1", column.name, workbooks.HEADING)
        for place, column in enumerate(columns)
    )
    return f'{workbooks.sheet_head(widths, frozen=True)}<row r="1">{names}</row>'


def _all(columns: Sequence[Column], number: int) -> str:
    return f"A1:{workbooks.letters(max(0, len(columns) - 1))}{max(1, number) + 1}"


_Maker = Callable[[pa.Array], pa.Array]


class _Cells:
    """Makes cells by their column's kind: what follows the reference, null for no cell.

    ``shared`` are the texts that are written once, ``formats`` the number formats by their
    look, ``cut`` counts the texts that were too long.
    """

    def __init__(self) -> None:
        self.shared: dict[str, int] = {}
        self.formats: dict[str, int] = {}
        self.cut = 0

    def maker(self, column: Column) -> _Maker:
        """The function that makes a column's cells."""
        if column.kind in NUMBERS:
            return self._numbers(self._look(_number_format(column)))
        match column.kind:
            case Kind.DAY:
                return self._times(self._look("yyyy-mm-dd"), _day_numbers)
            case Kind.MOMENT:
                return self._times(self._look("yyyy-mm-dd hh:mm:ss"), _moment_numbers)
            case Kind.TRUTH:
                return _truths
            case Kind.CHOICE:
                return self._repeated
        return self._texts

    def _look(self, code: str) -> int:
        return self.formats.setdefault(code, FIRST_NUMBER + len(self.formats))

    def _numbers(self, look: int) -> _Maker:
        def number(text: str) -> str:
            if LONG_NUMBER.fullmatch(text) and _digits(text) <= DIGITS:
                return f'" s="{look}"><v>{text}</v></c>'
            return self._text(text)

        def make(values: pa.Array) -> pa.Array:
            easy = pc.match_substring_regex(values, PLAIN_NUMBER)
            return _looked_at(
                _between(f'" s="{look}"><v>', values, "</v></c>"), values, easy, number
            )

        return make

    def _times(self, look: int, numbers: Callable[[pa.Array], pa.Array]) -> _Maker:
        def make(values: pa.Array) -> pa.Array:
            found = numbers(values)
            cells = _between(f'" s="{look}"><v>', found.cast(pa.string()), "</v></c>")
            return _looked_at(cells, values, pc.greater_equal(found, EARLIEST), self._text)

        return make

    def _texts(self, values: pa.Array) -> pa.Array:
        short = pc.less_equal(pc.utf8_length(values), LONGEST_TEXT)
        easy = pc.and_(short, pc.invert(pc.match_substring_regex(values, PARTICULAR)))
        cells = _between('" t="inlineStr"><is><t>', values, "</t></is></c>")
        return _looked_at(cells, values, easy, self._text)

    def _repeated(self, values: pa.Array) -> pa.Array:
        found = values.dictionary_encode()
        cells = pa.array([self._shared(text) for text in found.dictionary.to_pylist()], pa.string())
        return cells.take(found.indices)

    def _shared(self, text: str) -> str:
        if len(text) > LONGEST_TEXT or len(self.shared) >= MOST_SHARED:
            return self._text(text)
        place = self.shared.setdefault(text, len(self.shared))
        return f'"{_guard(text)} t="s"><v>{place}</v></c>'

    def _text(self, text: str) -> str:
        look = _guard(text)
        if len(text) > LONGEST_TEXT:
            self.cut += 1
            text = text[:LONGEST_TEXT]
        return f'"{look} t="inlineStr"><is>{workbooks.text_of(text)}</is></c>'


def _guard(text: str) -> str:
    return f' s="{QUOTED}"' if formulas.is_dangerous(text) else ""


def _between(before: str, values: pa.Array, after: str) -> pa.Array:
    return pc.binary_join_element_wise(before, values, after, "")


def _looked_at(cells: pa.Array, values: pa.Array, easy: pa.Array, rest: Rest) -> pa.Array:
    """The cells with those that are not easy made one by one."""
    particular = pc.invert(easy).fill_null(fill_value=False)
    made = [rest(text) for text in values.filter(particular).to_pylist()]
    return pc.replace_with_mask(cells, particular, pa.array(made, pa.string())) if made else cells


def _truths(values: pa.Array) -> pa.Array:
    true, false = (f'" t="b"><v>{number}</v></c>' for number in (1, 0))
    return pc.if_else(pc.equal(values, "true"), true, false)


def _day_numbers(values: pa.Array) -> pa.Array:
    return pc.add(values.cast(pa.date32()).cast(pa.int32()), FIRST_DAY)


def _moment_numbers(values: pa.Array) -> pa.Array:
    since = values.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).cast(pa.float64())
    return pc.add(pc.divide(since, DAY_US), float(FIRST_DAY))


def _number_format(column: Column) -> str:
    if column.kind is Kind.ID:
        return "0"
    whole = "#,##0" if column.kind is not Kind.SHARE else "0"
    return f"{whole}.{'0' * column.scale}" if column.scale else whole


def _digits(text: str) -> int:
    """Significant digits of a plain number."""
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    return len(digits.rstrip("0") if "." in text else digits)


def _about(archive: ZipFile, told: Mapping[str, str]) -> None:
    lines = "".join(
        f'<row r="{row}">{workbooks.cell(f"A{row}", name, workbooks.NAME)}'
        f"{workbooks.cell(f'B{row}', words[:LONGEST_TEXT], workbooks.WORDS)}</row>"
        for row, (name, words) in enumerate(told.items(), start=1)
    )
    head = workbooks.sheet_head([18, 90], frozen=False)
    workbooks.add(archive, "xl/worksheets/sheet2.xml", f"{head}{lines}</sheetData></worksheet>")

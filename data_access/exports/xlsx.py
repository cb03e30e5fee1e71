"""Rows as a workbook: typed cells, a frozen header, and a second sheet that describes the file.

Text is always written as text, so no cell is a formula or a link. A number with more digits than a
spreadsheet keeps (15) is written as text rather than rounded.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileSizeError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from data_access.db.errors import Invalid
from data_access.exports.copy_stream import CsvFile, CsvStream
from data_access.exports.target import Target
from program.reports import csv_guard
from program.reports.datasets import NUMBERS, ColumnKind, DatasetColumn
from program.reports.export_formats import XLSX_ROWS, FileFormat, too_many_rows

DIGITS = 15
LONGEST_TEXT = 32_767
EVERY_ROWS = 5_000
FIRST_DAY = date(1899, 12, 30)
# Earlier days have other numbers in spreadsheets, which treat 1900 as a leap year.
EARLIEST = date(1900, 3, 1)
DAY_S = 86_400
WIDTHS = {
    ColumnKind.ID: 14,
    ColumnKind.WHOLE: 12,
    ColumnKind.MONEY: 18,
    ColumnKind.SHARE: 10,
    ColumnKind.NUMBER: 12,
    ColumnKind.TEXT: 26,
    ColumnKind.CHOICE: 16,
    ColumnKind.TRUTH: 10,
    ColumnKind.DAY: 12,
    ColumnKind.MOMENT: 24,
}
Writer = Callable[[int, int, str], object]


def write(
    stream: CsvStream,
    columns: Sequence[DatasetColumn],
    target: Target,
    *,
    about: Mapping[str, str],
    folder: Path,
    progress: Callable[[int], None],
) -> None:
    """Write all rows, then the description sheet; ``folder`` is for temporary files.

    Nothing reaches ``target`` before the last row. Raises Invalid for more rows than a sheet holds.
    """
    options = {
        "constant_memory": True,
        "tmpdir": str(folder),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = Workbook(_Forward(target), options)
    cut = _rows(book, book.add_worksheet("Rows"), stream, columns, progress)
    description = {**about, "Rows": f"{stream.row_count:,}"}
    if cut:
        description["Cut"] = (
            f"{cut:,} texts end after {LONGEST_TEXT:,} characters, all a cell holds"
        )
    _about(book, description)
    try:
        book.close()
    except FileSizeError as error:
        raise Invalid(
            f"A sheet holds 2 GB and these columns of {stream.row_count:,} rows are more. "
            "Choose fewer columns, narrow the filters, or export as CSV or Parquet."
        ) from error


class _Forward:
    """A target without seek and tell, so that the archive writes forward only.

    It is handed over while it grows; what was sent cannot be rewritten.
    """

    def __init__(self, target: Target) -> None:
        self.write, self.flush = target.write, target.flush


def _rows(
    book: Workbook,
    sheet: Worksheet,
    stream: CsvStream,
    columns: Sequence[DatasetColumn],
    progress: Callable[[int], None],
) -> int:
    cells = _Cells(book, sheet)
    bold = book.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, max(WIDTHS[column.kind], len(column.name) + 2))
        sheet.write_string(0, place, column.name, bold)
    writers = [cells.writer(column) for column in columns]
    lines = csv.reader(io.TextIOWrapper(io.BufferedReader(CsvFile(stream)), "utf-8", newline=""))
    next(lines)
    for number, line in enumerate(lines, start=1):
        if number > XLSX_ROWS:
            raise Invalid(too_many_rows(number, FileFormat.XLSX) or "")
        for place, text in enumerate(line):
            if text:
                writers[place](number, place, text)
        if number % EVERY_ROWS == 0:
            progress(number)
    sheet.autofilter(0, 0, max(1, stream.row_count), max(0, len(columns) - 1))
    return cells.cut


class _Cells:
    """Writes values by their column's kind and counts texts that had to be cut."""

    def __init__(self, book: Workbook, sheet: Worksheet) -> None:
        self.book, self.sheet = book, sheet
        self.cut = 0
        # The cell stays text even if somebody edits it.
        self.quoted: Format = book.add_format({"quote_prefix": True})

    def writer(self, column: DatasetColumn) -> Writer:
        """Return the function (row, column, text) for a column."""
        if column.kind in NUMBERS:
            return self._numbers(column)
        if column.kind is ColumnKind.DAY:
            return self._times("yyyy-mm-dd", day_number)
        if column.kind is ColumnKind.MOMENT:
            # With milliseconds, since the last of a day would otherwise be shown as the next day.
            return self._times("yyyy-mm-dd hh:mm:ss.000", moment_number)
        if column.kind is ColumnKind.TRUTH:
            return lambda row, place, text: self.sheet.write_boolean(row, place, text == "true")
        return self._text

    def _numbers(self, column: DatasetColumn) -> Writer:
        write, as_text = self.sheet.write_number, self._text
        look = self.book.add_format({"num_format": _number_format(column)})

        def number(row: int, place: int, text: str) -> object:
            # A sign and a point are not digits; most values are short enough anyway.
            if len(text) <= DIGITS or _digits(text) <= DIGITS:
                return write(row, place, float(text), look)
            return as_text(row, place, text)

        return number

    def _times(self, look: str, number: Callable[[str], float | None]) -> Writer:
        form = self.book.add_format({"num_format": look})

        def time(row: int, place: int, text: str) -> object:
            found = number(text)
            if found is None:
                return self._text(row, place, text)
            return self.sheet.write_number(row, place, found, form)

        return time

    def _text(self, row: int, place: int, text: str) -> object:
        look = self.quoted if csv_guard.is_dangerous(text) else None
        if len(text) > LONGEST_TEXT:
            self.cut += 1
            text = text[:LONGEST_TEXT]
        return self.sheet.write_string(row, place, text, look)


def _number_format(column: DatasetColumn) -> str:
    if column.kind is ColumnKind.ID:
        return "0"
    whole = "#,##0" if column.kind is not ColumnKind.SHARE else "0"
    return f"{whole}.{'0' * column.scale}" if column.scale else whole


def _digits(text: str) -> int:
    """Return the number of significant digits of a plain number."""
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    return len(digits.rstrip("0") if "." in text else digits)


@cache
def day_number(text: str) -> float | None:
    """Return a day's number in spreadsheets; ``None`` before their common start."""
    day = date.fromisoformat(text)
    return float((day - FIRST_DAY).days) if day >= EARLIEST else None


def moment_number(text: str) -> float | None:
    """Return the number of a UTC time in spreadsheets, in days, truncated to the millisecond.

    Rounding would move the last microseconds of a day to the next day.
    """
    whole = day_number(text[:10])
    moment = datetime.fromisoformat(text)
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    thousandths = seconds * 1000 + moment.microsecond // 1000
    return None if whole is None else whole + thousandths / (DAY_S * 1000)


def _about(book: Workbook, description: Mapping[str, str]) -> None:
    sheet = book.add_worksheet("About")
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped: dict[str, Any] = {"text_wrap": True, "valign": "top"}
    text = book.add_format(wrapped)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90)
    for row, (name, words) in enumerate(description.items()):
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, words[:LONGEST_TEXT], text)

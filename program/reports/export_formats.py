"""Export file formats, and their limits."""

from dataclasses import dataclass
from enum import StrEnum

# The rows of a sheet below its header.
XLSX_ROWS = 1_048_575
AT_ONCE = 6
AT_ONCE_EACH = 3
# Exports that read the database at a time, so that other requests do not wait for them.
READING_AT_ONCE = 2
LONGEST_S = 15 * 60
LARGEST_BYTES = 4 * 1024**3
BOM = b"\xef\xbb\xbf"


class FileFormat(StrEnum):
    """The format of a file."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


class Ending(StrEnum):
    """How an export ended."""

    COMPLETE = "complete"
    CANCELLED = "cancelled"
    FAILED = "failed"


FORMAT_WORDS = {FileFormat.CSV: "CSV", FileFormat.XLSX: "Excel", FileFormat.PARQUET: "Parquet"}
MEDIA = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A format with its options; ``bom``, ``gzip`` and ``comma`` apply to CSV only.

    ``comma`` writes decimals with a comma and separates cells by a semicolon, as spreadsheets do
    where a comma is the decimal sign.
    """

    file_format: FileFormat = FileFormat.CSV
    bom: bool = False
    gzip: bool = False
    comma: bool = False

    @property
    def separator(self) -> str:
        """What stands between two cells of a CSV."""
        return ";" if self.comma else ","

    @property
    def mark(self) -> bytes:
        """What a CSV begins with."""
        return BOM if self.bom else b""

    def number(self, written: str) -> str:
        """Return a number, ``written`` with a point, as a CSV has it."""
        return written.replace(".", ",") if self.comma else written

    @property
    def ending(self) -> str:
        """The file name's extension."""
        return f"{self.file_format}.gz" if self.gzip else str(self.file_format)

    @property
    def media(self) -> str:
        """The media type."""
        return "application/gzip" if self.gzip else MEDIA[self.file_format]


# Plain CSV as it is offered everywhere: a label, the form, and what it is for.
CSV_FORMS: tuple[tuple[str, Form, str], ...] = (
    (
        "CSV",
        Form(),
        "Text with commas, UTF-8. Text that a spreadsheet would run starts with an apostrophe.",
    ),
    (
        "CSV for Excel",
        Form(bom=True),
        "The same, with a byte-order mark so that Excel reads it as UTF-8.",
    ),
    (
        "CSV with ; and decimal commas",
        Form(bom=True, comma=True),
        "For Excel where 1,5 is one and a half: cells are separated by semicolons.",
    ),
)
# What a file has of a pivot.
PIVOT_IN_FILES = (
    "A file has the cells of a pivot below each other: one row for each pair of groups that has "
    "rows, with every measure and every value across, and without totals."
)
ENDINGS = (".csv", ".csv.gz", ".xlsx", ".parquet")


def form_of(file_name: str) -> Form | None:
    """Return the form for a file name: CSV without an extension, ``None`` for an unknown one."""
    endings = file_name.lower().split(".")[1:]
    gzip = endings[-1:] == ["gz"]
    named = (endings[:-1] if gzip else endings)[-1:] or [str(FileFormat.CSV)]
    if named[0] not in set(FileFormat):
        return None
    return Form(file_format=FileFormat(named[0]), gzip=gzip)


def too_many_rows(count: int, file_format: FileFormat) -> str | None:
    """Return the error if the format cannot hold so many rows, or ``None``."""
    if file_format is not FileFormat.XLSX or count <= XLSX_ROWS:
        return None
    return (
        f"A sheet holds {XLSX_ROWS:,} rows and this export has more. "
        "Narrow the filters, or export as CSV or Parquet, which have no such limit."
    )

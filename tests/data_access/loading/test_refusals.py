"""Refused loads: file, line, column and reason; and nothing changed."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine, text

from data_access import loading
from data_access.loading import Delivery, LoadRefused
from tests.databases import Databases

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
TABLES = (
    "exchange.accounts",
    "exchange.applications",
    "exchange.referrals",
    "exchange.referral_activity",
    "review.loads",
)
HEADERS = {
    "accounts": "account_id,username,email,country_code,kyc_status,created_at",
    "applications": "account_id,social_handle,submitted_at,status",
    "referrals": "affiliate_account_id,referred_account_id,referred_at",
    "activity": "affiliate_account_id,referred_account_id,activity_date,volume_usd,fees_usd,trade_count",
}
GOOD = {
    "accounts": "1,ana,a@example.com,DE,verified,2026-01-01T00:00:00Z",
    "applications": "1,@ana,2026-03-01T00:00:00Z,withdrawn",
    "referrals": "1,2,2026-03-01T00:00:00Z",
    "activity": "1,2,2026-03-01,1.00,0.5,1",
}


def contents(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [
            connection.execute(
                text(
                    f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} t"
                )
            ).scalar_one()
            for name in TABLES
        ]


@pytest.fixture(scope="module")
def loaded(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database with a few facts for all tests here; none changes it."""
    with databases.engine("loaded") as engine:
        folder = tmp_path_factory.mktemp("facts")
        facts = {
            "accounts": [f"{n},user{n},,DE,verified,2026-01-01T00:00:00Z" for n in (1, 2, 3, 4)]
            + ["5,twin,,,none,2026-01-01T00:00:00Z", "6,twin,,,none,2026-01-01T00:00:00Z"],
            "applications": ["3,@three,2026-02-01T00:00:00Z,pending"],
            "referrals": ["1,9,2026-02-01T00:00:00Z"],
            "activity": ["1,9,2026-03-01,10.00,0.1,1"],
        }
        for kind, rows in facts.items():
            path = folder / f"{kind}.csv"
            path.write_text("\n".join([HEADERS[kind], *rows]) + "\n")
            loading.load(engine, Delivery(kind=kind, paths=[path]), now=NOW)
        yield engine


def refusal(engine: Engine, kind: str, *paths: Path, **options: object) -> LoadRefused:
    before = contents(engine)
    delivery = Delivery(kind=kind, paths=paths, **options)  # type: ignore[arg-type]
    with pytest.raises(LoadRefused) as caught:
        loading.load(engine, delivery, now=NOW)
    assert contents(engine) == before
    return caught.value


class Bad(NamedTuple):
    name: str
    kind: str
    column: str
    value: str
    reason: str


VALUES = [
    Bad("NaN", "activity", "volume_usd", "NaN", "is not a number"),
    Bad("nan in lower case", "activity", "fees_usd", "nan", "is not a number"),
    Bad("infinity", "activity", "volume_usd", "Infinity", "is infinite"),
    Bad("minus infinity", "activity", "fees_usd", "-inf", "is infinite"),
    Bad(
        "exponent",
        "activity",
        "volume_usd",
        "1e3",
        "is written with an exponent; write all its digits",
    ),
    Bad("too large for a float", "activity", "volume_usd", "1E400", "is written with an exponent"),
    Bad("exponent in a count", "activity", "trade_count", "1e3", "is written with an exponent"),
    Bad(
        "thousands separator",
        "activity",
        "volume_usd",
        '"1,234.50"',
        "has a thousands separator; write `1234.50`",
    ),
    Bad(
        "apostrophe as separator",
        "activity",
        "volume_usd",
        "1'234.50",
        "has a thousands separator; write `1234.50`",
    ),
    Bad(
        "space as separator",
        "activity",
        "volume_usd",
        "1 234.50",
        "has a thousands separator; write `1234.50`",
    ),
    Bad(
        "underscore as separator",
        "activity",
        "trade_count",
        "1_000",
        "has a thousands separator; write `1000`",
    ),
    Bad(
        "decimal comma", "activity", "volume_usd", '"1234,5"', "has a decimal comma; write `1234.5`"
    ),
    Bad(
        "German amount",
        "activity",
        "volume_usd",
        '"1.234,50"',
        "has a decimal comma; write `1234.50`",
    ),
    Bad("three decimals of volume", "activity", "volume_usd", "0.005", "has more than 2 decimals"),
    Bad("seven decimals of fees", "activity", "fees_usd", "0.0000001", "has more than 6 decimals"),
    Bad("negative volume", "activity", "volume_usd", "-0.01", "is negative; the least is 0"),
    Bad("negative count", "activity", "trade_count", "-1", "is negative; the least is 0"),
    Bad("plus sign", "activity", "volume_usd", "+1.00", "has a plus sign"),
    Bad("typographic minus", "activity", "fees_usd", "−1.00", "has a dash for a minus sign"),
    Bad("currency sign", "activity", "volume_usd", "$5", "has a currency sign"),
    Bad("currency sign behind", "activity", "fees_usd", "5 €", "has a currency sign"),
    Bad("currency code", "activity", "volume_usd", "USD 5", "has a currency sign"),
    Bad("percentage", "activity", "volume_usd", "5%", "is a percentage"),
    Bad("Arabic digits", "activity", "volume_usd", "٣.٠٠", "has digits other than 0 to 9"),
    Bad("full-width digits", "activity", "trade_count", "３", "has digits other than 0 to 9"),
    Bad(
        "Arabic digits in a day",
        "activity",
        "activity_date",
        "٢٠٢٦-03-01",
        "has digits other than 0 to 9",
    ),
    Bad("hexadecimal", "activity", "trade_count", "0x10", "is not written in decimal digits"),
    Bad("fraction of a trade", "activity", "trade_count", "2.5", "is not a whole number"),
    Bad("truth value", "activity", "trade_count", "TRUE", "is not a whole number"),
    Bad(
        "volume of 19 digits",
        "activity",
        "volume_usd",
        "1000000000000000000",
        "is out of range; 18 digits",
    ),
    Bad(
        "fees of 15 digits",
        "activity",
        "fees_usd",
        "-100000000000000",
        "is out of range; 14 digits",
    ),
    Bad(
        "count beyond an integer",
        "activity",
        "trade_count",
        "2147483648",
        "is out of range; the most is 2147483647",
    ),
    Bad(
        "id beyond a bigint",
        "activity",
        "referred_account_id",
        "9223372036854775808",
        "is out of range; the most is 9223372036854775807",
    ),
    Bad(
        "id of twenty digits",
        "activity",
        "affiliate_account_id",
        "10000000000000000000",
        "is out of range",
    ),
    Bad("id zero", "activity", "affiliate_account_id", "0", "is out of range; the least is 1"),
    Bad("leading zeros in an id", "activity", "affiliate_account_id", "007", "has leading zeros"),
    Bad("leading zeros in an amount", "activity", "volume_usd", "01.00", "has leading zeros"),
    Bad("no digit before the point", "activity", "volume_usd", ".5", "starts with a point"),
    Bad("no digit after the point", "activity", "volume_usd", "5.", "ends in a point"),
    Bad("spaces around", "activity", "volume_usd", " 5 ", "has spaces around it"),
    Bad("empty amount", "activity", "volume_usd", "", "is empty; a value is required"),
    Bad("quoted empty amount", "activity", "volume_usd", '""', "is empty; a value is required"),
    Bad("empty key", "activity", "activity_date", "", "is empty; a value is required"),
    Bad("words for an amount", "activity", "volume_usd", "lots", "is not an amount"),
    Bad(
        "tomorrow's date",
        "activity",
        "activity_date",
        "2026-04-02",
        "is in the future; today is 2026-04-01",
    ),
    Bad("far future", "activity", "activity_date", "2999-01-01", "is in the future"),
    Bad(
        "before the earliest day",
        "activity",
        "activity_date",
        "2009-12-31",
        "is before 2010-01-01",
    ),
    Bad("first year", "activity", "activity_date", "0001-01-01", "is before 2010-01-01"),
    Bad("today", "activity", "activity_date", "today", "is a word"),
    Bad("infinity as a day", "activity", "activity_date", "infinity", "is a word"),
    Bad("now", "referrals", "referred_at", "now", "is a word"),
    Bad("ambiguous day", "activity", "activity_date", "03/04/2026", "can be read in two ways"),
    Bad(
        "ambiguous moment", "referrals", "referred_at", "3/4/2026 10:00", "can be read in two ways"
    ),
    Bad("dots in a day", "activity", "activity_date", "03.04.2026", "can be read in two ways"),
    Bad(
        "slashes from the year",
        "activity",
        "activity_date",
        "2026/03/04",
        "has other signs than hyphens",
    ),
    Bad("no zeros in a day", "activity", "activity_date", "2026-3-4", "lacks a zero"),
    Bad(
        "no hyphens in a day",
        "activity",
        "activity_date",
        "20260304",
        "lacks its hyphens; write `2026-03-04`",
    ),
    Bad(
        "spreadsheet's day number",
        "activity",
        "activity_date",
        "45931",
        "is a spreadsheet's day number",
    ),
    Bad("week date", "activity", "activity_date", "2026-W10-2", "is not a day"),
    Bad("30 February", "activity", "activity_date", "2026-02-30", "does not exist in the calendar"),
    Bad(
        "29 February of a common year",
        "activity",
        "activity_date",
        "2026-02-29",
        "does not exist in the calendar",
    ),
    Bad("time in a day", "activity", "activity_date", "2026-03-01T00:00:00Z", "has a time of day"),
    Bad(
        "no zone",
        "referrals",
        "referred_at",
        "2026-03-01T10:00:00",
        "has no time zone; write `2026-03-01T10:00:00Z`",
    ),
    Bad(
        "no zone after a space",
        "referrals",
        "referred_at",
        "2026-03-01 10:00:00.5",
        "has no time zone",
    ),
    Bad("no time", "referrals", "referred_at", "2026-03-01", "has no time of day"),
    Bad(
        "zone by name",
        "referrals",
        "referred_at",
        "2026-03-01 10:00:00 Europe/Berlin",
        "names its time zone",
    ),
    Bad(
        "zone by letters",
        "referrals",
        "referred_at",
        "2026-03-01 10:00:00 UTC",
        "names its time zone",
    ),
    Bad(
        "finer than a microsecond",
        "referrals",
        "referred_at",
        "2026-03-01T10:00:00.1234567Z",
        "is finer than a microsecond",
    ),
    Bad(
        "hour 25",
        "referrals",
        "referred_at",
        "2026-03-01T25:00:00Z",
        "does not exist in the calendar",
    ),
    Bad(
        "30 February at noon",
        "referrals",
        "referred_at",
        "2026-02-30T12:00:00Z",
        "does not exist in the calendar",
    ),
    Bad(
        "a moment from now",
        "referrals",
        "referred_at",
        "2026-04-01T12:05:00.000001Z",
        "is in the future",
    ),
    Bad(
        "a moment from now, elsewhere",
        "referrals",
        "referred_at",
        "2026-04-01T13:05:01+01:00",
        "is in the future",
    ),
    Bad(
        "moment before the earliest",
        "referrals",
        "referred_at",
        "2009-12-31T23:59:59Z",
        "is before 2010-01-01",
    ),
    Bad("empty username", "accounts", "username", "", "is empty; a value is required"),
    Bad("username of spaces", "accounts", "username", "  ", "is empty; a value is required"),
    Bad("username of fillers", "accounts", "username", "\u3164", "is empty; a value is required"),
    Bad(
        "username of blank Braille",
        "accounts",
        "username",
        "\u2800",
        "is empty; a value is required",
    ),
    Bad("501 characters", "accounts", "username", "x" * 501, "is longer than 500 characters"),
    Bad(
        "zero-width space",
        "accounts",
        "username",
        "a\u200bb",
        "has an invisible character (U+200B, ZERO WIDTH SPACE)",
    ),
    Bad("bidi override", "accounts", "username", "a\u202eb", "(U+202E, RIGHT-TO-LEFT OVERRIDE)"),
    Bad("control character", "accounts", "email", "a\x07b", "(U+0007, a control character)"),
    Bad("tab", "accounts", "username", "a\tb", "(U+0009, a control character)"),
    Bad("substitute at the end", "accounts", "username", "a\x1a", "(U+001A, a control character)"),
    Bad("line separator", "accounts", "username", "a\u2028b", "(U+2028, LINE SEPARATOR)"),
    Bad(
        "unknown word",
        "accounts",
        "kyc_status",
        "maybe",
        "is not one of none, pending, verified, rejected",
    ),
    Bad("word in another case", "applications", "status", "Pending", "is not one of pending"),
    Bad("country in lower case", "accounts", "country_code", "de", "is in lower case; write `DE`"),
    Bad("country by name", "accounts", "country_code", "Germany", "is not a country code"),
    Bad(
        "status changed later",
        "applications",
        "submitted_at",
        "2026-05-01T00:00:00Z",
        "is in the future",
    ),
]


@pytest.mark.parametrize("bad", VALUES, ids=[bad.name for bad in VALUES])
def test_a_bad_value_is_refused_by_file_line_column_value_and_reason(
    loaded: Engine, tmp_path: Path, bad: Bad
) -> None:
    header = HEADERS[bad.kind].split(",")
    row = GOOD[bad.kind].split(",")
    row[header.index(bad.column)] = bad.value
    path = tmp_path / "bad.csv"
    path.write_text("\n".join([HEADERS[bad.kind], GOOD[bad.kind], ",".join(row)]) + "\n", "utf-8")

    refused = refusal(loaded, bad.kind, path)

    (problem,) = refused.problems
    assert (problem.file, problem.line, problem.column) == ("bad.csv", 3, bad.column)
    assert problem.value == bad.value.strip('"')
    assert bad.reason in problem.reason
    assert refused.more == 0


HEAD = HEADERS["activity"].encode()
ROW = GOOD["activity"].encode()
OTHER = b"1,3,2026-03-02,2.00,0.5,1"


def lines(*rows: bytes, end: bytes = b"\n") -> bytes:
    return end.join(rows) + end


FILES = {
    "empty file": (b"", None, "is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", None, "empty line"),
    "header only": (lines(HEAD), None, "has a header and no rows"),
    "header only, no newline": (HEAD, None, "has a header and no rows"),
    "NUL byte": (lines(HEAD, ROW, b"1,3,2026-03-02,2\0.00,0.5,1"), 3, "has a NUL byte"),
    "Latin-1": (lines(HEAD, ROW, b"1,3,2026-03-02,\xe92.00,0.5,1"), 3, "is not UTF-8"),
    "surrogates": (lines(HEAD, b"1,3,2026-03-02,\xed\xa0\x80,0.5,1"), 2, "is not UTF-8"),
    "UTF-16": (lines(HEAD, ROW).decode().encode("utf-16"), None, "is UTF-16 text"),
    "lone carriage returns": (lines(HEAD, ROW, end=b"\r"), None, "lone carriage return"),
    "carriage return in a row": (
        lines(HEAD, ROW, b"1,3,2026-03-02,2\r.00,0.5,1"),
        3,
        "has a carriage return",
    ),
    "blank rows only": (lines(HEAD, b"", b",,,,,", b" "), None, "has a header and no rows"),
    "blank lines only": (lines(b"", b",,", b'"",""'), None, "starts with an empty line"),
    "a quote alone": (lines(HEAD, ROW, b'"', OTHER), 3, "quote that is not closed"),
    "a value beyond the columns": (lines(HEAD, ROW + b",,x"), 2, "has 8 columns instead of 6"),
    "a column without a name": (
        lines(HEAD + b",,x", ROW + b",,"),
        1,
        "leaves column 7 without a name",
    ),
    "another separator announced": (lines(b"sep=;", HEAD, ROW), None, "use commas"),
    "short row": (lines(HEAD, ROW, b"1,3,2026-03-02"), 3, "has 3 columns instead of 6"),
    "long row": (lines(HEAD, ROW, OTHER + b",9"), 3, "has 7 columns instead of 6"),
    "unquoted thousands": (
        lines(HEAD, b"1,3,2026-03-02,1,234.50,0.5,1"),
        2,
        "has 7 columns instead of 6",
    ),
    "last line cut in a day": (lines(HEAD, ROW) + b"1,3,2026-0", 3, "has 3 columns instead of 6"),
    "last line cut after a comma": (lines(HEAD, ROW) + b"1,3,2026-03-02,2.00,0.5,", 3, "is empty"),
    "last line cut at the point": (
        lines(HEAD, ROW) + b"1,3,2026-03-02,2.00,0.",
        3,
        "has 5 columns",
    ),
    "end marker": (lines(HEAD, ROW, b"\\.", OTHER), 3, "take for the end of the file"),
    "comment": (lines(HEAD, b"# made by us", ROW), 2, "has 1 columns"),
    "line break in quotes": (
        lines(HEAD, b'1,3,2026-03-02,"2', b'.00",0.5,1'),
        2,
        "quote that is not closed",
    ),
    "quote that never closes": (
        lines(HEAD, b'1,3,"2026-03-02,2.00,0.5,1', ROW),
        2,
        "quote that is not closed",
    ),
    "quoted garbage": (
        lines(HEAD, ROW, b'1,3,"2026"-03-02,2.00,0.5,1'),
        3,
        "has a quote within a value",
    ),
    "quote in a bare value": (
        lines(HEAD, ROW, b'1,3,2026"03"02,2.00,0.5,1'),
        3,
        "has a quote within a value",
    ),
    "web page": (b"<!doctype html><html><body>502</body></html>", None, "is a web page or XML"),
    "web page after spaces": (b"\n\n <html></html>", None, "is a web page or XML"),
    "JSON": (b'{"error": "expired"}', None, "is JSON"),
    "gzip named .csv": (
        gzip.compress(lines(HEAD, ROW)),
        None,
        "is a gzip file, not CSV; name it .csv.gz",
    ),
    "workbook named .csv": (b"PK\x03\x04 and so on", None, "is a zip file or an Excel workbook"),
    "Parquet named .csv": (b"PAR1 and so on", None, "is a Parquet file, not CSV; name it .parquet"),
    "semicolons": (lines(HEAD.replace(b",", b";"), ROW.replace(b",", b";")), None, "use commas"),
    "a line without end": (lines(HEAD) + b"9" * 100_000, None, "has a line of more than"),
    "missing column": (
        lines(HEAD.replace(b",trade_count", b""), b"1,2,2026-03-01,1,1"),
        1,
        "is missing",
    ),
    "duplicate column": (lines(HEAD + b",fees_usd", ROW + b",1"), 1, "is there 2 times"),
    "unknown column": (
        lines(HEAD + b",notes", ROW + b",1"),
        1,
        "is not a column of activity; the columns are affiliate_account_id,",
    ),
    "column in another case": (lines(HEAD.upper(), ROW), 1, "is not a column of activity"),
    "column with a space": (
        lines(HEAD.replace(b",fees", b", fees"), ROW),
        1,
        "is not a column of activity",
    ),
    "no header": (lines(ROW, OTHER), 1, "is not a column of activity"),
    "same row twice": (lines(HEAD, ROW, OTHER, ROW), 4, "has the same key as line 2"),
    "same key, other values": (
        lines(HEAD, ROW, OTHER, b"1,2,2026-03-01,9.00,9,9"),
        4,
        "has the same key as line 2",
    ),
    "same key in a new month": (
        lines(HEAD, *[b"1,2,2025-07-01,9.00,9,9"] * 2),
        3,
        "has the same key as line 2",
    ),
}


@pytest.mark.parametrize("beyond", [2**53, 2**63 - 1, 2**63, 10**30])
def test_an_application_id_that_leaves_no_room_to_number_on_is_refused_at_its_row(
    loaded: Engine, tmp_path: Path, beyond: int
) -> None:
    path = tmp_path / "applications.csv"
    rows = ["7," + GOOD["applications"], f"{beyond}," + GOOD["applications"]]
    path.write_text("\n".join(["application_id," + HEADERS["applications"], *rows]) + "\n")

    (problem,) = refusal(loaded, "applications", path).problems

    assert (problem.line, problem.column, problem.value) == (3, "application_id", str(beyond))
    assert problem.reason == "is out of range; the most is 9007199254740991"


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_by_name_and_line(loaded: Engine, tmp_path: Path, name: str) -> None:
    content, line, reason = FILES[name]
    path = tmp_path / "activity.csv"
    path.write_bytes(content)

    first = refusal(loaded, "activity", path).problems[0]

    assert (first.file, first.line) == ("activity.csv", line)
    assert reason in first.reason


PACKED = {
    "gzip cut short": ("a.csv.gz", gzip.compress(lines(HEAD, ROW))[:-9], "is cut short"),
    "gzip damaged": ("a.csv.gz", gzip.compress(lines(HEAD, ROW))[:-8] + b"12345678", "is damaged"),
    "gzip in name only": ("a.csv.gz", lines(HEAD, ROW), "is named .gz but is not a gzip file"),
    "gzip of nothing": ("a.csv.gz", gzip.compress(b""), "is empty"),
    "gzip of a web page": ("a.csv.gz", gzip.compress(b"<html>"), "holds a web page"),
    "zstd in name only": (
        "a.csv.zst",
        lines(HEAD, ROW),
        "is named .zst but is not a Zstandard file",
    ),
    "zstd cut short": (
        "a.csv.zst",
        pa.Codec("zstd").compress(lines(HEAD, *[ROW] * 99), asbytes=True)[:-3],
        "is cut short",
    ),
    "zstd with a window that does not fit": (
        "a.csv.zst",
        b"\x28\xb5\x2f\xfd\x00\xb8" + b"\x01\x00\x00",
        "pack it again without --long",
    ),
    "zstd that only skips": ("a.csv.zst", b"\x50\x2a\x4d\x18\x04\0\0\0abcd", "is empty"),
    "zstd named .csv": ("a.csv", b"\x5f\x2a\x4d\x18\0\0\0\0", "name it .csv.zst"),
    "zstd with something behind": (
        "a.csv.zst",
        pa.Codec("zstd").compress(lines(HEAD, ROW), asbytes=True) + b"and more",
        "is damaged",
    ),
    "Parquet in name only": ("a.parquet", lines(HEAD, ROW), "is not a Parquet file"),
    "Parquet without its end": ("a.parquet", b"PAR1" + b"x" * 99, "is cut short or damaged"),
    "empty Parquet": ("a.parquet", b"", "is empty"),
}


@pytest.mark.parametrize("name", PACKED)
def test_a_bad_container_is_refused(loaded: Engine, tmp_path: Path, name: str) -> None:
    file, content, reason = PACKED[name]
    (tmp_path / file).write_bytes(content)

    refused = refusal(loaded, "activity", tmp_path / file)

    assert reason in refused.problems[0].reason
    assert refused.problems[0].line is None


SHEET = "open it in Excel, save the sheet as “CSV UTF-8” and load that"
TABLE_AS_CSV = "export the table as CSV and load that"
CSV = lines(HEAD, ROW)
OLE2 = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
MISNAMED = (
    ("a.xls", CSV, "is named .xls but is not an Excel workbook; name it .csv if it is CSV"),
    ("a.XLSX", CSV, "is named .XLSX but is not an Excel workbook; name it .csv if it is CSV"),
    ("a.ods", CSV, "is named .ods but is not a spreadsheet; name it .csv if it is CSV"),
    ("a.json", CSV, "is named .json but is not JSON; name it .csv if it is CSV"),
    ("a.zip", CSV, "is named .zip but is not a zip file; name it .csv if it is CSV"),
    (
        "a.xls.gz",
        gzip.compress(CSV),
        "is named .xls.gz but is not an Excel workbook; name it .csv.gz if it is CSV",
    ),
    ("a.gz", CSV, "is named .gz but is not a gzip file; name it .csv if it is CSV"),
    (
        "a.csv.gz",
        pa.Codec("zstd").compress(CSV, asbytes=True),
        "is named .gz but is not a gzip file, it is a Zstandard file; name it .csv.zst",
    ),
    ("a.parquet", CSV, "is named .parquet but is not a Parquet file; name it .csv if it is CSV"),
    (
        "a.parquet",
        gzip.compress(CSV),
        "is named .parquet but is not a Parquet file, it is a gzip file; name it .csv.gz",
    ),
    (
        "a.parquet.gz",
        gzip.compress(b"PAR1 and so on"),
        "holds a Parquet file, not CSV; unpack it and name what is in it .parquet",
    ),
    (
        "a.gz",
        gzip.compress(gzip.compress(CSV)),
        "holds a gzip file, not CSV; unpack it and name what is in it .csv.gz",
    ),
    ("a.xls", OLE2, f"is an Excel workbook, not CSV; {SHEET}"),
    ("a.csv", OLE2, f"is an Excel workbook, not CSV; {SHEET}"),
    ("a.xls.gz", gzip.compress(OLE2), f"holds an Excel workbook, not CSV; {SHEET}"),
    (
        "a.xlsx",
        b"PK\x03\x04 and so on",
        f"is a zip file or an Excel workbook, not CSV; unpack a zip file; for a workbook, {SHEET}",
    ),
    ("a.csv", b"BZh9", "is a bzip2 file, not CSV; unpack it, or pack it as .gz or .zst"),
    ("a.7z", b"7z\xbc\xaf\x27\x1c", "is a 7z file, not CSV; unpack it, or pack it as .gz or .zst"),
    ("a.csv", b"%PDF-1.7", f"is a PDF, not CSV; {TABLE_AS_CSV}"),
    ("a.csv", b'[{"a": 1}]', f"is JSON, not CSV; {TABLE_AS_CSV}"),
    (
        "a.xls",
        b"<table>",
        f"is a web page or XML, not CSV; {TABLE_AS_CSV} "
        "(a sign-in or error page in its place looks like this)",
    ),
    ("a.csv", CSV.decode().encode("utf-16"), "is UTF-16 text, not CSV; save it as UTF-8"),
)


def test_content_that_does_not_fit_the_ending_is_refused_with_its_remedy(
    loaded: Engine, tmp_path: Path
) -> None:
    reasons = {}
    for file, content, reason in MISNAMED:
        (tmp_path / file).write_bytes(content)
        reasons[file, reason] = refusal(loaded, "activity", tmp_path / file).problems[0].reason

    assert reasons == {(file, reason): reason for file, _, reason in MISNAMED}


def test_a_parquet_form_export_is_not_advised_to_take_its_own_name(
    loaded: Engine, tmp_path: Path
) -> None:
    (tmp_path / "grid.parquet").write_bytes(b"PAR1 and so on")

    refused = refusal(
        loaded, "applications", tmp_path / "grid.parquet", source_format="airtable"
    ).problems[0]

    assert refused.reason == f"is a Parquet file, not CSV; {TABLE_AS_CSV}"


ACTIVITY = {
    "affiliate_account_id": pa.array([1, 1]),
    "referred_account_id": pa.array([2, 3]),
    "activity_date": pa.array(["2026-03-01", "2026-03-02"]).cast(pa.date32()),
    "volume_usd": pa.array(["1.00", "2.00"]).cast(pa.decimal128(20, 2)),
    "fees_usd": pa.array(["0.5", "-0.5"]).cast(pa.decimal128(20, 6)),
    "trade_count": pa.array([1, 2]).cast(pa.int32()),
}
STORED = {
    "double": ("volume_usd", pa.array([1.0, 2.0]), None, "is stored as floating point"),
    "float": ("fees_usd", pa.array([1.0, 2.0], pa.float32()), None, "is stored as floating point"),
    "count as float": ("trade_count", pa.array([1.0, 2.0]), None, "is stored as floating point"),
    "nested": ("volume_usd", pa.array([[1], [2]]), None, "is a nested column"),
    "truth": ("trade_count", pa.array([True, False]), None, "is stored as bool; store it as int64"),
    "time for a day": (
        "activity_date",
        pa.array([0, 1], pa.timestamp("us", "UTC")),
        None,
        "is stored as a time; store it as date32",
    ),
    "null in the key": (
        "referred_account_id",
        pa.array([2, None]),
        2,
        "is empty; a value is required",
    ),
    "null amount": (
        "volume_usd",
        pa.array([None, "2.00"]).cast(pa.decimal128(20, 2)),
        1,
        "is empty",
    ),
    "all null": ("volume_usd", pa.nulls(2), 1, "is empty"),
    "three decimals": (
        "volume_usd",
        pa.array(["1.00", "0.005"]).cast(pa.decimal128(20, 3)),
        2,
        "has more than 2 decimals",
    ),
    "text NaN": ("volume_usd", pa.array(["1.00", "NaN"]), 2, "is not a number"),
    "negative": (
        "volume_usd",
        pa.array(["1.00", "-2.00"]).cast(pa.decimal128(20, 2)),
        2,
        "is negative",
    ),
    "beyond a bigint": (
        "referred_account_id",
        pa.array([2, 2**63], pa.uint64()),
        2,
        "is out of range",
    ),
    "future": (
        "activity_date",
        pa.array(["2026-03-01", "2026-04-02"]).cast(pa.date32()),
        2,
        "is in the future",
    ),
    "invalid text": (
        "volume_usd",
        pa.array([b"1.00", b"\xff"]).view(pa.binary()).view(pa.string()),
        None,
        "that is not UTF-8",
    ),
    "unknown column": ("notes", pa.array(["a", "b"]), None, "is not a column of activity"),
}


@pytest.mark.parametrize("name", STORED)
def test_parquet_of_the_wrong_type_or_value_is_refused(
    loaded: Engine, tmp_path: Path, name: str
) -> None:
    column, values, row, reason = STORED[name]
    path = tmp_path / "activity.parquet"
    parquet.write_table(pa.table({**ACTIVITY, column: values}), path)

    problem = refusal(loaded, "activity", path).problems[0]

    assert problem.line == row
    assert reason in problem.reason
    assert name == "invalid text" or problem.column == column


def test_parquet_times_without_zone_are_refused(loaded: Engine, tmp_path: Path) -> None:
    path = tmp_path / "referrals.parquet"
    ids = pa.array([1])
    naive = pa.array([0], pa.timestamp("us"))
    parquet.write_table(
        pa.table({"affiliate_account_id": ids, "referred_account_id": ids, "referred_at": naive}),
        path,
    )

    assert "is stored as a time without zone" in str(refusal(loaded, "referrals", path))


ROWS = {
    "unknown account": (
        "applications",
        ["99,@x,2026-03-01T00:00:00Z,pending"],
        2,
        "account_id",
        "99",
        "is not a known account",
    ),
    "second pending in the file": (
        "applications",
        ["1,@x,2026-03-01T00:00:00Z,pending", "1,@x,2026-03-02T00:00:00Z,"],
        3,
        "account_id",
        "1",
        "has a pending application on line 2 too",
    ),
    "second pending here": (
        "applications",
        ["3,@x,2026-03-01T00:00:00Z,pending"],
        2,
        "account_id",
        "3",
        "has a pending application already",
    ),
    "same application twice": (
        "applications",
        ["1,@x,2026-03-01T00:00:00Z,withdrawn", "1,@y,2026-03-01T01:00:00+01:00,withdrawn"],
        3,
        "account_id, submitted_at",
        "1, 2026-03-01 00:00:00+00",
        "has the same key as line 2",
    ),
    "second affiliate in the file": (
        "referrals",
        ["1,7,2026-03-01T00:00:00Z", "2,7,2026-03-01T00:00:00Z"],
        3,
        "referred_account_id",
        "7",
        "has another affiliate on line 2",
    ),
    "second affiliate here": (
        "referrals",
        ["2,9,2026-03-01T00:00:00Z"],
        2,
        "referred_account_id",
        "9",
        "was already referred by another affiliate",
    ),
    "same account twice": (
        "accounts",
        ["8,a,,,,2026-01-01T00:00:00Z", "8,b,,,,2026-01-01T00:00:00Z"],
        3,
        "account_id",
        "8",
        "has the same key as line 2",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_contradicts_others_is_refused_by_line(
    loaded: Engine, tmp_path: Path, name: str
) -> None:
    kind, rows, line, column, value, reason = ROWS[name]
    path = tmp_path / f"{kind}.csv"
    path.write_text("\n".join([HEADERS[kind], *rows]) + "\n")

    (problem,) = refusal(loaded, kind, path).problems

    assert (problem.line, problem.column, problem.value) == (line, column, value)
    assert reason in problem.reason


def test_the_report_names_every_bad_row_and_reads_from_top_to_bottom(
    loaded: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "activity.csv"
    path.write_bytes(
        lines(HEAD, b"x,2,2026-03-01,$1,0,1", ROW, b"1,2", b'1,3,"a,2,0,1', b"1,4,today,2,0,1")
    )

    refused = refusal(loaded, "activity", path)

    assert sorted((problem.line, problem.column) for problem in refused.problems) == [
        (2, "affiliate_account_id"),
        (2, "volume_usd"),
        (4, None),
        (5, None),
        (6, "activity_date"),
    ]
    assert [problem.line for problem in refused.problems] == [2, 2, 4, 5, 6]


def test_a_hundred_problems_are_named_and_the_others_counted(
    loaded: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "activity.csv"
    path.write_bytes(lines(HEAD, *[b"1,2,today,1e3,0,1"] * 130, b"1"))

    refused = refusal(loaded, "activity", path)

    assert (len(refused.problems), refused.more) == (100, 161)
    assert str(refused).startswith(
        "Nothing was loaded. activity.csv, line 2, `activity_date`: `today`"
    )
    assert str(refused).endswith("And 260 more.")


def test_repeated_keys_are_counted_beyond_the_hundred_named(loaded: Engine, tmp_path: Path) -> None:
    path = tmp_path / "activity.csv"
    path.write_bytes(lines(HEAD, *[b"1,2,2025-01-01,1,0,1"] * 131))

    refused = refusal(loaded, "activity", path)

    assert (len(refused.problems), refused.more) == (100, 30)


def test_a_problem_reads_as_a_sentence(loaded: Engine, tmp_path: Path) -> None:
    path = tmp_path / "activity.csv"
    rows = [b"1,%d,2026-03-01,1.00,0,1" % number for number in range(2, 1204)]
    path.write_bytes(lines(HEAD, *rows, b'1,2,2026-03-01,"1,234.50",0,1'))

    (problem,) = refusal(loaded, "activity", path).problems

    assert str(problem) == (
        "activity.csv, line 1,204, `volume_usd`: `1,234.50` has a thousands separator; write `1234.50`."
    )


def test_a_second_bad_file_spoils_the_first(loaded: Engine, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(lines(HEAD, OTHER))
    bad.write_bytes(lines(HEAD, ROW, b"1,3,today,1,0,1"))

    (problem,) = refusal(loaded, "activity", good, bad).problems

    assert (problem.file, problem.line) == ("bad.csv", 3)


def test_a_key_in_two_files_is_refused_naming_both(loaded: Engine, tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_bytes(lines(HEAD, OTHER, ROW))
    two.write_bytes(lines(HEAD, ROW))

    (problem,) = refusal(loaded, "activity", one, two).problems

    assert str(problem).startswith("two.csv, line 2, ")
    assert "has the same key as line 3 of one.csv" in problem.reason


def test_files_with_other_columns_are_refused_in_one_call(loaded: Engine, tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("account_id,username,created_at\n1,a,2026-01-01T00:00:00Z\n")
    two.write_text("account_id,username,email,created_at\n2,a,,2026-01-01T00:00:00Z\n")

    assert "two.csv: has other columns than one.csv" in str(refusal(loaded, "accounts", one, two))


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("evidence", {}, "is not a kind of file"),
        ("activity", {"source_format": "xml"}, "is not a format"),
        ("activity", {"source_format": "airtable"}, "only applications can"),
        ("activity", {"mapping": Path("map.toml")}, "goes with --format airtable only"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(
    loaded: Engine, tmp_path: Path, kind: str, options: dict[str, object], reason: str
) -> None:
    assert reason in str(refusal(loaded, kind, tmp_path / "x.csv", **options))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst", "a.parquet", "export.csv"])
def test_a_disk_that_fails_is_named_and_not_the_file_blamed(
    loaded: Engine, tmp_path: Path, name: str
) -> None:
    # Reading a process's memory from its beginning is an I/O error for everybody.
    (tmp_path / name).symlink_to("/proc/self/mem")
    options = {"source_format": "airtable"} if name == "export.csv" else {}

    refused = refusal(loaded, "applications", tmp_path / name, **options)

    assert "cannot be read: Input/output error" in refused.problems[0].reason


@pytest.mark.parametrize("option", ["mapping", "manifest"])
@pytest.mark.parametrize("what", ["a folder", "bytes", "nothing"])
def test_a_map_or_manifest_that_cannot_be_read_is_refused(
    loaded: Engine, tmp_path: Path, option: str, what: str
) -> None:
    path, file = tmp_path / "it.toml", tmp_path / "a.csv"
    file.write_bytes(b"x\n")
    if what == "a folder":
        path.mkdir()
    elif what == "bytes":
        path.write_bytes(b"\xff\0")

    refused = refusal(loaded, "applications", file, source_format="airtable", **{option: path})

    assert refused.problems[0].file == "it.toml"


def test_a_path_that_is_too_long_is_refused(loaded: Engine, tmp_path: Path) -> None:
    assert "too long" in str(refusal(loaded, "accounts", tmp_path / ("x" * 300)))


def test_a_path_that_is_no_file_is_refused(loaded: Engine, tmp_path: Path) -> None:
    refused = refusal(loaded, "activity", tmp_path / "absent.csv", tmp_path)

    assert [problem.reason.split(";")[0] for problem in refused.problems] == [
        "does not exist",
        "is not a file",
    ]
    assert refusal(loaded, "activity").problems[0].reason.startswith("names no file")

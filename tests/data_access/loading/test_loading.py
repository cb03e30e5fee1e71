"""Loads of valid files."""

import gzip
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from sqlalchemy import Engine, text

from data_access import loading
from data_access.loading import Delivery, LoadRefused, csv_blocks
from tests.builders import add_staff
from tests.cases import examples
from tests.conftest import ROOT
from tests.data_access import clicks

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
GOLDEN = ROOT.parent / "shared" / "golden"
FACTS = (
    "exchange.accounts",
    "exchange.applications",
    "exchange.referrals",
    "exchange.referral_activity",
)
ACTIVITY = (
    "affiliate_account_id,referred_account_id,activity_date,volume_usd,fees_usd,trade_count\n"
    "1,2,2026-02-28,1.00,0.5,1\n"
    "1,2,2026-03-01,1234567.89,-0.000001,2147483647\n"
    "9223372036854775807,3,2010-01-01,999999999999999999.99,99999999999999.999999,0\n"
    "1,3,2026-04-01,0,0,0\n"
)
ACCOUNTS = (
    "account_id,username,email,country_code,kyc_status,created_at\n"
    "1,007,ana@example.com,DE,verified,2026-01-01T00:00:00Z\n"
    "2,NA,,,,2026-01-01 02:00:00.5+02\n"
    '3,null,"","","",2026-01-01T00:00:00.123456-0330\n'
    '4,"a ""quoted"", name",x,FR,none,2026-01-01T00:00:00+00:00\n'
    "5,=1+1,x,FR,none,2026-01-01T00:00:00+0000\n"
    "6,Zoë 👍,x,FR,none,2026-01-01T00:00:00.000Z\n"
)


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def facts(engine: Engine, columns: str = "t") -> list[list[tuple[object, ...]]]:
    return [rows(engine, f"select {columns}::text from {name} t order by 1") for name in FACTS]


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def load(
    engine: Engine,
    kind: str,
    *paths: Path,
    now: datetime = NOW,
    progress: loading.Progress | None = None,
    **options: Any,
) -> loading.LoadReport:
    delivery = Delivery(kind=kind, paths=paths, **options)
    return loading.load(engine, delivery, now=now, progress=progress)


def accounts(engine: Engine, folder: Path, *ids: int) -> None:
    listed = "".join(f"{n},user{n},2026-01-01T00:00:00Z\n" for n in ids)
    load(
        engine, "accounts", put(folder, "accounts.csv", "account_id,username,created_at\n" + listed)
    )


def applications(engine: Engine, folder: Path, content: str) -> loading.LoadReport:
    return load(engine, "applications", put(folder, "applications.csv", content))


def test_the_golden_files_load(engine: Engine) -> None:
    reports = [
        load(engine, kind, GOLDEN / f"{kind}.csv")
        for kind in ("accounts", "applications", "referrals", "activity")
    ]

    for report in reports:
        given = len((GOLDEN / f"{report.kind}.csv").read_text().splitlines()) - 1
        assert (report.rows_read, report.rows_inserted, report.rows_updated) == (given, given, 0)
    assert sum(report.rows_read for report in reports) == sum(len(table) for table in facts(engine))


def test_the_same_files_again_change_nothing_not_even_on_disk(engine: Engine) -> None:
    kinds = ("accounts", "applications", "referrals", "activity")
    for kind in kinds:
        load(engine, kind, GOLDEN / f"{kind}.csv")
    before = facts(engine, "(t.ctid, t.xmin, t)")

    again = [load(engine, kind, GOLDEN / f"{kind}.csv") for kind in kinds]

    assert [(report.rows_inserted, report.rows_updated, report.first_day) for report in again] == [
        (0, 0, None)
    ] * 4
    assert facts(engine, "(t.ctid, t.xmin, t)") == before


def forms(folder: Path, name: str, content: str) -> dict[str, Path]:
    text_table = arrow_csv.read_csv(
        put(folder, "plain.csv", content),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(content.split("\n")[0].split(","), pa.string()),
        ),
    )
    parquet.write_table(text_table, folder / f"{name}.parquet")
    header, *lines = content.splitlines()
    reordered = text_table.select(text_table.column_names[::-1])
    arrow_csv.write_csv(reordered, folder / "reordered.csv")
    return {
        "plain": put(folder, f"{name}.csv", content),
        "gzip": put(folder, f"{name}.csv.gz", gzip.compress(content.encode())),
        "gzip in two members": put(
            folder,
            f"{name}2.csv.gz",
            gzip.compress(content[:99].encode()) + gzip.compress(content[99:].encode()),
        ),
        "zstd": put(
            folder, f"{name}.csv.zst", pa.Codec("zstd").compress(content.encode(), asbytes=True)
        ),
        "byte order mark": put(folder, "bom.csv", "\ufeff" + content),
        "CRLF": put(folder, "crlf.csv", "\r\n".join([header, *lines, ""])),
        "no last newline": put(folder, "bare.csv", content[:-1]),
        "all quoted, other order": folder / "reordered.csv",
        "Parquet of text": folder / f"{name}.parquet",
    }


@pytest.mark.parametrize(("kind", "content"), [("activity", ACTIVITY), ("accounts", ACCOUNTS)])
def test_every_form_of_a_file_gives_the_same_rows(
    engine: Engine, tmp_path: Path, kind: str, content: str
) -> None:
    given = forms(tmp_path, kind, content)
    first = load(engine, kind, given.pop("plain"))
    assert first.rows_inserted == first.rows_read == len(content.splitlines()) - 1
    before = facts(engine)

    for form, path in given.items():
        again = load(engine, kind, path)
        assert (form, again.rows_read, again.rows_inserted, again.rows_updated) == (
            form,
            first.rows_read,
            0,
            0,
        )
    assert facts(engine) == before


HEADER, *ROWS = ACTIVITY.encode().splitlines()
WIDE = HEADER + b",,"
LAID_OUT = {
    "blank rows at the end": [HEADER, *ROWS, b",,,,,", b",,,,,", b""],
    "blank rows between": [HEADER, ROWS[0], b"", b" , ,\t,,,", b'"","",,,,', *ROWS[1:]],
    "blank rows of other spaces": [HEADER, *ROWS, b"\xc2\xa0,,\xe3\x80\x80,,,", b"\t"],
    "a blank row first": [HEADER, b",,,,,", *ROWS],
    "blank lines before the header": [b"", b",,", HEADER, *ROWS],
    "sep=,": [b"sep=,", HEADER, *ROWS],
    "SEP=, quoted, with commas": [b'"SEP=,",,,', HEADER, *ROWS],
    "empty columns at the right": [WIDE, *[row + b",," for row in ROWS]],
    "empty columns named by spaces": [HEADER + b", ,", *[row + b", ," for row in ROWS]],
    "an empty column in some rows": [WIDE, ROWS[0] + b",,", *ROWS[1:]],
    "commas behind one row": [HEADER, ROWS[0] + b',"",,', *ROWS[1:]],
    "all of it": [b"sep=,", b"", WIDE, b",,,,,,,", *[row + b",," for row in ROWS], b",", b""],
}


def test_spreadsheet_leftovers_around_a_table_are_ignored(engine: Engine, tmp_path: Path) -> None:
    assert load(engine, "activity", put(tmp_path, "a.csv", ACTIVITY)).rows_inserted == len(ROWS)

    for (name, lines), end in product(LAID_OUT.items(), (b"\n", b"\r\n")):
        path = put(tmp_path, "activity.csv", b"\xef\xbb\xbf" + end.join(lines) + end)
        report = load(engine, "activity", path)

        # The same rows, which are there already.
        rows = (report.rows_read, report.rows_inserted, report.rows_updated)
        assert rows == (len(ROWS), 0, 0), (name, end)


def test_lines_are_counted_past_blank_ones(engine: Engine, tmp_path: Path) -> None:
    bad = b"sep=,\r\n\r\n" + HEADER + b"\r\n,,,,,\r\n\r\n1,2,today,1,0,1\r\n"

    with pytest.raises(LoadRefused) as caught:
        load(engine, "activity", put(tmp_path, "activity.csv", bad))

    assert [problem.line for problem in caught.value.problems] == [6]


ZSTD = pa.Codec("zstd")
SKIPPED = [bytes([0x50 + n]) + b"\x2a\x4d\x18\x03\0\0\0any" for n in (0, 7, 15)]


def zstd(content: bytes) -> bytes:
    packed: bytes = ZSTD.compress(content, asbytes=True)
    return packed


def test_packed_files_of_several_parts_are_one_file(engine: Engine, tmp_path: Path) -> None:
    whole = ACTIVITY.encode()
    parts = [whole[:50], whole[50:51], b"", whole[51:]]
    zstd_parts = [zstd(part) for part in parts]
    files = {
        "members.csv.gz": b"".join(gzip.compress(part) for part in parts),
        "empty-first.csv.gz": gzip.compress(b"") + gzip.compress(whole),
        "padded.csv.gz": gzip.compress(whole) + b"\0" * 512,
        "frames.csv.zst": b"".join(zstd_parts),
        "skip-first.csv.zst": SKIPPED[0] + zstd(whole),
        "skips.csv.zst": b"".join(
            skipped + part for skipped, part in zip(SKIPPED * 2, zstd_parts, strict=False)
        ),
        "skips-only-around.csv.zst": b"".join(SKIPPED) + zstd(whole) + SKIPPED[2],
    }
    load(engine, "activity", put(tmp_path, "activity.csv", whole))

    for name, content in files.items():
        again = load(engine, "activity", put(tmp_path, name, content))
        assert (name, again.rows_read, again.rows_updated) == (name, len(ROWS), 0)


@pytest.mark.parametrize(
    "stored",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.large_string()),
    ],
    ids=str,
)
def test_parquet_text_loads_however_it_is_stored(
    engine: Engine, tmp_path: Path, stored: pa.DataType
) -> None:
    names = pa.array(["Zoë 👍", "007", "Zoë 👍"])
    names = names.dictionary_encode() if pa.types.is_dictionary(stored) else names
    moments = pa.array([1_700_000_000_000_000] * 3, pa.timestamp("us", "UTC"))
    table = pa.table(
        {
            "account_id": pa.array([1, 2, 3]),
            "username": names.cast(stored),
            "country_code": pa.array(["DE", None, "FR"]).cast(
                pa.string() if pa.types.is_dictionary(stored) else stored
            ),
            "created_at": moments,
        }
    )
    parquet.write_table(table, tmp_path / "accounts.parquet")

    load(engine, "accounts", tmp_path / "accounts.parquet")

    assert rows(
        engine, "select username, country_code from exchange.accounts order by account_id"
    ) == [
        ("Zoë 👍", "DE"),
        ("007", None),
        ("Zoë 👍", "FR"),
    ]


def test_clocks_may_differ_by_five_minutes(engine: Engine, tmp_path: Path) -> None:
    content = "account_id,username,created_at\n1,a,2026-04-01T12:05:00Z\n"

    assert load(engine, "accounts", put(tmp_path, "accounts.csv", content)).rows_inserted == 1


def test_joiners_needed_by_emoji_and_words_are_kept(engine: Engine, tmp_path: Path) -> None:
    names = [
        "👩\u200d💻",
        "می\u200cخواهم",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ]
    content = "account_id,username,created_at\n" + "".join(
        f"{at},{name},2026-01-01T00:00:00Z\n" for at, name in enumerate(names, 1)
    )

    load(engine, "accounts", put(tmp_path, "accounts.csv", content))

    assert rows(engine, "select username from exchange.accounts order by account_id") == [
        (name,) for name in names
    ]


TYPED = {
    "affiliate_account_id": pa.array([1, 1, 2**63 - 1, 1], pa.int64()),
    "referred_account_id": pa.array([2, 2, 3, 3], pa.uint32()),
    "activity_date": pa.array(["2026-02-28", "2026-03-01", "2010-01-01", "2026-04-01"]).cast(
        pa.date32()
    ),
    "volume_usd": pa.array(["1.00", "1234567.89", "999999999999999999.99", "0"]).cast(
        pa.decimal256(38, 12)
    ),
    "fees_usd": pa.array(["0.5", "-0.000001", "99999999999999.999999", "0"]).cast(
        pa.decimal128(20, 6)
    ),
    "trade_count": pa.array(["1", "2147483647", "0", "0"]).dictionary_encode(),
}


def test_parquet_of_typed_columns_gives_the_same_rows(engine: Engine, tmp_path: Path) -> None:
    load(engine, "activity", put(tmp_path, "activity.csv", ACTIVITY))
    parquet.write_table(pa.table(TYPED), tmp_path / "activity.parquet")

    again = load(engine, "activity", tmp_path / "activity.parquet")

    assert (again.rows_read, again.rows_inserted, again.rows_updated) == (4, 0, 0)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_parquet_times_of_any_unit_and_zone_are_the_same_moment(
    engine: Engine, tmp_path: Path, unit: str, zone: str
) -> None:
    moment = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
    ids = pa.array([1])
    referred = pa.array([moment], pa.timestamp(unit, zone))
    table = pa.table(
        {"affiliate_account_id": ids, "referred_account_id": ids, "referred_at": referred}
    )
    parquet.write_table(table, tmp_path / "referrals.parquet")

    report = load(engine, "referrals", tmp_path / "referrals.parquet")

    assert rows(engine, "select referred_at from exchange.referrals") == [(moment,)]
    assert report.first_day == date(2026, 3, 1)


def test_text_stays_text_and_nothing_is_null(engine: Engine, tmp_path: Path) -> None:
    load(engine, "accounts", put(tmp_path, "accounts.csv", ACCOUNTS))

    assert rows(
        engine,
        "select username, email, country_code, kyc_status, created_at, first_seen_at "
        "from exchange.accounts order by account_id",
    ) == [
        ("007", "ana@example.com", "DE", "verified", datetime(2026, 1, 1, tzinfo=UTC), NOW),
        ("NA", None, None, "none", datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC), NOW),
        ("null", None, None, "none", datetime(2026, 1, 1, 3, 30, 0, 123_456, tzinfo=UTC), NOW),
        ('a "quoted", name', "x", "FR", "none", datetime(2026, 1, 1, tzinfo=UTC), NOW),
        ("=1+1", "x", "FR", "none", datetime(2026, 1, 1, tzinfo=UTC), NOW),
        ("Zoë 👍", "x", "FR", "none", datetime(2026, 1, 1, tzinfo=UTC), NOW),
    ]


def test_text_is_composed_so_that_one_name_has_one_spelling(engine: Engine, tmp_path: Path) -> None:
    header = "account_id,username,created_at\n"
    load(engine, "accounts", put(tmp_path, "a.csv", header + "1,Zoe\u0308,2026-01-01T00:00:00Z\n"))
    again = load(
        engine, "accounts", put(tmp_path, "a.csv", header + "1,Zoë,2026-01-01T00:00:00Z\n")
    )

    assert rows(engine, "select username from exchange.accounts") == [("Zo\u00eb",)]
    assert again.rows_updated == 0


def test_an_absent_column_keeps_values_and_an_empty_value_clears_them(
    engine: Engine, tmp_path: Path
) -> None:
    load(engine, "accounts", put(tmp_path, "accounts.csv", ACCOUNTS))
    header = "account_id,username,created_at,email\n"
    load(engine, "accounts", put(tmp_path, "b.csv", header + "1,new,2026-01-01T00:00:00Z,\n"))

    assert rows(
        engine,
        "select username, email, country_code, kyc_status from exchange.accounts where account_id = 1",
    ) == [("new", None, "DE", "verified")]


def test_money_keeps_every_digit(engine: Engine, tmp_path: Path) -> None:
    load(engine, "activity", put(tmp_path, "activity.csv", ACTIVITY))

    assert rows(
        engine,
        "select volume_usd, fees_usd from exchange.referral_activity where affiliate_account_id > 1",
    ) == [(Decimal("999999999999999999.99"), Decimal("99999999999999.999999"))]


def test_each_month_has_its_partition_with_the_key_and_checks_of_the_table(
    engine: Engine, tmp_path: Path
) -> None:
    load(engine, "activity", put(tmp_path, "activity.csv", ACTIVITY))

    made = rows(
        engine,
        "select c.relname::text, pg_get_expr(c.relpartbound, c.oid), "
        "(select count(*) from pg_constraint k where k.conrelid = c.oid and k.contype in ('c', 'p')), "
        "(select bool_and(x.indisvalid) from pg_index x where x.indrelid = c.oid) "
        "from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = 'exchange.referral_activity'::regclass order by 1",
    )
    assert made == [
        (f"referral_activity_{first:%Y_%m}", f"FOR VALUES FROM ('{first}') TO ('{after}')", 4, True)
        for first, after in (
            (date(2010, 1, 1), date(2010, 2, 1)),
            (date(2026, 2, 1), date(2026, 3, 1)),
            (date(2026, 3, 1), date(2026, 4, 1)),
            (date(2026, 4, 1), date(2026, 5, 1)),
        )
    ]


def test_old_and_new_months_load_together_and_the_first_changed_day_is_reported(
    engine: Engine, tmp_path: Path
) -> None:
    header = ACTIVITY.splitlines()[0] + "\n"
    first = (
        header + "1,2,2026-03-05,1.00,0.5,1\n1,2,2026-03-06,1.00,0.5,1\n1,2,2026-03-07,1.00,0.5,1\n"
    )
    load(engine, "activity", put(tmp_path, "a.csv", first))
    unchanged, changed = "1,2,2026-03-05,1.00,0.50,1\n", "1,2,2026-03-06,1.01,0.5,1\n"
    new, new_month = "1,3,2026-03-20,1.00,0,1\n", "1,2,2026-04-01,1.00,0,1\n"
    path = put(tmp_path, "b.csv", header + unchanged + changed + new + new_month)

    report = load(engine, "activity", path)

    assert (report.rows_inserted, report.rows_updated, report.first_day) == (2, 1, date(2026, 3, 6))
    assert rows(
        engine, "select activity_date, volume_usd from exchange.referral_activity order by 1, 2"
    ) == [
        (date(2026, 3, 5), Decimal("1.00")),
        (date(2026, 3, 6), Decimal("1.01")),
        (date(2026, 3, 7), Decimal("1.00")),
        (date(2026, 3, 20), Decimal("1.00")),
        (date(2026, 4, 1), Decimal("1.00")),
    ]


def test_a_moved_referral_changes_the_earlier_of_its_two_days(
    engine: Engine, tmp_path: Path
) -> None:
    header = "affiliate_account_id,referred_account_id,referred_at\n"
    load(engine, "referrals", put(tmp_path, "a.csv", header + "1,2,2026-03-01T23:59:59.999999Z\n"))
    report = load(
        engine, "referrals", put(tmp_path, "a.csv", header + "1,2,2026-03-09T00:00:00Z\n")
    )

    assert (report.rows_inserted, report.rows_updated, report.first_day) == (0, 1, date(2026, 3, 1))


def test_loads_are_recorded(engine: Engine, tmp_path: Path) -> None:
    path = put(tmp_path, "activity.csv", ACTIVITY)
    report = load(engine, "activity", path)

    assert rows(
        engine,
        "select load_id, kind, files, rows_read, rows_inserted, rows_updated, first_day, loaded_at "
        "from review.loads",
    ) == [
        (
            report.load_id,
            "activity",
            [
                {
                    "name": "activity.csv",
                    "bytes": len(ACTIVITY),
                    "sha256": sha256(ACTIVITY.encode()).hexdigest(),
                }
            ],
            4,
            4,
            0,
            date(2010, 1, 1),
            NOW,
        )
    ]
    assert str(report) == "activity: 4 rows read, 4 new, 0 changed."


def test_several_files_are_one_load(engine: Engine, tmp_path: Path) -> None:
    header, *lines = ACTIVITY.splitlines()
    paths = [put(tmp_path, f"{n}.csv", f"{header}\n{line}\n") for n, line in enumerate(lines)]

    report = load(engine, "activity", *paths)

    assert report.rows_inserted == 4
    assert rows(engine, "select jsonb_array_length(files) from review.loads") == [(4,)]


def test_lines_are_counted_across_blocks(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK", 64)
    header = ACTIVITY.splitlines()[0]
    lines = [f"1,{n},2026-03-01,1.00,0,1" for n in range(1, 401)]
    report = load(engine, "activity", put(tmp_path, "a.csv", "\n".join([header, *lines])))
    lines[299], lines[379] = "1,300,today,1.00,0,1", "1"

    with pytest.raises(LoadRefused) as caught:
        load(engine, "activity", put(tmp_path, "a.csv", "\n".join([header, *lines])))

    assert report.rows_inserted == 400
    assert [problem.line for problem in caught.value.problems] == [301, 381]


def test_progress_goes_from_little_to_all(engine: Engine, tmp_path: Path) -> None:
    paths = [put(tmp_path, "a.csv", ACTIVITY), put(tmp_path, "b.csv", ACTIVITY.replace("1,", "8,"))]
    total = sum(path.stat().st_size for path in paths)
    reports: list[tuple[int, int]] = []

    with pytest.raises(LoadRefused):
        load(
            engine, "activity", *paths, progress=lambda done, all_of: reports.append((done, all_of))
        )

    assert reports == sorted(reports)
    assert {all_of for _, all_of in reports} == {total}
    assert reports[-1][0] == total


def test_a_load_that_breaks_in_the_middle_leaves_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK", 64)
    path = put(tmp_path, "activity.csv", ACTIVITY)
    before = facts(engine)

    def break_off(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(engine, "activity", path, progress=break_off)

    assert facts(engine) == before
    assert rows(engine, "select * from review.loads") == []
    assert load(engine, "activity", path).rows_inserted == 4


def test_a_server_that_ends_the_load_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    path = put(tmp_path, "activity.csv", ACTIVITY)

    def end_the_server_side(_done: int, _total: int) -> None:
        with engine.connect() as other:
            other.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()"
                )
            )

    with pytest.raises(Exception, match=r"terminat|connection|closed"):
        load(engine, "activity", path, progress=end_the_server_side)

    engine.dispose()
    assert facts(engine) == [[], [], [], []]
    assert load(engine, "activity", path).rows_inserted == 4


def test_loads_at_the_same_time_take_turns(engine: Engine, tmp_path: Path) -> None:
    path = put(tmp_path, "activity.csv", ACTIVITY)

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: load(engine, "activity", path), range(4)))

    assert sorted(report.rows_inserted for report in reports) == [0, 0, 0, 4]
    assert sum(report.rows_updated for report in reports) == 0


def test_a_decision_made_while_a_load_waits_for_it_stays(engine: Engine, tmp_path: Path) -> None:
    accounts(engine, tmp_path, 1)
    row = "5,1,@a,2026-03-01T00:00:00Z,pending,\n"
    applications(engine, tmp_path, APPLICATION + row)
    waiting = text("select count(*) from pg_locks where not granted")

    with ThreadPoolExecutor(1) as pool, engine.connect() as deciding:
        deciding.execute(text("update exchange.applications set status = 'approved'"))
        loading_now = pool.submit(
            applications, engine, tmp_path, APPLICATION + row.replace("@a", "@b")
        )
        while not rows(engine, waiting.text)[0][0] and not loading_now.done():
            time.sleep(0.01)
        deciding.commit()
        loading_now.result()

    assert [row[1] for row in status(engine)] == ["approved"]
    assert rows(engine, "select social_handle from exchange.applications") == [("@b",)]


APPLICATION = "application_id,account_id,social_handle,submitted_at,status,status_changed_at\n"


def status(engine: Engine) -> list[tuple[object, ...]]:
    return rows(
        engine,
        "select application_id, status, status_changed_at from exchange.applications order by 1",
    )


def test_an_application_already_decided_keeps_its_status(engine: Engine, tmp_path: Path) -> None:
    accounts(engine, tmp_path, 1, 2, 3)
    decided = [
        f"{10 + n},{n},@a,2026-03-01T00:00:00Z,{word},2026-03-02T00:00:00Z\n"
        for n, word in ((1, "approved"), (2, "rejected"), (3, "withdrawn"))
    ]
    applications(engine, tmp_path, APPLICATION + "".join(decided))

    again = [
        f"{10 + n},{n},@b,2026-03-01T00:00:00Z,pending,2026-03-03T00:00:00Z\n" for n in (1, 2, 3)
    ]
    report = applications(engine, tmp_path, APPLICATION + "".join(again))

    second = datetime(2026, 3, 2, tzinfo=UTC)
    assert status(engine) == [
        (11, "approved", second),
        (12, "rejected", second),
        (13, "pending", second + timedelta(days=1)),
    ]
    assert report.rows_updated == 3
    assert rows(engine, "select distinct social_handle from exchange.applications") == [("@b",)]


def test_a_reopened_application_is_decided_here_and_a_withdrawal_is_recorded(
    engine: Engine, tmp_path: Path
) -> None:
    accounts(engine, tmp_path, 1)
    with engine.begin() as conn:
        add_staff(conn)
    row = "11,1,@a,2026-03-01T00:00:00Z,{},2026-03-02T00:00:00Z\n"
    applications(engine, tmp_path, APPLICATION + row.format("pending"))
    clicks.reject(engine, 11)
    clicks.reopen(engine, 11)

    applications(engine, tmp_path, APPLICATION + row.format("rejected"))
    assert [word for _, word, _ in status(engine)] == ["pending"]
    applications(engine, tmp_path, APPLICATION + row.format("withdrawn"))

    assert [word for _, word, _ in status(engine)] == ["withdrawn"]
    last = clicks.events(engine, 11)[-1]
    assert (last.kind, last.actor) == ("withdrawn", "upstream")
    assert last.detail == {"status": {"old": "pending", "new": "withdrawn"}}


def test_statuses_stay_where_the_file_has_none(engine: Engine, tmp_path: Path) -> None:
    accounts(engine, tmp_path, 1)
    applications(
        engine,
        tmp_path,
        APPLICATION + "5,1,@a,2026-03-01T00:00:00Z,withdrawn,2026-03-02T00:00:00Z\n",
    )
    before = status(engine)

    applications(
        engine,
        tmp_path,
        "application_id,account_id,social_handle,submitted_at\n5,1,@b,2026-03-01T00:00:00Z\n",
    )

    assert status(engine) == before


def test_a_status_that_changed_at_an_untold_time_forgets_the_older_time(
    engine: Engine, tmp_path: Path
) -> None:
    accounts(engine, tmp_path, 1)
    applications(
        engine,
        tmp_path,
        APPLICATION + "5,1,@a,2026-03-01T00:00:00Z,withdrawn,2026-03-02T00:00:00Z\n",
    )
    header = "application_id,account_id,social_handle,submitted_at,status\n"

    applications(engine, tmp_path, header + "5,1,@a,2026-03-01T00:00:00Z,rejected\n")

    assert status(engine) == [(5, "rejected", None)]


def test_without_an_id_account_and_time_identify_an_application(
    engine: Engine, tmp_path: Path
) -> None:
    accounts(engine, tmp_path, 1, 2)
    header = "account_id,social_handle,submitted_at\n"
    content = header + "1,@a,2026-03-01T10:00:00Z\n2,@b,2026-03-01T10:00:00Z\n"
    first = applications(engine, tmp_path, content)
    again = applications(engine, tmp_path, content.replace("@a", "@c"))

    assert (first.rows_inserted, again.rows_inserted, again.rows_updated) == (2, 0, 1)
    assert rows(
        engine,
        "select social_platform, status, social_handle from exchange.applications order by 3",
    ) == [
        ("x", "pending", "@b"),
        ("x", "pending", "@c"),
    ]


def test_ids_given_here_come_after_those_that_were_loaded(engine: Engine, tmp_path: Path) -> None:
    accounts(engine, tmp_path, 1, 2, 3)
    applications(
        engine,
        tmp_path,
        APPLICATION + "500,1,@a,2026-03-01T00:00:00Z,,\n,2,@b,2026-03-01T00:00:00Z,,\n",
    )
    with engine.begin() as connection:
        made = connection.execute(
            text(
                "insert into exchange.applications (account_id, social_handle, submitted_at) "
                "values (3, '@c', now()) returning application_id"
            )
        ).scalar_one()

    assert [row[0] for row in status(engine)] == [500, 501, 502]
    assert made == 502


def test_an_id_at_the_end_of_bigint_written_past_the_loader_does_not_end_the_numbering(
    engine: Engine, tmp_path: Path
) -> None:
    accounts(engine, tmp_path, 1, 2)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into exchange.applications "
                "(application_id, account_id, social_handle, submitted_at) "
                "values (9223372036854775807, 1, '@a', now())"
            )
        )

    applications(
        engine, tmp_path, "account_id,social_handle,submitted_at\n2,@b,2026-03-01T10:00:00Z\n"
    )

    assert rows(
        engine, "select application_id < 1000 from exchange.applications where account_id = 2"
    ) == [(True,)]


def test_one_application_may_end_and_the_next_begin_in_one_file(
    engine: Engine, tmp_path: Path
) -> None:
    accounts(engine, tmp_path, 1, 2)
    old = "".join(f"{n},{n},@a,2026-03-01T00:00:00Z,pending,\n" for n in (1, 2))
    applications(engine, tmp_path, APPLICATION + old + "3,2,@c,2026-02-01T00:00:00Z,withdrawn,\n")

    applications(
        engine,
        tmp_path,
        APPLICATION
        + "4,1,@b,2026-03-02T00:00:00Z,pending,\n1,1,@a,2026-03-01T00:00:00Z,withdrawn,\n"
        + "3,2,@c,2026-02-01T00:00:00Z,pending,\n2,2,@a,2026-03-01T00:00:00Z,rejected,\n",
    )

    assert [row[:2] for row in status(engine)] == [
        (1, "withdrawn"),
        (2, "rejected"),
        (3, "pending"),
        (4, "pending"),
    ]


def manifest(folder: Path, **settings: str) -> Path:
    lines = [f"{key} = {value}" for key, value in settings.items()]
    return put(folder, "manifest.toml", '["activity.csv"]\n' + "\n".join(lines) + "\n")


FIRST_TWO = "".join(ACTIVITY.splitlines(keepends=True)[:3])
TRUE = {
    "rows": "2",
    "sha256": f'"{sha256(FIRST_TWO.encode()).hexdigest()}"',
    "totals": '{ volume_usd = "1234568.89", fees_usd = "0.499999", trade_count = 2147483648 }',
}


def test_a_file_that_keeps_its_manifest_loads(engine: Engine, tmp_path: Path) -> None:
    path = put(tmp_path, "activity.csv", FIRST_TWO)

    assert load(engine, "activity", path, manifest=manifest(tmp_path, **TRUE)).rows_inserted == 2


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"rows": "3"}, "has 2 rows, and the manifest says 3"),
        ({"sha256": '"' + "0" * 64 + '"'}, "and the manifest says another"),
        (
            {"totals": '{ volume_usd = "1234568.90" }'},
            "adds up to 1234568.89, and the manifest says 1234568.90",
        ),
        ({"totals": "{ volume_usd = 1.5 }"}, "inexactly; write it in quotes"),
        ({"totals": "{ activity_date = 1 }"}, "the columns with a total are"),
        ({"lines": "3"}, "it may name rows, sha256, totals"),
        ({"rows": '"3"'}, "has rows that are not a whole number"),
        ({"rows": "= 3"}, "is not TOML"),
    ],
)
def test_a_broken_or_wrong_manifest_is_refused(
    engine: Engine, tmp_path: Path, settings: dict[str, str], reason: str
) -> None:
    path = put(tmp_path, "activity.csv", FIRST_TWO)

    with pytest.raises(LoadRefused, match=reason):
        load(engine, "activity", path, manifest=manifest(tmp_path, **settings))

    assert facts(engine) == [[], [], [], []]


def test_a_file_cut_inside_its_last_number_is_caught_by_the_manifest_alone(
    engine: Engine, tmp_path: Path
) -> None:
    path = put(tmp_path, "activity.csv", FIRST_TWO[:-4])

    with pytest.raises(LoadRefused, match="adds up to"):
        load(engine, "activity", path, manifest=manifest(tmp_path, totals=TRUE["totals"]))
    with pytest.raises(LoadRefused, match="is not described"):
        load(
            engine,
            "activity",
            put(tmp_path, "other.csv", FIRST_TWO),
            manifest=manifest(tmp_path, **TRUE),
        )


@pytest.mark.sampled
def test_random_damage_is_refused_or_harmless_and_never_a_surprise(
    engine: Engine, tmp_path: Path
) -> None:
    generator = random.Random(20260401)
    original = ACTIVITY.encode()
    for _ in range(examples(50, of=150)):
        damaged = bytearray(original)
        for _ in range(generator.randint(1, 3)):
            at = generator.randrange(len(damaged))
            damaged[at : at + generator.randint(0, 2)] = generator.choice(
                [
                    b"",
                    b'"',
                    b",",
                    b"\n",
                    b"\r",
                    b"\0",
                    b"\\.",
                    b"\xff",
                    b"e",
                    b"-",
                    b"9",
                    b" ",
                    b"\xc2\xa0",
                ]
            )
        before = facts(engine)
        try:
            load(engine, "activity", put(tmp_path, "activity.csv", bytes(damaged)))
        except LoadRefused:
            assert facts(engine) == before


FORM = (
    "UID,Username,Account,Social Media Account Name,Contact Platform,Contact Information,Created\n"
    '1,,,@ana,Telegram,"@ana, or\nmail",2026-03-01T10:00:00.000Z\n'
    ",bob,,@bob,E-mail,bob@example.com,2026-03-02T10:00:00.000Z\n"
    ",,3,@cy,WhatsApp,+1 555,2026-03-03T10:00:00.000Z\n"
)
DAMAGE = [
    b"",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\0",
    b";",
    b"\xff",
    b"e",
    b"-",
    b"9",
    b" ",
    b"\xe2\x80\x8f",
]


@pytest.mark.slow
def test_damage_of_any_kind_of_file_ends_in_a_named_refusal(engine: Engine, tmp_path: Path) -> None:
    load(
        engine,
        "accounts",
        put(
            tmp_path,
            "known.csv",
            "account_id,username,created_at\n"
            + "".join(
                f"{n},{name},2026-01-01T00:00:00Z\n"
                for n, name in enumerate(("ana", "bob", "cy"), 1)
            ),
        ),
    )
    given = forms(tmp_path, "activity", ACTIVITY)
    files = [
        *(("activity", path.name, path.read_bytes(), {}) for path in given.values()),
        ("applications", "form.csv", FORM.encode(), {"source_format": "airtable"}),
    ]
    generator = random.Random(20261130)
    for kind, name, original, options in files:
        for _ in range(300):
            damaged = bytearray(original)
            for _ in range(generator.randint(1, 3)):
                at = generator.randrange(len(damaged))
                damaged[at : at + generator.randint(0, 2)] = generator.choice(DAMAGE)
            cut = generator.choice([len(damaged), generator.randrange(len(damaged))])
            before = facts(engine)
            try:
                load(engine, kind, put(tmp_path, name, bytes(damaged[:cut])), **options)
            except LoadRefused:
                assert facts(engine) == before

"""The command line: helpful, one line on stderr when it fails, and never a traceback."""

import csv
import io
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, create_engine, text

from data_access import __main__ as command_line
from data_access.__main__ import main
from data_access.db import database
from data_access.db.errors import Invalid
from data_access.explore import exported
from data_access.exports import files as export_files
from data_access.exports import terminal
from tests.builders import add_application
from tests.cases import first_of
from tests.conftest import CLUSTER, ROOT, measure_no_risk
from tests.databases import Databases

SECRET = "tops3cret"
ACCOUNTS = (
    "account_id,username,email,country_code,kyc_status,created_at\n"
    "1,meadow,meadow@example.com,BR,verified,2025-01-01T00:00:00Z\n"
    "2,otter,,US,pending,2025-01-01T00:00:00Z\n"
)
APPLICATIONS = (
    "application_id,account_id,social_handle,submitted_at\n"
    "10,1,@meadow,2026-01-01T00:00:00Z\n"
    "11,2,@otter,2026-01-02T00:00:00Z\n"
)
REFERRALS = "affiliate_account_id,referred_account_id,referred_at\n1,100,2026-01-01T00:00:00Z\n"
ACTIVITY = (
    "affiliate_account_id,referred_account_id,activity_date,volume_usd,fees_usd,trade_count\n"
    "1,100,{day},1234.50,1.5,3\n"
)
DEMO = ("demo", "--i-know", "--affiliates", "20")
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def succeeded(done: Result) -> Result:
    assert done.exit_code == 0, (done.stderr, done.exception)
    return done


def failed(done: Result, sentence: str) -> str:
    """Return the one line on stderr; the command must not raise."""
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    assert sentence in lines[0]
    return lines[0]


@contextmanager
def named_by_the_environment(url: str) -> Iterator[Engine]:
    """Have commands use the database at ``url``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        patch.delenv("DATABASE_REPLICA_URL", raising=False)
        made = create_engine(url, connect_args={"options": "-c timezone=UTC"})
        yield made
        made.dispose()
        for purpose in database.Purpose:
            database.engine(purpose).dispose()


@pytest.fixture
def configured(database_url: str) -> Iterator[Engine]:
    """A fresh migrated database, named by DATABASE_URL."""
    with named_by_the_environment(database_url) as engine:
        yield engine


@pytest.fixture
def bare(databases: Databases) -> Iterator[Engine]:
    """The same before migration."""
    url = databases.url(databases.empty("bare"))
    with named_by_the_environment(url.render_as_string(hide_password=False)) as engine:
        yield engine


@pytest.fixture(scope="module")
def demonstrated(databases: Databases) -> tuple[str, Result]:
    """The address of a database with a demo that the command made, and what that printed."""
    url = databases.url(databases.copy("demo")).render_as_string(hide_password=False)
    with named_by_the_environment(url), pytest.MonkeyPatch.context() as patch:
        measure_no_risk(patch)
        made = succeeded(run(*DEMO))
    return url, made


@pytest.fixture
def with_demo(demonstrated: tuple[str, Result]) -> Iterator[Engine]:
    """The same, named by DATABASE_URL; the last test below changes it."""
    with named_by_the_environment(demonstrated[0]) as engine:
        yield engine


def write(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def load_all(folder: Path) -> None:
    files = {
        "accounts": ACCOUNTS,
        "applications": APPLICATIONS,
        "referrals": REFERRALS,
        "activity": ACTIVITY.format(day=YESTERDAY),
    }
    for kind, content in files.items():
        succeeded(run("load", kind, write(folder / f"{kind}.csv", content)))


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


# --- Help -----------------------------------------------------------------------------------------

COMMANDS = ("migrate", "staff", "load", "refresh", "export", "demo", "doctor", "start", "stop")
ALSO = ("archive", "distribute", "notify")


def test_the_commands_are_these() -> None:
    assert {*COMMANDS, *ALSO} <= set(main.commands)


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", [None, *sorted(main.commands)])
def test_every_command_has_help(command: str | None, option: str) -> None:
    done = succeeded(run(*([command] if command else []), option))

    assert done.stdout.startswith("Usage: ")
    assert done.stderr == ""


@pytest.mark.parametrize("command", sorted(main.commands))
def test_the_help_explains_each_command_and_option(command: str) -> None:
    made = main.commands[command]
    options = [p for p in made.params if isinstance(p, click.Option)]

    assert (made.help or "").strip()
    plain = {"--format", "--status", "--eligibility", "--track", "--sort", "--affiliates", "--seed"}
    bare = [p.opts[0] for p in options if not p.help and p.opts[0] not in {*plain, "--port"}]
    assert bare == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["unheard-of"], "No such command"),
        (["load", "people", "x.csv"], "'people' is not one of"),
        (["load", "accounts"], "Missing argument 'FILES...'"),
        (["load", "accounts", "x.csv", "--keep-rest"], "goes with load applications --format"),
        (["load", "applications", "x.csv", "--report", "r.csv"], "--report goes with --keep-rest"),
        (["export", "secrets", "-"], "'secrets' is not"),
        (["export", "applications"], "Missing argument 'FILE'"),
        (["export", "applications", "-", "--status", "lost"], "'lost' is not one of"),
        (["export", "applications", "-", "--waiting", "4"], "'4' is not one of"),
        (["refresh", "--through", "yesterday"], "'yesterday' does not match the format"),
        (["refresh", "--since", "2026-02-30"], "does not match the format"),
        (["demo", "--affiliates", "19"], "19 is not in the range"),
        (["demo", "--seed", "x"], "'x' is not a valid integer"),
    ],
)
def test_a_misused_command_prints_its_usage(arguments: list[str], sentence: str) -> None:
    done = run(*arguments)

    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert sentence in line
    assert line.endswith("--help`.")


# --- The database -----------------------------------------------------------------------------------

NEEDING = (
    ["migrate"],
    ["load", "accounts", "accounts.csv"],
    ["refresh"],
    ["export", "applications", "-"],
    ["archive", "--before", "2020-01"],
    ["demo", "--i-know"],
    ["doctor"],
)


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "accounts.csv", ACCOUNTS)
    return tmp_path


@pytest.mark.parametrize("arguments", NEEDING, ids=" ".join)
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (SECRET, "DATABASE_URL is not a Postgres address"),
        (f"mysql://ana:{SECRET}@host/review", "DATABASE_URL is not a Postgres address"),
        (f"postgresql://ana:{SECRET}@host:port/review", "DATABASE_URL is not a Postgres address"),
        (f"postgresql://ana:{SECRET}@127.0.0.1:1/review", "The database is not responding"),
        (f"postgresql://ana:{SECRET}@127.0.0.1:1/review?x=1", "contains an option"),
    ],
)
def test_a_bad_address_is_one_line_without_the_password(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], url: str, sentence: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    assert SECRET not in failed(run(*arguments), sentence)


@pytest.mark.parametrize(
    "arguments", [a for a in NEEDING if a[0] not in ("migrate", "doctor")], ids=" ".join
)
def test_before_migrating_each_command_says_what_to_run(
    bare: Engine, in_folder: Path, arguments: list[str]
) -> None:
    failed(run(*arguments), "Run `python -m data_access migrate`.")


def test_migrating_an_empty_database_and_again(bare: Engine) -> None:
    first, again = succeeded(run("migrate")), succeeded(run("migrate"))

    assert ", was empty.\n" in first.stdout
    assert again.stdout.startswith("Schema is at ")
    assert "was" not in again.stdout


@pytest.mark.parametrize("revision", ["9999", "", "+1", "head~1", "'; drop table x; --"])
def test_a_revision_that_does_not_exist_is_refused(configured: Engine, revision: str) -> None:
    failed(run("migrate", "--to", revision), f"There is no revision {revision}. The revisions are")


def test_a_schema_newer_than_the_program_is_left_alone(configured: Engine) -> None:
    with configured.begin() as conn:
        conn.execute(text("update review.alembic_version set version_num = '9999'"))

    failed(run("migrate"), "at revision 9999, which this program does not know")


def test_going_down_refuses_where_it_would_lose_data(configured: Engine) -> None:
    with configured.begin() as conn:
        add_application(conn, 7)

    failed(run("migrate", "--to", "base"), "holds rows and nothing could bring them back")
    with configured.connect() as conn:
        assert conn.execute(text("select count(*) from exchange.applications")).scalar_one() == 1


# --- Loading, refreshing, exporting -----------------------------------------------------------------


def test_loaded_and_refreshed_data_appear_in_the_export(configured: Engine, tmp_path: Path) -> None:
    load_all(tmp_path)
    refreshed = succeeded(run("refresh"))
    done = succeeded(run("export", "applications", "-"))

    assert f"Metrics are through {YESTERDAY}; the window is " in refreshed.stdout
    assert done.stderr == "applications written to standard output.\n"
    first, second = rows(done.stdout_bytes)
    assert (first["application_id"], first["username"], first["volume_usd"]) == (
        *("10", "meadow"),
        "1234.50",
    )
    assert (first["data_through"], first["active_users"]) == (str(YESTERDAY), "1")
    assert (second["application_id"], second["eligibility"]) == ("11", "unknown")


def test_a_refresh_ends_with_a_full_count_once_a_day_and_says_what_differs(
    configured: Engine, tmp_path: Path
) -> None:
    load_all(tmp_path)
    earlier = write(tmp_path / "earlier.csv", ACTIVITY.format(day=YESTERDAY - timedelta(days=1)))
    succeeded(run("load", "activity", earlier))
    assert succeeded(run("refresh")).stderr == ""
    with configured.begin() as conn:
        conn.execute(text("update review.carried_sums set window_active = window_active + 1"))
        conn.execute(text("update review.refreshes set recounted_at = '2026-01-01Z'"))

    again = succeeded(run("refresh"))

    assert again.stderr.startswith("Sums carried forward differed from a full count of ")
    assert succeeded(run("refresh")).stderr == ""


def test_loading_the_same_again_changes_nothing(configured: Engine, tmp_path: Path) -> None:
    file = write(tmp_path / "accounts.csv", ACCOUNTS)
    first, again = (succeeded(run("load", "accounts", file)) for _ in range(2))

    assert first.stdout == "accounts: 2 rows read, 2 new, 0 changed.\n"
    assert again.stdout == "accounts: 2 rows read, 0 new, 0 changed.\n"


def report(done: Result) -> tuple[list[str], str]:
    """Return the problems, one per line, and the final line."""
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code == 1
    *problems, last = done.stderr.splitlines()
    return problems, last


def test_a_missing_file_is_named(configured: Engine, tmp_path: Path) -> None:
    problems, last = report(run("load", "accounts", tmp_path / "nothing.csv"))

    assert len(problems) == 1
    assert "nothing.csv: does not exist" in problems[0]
    assert last == "Error: Nothing was loaded: 1 problem; see the lines above."


def test_every_bad_value_is_reported_with_its_place_and_nothing_is_loaded(
    configured: Engine, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "accounts.csv",
        ACCOUNTS + "x,fox,,BR,none,2025-01-01T00:00:00Z\n3,fox,,BR,maybe,2025-01-01\n",
    )

    problems, last = report(run("load", "accounts", file))

    assert [problem.split(":")[0] for problem in problems] == [
        "accounts.csv, line 4, `account_id`",
        "accounts.csv, line 5, `kyc_status`",
        "accounts.csv, line 5, `created_at`",
    ]
    assert last == "Error: Nothing was loaded: 3 problems; see the lines above."
    with configured.connect() as conn:
        assert conn.execute(text("select count(*) from exchange.accounts")).scalar_one() == 0


def test_an_unknown_column_of_a_file_is_named(configured: Engine, tmp_path: Path) -> None:
    file = write(tmp_path / "accounts.csv", "account_id,username,created_at,shoe_size\n")

    problems, _ = report(run("load", "accounts", file))

    assert any("`shoe_size`: is not a column of accounts" in problem for problem in problems)


FORM = (
    "UID,Social Media Account Name,Contact Platform,Created\n"
    "1,@ana,Telegram,2025-03-01T10:00:00.000Z\n"
    '2,@bo,"Telegram,Email",2025-03-01T10:00:00.000Z\n'
    ",=x(),,2025-03-01T10:00:00.000Z\n"
)


def test_a_forms_good_rows_are_loaded_and_the_rest_is_kept_and_reported(
    configured: Engine, tmp_path: Path
) -> None:
    succeeded(run("load", "accounts", write(tmp_path / "accounts.csv", ACCOUNTS)))
    file, found = write(tmp_path / "grid.csv", FORM), tmp_path / "report.csv"
    arguments = ("load", "applications", "--format", "airtable", file)
    problems, last = report(run(*arguments))
    assert len(problems) == 1
    assert "add --keep-rest, or use the Import page" in last

    done = succeeded(run(*arguments, "--keep-rest", "--report", found))

    assert done.stdout == "grid.csv: import 1: 1 new, 2 kept for later.\n"
    assert done.stderr.splitlines()[0].startswith(
        "grid.csv, row 3, `Contact Platform`: `Telegram,Email` names several platforms"
    )
    report_rows = rows(found.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    assert [(one["row"], one["outcome"]) for one in report_rows] == [
        ("2", "new"),
        ("3", "kept for later"),
        ("4", "kept for later"),
    ]
    again = succeeded(run(*arguments, "--keep-rest", "--map", write(tmp_path / "m.toml", "")))
    assert again.stdout == "grid.csv: import 2: 1 already there, 2 already kept.\n"


def test_a_map_is_a_file_or_the_name_of_a_saved_one(configured: Engine, tmp_path: Path) -> None:
    succeeded(run("load", "accounts", write(tmp_path / "accounts.csv", ACCOUNTS)))
    arguments = ("load", "applications", "--format", "airtable", write(tmp_path / "g.csv", FORM))
    failed(run(*arguments, "--map", "Main"), "is neither a file nor the name of a saved map")
    assert report(run(*arguments, "--map", "none.toml"))[0][0].startswith(
        "none.toml: does not exist"
    )
    with configured.begin() as conn:
        conn.execute(
            text(
                "insert into review.form_maps (name, content, saved_by, saved_at) values "
                """('Main', '{"platforms": {"Telegram,Email": "email"}}', 'ana', now())"""
            )
        )

    done = succeeded(run(*arguments, "--map", "main", "--keep-rest"))

    assert done.stdout == "g.csv: import 1: 2 new, 1 kept for later.\n"


def test_a_refresh_without_activity_names_what_to_load(configured: Engine) -> None:
    failed(run("refresh"), "There is no referral activity")


def test_a_day_that_is_not_over_cannot_be_the_data_through_day(configured: Engine) -> None:
    tomorrow = YESTERDAY + timedelta(days=2)

    failed(run("refresh", "--through", str(tomorrow)), f"{tomorrow} is not over yet in UTC")


def test_columns_are_chosen_by_name(configured: Engine, tmp_path: Path) -> None:
    load_all(tmp_path)
    done = succeeded(run("export", "applications", "-", "--columns", "status, application_id"))

    assert done.stdout.splitlines() == ["status,application_id", "pending,10", "pending,11"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--columns", "volume"], "There is no column volume. The columns are: application_id"),
        (["--columns", "status,,"], "There is no column"),
        (["--country", "br"], "--country `br` is not understood"),
        (["--country", "BRA"], "--country `BRA` is not understood"),
        (["--platform", "\u200b"], "--platform `\\u200b` is not understood"),
        (["--search", "x" * 101], "is not understood"),
        (["--search", "a\x1b[31mb"], "--search `a\\x1b[31mb` is not understood"),
    ],
)
def test_an_export_refuses_invalid_options(
    configured: Engine, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    file = write(tmp_path / "kept.csv", "precious")

    failed(run("export", "applications", file, *arguments), sentence)
    assert file.read_text() == "precious"
    assert os.listdir(tmp_path) == ["kept.csv"]


@pytest.mark.parametrize(
    "path",
    ["/", ".", "no/such/folder/x.csv", "accounts.csv/x.csv", "x" * 300 + ".xlsx", "no/x.parquet"],
)
def test_a_file_that_cannot_be_written_is_one_line(
    configured: Engine, in_folder: Path, path: str
) -> None:
    failed(run("export", "applications", path), f"{Path(path)} cannot be written: ")
    assert os.listdir(in_folder) == ["accounts.csv"]


def test_an_export_that_breaks_midway_leaves_the_older_file(
    configured: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: Any, target: BinaryIO, **__: Any) -> None:
        target.write(b"half of ")
        raise Invalid("cut here")

    monkeypatch.setattr(export_files, "write", breaks)
    file = write(tmp_path / "kept.csv", "precious")

    failed(run("export", "applications", file), "cut here")
    assert file.read_text() == "precious"
    assert os.listdir(tmp_path) == ["kept.csv"]


def test_a_link_leads_to_the_file_that_is_replaced(configured: Engine, tmp_path: Path) -> None:
    file = write(tmp_path / "real.csv", "old")
    link = tmp_path / "link.csv"
    link.symlink_to(file)

    succeeded(run("export", "applications", link))

    assert link.is_symlink()
    assert file.read_text().startswith("application_id,")


def test_a_pipe_is_written_to_and_not_replaced(configured: Engine, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reading = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reading.start()

    succeeded(run("export", "applications", pipe))
    reading.join(10)

    assert found[0].startswith(b"application_id,")
    assert pipe.is_fifo()


def test_the_commands_user_is_logged_even_without_a_name(
    configured: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(command_line.getpass, "getuser", unknown)
    succeeded(run("export", "applications", "-"))

    with configured.connect() as conn:
        found = conn.execute(text("select exported_by, row_count, columns from review.exports"))
        assert found.one() == (f"user {os.getuid()}", 0, list(exported.BY_NAME))


# --- Demo and doctor ----------------------------------------------------------------------------------


def test_the_demo_fills_an_empty_database_once_and_leaves_it_in_order(
    demonstrated: tuple[str, Result], with_demo: Engine
) -> None:
    _, first = demonstrated
    again = succeeded(run(*DEMO))
    other = run(*DEMO, "--seed", "8")
    examined = succeeded(run("doctor"))

    assert first.stdout.startswith("The demo is made: 20 affiliates")
    assert again.stdout.startswith("The demo is already there: 20 affiliates")
    failed(other, "already holds a demo, made with --affiliates 20 --seed 7")
    assert {line[:7] for line in examined.stdout.splitlines()} == {"ok     "}


def test_sums_are_those_of_now_after_the_demo_and_after_a_start(
    with_demo: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of the demo and decisions since a refresh change rebate costs."""

    def sums() -> list[Any]:
        with with_demo.connect() as conn:
            return list(conn.execute(text("select * from review.segment_daily order by 1, 2, 3")))

    def refreshed() -> list[Any]:
        succeeded(run("refresh"))
        return sums()

    assert sums() == refreshed() != []

    monkeypatch.setattr(command_line.os, "execv", lambda *_: None)
    monkeypatch.setattr(command_line.os, "chdir", lambda *_: None)
    with with_demo.begin() as conn:
        conn.execute(
            text(
                "update exchange.accounts set country_code = 'XK' where account_id in"
                " (select affiliate_account_id from review.affiliate_segments)"
            )
        )
    succeeded(run("start", "--no-browser"))
    assert {row.segment for row in sums() if row.dimension == "country"} == {"XK"}


def test_the_demo_does_not_go_into_other_data(configured: Engine) -> None:
    with configured.begin() as conn:
        add_application(conn, 7)

    failed(run("demo", "--i-know"), "The database holds other data")


def test_the_demo_does_not_go_into_a_database_that_is_used(configured: Engine) -> None:
    assert "--i-know" in failed(run("demo"), "DATABASE_URL is set")

    with configured.connect() as conn:
        assert conn.execute(text("select count(*) from review.staff")).scalar_one() == 0


def test_the_doctor_ends_with_1_where_there_is_a_problem(configured: Engine) -> None:
    done = run("doctor")

    assert (done.exit_code, done.stderr) == (1, "")
    assert "PROBLEM  data: no activity loaded yet" in done.stdout
    assert "ok       schema: revision" in done.stdout


def test_the_doctor_looks_at_a_database_without_schema_too(bare: Engine) -> None:
    done = run("doctor")

    assert done.exit_code == 1
    assert "PROBLEM  schema: the schema is at revision none" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("run `python -m data_access migrate`")


# --- Delivery -----------------------------------------------------------------------------------------


def add_message(engine: Engine) -> None:
    with engine.begin() as conn:
        add_application(conn, 7)
        conn.execute(
            text(
                "insert into review.outbox (message_id, application_id, channel, recipient, payload)"
                " values (gen_random_uuid(), 7, 'telegram', 'meadow', '{\"message\": \"Welcome.\"}')"
            )
        )


def test_the_outbox_is_delivered_into_a_folder_and_once_only(
    configured: Engine, tmp_path: Path
) -> None:
    add_message(configured)

    first, again = (
        succeeded(run("notify", "--once", "--mailbox", tmp_path / "mail")) for _ in range(2)
    )

    assert first.stdout == "Delivery: 1 sent.\n"
    assert again.stdout == "Delivery: nothing was due.\n"
    (letter,) = (tmp_path / "mail").iterdir()
    assert "Welcome." in letter.read_text()


def test_without_a_channel_the_command_names_what_to_set(
    configured: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SMTP_URL", "NOTIFY_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)

    failed(run("notify", "--once"), "No way of delivery is set up. Set SMTP_URL")
    monkeypatch.setenv("SMTP_URL", f"smtp://team:{SECRET}@mail.example")
    assert SECRET not in failed(run("notify", "--once"), "SMTP_URL cannot be used")


def test_a_worker_beside_the_dashboard_ends_with_it(configured: Engine, tmp_path: Path) -> None:
    add_message(configured)
    worker = [sys.executable, "-m", "data_access", "notify", "--with-parent", "--mailbox"]
    script = f"import subprocess; print(subprocess.Popen({[*worker, str(tmp_path)]!r}).pid, flush=True); input()"
    dashboard = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert dashboard.stdout is not None
    pid = int(dashboard.stdout.readline())
    wait_until(lambda: any(tmp_path.iterdir()))

    dashboard.kill()
    dashboard.communicate()

    wait_until(lambda: not Path(f"/proc/{pid}").exists() or is_over(pid))


def is_over(pid: int) -> bool:
    """Return whether it ended, also if its parent has not collected it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- As a process of its own --------------------------------------------------------------------------


def process(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    given = {"stdout": subprocess.PIPE, **settings}
    return subprocess.run(
        [sys.executable, "-m", "data_access", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **given,
    )


def test_a_failure_is_one_line_on_stderr_and_nothing_on_stdout(configured: Engine) -> None:
    done = process("refresh")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: There is no referral activity")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    first_of(
        ("export", "applications", "-"),
        *((one,) for one in [("--help",), ("doctor",), ("migrate",), ("load", "--help")]),
    ),
    ids=" ".join,
)
def test_a_full_disk_behind_standard_output_is_one_line(
    configured: Engine, command: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = process(*command, stdout=full)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: Standard output cannot be written: No space left on device")


def test_a_connection_cut_by_a_signal_is_reported_only_in_the_sentence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with terminal.cancellable("Cancelled."):
        for name in ("sqlalchemy.pool", "psycopg"):
            logging.getLogger(name).warning("error ignored in rollback")
    assert caplog.records == []

    logging.getLogger("psycopg").warning("of another kind")
    assert len(caplog.records) == 1


def test_a_closed_standard_output_is_one_line(configured: Engine) -> None:
    command = f'exec "{sys.executable}" -m data_access export applications - >&-'
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (
        *(1, "Error: Standard output is closed. Name a file.\n"),
    )


def test_without_an_address_the_embedded_postgres_of_the_home_is_used(server: Engine) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    done = process("doctor", env={**environment, "AFFILIATE_REVIEW_HOME": str(CLUSTER.home)})

    assert done.returncode == 1
    assert "ok       connection: PostgreSQL" in done.stdout
    assert "PROBLEM  schema: the schema is at revision none" in done.stdout


# --- Staff ----------------------------------------------------------------------------------------


def test_the_first_administrator_comes_from_the_command_line(bare: Engine) -> None:
    first = succeeded(run("migrate")).stdout
    assert "Nobody is on the staff list yet" in first
    assert "staff add you@example.com --role admin" in first
    assert "Nobody is on the staff list yet" in succeeded(run("staff", "list")).stdout

    added = run("staff", "add", "Ada@Example.com", "--role", "admin", "--name", "Ada Lovelace")

    assert succeeded(added).stdout == "ada@example.com is admin now.\n"
    assert "Nobody" not in succeeded(run("migrate")).stdout
    listed = succeeded(run("staff", "list")).stdout
    assert listed == "ada@example.com\tadmin\tactive\tnever seen\tAda Lovelace\n"


def test_staff_is_changed_on_record_and_the_last_administrator_stays(configured: Engine) -> None:
    for email, role in (("ada@example.com", "admin"), ("ben@example.com", "reviewer")):
        succeeded(run("staff", "add", email, "--role", role, "--name", "A"))

    succeeded(run("staff", "role", "ben@example.com", "manager", "--reason", "Promoted"))
    succeeded(run("staff", "disable", "ben@example.com"))
    failed(run("staff", "disable", "ada@example.com"), "is the last active administrator")
    failed(run("staff", "role", "ada@example.com", "manager"), "is the last active administrator")
    failed(run("staff", "enable", "eve@example.com"), "is not on the staff list")
    failed(run("staff", "unbind", "ben@example.com"), "is not bound")
    succeeded(run("staff", "enable", "ben@example.com"))
    account = ("--issuer", "https://id.example.com", "--subject", "1042")
    succeeded(run("staff", "bind", "ben@example.com", *account, "--reason", "Ticket 7"))
    failed(run("staff", "bind", "ben@example.com", *account), "is bound to an account already")
    succeeded(run("staff", "unbind", "ben@example.com"))

    with configured.connect() as conn:
        recorded = conn.execute(
            text("select kind, reason, actor from review.staff_events order by event_id")
        ).all()
    assert [(row.kind, row.reason) for row in recorded] == [
        ("added", ""),
        ("added", ""),
        ("role_changed", "Promoted"),
        ("disabled", ""),
        ("enabled", ""),
        ("bound", "Ticket 7"),
        ("unbound", ""),
    ]
    assert all(row.actor.startswith("command line (") for row in recorded)

"""The rules on Debian's PostgreSQL 15, the oldest supported version."""

import os
import pwd
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from data_access.db import guards, migrate, privileges
from data_access.db.roles import Login
from tests.data_access.db.flows import work_a_day
from tests.data_access.db.separated import ATTEMPTS, Separated, separate, tried

pytestmark = pytest.mark.slow
BINARIES = Path("/usr/lib/postgresql/15/bin")
PASSWORDS = {login: secrets.token_urlsafe(12) for login in ("owner", *map(str, Login))}


def _as_server_user(*command: str | Path) -> None:
    """Run a program of the server; root may not, so that it then runs as nobody."""
    user = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    # Files, not pipes: the server keeps what it inherits open.
    with Path(os.devnull).open("w") as nowhere:
        subprocess.run(
            list(map(str, command)), check=True, cwd="/", stdout=nowhere, stderr=nowhere, **user
        )


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Path]]:
    """The address of an empty database that its owner may make roles for, and the server's log."""
    if not (BINARIES / "initdb").exists():
        pytest.fail(f"PostgreSQL 15 is not installed in {BINARIES}: apt-get install postgresql-15")
    # Not pytest's own folder, which is private.
    with tempfile.TemporaryDirectory(prefix="fifteen-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "pg"
        home.mkdir()
        with _running(home) as found:
            yield found


@contextmanager
def _running(home: Path) -> Iterator[tuple[str, Path]]:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    data, log = home / "data", home / "log"
    _as_server_user(BINARIES / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-EUTF8")
    # Every statement is logged, to look for passwords.
    settings = f"-c listen_addresses= -c unix_socket_directories={home} -c log_statement=all"
    _as_server_user(BINARIES / "pg_ctl", "-D", data, "-w", "-l", log, "-o", settings, "start")
    try:
        with psycopg.connect(
            f"postgresql://postgres@/postgres?host={home}", autocommit=True
        ) as conn:
            conn.execute("create role boss login createrole nosuperuser")
            conn.execute("create database affiliates owner boss")
        yield f"postgresql+psycopg://boss@/affiliates?host={home}", log
    finally:
        _as_server_user(BINARIES / "pg_ctl", "-D", data, "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def there(server: tuple[str, Path]) -> Iterator[Separated]:
    address, _ = server
    engine = create_engine(address)
    migrate.migrate(engine)
    engine.dispose()
    made = separate(address, PASSWORDS, make=True)
    with made.owner.begin() as conn:
        conn.execute(text(ATTEMPTS))
    yield made
    made.owner.dispose()


def test_it_is_version_15(there: Separated) -> None:
    with there.owner.connect() as conn:
        assert conn.execute(text("show server_version")).scalar_one().startswith("15.")


def test_each_login_can_do_what_the_rules_allow_and_nothing_else(there: Separated) -> None:
    number, otherwise = tried(there)

    assert otherwise == []
    assert number > 5_000
    with there.owner.connect() as conn:
        assert [*privileges.differences(conn), *guards.differences(conn)] == []


def test_the_making_is_repeatable(there: Separated) -> None:
    assert privileges.apply(there.owner, {}) == []


def test_a_days_work_is_done_under_the_separate_logins(
    there: Separated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work_a_day(there, tmp_path, monkeypatch, all_day=True)

    with there.owner.connect() as conn:
        assert privileges.differences(conn) == []


def test_no_password_is_in_the_servers_log(there: Separated, server: tuple[str, Path]) -> None:
    _, log = server
    written = log.read_text(errors="replace")

    assert "alter role" in written
    assert [login for login, password in PASSWORDS.items() if password in written] == []

"""The rules on Debian's PostgreSQL 15, the oldest supported version."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from data_access.db import guards, migrate, privileges
from data_access.db.roles import Login
from tests.data_access.db.fifteen import running
from tests.data_access.db.flows import work_a_day
from tests.data_access.db.separated import ATTEMPTS, Separated, separate, tried

pytestmark = pytest.mark.slow
PASSWORDS = {login: secrets.token_urlsafe(12) for login in ("owner", *map(str, Login))}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Path]]:
    """The address of an empty database that its owner may make roles for, and the server's log."""
    # Every statement is logged, to look for passwords.
    with running("listen_addresses=", "log_statement=all", trust=True) as home:
        with psycopg.connect(
            f"postgresql://postgres@/postgres?host={home}", autocommit=True
        ) as conn:
            conn.execute("create role boss login createrole nosuperuser")
            conn.execute("create database affiliates owner boss")
        yield f"postgresql+psycopg://boss@/affiliates?host={home}", home / "log"


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

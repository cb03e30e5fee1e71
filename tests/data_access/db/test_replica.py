"""A real streaming replica: read while it keeps up, and told when it does not."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from data_access.db import replica
from data_access.db.embedded import Cluster
from data_access.db.replica import State, Watch

pytestmark = pytest.mark.slow
PATIENCE_S = 60


@dataclass(frozen=True)
class Pair:
    """A database and its replica; ``standby`` runs the replica's programs."""

    database: Engine
    replica: Engine
    standby: "Standby"


class Standby:
    """A copy of a cluster that follows it."""

    def __init__(self, of: Cluster, home: Path) -> None:
        self.of, self.pgdata, self.sockets = of, home / "standby", home / "sockets"
        for folder in (home, self.sockets):
            folder.mkdir(exist_ok=True)
            of._hand_over(folder)
        password = of._passwords()["superuser"]
        source = f"host={of.socket_dir} user=postgres password={password}"
        of._run("pg_basebackup", "-D", str(self.pgdata), "-R", "-X", "stream", "-d", source)

    @property
    def url(self) -> str:
        return self.of.url().replace(str(self.of.socket_dir), str(self.sockets))

    def start(self) -> None:
        options = f"-c unix_socket_directories={self.sockets}"
        log = str(self.pgdata / "log")
        self.of._run("pg_ctl", "-D", str(self.pgdata), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self.of._run("pg_ctl", "-D", str(self.pgdata), "-m", "immediate", "stop", check=False)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    home = tmp_path_factory.mktemp("pair")
    home.chmod(0o755)
    cluster = Cluster(home / "main")
    cluster.ensure_running()
    standby = Standby(cluster, home / "copy")
    standby.start()
    database, other = (
        create_engine(url, pool_pre_ping=True) for url in (cluster.url(), standby.url)
    )
    try:
        yield Pair(database=database, replica=other, standby=standby)
    finally:
        for engine in (database, other):
            engine.dispose()
        standby.stop()
        cluster.stop("immediate")


@contextmanager
def superuser(pair: Pair) -> Iterator[Connection]:
    password = pair.standby.of._passwords()["superuser"]
    url = pair.replica.url.set(username="postgres", password=password, database="postgres")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def write(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("create table if not exists written (at timestamptz)"))
        conn.execute(text("insert into written values (clock_timestamp())"))


def soon(watch: Watch, wanted: State) -> State:
    """Return the state once it is as wanted, or the last one."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = watch._check()
        if found == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_a_replica_that_has_all_is_read(pair: Pair) -> None:
    write(pair.database)

    assert soon(Watch(pair.database, pair.replica), State(lag_s=0.0)) == State(lag_s=0.0)


def test_one_that_stands_still_falls_behind_and_is_left(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(pair.database, pair.replica)
    write(pair.database)
    soon(watch, State(lag_s=0.0))
    with superuser(pair) as conn:
        conn.execute(text("select pg_wal_replay_pause()"))
    write(pair.database)

    behind = watch._check()
    monkeypatch.setattr(replica, "MOST_LAG_S", -1.0)
    too_far = watch._check()

    assert behind.obstacle is None
    assert 0 < (behind.lag_s or 0) < PATIENCE_S
    assert "behind the database" in behind.sentence
    assert "so this is read from the database itself" in too_far.sentence
    with superuser(pair) as conn:
        conn.execute(text("select pg_wal_replay_resume()"))
    monkeypatch.undo()
    assert soon(watch, State(lag_s=0.0)) == State(lag_s=0.0)


def test_one_that_was_stopped_is_left_and_read_again_once_it_is_back(pair: Pair) -> None:
    watch = Watch(pair.database, pair.replica)
    pair.standby.stop()

    gone = watch._check()
    pair.standby.start()

    assert gone == State(lag_s=None, obstacle="does not respond")
    assert soon(watch, State(lag_s=0.0)) == State(lag_s=0.0)

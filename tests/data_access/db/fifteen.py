"""Debian's PostgreSQL 15, the oldest supported version: a server of its own for a test."""

import os
import pwd
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BINARIES = Path("/usr/lib/postgresql/15/bin")
# Of the server's superuser, postgres.
PASSWORD = secrets.token_hex(12)


@contextmanager
def running(*settings: str, trust: bool = False) -> Iterator[Path]:
    """Run an empty server with these settings; yields its folder, with its socket and ``log``.

    Connections need passwords unless it trusts them.
    """
    if not (BINARIES / "initdb").exists():
        pytest.fail(f"PostgreSQL 15 is not installed in {BINARIES}: apt-get install postgresql-15")
    with folder_of_server_user("fifteen-") as home:
        data, words = home / "data", home / "password"
        words.write_text(PASSWORD)
        kind = "trust" if trust else "scram-sha-256"
        made = ("-D", data, "-U", "postgres", f"--auth={kind}", "-EUTF8", f"--pwfile={words}")
        _run(BINARIES / "initdb", *made)
        options = " ".join(f"-c {one}" for one in (f"unix_socket_directories={home}", *settings))
        control = (BINARIES / "pg_ctl", "-D", data)
        _run(*control, "-w", "-l", home / "log", "-o", options, "start")
        try:
            yield home
        finally:
            _run(*control, "-m", "immediate", "stop")


@contextmanager
def folder_of_server_user(prefix: str) -> Iterator[Path]:
    """A folder that the user of servers may write; not pytest's own, which is private."""
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "home"
        folder.mkdir()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        yield folder


@contextmanager
def started_as_server_user(*command: str | Path) -> Iterator[None]:
    """Run a program until the end of the block."""
    with (
        Path(os.devnull).open("w") as nowhere,
        subprocess.Popen(
            list(map(str, command)), cwd="/", stdout=nowhere, stderr=nowhere, **_user()
        ) as program,
    ):
        try:
            yield
        finally:
            program.terminate()


def _run(*command: str | Path) -> None:
    # Files, not pipes: the server keeps what it inherits open.
    with Path(os.devnull).open("w") as nowhere:
        subprocess.run(
            list(map(str, command)), check=True, cwd="/", stdout=nowhere, stderr=nowhere, **_user()
        )


def _user() -> dict[str, Any]:
    """Return who runs servers: nobody, as root may not."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

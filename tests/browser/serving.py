"""A real server, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class served:  # noqa: N801 - reads as a word
    """A server over the database under ``home``, at the given address.

    ``program`` are Python's arguments for another one than `serve.py`.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int | None = None,
        program: Sequence[str] = ("serve.py",),
        **settings: str,
    ) -> None:
        self.home, self.port, self.settings = home, port or free_port(), settings
        self.program = program
        self.address = f"http://localhost:{self.port}"
        self.log = home / f"serve-{self.port}.log"

    def __enter__(self) -> str:
        port = self.port
        ours = ("DATABASE_", "STREAMLIT_", "SMTP_", "NOTIFY_")
        kept = {name: v for name, v in os.environ.items() if not name.startswith(ours)}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.program, "--port", str(port)],
                cwd=ROOT,
                env={**kept, "AFFILIATE_REVIEW_HOME": str(self.home), **self.settings},
                stdout=log,
                stderr=log,
            )
        wait_until_ready(port)
        return self.address

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_ready(port: int, path: str = "/readyz", *, host: str = "127.0.0.1") -> None:
    """Wait until the server on ``port``, asked by this name, answers ``path`` with 200."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        connection = HTTPConnection(host, port, timeout=10)
        with suppress(OSError), closing(connection):
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not start")

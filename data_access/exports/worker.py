"""``python -m data_access.exports.worker``: a process that waits for one export and writes it.

It reads the order from standard input and reports progress on standard output as lines of JSON. It
is started in advance, so that a file's first byte does not wait for Python, and it is a separate
process, so that a large file slows down nobody's page.
"""

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from data_access.db import database, locks
from data_access.db.errors import Refusal
from data_access.exports import files
from data_access.exports.files import Order, Progress
from data_access.exports.target import Target, Unwritable, naming
from program.reports.export_formats import LARGEST_BYTES, READING_AT_ONCE

LOG = logging.getLogger(__name__)
REPORT_EVERY_S = 0.2
ASK_EVERY_S = 0.1
POLL_EVERY_S = 1.0


class _RowReporter:
    """Reports the number of rows, at most a few times a second."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reported_at = 0.0

    def __call__(self, rows: int) -> None:
        now = time.monotonic()
        if now - self.reported_at < REPORT_EVERY_S:
            return
        self.reported_at = now
        say(rows=rows)
        if self.path.stat().st_size > LARGEST_BYTES:
            raise TooLarge(
                f"The file grew beyond {LARGEST_BYTES // 1024**3} GB and was stopped. "
                "Narrow the filters, choose fewer columns, or take Parquet or gzip."
            )


class TooLarge(Refusal):
    """The file would fill the disk."""


@contextmanager
def turn() -> Iterator[None]:
    """Wait until fewer exports read the database than may at a time, on all servers.

    The turn is a session lock, not a transaction; it ends with the process.
    """
    with database.exporter().connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        while not _takes_one(connection):
            time.sleep(ASK_EVERY_S)
        yield
        connection.execute(text("select pg_advisory_unlock_all()"))


def _takes_one(connection: Connection) -> bool:
    statement = text("select pg_try_advisory_lock(:key)")
    keys = range(locks.EXPORTS, locks.EXPORTS + READING_AT_ONCE)
    return any(connection.execute(statement, {"key": key}).scalar_one() for key in keys)


def say(**what: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Send a report to the parent process."""
    print(json.dumps(what), flush=True)  # noqa: T201 - this is how the two processes talk


def end_with(parent: int) -> None:
    """Watch the server; when it is gone, exit at once, which ends the query."""
    while os.getppid() == parent:
        time.sleep(POLL_EVERY_S)
    os._exit(1)


@contextmanager
def _opened(path: Path) -> Iterator[Target]:
    name = f"The server's folder for exports, {path.parent},"
    with naming(name):
        handle = path.open("wb", buffering=0)
    with handle:
        yield Target(handle, name)


def main() -> None:
    """Wait for an order, write it, and report how it ended."""
    # Ctrl-C on a server's terminal reaches its workers too; the server handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    with database.exporter().connect():
        # Opens a pooled connection, so that the order need not wait for it.
        pass
    line = sys.stdin.readline()
    if not line:
        return
    message = json.loads(line)
    order, path = Order.from_json(message["order"]), Path(message["path"])
    progress = Progress(report=_RowReporter(path))
    try:
        with files.explaining(), _opened(path) as target, turn():
            files.write(order, target, folder=path.parent, progress=progress)
    except Unwritable as full:
        say(refused=f"{full} Tell an administrator.", rows=progress.rows)
    except Refusal as refusal:
        say(refused=str(refusal), rows=progress.rows)
    except Exception:
        LOG.exception("an export failed")
        say(failed=True, rows=progress.rows)
    else:
        say(done=True, rows=progress.rows)


if __name__ == "__main__":
    main()

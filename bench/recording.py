"""Serve the dashboard, and record each statement with the number of rows it reads.

``python -m bench.recording FILE --port 8501`` appends a line of JSON to FILE for each. Counting adds
two queries to every statement, so times are measured on the ordinary server.
"""

import argparse
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import Pool

import serve

# Rows of tables that were scanned, and entries of indexes, in this transaction; without catalogs.
ROWS_READ = """
select coalesce(sum(pg_stat_get_xact_tuples_returned(oid)), 0)::bigint from pg_class
where relkind in ('r', 'i', 'm') and relnamespace in ('exchange'::regnamespace, 'review'::regnamespace)
"""
CHECKOUT = "checkout"


@dataclass(frozen=True)
class Recorded:
    """A statement, or a checkout of a connection, and the rows it read and returned."""

    statement: str
    rows_read: int
    returned: int


class Recording:
    """What a recording server has written since the last look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = 0

    def take(self) -> list[Recorded]:
        """Return what was recorded since the last call."""
        with self.path.open() as file:
            file.seek(self.place)
            lines = file.readlines()
            self.place = file.tell()
        return [Recorded(**json.loads(line)) for line in lines]


class Recorder:
    """Listens to every engine of this process."""

    def __init__(self, path: Path) -> None:
        # A line in one write is whole, also with several threads.
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def listen(self) -> None:
        event.listen(Pool, "connect", keep_to_itself)
        event.listen(Engine, "before_cursor_execute", self.before)
        event.listen(Engine, "after_cursor_execute", self.after)
        event.listen(Pool, "checkout", self.checked_out)

    def before(self, connection: Connection, *_: object) -> None:
        connection.info["read"] = rows_read(connection)

    def after(self, connection: Connection, cursor: Any, statement: str, *_: object) -> None:
        read = rows_read(connection) - connection.info["read"]
        self.write(Recorded(statement, read, cursor.rowcount))

    def checked_out(self, *_: object) -> None:
        self.write(Recorded(CHECKOUT, 0, 0))

    def write(self, recorded: Recorded) -> None:
        line = json.dumps(asdict(recorded))
        os.write(self.file, f"{line}\n".encode())


def keep_to_itself(connection: Any, _: object) -> None:
    """Have a statement read all its rows in this process: what workers read is not counted."""
    connection.execute("set max_parallel_workers_per_gather = 0")
    connection.commit()


def rows_read(connection: Connection) -> int:
    driver: Any = connection.connection.driver_connection
    [read] = driver.execute(ROWS_READ).fetchone()
    return int(read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.recording", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    Recorder(chosen.file).listen()
    serve.main(chosen.port)

"""``python -m data_access.export_worker``: a process that waits for one export, writes it and ends.

It reads the order from standard input and tells on standard output, a line of JSON each time,
how far it is. It starts before anybody asks, so that a file's first byte does not wait for
Python; and it is a process of its own, so that a large file slows nobody's page.
"""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from data_access import database, export_files
from data_access.export_files import Order, Progress
from data_access.refusals import Refusal
from program.exports import LARGEST_BYTES

LOG = logging.getLogger(__name__)
TELL_EVERY_S = 0.2


class _Teller:
    """Tells the number of rows, not more often than anybody could read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told_at = 0.0

    def __call__(self, rows: int) -> None:
        now = time.monotonic()
        if now - self.told_at < TELL_EVERY_S:
            return
        self.told_at = now
        say(rows=rows)
        if self.path.stat().st_size > LARGEST_BYTES:
            raise TooLarge(
                f"The file grew beyond {LARGEST_BYTES // 1024**3} GB and was stopped. "
                "Narrow the filters, choose fewer columns, or take Parquet or gzip."
            )


class TooLarge(Refusal):
    """The file would fill the disk."""


def say(**what: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Tell the process that asked."""
    print(json.dumps(what), flush=True)  # noqa: T201 - this is how the two processes talk


def main() -> None:
    """Wait for an order, write it, and say how it ended."""
    with database.exporter().connect():
        # The connection waits in the pool, so that the order need not wait for it.
        pass
    line = sys.stdin.readline()
    if not line:
        return
    told = json.loads(line)
    order, path = Order.from_json(told["order"]), Path(told["path"])
    progress = Progress(tell=_Teller(path))
    try:
        with path.open("wb", buffering=0) as target:
            export_files.write(order, target, folder=path.parent, progress=progress)
    except Refusal as refusal:
        say(refused=str(refusal), rows=progress.rows)
    except Exception:
        LOG.exception("an export failed")
        say(failed=True, rows=progress.rows)
    else:
        say(done=True, rows=progress.rows)


if __name__ == "__main__":
    main()

"""Where files wait until they are handed over, and what a server that was killed leaves there.

Each server process has a folder of its own and holds a lock in it for as long as it lives.
Every export has a folder in that, with a note of what was asked for and how far it is: a
folder without a living owner is so found by the next server, which puts it into the log.
"""

import fcntl
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from data_access.db.embedded import HOME
from data_access.db.errors import Refusal
from data_access.exports import files
from data_access.exports.files import Order
from program.reports.export_formats import Ending

LOG = logging.getLogger(__name__)
SPOOL = HOME / "spool"
NOTE = "note.json"
OWNER = "owner.lock"
OURS = "server-"


def new_folder() -> Path:
    """An empty folder for one export of this server."""
    ours, _ = _our_own(SPOOL)
    return Path(tempfile.mkdtemp(prefix="export-", dir=ours))


def note(folder: Path, order: Order, *, rows: int, ending: Ending | None) -> None:
    """Keep how far an export is; of one that was never noted to have ended, it says failed."""
    told = {"order": order.to_json(), "rows": rows, "ending": str(ending or Ending.FAILED)}
    # The folder of an export that just ended is gone; a full disk breaks off the file itself.
    with suppress(OSError):
        fresh = folder / f"{NOTE}.new"
        fresh.write_text(json.dumps(told))
        fresh.replace(folder / NOTE)


def clear() -> int:
    """Put what servers left that are gone into the log, and free the disk; returns how many.

    What cannot be put into the log now is left for the next server.
    """
    return sum(_clear_one(left) for left in _deserted(SPOOL))


def _deserted(root: Path) -> Iterator[Path]:
    """Folders whose server is gone, each locked while it is looked at."""
    for folder in sorted(root.glob(f"{OURS}*")):
        with _alone(root), (folder / OWNER).open("a") as owner:
            if _lock(owner.fileno()):
                yield folder


def _clear_one(folder: Path) -> int:
    found = 0
    for left in folder.glob(f"*/{NOTE}"):
        told = json.loads(left.read_text())
        order, ending = Order.from_json(told["order"]), Ending(told["ending"])
        try:
            files.keep(order, rows=told["rows"], outcome=ending)
        except (Refusal, SQLAlchemyError):
            LOG.warning("the export log cannot be written now", exc_info=True)
            return found
        shutil.rmtree(left.parent, ignore_errors=True)
        found += 1
    shutil.rmtree(folder, ignore_errors=True)
    return found


@cache
def _our_own(root: Path) -> tuple[Path, int]:
    """This process's folder, and the lock that tells others that it is in use.

    The lock is held until the process ends, however it ends; no object stands for it that
    somebody could close.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        folder = Path(tempfile.mkdtemp(prefix=OURS, dir=root))
        owner = os.open(folder / OWNER, os.O_CREAT | os.O_WRONLY)
        _lock(owner)
    return folder, owner


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One process at a time: a folder just made is not taken for one that was left."""
    with (root / OWNER).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

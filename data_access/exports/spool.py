"""Where files wait until they are handed over, and what a server that was killed leaves there.

Each server process has a folder of its own and holds a lock in it for as long as it lives.
Every export has a folder in that, which its row in ``review.jobs`` names: a folder without a
living owner is found and removed by the next server on this host.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from data_access.db.embedded import HOME

SPOOL = HOME / "spool"
OWNER = "owner.lock"
OURS = "server-"


def new_folder() -> Path:
    """An empty folder for one export of this server."""
    ours, _ = _our_own(SPOOL)
    return Path(tempfile.mkdtemp(prefix="export-", dir=ours))


def clear() -> None:
    """Free the disk of what servers of this host left that are gone."""
    for left in _deserted(SPOOL):
        shutil.rmtree(left, ignore_errors=True)


def _deserted(root: Path) -> Iterator[Path]:
    """Folders whose server is gone, each locked while it is looked at."""
    for folder in sorted(root.glob(f"{OURS}*")):
        with _alone(root), (folder / OWNER).open("a") as owner:
            if _lock(owner.fileno()):
                yield folder


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

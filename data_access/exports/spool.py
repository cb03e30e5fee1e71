"""The spool: files until they are handed over, and cleanup after killed servers.

Each server process has its own folder and holds a lock in it while it lives. Every export has a
subfolder, named in its row in ``review.jobs``. The next server on this host finds and removes
folders without a living owner.
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
    """Return an empty folder for one export of this server."""
    ours, _ = _our_own(SPOOL)
    return Path(tempfile.mkdtemp(prefix="export-", dir=ours))


def clear() -> None:
    """Delete folders left by servers of this host that are gone."""
    for left in _deserted(SPOOL):
        shutil.rmtree(left, ignore_errors=True)


def _deserted(root: Path) -> Iterator[Path]:
    """Yield folders whose server is gone, each locked meanwhile."""
    for folder in sorted(root.glob(f"{OURS}*")):
        with _alone(root), (folder / OWNER).open("a") as owner:
            if _lock(owner.fileno()):
                yield folder


@cache
def _our_own(root: Path) -> tuple[Path, int]:
    """Return this process's folder, and the lock that marks it as in use.

    The lock is held until the process ends in any way; there is no object that could close it.
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
    """One process at a time, so that a new folder is not taken for an abandoned one."""
    with (root / OWNER).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

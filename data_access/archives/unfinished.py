"""Unfinished files: each run has its own, and removes those of runs that were killed.

A run holds a lock in its file while it lives, so that two databases can archive into one folder.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from data_access.exports.target import naming


@contextmanager
def beside(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a new file in the folder of ``path``, under a name of its own, until the end.

    Raises Unwritable.
    """
    with naming(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_deserted(path)
        own = path.with_name(f".{path.name}.{uuid4().hex}.unfinished")
        handle = own.open("xb", buffering=0)
    try:
        with handle:
            _locked(handle)
            yield own, handle
    finally:
        with suppress(OSError):
            own.unlink(missing_ok=True)


def _remove_deserted(path: Path) -> None:
    """Remove what killed runs left of ``path``."""
    for left in path.parent.glob(f".{path.name}.*.unfinished"):
        with suppress(OSError), left.open("r+b") as handle:
            if _locked(handle):
                left.unlink()


def _locked(handle: BinaryIO) -> bool:
    """Lock the file; whether that could be done. Where files have no locks, nothing is removed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

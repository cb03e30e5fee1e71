"""What an export is written to, from its first byte to its last, and what may go wrong there."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from data_access.db.errors import Refusal


class Unwritable(Refusal):
    """A file, or the room for it, cannot be written; the text names which and why."""


class ReaderGone(Refusal):
    """Whoever read the file has closed it."""


class Target:
    """A file that grows. After `give_up` it takes nothing more.

    Libraries end a file properly even where its rows broke off, and half a file would then
    look like a whole one.
    """

    def __init__(self, file: BinaryIO, name: str = "The file") -> None:
        self._file, self._name = file, name
        self._written = 0
        self._gave_up = False
        self.closed = False

    def write(self, piece: bytes) -> int:
        """Write all of it. Raises Unwritable or ReaderGone."""
        if not self._gave_up:
            left = memoryview(piece).cast("B")
            with naming(self._name):
                while left:
                    # A file without a buffer may take a part: the last before its disk is full.
                    left = left[self._file.write(left) or len(left) :]
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._written

    def flush(self) -> None:
        """Have it all written. Raises Unwritable or ReaderGone."""
        if not self._gave_up:
            with naming(self._name):
                self._file.flush()

    def close(self) -> None:
        """Whoever opened the file closes it."""

    def give_up(self) -> None:
        """Take nothing more."""
        self._gave_up = True


@contextmanager
def naming(name: str, advice: str = "") -> Iterator[None]:
    """Say of an error in here what cannot be written. Raises Unwritable or ReaderGone."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone(
            f"{name} was closed by its reader before the end; what was read is incomplete."
        ) from error
    except OSError as error:
        said = f"{name} cannot be written: {_why(error)}. {advice}"
        raise Unwritable(said.strip()) from error


def _why(error: OSError) -> str:
    """The reason in words, with what to do about a full disk."""
    reason = error.strerror or str(error)
    return f"{reason}; free some room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else reason

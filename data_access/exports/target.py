"""The target of an export, and errors in writing to it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from data_access.db.errors import Refusal


class Unwritable(Refusal):
    """A file, or the space for it, cannot be written; the text says which and why."""


class ReaderGone(Refusal):
    """The reader has closed the file."""


class Target:
    """A growing file. After `give_up` it accepts nothing more.

    Libraries finish a file properly even after an error, and half a file would then look like a
    whole one.
    """

    def __init__(self, file: BinaryIO, name: str = "The file") -> None:
        self._file, self._name = file, name
        self._written = 0
        self._gave_up = False
        self.closed = False

    def write(self, piece: bytes) -> int:
        """Write everything. Raises Unwritable or ReaderGone."""
        if not self._gave_up:
            left = memoryview(piece).cast("B")
            with naming(self._name):
                while left:
                    # An unbuffered file may accept only a part: the last before its disk is full.
                    left = left[self._file.write(left) or len(left) :]
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._written

    def flush(self) -> None:
        """Flush the file. Raises Unwritable or ReaderGone."""
        if not self._gave_up:
            with naming(self._name):
                self._file.flush()

    def close(self) -> None:
        """Do nothing: whoever opened the file closes it."""

    def give_up(self) -> None:
        """Accept nothing more."""
        self._gave_up = True


@contextmanager
def naming(name: str, advice: str = "") -> Iterator[None]:
    """Turn errors in this block into a sentence with ``name``. Raises Unwritable or ReaderGone."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone(
            f"{name} was closed by its reader before the end; what was read is incomplete."
        ) from error
    except OSError as error:
        sentence = f"{name} cannot be written: {_why(error)}. {advice}"
        raise Unwritable(sentence.strip()) from error


def _why(error: OSError) -> str:
    """Return the reason in words, with what to do about a full disk."""
    reason = error.strerror or str(error)
    return f"{reason}; free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else reason

"""What a command shows and writes on a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import click

from data_access.refusals import Invalid

QUIET_S = 1.0


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function (done, total) that draws a bar, on a terminal only, after a second."""
    started = time.monotonic()
    bar = None

    def advance(done: int, total: int) -> None:
        nonlocal bar
        if not sys.stderr.isatty() or time.monotonic() - started < QUIET_S:
            return
        if bar is None:
            bar = click.progressbar(length=max(total, 1), label=label, file=sys.stderr)
        bar.update(done - bar.pos)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.render_finish()


@contextmanager
def output(path: Path) -> Iterator[BinaryIO]:
    """Open standard output for "-", otherwise a file that appears only when it is whole."""
    try:
        if str(path) == "-":
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif path.exists() and not path.is_file():
            # A pipe or a device is written to, never replaced by a file; a folder is neither.
            with path.open("wb") as handle:
                yield handle
        else:
            with _whole_or_not(path.resolve()) as handle:
                yield handle
    except BrokenPipeError:
        # Whoever read it has read enough.
        raise
    except OSError as error:
        name = "Standard output" if str(path) == "-" else path
        raise Invalid(f"{name} cannot be written: {error.strerror}.") from error


@contextmanager
def _whole_or_not(path: Path) -> Iterator[BinaryIO]:
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as handle:
            yield handle
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)

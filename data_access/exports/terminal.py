"""Terminal output of commands."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import click

from data_access.exports.target import Target, Unwritable, naming

QUIET_S = 1.0


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that draws a bar, on a terminal only, after a second."""
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


def say(text: str) -> None:
    """Print a command's output. Raises Unwritable if standard output cannot be written."""
    with printing(". What was done stays."):
        click.echo(text)


@contextmanager
def printing(then: str = ".") -> Iterator[None]:
    """Print on standard output. Raises Unwritable, ending with ``then``, where it takes no more."""
    try:
        yield
    except BrokenPipeError:
        # The reader has closed the pipe; the command ends quietly.
        raise
    except OSError as error:
        _forget_what_is_left()
        raise Unwritable(f"Standard output cannot be written: {error.strerror}{then}") from error


class Cancelled(click.ClickException):
    """The person or a signal stopped the command."""

    def __init__(self, sentence: str, signal_number: int) -> None:
        super().__init__(sentence)
        # The shell's status for a signal; click reads it from the instance.
        self.exit_code = 128 + signal_number  # type: ignore[misc]


class _Stopped(KeyboardInterrupt):
    """A signal other than Ctrl-C's."""

    def __init__(self, signal_number: int) -> None:
        super().__init__()
        self.signal_number = signal_number


@contextmanager
def cancellable(sentence: str) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into a sentence, after open resources are closed."""

    def stop(number: int, _: object) -> None:
        raise _Stopped(number)

    before = {name: signal.signal(name, stop) for name in _heard()}
    # The pool discards a broken connection; the user need not see its warnings.
    cut = [logging.getLogger(name) for name in ("sqlalchemy.pool", "psycopg")]
    levels = [logger.level for logger in cut]
    for logger in cut:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    except KeyboardInterrupt as stopped:
        number = getattr(stopped, "signal_number", signal.SIGINT)
        raise Cancelled(sentence, number) from stopped
    finally:
        for logger, level in zip(cut, levels, strict=True):
            logger.setLevel(level)
        for name, handler in before.items():
            signal.signal(name, handler)


def _heard() -> list[signal.Signals]:
    # A signal that is ignored, as in the background or under nohup, stays ignored.
    signals = (signal.SIGTERM, signal.SIGHUP)
    in_main = threading.current_thread() is threading.main_thread()
    return [one for one in signals if in_main and signal.getsignal(one) is not signal.SIG_IGN]


@contextmanager
def output(path: Path) -> Iterator[Target]:
    """Open standard output for "-", otherwise a file that appears only when it is complete.

    Raises Unwritable or ReaderGone, which name it.
    """
    with _opened(path) as target:
        yield target


def _opened(path: Path) -> AbstractContextManager[Target]:
    if str(path) == "-":
        return _standard_output()
    with naming(str(path)):
        is_no_file = path.exists() and not path.is_file()
    # A pipe or a device is written to, never replaced by a file; a folder is neither.
    return _as_it_is(path) if is_no_file else _whole_or_not(path)


@contextmanager
def _standard_output() -> Iterator[Target]:
    if sys.stdout is None:
        raise Unwritable("Standard output is closed. Name a file.")
    target = Target(sys.stdout.buffer, "Standard output")
    try:
        yield target
        target.flush()
    except BaseException:
        _forget_what_is_left()
        raise


def _forget_what_is_left() -> None:
    """Drop unwritable output, so that it is not retried at exit with an error of its own."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _as_it_is(path: Path) -> Iterator[Target]:
    name = str(path)
    with naming(name):
        handle = path.open("wb", buffering=0)
    with handle:
        yield Target(handle, name)


@contextmanager
def _whole_or_not(path: Path) -> Iterator[Target]:
    name = str(path)
    with naming(name):
        whole = Path(os.path.realpath(path))
        # Others may write to the same name at the same time.
        unfinished = whole.with_name(f".{whole.name[:100]}.{os.getpid()}.unfinished")
        handle = unfinished.open("wb", buffering=0)
    try:
        with handle:
            yield Target(handle, name)
        with naming(name):
            unfinished.replace(whole)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)

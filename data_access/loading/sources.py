"""Input files: find them, detect their type by the first bytes, unpack and hash them."""

import gzip
import hashlib
import io
import os
import tomllib
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from data_access.loading.problems import LoadRefused, Problem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SNIFFED = 1024


class Unreadable(Exception):
    """The file as a whole cannot be read; the text completes a sentence about it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A file signature: the first bytes, the file type, and how to load such a file.

    If the file only needs another name, ``ending`` is its extension.
    """

    start: bytes
    what: str
    remedy: str
    ending: str = ""


def _named(start: bytes, what: str, ending: str) -> Mark:
    return Mark(start, what, f"name it {ending}", ending)


SAVE_SHEET = "open it in Excel, save the sheet as “CSV UTF-8” and load that"
EXPORT = "export the table as CSV and load that"
REPACK = "unpack it, or pack it as .gz or .zst"
GZIP = _named(b"\x1f\x8b", "a gzip file", ".csv.gz")
ZSTD = _named(b"\x28\xb5\x2f\xfd", "a Zstandard file", ".csv.zst")
UTF_16 = (
    Mark(b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    Mark(b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
)
# A Zstandard file may begin with frames without data: pzstd writes sizes into them.
SKIPPABLE = tuple(
    _named(bytes([0x50 + low]) + b"\x2a\x4d\x18", ZSTD.what, ZSTD.ending) for low in range(16)
)
PARQUET = _named(b"PAR1", "a Parquet file", ".parquet")
MARKS = (
    GZIP,
    ZSTD,
    *SKIPPABLE,
    PARQUET,
    Mark(
        b"PK\x03\x04",
        "a zip file or an Excel workbook",
        f"unpack a zip file; for a workbook, {SAVE_SHEET}",
    ),
    Mark(b"\xd0\xcf\x11\xe0", "an Excel workbook", SAVE_SHEET),
    Mark(b"BZh", "a bzip2 file", REPACK),
    Mark(b"\xfd7zXZ", "an xz file", REPACK),
    Mark(b"7z\xbc\xaf\x27\x1c", "a 7z file", REPACK),
    Mark(b"%PDF", "a PDF", EXPORT),
    Mark(
        b"<",
        "a web page or XML",
        f"{EXPORT} (a sign-in or error page in its place looks like this)",
    ),
    Mark(b"{", "JSON", EXPORT),
    Mark(b"[", "JSON", EXPORT),
    *UTF_16,
)
PACKED = {".gz": GZIP, ".zst": ZSTD, ".zstd": ZSTD}
# Extensions of other file types.
FOREIGN = {
    ".xls": "an Excel workbook",
    ".xlsx": "an Excel workbook",
    ".xlsm": "an Excel workbook",
    ".xlsb": "an Excel workbook",
    ".ods": "a spreadsheet",
    ".numbers": "a spreadsheet",
    ".zip": "a zip file",
    ".bz2": "a bzip2 file",
    ".xz": "an xz file",
    ".7z": "a 7z file",
    ".pdf": "a PDF",
    ".htm": "a web page",
    ".html": "a web page",
    ".xml": "XML",
    ".json": "JSON",
    ".parquet": PARQUET.what,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Identifies one delivery of a file."""

    name: str
    bytes: int
    sha256: str


class HashingReader(io.RawIOBase):
    """Reads a file and hashes what is read."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw, self._hash, self.position = raw, hashlib.sha256(), 0

    def readable(self) -> bool:
        """Always readable."""
        return True

    def readinto(self, target: "WriteableBuffer") -> int:
        """Fill ``target`` with the next bytes."""
        with unreadable():
            taken = self._raw.readinto(target)
        self._hash.update(memoryview(target)[:taken])
        self.position += taken
        return taken

    def digest(self) -> str:
        """Return the SHA-256 of the whole file, reading the rest."""
        with unreadable():
            while rest := self._raw.read(1 << 20):
                self._hash.update(rest)
                self.position += len(rest)
        return self._hash.hexdigest()


@dataclass
class Source:
    """One file of a call. ``fingerprint`` is set once it was read.

    ``title`` is the name in reports, if not the path's own.
    """

    path: Path
    title: str = ""
    fingerprint: Fingerprint | None = None

    @property
    def name(self) -> str:
        """The file's name in reports."""
        # File names need not be valid text.
        return self.title or self.path.name.encode("utf-8", "replace").decode()

    @property
    def size(self) -> int:
        """The size in bytes, as delivered; 0 if it cannot be read, which opening reports."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def is_parquet(self) -> bool:
        """Whether the extension says Parquet; the first bytes must agree."""
        return self.path.suffix.lower() == ".parquet"

    def take_fingerprint(self) -> None:
        """Read the file once to compute its fingerprint."""
        with unreadable(), self.path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
        self.fingerprint = Fingerprint(name=self.name, bytes=self.size, sha256=digest)

    @contextmanager
    def opened(self, *, allowed: Sequence[Mark] = ()) -> Iterator[tuple[IO[bytes], HashingReader]]:
        """Open the unpacked bytes, and the reader that knows the position. Raises Unreadable.

        ``allowed`` are the signatures that the caller can read, besides plain text.
        """
        with unreadable():
            before = self.path.stat()
            raw = self.path.open("rb", buffering=0)
        with raw:
            counted = HashingReader(raw)
            with _unpacked(self.path, io.BufferedReader(counted, 1 << 20), allowed) as unpacked:
                yield unpacked, counted
            self.fingerprint = Fingerprint(
                name=self.name, bytes=before.st_size, sha256=counted.digest()
            )
        with unreadable():
            after = self.path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise Unreadable("changed while it was read; load it again once it is complete")


@contextmanager
def unreadable() -> Iterator[None]:
    """Turn operating system errors while reading into Unreadable."""
    try:
        yield
    except OSError as error:
        raise Unreadable(io_reason(error)) from error


def read_whole(path: Path) -> bytes:
    """Read a whole file; raises LoadRefused."""
    (source,) = find([path])
    try:
        with unreadable():
            return source.path.read_bytes()
    except Unreadable as error:
        raise LoadRefused((Problem(file=source.name, reason=str(error)),)) from error


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file; raises LoadRefused."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        reason = "does not exist; check the path"
    except OSError as error:
        reason = io_reason(error)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        reason = f"is not TOML ({error})"
    raise LoadRefused((Problem(file=path.name or str(path), reason=reason),))


def io_reason(error: OSError) -> str:
    """Return why a file cannot be read, in the operating system's words."""
    return (
        f"cannot be read: {error.strerror or error}; copy it to a working disk, "
        "check its permissions, and load it again"
    )


def find(paths: list[Path]) -> list[Source]:
    """Return the files of a call; raises LoadRefused naming each that is missing or not a file."""
    problems = [
        Problem(file=path.name or str(path), reason=reason)
        for path in paths
        if (reason := _not_there(path))
    ]
    if not paths:
        problems = [Problem(file="The call", reason="names no file; name one or more")]
    if problems:
        raise LoadRefused(tuple(problems))
    return [Source(path) for path in paths]


def _not_there(path: Path) -> str | None:
    try:
        if not path.exists():
            return "does not exist; check the path"
    except OSError as error:
        return io_reason(error)
    if not path.is_file():
        return "is not a file; name the files themselves"
    if not os.access(path, os.R_OK):
        return "may not be read; check its permissions"
    return None


@contextmanager
def _unpacked(path: Path, raw: io.BufferedReader, allowed: Sequence[Mark]) -> Iterator[IO[bytes]]:
    wanted = PACKED.get(path.suffix.lower())
    start = raw.peek(SNIFFED)[:SNIFFED]
    if not start:
        raise Unreadable("is empty")
    if wanted is None:
        require_text(start, path.suffix, allowed)
        yield raw
        return
    marks = (wanted, *SKIPPABLE) if wanted is ZSTD else (wanted,)
    if not start.startswith(tuple(mark.start for mark in marks)):
        raise Unreadable(misnamed(path.suffix, wanted.what, start))
    packed: Readable = (
        gzip.GzipFile(fileobj=raw) if wanted is GZIP else pa.CompressedInputStream(raw, "zstd")
    )
    with io.BufferedReader(Unpacking(packed), 1 << 20) as unpacked:
        start = unpacked.peek(SNIFFED)[:SNIFFED]
        if not start:
            raise Unreadable("is empty")
        require_text(start, Path(path.stem).suffix, allowed, packed_as=path.suffix)
        yield unpacked


def require_text(
    start: bytes, ending: str, allowed: Sequence[Mark] = (), *, packed_as: str = ""
) -> None:
    """Raise Unreadable if the first bytes or the extension are not those of a text table."""
    mark = _mark(start)
    if mark is not None and mark not in allowed:
        within = f"holds {mark.what}" if packed_as else f"is {mark.what}"
        raise Unreadable(f"{within}, not CSV; {_remedy(mark, ending, packed_as)}")
    if ending.lower() in FOREIGN:
        raise Unreadable(misnamed(ending, FOREIGN[ending.lower()], start, packed_as=packed_as))


def misnamed(ending: str, promised: str, start: bytes, *, packed_as: str = "") -> str:
    """Return the error for a file whose first bytes do not match its extension."""
    mark = _mark(start)
    says = f"is named {ending}{packed_as} but is not {promised}"
    if mark is None:
        return f"{says}; name it .csv{packed_as} if it is CSV"
    return f"{says}, it is {mark.what}; {_remedy(mark, ending, packed_as)}"


def _mark(start: bytes) -> Mark | None:
    stripped = start.lstrip()
    for mark in MARKS:
        if start.startswith(mark.start) or (len(mark.start) == 1 and stripped[:1] == mark.start):
            return mark
    return None


def _remedy(mark: Mark, ending: str, packed_as: str) -> str:
    if mark.ending and packed_as:
        return f"unpack it and name what is in it {mark.ending}"
    # A form's export is text, whatever its name.
    return EXPORT if mark.ending and mark.ending == ending.lower() else mark.remedy


class Readable(Protocol):
    """The interface of a decoder."""

    def read(self, count: int, /) -> bytes:
        """Return at most that many next bytes; none at the end."""


class Unpacking(io.RawIOBase):
    """Reads a compressed file; decoder errors become Unreadable."""

    def __init__(self, packed: Readable) -> None:
        self._packed = packed

    def readable(self) -> bool:
        """Always readable."""
        return True

    def readinto(self, target: "WriteableBuffer") -> int:
        """Fill ``target`` with the next unpacked bytes. Raises Unreadable."""
        room = memoryview(target)
        try:
            taken = self._packed.read(len(room))
        except (EOFError, zlib.error, OSError) as error:
            raise Unreadable(_unpacking_reason(error)) from error
        room[: len(taken)] = taken
        return len(taken)


def _unpacking_reason(error: Exception) -> str:
    """Return what a decoder's error means; disk errors have an errno."""
    if isinstance(error, OSError) and error.errno:
        return io_reason(error)
    if isinstance(error, EOFError) or "Truncated" in str(error):
        return "is cut short: its compressed data ends early"
    if "too much memory" in str(error):
        return "was packed with a window that is too large; pack it again without --long"
    return "is damaged: its compressed data cannot be unpacked"

"""A statement's rows as CSV straight from COPY: in pieces, or as a file that others read."""

import io
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Select

CHUNK_BYTES = 65_536


class CsvStream:
    """A statement's rows as CSV with a header, in pieces of about 64 kB; memory stays flat.

    ``row_count`` says how many rows have come so far. To be used in a ``with``: a reader that
    breaks off leaves the statement running, and its connection locked, until it is closed.
    """

    def __init__(self, connection: Connection, statement: Select[Any]) -> None:
        # By hand: the database would send its header with the first full buffer of rows.
        self._header = ",".join(statement_names(statement)) + "\n"
        compiled = statement.compile(
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        self._copy = f"copy ({compiled}) to stdout with (format csv)"
        self._parameters = compiled.params
        self._driver = connection.connection.driver_connection
        self._pieces: Generator[bytes] | None = None
        self.row_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        if self._pieces is not None:
            # Cancels what still runs; the error that led here may hold on to its reader.
            self._pieces.close()

    def __iter__(self) -> Iterator[bytes]:
        """Run the statement and give its pieces, the header at once and alone."""
        self._pieces = self._run()
        return self._pieces

    def _run(self) -> Generator[bytes]:
        yield self._header.encode()
        assert self._driver is not None
        waiting = bytearray()
        with (
            self._driver.cursor() as cursor,
            cursor.copy(self._copy, self._parameters) as rows,
        ):
            for number, piece in enumerate(rows, start=1):
                # Postgres sends a row a piece.
                self.row_count = number
                waiting += piece
                if len(waiting) >= CHUNK_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
        if waiting:
            yield bytes(waiting)


def statement_names(statement: Select[Any]) -> list[str]:
    """The statement's columns, which are names of the registry and need no quotes."""
    return [str(column.name) for column in statement.exported_columns]


class CsvFile(io.RawIOBase):
    """The same pieces behind a file's ``read``, for readers that want a file."""

    def __init__(self, stream: CsvStream) -> None:
        super().__init__()
        self._pieces = iter(stream)
        self._held = memoryview(b"")

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - whatever can be written into
        """Fill as much of ``buffer`` as is at hand; 0 at the end."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        number = min(len(buffer), len(self._held))
        buffer[:number] = self._held[:number]
        self._held = self._held[number:]
        return number

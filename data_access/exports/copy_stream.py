"""A statement's rows as CSV from COPY: in pieces, or as a file for readers."""

import io
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Any, Self

from psycopg import Copy
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from sqlalchemy import Connection, Select

CHUNK_BYTES = 65_536


class CsvStream:
    """A statement's rows as CSV with a header, in pieces of about 64 kB, with constant memory.

    ``row_count`` is the number of rows so far. Use it in a ``with``: if the reader stops early, the
    statement keeps running, and its connection stays locked, until this is closed.
    """

    def __init__(
        self, connection: Connection, statement: Select[Any], *, separator: str = ","
    ) -> None:
        # Written here: the database would send its header with the first full buffer of rows.
        self._header = separator.join(statement_names(statement)) + "\n"
        compiled = statement.compile(
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        self._copy = f"copy ({compiled}) to stdout with (format csv, delimiter '{separator}')"
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
            # Cancels a running statement; the error may still hold a reference to its reader.
            self._pieces.close()

    def __iter__(self) -> Iterator[bytes]:
        """Run the statement and yield its pieces, the header first and alone."""
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
            for number, row in enumerate(_rows(rows), start=1):
                self.row_count = number
                waiting += row
                if len(waiting) >= CHUNK_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
        if waiting:
            yield bytes(waiting)


def _rows(copy: Copy) -> Iterator[memoryview]:
    """Yield the rows of ``copy``, which Postgres sends one by one.

    Iterating over it asks the socket before every row; here that is only done when no row is left
    of what has arrived, which takes half the time.
    """
    connection = copy.connection.pgconn
    while row := copy.read():
        length = len(row)
        while length > 0:
            yield memoryview(row)
            length, row = connection.get_copy_data(1)
        if length < 0:
            # Every row was sent; what is left is whether the statement succeeded.
            for result in list(iter(connection.get_result, None)):
                if result.status != ExecStatus.COMMAND_OK:
                    raise error_from_result(result)
            return


def statement_names(statement: Select[Any]) -> list[str]:
    """Return the statement's columns, which are names of datasets and need no quotes."""
    return [str(column.name) for column in statement.exported_columns]


class CsvFile(io.RawIOBase):
    """The same pieces behind ``read``, for libraries that need a file."""

    def __init__(self, stream: CsvStream) -> None:
        super().__init__()
        self._pieces = iter(stream)
        self._held = memoryview(b"")

    def readable(self) -> bool:
        """Always readable."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - whatever can be written into
        """Fill ``buffer`` with what is available; 0 at the end."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        number = min(len(buffer), len(self._held))
        buffer[:number] = self._held[:number]
        self._held = self._held[number:]
        return number

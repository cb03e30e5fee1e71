"""Rows of a statement as CSV from COPY."""

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Integer, Select, func, literal, select

from data_access.exports.copy_stream import CsvStream

ROWS = 20_000


def numbers(*, failing_at: int = 0) -> Select[tuple[object, ...]]:
    number = func.generate_series(1, ROWS).column_valued("number")
    inverse = literal(1, Integer) / (number - failing_at)
    return select(number.label("number"), inverse.label("inverse"))


def can_be_rolled_back(conn: Connection) -> bool:
    driver = conn.connection.driver_connection
    assert driver is not None
    status: TransactionStatus = driver.info.transaction_status
    return status is TransactionStatus.INERROR


def test_rows_that_have_arrived_are_taken_without_waiting_for_each(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []
    read = psycopg.Copy.read
    monkeypatch.setattr(psycopg.Copy, "read", lambda copy: [waits.append(1), read(copy)][1])
    stream = CsvStream(conn, numbers())

    lines = b"".join(stream).decode().splitlines()

    assert [line.split(",")[0] for line in lines] == ["number", *map(str, range(1, ROWS + 1))]
    assert stream.row_count == ROWS
    assert len(waits) < ROWS / 10


def test_a_statement_that_fails_after_many_rows_fails_the_export(conn: Connection) -> None:
    with (
        CsvStream(conn, numbers(failing_at=ROWS)) as stream,
        pytest.raises(psycopg.errors.DivisionByZero),
    ):
        list(stream)

    assert can_be_rolled_back(conn)


def test_a_reader_that_stops_early_leaves_a_connection_that_works(conn: Connection) -> None:
    with CsvStream(conn, numbers()) as stream:
        pieces = iter(stream)
        next(pieces), next(pieces)

    assert can_be_rolled_back(conn)

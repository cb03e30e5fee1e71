"""The log says what happened and where, without typed text and passwords."""

import logging
import sys
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Engine, insert, make_url, text

from data_access.db import database, logs, tables
from data_access.db.database import Purpose
from data_access.db.logs import RedactingFormatter, redacted

SECRET = "Marjorie-Nightjar-7741"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("postgresql+psycopg://app:hunter2@db:5432/x", "postgresql+psycopg://app:***@db:5432/x"),
        ("smtp://:p@ss@mail", "smtp://:***@ss@mail"),
        ("connect failed: password=hunter2 host=db", "connect failed: password=*** host=db"),
        ("NOTIFY_WEBHOOK_SECRET: 'hunter2'", "NOTIFY_WEBHOOK_SECRET: ***"),
        ('{"client_secret": "hunter2"}', '{"client_secret": ***'),
        ("volume 12.4 M of 20 M", "volume 12.4 M of 20 M"),
    ],
)
def test_secrets_are_blotted_out_of_the_log(line: str, expected: str) -> None:
    assert expected == redacted(line)


@pytest.fixture
def writer(database_url: str) -> Engine:
    address = make_url(database_url).set(drivername="postgresql+psycopg")
    return database._engine.__wrapped__(  # type: ignore[no-any-return]
        Purpose.WRITER, address.render_as_string(hide_password=False)
    )


def twice(engine: Engine) -> None:
    person = {
        "email": f"{SECRET.lower()}@example.com",
        "display_name": SECRET,
        "role": "reviewer",
        "active": True,
    }
    with database.acting(engine) as connection:
        connection.execute(insert(tables.staff), person)
        connection.execute(insert(tables.staff), person)


def not_a_number(engine: Engine) -> None:
    with database.reading(engine) as connection:
        connection.execute(text("select cast(cast(:typed as text) as integer)"), {"typed": SECRET})


def against_a_check(engine: Engine) -> None:
    with database.acting(engine) as connection:
        connection.execute(
            insert(tables.staff),
            {"email": "a@example.com", "display_name": SECRET, "role": SECRET, "active": True},
        )


def driver_alone(engine: Engine) -> None:
    with database.acting(engine) as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        raw.execute("select cast(%s::text as date)", [SECRET])


def beneath_another(engine: Engine) -> None:
    try:
        twice(engine)
    except Exception as error:
        raise RuntimeError("the import failed") from error


@pytest.mark.parametrize(
    ("act", "named"),
    [
        (twice, "UniqueViolation 23505 schema=review table=staff constraint="),
        (not_a_number, "InvalidTextRepresentation 22P02"),
        (against_a_check, "CheckViolation 23514 schema=review table=staff constraint="),
        (driver_alone, "InvalidDatetimeFormat 22007"),
        (beneath_another, "RuntimeError: the import failed"),
    ],
)
def test_a_failing_statement_is_logged_by_its_place_and_without_its_values(
    act: Callable[[Engine], None], named: str, writer: Engine
) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each act has its own
        act(writer)
    writer.dispose()
    record = logging.LogRecord(
        "x", logging.ERROR, "", 0, "it failed", (), (raised.type, raised.value, raised.tb)
    )

    written = RedactingFormatter(logs.LINE).format(record)

    assert SECRET.lower() not in written.lower()
    assert named in written
    assert f"in {act.__name__}" in written
    assert "[parameters:" not in str(raised.value)


def test_other_errors_keep_their_text() -> None:
    try:
        int("twelve")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "odd", (), sys.exc_info())

    assert "ValueError: invalid literal" in RedactingFormatter(logs.LINE).format(record)

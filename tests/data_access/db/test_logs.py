"""The log says what happened and where, without typed text and passwords."""

import json
import logging
import sys
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Engine, insert, make_url, text

from data_access.db import database, logs, tables
from data_access.db.database import Purpose
from data_access.db.errors import SettingMissing
from data_access.db.logs import JsonFormatter, RedactingFormatter, redacted

SECRET = "Marjorie-Nightjar-7741"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("postgresql+psycopg://app:hunter2@db:5432/x", "postgresql+psycopg://app:***@db:5432/x"),
        ("smtp://:p@ss@mail", "smtp://:***@ss@mail"),
        ("connect failed: password=hunter2 host=db", "connect failed: password=*** host=db"),
        ("NOTIFY_WEBHOOK_SECRET: 'hunter2'", "NOTIFY_WEBHOOK_SECRET: ***"),
        ('{"client_secret": "hunter2"}', '{"client_secret": ***'),
        ("Authorization: Bearer abc.def-1 x", "Authorization: ***"),
        ("it sent Bearer abc.def-12345 twice", "it sent Bearer *** twice"),
        ("took ana+x@example.co.uk 3 rows", "took (an address) 3 rows"),
        ("postgresql://ana@db.example.com/x", "postgresql://ana@db.example.com/x"),
        ("volume 12.4 M of 20 M", "volume 12.4 M of 20 M"),
    ],
)
def test_secrets_are_blotted_out_of_the_log(line: str, expected: str) -> None:
    assert expected == redacted(line)


@pytest.mark.parametrize(
    ("setting", "value", "secret"),
    [
        ("DATABASE_URL", "postgresql://app:p@ss/w0rd!9@db/x", "p@ss/w0rd!9"),
        ("DATABASE_URL", "postgresql://app:sp%40ce%2F42@db/x", "sp@ce/42"),
        ("SMTP_URL", "smtps://app:nightjar-77@mail", "nightjar-77"),
        ("SMTP_URL", "smtp://app:night%2Fjar@mail:587?from=team@example.com", "night/jar"),
        (
            "NOTIFY_WEBHOOK_URL",
            "https://hooks.example.com/T0/B1/zXcVbNmAsDfGhJkL",
            "zXcVbNmAsDfGhJkL",
        ),
        ("NOTIFY_WEBHOOK_SECRET", "whsec_bmlnaHRqYXI=", "whsec_bmlnaHRqYXI="),
    ],
)
def test_the_secrets_of_the_settings_are_taken_out_wherever_they_stand(
    setting: str, value: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_hidden", set())
    monkeypatch.setenv(setting, value)
    logs.hide_settings()

    for line in (f"refused {secret} today", f"at {value}", f"<{secret}>"):
        assert secret not in redacted(line)
    assert redacted("a webhook at hooks.example.com") == "a webhook at hooks.example.com"


def record(message: str, *given: object, **known: object) -> logging.LogRecord:
    made = logging.LogRecord("affiliate_review", logging.ERROR, "", 0, message, given, None)
    made.__dict__.update(known)
    return made


def test_a_json_line_has_what_is_known_and_nothing_else() -> None:
    made = record("page failed, reference %s", "A1B2C3", reference="A1B2C3", path="/program")
    made.created = 1764608400.25

    assert json.loads(JsonFormatter().format(made)) == {
        "time": "2025-12-01T17:00:00.250+00:00",
        "level": "ERROR",
        "logger": "affiliate_review",
        "message": "page failed, reference A1B2C3",
        "reference": "A1B2C3",
        "path": "/program",
    }


@pytest.mark.parametrize("kind", [JsonFormatter, lambda: RedactingFormatter(logs.LINE)])
def test_a_record_is_one_line_whatever_was_typed(kind: Callable[[], logging.Formatter]) -> None:
    line = kind().format(record("said %s", "x\r\n2026 INFO forged\x1b[2J\u2028\x85y"))

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_an_error_is_in_the_json_line_with_its_traceback_and_without_secrets() -> None:
    def fail() -> None:
        raise RuntimeError("postgresql://app:hunter2@db/x of ana@example.com")

    try:
        fail()
    except RuntimeError:
        made = record("it failed")
        made.exc_info = sys.exc_info()

    line = JsonFormatter().format(made)

    assert len(line.splitlines()) == 1
    error = json.loads(line)["error"]
    assert "RuntimeError: postgresql://app:***@db/x of (an address)" in error
    assert "test_logs.py" in error


@pytest.mark.parametrize(
    ("setting", "terminal", "expected"),
    [
        (None, True, RedactingFormatter),
        (None, False, JsonFormatter),
        ("", False, JsonFormatter),
        ("json", True, JsonFormatter),
        ("text", False, RedactingFormatter),
        ("TEXT", False, RedactingFormatter),
    ],
)
def test_the_log_is_json_unless_a_person_reads_it(
    setting: str | None, terminal: bool, expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.delenv("LOG_FORMAT", raising=False)
    if setting is not None:
        monkeypatch.setenv("LOG_FORMAT", setting)

    assert type(logs.formatter()) is expected


def test_another_format_is_refused_with_the_setting_and_its_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "xml")

    with pytest.raises(SettingMissing, match="LOG_FORMAT is json or text"):
        logs.formatter()


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

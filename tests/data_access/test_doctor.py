"""The doctor: each finding when all is well, and when it is not."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, text

from data_access import doctor
from data_access.db import migrate, partitions, tables
from data_access.doctor import Finding
from tests.builders import NOW, T, add_application, add_refresh
from tests.conftest import CLUSTER

ALL = [
    *("settings", "connection", "durable settings", "schema", "data", "rollups", "recounts"),
    *("archives", "standings", "outbox", "privileges", "guards", "logins"),
]
MINUTE = timedelta(minutes=1)


@dataclass
class Only:
    """An engine with one connection, which is rolled back afterwards."""

    conn: Any

    @contextmanager
    def connect(self) -> Iterator[Any]:
        yield self.conn


def examined(conn: Any) -> dict[str, Finding]:
    found = doctor.examine(Only(conn), now=NOW)  # type: ignore[arg-type]
    return {finding.what: finding for finding in found}


def add_activity(conn: Connection, day: date) -> None:
    partitions.ensure_months(conn, day, day)
    conn.execute(
        insert(tables.referral_activity).values(
            affiliate_account_id=1,
            referred_account_id=2,
            activity_date=day,
            volume_usd=1,
            fees_usd=0,
            trade_count=1,
        )
    )


def add_message(
    conn: Connection, created: timedelta, *, delivered: bool = False, **given: Any
) -> None:
    conn.execute(
        insert(tables.outbox).values(
            message_id=uuid.uuid4(),
            application_id=7,
            channel="telegram",
            payload={},
            created_at=NOW - created,
            delivered_at=NOW if delivered else None,
            **given,
        )
    )


def test_where_all_is_well_everything_is_examined_and_ok(conn: Connection) -> None:
    add_activity(conn, T)
    add_refresh(conn)

    found = examined(conn)

    assert list(found) == ALL
    assert [finding.what for finding in found.values() if not finding.ok] == []
    assert found["connection"].sentence.startswith("PostgreSQL ")
    assert found["durable settings"].sentence == "on"
    assert found["schema"].sentence == f"revision {migrate.head()}"
    assert found["data"].sentence == "activity through 2026-03-14"
    assert found["rollups"].sentence == "metrics through 2026-03-14, computed 2026-03-15 08:00 UTC"
    assert found["outbox"].sentence == "nothing waits"
    assert found["privileges"].sentence == (
        "an ordinary login that can decide but cannot change records"
    )


@pytest.mark.parametrize(
    ("version", "number", "ok"),
    [
        ("14.19", "140019", False),
        ("15.0", "150000", True),
        ("18.1", "180001", True),
        ("18beta1", "180000", True),
        ("19devel", "190000", False),
    ],
)
def test_postgres_15_to_18_is_supported(version: str, number: str, ok: bool) -> None:
    answers = {"show server_version": version, "show server_version_num": number}
    old = SimpleNamespace(
        execute=lambda query: SimpleNamespace(scalar_one=lambda: answers[str(query)])
    )

    found = doctor._server(old)  # type: ignore[arg-type]

    assert found.ok is ok
    assert ("15 to 18 are supported" in found.sentence) is not ok


@pytest.mark.parametrize(
    ("value", "ok"), [("on", True), ("remote_write", True), ("local", True), ("off", False)]
)
def test_a_setting_that_may_lose_decisions_is_a_problem(
    conn: Connection, value: str, ok: bool
) -> None:
    conn.execute(text(f"set local synchronous_commit = '{value}'"))

    found = examined(conn)["durable settings"]

    assert found.ok is ok
    assert ok or found.sentence.startswith("synchronous_commit off: a crash may lose decisions")


def test_an_old_schema_ends_the_checks_with_what_to_run(conn: Connection) -> None:
    conn.execute(text("update review.alembic_version set version_num = '0000'"))

    found = examined(conn)

    assert list(found) == ALL[:4]
    assert not found["schema"].ok
    assert "revision 0000, and this program needs" in found["schema"].sentence
    assert "run `python -m data_access migrate`" in found["schema"].sentence


def test_an_empty_database_has_no_schema(server: Engine) -> None:
    found = {finding.what: finding for finding in doctor.examine(server, now=NOW)}

    assert list(found) == ALL[:4]
    assert not found["schema"].ok


@pytest.mark.parametrize(
    ("days", "ok", "sentence"),
    [
        ([], False, "no activity loaded yet"),
        ([T], True, "activity through 2026-03-14"),
        ([T - timedelta(days=1)], False, "through 2026-03-13; yesterday is missing"),
        ([T - timedelta(days=1), T], True, "through 2026-03-14"),
        ([T + timedelta(days=1)], False, "no activity loaded yet"),  # today is not over
        ([T, T + timedelta(days=1)], True, "through 2026-03-14"),
    ],
)
def test_yesterdays_activity_should_be_there(
    conn: Connection, days: list[date], ok: bool, sentence: str
) -> None:
    for day in days:
        add_activity(conn, day)

    found = examined(conn)["data"]

    assert found.ok is ok
    assert sentence in found.sentence


@pytest.mark.parametrize(
    ("delivered", "shown", "ok", "sentence"),
    [
        (T, None, False, "never computed: run"),
        (None, None, False, "never computed: run"),
        (T, T, True, "metrics through 2026-03-14"),
        (
            T,
            T - timedelta(days=1),
            False,
            "through 2026-03-13, computed 2026-03-15 08:00 UTC; newer",
        ),
        (T - timedelta(days=1), T, True, "through 2026-03-14"),
        (None, T, True, "through 2026-03-14"),
    ],
)
def test_metrics_should_reach_the_newest_delivered_day(
    conn: Connection, delivered: date | None, shown: date | None, ok: bool, sentence: str
) -> None:
    if delivered:
        add_activity(conn, delivered)
    if shown:
        add_refresh(conn, through=shown)

    found = examined(conn)["rollups"]

    assert found.ok is ok
    assert sentence in found.sentence
    behind = doctor.rollups_behind(conn, today=NOW.date())
    assert behind is (delivered is not None and (shown is None or shown < delivered))


@pytest.mark.parametrize(
    ("differing", "days_ago", "ok", "sentence"),
    [
        (None, 0, True, "none yet"),
        (0, 0, True, "sums carried forward agree with a full count of 2026-03-15 09:00 UTC"),
        (1200, 1, False, "a full count of 2026-03-14 09:00 UTC (rows: 1,200), which replaced them"),
        (1200, 8, True, "sums carried forward agree with a full count of 2026-03-15 09:00 UTC"),
    ],
)
def test_sums_that_differed_from_a_full_count_are_a_problem_for_a_week(
    conn: Connection, differing: int | None, days_ago: int, ok: bool, sentence: str
) -> None:
    recounts = [(differing, NOW - timedelta(days=days_ago)), (0, NOW)]
    for wrong, at in recounts if differing is not None else ():
        add_refresh(conn)
        conn.execute(
            text(
                "update review.refreshes set differing = :wrong, recounted_at = :at"
                " where recounted_at is null"
            ),
            {"wrong": wrong, "at": at},
        )

    found = examined(conn)["recounts"]

    assert found.ok is ok
    assert sentence in found.sentence


@pytest.mark.parametrize(
    ("ages", "parked", "ok", "sentence"),
    [
        ([], 0, True, "nothing waits"),
        ([5], 0, True, "1 message waits, the oldest since 2026-03-15 08:55 UTC, 5 min"),
        (
            [61, 5],
            0,
            False,
            "2 messages wait, the oldest since 2026-03-15 07:59 UTC, 61 min; "
            "is a worker running? `python -m data_access notify`",
        ),
        ([], 2, True, "nothing waits; 2 undeliverable; see the page Outbox"),
    ],
)
def test_a_backlog_is_reported_and_a_late_backlog_is_a_problem(
    conn: Connection, ages: list[int], parked: int, ok: bool, sentence: str
) -> None:
    add_application(conn, 7)
    add_message(conn, 300 * MINUTE, delivered=True)
    for _ in range(parked):
        add_message(conn, 300 * MINUTE, stopped_as="parked", stopped_at=NOW)
    for age in ages:
        add_message(conn, age * MINUTE)

    found = examined(conn)["outbox"]

    assert (found.ok, found.sentence) == (ok, sentence)


def owner_of_the_server(database: str, role: str = "") -> Engine:
    passwords = CLUSTER._passwords()
    return create_engine(
        f"postgresql+psycopg://postgres:{passwords['superuser']}@/{database}"
        f"?host={CLUSTER.socket_dir}",
        connect_args={"options": f"-c role={role}"} if role else {},
    )


def test_a_superuser_is_a_problem(shared_engine: Engine) -> None:
    engine = owner_of_the_server(str(shared_engine.url.database))
    try:
        found = {finding.what: finding for finding in doctor.examine(engine, now=NOW)}
    finally:
        engine.dispose()

    assert not found["privileges"].ok
    assert found["privileges"].sentence == "the login is a superuser; use an ordinary one"


def test_a_login_that_cannot_write_decisions_is_a_problem(engine: Engine) -> None:
    database = str(engine.url.database)
    role = f"looker_{uuid.uuid4().hex[:8]}"
    above = owner_of_the_server(database)
    looking = owner_of_the_server(database, role)
    try:
        with above.begin() as conn:
            conn.execute(text(f"create role {role}"))
            for name in ("exchange", "review", "public"):
                conn.execute(text(f"grant usage on schema {name} to {role}"))
                conn.execute(text(f"grant select on all tables in schema {name} to {role}"))
        found = {finding.what: finding for finding in doctor.examine(looking, now=NOW)}
        assert not found["privileges"].ok
        assert found["privileges"].sentence == "the login cannot write decisions"
    finally:
        looking.dispose()
        with above.begin() as conn:
            conn.execute(text(f"drop owned by {role}"))
            conn.execute(text(f"drop role {role}"))
        above.dispose()


def test_a_replaced_guard_is_a_problem(conn: Connection) -> None:
    conn.execute(
        text(
            "create or replace function review.refuse_change() returns trigger language plpgsql "
            "as 'begin return null; end'"
        )
    )

    found = examined(conn)["guards"]

    assert not found.ok
    assert found.sentence.startswith("the function review.refuse_change was replaced")


def test_an_owner_that_does_everything_goes_on_and_is_told_what_is_missing(
    conn: Connection,
) -> None:
    found = examined(conn)["logins"]

    assert found.ok
    assert found.sentence.startswith("not separate: the login of DATABASE_URL owns the history")

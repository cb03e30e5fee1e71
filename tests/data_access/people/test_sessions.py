"""Sign-ins: bound to one account at one provider, and ended for every process at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from data_access.people import sessions
from data_access.people.sessions import SignOutEverywhere
from program.review.sign_in import DEMO_ISSUER, IDLE, LONGEST, NOTED_EVERY, Identity
from tests.builders import add_staff

ANA, MIRA = "ana@example.com", "mira@example.com"
FIRST, SECOND = "https://first.example.com", "https://second.example.com"
KEY = "the key of a session"


@pytest.fixture
def desk(engine: Engine) -> Iterator[Engine]:
    with engine.begin() as conn:
        add_staff(conn)
    return engine


def identity(email: str = ANA, *, issuer: str = FIRST, subject: str = "1") -> Identity:
    return Identity(issuer=issuer, subject=subject, email=email)


def run(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as conn:
        conn.execute(text(statement), values)


def rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text(statement))]


def who(engine: Engine, key: str = KEY) -> str | None:
    with engine.connect() as conn:
        person = sessions.find(conn, key)
    return person.email if person else None


def obstacle(engine: Engine, of: Identity) -> str:
    with engine.connect() as conn:
        return sessions.obstacle(conn, of)


def bound(engine: Engine) -> list[tuple[Any, ...]]:
    return rows(
        engine,
        "select email, issuer, subject from review.staff where issuer is not null order by 1",
    )


# --- Binding --------------------------------------------------------------------------------------


def test_the_first_sign_in_binds_an_address_to_its_account_on_record(desk: Engine) -> None:
    assert sessions.sign_in(desk, identity("Ana@Example.COM"), key=KEY)
    assert sessions.sign_in(desk, identity(), key="again")

    assert who(desk) == ANA
    assert bound(desk) == [(ANA, FIRST, "1")]
    assert rows(desk, "select email, kind, old, new, actor from review.staff_events") == [
        (ANA, "bound", None, {"issuer": FIRST, "subject": "1"}, ANA)
    ]


def test_whoever_is_bound_comes_in_under_any_address(desk: Engine) -> None:
    sessions.sign_in(desk, identity(), key="before")

    assert sessions.sign_in(desk, identity("ana.duarte@example.com"), key=KEY)
    assert who(desk) == ANA
    assert sessions.sign_in(desk, identity(MIRA), key="as another"), "not as whom the address names"
    assert who(desk, "as another") == ANA
    assert bound(desk) == [(ANA, FIRST, "1")]


@pytest.mark.parametrize(
    "other",
    [
        identity(issuer=SECOND),
        identity(subject="2"),
        identity(issuer=SECOND, subject="2"),
        identity("ANA@EXAMPLE.COM", issuer=SECOND),
    ],
)
def test_a_bound_address_is_nobody_from_another_provider_or_account(
    desk: Engine, other: Identity
) -> None:
    sessions.sign_in(desk, identity(), key="before")

    assert not sessions.sign_in(desk, other, key=KEY)

    assert who(desk) is None
    assert "staff unbind ana@example.com" in obstacle(desk, other)
    assert obstacle(desk, identity()) == ""
    assert bound(desk) == [(ANA, FIRST, "1")]


def test_strangers_and_disabled_people_are_told_why(desk: Engine) -> None:
    run(desk, "update review.staff set active = false where email = :e", e=MIRA)

    for stranger in (identity("eve@example.com"), identity(MIRA), identity("' or true --")):
        assert not sessions.sign_in(desk, stranger, key=KEY)
    assert who(desk) is None
    assert "not on the staff list" in obstacle(desk, identity("eve@example.com"))
    assert "ended your access" in obstacle(desk, identity(MIRA))
    assert bound(desk) == []


def test_a_disabled_account_does_not_take_another_address(desk: Engine) -> None:
    sessions.sign_in(desk, identity(), key="before")
    run(desk, "update review.staff set active = false where email = :e", e=ANA)

    assert not sessions.sign_in(desk, identity(MIRA), key=KEY)

    assert "ended your access" in obstacle(desk, identity(MIRA))
    assert bound(desk) == [(ANA, FIRST, "1")]


def test_of_many_accounts_at_once_one_is_bound_to_an_address(desk: Engine) -> None:
    def attempt(number: int) -> bool:
        return sessions.sign_in(desk, identity(subject=str(number)), key=f"key {number}")

    with ThreadPoolExecutor(8) as pool:
        let_in = list(pool.map(attempt, range(32)))

    assert let_in.count(True) == 1
    assert bound(desk) == [(ANA, FIRST, str(let_in.index(True)))]


def test_one_account_at_once_from_many_browsers_is_let_in_every_time(desk: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        let_in = list(pool.map(lambda n: sessions.sign_in(desk, identity(), key=f"{n}"), range(32)))

    assert all(let_in)
    assert bound(desk) == [(ANA, FIRST, "1")]


def test_one_account_under_two_addresses_at_once_is_bound_to_one(desk: Engine) -> None:
    for number in range(8):
        with ThreadPoolExecutor(2) as pool:
            one_each = [identity(email, subject=f"{number}") for email in (ANA, MIRA)]
            list(pool.map(lambda of: sessions.sign_in(desk, of, key=str(uuid4())), one_each))
        assert len({email for email, _, _ in bound(desk)}) == 1
        run(desk, "update review.staff set issuer = null, subject = null")


def test_demo_people_never_come_in_through_a_provider(desk: Engine) -> None:
    run(
        desk,
        "update review.staff set issuer = :i, subject = email where email = :e",
        i=DEMO_ISSUER,
        e=ANA,
    )

    assert not sessions.sign_in(desk, identity(), key=KEY)
    assert "a person of the demo" in obstacle(desk, identity())
    for change in ("null, subject = null", f"'{FIRST}'", "'demo', subject = 'x'"):
        with pytest.raises(IntegrityError, match="demo person"):
            run(desk, f"update review.staff set issuer = {change} where email = :e", e=ANA)
    run(desk, "update review.staff set role = 'analyst' where email = :e", e=ANA)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("issuer = 'https://a'", "staff_identity_whole"),
        ("subject = '1'", "staff_identity_whole"),
        ("issuer = 'ftp://a', subject = '1'", "staff_issuer_known"),
    ],
)
def test_an_identity_is_whole(desk: Engine, change: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        run(desk, f"update review.staff set {change} where email = '{ANA}'")


def test_two_people_have_two_identities(desk: Engine) -> None:
    with pytest.raises(IntegrityError, match="staff_identity_unique"):
        run(desk, "update review.staff set issuer = 'https://a', subject = '1'")


# --- How a session ends ---------------------------------------------------------------------------


@pytest.fixture
def signed_in(desk: Engine) -> Engine:
    """Ana is signed in at a provider."""
    assert sessions.sign_in(desk, identity(), key=KEY)
    assert who(desk) == ANA
    return desk


AT_ONCE = {
    "signed out": "update review.sessions set ended_at = now()",
    "the session is gone": "delete from review.sessions",
    "disabled": "update review.staff set active = false",
    "disabled and enabled": "update review.staff set active = false; update review.staff set active = true",
    "promoted": "update review.staff set role = 'manager' where email = 'ana@example.com'",
    "demoted and restored": "update review.staff set role = 'analyst' where email = 'ana@example.com';"
    "update review.staff set role = 'reviewer' where email = 'ana@example.com'",
    "released": "update review.staff set issuer = null, subject = null",
    "bound elsewhere": "update review.staff set subject = '2' where email = 'ana@example.com'",
    "signed out everywhere": "update review.staff set signed_in_after = now()",
}


@pytest.mark.parametrize("change", AT_ONCE.values(), ids=list(AT_ONCE))
def test_a_session_ends_at_once(signed_in: Engine, change: str) -> None:
    run(signed_in, change)

    assert who(signed_in) is None


@pytest.mark.parametrize(
    "change",
    [
        "update review.staff set display_name = 'Ana D.'",
        "update review.staff set role = role, active = active, issuer = issuer",
        "update review.staff set role = 'manager' where email = 'ben@example.com'",
        "update review.staff set last_seen_at = now()",
    ],
)
def test_other_changes_end_no_session(signed_in: Engine, change: str) -> None:
    run(signed_in, change)

    assert who(signed_in) == ANA


@pytest.mark.parametrize(
    ("column", "limit"), [("begun_at", LONGEST), ("last_seen_at", IDLE)], ids=["longest", "idle"]
)
def test_a_session_ends_by_itself(signed_in: Engine, column: str, limit: timedelta) -> None:
    second = timedelta(seconds=1)
    for age, expected in ((limit - 5 * second, ANA), (limit + second, None)):
        run(
            signed_in,
            f"update review.sessions set {column} = now() - cast(:age as interval)",
            age=age,
        )
        assert who(signed_in) == expected


def test_signing_out_ends_one_session_and_everywhere_ends_all(signed_in: Engine) -> None:
    for key in ("phone", "laptop"):
        sessions.sign_in(signed_in, identity(), key=key)
    sessions.sign_in(signed_in, identity(MIRA, subject="2"), key="mira")

    sessions.end(signed_in, "phone")
    assert [who(signed_in, key) for key in (KEY, "phone", "laptop")] == [ANA, None, ANA]

    command = SignOutEverywhere(actor=ANA, at=datetime.now(UTC), request_id=uuid4())
    sessions.sign_out_everywhere(signed_in, command)
    assert [who(signed_in, key) for key in (KEY, "phone", "laptop")] == [None, None, None]
    assert who(signed_in, "mira") == MIRA

    assert sessions.sign_in(signed_in, identity(), key="again")
    assert who(signed_in, "again") == ANA
    sessions.sign_out_everywhere(signed_in, command)
    assert who(signed_in, "again") == ANA, "a repeated request ends nothing that began later"


def test_a_local_link_works_once(desk: Engine) -> None:
    assert sessions.sign_in_locally(desk, "ANA@example.com", key=KEY)
    assert who(desk) == ANA
    assert not sessions.sign_in_locally(desk, MIRA, key=KEY)
    assert who(desk) == ANA
    sessions.end(desk, KEY)
    assert not sessions.sign_in_locally(desk, ANA, key=KEY)
    assert not sessions.sign_in_locally(desk, "eve@example.com", key="eve")
    assert bound(desk) == []


# --- Activity -------------------------------------------------------------------------------------


def seen(engine: Engine) -> tuple[timedelta, timedelta]:
    """Return how long ago the session and its person were seen."""
    [found] = rows(
        engine,
        "select now() - s.last_seen_at, now() - p.last_seen_at "
        "from review.sessions s join review.staff p using (email)",
    )
    return found[0], found[1]


def age(engine: Engine, by: timedelta) -> None:
    run(engine, "update review.sessions set last_seen_at = now() - cast(:by as interval)", by=by)
    run(engine, "update review.staff set last_seen_at = now() - cast(:by as interval)", by=by)


def test_activity_is_written_once_a_minute(signed_in: Engine) -> None:
    recently = timedelta(seconds=5)
    age(signed_in, NOTED_EVERY - recently)
    sessions.note_activity(signed_in, KEY)
    assert min(seen(signed_in)) > recently

    age(signed_in, NOTED_EVERY)
    sessions.note_activity(signed_in, KEY)
    assert max(seen(signed_in)) < recently


@pytest.mark.parametrize("change", ["update review.staff set signed_in_after = now()", ""])
def test_a_late_click_revives_no_session(signed_in: Engine, change: str) -> None:
    age(signed_in, IDLE + timedelta(seconds=1) if not change else NOTED_EVERY)
    if change:
        run(signed_in, change)

    sessions.note_activity(signed_in, KEY)

    assert min(seen(signed_in)) >= NOTED_EVERY
    assert who(signed_in) is None


def test_old_sessions_are_removed_by_the_next_sign_in(signed_in: Engine) -> None:
    run(signed_in, "update review.sessions set begun_at = now() - interval '49 hours'")

    sessions.sign_in(signed_in, identity(), key="new")

    assert rows(signed_in, "select session_key from review.sessions") == [("new",)]

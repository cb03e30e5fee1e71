"""Contacts are for those who need them, and who read them is on record."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, text

from data_access.applications import contacts
from data_access.db import tables
from data_access.db.errors import NotAllowed
from data_access.people.staff import Person
from data_access.review import claims, opening
from program.review.permissions import Act, Role, may
from program.review.queue_filters import Filters
from tests.builders import add_application

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
PEOPLE = {role: f"{role}@example.com" for role in Role}


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        conn.execute(
            insert(tables.staff),
            [{"email": email, "display_name": "A", "role": role} for role, email in PEOPLE.items()],
        )
        add_application(conn, 1, contact_platform="telegram", contact_handle="@lea")
    return engine


def reads(engine: Engine) -> list[tuple[object, ...]]:
    query = "select email, day, application_id, list from review.contact_reads order by first_at"
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text(query))]


def stay(engine: Engine, role: Role, now: datetime = NOW) -> None:
    claims.stay(engine, application_id=1, actor=PEOPLE[role], now=now)


def opened(conn: Connection, role: Role) -> opening.Opened:
    person = Person(email=PEOPLE[role], display_name="Lea", role=role)
    return opening.open_one(conn, 1, Filters(), person, now=NOW)


@pytest.mark.parametrize("role", Role)
def test_an_application_has_contacts_only_for_those_who_need_them(desk: Engine, role: Role) -> None:
    with desk.connect() as conn:
        found = opened(conn, role).application

    seen = (found.contact_platform, found.contact_handle, found.email is not None)
    may_see = may(role, Act.SEE_CONTACT)
    assert seen == (("telegram", "@lea", True) if may_see else (None, None, False))


@pytest.mark.parametrize("role", Role)
def test_only_a_page_that_shows_contacts_is_recorded(desk: Engine, role: Role) -> None:
    stay(desk, role)

    expected = [(PEOPLE[role], date(2026, 3, 2), 1, None)] if may(role, Act.SEE_CONTACT) else []
    assert reads(desk) == expected


def test_a_person_is_recorded_once_a_day_of_utc(desk: Engine) -> None:
    for minutes in (0, 1, 29, 30, 31):
        stay(desk, Role.REVIEWER, NOW + timedelta(minutes=minutes))

    assert [day for _, day, *_ in reads(desk)] == [date(2026, 3, 2), date(2026, 3, 3)]


def test_a_poll_of_an_open_page_is_no_reading(desk: Engine) -> None:
    claims.record_view(desk, application_id=1, actor=PEOPLE[Role.REVIEWER], now=NOW)

    assert reads(desk) == []


@pytest.mark.parametrize("role", Role)
def test_a_list_of_contacts_is_recorded_or_refused(desk: Engine, role: Role) -> None:
    given = {"name": "outbox", "actor": PEOPLE[role], "now": NOW}
    if may(role, Act.SEE_CONTACT):
        contacts.record_list(desk, **given)
        contacts.record_list(desk, **given)
        assert reads(desk) == [(PEOPLE[role], date(2026, 3, 2), None, "outbox")]
    else:
        with pytest.raises(NotAllowed, match="may not see applicants' email and contact"):
            contacts.record_list(desk, **given)
        assert reads(desk) == []


def test_whoever_is_no_longer_staff_is_shown_and_recorded_as_nobody(desk: Engine) -> None:
    with desk.begin() as conn:
        conn.execute(text("update review.staff set active = false"))

    with pytest.raises(NotAllowed, match="not on the staff list"):
        contacts.record_list(desk, name="outbox", actor=PEOPLE[Role.MANAGER], now=NOW)
    with pytest.raises(NotAllowed, match="not on the staff list"):
        stay(desk, Role.REVIEWER)
    assert reads(desk) == []


def test_managers_see_who_read_the_contacts_and_others_do_not(desk: Engine) -> None:
    stay(desk, Role.REVIEWER)
    stay(desk, Role.MANAGER, NOW + timedelta(hours=1))

    with desk.connect() as conn:
        found = contacts.readings(conn, 1, viewer=PEOPLE[Role.MANAGER])
        with pytest.raises(NotAllowed):
            contacts.readings(conn, 1, viewer=PEOPLE[Role.ANALYST])

    assert [(reading.by, reading.day) for reading in found] == [
        (PEOPLE[Role.MANAGER], date(2026, 3, 3)),
        (PEOPLE[Role.REVIEWER], date(2026, 3, 2)),
    ]

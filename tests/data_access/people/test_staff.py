"""Staff: found in any case, gone as soon as they are inactive."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from data_access.db.errors import NotAllowed
from data_access.people import staff
from data_access.people.staff import Person
from program.review.permissions import ALLOWED, Act, Role
from tests.builders import STAFF, add_staff

ANA = Person(email="ana@example.com", display_name="Ana", role=Role.REVIEWER)


@pytest.mark.parametrize(
    "typed",
    ["ana@example.com", "ANA@example.com", "Ana@Example.COM", "  ana@example.com\n"],
)
def test_an_address_is_found_in_any_case(conn: Connection, typed: str) -> None:
    add_staff(conn)

    assert staff.find(conn, typed) == ANA


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "ana",
        "ana@example",
        "ana@example.com.evil.example",
        "ana@example.com,ben@example.com",
        "%@example.com",
        "an_@example.com",
        "' or '1'='1",
        "аna@example.com",  # a Cyrillic letter
    ],
)
def test_only_the_whole_address_is_somebody(conn: Connection, typed: str) -> None:
    add_staff(conn)

    assert staff.find(conn, typed) is None


def test_an_inactive_person_is_nobody(conn: Connection) -> None:
    add_staff(conn)
    conn.execute(text("update review.staff set active = false where email = 'ana@example.com'"))

    assert staff.find(conn, "ana@example.com") is None
    assert "ana@example.com" not in [person.email for person in staff.everyone(conn)]
    with pytest.raises(NotAllowed, match=r"not on the staff list\. Ask an administrator"):
        staff.require(conn, "ana@example.com", Act.READ)


def test_a_changed_role_counts_at_once(conn: Connection) -> None:
    add_staff(conn)
    staff.require(conn, "ana@example.com", Act.DECIDE)
    conn.execute(text("update review.staff set role = 'analyst' where email = 'ana@example.com'"))

    with pytest.raises(NotAllowed, match="Your role, analyst, may not decide applications"):
        staff.require(conn, "ana@example.com", Act.DECIDE)


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("email", STAFF)
def test_a_button_is_shown_exactly_if_the_verb_allows_the_act(
    conn: Connection, email: str, act: Act
) -> None:
    add_staff(conn)
    person = staff.find(conn, email)

    assert person is not None
    assert person.may(act) is (person.role in ALLOWED[act])
    if person.may(act):
        assert staff.require(conn, email, act) == person
        return
    with pytest.raises(NotAllowed, match=f"{person.role}, may not {act}"):
        staff.require(conn, email, act)


def test_everyone_comes_by_role_and_address(conn: Connection) -> None:
    add_staff(conn)

    assert [(person.role, person.email) for person in staff.everyone(conn)] == [
        ("admin", "ada@example.com"),
        ("analyst", "noor@example.com"),
        ("manager", "mira@example.com"),
        ("reviewer", "ana@example.com"),
        ("reviewer", "ben@example.com"),
    ]


def test_without_staff_nobody_is_listed(conn: Connection) -> None:
    assert staff.everyone(conn) == []
    assert staff.find(conn, "ana@example.com") is None


@pytest.mark.parametrize(
    ("email", "role", "constraint"),
    [
        ("Ana@example.com", "reviewer", "staff_email_normal"),
        ("ana@example.com", "owner", "staff_role_known"),
    ],
)
def test_an_address_in_capitals_or_an_unheard_role_cannot_be_kept(
    conn: Connection, email: str, role: str, constraint: str
) -> None:
    add = text("insert into review.staff (email, display_name, role) values (:email, 'A', :role)")

    with pytest.raises(IntegrityError, match=constraint), conn.begin_nested():
        conn.execute(add, {"email": email, "role": role})

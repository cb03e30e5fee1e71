"""Reading one application, and the others of its account."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, text
from sqlalchemy.exc import OperationalError

from data_access.applications import read as application_read
from data_access.applications.read import Application, Desk, EarlierApplication
from data_access.db import tables
from data_access.db.errors import NotFound
from program.review.workflow import Status
from tests.builders import NOW, add_account, add_application


def add_decision(conn: Connection, id_: int, **given: Any) -> int:
    values = {
        "application_id": id_,
        "outcome": "rejected",
        "reason_code": "other",
        "rationale": "why",
        "message_to_applicant": "so",
        "decided_by": "ana@example.com",
        "decided_at": NOW,
        "policy_version": 1,
        "snapshot": {},
        **given,
    }
    made: int = conn.execute(
        insert(tables.decisions).values(values).returning(tables.decisions.c.decision_id)
    ).scalar_one()
    return made


def test_an_application_is_read_beside_its_account(conn: Connection) -> None:
    add_application(conn, 7, status="approved", status_changed_at=NOW)

    assert application_read.read(conn, 7, now=NOW) == Application(
        application_id=7,
        account_id=7,
        username="user7",
        email="user7@example.com",
        country_code="BR",
        kyc_status="verified",
        account_created_at=NOW - timedelta(days=400),
        social_platform="x",
        social_handle="@handle7",
        contact_platform="telegram",
        contact_handle="contact7",
        submitted_at=NOW - timedelta(days=5),
        status=Status.APPROVED,
        status_changed_at=NOW,
        desk=Desk(clock_from=NOW - timedelta(days=5)),
    )


def test_fields_that_upstream_lacks_are_none(conn: Connection) -> None:
    account = {"email": None, "country_code": None}
    add_application(conn, 7, account=account, contact_platform=None, contact_handle=None)

    read = application_read.read(conn, 7, now=NOW)

    assert (read.email, read.country_code, read.contact_platform, read.contact_handle) == (
        *(None, None, None),
        None,
    )
    assert read.status_changed_at is None


@pytest.mark.parametrize("id_", [0, -7, 8, 2**31, 2**63, 10**30])
def test_an_unknown_id_is_not_found(conn: Connection, id_: int) -> None:
    add_application(conn, 7)

    with pytest.raises(NotFound, match=f"There is no application {id_}."):
        application_read.read(conn, id_, now=NOW)


def test_a_locked_application_makes_the_second_act_wait(engine: Engine, database_url: str) -> None:
    impatient = create_engine(database_url, connect_args={"options": "-c lock_timeout=50"})
    with engine.begin() as conn:
        add_application(conn, 7)
        add_application(conn, 8)
    try:
        with engine.begin() as first, impatient.begin() as second:
            application_read.read(first, 7, now=NOW, lock=True)
            assert application_read.read(second, 8, now=NOW, lock=True).application_id == 8
            assert application_read.read(second, 7, now=NOW).application_id == 7
            with pytest.raises(OperationalError, match="lock timeout"):
                application_read.read(second, 7, now=NOW, lock=True)
    finally:
        impatient.dispose()


def test_the_account_itself_is_not_locked(engine: Engine, database_url: str) -> None:
    """Upstream keeps loading accounts while somebody decides."""
    impatient = create_engine(database_url, connect_args={"options": "-c lock_timeout=50"})
    with engine.begin() as conn:
        add_application(conn, 7)
    try:
        with engine.begin() as first, impatient.begin() as second:
            application_read.read(first, 7, now=NOW, lock=True)
            second.execute(text("update exchange.accounts set username = 'other'"))
    finally:
        impatient.dispose()


def others(conn: Connection, id_: int) -> list[EarlierApplication]:
    """Return the account's other applications, as the application's page reads them."""
    account_id = application_read.read(conn, id_, now=NOW).account_id
    given = {"account_id": account_id, "application_id": id_}
    return application_read.others_of(conn.execute(application_read.OTHERS, given).mappings())


def test_an_only_application_has_no_others(conn: Connection) -> None:
    add_application(conn, 7)
    add_application(conn, 8)

    assert others(conn, 7) == []


def test_others_of_the_account_come_newest_first_with_how_they_ended(conn: Connection) -> None:
    add_account(conn, 1)
    add_application(conn, 10, account_id=1, submitted_at=NOW)
    add_application(
        conn, 13, account_id=1, status="rejected", submitted_at=NOW - timedelta(days=40)
    )
    add_application(
        conn, 12, account_id=1, status="approved", submitted_at=NOW - timedelta(days=90)
    )
    add_application(
        conn,
        11,
        account_id=1,
        status="withdrawn",
        submitted_at=NOW - timedelta(days=60),
        status_changed_at=NOW - timedelta(days=55),
    )
    add_decision(conn, 13)
    add_decision(
        conn,
        12,
        outcome="approved",
        reason_code=None,
        rebate_rate=Decimal("0.2"),
        decided_at=NOW - timedelta(days=80),
        decided_by="mira@example.com",
    )

    found = others(conn, 10)

    assert found == [
        EarlierApplication(
            application_id=13,
            submitted_at=NOW - timedelta(days=40),
            status=Status.REJECTED,
            settled_at=NOW,
            decided_at=NOW,
            decided_by="ana@example.com",
            reason_code="other",
        ),
        EarlierApplication(
            application_id=11,
            submitted_at=NOW - timedelta(days=60),
            status=Status.WITHDRAWN,
            settled_at=NOW - timedelta(days=55),
            decided_at=None,
            decided_by=None,
            reason_code=None,
        ),
        EarlierApplication(
            application_id=12,
            submitted_at=NOW - timedelta(days=90),
            status=Status.APPROVED,
            settled_at=NOW - timedelta(days=80),
            decided_at=NOW - timedelta(days=80),
            decided_by="mira@example.com",
            reason_code=None,
        ),
    ]


def test_only_the_current_decision_is_returned(conn: Connection) -> None:
    add_account(conn, 1)
    add_application(conn, 10, account_id=1)
    add_application(conn, 11, account_id=1, status="rejected")
    first = add_decision(conn, 11, reason_code="below_minimums")
    add_decision(conn, 11, supersedes=first, reason_code="duplicate")

    (other,) = others(conn, 10)

    assert other.reason_code == "duplicate"


def test_two_of_the_same_moment_come_later_number_first(conn: Connection) -> None:
    add_account(conn, 1)
    for id_ in (12, 11, 13):
        add_application(conn, id_, account_id=1, status="withdrawn")
    add_application(conn, 10, account_id=1)

    found = others(conn, 10)

    assert [other.application_id for other in found] == [13, 12, 11]


@pytest.mark.parametrize(
    ("typed", "id_"),
    [
        ("47", 47),
        ("1234567890123456789", 1234567890123456789),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("9" * 30, None),
        ("", None),
        ("-1", None),
        ("4.7", None),
        ("\u0663", None),
    ],
)
def test_the_id_that_a_text_names(typed: str, id_: int | None) -> None:
    assert id_ == application_read.possible_id(typed)

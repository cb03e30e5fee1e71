"""What waits for the person who opens a page, read with who they are."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, text

from data_access.db import tables
from data_access.eligibility import arrival
from data_access.eligibility.policies import in_force
from program.review.permissions import Act, Role, may
from tests.builders import NOW, add_application, add_policy, add_staff

PEOPLE = {
    Role.REVIEWER: "ana@example.com",
    Role.MANAGER: "mira@example.com",
    Role.ANALYST: "noor@example.com",
    Role.ADMIN: "ada@example.com",
}
OTHER = "leo@example.com"


def waiting(conn: Connection, email: str) -> tuple[int, int]:
    """Return what waits for this person: proposals, undeliverable messages."""
    key = uuid.uuid4().hex
    conn.execute(insert(tables.sessions).values(session_key=key, email=email))
    found = arrival.read(conn, key=key)
    assert found is not None
    assert found.person.email == email
    return found.proposals, found.undeliverable


@pytest.fixture
def office(conn: Connection) -> Connection:
    add_staff(conn)
    conn.execute(
        text(
            "insert into review.staff (email, display_name, role, active)"
            " values ('leo@example.com', 'Leo', 'manager', true) on conflict do nothing"
        )
    )
    return conn


def draft(conn: Connection, author: str, *, proposed: bool = True, closed: bool = False) -> None:
    conn.execute(
        insert(tables.policy_drafts).values(
            base_version=1,
            settings={},
            note="n",
            author=author,
            saved_at=NOW,
            proposed_at=NOW if proposed else None,
            closed_as="discarded" if closed else None,
            closed_by=author if closed else None,
            closed_at=NOW if closed else None,
        )
    )


def test_a_proposal_waits_for_the_other_managers(office: Connection) -> None:
    assert waiting(office, PEOPLE[Role.MANAGER]) == (0, 0)
    draft(office, OTHER, closed=True)
    draft(office, OTHER, proposed=False)
    assert waiting(office, PEOPLE[Role.MANAGER]) == (0, 0)
    draft(office, PEOPLE[Role.MANAGER])
    assert waiting(office, PEOPLE[Role.MANAGER]) == (0, 0)
    assert waiting(office, OTHER) == (1, 0)


def test_a_withdrawal_waits_until_its_version_is_in_force(office: Connection) -> None:
    days = {"past": -1, "future": 1}
    for version, moment in enumerate(days, start=2):
        first = in_force(office, now=NOW)
        begins = datetime.now(UTC) + timedelta(days=days[moment])
        add_policy(office, replace(first, version=version, effective_from=begins))
        office.execute(
            insert(tables.policy_withdrawals).values(
                version=version, reason="r", proposed_by=OTHER, proposed_at=NOW
            )
        )

    assert waiting(office, PEOPLE[Role.MANAGER]) == (1, 0)
    assert waiting(office, OTHER) == (0, 0)


@pytest.mark.parametrize("role", Role)
def test_only_who_may_act_is_told(office: Connection, role: Role) -> None:
    draft(office, OTHER)
    add_application(office, 7)
    for stopped in ("parked", "parked", "withheld", None):
        office.execute(
            insert(tables.outbox).values(
                message_id=uuid.uuid4(),
                application_id=7,
                channel="email",
                recipient="user7@example.com",
                payload={"kind": "approved", "message": "Welcome."},
                created_at=NOW,
                next_attempt_at=NOW,
                stopped_as=stopped,
                stopped_at=NOW if stopped else None,
            )
        )

    expected = (int(may(role, Act.EDIT_POLICY)), 2 * may(role, Act.KEEP_OUTBOX))
    assert waiting(office, PEOPLE[role]) == expected

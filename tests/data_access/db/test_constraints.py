"""What the database itself refuses: the last guard behind the verbs."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from tests.builders import add_application

ANA, BEN = "ana@example.com", "ben@example.com"
DECISION: Mapping[str, Any] = {
    "application_id": 7,
    "outcome": "approved",
    "reason_code": None,
    "rebate_rate": "0.20",
    "rationale": "why",
    "decided_by": ANA,
    "second_approver": None,
    "policy_version": 1,
    "snapshot": "{}",
    "supersedes": None,
}


def add(conn: Connection, table: str, row: Mapping[str, Any], key: str) -> int:
    statement = (
        f"insert into {table} ({', '.join(row)}) values ({', '.join(f':{name}' for name in row)})"
        f" returning {key}"
    )
    return int(conn.execute(text(statement), dict(row)).scalar_one())


def decide(conn: Connection, **given: Any) -> int:
    return add(conn, "review.decisions", {**DECISION, **given}, "decision_id")


@pytest.fixture
def desk(conn: Connection) -> Connection:
    add_application(conn, 7)
    add_application(conn, 8)
    return conn


def refuses(conn: Connection, constraint: str, **given: Any) -> None:
    """Check that the decision is refused by this constraint."""
    with pytest.raises(IntegrityError) as refused, conn.begin_nested():
        decide(conn, **given)
    assert refused.value.orig.diag.constraint_name == constraint  # type: ignore[union-attr]


def test_an_application_has_one_first_decision(desk: Connection) -> None:
    decide(desk)

    refuses(desk, "decisions_one_current_per_application")
    decide(desk, application_id=8)


def test_a_decision_is_superseded_once_so_one_is_current(desk: Connection) -> None:
    first = decide(desk)
    second = decide(desk, supersedes=first)

    refuses(desk, "decisions_supersedes_once", supersedes=first)
    decide(desk, supersedes=second)


def test_a_decision_supersedes_one_of_its_own_application(desk: Connection) -> None:
    first = decide(desk)

    refuses(desk, "decisions_supersedes_fkey", application_id=8, supersedes=first)


@pytest.mark.parametrize(
    ("constraint", "given"),
    [
        ("decisions_second_is_another", {"second_approver": ANA}),
        ("decisions_rate_on_approval_only", {"rebate_rate": None}),
        (
            "decisions_rate_on_approval_only",
            {"outcome": "rejected", "reason_code": "other"},
        ),
        ("decisions_reason_on_rejection", {"outcome": "rejected", "rebate_rate": None}),
        ("decisions_outcome_known", {"outcome": "deferred", "rebate_rate": None}),
    ],
)
def test_a_decision_that_contradicts_itself_is_refused(
    desk: Connection, constraint: str, given: dict[str, Any]
) -> None:
    refuses(desk, constraint, **given)


@pytest.mark.parametrize(
    "given",
    [
        {"second_approver": BEN},
        {"outcome": "rejected", "reason_code": "other", "rebate_rate": None},
    ],
)
def test_a_consistent_decision_is_accepted(desk: Connection, given: dict[str, Any]) -> None:
    assert decide(desk, **given) > 0


def test_an_account_has_one_pending_application(desk: Connection) -> None:
    again = (
        "insert into exchange.applications (application_id, account_id, social_handle,"
        " submitted_at, status) values (:id, 7, '@again', now(), :status)"
    )
    desk.execute(text(again), {"id": 70, "status": "withdrawn"})

    with pytest.raises(IntegrityError) as refused, desk.begin_nested():
        desk.execute(text(again), {"id": 71, "status": "pending"})
    assert (
        refused.value.orig.diag.constraint_name  # type: ignore[union-attr]
        == "applications_one_pending_per_account"
    )

"""Undo: a manager reopens, the next decision supersedes, and the old one stays readable."""

import pytest
from sqlalchemy import Engine, text

from data_access.applications import decision_history
from data_access.db.errors import (
    AlreadyDecided,
    ConflictOfInterest,
    Invalid,
    NotAllowed,
    NotInState,
)
from tests.builders import NOW, add_application, add_eligible, add_refresh, add_staff
from tests.data_access import clicks
from tests.data_access.clicks import ADA, ANA, MIRA, NOOR


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_eligible(conn, 1)
    clicks.approve(engine, 1)
    return engine


@pytest.mark.parametrize("actor", [ANA, NOOR, ADA])
def test_only_managers_reopen(desk: Engine, actor: str) -> None:
    with pytest.raises(NotAllowed, match="may not reopen"):
        clicks.reopen(desk, 1, actor=actor)
    assert clicks.read(desk, 1).status == "approved"


def test_a_person_with_a_conflict_may_not_reopen(desk: Engine) -> None:
    clicks.declare_conflict(desk, 1, email=MIRA, actor=MIRA)

    with pytest.raises(ConflictOfInterest):
        clicks.reopen(desk, 1)


def test_reopening_needs_a_reason(desk: Engine) -> None:
    with pytest.raises(Invalid, match="The reason is empty"):
        clicks.reopen(desk, 1, reason=" ")


def test_the_next_decision_supersedes_and_the_old_one_keeps_its_snapshot(desk: Engine) -> None:
    with desk.connect() as conn:
        (first,) = clicks.decided(conn, 1)
    clicks.reopen(desk, 1)
    with desk.begin() as conn:
        conn.execute(text("update review.affiliate_window set active_users = 3"))

    clicks.reject(desk, 1, actor=MIRA)

    with desk.connect() as conn:
        second, old = clicks.decided(conn, 1)
        assert decision_history.current(conn, 1) == second
    assert old == first
    assert second.supersedes == first.decision_id
    assert (old.snapshot["outcome"], second.snapshot["outcome"]) == ("met", "unknown")


def test_the_event_names_the_decision_and_both_statuses(desk: Engine) -> None:
    clicks.reopen(desk, 1)

    event = clicks.events(desk, 1)[-1]
    assert (event.kind, event.actor) == ("reopened", MIRA)
    assert event.detail["status"] == {"old": "approved", "new": "pending"}
    assert event.detail["decision_id"] == 1


def test_the_review_clock_restarts(desk: Engine) -> None:
    clicks.reopen(desk, 1)

    assert clicks.read(desk, 1).desk.clock_from == NOW


def test_another_pending_application_of_the_account_blocks_reopening(desk: Engine) -> None:
    with desk.begin() as conn:
        add_application(conn, 2, account_id=1)

    with pytest.raises(NotInState, match="another pending application"):
        clicks.reopen(desk, 1)
    assert clicks.read(desk, 1).status == "approved"


def test_an_undecided_application_cannot_be_reopened(desk: Engine) -> None:
    clicks.reopen(desk, 1)

    with pytest.raises(NotInState, match="nothing to reopen"):
        clicks.reopen(desk, 1)


def test_a_reopened_one_can_be_withdrawn_upstream_and_then_stays(desk: Engine) -> None:
    clicks.reopen(desk, 1)
    with desk.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    with pytest.raises(NotInState, match="nothing to reopen"):
        clicks.reopen(desk, 1)
    with pytest.raises(AlreadyDecided, match=r"^Already withdrawn\b(?!.* by ana)"):
        clicks.approve(desk, 1)


def test_it_may_be_reopened_again_and_again(desk: Engine) -> None:
    for _ in range(3):
        clicks.reopen(desk, 1)
        clicks.approve(desk, 1, override_reason="")

    with desk.connect() as conn:
        made = clicks.decided(conn, 1)
    assert len(made) == 4
    assert [d.supersedes for d in made] == [*(d.decision_id for d in made[1:]), None]


def test_the_applicant_hears_of_both_decisions(desk: Engine) -> None:
    clicks.reopen(desk, 1)
    clicks.approve(desk, 1, message="Welcome again")

    with desk.connect() as conn:
        messages = conn.execute(text("select payload->>'message' from review.outbox order by 1"))
        assert list(messages.scalars()) == ["Welcome", "Welcome again"]

"""Every transition with every role, on the database: done, or refused by name."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from data_access import undoing
from data_access.db.errors import AlreadyDecided, NotAllowed, NotInState
from program.review.permissions import Role
from program.review.workflow import OPEN_STATUSES, Status
from tests.builders import MINIMUMS, NOW, add_application, add_metrics, pass_checks
from tests.data_access import clicks
from tests.data_access.clicks import NUMBERS
from tests.program.grid import CELLS, WHO

ACTORS = {
    Role.REVIEWER: clicks.ANA,
    Role.MANAGER: clicks.MIRA,
    Role.ANALYST: clicks.NOOR,
    Role.ADMIN: clicks.ADA,
}
PENDING, INFO, LATER, SECOND, YES, NO, GONE = (
    Status.PENDING,
    Status.MORE_INFO_NEEDED,
    Status.DEFERRED,
    Status.AWAITING_SECOND_APPROVAL,
    Status.APPROVED,
    Status.REJECTED,
    Status.WITHDRAWN,
)
Verb = Callable[..., Any]
# The command for each new status; none withdraws.
TOWARDS: dict[Status, Verb] = {
    INFO: clicks.ask_applicant,
    LATER: clicks.defer,
    SECOND: clicks.ask_second,
    YES: clicks.approve,
    NO: clicks.reject,
    PENDING: clicks.reopen,
}
# Commands back and those of the second person, by their old status.
FROM: dict[tuple[Status, Status], Verb] = {
    (INFO, PENDING): clicks.record_answer,
    (LATER, PENDING): clicks.bring_back,
    (SECOND, PENDING): clicks.cancel,
    (SECOND, YES): clicks.confirm,
    (SECOND, NO): clicks.confirm,
}


UNDONE = {(YES, PENDING), (NO, PENDING)}

# Transitions for which the minimums must be met, to agree or, proposed, to override.
NEEDS_MINIMUMS = {(PENDING, YES), (SECOND, NO), *((YES, new) for new in Status)}


def brought_to(desk: Engine, status: Status, *, meant_for: Status) -> int:
    """Add an application in ``status``; only status and role can forbid the transition."""
    id_, met = next(NUMBERS), (status, meant_for) in NEEDS_MINIMUMS
    with desk.begin() as conn:
        add_application(conn, id_)
        pass_checks(conn, id_)
        if met:
            add_metrics(conn, id_, **MINIMUMS)
    if status is SECOND:
        clicks.ask_second(desk, id_, draft=clicks.rejection() if met else clicks.draft())
    elif status is GONE:
        withdraw(desk, id_)
    elif status is not PENDING:
        TOWARDS[status](desk, id_)
    return id_


def undo(desk: Engine, id_: int, *, actor: str) -> int:
    """Undo the newest decision."""
    query = "select request_id from review.requests where application_id = :id and act = 'DECIDE'"
    with desk.connect() as conn:
        undone = conn.execute(text(query), {"id": id_}).scalar_one()
    return undoing.undo(
        desk,
        undoing.Undo(application_id=id_, undone=undone, actor=actor, at=NOW, request_id=uuid4()),
    )


def withdraw(desk: Engine, id_: int) -> None:
    statement = "update exchange.applications set status = 'withdrawn' where application_id = :id"
    with desk.begin() as conn:
        conn.execute(text(statement), {"id": id_})


@pytest.mark.parametrize(
    ("old", "new"),
    list(dict.fromkeys(cell[:2] for cell in CELLS if cell[1] is not Status.WITHDRAWN)),
)
def test_the_transition_is_allowed_exactly_to_the_roles_in_the_grid(
    desk: Engine, old: Status, new: Status
) -> None:
    roles = [role for of, to, role in CELLS if (of, to) == (old, new)]
    untouched = brought_to(desk, old, meant_for=new)
    before = clicks.kept(desk, untouched)
    for role in roles:
        verb, actor = FROM.get((old, new)) or TOWARDS[new], ACTORS[role]
        if (old, new) in UNDONE and role is Role.REVIEWER:
            # The decider undoes it before its message is sent; later, reopening is a manager's.
            verb = undo

        if role in WHO[old, new]:
            id_ = brought_to(desk, old, meant_for=new)
            verb(desk, id_, actor=actor)
            assert clicks.read(desk, id_).status is new, role
            moved = clicks.events(desk, id_)[-1]
            status = {"old": str(old), "new": str(new)}
            assert (moved.actor, moved.detail["status"]) == (actor, status)
            continue
        with pytest.raises(refusal(old, new, role)):
            verb(desk, untouched, actor=actor)
        assert clicks.kept(desk, untouched) == before, role


def refusal(old: Status, new: Status, role: Role) -> type[Exception]:
    """Return the refusal: first the role's, then the status's."""
    needed = {PENDING: {Role.MANAGER}}.get(new, {Role.REVIEWER, Role.MANAGER})
    if (old, new) in FROM:
        needed = {Role.MANAGER}
    if role not in needed:
        return NotAllowed
    reopening = new is PENDING
    return NotInState if old in OPEN_STATUSES or reopening else AlreadyDecided


@pytest.mark.parametrize("role", Role)
def test_declining_leads_back_to_pending_by_managers_alone(desk: Engine, role: Role) -> None:
    id_ = brought_to(desk, SECOND, meant_for=YES)

    if role is Role.MANAGER:
        clicks.decline(desk, id_, actor=ACTORS[role])
    else:
        with pytest.raises(NotAllowed):
            clicks.decline(desk, id_, actor=ACTORS[role])
    assert clicks.read(desk, id_).status is (PENDING if role is Role.MANAGER else SECOND)


@pytest.mark.parametrize("role", Role)
def test_no_longer_waiting_leads_back_to_pending(desk: Engine, role: Role) -> None:
    id_ = brought_to(desk, INFO, meant_for=PENDING)

    if role in WHO[INFO, PENDING]:
        clicks.stop_waiting(desk, id_, actor=ACTORS[role])
    else:
        with pytest.raises(NotAllowed):
            clicks.stop_waiting(desk, id_, actor=ACTORS[role])
    assert (clicks.read(desk, id_).status is PENDING) is (role in WHO[INFO, PENDING])


@pytest.mark.parametrize("status", OPEN_STATUSES)
def test_a_withdrawal_upstream_applies_in_every_status(desk: Engine, status: Status) -> None:
    id_ = brought_to(desk, status, meant_for=GONE)

    withdraw(desk, id_)

    assert clicks.read(desk, id_).status is GONE
    with pytest.raises(AlreadyDecided, match="withdrawn"):
        clicks.reject(desk, id_)


def test_no_act_withdraws() -> None:
    """The grid's column that no command can reach."""
    assert {who for (_, new), who in WHO.items() if new is GONE} == {frozenset()}

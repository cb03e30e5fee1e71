"""Undo: the sender undoes an act before its message leaves, never after."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access import undoing
from data_access.applications import decision_history
from data_access.db.errors import NotAllowed, NotFound, NotInState
from data_access.messages import leases
from data_access.messages.outbox import message_id
from data_access.messages.worker import Worker
from data_access.review import bulk
from program.messages.delivery import UNDO_FOR, Route, undo_for
from program.review.workflow import Status
from tests.builders import (
    NOW,
    add_application,
    add_eligible,
    add_refresh,
    add_staff,
    pass_checks,
)
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN, MIRA
from tests.data_access.messages.test_leases import LEASE, SECOND, Collecting

LATEST = NOW + UNDO_FOR - timedelta(microseconds=1)
ELIGIBLE, SHORT, EMAIL = 1, 2, 3


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_eligible(conn, ELIGIBLE)
        for id_ in (SHORT, EMAIL):
            add_application(conn, id_)
            pass_checks(conn, id_)
    return engine


def approve(engine: Engine, **given: Any) -> int:
    return clicks.approve(engine, ELIGIBLE, **given)


def reject(engine: Engine, **given: Any) -> int:
    return clicks.reject(engine, SHORT, reason_code="other", **given)


def ask(engine: Engine, **given: Any) -> int:
    return clicks.ask_applicant(engine, EMAIL, **given)


def confirm(engine: Engine, **given: Any) -> int:
    clicks.ask_second(engine, SHORT)
    return clicks.confirm(engine, SHORT, **given)


# Acts that send a message, with their application and actor.
ACTS: dict[str, tuple[Callable[..., int], int, str]] = {
    "approval": (approve, ELIGIBLE, ANA),
    "rejection": (reject, SHORT, ANA),
    "question": (ask, EMAIL, ANA),
    "confirmed proposal": (confirm, SHORT, MIRA),
}


def undo(engine: Engine, id_: int, undone: uuid.UUID, **given: Any) -> int:
    given = {"actor": ANA, "now": LATEST, "request_id": uuid.uuid4(), **given}
    return undoing.undo(
        engine, clicks.command(undoing.Undo, application_id=id_, undone=undone, **given)
    )


def take(engine: Engine, now: datetime) -> list[leases.Taken]:
    return leases.take(engine, now=now, count=50, lease=LEASE)


def drain(engine: Engine, now: datetime) -> Collecting:
    channel = Collecting()
    Worker(engine=engine, channels=dict.fromkeys(Route, channel), clock=lambda: now).drain()
    return channel


@pytest.mark.parametrize("name", ACTS)
def test_a_message_leaves_once_the_time_to_undo_is_over_and_not_before(
    desk: Engine, name: str
) -> None:
    act, _, _ = ACTS[name]
    act(desk)

    assert drain(desk, LATEST).taken == []
    assert len(drain(desk, NOW + UNDO_FOR).taken) == 1


@pytest.mark.parametrize("name", ACTS)
def test_an_act_undone_in_time_sends_nothing_and_restores_pending(desk: Engine, name: str) -> None:
    act, id_, actor = ACTS[name]
    before, request = clicks.read(desk, id_), uuid.uuid4()
    result = act(desk, request_id=request, actor=actor)

    undo(desk, id_, request, actor=actor)

    after = clicks.read(desk, id_)
    assert after.status is Status.PENDING
    assert after.desk.clock_from == before.desk.clock_from
    assert after.desk.paused_at is None
    assert drain(desk, NOW + timedelta(days=1)).taken == []
    *_, event = clicks.events(desk, id_)
    assert (event.kind, event.actor, event.at) == ("undone", actor, LATEST)
    assert event.detail["message_id"] == str(message_id(request))
    assert event.detail["decision_id"] == (None if name == "question" else result)
    with desk.connect() as conn:
        upstream = text("select status from exchange.applications where application_id = :id")
        assert conn.execute(upstream, {"id": id_}).scalar_one() == "pending"


def test_the_next_decision_supersedes_one_that_was_undone(desk: Engine) -> None:
    request = uuid.uuid4()
    first = reject(desk, request_id=request)
    undo(desk, SHORT, request)

    second = reject(desk, now=NOW + timedelta(minutes=1))

    with desk.connect() as conn:
        made = decision_history.current(conn, SHORT)
        assert made is not None
        assert (made.decision_id, made.supersedes) == (second, first)
        assert len(clicks.decided(conn, SHORT)) == 2


def test_only_the_senders_own_act_can_be_undone(desk: Engine) -> None:
    request = uuid.uuid4()
    reject(desk, request_id=request)

    for actor in (BEN, MIRA):
        with pytest.raises(NotAllowed, match="who did this, can undo it"):
            undo(desk, SHORT, request, actor=actor)
    with pytest.raises(NotFound):
        undo(desk, SHORT, uuid.uuid4())
    with pytest.raises(NotFound):
        undo(desk, ELIGIBLE, request)
    assert clicks.read(desk, SHORT).status is Status.REJECTED


def test_a_person_without_the_role_any_more_may_not_undo(desk: Engine) -> None:
    request = uuid.uuid4()
    reject(desk, request_id=request)
    with desk.begin() as conn:
        conn.execute(text("update review.staff set role = 'analyst' where email = :a"), {"a": ANA})

    with pytest.raises(NotAllowed, match="may not undo"):
        undo(desk, SHORT, request)


def test_a_repeat_of_undo_gets_the_first_result_and_a_second_one_is_refused(desk: Engine) -> None:
    done, request = uuid.uuid4(), uuid.uuid4()
    reject(desk, request_id=done)

    first = undo(desk, SHORT, done, request_id=request)

    assert undo(desk, SHORT, done, request_id=request) == first
    with pytest.raises(NotInState, match="already undone"):
        undo(desk, SHORT, done)


@pytest.mark.parametrize("name", ACTS)
def test_undo_is_refused_from_the_moment_the_message_may_leave(desk: Engine, name: str) -> None:
    act, id_, actor = ACTS[name]
    request = uuid.uuid4()
    act(desk, request_id=request, actor=actor)
    before = clicks.kept(desk, id_)

    with pytest.raises(NotInState, match="time to undo is over"):
        undo(desk, id_, request, actor=actor, now=NOW + UNDO_FOR)

    assert clicks.kept(desk, id_) == before


def test_worker_and_person_never_both_act_on_a_message(desk: Engine) -> None:
    taken_first, undone_first = uuid.uuid4(), uuid.uuid4()
    reject(desk, request_id=taken_first)
    # A worker with a fast clock has leased it; by the person's clock there is time.
    (taken,) = take(desk, NOW + UNDO_FOR)
    with pytest.raises(NotInState, match="already sent to the applicant"):
        undo(desk, SHORT, taken_first)
    assert leases.finish(desk, taken, delivered=True, reply="", now=NOW + UNDO_FOR)
    with pytest.raises(NotInState, match="already sent to the applicant"):
        undo(desk, SHORT, taken_first)
    assert clicks.read(desk, SHORT).status is Status.REJECTED

    approve(desk, request_id=undone_first)
    undo(desk, ELIGIBLE, undone_first)
    assert take(desk, NOW + UNDO_FOR) == []


def test_a_worker_passes_over_a_message_that_is_just_being_undone(desk: Engine) -> None:
    request = uuid.uuid4()
    reject(desk, request_id=request)
    with desk.begin() as conn:
        undoing._message(conn, request)
        assert take(desk, NOW + UNDO_FOR + SECOND) == []
    assert len(take(desk, NOW + UNDO_FOR + SECOND)) == 1


def test_a_standing_changed_since_is_not_undone(desk: Engine) -> None:
    decided, question = uuid.uuid4(), uuid.uuid4()
    reject(desk, request_id=decided)
    clicks.reopen(desk, SHORT, now=NOW + SECOND)
    with pytest.raises(NotInState, match="It is pending"):
        undo(desk, SHORT, decided)
    reject(desk, now=NOW + 2 * SECOND)
    with pytest.raises(NotInState, match="changed meanwhile"):
        undo(desk, SHORT, decided)

    ask(desk, request_id=question)
    clicks.stop_waiting(desk, EMAIL, now=NOW + SECOND)
    ask(desk, now=NOW + 2 * SECOND)
    with pytest.raises(NotInState, match="changed meanwhile"):
        undo(desk, EMAIL, question)


def test_a_run_of_many_is_undone_as_far_as_nothing_has_left(desk: Engine) -> None:
    run, ids = uuid.uuid4(), [SHORT, EMAIL]
    question = {"ids": ids, "message": "Hello {{username}}.", "request_id": run}
    bulk.request_information(desk, clicks.command(bulk.AskEach, **question))
    over = NOW + undo_for(len(ids))
    assert drain(desk, over - SECOND).taken == []
    clicks.stop_waiting(desk, EMAIL, now=NOW + SECOND)

    command = clicks.command(undoing.UndoRun, undone=run, ids=ids, now=over - SECOND)
    results = undoing.undo_run(desk, command)

    assert [(result.application_id, result.done) for result in results] == [
        (SHORT, True),
        (EMAIL, False),
    ]
    assert [taken.to for taken in drain(desk, over).taken] == ["contact3"]

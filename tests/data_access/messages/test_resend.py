"""What managers do with unsent messages, and its events on the timeline."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from data_access.db import tables
from data_access.db.errors import Invalid, NotAllowed, NotFound, NotInState, RequestReused
from data_access.messages import backlog, resend
from data_access.messages.backlog import Message
from program.messages.delivery import Reason, Stopped
from tests.builders import NOW, add_application, add_staff
from tests.data_access import clicks
from tests.data_access.clicks import ADA, ANA, MIRA, NOOR
from tests.data_access.messages.test_leases import state, take, work, write

ACTS = ("retry", "redirect", "cancel")


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, 7)
    return engine


def park(engine: Engine, **given: Any) -> uuid.UUID:
    parked = {"stopped_as": "parked", "stopped_at": NOW, "last_error": "it answered 550"}
    return write(engine, **{**parked, "last_reason": "refused", "attempts": 3, **given})


def act(engine: Engine, what: str, id_: uuid.UUID, **given: Any) -> int:
    own = {
        "retry": {},
        "redirect": {"platform": "telegram", "recipient": "meadow"},
        "cancel": {"reason": "Told by telephone"},
    }[what]
    kind = {"retry": resend.Retry, "redirect": resend.Redirect, "cancel": resend.CancelMessage}
    made = {"application_id": 7, "message_id": id_, "actor": MIRA, **own, **given}
    event: int = getattr(resend, what)(engine, clicks.command(kind[what], **made))
    return event


def test_a_retried_message_leaves_as_it_was(desk: Engine) -> None:
    id_ = park(desk)

    act(desk, "retry", id_)
    (sent,) = work(desk).taken

    assert sent.message_id == id_
    row = state(desk, id_)
    assert (row.delivered_at, row.retried_at, row.stopped_as) == (NOW, NOW, None)
    kinds = [(event.kind, event.actor) for event in clicks.events(desk, 7)]
    assert kinds == [("message_retried", MIRA), ("message_sent", "delivery")]


def test_a_corrected_recipient_gets_a_message_of_its_own_id(desk: Engine) -> None:
    id_ = park(desk)

    act(desk, "redirect", id_)
    (sent,) = work(desk).taken

    assert sent.message_id != id_
    assert (sent.to, sent.payload["contact"]) == (
        *("meadow", {"platform": "telegram", "handle": "meadow"}),
    )
    assert state(desk, sent.message_id).replaces == id_
    assert state(desk, id_).stopped_as == "replaced"
    first = clicks.events(desk, 7)[0]
    assert first.detail["to"] == {
        "old": ["email", "user7@example.com"],
        "new": ["telegram", "meadow"],
    }


def test_a_cancelled_message_stays_with_its_reason(desk: Engine) -> None:
    id_ = park(desk)

    act(desk, "cancel", id_)

    assert state(desk, id_).stopped_as == "cancelled"
    assert work(desk).taken == []
    (event,) = clicks.events(desk, 7)
    assert (event.kind, event.detail["reason"]) == ("message_cancelled", "Told by telephone")


def test_a_withheld_message_can_still_be_sent_but_not_cancelled(desk: Engine) -> None:
    id_ = park(desk, stopped_as="withheld")

    with pytest.raises(NotInState, match="already withheld"):
        act(desk, "cancel", id_)
    act(desk, "retry", id_)

    assert len(work(desk).taken) == 1


@pytest.mark.parametrize("what", ACTS)
def test_a_double_click_acts_once_and_only_on_parked_messages(what: str, desk: Engine) -> None:
    id_, twice = park(desk), uuid.uuid4()

    first = act(desk, what, id_, request_id=twice)
    assert act(desk, what, id_, request_id=twice) == first
    with pytest.raises(RequestReused):
        act(desk, "retry" if what != "retry" else "cancel", id_, request_id=twice)
    with pytest.raises(NotInState):
        act(desk, what, id_)
    assert len(clicks.events(desk, 7)) == 1


@pytest.mark.parametrize("what", ACTS)
def test_messages_leased_or_sent_by_a_worker_are_left_alone(what: str, desk: Engine) -> None:
    id_ = write(desk)
    take(desk)

    with pytest.raises(NotInState, match="already queued for delivery"):
        act(desk, what, id_)
    gone = write(desk, delivered_at=NOW)
    with pytest.raises(NotInState, match="was sent meanwhile"):
        act(desk, what, gone)
    with pytest.raises(NotFound):
        act(desk, what, uuid.uuid4())


@pytest.mark.parametrize("what", ACTS)
def test_only_managers_and_administrators_keep_the_outbox(what: str, desk: Engine) -> None:
    id_ = park(desk)

    for who in (ANA, NOOR):
        with pytest.raises(NotAllowed, match="may not manage the outbox"):
            act(desk, what, id_, actor=who)
    act(desk, what, id_, actor=ADA)


@pytest.mark.parametrize(
    ("platform", "recipient", "sentence"),
    [
        ("email", "nobody", "not an email address"),
        ("email", "a@b.io\nBcc: x@y.io", "not an email address"),
        ("telegram", "a\u202eb", "hidden characters"),
        ("telegram", " ", "no contact"),
        ("", "meadow", "not a contact platform"),
    ],
)
def test_a_recipient_that_cannot_be_one_is_refused_at_once(
    platform: str, recipient: str, sentence: str, desk: Engine
) -> None:
    id_ = park(desk)

    with pytest.raises(Invalid, match=sentence):
        act(desk, "redirect", id_, platform=platform, recipient=recipient)
    with pytest.raises(Invalid, match="reason is empty"):
        act(desk, "cancel", id_, reason=" ")


def test_many_are_retried_at_once_and_a_repeat_changes_nothing(desk: Engine) -> None:
    from data_access.messages import backlog

    for _ in range(3):
        park(desk)
    with desk.connect() as conn:
        parked: list[Message] = backlog.stopped(conn, Stopped.PARKED, reason=Reason.REFUSED)
    at_once = clicks.command(resend.RetryAll, messages=parked, actor=MIRA)
    act(desk, "cancel", parked[0].message_id)

    assert resend.retry_all(desk, at_once)[0] == 2
    went, refused = resend.retry_all(desk, at_once)

    assert (went, len(refused)) == (2, 1)
    assert len(work(desk).taken) == 2


def test_the_timeline_shows_sent_delivered_failed_and_manual_acts(desk: Engine) -> None:
    written = [
        ("message_sent", {"route": "email", "to": "u@example.com"}),
        ("message_delivered", {"route": "webhook", "to": "meadow"}),
        ("message_failed", {"route": "email", "to": "u@example.com", "said": "451"}),
        ("message_parked", {"tries": 10, "said": "550"}),
        ("message_withheld", {"reason": "silent mode is on"}),
        ("message_retried", {}),
        ("message_redirected", {"to": {"old": ["email", None], "new": ["telegram", "meadow"]}}),
        ("message_cancelled", {"reason": "Told by telephone"}),
    ]
    with desk.begin() as conn:
        conn.execute(
            insert(tables.events),
            [
                {"application_id": 7, "kind": kind, "actor": "a", "at": NOW, "detail": detail}
                for kind, detail in written
            ],
        )
        lines = clicks.thread(conn, 7)

    shown = [(line.title, line.body) for line in lines if line.kind == "delivery"]
    assert shown == [
        ("message canceled", "Told by telephone"),
        ("message queued for another recipient", "telegram meadow, instead of email nobody"),
        ("message queued again", ""),
        ("message withheld", "silent mode is on"),
        ("message undeliverable after 10 tries", "550"),
        ("message failed, to be retried", "451"),
        ("message delivered by webhook", "meadow"),
        ("message sent by email", "u@example.com"),
    ]


def test_a_withheld_message_is_sent_later_with_its_text(desk: Engine) -> None:
    kept = {"kind": "affiliate_suspended", "withheld_message": "Hello, your rebate is suspended."}
    id_ = write(
        desk,
        channel="backend",
        recipient="exchange",
        payload=kept,
        stopped_as="withheld",
        stopped_at=NOW,
    )
    with desk.connect() as conn:
        (listed,) = backlog.stopped(conn, Stopped.WITHHELD)
    assert listed.text == kept["withheld_message"]

    act(desk, "retry", id_)
    (sent,) = work(desk).taken

    assert (sent.to, sent.text) == ("contact7", kept["withheld_message"])
    assert state(desk, sent.message_id).replaces == id_
    assert state(desk, id_).stopped_as == "replaced"


def stopped_letter(desk: Engine, stopped_as: str) -> uuid.UUID:
    """Reject application 7 and stop the letter that says so."""
    clicks.reject(desk, 7)
    stopped = update(tables.outbox).values(stopped_as=stopped_as, stopped_at=NOW)
    with desk.begin() as conn:
        id_: uuid.UUID = conn.execute(stopped.returning(tables.outbox.c.message_id)).scalar_one()
    return id_


@pytest.mark.parametrize("stopped_as", ["parked", "withheld"])
def test_a_letter_whose_decision_no_longer_applies_is_not_sent(
    desk: Engine, stopped_as: str
) -> None:
    id_ = stopped_letter(desk, stopped_as)

    clicks.reopen(desk, 7)
    with pytest.raises(NotInState, match="no longer applies"):
        act(desk, "retry", id_)
    clicks.reject(desk, 7)
    with pytest.raises(NotInState, match="no longer applies"):
        act(desk, "retry", id_)

    assert state(desk, id_).stopped_as == stopped_as


def test_a_letter_whose_decision_still_applies_is_sent(desk: Engine) -> None:
    id_ = stopped_letter(desk, "parked")

    act(desk, "retry", id_)

    assert state(desk, id_).stopped_as is None

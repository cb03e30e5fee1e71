"""The worker's log says what fails, for how long, and when it is over; nothing of messages."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import ProgrammingError

from data_access.db.errors import DatabaseUnavailable
from data_access.messages import leases
from data_access.messages.channels import NotTaken, Receipt
from data_access.messages.leases import Failure, Outgoing, Taken
from data_access.messages.worker import Pace, Troubles, Worker
from program.messages.delivery import Reason, Route
from tests.data_access.messages.test_channels import outgoing


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", logger="affiliate_review.notify")
    return caplog


def test_a_failure_is_logged_at_once_every_minute_and_at_its_end(
    log: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    troubles = Troubles(clock=lambda: now[0])

    for second in range(3_000):
        now[0] = float(second)
        troubles.note("delivery", "the database does not respond")
    troubles.over("delivery")
    troubles.over("delivery")

    assert log.messages[0] == "delivery fails: the database does not respond"
    assert (
        log.messages[1:50]
        == ["delivery still fails, 60 more times: the database does not respond"] * 49
    )
    assert log.messages[50:] == ["delivery works again, after 3000 failures"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DatabaseUnavailable("The database is not responding."), "The database is not responding."),
        (ProgrammingError("select 'a word'", {}, Exception("a word")), "ProgrammingError"),
    ],
)
def test_a_turn_that_fails_is_in_the_log_and_does_not_end_the_worker(
    error: Exception, sentence: str, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(
        engine=None,  # type: ignore[arg-type]
        channels={},
        clock=lambda: datetime.now(UTC),
    )
    worker.pace = Pace(idle=worker.pace.idle / 1_000)
    turns = iter([error, error, None])

    def take(*_: Any, **__: Any) -> list[Taken]:
        outcome = next(turns)
        if outcome is not None:
            raise outcome
        worker.stop.set()
        return []

    monkeypatch.setattr(leases, "take", take)
    monkeypatch.setattr(leases, "give_back", lambda *_: None)
    worker._run([Route.EMAIL])

    assert log.messages[0].startswith("taking messages for email fails: ")
    assert sentence in log.messages[0]
    assert "a word" not in log.text
    assert log.messages[-1] == "taking messages for email works again, after 2 failures"


class Refusing:
    """A channel whose refusals repeat the receiver's words; it accepts the third."""

    def __init__(self) -> None:
        self.tries = 0

    def send(self, sent: Outgoing, *, now: datetime) -> Receipt:
        self.tries += 1
        if self.tries < 3:
            sentence = f"no mailbox for {sent.to}"
            raise NotTaken(Failure(reason=Reason.BUSY, sentence=sentence))
        return Receipt(sentence="taken")

    def close(self) -> None:
        pass


def test_a_delivery_that_fails_is_in_the_log_without_the_recipient(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(
        engine=None,  # type: ignore[arg-type]
        channels={Route.EMAIL: Refusing()},
        clock=lambda: datetime.now(UTC),
    )
    monkeypatch.setattr(Worker, "_fail", lambda *_: None)
    monkeypatch.setattr(Worker, "_finish", lambda *_, **__: None)
    message = outgoing(route=Route.EMAIL, to="marjorie@example.com")

    for _ in range(3):
        worker._send(None, message)  # type: ignore[arg-type]

    assert log.messages == [
        f"delivery by email fails: {Reason.BUSY}",
        "delivery by email works again, after 2 failures",
    ]
    assert "marjorie" not in log.text

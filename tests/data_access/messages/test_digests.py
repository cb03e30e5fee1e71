"""New alerts are mailed to each active manager: one digest a day, never twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.messages import digests, staff_mails
from data_access.messages.channels import NotTaken, Receipt
from data_access.messages.leases import Failure, Outgoing
from data_access.messages.worker import Worker
from program.messages.delivery import Patience, Reason, Route
from program.risk.signals import BREAKS
from tests.builders import NOW, T, add_application, add_refresh, add_staff

MIRA, LEO = "mira@example.com", "leo@example.com"
DAY, HOUR, LEASE = timedelta(days=1), timedelta(hours=1), timedelta(seconds=60)


@dataclass
class Collecting:
    """A channel that takes everything, or what ``answer`` says."""

    answer: Callable[[Outgoing], Any] = lambda _: None
    taken: list[Outgoing] = field(default_factory=list)

    def send(self, outgoing: Outgoing, *, now: datetime) -> Receipt:
        self.answer(outgoing)
        self.taken.append(outgoing)
        return Receipt(sentence="Taken.")

    def close(self) -> None:
        pass


@pytest.fixture
def program(engine: Engine) -> Engine:
    """Mira and Leo manage, a former manager does not; account 7 is an affiliate."""
    with engine.begin() as conn:
        add_staff(conn)
        conn.execute(
            text(
                "insert into review.staff values ('leo@example.com', 'Leo', 'manager', true),"
                " ('old@example.com', 'Old', 'manager', false) on conflict do nothing"
            )
        )
        add_refresh(conn)
        add_application(conn, 7, status="approved", account={"username": "a\nBcc: x@y.z"})
    return engine


def alert(engine: Engine, signal: str = "R06", **given: Any) -> None:
    row = {"signal": signal, "value": "5.3", "through": T, "at": NOW, **given}
    with engine.begin() as conn:
        conn.execute(
            text(
                "insert into review.risk_alerts (account_id, signal, severity, value, threshold,"
                " data_through, noticed_at) values (7, :signal, 'high', :value, 5, :through, :at)"
            ),
            row,
        )


def work(engine: Engine, channel: Any = None, *, now: datetime = NOW, **given: Any) -> Collecting:
    channel = channel or Collecting()
    channels = given.pop("channels", {Route.EMAIL: channel})
    clock, chance = (lambda: now), (lambda: 0.5)
    Worker(engine=engine, channels=channels, clock=clock, chance=chance).drain()
    assert isinstance(channel, Collecting)
    return channel


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as conn:
        return list(
            conn.execute(
                text(
                    "select manager, day, sent, attempts, last_error from review.risk_digests"
                    " order by created_at, manager"
                )
            )
        )


def set_silent(engine: Engine, silent: bool) -> None:
    with engine.begin() as conn:
        conn.execute(
            text(
                "insert into review.delivery_settings select version + 1, :silent, send_rejections,"
                " email_instead, language_by_country, author, note, saved_at"
                " from review.delivery_settings order by version desc limit 1"
            ),
            {"silent": silent},
        )


def refuse(reason: Reason, *, final: bool = False) -> Callable[[Outgoing], None]:
    def answer(_: Outgoing) -> None:
        raise NotTaken(Failure(reason=reason, sentence="Mailbox full", final=final))

    return answer


def test_each_active_manager_gets_the_days_alerts_in_one_mail(program: Engine) -> None:
    alert(program)
    alert(program, "R07", value="0.55")

    sent = work(program).taken

    assert sorted(one.to for one in sent) == [LEO, MIRA]
    (mail, other) = sent
    assert (
        mail.subject == other.subject == "2 affiliate signals to look at, data through 14 Mar 2026"
    )
    assert "(account 7, application 7): Spike before applying, 5.3 ×, high from 5 ×" in mail.text
    assert "One-day volume, 55 %, high from 500 %, since 14 Mar 2026. Was the month" in mail.text
    assert "a Bcc: x@y.z (account 7" in mail.text
    assert mail.message_id != other.message_id


def test_a_manager_gets_one_a_day_and_the_rest_on_the_next(program: Engine) -> None:
    assert work(program).taken == []
    alert(program)
    assert len(work(program).taken) == 2
    alert(program, "R07")
    assert work(program, now=NOW + timedelta(minutes=5)).taken == []

    (first, second) = work(program, now=NOW + DAY).taken
    assert "One-day volume" in first.text
    assert "Spike" not in first.text + second.text
    assert work(program, now=NOW + 2 * DAY).taken == []


def test_old_alerts_are_not_mailed_to_who_had_none(program: Engine) -> None:
    alert(program, at=NOW - digests.OLDEST)

    assert work(program).taken == []


def test_without_mail_or_in_silent_mode_there_is_no_digest(program: Engine) -> None:
    alert(program)
    work(program, channels={Route.WEBHOOK: Collecting()})
    assert rows(program) == []
    set_silent(program, True)
    assert work(program).taken == []
    assert rows(program) == []


def test_silent_mode_holds_back_a_digest_that_waits(program: Engine) -> None:
    alert(program)
    digests.make(program, NOW)
    set_silent(program, True)
    assert work(program).taken == []
    set_silent(program, False)

    assert len(work(program).taken) == 2


@pytest.mark.parametrize(
    ("reason", "final", "again"),
    [
        (Reason.BUSY, False, True),
        (Reason.UNREACHABLE, False, True),
        (Reason.REFUSED, True, False),
        # It may have arrived.
        (Reason.NO_ANSWER, False, False),
    ],
)
def test_a_digest_is_tried_again_only_if_it_surely_did_not_arrive(
    program: Engine, reason: Reason, final: bool, again: bool
) -> None:
    alert(program)
    work(program, Collecting(answer=refuse(reason, final=final)))

    assert {(row.sent, row.attempts, row.last_error) for row in rows(program)} == {
        (None if again else False, 1, "Mailbox full")
    }
    assert work(program).taken == []
    assert len(work(program, now=NOW + timedelta(minutes=1)).taken) == (2 if again else 0)


def test_a_digest_is_given_up_after_the_last_try(program: Engine) -> None:
    alert(program)
    for more in range(12):
        work(program, Collecting(answer=refuse(Reason.BUSY)), now=NOW + more * 2 * HOUR)

    assert {(row.sent, row.attempts, row.last_error) for row in rows(program)} == {
        (False, 10, "Mailbox full")
    }


def test_a_wait_that_the_server_asks_for_is_kept_and_what_waits_longest_goes_first(
    program: Engine,
) -> None:
    alert(program)
    digests.make(program, NOW)
    held = staff_mails.take(program, digests.MAIL, now=NOW, lease=LEASE)
    assert held is not None
    later = Failure(reason=Reason.BUSY, sentence="Later, password=c4nary", after=HOUR)
    given = {"patience": Patience(), "chance": 0.5}
    assert staff_mails.fail(program, held, later, now=NOW, **given)
    assert [row.last_error for row in rows(program) if row.attempts] == ["Later, password=***"]

    other = staff_mails.take(program, digests.MAIL, now=NOW + HOUR, lease=LEASE)
    assert other is not None
    assert other.outgoing.to != held.outgoing.to
    assert staff_mails.fail(program, other, later, now=NOW + HOUR - LEASE, **given)
    assert work(program, now=NOW + HOUR - LEASE).taken == []
    assert [one.to for one in work(program, now=NOW + 2 * HOUR).taken] == [
        held.outgoing.to,
        other.outgoing.to,
    ]


def test_a_worker_that_died_while_sending_leaves_it_unsent(program: Engine) -> None:
    alert(program)
    digests.make(program, NOW)
    held = staff_mails.take(program, digests.MAIL, now=NOW, lease=LEASE)
    assert held is not None

    (other,) = work(program, now=NOW + timedelta(seconds=59)).taken
    assert other.to != held.outgoing.to
    assert work(program, now=NOW + LEASE).taken == []
    assert not staff_mails.finish(program, held, now=NOW + LEASE)
    assert {row.manager: row.sent for row in rows(program)} == {
        other.to: True,
        held.outgoing.to: False,
    }


@pytest.mark.parametrize("change", ["role = 'analyst'", "role = 'admin'", "active = false"])
def test_who_is_no_active_manager_any_more_gets_none(program: Engine, change: str) -> None:
    alert(program)
    work(program, Collecting(answer=refuse(Reason.BUSY)))
    with program.begin() as conn:
        conn.execute(text(f"update review.staff set {change} where email = :m"), {"m": LEO})

    assert [one.to for one in work(program, now=NOW + HOUR).taken] == [MIRA]
    assert {row.manager: (row.sent, row.last_error) for row in rows(program)} == {
        LEO: (False, "The recipient is no longer an active manager."),
        MIRA: (True, None),
    }


def test_a_long_digest_names_the_first_and_counts_the_rest(program: Engine) -> None:
    for day in range(15):
        for signal in BREAKS:
            alert(program, signal, through=T - day * DAY)

    text_ = work(program).taken[0].text

    assert text_.count("(account 7") == 50
    assert "- and 10 more" in text_

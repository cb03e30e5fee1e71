"""The worker and its leases: each message is sent once, or its failure is recorded."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jsonschema
import pytest
from sqlalchemy import Connection, Engine, insert, text, update

from data_access.applications import read
from data_access.db import tables
from data_access.db.errors import Invalid, NotAllowed, Outdated, SecondApprovalNeeded
from data_access.messages import backlog, leases, outbox, rendering
from data_access.messages import settings as message_settings
from data_access.messages import templates as message_templates
from data_access.messages.channels import NotTaken, Receipt, body_of
from data_access.messages.channels.smtp import MailServer
from data_access.messages.channels.webhook import Webhook
from data_access.messages.leases import Failure, Outgoing, Taken
from data_access.messages.settings import ConfirmSilencing, SaveSettings
from data_access.messages.templates import SaveTemplate
from data_access.messages.worker import Pace, Worker
from data_access.review import decisions as decisions_module
from data_access.review import information_requests as information_module
from program.messages import letters
from program.messages.delivery import (
    DELIVERY,
    UNDO_FOR,
    DeliverySettings,
    MessageKind,
    Patience,
    Reason,
    Route,
)
from tests.builders import NOW, add_application, add_eligible, add_refresh, add_staff, pass_checks
from tests.conftest import ROOT
from tests.data_access import clicks
from tests.data_access.clicks import ADA, ANA, MIRA

SCHEMA = json.loads((ROOT / "docs" / "message.schema.json").read_text())
LEASE = timedelta(seconds=60)
SECOND = timedelta(seconds=1)


@dataclass
class Collecting:
    """A channel that accepts everything, or calls ``answer``."""

    answer: Callable[[Outgoing], Receipt] = lambda _: Receipt(sentence="Taken.")
    taken: list[Outgoing] = field(default_factory=list)

    def send(self, outgoing: Outgoing, *, now: datetime) -> Receipt:
        receipt = self.answer(outgoing)
        self.taken.append(outgoing)
        return receipt

    def close(self) -> None:
        pass


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_application(conn, 7)
    return engine


def write(engine: Engine, **given: Any) -> uuid.UUID:
    """Write a message as an act does."""
    made = {
        "message_id": uuid.uuid4(),
        "application_id": 7,
        "channel": "email",
        "recipient": "user7@example.com",
        "payload": {"kind": "approved", "message": "Welcome."},
        "created_at": NOW,
        "next_attempt_at": NOW,
        **given,
    }
    with engine.begin() as conn:
        conn.execute(insert(tables.outbox).values(made))
    return uuid.UUID(str(made["message_id"]))


def take(engine: Engine, *, now: datetime = NOW, **given: Any) -> list[Taken]:
    return leases.take(engine, now=now, **{"count": 50, "lease": LEASE, **given})


def work(engine: Engine, channel: Any = None, **given: Any) -> Collecting:
    """Drain the queue once with a worker whose clock stands still."""
    collecting = channel or Collecting()
    channels = given.pop("channels", dict.fromkeys(Route, collecting))
    at = given.pop("now", NOW)
    made = Worker(engine=engine, channels=channels, clock=lambda: at, chance=lambda: 0.5, **given)
    made.drain()
    return collecting


def state(engine: Engine, id_: uuid.UUID) -> Any:
    with engine.connect() as conn:
        found = conn.execute(tables.outbox.select().where(tables.outbox.c.message_id == id_))
        return found.one()


def events(engine: Engine) -> list[tuple[str, str]]:
    return [(event.kind, event.actor) for event in clicks.events(engine, 7)]


# --- Taking and ending --------------------------------------------------------------------------


def test_no_try_outlasts_the_lease_it_was_begun_in() -> None:
    mail = MailServer.from_url("smtp://127.0.0.1?from=team@exchange.example")
    hook = Webhook.from_settings(
        {"NOTIFY_WEBHOOK_URL": "https://a.example/", "NOTIFY_WEBHOOK_SECRET": "x" * 24}
    )

    longest = timedelta(seconds=max(mail.timeout_s, hook.timeout_s))
    assert longest < Pace().longest_try < Pace().lease


@pytest.mark.parametrize(
    ("channel", "recipient", "to"),
    [
        ("email", "mailto:five@example.org", "five@example.org"),
        ("email", "ivan@xn--e1afmkfd.xn--p1ai", "ivan@xn--e1afmkfd.xn--p1ai"),
        ("email", "user@münchen.de", "user@xn--mnchen-3ya.de"),
        ("email", "josé@example.org", "josé@example.org"),
        ("telegram", "user@münchen.de", "user@münchen.de"),
    ],
)
def test_a_message_goes_to_the_address_that_was_meant(
    desk: Engine, channel: str, recipient: str, to: str
) -> None:
    write(desk, channel=channel, recipient=recipient)

    assert [one.to for one in work(desk).taken] == [to]


class Stalled(Collecting):
    """A channel that holds its first message until released."""

    def __init__(self) -> None:
        super().__init__(answer=self.hold)
        self.has_one, self.may_go = threading.Event(), threading.Event()

    def hold(self, _: Outgoing) -> Receipt:
        self.has_one.set()
        assert self.may_go.wait(60)
        return Receipt(sentence="Taken.")


@pytest.mark.parametrize("slow", list(Route))
def test_a_slow_channel_does_not_hold_up_the_other(desk: Engine, slow: Route) -> None:
    stalled, quick = Stalled(), Collecting()
    channels = {route: stalled if route is slow else quick for route in Route}
    for number in range(3):
        write(desk, channel="email", recipient=f"a{number}@example.com")
        write(desk, channel="telegram", recipient=f"a{number}")

    with ThreadPoolExecutor(1) as threads:
        draining = threads.submit(work, desk, channels=channels)
        try:
            assert stalled.has_one.wait(60)
            deadline = time.monotonic() + 60
            while len(quick.taken) < 3:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert stalled.taken == []
        finally:
            stalled.may_go.set()
        draining.result()

    assert len(stalled.taken) == 3


def test_a_worker_skips_messages_that_another_is_leasing(desk: Engine) -> None:
    ids = {write(desk), write(desk)}
    settings = DeliverySettings()

    def lease(conn: Connection) -> uuid.UUID:
        (row,) = leases._lease(conn, settings, (), NOW, 1, uuid.uuid4(), NOW + LEASE)
        return uuid.UUID(str(row["message_id"]))

    with desk.begin() as first, desk.begin() as second:
        # Both waiting for the other and getting its message fail.
        second.execute(text("set local lock_timeout = 1000"))
        assert {lease(first), lease(second)} == ids


def test_a_leased_message_goes_to_no_other_worker_until_the_lease_expires(desk: Engine) -> None:
    id_ = write(desk)

    first = take(desk)
    assert [one.message_id for one in first] == [id_]
    assert take(desk, now=NOW + LEASE - SECOND) == []
    (second,) = take(desk, now=NOW + LEASE)

    # The first outlasted its lease: its result changes nothing.
    assert not leases.finish(desk, first[0], delivered=True, reply="", now=NOW)
    failure = Failure(reason=Reason.BUSY, sentence="", final=True)
    assert not leases.fail(desk, first[0], failure, patience=Patience(), chance=0.5, now=NOW)
    assert (state(desk, id_).delivered_at, events(desk)) == (None, [])
    assert leases.finish(desk, second, delivered=True, reply="", now=NOW)
    assert events(desk) == [("message_delivered", DELIVERY)]
    assert not leases.finish(desk, second, delivered=True, reply="", now=NOW)
    assert first[0].outgoing == second.outgoing


def test_a_message_of_an_act_that_is_not_committed_is_not_there(desk: Engine) -> None:
    with desk.connect() as conn:
        conn.execute(
            insert(tables.outbox).values(
                message_id=uuid.uuid4(), application_id=7, channel="email", payload={}
            )
        )
        assert take(desk) == []
        conn.rollback()
    assert take(desk) == []


def test_sent_content_is_stored_and_a_later_attempt_sends_the_same(desk: Engine) -> None:
    id_ = write(desk)
    busy = NotTaken(Failure(reason=Reason.BUSY, sentence="later"))
    previewed: list[bytes] = []

    def refuses(outgoing: Outgoing) -> Receipt:
        previewed.append(body_of(outgoing))
        raise busy

    work(desk, Collecting(refuses))
    message_templates.save(
        desk,
        clicks.command(
            SaveTemplate,
            kind=MessageKind.APPROVED,
            language="en",
            subject="Another",
            body="{{message}} And more.",
            shown_version=1,
            actor=MIRA,
        ),
    )
    with desk.begin() as conn:
        conn.execute(update(tables.accounts).values(username="another"))
    (sent,) = work(desk, now=NOW + timedelta(minutes=1)).taken

    assert [body_of(sent)] == previewed
    kept = state(desk, id_).sent
    assert (
        (kept["subject"], kept["text"])
        == (sent.subject, sent.text)
        == (*("Your affiliate application 7 is approved", "Welcome."),)
    )
    assert kept["template"] == ["approved", "en", 1]


def test_failures_wait_longer_each_time_then_it_is_parked_with_its_reason(desk: Engine) -> None:
    id_, other = write(desk), None

    def refuses(outgoing: Outgoing) -> Receipt:
        if outgoing.message_id == id_:
            raise NotTaken(Failure(reason=Reason.BUSY, sentence="it answered 500\r\n\x1b[0m"))
        return Receipt(sentence="Taken.", delivered=True)

    pace = Pace(patience=Patience(tries=3))
    waits, at = [], NOW
    for _ in range(2):
        work(desk, Collecting(refuses), now=at, pace=pace)
        waits.append((state(desk, id_).next_attempt_at - at).total_seconds())
        assert take(desk, now=at) == []
        at = state(desk, id_).next_attempt_at
    other = write(desk, next_attempt_at=at)
    work(desk, Collecting(refuses), now=at, pace=pace)

    assert waits == [30, 60]
    row = state(desk, id_)
    assert (row.stopped_as, row.attempts, row.last_reason) == ("parked", 3, "busy")
    assert row.last_error == "it answered 500 [0m"
    assert state(desk, other).delivered_at == at
    # The last two are sent at the same time.
    kinds = [kind for kind, _ in events(desk)]
    assert (kinds[0], set(kinds[1:])) == ("message_failed", {"message_parked", "message_delivered"})
    assert work(desk, now=at + timedelta(days=30)).taken == []


def test_a_wait_requested_by_the_receiver_is_respected(desk: Engine) -> None:
    id_ = write(desk)
    later = Failure(reason=Reason.BUSY, sentence="slowly", after=timedelta(seconds=77))

    def refuses(_: Outgoing) -> Receipt:
        raise NotTaken(later)

    work(desk, Collecting(refuses))

    assert state(desk, id_).next_attempt_at == NOW + timedelta(seconds=77)


def test_a_route_that_is_down_rests_and_does_not_hold_up_the_other(desk: Engine) -> None:
    hooks = [write(desk, channel="telegram", recipient="meadow") for _ in range(6)]
    mails = [write(desk) for _ in range(6)]
    calls = []

    def down(outgoing: Outgoing) -> Receipt:
        calls.append(outgoing.message_id)
        raise NotTaken(Failure(reason=Reason.UNREACHABLE, sentence="nobody there"), is_down=True)

    mail = Collecting()
    work(desk, channels={Route.EMAIL: mail, Route.WEBHOOK: Collecting(down)})

    assert len(calls) == 3
    assert {one.message_id for one in mail.taken} == set(mails)
    # Messages that were not tried have lost no try and are not leased.
    untried = [state(desk, id_) for id_ in hooks if id_ not in calls]
    assert [(row.attempts, row.leased_by) for row in untried] == [(0, None)] * 3


def test_a_message_without_a_channel_is_parked_and_rendered_again_on_retry(desk: Engine) -> None:
    id_ = write(desk, channel="telegram", recipient="meadow")
    mail = Collecting()
    work(desk, channels={Route.EMAIL: mail})

    row = state(desk, id_)
    assert (row.stopped_as, row.last_reason, row.sent) == ("parked", "not_set_up", None)
    assert mail.taken == []


# --- Which way, in which words, and whether at all ------------------------------------------------


def save_settings(engine: Engine, **given: Any) -> int:
    whole = {
        "silent": False,
        "send_rejections": True,
        "email_instead": (),
        "language_by_country": {},
        "note": "",
        "actor": MIRA,
        **given,
    }
    return message_settings.save(engine, clicks.command(SaveSettings, **whole))


def confirm_silencing(engine: Engine, by: str) -> int:
    with engine.connect() as conn:
        waits = message_settings.waiting(conn)
    assert waits is not None
    command = clicks.command(ConfirmSilencing, proposal_id=waits.proposal_id, actor=by)
    return message_settings.confirm(engine, command)


def settle(engine: Engine, **given: Any) -> None:
    with engine.connect() as conn:
        newest = message_settings.in_force(conn)
    save_settings(engine, ask=True, **{"shown_version": newest.version, **given})
    with engine.connect() as conn:
        waits = message_settings.waiting(conn)
    if waits is not None:
        confirm_silencing(engine, ADA)


@pytest.mark.parametrize("less", [{"silent": True}, {"send_rejections": False}])
def test_telling_applicants_less_takes_two(desk: Engine, less: dict[str, bool]) -> None:
    given: dict[str, Any] = {"note": "Quiet", "shown_version": 1}
    with pytest.raises(SecondApprovalNeeded):
        save_settings(desk, **given, **less)
    assert save_settings(desk, **given, **less, ask=True) == 1

    for own in (MIRA, " MIRA@example.com"):
        with pytest.raises(NotAllowed, match="another person"):
            confirm_silencing(desk, own)
    with desk.connect() as conn:
        assert message_settings.in_force(conn).version == 1
    assert confirm_silencing(desk, ADA) == 2
    # Sending more again needs one person.
    assert save_settings(desk, **given | {"shown_version": 2}) == 3


def test_platforms_set_to_mail_go_to_the_accounts_address(desk: Engine) -> None:
    write(desk, channel="telegram", recipient="meadow")
    settle(desk, email_instead=["telegram"])

    (sent,) = work(desk).taken

    assert (sent.route, sent.to) == (Route.EMAIL, "user7@example.com")


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"silent": True}, "silent mode is on"),
        ({"send_rejections": False}, "rejection messages are"),
    ],
)
def test_messages_off_by_settings_are_withheld_with_the_reason(
    setting: dict[str, bool], why: str, desk: Engine
) -> None:
    id_ = write(desk, payload={"kind": "rejected", "message": "No."})
    settle(desk, **setting)

    assert work(desk).taken == []

    assert state(desk, id_).stopped_as == "withheld"
    (event,) = clicks.events(desk, 7)
    assert (event.kind, event.detail["reason"].startswith(why)) == ("message_withheld", True)


def test_a_second_language_gets_its_own_template(desk: Engine) -> None:
    message_templates.save(
        desk,
        clicks.command(
            SaveTemplate,
            kind=MessageKind.APPROVED,
            language="pt",
            subject="Sua candidatura {{application_id}}",
            body="Olá {{username}},\n\n{{message}}",
            shown_version=0,
            actor=MIRA,
        ),
    )
    settle(desk, language_by_country={"BR": "pt"})
    for id_ in ("a", "b"):
        kind = {"a": "approved", "b": "rejected"}[id_]
        write(desk, payload={"kind": kind, "message": "Bem-vindo."})

    sent = {one.payload["kind"]: one for one in work(desk).taken}

    assert sent["approved"].subject == "Sua candidatura 7"
    assert sent["approved"].text == "Olá user7,\n\nBem-vindo."
    assert sent["approved"].payload["language"] == "pt"
    assert sent["rejected"].payload["language"] == "en"


def test_a_language_without_any_template_is_refused_by_name(desk: Engine) -> None:
    with pytest.raises(Invalid, match=r"no template in eo, so PL would get English"):
        settle(desk, language_by_country={"PL": "eo"})


def test_shipped_words_serve_until_a_version_is_saved(desk: Engine) -> None:
    def save(subject: str, shown: int) -> int:
        return message_templates.save(
            desk,
            clicks.command(
                SaveTemplate,
                kind=MessageKind.SUSPENDED,
                language="en",
                subject=subject,
                body="{{message}}",
                shown_version=shown,
                actor=MIRA,
            ),
        )

    def chosen() -> tuple[str, int]:
        with desk.connect() as conn:
            templates = message_templates.in_force(conn)
        found = letters.choose(templates, "affiliate_suspended", "en")
        return found.subject, found.version

    shipped = letters.shipped(MessageKind.SUSPENDED, "en")
    assert shipped is not None
    assert [chosen(), save(shipped.subject, 0), chosen()] == [
        *((shipped.subject, 0), 0, (shipped.subject, 0)),
    ]
    assert save("Suspended", 0) == 1
    assert chosen() == ("Suspended", 1)
    with pytest.raises(Outdated):
        save("Others", 0)


def test_settings_and_templates_are_versioned_and_never_overwritten_unseen(desk: Engine) -> None:
    def save(subject: str, shown: int, actor: str = MIRA) -> int:
        return message_templates.save(
            desk,
            clicks.command(
                SaveTemplate,
                kind=MessageKind.OTHER,
                language="en",
                subject=subject,
                body="{{message}}",
                shown_version=shown,
                actor=actor,
            ),
        )

    assert [save("One", 1), save("One", 1), save("Two", 2)] == [2, 2, 3]
    with pytest.raises(Outdated):
        save("Three", 2)
    with pytest.raises(NotAllowed, match="may not manage the outbox"):
        save("Three", 3, ANA)
    with pytest.raises(Invalid, match="There is no placeholder"):
        save("{{nothing}}", 3)
    with desk.connect() as conn:
        made = message_templates.history(conn, MessageKind.OTHER, "en")
        assert [(one.template.version, one.author) for one in made] == [
            *((3, MIRA), (2, MIRA), (1, "program")),
        ]
    settle(desk, silent=True)
    settle(desk, silent=True)
    with pytest.raises(Outdated):
        settle(desk, shown_version=1)
    with pytest.raises(Invalid, match="as codes"):
        settle(desk, language_by_country={"Brazil": "pt"})
    with desk.connect() as conn:
        assert [one.settings.version for one in message_settings.versions(conn)] == [2, 1]


# --- Hostile content ------------------------------------------------------------------------------

LONG = "x" * 5_000
HOSTILE: tuple[tuple[dict[str, Any], Reason | None], ...] = (
    ({"recipient": "a@b.io\r\nBcc: x@y.io"}, Reason.BAD_CONTACT),
    ({"recipient": "a@b.io, x@y.io"}, Reason.BAD_CONTACT),
    ({"recipient": f"{LONG}@b.io"}, Reason.BAD_CONTACT),
    ({"recipient": None}, Reason.NO_CONTACT),
    ({"recipient": " "}, Reason.NO_CONTACT),
    ({"channel": "telegram", "recipient": "a\nb"}, Reason.BAD_CONTACT),
    ({"channel": "telegram", "recipient": "a\u202eb"}, Reason.BAD_CONTACT),
    ({"channel": "telegram", "recipient": LONG}, Reason.BAD_CONTACT),
    ({"channel": "telegram", "recipient": "<b>*x*</b>"}, None),
    ({"channel": f"tele\ngram\u202e{LONG}", "recipient": "x"}, Reason.BAD_CONTACT),
    ({"payload": {"kind": "approved", "message": "x" * 20_000}}, Reason.BAD_TEXT),
    ({"payload": {"kind": "approved"}}, Reason.BAD_TEXT),
    ({"payload": {}}, Reason.BAD_TEXT),
    ({"payload": {"message": "a\r\n\u202eb\x1b<script>{{username}}"}}, None),
    ({"payload": {"kind": "rejected\r\nX: y", "message": "No.", "language": "\r\n"}}, None),
)


def test_hostile_content_ends_as_a_harmless_message_or_parked_with_its_reason(
    desk: Engine,
) -> None:
    with desk.begin() as conn:
        conn.execute(update(tables.accounts).values(username="a\r\nBcc: x@y.io\u202e</p><script>"))
    ids = [write(desk, **given) for given, _ in HOSTILE]

    sent = {one.message_id: one for one in work(desk).taken}

    for id_, (given, reason) in zip(ids, HOSTILE, strict=True):
        row = state(desk, id_)
        assert row.last_reason == reason, given
        assert (row.stopped_as, row.delivered_at is None) == (
            ("parked", True) if reason else (None, False)
        )
        if reason is None:
            made = sent[id_]
            jsonschema.validate(dict(made.payload), SCHEMA)
            assert (made.subject + made.to).isprintable()
            assert not set(made.text) & set("\r\u202e\x1b")
        else:
            assert row.last_error.isprintable()
            assert len(row.last_error) <= 500


# --- Committed decisions have their row -------------------------------------------------------------


def decided_without_message(engine: Engine) -> int:
    """Return decisions and questions without a message."""
    with engine.connect() as conn:
        return int(
            conn.execute(
                text(
                    "select (select count(*) from review.decisions d where not exists"
                    " (select from review.outbox o where o.decision_id = d.decision_id))"
                    " + (select count(*) from review.events e where e.kind = 'information_requested' and not exists"
                    " (select from review.outbox o where o.application_id = e.application_id"
                    "  and o.payload ->> 'kind' = e.kind))"
                )
            ).scalar_one()
        )


def decide_every_way(engine: Engine) -> None:
    with engine.begin() as conn:
        add_eligible(conn, 11)
        for id_ in (12, 13, 14):
            add_application(conn, id_)
        pass_checks(conn, 12)
    clicks.approve(engine, 11)
    clicks.reject(engine, 13)
    clicks.ask_applicant(engine, 14)
    clicks.ask_second(engine, 12)
    clicks.confirm(engine, 12)


def test_every_decision_and_question_has_its_message_and_valid_payload(desk: Engine) -> None:
    decide_every_way(desk)

    assert decided_without_message(desk) == 0
    sent = work(desk, now=NOW + UNDO_FOR).taken
    assert {one.payload["kind"] for one in sent} == {
        *("approved", "rejected", "information_requested"),
    }
    for one in sent:
        jsonschema.validate(dict(one.payload), SCHEMA, format_checker=jsonschema.FormatChecker())


def test_the_check_above_sees_it_when_the_message_is_left_out(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (decisions_module, information_module):
        assert module.outbox is outbox
    monkeypatch.setattr(outbox, "put", lambda *_, **__: None)
    decide_every_way(desk)

    assert decided_without_message(desk) == 4


def test_a_rolled_back_decision_sends_nothing(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.begin() as conn:
        add_eligible(conn, 11)
    put = outbox.put

    def put_and_break(*given: Any, **named: Any) -> None:
        put(*given, **named)
        raise RuntimeError("cut here")

    monkeypatch.setattr(outbox, "put", put_and_break)
    with pytest.raises(RuntimeError, match="cut here"):
        clicks.approve(desk, 11)

    assert work(desk).taken == []
    with desk.connect() as conn:
        assert conn.execute(text("select count(*) from review.decisions")).scalar_one() == 0


# --- The backlog ------------------------------------------------------------------------------------


def test_the_backlog_shows_how_many_since_when_and_why(desk: Engine) -> None:
    for minutes in (5, 90):
        write(desk, created_at=NOW - timedelta(minutes=minutes))
    write(desk, delivered_at=NOW)
    for reason in ("busy", "busy", "bad_contact"):
        write(desk, stopped_as="parked", stopped_at=NOW, last_reason=reason, last_error="e")
    write(desk, attempts=1, last_reason="busy", last_error="e")

    with desk.connect() as conn:
        found = backlog.read(conn)
        why = backlog.failures(conn)

    assert (found.waiting, found.failing, found.parked) == (3, 1, 3)
    assert found.oldest == NOW - timedelta(minutes=90)
    assert found.is_late(NOW)
    assert not found.is_late(NOW - timedelta(minutes=31))
    assert [(one.reason, one.waiting, one.parked) for one in why] == [
        *((Reason.BUSY, 1, 2), (Reason.BAD_CONTACT, 0, 1)),
    ]


# --- Seen before it is sent ------------------------------------------------------------------------


def test_the_preview_shows_what_will_be_sent_or_why_it_cannot(desk: Engine) -> None:
    def previewed(**account: Any) -> Any:
        with desk.connect() as conn:
            if account:
                conn.execute(update(tables.accounts).values(**account))
                conn.execute(update(tables.applications).values(contact_handle=None))
            application = read.read(conn, 7, now=NOW)
            return rendering.preview(conn, application, kind="rejected", message="No.")

    assert (previewed().channel, previewed().recipient, previewed().text) == (
        "telegram",
        "contact7",
        "No.",
    )
    assert previewed(email="nobody").obstacle == "`nobody` is not an email address."
    assert previewed(email=None).obstacle == "The account has no email address."
    settle(desk, send_rejections=False, email_instead=["telegram"])
    message_templates.save(
        desk,
        clicks.command(
            SaveTemplate,
            kind=MessageKind.REJECTED,
            language="en",
            subject="About you",
            body="{{message}}\n\nThe team",
            shown_version=1,
            actor=MIRA,
        ),
    )
    assert (previewed().channel, previewed().recipient) == ("email", "user7@example.com")
    assert previewed().text == "No.\n\nThe team"
    assert previewed().obstacle == "It is withheld, because rejection messages are off."


def test_unreachable_applicants_are_named_with_the_reason(desk: Engine) -> None:
    reached = {"contact_platform": "telegram", "contact_handle": "@ana"}
    nowhere: dict[str, Any] = {"contact_platform": None, "contact_handle": None}
    cases = {
        901: (reached, "a@example.com", None),
        902: (nowhere, "a@example.com", None),
        903: (nowhere, None, "The account has no email address."),
        904: (nowhere, "not an address", "is not an email address"),
        905: ({**reached, "contact_platform": "email"}, "a@example.com", "is not an email address"),
    }
    with desk.begin() as conn:
        for id_, (contact, email, _) in cases.items():
            add_application(conn, id_, **contact)
            conn.execute(
                text(
                    "update exchange.accounts set email = :email where account_id = "
                    "(select account_id from exchange.applications where application_id = :id)"
                ),
                {"email": email, "id": id_},
            )

    with desk.connect() as conn:
        found = rendering.unreachable(conn, [905, 901, 904, 903, 902, 99_999])
        assert rendering.unreachable(conn, []) == []

    expected = {id_: reason for id_, (*_, reason) in cases.items() if reason}
    assert [one.application_id for one in found] == list(expected)
    assert {one.username for one in found} == {f"user{id_}" for id_ in expected}
    for one in found:
        assert expected[one.application_id] in one.reason

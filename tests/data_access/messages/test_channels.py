"""The channels: what a mail server and an endpoint get, and how their responses are read."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from aiosmtpd.smtp import AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.responses import Response

from data_access.db.errors import SettingMissing
from data_access.messages import channels
from data_access.messages.channels import NotTaken, body_of
from data_access.messages.channels.mailbox import Mailbox
from data_access.messages.channels.smtp import MailServer
from data_access.messages.channels.webhook import Webhook, requested_wait, secret_of
from data_access.messages.leases import Outgoing
from program.messages.delivery import Reason, Route
from tests.conftest import ROOT
from tests.data_access.receivers import Arrivals, endpoint, free_port, mail_server

ID = UUID("0f6d4c1e-0000-4000-8000-000000000001")
NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
SECRET = "a secret of enough bytes for this"
PASSWORD = "c4nary:p@ss/word"
# Longer than an exchange takes on a busy machine, and the deadlines that are tried in turn.
BUSY_S = 60.0
DEADLINES_S = (0.5, 4.0, 30.0)
SCHEMA = json.loads((ROOT / "docs" / "message.schema.json").read_text())


def outgoing(**given: Any) -> Outgoing:
    text = given.get("text", "Welcome, ünïcode <b>\n\nSecond.")
    payload = {
        "version": 1,
        "message_id": str(ID),
        "kind": "approved",
        "application_id": 7,
        "account_id": 7,
        "decision_id": None,
        "created_at": NOW.isoformat(),
        "contact": {"platform": "telegram", "handle": "meadow"},
        "language": "en",
        "subject": "About you",
        "text": text,
        "reason_code": None,
        "rebate_rate": "0.2",
    }
    return Outgoing(
        **{
            "message_id": ID,
            "route": Route.EMAIL,
            "to": "user7@example.com",
            "subject": "About you",
            "text": text,
            "made_at": NOW,
            "payload": payload,
            **given,
        }
    )


def server(port: int, **given: Any) -> MailServer:
    made = MailServer.from_url(f"smtp://127.0.0.1:{port}?from=team@exchange.example")
    for name, value in {"timeout_s": BUSY_S, **given}.items():
        setattr(made, name, value)
    return made


def hook(url: str, **given: Any) -> Webhook:
    made = Webhook.from_settings({"NOTIFY_WEBHOOK_URL": url, "NOTIFY_WEBHOOK_SECRET": SECRET})
    for name, value in {"timeout_s": BUSY_S, **given}.items():
        setattr(made, name, value)
    return made


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a loopback server's certificate, and a client context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shows.load_cert_chain(file)
    believes = ssl.create_default_context(
        cadata=made.public_bytes(serialization.Encoding.PEM).decode()
    )
    return shows, believes


@pytest.fixture
def arrivals() -> Arrivals:
    return Arrivals(hang_s=1.5)


def in_lines(part: Any) -> str:
    """Return a part's text with the line endings of mail."""
    return str(part.get_content()).replace("\r\n", "\n").strip()


# --- Mail ---------------------------------------------------------------------------------------


def test_a_mail_has_its_id_and_the_text_twice_and_is_the_same_at_every_try(
    arrivals: Arrivals,
) -> None:
    with mail_server(arrivals) as port:
        mail = server(port)
        mail.send(outgoing(), now=NOW)
        mail.close()
        mail.send(outgoing(), now=NOW + timedelta(hours=1))
        mail.close()

    assert len(arrivals.bodies[str(ID)]) == 2
    assert len(set(arrivals.bodies[str(ID)])) == 1
    found = message_from_bytes(arrivals.raw[str(ID)], policy=default)
    assert found["Message-ID"] == f"<{ID}@exchange.example>"
    assert (found["To"], found["Subject"]) == ("user7@example.com", "About you")
    plain, rich = found.iter_parts()
    assert in_lines(plain) == "Welcome, ünïcode <b>\n\nSecond."
    assert "Welcome, ünïcode &lt;b&gt;" in rich.get_content()
    assert arrivals.recipients[str(ID)] == ["user7@example.com"]


@pytest.mark.parametrize("field", ["to", "subject"])
def test_no_line_break_reaches_a_header_even_if_all_checks_were_forgotten(
    field: str, arrivals: Arrivals
) -> None:
    with mail_server(arrivals) as port, pytest.raises(ValueError, match=r"linefeed|invalid|CR"):
        server(port).send(outgoing(**{field: "a@b.io\r\nBcc: x@y.io"}), now=NOW)
    assert not arrivals.bodies


def test_long_lines_bidi_and_a_lone_dot_arrive_whole(arrivals: Arrivals) -> None:
    text = f"{'x' * 5_000}\n.\nמשלום 🌱"
    with mail_server(arrivals) as port:
        mail = server(port)
        mail.send(outgoing(text=text), now=NOW)
        mail.close()

    raw = arrivals.raw[str(ID)]
    assert max(len(line) for line in raw.splitlines()) < 998
    plain, _ = message_from_bytes(raw, policy=default).iter_parts()
    assert in_lines(plain) == text


TEXTS = (
    "From here on\nFrom me\n\nFrom now\n>From quoted",
    ".\n..\n.dot\n",
    "spaces at the end   \ntab at the end\t\n   in front",
    f"{'x' * 2_000} {'é' * 700}\n=3D =\n=46rom",
    "Ünïcode… Ņ 🦔 \u00a0\u3000 مرحبا",
    "-- \nA signature\n\n\n--=0f6d4c1e000040008000000000000001=\n",
    "<b>&amp;</b> {{message}}",
)


def test_the_delivered_text_is_the_previewed_text(arrivals: Arrivals, tmp_path: Path) -> None:
    box = Mailbox(folder=tmp_path)
    with mail_server(arrivals) as port:
        mail = server(port)
        for number, text in enumerate(TEXTS):
            letter = outgoing(
                message_id=UUID(int=number), text=text, subject=f"=?utf-8?q?{number}?="
            )
            mail.send(letter, now=NOW)
            box.send(letter, now=NOW)
        mail.close()

    for number, text in enumerate(TEXTS):
        (file,) = tmp_path.glob(f"*-{UUID(int=number)}.eml")
        for raw in (arrivals.raw[str(UUID(int=number))], file.read_bytes()):
            found = message_from_bytes(raw, policy=default)
            plain, rich = found.iter_parts()
            assert plain.get_content().replace("\r\n", "\n").removesuffix(
                "\n"
            ) == text.removesuffix("\n")
            assert "&gt;From here" not in rich.get_content()
            assert found["Subject"] == f"=?utf-8?q?{number}?="
            assert b"\n>From" not in raw.replace(b"\n>From quoted", b"")
            assert b"\nFrom " not in raw


def test_letters_beyond_ascii_go_to_servers_that_take_them(arrivals: Arrivals) -> None:
    to = "josé@xn--mnchen-3ya.de"
    with mail_server(arrivals) as port:
        mail = server(port)
        mail.send(outgoing(to=to), now=NOW)
        mail.send(outgoing(message_id=UUID(int=1)), now=NOW)
        mail.close()
    with mail_server(Arrivals(), enable_SMTPUTF8=False) as port:
        mail = server(port)
        with pytest.raises(
            NotTaken, match="takes no addresses with letters beyond ASCII"
        ) as raised:
            mail.send(outgoing(to=to), now=NOW)
        mail.send(outgoing(message_id=UUID(int=2)), now=NOW)
        mail.close()

    assert arrivals.recipients == {str(ID): [to], str(UUID(int=1)): ["user7@example.com"]}
    assert f"To: {to}".encode() in arrivals.raw[str(ID)]
    failure = raised.value.failure
    assert (failure.reason, failure.final, raised.value.is_down) == (
        Reason.BAD_CONTACT,
        True,
        False,
    )


@dataclass(frozen=True, kw_only=True)
class Dripping:
    """A server that sends pieces, one per message it gets, and then drips forever.

    ``heard_all`` is set once the other side has reacted to the last piece.
    """

    port: int
    heard_all: threading.Event


def _answered(peer: socket.socket, piece: bytes) -> bool:
    peer.sendall(piece)
    return bool(peer.recv(65_536))


@contextmanager
def dripping(answers: Sequence[bytes], *, every_s: float = 0.05) -> Iterator[Dripping]:
    """Run such a server."""
    listening = socket.create_server(("127.0.0.1", 0))
    over, heard_all = threading.Event(), threading.Event()

    def talk(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            if all(_answered(peer, piece) for piece in answers):
                heard_all.set()
            while not over.wait(every_s):
                peer.sendall(b"x")

    def serve() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                threading.Thread(target=talk, args=[peer], daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield Dripping(port=listening.getsockname()[1], heard_all=heard_all)
    over.set()
    listening.close()


def at_a_deadline(answers: Sequence[bytes], send: Callable[[int, float], object]) -> NotTaken:
    """Return how sending ended, at the first deadline that left time to hear all answers."""
    for deadline in DEADLINES_S:
        began = time.monotonic()
        with dripping(answers) as slow, pytest.raises(NotTaken) as raised:
            send(slow.port, deadline)
        if slow.heard_all.is_set():
            assert time.monotonic() - began < deadline + PATIENCE_S
            return raised.value
    raise AssertionError("The machine is too busy for the longest deadline.")


SMTP_ANSWERS = (b"220 here\r\n", b"250 fine\r\n", b"250 fine\r\n", b"250 fine\r\n", b"354 go\r\n")
PATIENCE_S = 8.0


@pytest.mark.parametrize("answered", range(len(SMTP_ANSWERS) + 1))
def test_a_slow_mail_server_is_abandoned_at_the_deadline_in_any_step(
    answered: int,
) -> None:
    ended = at_a_deadline(
        SMTP_ANSWERS[:answered],
        lambda port, deadline: server(port, timeout_s=deadline).send(outgoing(), now=NOW),
    )

    assert ended.is_down
    assert not ended.failure.final
    # Until the greeting, no server was there.
    assert ended.failure.reason is (Reason.NO_ANSWER if answered else Reason.UNREACHABLE)
    assert "timed out" in str(ended)


class Refusing:
    """A mail server that answers one command with one code."""

    def __init__(self, command: str, answer: str) -> None:
        setattr(self, f"handle_{command}", self.answer)
        self.reply = answer

    async def answer(self, *_: Any) -> str:
        return self.reply


@pytest.mark.parametrize(
    ("command", "answer", "reason", "final", "is_down"),
    [
        ("RCPT", "550 5.1.1 no such user", Reason.REFUSED, True, False),
        ("RCPT", "450 greylisted", Reason.BUSY, False, False),
        ("DATA", "554 looks like spam", Reason.REFUSED, True, False),
        ("DATA", "451 later", Reason.BUSY, False, False),
        ("MAIL", "550 sender not allowed", Reason.BUSY, False, True),
    ],
)
def test_a_mail_servers_refusal_is_understood(
    command: str, answer: str, reason: Reason, final: bool, is_down: bool
) -> None:
    from aiosmtpd.controller import Controller

    controller = Controller(Refusing(command, answer), hostname="127.0.0.1", port=free_port())
    controller.start()
    mail = server(controller.port)
    try:
        with pytest.raises(NotTaken, match=answer.replace(" ", ": ", 1)) as raised:
            mail.send(outgoing(), now=NOW)
    finally:
        mail.close()
        controller.stop()
    assert (raised.value.failure.reason, raised.value.failure.final) == (reason, final)
    assert raised.value.is_down is is_down


def test_a_missing_mail_server_is_distinguished_from_a_silent_one(arrivals: Arrivals) -> None:
    with pytest.raises(NotTaken) as nobody:
        server(free_port()).send(outgoing(), now=NOW)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NotTaken) as silent:
        server(mute.getsockname()[1], timeout_s=0.2).send(outgoing(), now=NOW)
    arrivals.mood = lambda: "drop the answer"
    with mail_server(arrivals) as port, pytest.raises(NotTaken) as dropped:
        server(port).send(outgoing(), now=NOW)

    reasons = [raised.value.failure.reason for raised in (nobody, silent, dropped)]
    assert reasons == [Reason.UNREACHABLE, Reason.UNREACHABLE, Reason.NO_ANSWER]
    assert not any(raised.value.failure.final for raised in (nobody, silent, dropped))
    assert "timed out" in str(silent.value)


def signing_in(certified: Any) -> dict[str, Any]:
    def check(_: Any, __: Session, ___: Envelope, mechanism: str, data: Any) -> AuthResult:
        fine = (data.login, data.password) == (b"team", PASSWORD.encode())
        return AuthResult(success=fine, handled=fine)

    return {
        "tls_context": certified[0],
        "require_starttls": True,
        "authenticator": check,
        "auth_required": True,
    }


def test_it_signs_in_over_tls_and_never_in_the_open(
    arrivals: Arrivals, certified: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    given = {"host": "localhost", "is_encrypted": True, "user": "team", "trust": certified[1]}
    with mail_server(arrivals, **signing_in(certified)) as port:
        right = server(port, **given, password=PASSWORD)
        right.send(outgoing(), now=NOW)
        right.close()
        with pytest.raises(NotTaken, match="login was refused") as wrong:
            server(port, **given, password="c4nary").send(outgoing(), now=NOW)
        with pytest.raises(NotTaken, match="certificate") as unknown:
            server(port, **{**given, "trust": None}, password=PASSWORD).send(outgoing(), now=NOW)
    with mail_server(Arrivals()) as port, pytest.raises(NotTaken, match="STARTTLS"):
        server(port, **given, password=PASSWORD).send(outgoing(), now=NOW)

    assert list(arrivals.bodies) == [str(ID)]
    assert "c4nary" not in str(wrong.value) + str(unknown.value)


# --- Webhook ------------------------------------------------------------------------------------


def test_the_payload_is_signed_valid_and_the_same_at_every_try(arrivals: Arrivals) -> None:
    with endpoint(arrivals) as url:
        to = hook(url)
        first = to.send(outgoing(), now=NOW)
        to.send(outgoing(), now=NOW + timedelta(hours=1))
        to.close()

    assert first.delivered
    assert len(set(arrivals.bodies[str(ID)])) == 1
    body, headers = arrivals.raw[str(ID)], arrivals.headers[str(ID)]
    jsonschema.validate(json.loads(body), SCHEMA, format_checker=jsonschema.FormatChecker())
    assert body == body_of(outgoing())
    # The check of docs/integration.md.
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(SECRET.encode(), content, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert headers["webhook-timestamp"] == str(int((NOW + timedelta(hours=1)).timestamp()))
    assert headers["idempotency-key"] == headers["webhook-id"] == str(ID)


@pytest.mark.parametrize(
    ("code", "reason", "final", "is_down"),
    [
        (400, Reason.REFUSED, True, False),
        (422, Reason.REFUSED, True, False),
        (302, Reason.BUSY, False, False),
        (401, Reason.BUSY, False, True),
        (404, Reason.BUSY, False, False),
        (500, Reason.BUSY, False, False),
        (503, Reason.BUSY, False, True),
    ],
)
def test_an_endpoints_refusal_is_understood(
    code: int, reason: Reason, final: bool, is_down: bool, arrivals: Arrivals
) -> None:
    headers = {"Location": "http://127.0.0.1:9/elsewhere", "Retry-After": "90"}
    with endpoint(arrivals, lambda: Response(status_code=code, headers=headers)) as url:
        to = hook(url)
        with pytest.raises(NotTaken, match=f"it answered {code}") as raised:
            to.send(outgoing(), now=NOW)
        to.close()

    failure = raised.value.failure
    assert (failure.reason, failure.final, raised.value.is_down) == (reason, final, is_down)
    assert (failure.after == timedelta(seconds=90)) is (code >= 401 and code != 422)
    assert len(arrivals.bodies[str(ID)]) == 1


def test_taken_for_later_is_sent_and_not_yet_delivered(arrivals: Arrivals) -> None:
    with endpoint(arrivals, lambda: Response(status_code=202)) as url:
        to = hook(url)
        assert not to.send(outgoing(), now=NOW).delivered
        to.close()


@pytest.fixture
def endless() -> Iterator[str]:
    """An endpoint that returns 200 and then never stops sending."""
    listening = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        peer, _ = listening.accept()
        with peer:
            peer.recv(65_536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
            try:
                while True:
                    peer.sendall(b"x" * 1_024)
            except OSError:
                return

    talking = threading.Thread(target=talk, daemon=True)
    talking.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    listening.close()
    talking.join(5)


def test_an_endless_answer_is_not_listened_to(endless: str) -> None:
    began = time.monotonic()
    to = hook(endless)
    receipt = to.send(outgoing(), now=NOW)
    to.close()

    assert receipt.delivered
    assert time.monotonic() - began < BUSY_S


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX-Y: "])
def test_an_endpoint_that_never_responds_is_abandoned_at_the_deadline(head: bytes) -> None:
    ended = at_a_deadline(
        [head],
        lambda port, deadline: hook(f"http://127.0.0.1:{port}/", timeout_s=deadline).send(
            outgoing(), now=NOW
        ),
    )

    assert (ended.failure.reason, ended.is_down) == (Reason.NO_ANSWER, True)


@pytest.mark.parametrize(("code", "taken"), [(200, True), (503, False)])
def test_the_status_counts_though_the_body_drips(code: int, taken: bool) -> None:
    head = f"HTTP/1.1 {code} so\r\nContent-Length: 4000\r\n\r\n".encode()
    # A head arrives with the response; the drip begins after it.
    with dripping([b"", head]) as slow:
        to = hook(f"http://127.0.0.1:{slow.port}/", timeout_s=DEADLINES_S[1])
        if taken:
            assert to.send(outgoing(), now=NOW).delivered
        else:
            with pytest.raises(NotTaken, match="it answered 503"):
                to.send(outgoing(), now=NOW)
        to.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *(("90", 90), (" 90 ", 90), ("0", None), ("-5", None), ("soon", None), ("", None)),
        *(("1.5", None), ("9999999", 3600), ("9" * 400, 3600), ("٣", None), ("0090", 90)),
        ("Sun, 15 Mar 2026 09:01:30 GMT", 90),
        ("Sunday, 15-Mar-26 09:01:30 GMT", 90),
        ("Sun Mar 15 09:01:30 2026", 90),
        ("Sun, 15 Mar 2026 10:01:30 +0100", 90),
        ("Sun, 15 Mar 2026 08:59:59 GMT", None),
        ("Sun, 15 Mar 2026 09:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Sun, 32 Mar 2026 09:01:30 GMT", None),
        ("Sun, 15 Mar 99999999999 09:01:30 GMT", None),
    ],
)
def test_the_requested_wait_is_seconds_or_a_date_and_at_most_an_hour(
    header: str, seconds: int | None
) -> None:
    found = requested_wait(header, NOW)

    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_a_date_to_wait_for_is_kept_from_the_answer(arrivals: Arrivals) -> None:
    later = format_datetime(NOW + timedelta(minutes=20), usegmt=True)
    with endpoint(
        arrivals, lambda: Response(status_code=429, headers={"Retry-After": later})
    ) as url:
        to = hook(url)
        with pytest.raises(NotTaken) as raised:
            to.send(outgoing(), now=NOW)
        to.close()
    assert raised.value.failure.after == timedelta(minutes=20)


def test_a_missing_endpoint_is_distinguished_from_a_silent_one(arrivals: Arrivals) -> None:
    with pytest.raises(NotTaken) as nobody:
        hook(f"http://127.0.0.1:{free_port()}/").send(outgoing(), now=NOW)
    arrivals.mood = lambda: "hang"
    arrivals.hang_s = 0.5
    with endpoint(arrivals) as url, pytest.raises(NotTaken) as silent:
        hook(url, timeout_s=0.2).send(outgoing(), now=NOW)

    assert nobody.value.failure.reason is Reason.UNREACHABLE
    assert silent.value.failure.reason is Reason.NO_ANSWER


def test_only_an_allowed_host_is_spoken_to(arrivals: Arrivals) -> None:
    with endpoint(arrivals) as url, pytest.raises(NotTaken, match="not allowed") as raised:
        hook(url, allowed=frozenset({"hooks.exchange.example"})).send(outgoing(), now=NOW)
    assert raised.value.failure.final
    assert not arrivals.faults
    assert not arrivals.bodies


# --- Settings -----------------------------------------------------------------------------------

GOOD = {
    "SMTP_URL": f"smtp://team:{PASSWORD.replace('@', '%40').replace('/', '%2F')}@mail.example:587"
    "?from=team@exchange.example&name=VIP%20team",
    "NOTIFY_WEBHOOK_URL": "https://hooks.exchange.example/applicants",
    "NOTIFY_WEBHOOK_SECRET": "whsec_" + base64.b64encode(b"x" * 24).decode(),
}


def test_configured_channels_are_read_without_exposing_secrets() -> None:
    made = channels.from_environment(GOOD)
    mail, to = made[Route.EMAIL], made[Route.WEBHOOK]

    assert isinstance(mail, MailServer)
    assert isinstance(to, Webhook)
    assert (mail.host, mail.port, mail.user, mail.password) == (
        *("mail.example", 587, "team"),
        PASSWORD,
    )
    assert (mail.is_encrypted, mail.tls_from_start) == (True, False)
    assert (to.allowed, to.secret) == (frozenset({"hooks.exchange.example"}), b"x" * 24)
    assert PASSWORD not in repr(mail)
    assert "xxxx" not in repr(to)


@pytest.mark.parametrize(
    "changed",
    [
        {"SMTP_URL": "mail.c4nary.example"},
        {"SMTP_URL": "https://team:c4nary@mail.example?from=a@b.io"},
        {"SMTP_URL": "smtp://team:c4nary@mail.example"},
        {"SMTP_URL": "smtp://team:c4nary@mail.example?from=nobody"},
        {"SMTP_URL": "smtp://team:c4nary@mail.example:99999?from=a@b.io"},
        {"NOTIFY_WEBHOOK_URL": "http://c4nary.example/"},
        {"NOTIFY_WEBHOOK_URL": "https://user:c4nary@hooks.example/"},
        {"NOTIFY_WEBHOOK_URL": "c4nary"},
        {"NOTIFY_WEBHOOK_HOSTS": "other.example"},
        {"NOTIFY_WEBHOOK_SECRET": "c4nary"},
        {"NOTIFY_WEBHOOK_SECRET": "whsec_c4nary!"},
        {"NOTIFY_WEBHOOK_SECRET": ""},
    ],
)
def test_a_malformed_setting_is_named_without_its_value(changed: dict[str, str]) -> None:
    with pytest.raises(SettingMissing) as raised:
        channels.from_environment({**GOOD, **changed})

    (name,) = changed
    assert name in str(raised.value)
    assert "c4nary" not in str(raised.value)


KEY = bytes(range(200, 232))
IN_BASE64 = base64.b64encode(KEY).decode()


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (SECRET, SECRET.encode()),
        (f"{SECRET}\n", SECRET.encode()),
        (f" {SECRET}\r\n", SECRET.encode()),
        (f"whsec_{IN_BASE64}", KEY),
        (f"whsec_{IN_BASE64}\n", KEY),
        (f"whsec_{IN_BASE64[:-1]}", KEY),
        (f"whsec_{base64.urlsafe_b64encode(KEY).decode()}", KEY),
        (f"whsec_{base64.urlsafe_b64encode(KEY).decode().rstrip('=')}", KEY),
        (f"v1,whsec_{IN_BASE64}", KEY),
        (f"whsec_{IN_BASE64[:20]}\n{IN_BASE64[20:]}", KEY),
    ],
)
def test_a_secret_works_in_every_form_it_is_handed_out_in(typed: str, key: bytes) -> None:
    assert secret_of(typed) == key


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        *(("", "is not set"), (" \n", "is not set"), ("c4nary", "too short: with 6 bytes")),
        ("whsec_YzRuYXJ5", "too short: in base64 that decodes to 6 bytes"),
        ("whsec_", "too short: in base64 that decodes to 0 bytes"),
        (f"whsec_{IN_BASE64}!", "not base64"),
        (f"whsec_{IN_BASE64[:33]}", "not base64"),
        (f'"whsec_{IN_BASE64}"', "before whsec_, such as a quotation mark"),
        (f"v2,whsec_{IN_BASE64}", "before whsec_"),
        (f"whsec_{IN_BASE64} whsec_{IN_BASE64}", "more than one secret"),
        (f"whsk_{IN_BASE64}", "one of a pair of keys"),
        (f"{SECRET}\n{SECRET}", "a line's end"),
        (f"{SECRET}\u200b", "invisible character"),
    ],
)
def test_an_invalid_secret_is_refused_with_its_actual_fault(typed: str, fault: str) -> None:
    with pytest.raises(SettingMissing) as raised:
        secret_of(typed)

    assert str(raised.value).startswith("NOTIFY_WEBHOOK_SECRET ")
    assert fault in str(raised.value)
    assert not [part for part in (SECRET, IN_BASE64[:20], "c4nary") if part in str(raised.value)]


def test_without_channels_the_error_names_what_to_set() -> None:
    with pytest.raises(SettingMissing, match="Set SMTP_URL, or NOTIFY_WEBHOOK_URL"):
        channels.from_environment({})


# --- The folder ---------------------------------------------------------------------------------


def test_a_full_folder_is_reported_as_a_channel_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotTaken, match=r"The folder .*/file cannot be written: ") as raised:
        Mailbox(folder=tmp_path / "file").send(outgoing(), now=NOW)

    assert (raised.value.failure.reason, raised.value.is_down) == (Reason.UNREACHABLE, True)
    assert not raised.value.failure.final


def test_a_folder_accepts_messages_of_any_route(tmp_path: Path) -> None:
    box = Mailbox(folder=tmp_path / "mail")
    box.send(outgoing(), now=NOW)
    box.send(outgoing(), now=NOW)
    other = outgoing(message_id=UUID(int=1), route=Route.WEBHOOK, to="мария")
    payload = {**other.payload, "contact": {"platform": "telegram", "handle": "мария"}}
    box.send(outgoing(message_id=UUID(int=1), route=Route.WEBHOOK, payload=payload), now=NOW)

    files = sorted(file.name for file in (tmp_path / "mail").iterdir())
    assert files == [f"20260315-090000-{UUID(int=1)}.eml", f"20260315-090000-{ID}.eml"]
    found = message_from_bytes((tmp_path / "mail" / files[0]).read_bytes(), policy=default)
    assert (found["X-Contact-Platform"], found["X-Contact-Handle"]) == ("telegram", "мария")

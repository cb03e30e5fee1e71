"""A mail server and a webhook endpoint on loopback that misbehave on purpose."""

import asyncio
import hashlib
import random
import socket
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ACCEPT, DROP, FAIL, HANG, REFUSE = "accept", "drop the answer", "fail", "hang", "refuse"
Mood = Callable[[], str]


def moods(rng: random.Random, share: float) -> Mood:
    """Return a mood that misbehaves with this share, hanging less often because it is slow."""

    def one() -> str:
        if rng.random() >= share:
            return ACCEPT
        return rng.choices([DROP, FAIL, HANG, REFUSE], [4, 4, 1, 4])[0]

    return one


@dataclass
class Arrivals:
    """What receivers accepted: bodies by id, and faults after an acceptance."""

    bodies: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    raw: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    recipients: dict[str, list[str]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    mood: Mood = lambda: ACCEPT
    hang_s: float = 3.5
    attempts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, id_: str, body: bytes, headers: dict[str, str], to: list[str]) -> None:
        with self.lock:
            self.bodies[id_].append(hashlib.sha256(body).hexdigest())
            self.raw[id_] = body
            self.headers[id_] = headers
            self.recipients[id_] = to

    def next_mood(self) -> str:
        with self.lock:
            mood = self.mood()
            self.attempts += 1
            self.faults[mood] += mood != ACCEPT
            return mood

    @property
    def duplicates(self) -> int:
        return sum(len(bodies) - 1 for bodies in self.bodies.values())


class Mail:
    """The mail server's behavior."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, _: Session, envelope: Envelope
    ) -> str:
        mood = self.arrivals.next_mood()
        if mood == HANG:
            await asyncio.sleep(self.arrivals.hang_s)
        if mood in (ACCEPT, DROP):
            content = envelope.content
            assert isinstance(content, bytes)
            found = message_from_bytes(content)
            id_ = found["Message-ID"].strip("<>").partition("@")[0]
            self.arrivals.take(id_, content, dict(found.items()), list(envelope.rcpt_tos))
        if mood in (DROP, HANG, REFUSE):
            server.transport.abort()
        return "250 taken" if mood == ACCEPT else "451 not now"


@contextmanager
def mail_server(arrivals: Arrivals, **given: Any) -> Iterator[int]:
    """A mail server; yields its port."""
    controller = Controller(Mail(arrivals), hostname="127.0.0.1", port=free_port(), **given)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def endpoint(arrivals: Arrivals, answer: Callable[[], Response] | None = None) -> Iterator[str]:
    """A webhook endpoint; yields its address."""

    async def take(request: Request) -> Response:
        mood = arrivals.next_mood()
        body = await request.body()
        if mood in (ACCEPT, DROP):
            id_ = request.headers["Idempotency-Key"]
            arrivals.take(id_, body, dict(request.headers), [])
        if mood in (DROP, HANG):
            # Without an answer the caller gives up, as if the connection had been cut.
            await asyncio.sleep(arrivals.hang_s)
        if mood == ACCEPT:
            return answer() if answer else Response(status_code=204)
        return Response(status_code=503 if mood == REFUSE else 500)

    app = Starlette(routes=[Route("/notify", take, methods=["POST"])])
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    running = threading.Thread(target=server.run, args=[[listening]], daemon=True)
    running.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/notify"
    finally:
        server.should_exit = True
        running.join(10)
        listening.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])

"""Message throughput, and the cost of a backlog beside a million delivered messages.

``python -m bench.notifying`` runs it on the bench's server, in a temporary database.
"""

import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from socketserver import StreamRequestHandler, ThreadingTCPServer

from sqlalchemy import Engine, text

from bench import database
from bench.measurements import Failures
from data_access.messages import backlog, leases
from data_access.messages.channels.smtp import MailServer
from data_access.messages.channels.webhook import Webhook
from data_access.messages.worker import Pace, Worker
from program.messages.delivery import Route

NAME = "bench_notifying"
MESSAGES = 2_000
DELIVERED = 1_000_000
AT_LEAST = 200
SECRET = "a secret of enough bytes for this"  # noqa: S105 - nobody's
APPLICATION = """
insert into exchange.accounts (account_id, username, email, created_at) values (7, 'meadow', 'm@example.com', now());
insert into exchange.applications (application_id, account_id, social_handle, submitted_at) values (7, 7, '@meadow', now());
"""
WRITE = """
insert into review.outbox (message_id, application_id, channel, recipient, payload, created_at, delivered_at, attempts)
select gen_random_uuid(), 7, case n % 2 when 0 then 'email' else 'telegram' end, 'user' || n || '@example.com',
       '{"kind": "approved", "message": "Welcome to the affiliate program."}'::jsonb, now(),
       case when :delivered then now() - n * interval '1 second' end, 0
from generate_series(1, :count) n
"""
PARK = """
update review.outbox set stopped_as = 'parked', stopped_at = now(), last_reason = 'busy'
where message_id in (select message_id from review.outbox where delivered_at is null limit 20)
"""


class TakesMail(StreamRequestHandler):
    """A minimal mail server that accepts messages."""

    def handle(self) -> None:
        """Respond to each command; after DATA, read to the single dot."""
        self.connection.setsockopt(6, 1, 1)
        self.wfile.write(b"220 bench\r\n")
        for line in self.rfile:
            command = line[:4].upper()
            if command == b"DATA":
                self.wfile.write(b"354 go\r\n")
                while self.rfile.readline() != b".\r\n":
                    pass
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 fine\r\n")


class TakesHooks(BaseHTTPRequestHandler):
    """A minimal endpoint that accepts messages."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Read and respond."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Do not log."""


def serve(pipe: Connection) -> None:
    """Serve both receivers with immediate responses, and send their ports to ``pipe``."""
    servers = [
        ThreadingTCPServer(("127.0.0.1", 0), TakesMail),
        ThreadingHTTPServer(("127.0.0.1", 0), TakesHooks),
    ]
    pipe.send([server.server_address[1] for server in servers])
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever).start()


@contextmanager
def receivers() -> Iterator[tuple[int, int]]:
    """Run both in their own process, so that they take no time from the worker's."""
    hears, tells = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=[tells], daemon=True)
    process.start()
    smtp, http = hears.recv()
    yield smtp, http
    process.kill()
    process.join()


def write(engine: Engine, count: int, *, delivered: bool) -> None:
    with engine.begin() as connection:
        connection.execute(text(WRITE), {"count": count, "delivered": delivered})


def rate(engine: Engine) -> tuple[float, float]:
    """Return messages per second of one worker, and processor milliseconds per message."""
    write(engine, MESSAGES, delivered=False)
    with receivers() as (smtp, http):
        mail = MailServer.from_url(f"smtp://127.0.0.1:{smtp}?from=team@exchange.example")
        hook = Webhook.from_settings(
            {
                "NOTIFY_WEBHOOK_URL": f"http://127.0.0.1:{http}/",
                "NOTIFY_WEBHOOK_SECRET": SECRET,
            }
        )
        worker = Worker(
            engine=engine,
            channels={Route.EMAIL: mail, Route.WEBHOOK: hook},
            clock=lambda: datetime.now(UTC),
        )
        began, spent = time.perf_counter(), time.process_time()
        counts = worker.drain()
        took, spent = time.perf_counter() - began, time.process_time() - spent
    assert counts == {"sent": MESSAGES}, counts
    return MESSAGES / took, 1_000 * spent / MESSAGES


def median_ms(work: Callable[[], object], turns: int = 31) -> float:
    found = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        found.append(1_000 * (time.perf_counter() - began))
    return statistics.median(found)


def costs(engine: Engine) -> dict[str, float]:
    """Return milliseconds of the page's and the worker's queries, with 100 waiting and 20 stuck."""
    with engine.connect() as connection:
        page = median_ms(lambda: backlog.read(connection))
        why = median_ms(lambda: backlog.failures(connection))
        sent = median_ms(lambda: backlog.delivered(connection))

    def take() -> None:
        now = datetime.now(UTC)
        taken = leases.take(engine, now=now, count=50, lease=Pace().lease)
        leases.give_back(engine, taken)

    return {
        "backlog": page,
        "failures": why,
        "last sent": sent,
        "take and give back 50": median_ms(take),
    }


def report(_: Engine, failures: Failures) -> None:
    """Measure in a temporary database, and print the table."""
    failures.print_row("notifying", measured)


def measured() -> str:
    """Return the table: with few delivered, and with a million."""
    engine = database.recreate(NAME)
    try:
        with engine.begin() as connection:
            connection.execute(text(APPLICATION))
        few = [rate(engine) for _ in range(3)]
        write(engine, 120, delivered=False)
        with engine.begin() as connection:
            connection.execute(text(PARK))
        before = costs(engine)
        write(engine, DELIVERED, delivered=True)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze review.outbox"))
        after = costs(engine)
        with engine.begin() as connection:
            connection.execute(text("delete from review.outbox where delivered_at is null"))
        many = [rate(engine) for _ in range(3)]
    finally:
        engine.dispose()
        with database.connect("postgres").connect() as server:
            server.execution_options(isolation_level="AUTOCOMMIT").execute(
                text(f"drop database {NAME}")
            )
    return _table(few, many, before, after)


def _table(
    few: list[tuple[float, float]],
    many: list[tuple[float, float]],
    before: dict[str, float],
    after: dict[str, float],
) -> str:
    lines = [f"{'notifying':<24} {'few delivered':>14} {'a million':>14}"]
    for what, which, digits in (("messages a second", 0, 0), ("processor each, ms", 1, 2)):
        middle = [statistics.median(turn[which] for turn in turns) for turns in (few, many)]
        lines.append(f"{what:<24} {middle[0]:14.{digits}f} {middle[1]:14.{digits}f}")
    for name, ms in before.items():
        lines.append(f"{name + ', ms':<24} {ms:14.2f} {after[name]:14.2f}")
    slowest = min(min(turn[0] for turn in turns) for turns in (few, many))
    lines.append(f"slowest of six turns: {slowest:.0f} messages a second, of at least {AT_LEAST}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(measured())

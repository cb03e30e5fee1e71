"""No message is lost, and none sent twice without a cause, while workers are killed."""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import cycle
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from data_access.messages import backlog
from data_access.messages.channels.smtp import MailServer
from data_access.messages.channels.webhook import Webhook
from data_access.messages.worker import Pace, Worker
from program.messages.delivery import Patience, Route
from tests.builders import add_application
from tests.data_access.receivers import (
    ACCEPT,
    DROP,
    FAIL,
    REFUSE,
    Arrivals,
    Mood,
    endpoint,
    mail_server,
    moods,
)

SECRET = "a secret of enough bytes for this"
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.data_access.messages.test_delivery_under_fire"])


def pace(timeout_s: float) -> Pace:
    """Quick, so that a test takes seconds: only the order of the times matters."""
    return Pace(
        batch=20,
        lease=timedelta(seconds=3 * timeout_s),
        longest_try=timedelta(seconds=1.5 * timeout_s),
        idle=timedelta(milliseconds=50),
        down=timedelta(seconds=0.5),
        patience=Patience(
            tries=1000, first_wait=timedelta(seconds=0.2), longest_wait=timedelta(seconds=2)
        ),
    )


def work(database: str, smtp_port: int, url: str, timeout_s: float) -> None:
    """Run one worker as its own process."""
    mail = MailServer.from_url(f"smtp://127.0.0.1:{smtp_port}?from=team@exchange.example")
    hook = Webhook.from_settings({"NOTIFY_WEBHOOK_URL": url, "NOTIFY_WEBHOOK_SECRET": SECRET})
    mail.timeout_s = hook.timeout_s = timeout_s
    Worker(
        engine=create_engine(database),
        channels={Route.EMAIL: mail, Route.WEBHOOK: hook},
        clock=lambda: datetime.now(UTC),
        pace=pace(timeout_s),
    ).run()


def write_messages(engine: Engine, count: int) -> None:
    payload = json.dumps({"kind": "approved", "message": "Welcome, ünïcode.\n\nSecond."})
    with engine.begin() as conn:
        conn.execute(
            text(
                "insert into review.outbox (message_id, application_id, channel, recipient, payload, created_at)"
                " select gen_random_uuid(), 7, case n % 2 when 0 then 'email' else 'telegram' end,"
                " case n % 2 when 0 then 'user' || n || '@example.com' else 'user' || n end,"
                " cast(:payload as jsonb), now() from generate_series(1, :count) n"
            ),
            {"payload": payload, "count": count},
        )


@pytest.fixture(autouse=True)
def _a_main_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """New processes start by running the main module, which page tests replace."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


def under_fire(
    engine: Engine,
    mood: Mood,
    *,
    messages: int,
    workers: int,
    kills: int,
    pause_s: float,
    timeout_s: float,
) -> dict[str, Any]:
    """Send messages while workers are killed, then wait until all have been sent."""
    rng = random.Random(20261124)
    arrivals = Arrivals(mood=mood, hang_s=1.2 * timeout_s)
    with engine.begin() as conn:
        add_application(conn, 7)
    with ExitStack() as stack:
        port = stack.enter_context(mail_server(arrivals))
        url = stack.enter_context(endpoint(arrivals))
        address = engine.url.render_as_string(hide_password=False)

        def start() -> BaseProcess:
            made = FORKS.Process(target=work, args=[address, port, url, timeout_s], daemon=True)
            made.start()
            return made

        running = [start() for _ in range(workers)]
        for _ in range(kills):
            before = arrivals.attempts
            write_messages(engine, messages // kills)
            # A worker that has not started cannot be killed midway.
            deadline = time.monotonic() + 60
            while arrivals.attempts == before:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            time.sleep(rng.uniform(0.2, 1.8) * pause_s)
            killed = running.pop(rng.randrange(len(running)))
            os.kill(killed.pid or 0, signal.SIGKILL)
            killed.join()
            running.append(start())
        arrivals.mood = lambda: ACCEPT
        calm = time.monotonic()
        while time.monotonic() - calm < 90:
            with engine.connect() as conn:
                if backlog.read(conn).waiting == 0:
                    break
            time.sleep(0.1)
        took_s = time.monotonic() - calm
        for process in running:
            process.kill()
            process.join()
    return {"arrivals": arrivals, "took_s": took_s, "kills": kills}


def require_all_arrived(engine: Engine, found: dict[str, Any], messages: int) -> None:
    arrivals: Arrivals = found["arrivals"]
    with engine.connect() as conn:
        delivered = set(
            conn.execute(
                text("select message_id::text from review.outbox where delivered_at is not null")
            ).scalars()
        )
        counts = conn.execute(
            text(
                "select count(*), count(distinct detail ->> 'message_id') from review.events"
                " where kind in ('message_sent', 'message_delivered')"
            )
        ).one()
    assert len(delivered) == messages
    # Nothing lost, and nothing invented.
    assert set(arrivals.bodies) == delivered
    # The timeline shows each once, however often it was sent.
    assert tuple(counts) == (messages, messages)
    # Receivers can recognize repeats.
    assert [id_ for id_, bodies in arrivals.bodies.items() if len(set(bodies)) != 1] == []
    after_acceptance = arrivals.faults[DROP] + found["kills"]
    assert arrivals.duplicates <= after_acceptance
    assert found["took_s"] < 90
    assert arrivals.faults[DROP] > 0


def test_workers_killed_among_bad_receivers_lose_nothing(engine: Engine) -> None:
    every_sixth = cycle([DROP, *[ACCEPT] * 5, FAIL, *[ACCEPT] * 5, REFUSE, *[ACCEPT] * 5])
    found = under_fire(
        engine,
        lambda: next(every_sixth),
        messages=80,
        workers=2,
        kills=4,
        pause_s=0.2,
        timeout_s=1.0,
    )

    require_all_arrived(engine, found, 80)


@pytest.mark.slow
def test_a_hundred_killed_workers_and_a_thousand_messages(engine: Engine) -> None:
    found = under_fire(
        engine,
        moods(random.Random(7), 0.3),
        messages=1_000,
        workers=4,
        kills=100,
        pause_s=0.3,
        timeout_s=3.0,
    )

    require_all_arrived(engine, found, 1_000)
    arrivals = found["arrivals"]
    print(  # noqa: T201 - what a proof found is worth reading
        f"\n1,000 messages, 100 kills, faults {dict(arrivals.faults)}: {arrivals.duplicates} "
        f"duplicates, done {found['took_s']:.1f} s after the last fault"
    )

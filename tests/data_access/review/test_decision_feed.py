"""Polling decisions by position misses none, in any order of transactions."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

# As in docs/integration.md.
POLL = "select position, decision_id from review.decisions where position > %s order by position"
DECIDE = (
    "insert into review.decisions (application_id, outcome, reason_code, rationale, decided_by,"
    " policy_version, snapshot) values (%s, 'rejected', 'other', 'why', 'ana', 1, '{}')"
    " returning decision_id"
)
# The same without the lock: ids follow the order of writing, not of commits.
NAIVE_POLL = "select id, id from naive where id > %s order by id"
NAIVE = "insert into naive (of) values (%s) returning id"


class Writer:
    """Runs one transaction at a time on a thread, its steps in the given order."""

    def __init__(self, url: str, statement: str) -> None:
        self.connection = psycopg.connect(url)
        self.statement = statement
        self.steps: Queue[Any] = Queue()
        self.committed: set[int] = set()
        self.open: int | None = None
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        while (step := self.steps.get()) is not None:
            what, number, done = step
            if what == "write":
                row = self.connection.execute(self.statement, [number]).fetchone()  # type: ignore[arg-type]
                self.open = row[0] if row else None
            elif what == "commit":
                self.connection.commit()
                self.committed.add(self.open or 0)
            else:
                self.connection.rollback()
            done.set()
        self.connection.close()

    def tell(self, what: str, number: int = 0) -> threading.Event:
        done = threading.Event()
        self.steps.put((what, number, done))
        return done


@contextmanager
def writers(url: str, statement: str) -> Iterator[list[Writer]]:
    made = [Writer(url, statement) for _ in range(2)]
    try:
        yield made
    finally:
        for writer in made:
            writer.steps.put(None)
            writer.thread.join(10)


def interleave(engine: Engine, rounds: int, statement: str, poll: str) -> tuple[int, int]:
    """Run two writers and a poller with shuffled steps; returns rows and missed rows."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    rng = random.Random(2026)
    seen: set[int] = set()
    last = 0
    with psycopg.connect(url, autocommit=True) as poller, writers(url, statement) as two:
        for number in range(rounds):
            plans = [
                [("write", 2 * number + which + 1), (rng.choice(["commit"] * 4 + ["rollback"]), 0)]
                for which in range(2)
            ]
            order = [0, 0, 1, 1, 2, 2, 2]
            rng.shuffle(order)
            steps = []
            for who in order:
                if who < 2:
                    steps.append(two[who].tell(*plans[who].pop(0)))
                    # A writer that waits for the other continues once that one got its step.
                    steps[-1].wait(0.002)
                    continue
                for position, id_ in poller.execute(poll, [last]):  # type: ignore[arg-type]
                    last = position
                    seen.add(id_)
            for done in steps:
                assert done.wait(10)
        for position, id_ in poller.execute(poll, [last]):  # type: ignore[arg-type]
            last = position
            seen.add(id_)
        committed = two[0].committed | two[1].committed
    assert seen <= committed
    return len(committed), len(committed - seen)


def add_applications(engine: Engine, count: int) -> None:
    with engine.begin() as conn:
        for statement in (
            "insert into exchange.accounts (account_id, username, created_at)"
            " select n, 'u' || n, now() from generate_series(1, :count) n",
            "insert into exchange.applications (application_id, account_id, social_handle, submitted_at)"
            " select n, n, '@u' || n, now() from generate_series(1, :count) n",
        ):
            conn.execute(text(statement), {"count": count})


def test_a_poller_misses_no_decision(engine: Engine) -> None:
    add_applications(engine, 200)

    there, missed = interleave(engine, 100, DECIDE, POLL)

    assert there > 120
    assert missed == 0


@pytest.mark.slow
def test_a_poller_misses_no_decision_in_a_thousand_interleavings(engine: Engine) -> None:
    add_applications(engine, 2_000)

    there, missed = interleave(engine, 1_000, DECIDE, POLL)

    assert there > 1_200
    assert missed == 0


def test_the_interleavings_catch_a_poller_that_goes_by_ids(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("create table naive (id bigint generated always as identity, of bigint)"))

    _, missed = interleave(engine, 60, NAIVE, NAIVE_POLL)

    assert missed > 0

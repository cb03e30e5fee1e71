"""Twenty reviewers pressing Next at once, two thousand times in total."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from uuid import uuid4

from sqlalchemy import Engine, create_engine, text

from bench.database import taking_back
from bench.facts import moment
from bench.measurements import Failures
from data_access import rollups
from data_access.queue import order_cache
from data_access.review import claims
from program.review.queue_filters import Filters

REVIEWERS, ROUNDS = 20, 100
BAR_MS = 20
PULLER = "puller{}@example.com"


def report(engine: Engine, failures: Failures) -> None:
    """Run it and print the times, and whether two people ever got the same application."""
    failures.print_row("next", partial(pulled, engine))


def pulled(engine: Engine) -> str:
    """Return the row of two thousand presses."""
    _prepare(engine)
    pooled = create_engine(engine.url, pool_size=REVIEWERS, max_overflow=0)
    now, gate = moment(engine), Barrier(REVIEWERS)

    def work(number: int) -> list[tuple[int | None, float]]:
        taken_by_me = []
        for _ in range(ROUNDS):
            gate.wait()
            began = time.perf_counter()
            taken = claims.take_next(
                pooled,
                claims.TakeNext(
                    filters=Filters(), actor=PULLER.format(number), at=now, request_id=uuid4()
                ),
            ).application_id
            taken_by_me.append((taken, (time.perf_counter() - began) * 1000))
        return taken_by_me

    with ThreadPoolExecutor(REVIEWERS) as pool:
        everything = [one for mine in pool.map(work, range(REVIEWERS)) for one in mine]
    pooled.dispose()
    _tidy(engine)
    # The pulls and their undoing changed 2,000 applications: what follows begins with none.
    rollups.refresh(engine, now=now, risk=None)
    taken, times = [t for t, _ in everything], sorted(ms for _, ms in everything)
    doubles = len(taken) - len(set(taken))
    median, p95 = statistics.median(times), times[int(0.95 * len(times))]
    verdict = "ok" if median <= BAR_MS and not doubles and None not in taken else "OVER"
    return (
        f"{len(taken):,} pulls by {REVIEWERS} at once: median {median:.1f} ms, p95 {p95:.1f} ms, "
        f"longest {times[-1]:.1f} ms, twice the same {doubles}; bar {BAR_MS} ms {verdict}"
    )


def _prepare(engine: Engine) -> None:
    _tidy(engine)
    order_cache.forget(engine)
    with engine.begin() as connection:
        for number in range(REVIEWERS):
            connection.execute(
                text("insert into review.staff values (:email, 'Puller', 'reviewer', true)"),
                {"email": PULLER.format(number)},
            )


def _tidy(engine: Engine) -> None:
    with taking_back(engine, "events") as connection:
        for statement in (
            "delete from review.events where actor like 'puller%'",
            "delete from review.requests where actor like 'puller%'",
            "update review.desk set assignee = null, claimed_at = null, claim_until = null"
            " where assignee like 'puller%'",
            "delete from review.staff where email like 'puller%'",
        ):
            connection.execute(text(statement))

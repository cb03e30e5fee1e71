"""People who act every two seconds, each in a session of their own, without browsers.

They change the filters of the queue. A time counts from when the act was due, so that a person who
still waits for the last one makes the next one late, not rare.
"""

import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Barrier

from sqlalchemy import Engine

from bench import database, sessions
from bench.measurements import Failures
from bench.pages import MANAGER
from tests.browser.serving import served

EVERY_S = 2.0
ACTS_EACH = 15
# Views of the queue between which people change.
QUERIES = ("eligibility=met", "", "country=BR", "sort=volume", "eligibility=unknown")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """At most so many milliseconds; none may be lost."""

    people: int
    median: float
    p95: float | None = None


BARS = (Bar(people=10, median=150), Bar(people=40, median=450, p95=900))


def report(engine: Engine, failures: Failures) -> None:
    """Print a row for each number of people."""
    report_over(engine, database.CLUSTER.home, failures)


def report_over(_: Engine, home: Path, failures: Failures) -> None:
    """Print a row for each number of people, on the dashboard over ``home``."""
    server = served(home)

    def row(bar: Bar) -> str:
        before = processor_s(server.process.pid)
        found = acted(address, cookies, bar.people)
        each = 1000 * (processor_s(server.process.pid) - before) / len(found)
        return line(bar, found, processor_ms=each)

    with server as address:
        cookies = sessions.sign_in(address, MANAGER)
        for bar in BARS:
            failures.print_row(f"{bar.people} people", partial(row, bar))


def processor_s(pid: int) -> float:
    """Return the processor seconds that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def acted(
    address: str, cookies: str, people: int, *, every_s: float = EVERY_S, each: int = ACTS_EACH
) -> list[float | None]:
    """Return the milliseconds of each act of each person, ``None`` for an act without an end."""
    ready = Barrier(people)

    def person(number: int) -> list[float | None]:
        found: list[float | None] = []
        with sessions.opened(address, cookies) as session:
            session.run()
            ready.wait()
            # Not all in the same moment.
            due = time.perf_counter() + every_s * number / people
            for turn in range(each):
                time.sleep(max(0.0, due - time.perf_counter()))
                try:
                    session.click(query=QUERIES[(number + turn) % len(QUERIES)])
                except sessions.LOST:
                    # The person gives up.
                    return found + [None] * (each - turn)
                found.append((time.perf_counter() - due) * 1000)
                due += every_s
        return found

    with ThreadPoolExecutor(people) as pool:
        return [ms for found in pool.map(person, range(people)) for ms in found]


def line(bar: Bar, found: Sequence[float | None], *, processor_ms: float) -> str:
    """Format the times with the verdict; ``processor_ms`` is the server's, for each act."""
    ended = sorted(ms for ms in found if ms is not None)
    lost = len(found) - len(ended)
    median, p95 = statistics.median(ended), ended[int(0.95 * len(ended))]
    kept = median <= bar.median and (bar.p95 is None or p95 <= bar.p95) and not lost
    limits = f"median {bar.median:g}" + (f", 95 % {bar.p95:g}" if bar.p95 else "") + ", none lost"
    return (
        f"{bar.people} people, an act every {EVERY_S:g} s each: median {median:.0f} ms, 95 %"
        f" {p95:.0f}, longest {ended[-1]:.0f}; {len(found)} acts, {lost} lost, {processor_ms:.0f} ms of"
        f" the server's processor each; bar {limits} {'ok' if kept else 'OVER'}"
    )

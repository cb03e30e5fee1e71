"""A team at work for some minutes, on one process of the dashboard and on two behind nginx.

``python -m bench team --minutes 10``: forty people act every two seconds, each in a session of their
own: they filter the queue, open an application, and reject it by the steps of the panel. In the last
third exports of everything run beside them. A time counts from when the act was due. What they
decided is taken back.
"""

import os
import shutil
import statistics
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

from sqlalchemy import Engine, text

from bench import database, exporting, sessions
from bench.exporting import CSV, TOGETHER
from bench.measurements import Failures
from bench.pages import MANAGER
from bench.people import EVERY_S, QUERIES, processor_s
from bench.sessions import PATIENCE_S, Session
from program.review.sending import SEEN_FOR
from tests.browser.serving import free_port, served, wait_until_ready

PEOPLE = 40
WITHOUT_PAUSE_S = 30.0
QUEUE, OPEN, STEP, DECIDE = "queue", "open", "step", "decide"
TIMED = (QUEUE, OPEN, DECIDE)
# Somewhat longer than a button that sends must have been on the screen.
LOOK_S = 1.5 * SEEN_FOR.total_seconds()
# Of not being eligible, so that one person is enough.
REASON = "below_minimums"
# Of the reason why an act was lost, in characters.
REASON_SHOWN = 80
BAR_TWICE, CORES_FOR_TWICE = 1.6, 4
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream desk {{ hash $cookie_affiliate_review_browser consistent; {servers} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://desk; proxy_http_version 1.1; proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 1h;
        }}
    }}
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
}}
"""


@dataclass(kw_only=True)
class Work:
    """What people did: the milliseconds of each act by its kind, and what had no end, and why."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lost: list[str] = field(default_factory=list)

    def add(self, other: "Work") -> None:
        for kind, found in other.took.items():
            self.took[kind] += found
        self.lost += other.lost

    @property
    def acts(self) -> int:
        return sum(map(len, self.took.values()))


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The running dashboard: where people reach it, its processes, and their cookies."""

    name: str
    address: str
    processes: Sequence[int]
    cookies: Sequence[str]

    def processor_s(self) -> float:
        return sum(map(processor_s, self.processes))

    def memory_mb(self) -> float:
        return sum(map(exporting.resident_mb, self.processes))


def report(engine: Engine, failures: Failures, *, minutes: float) -> None:
    """Print the rows of one process and of two, and how many acts each can take."""
    report_over(engine, database.CLUSTER.home, failures, seconds=60 * minutes)


def report_over(engine: Engine, home: Path, failures: Failures, *, seconds: float) -> None:
    """Do the work on the dashboard over ``home``, for so long on each number of processes.

    Lost acts, and too few more on two processes where there are cores for them, are failures.
    """
    most: list[float] = []
    for processes in (1, 2):

        def work(processes: int = processes) -> str:
            with running(home, processes) as desk, taken_back(engine):
                waiting = applications(engine)
                print(worked(desk, waiting, "", seconds * 2 / 3, failures))
                with exports(engine):
                    beside = f", beside {TOGETHER} exports"
                    print(worked(desk, waiting, beside, seconds / 3, failures))
                most.append(without_pause(desk))
            return f"{desk.name}: {most[-1]:.0f} acts a second without a pause"

        failures.print_row(f"a team on {processes}", work)
    if len(most) == 2:
        ratio, cores = most[1] / most[0], os.cpu_count() or 1
        verdict = "not enough cores" if cores < CORES_FOR_TWICE else "OVER"
        if ratio < BAR_TWICE and cores >= CORES_FOR_TWICE:
            failures.found["two processes"] = f"{ratio:.2f}x the acts of one"
        print(
            f"two processes take {ratio:.2f}x the acts of one on {cores} cores; bar {BAR_TWICE}x from"
            f" {CORES_FOR_TWICE} cores on {'ok' if ratio >= BAR_TWICE else verdict}"
        )


def worked(
    desk: Desk, waiting: Iterator[int], beside: str, seconds: float, failures: Failures
) -> str:
    """Return the row of forty people at work for so long."""
    before, memory = desk.processor_s(), desk.memory_mb()
    found = acted(desk, waiting, turns=max(1, int(seconds / EVERY_S)))
    each = 1000 * (desk.processor_s() - before) / max(1, found.acts)
    if found.lost:
        failures.found[f"{desk.name}{beside}"] = f"lost: {', '.join(found.lost)}"
    times = "; ".join(f"{kind} {spread(found.took[kind])}" for kind in TIMED)
    return (
        f"{desk.name}{beside}: {PEOPLE} people, {seconds:.0f} s: {times}; {found.acts} acts, "
        f"{len(found.lost)} lost, {each:.0f} ms of the processor each; memory {memory:.0f} to "
        f"{desk.memory_mb():.0f} MB"
    )


def spread(found: Sequence[float]) -> str:
    """Format a median and what 95 % stay below."""
    if not found:
        return "none"
    highest = sorted(found)[int(0.95 * len(found))]
    return f"{statistics.median(found):.0f} ms (95 % {highest:.0f})"


def acted(desk: Desk, waiting: Iterator[int], *, turns: int, every_s: float = EVERY_S) -> Work:
    """Have everybody act so many times."""
    ready, whole = Barrier(len(desk.cookies), timeout=PATIENCE_S), Work()
    with ThreadPoolExecutor(len(desk.cookies)) as pool:
        people = partial(person, desk, waiting, ready, turns=turns, every_s=every_s)
        for found in pool.map(people, range(len(desk.cookies))):
            whole.add(found)
    return whole


def person(
    desk: Desk, waiting: Iterator[int], ready: Barrier, number: int, *, turns: int, every_s: float
) -> Work:
    """Have one person act ``turns`` times, from a moment of their own.

    On a desk that falls behind they too act later: nobody presses what they cannot have seen yet.
    """
    found = Work()
    with sessions.opened(desk.address, desk.cookies[number]) as session:
        session.run()
        ready.wait()
        due = time.perf_counter() + every_s * number / len(desk.cookies)
        for _, (kind, act) in zip(range(turns), acts(session, waiting, number), strict=False):
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                act()
            except (*sessions.LOST, KeyError) as error:
                found.lost.append(f"{kind} ({type(error).__name__}: {str(error)[:REASON_SHOWN]})")
                return found
            found.took[kind].append((time.perf_counter() - due) * 1000)
            due = max(due + every_s, time.perf_counter() + LOOK_S)
    return found


def acts(
    session: Session, waiting: Iterator[int], number: int
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what a person does, one act after the other, each with its kind."""
    queries = cycle(QUERIES[number % len(QUERIES) :] + QUERIES[: number % len(QUERIES)])
    for id_ in waiting:
        yield QUEUE, partial(session.run, query=next(queries))
        yield QUEUE, partial(session.click, query=next(queries))
        yield OPEN, partial(session.run, "application", f"id={id_}")
        for key in (f"choose-r-{id_}", f"reason-{REASON}-{id_}", f"preview-{id_}"):
            yield STEP, partial(session.press, key)
        yield DECIDE, partial(reject, session, id_)
    for query in queries:
        yield QUEUE, partial(session.click, query=query)


def reject(session: Session, id_: int) -> None:
    """Send a rejection, which must be confirmed."""
    assert session.press(f"send-{id_}").shows("is rejected"), id_


def without_pause(desk: Desk) -> float:
    """Return the acts a second when everybody filters the queue as soon as it has answered."""
    ready, until = Barrier(len(desk.cookies), timeout=PATIENCE_S), WITHOUT_PAUSE_S

    def filtering(number: int) -> int:
        done = 0
        with sessions.opened(desk.address, desk.cookies[number]) as session:
            session.run()
            ready.wait()
            end = time.perf_counter() + until
            while time.perf_counter() < end:
                session.click(query=QUERIES[(number + done) % len(QUERIES)])
                done += 1
        return done

    with ThreadPoolExecutor(len(desk.cookies)) as pool:
        return sum(pool.map(filtering, range(len(desk.cookies)))) / until


@contextmanager
def running(home: Path, processes: int) -> Iterator[Desk]:
    """Serve the dashboard by so many processes, and sign everybody in."""
    with ExitStack() as stack:
        servers = [served(home) for _ in range(processes)]
        for server in servers:
            stack.enter_context(server)
        address, name = servers[0].address, "one process"
        if processes > 1:
            address = stack.enter_context(nginx([server.port for server in servers]))
            name = f"{processes} processes behind nginx"
        yield Desk(
            name=name,
            address=address,
            processes=[server.process.pid for server in servers],
            cookies=[sessions.sign_in(servers[0].address, MANAGER) for _ in range(PEOPLE)],
        )


@contextmanager
def nginx(ports: Sequence[int]) -> Iterator[str]:
    """Run nginx in front of servers on these ports; each browser stays on one."""
    program = shutil.which("nginx")
    assert program is not None, "nginx is not installed; on Debian: apt install nginx-light"
    port = free_port()
    with TemporaryDirectory() as folder:
        configured = Path(folder) / "nginx.conf"
        servers = " ".join(f"server 127.0.0.1:{one};" for one in ports)
        configured.write_text(NGINX.format(folder=folder, port=port, servers=servers))
        process = subprocess.Popen(
            [program, "-p", folder, "-c", str(configured), "-e", f"{folder}/error.log"]
        )
        try:
            wait_until_ready(port)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(10)


def applications(engine: Engine) -> Iterator[int]:
    """Return the ids of applications that are not eligible, for whoever asks next."""
    with engine.connect() as connection:
        ids = connection.execute(
            text(
                "select application_id from review.standings"
                " where not eligible and status = 'pending' and assignee is null"
                " order by submitted_at, application_id"
            )
        ).scalars()
        # A list's iterator gives each once, also to threads.
        return iter(ids.all())


@contextmanager
def exports(engine: Engine) -> Iterator[None]:
    """Write files of everything until the end, one after the other in each place."""
    done = threading.Event()

    def write(number: int) -> None:
        while not done.is_set():
            exporting.exported(engine, CSV, person=f"bench{number}@example.com")

    with exporting.served(engine), ThreadPoolExecutor(TOGETHER) as pool:
        running = [pool.submit(write, number) for number in range(TOGETHER)]
        try:
            yield
        finally:
            done.set()
        for one in running:
            one.result()


@contextmanager
def taken_back(engine: Engine) -> Iterator[None]:
    """Undo afterwards what was decided, so that the next measurement finds the same queue."""
    began = datetime.now(UTC)
    try:
        yield
    finally:
        theirs = "decided_by = :by and decided_at >= :began"
        database.take_back_decisions(engine, theirs, by=MANAGER, began=began)

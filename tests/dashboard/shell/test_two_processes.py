"""Two dashboard processes on one host, over one database, serve one person."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from dashboard.forms import background
from dashboard.shell import browsers, export_links, local_sign_in
from dashboard.shell.export_links import Promise
from dashboard.shell.screens import EXPLORE, IMPORT, QUEUE
from dashboard.ui.safe_text import escape
from data_access.db import locks
from data_access.exports import jobs, log, spool
from data_access.loading import imports
from data_access.loading.form_map import FormMap
from data_access.loading.imports import Upload
from data_access.people import jobs as people_jobs
from data_access.people.jobs import JobKind, NewJob
from data_access.review import bulk, claims
from program.reports.export_formats import Ending
from program.review.permissions import Role
from program.review.queue_filters import Filters
from tests.builders import T, add_account, add_application, add_refresh, scalar, session
from tests.conftest import ROOT
from tests.dashboard.pages.imports.test_import_page import HEADER, ROWS
from tests.dashboard.pages.screen import PEOPLE, Desk, protos, texts

BROWSER = "what this browser was given"
# A server whose browsers are identified by a cookie.
SERVER = """
import sys
from dashboard.shell import identity
identity.session_key = lambda asking: asking.cookies.get("who")
import serve
serve.main(int(sys.argv[1]))
"""
# Presses the button that claims these applications, and keeps serving.
PRESS = """
import sys, time
from datetime import UTC, datetime
from functools import partial
from uuid import UUID
from dashboard.forms import background
from data_access.db import database
from data_access.review import bulk

actor, number, *ids = sys.argv[1:]
command = bulk.ClaimEach(
    ids=[int(id_) for id_ in ids], actor=actor, at=datetime.now(UTC), request_id=UUID(number)
)
claim = partial(bulk.claim, database.writer(), command)
background.begin(UUID(number), claim, actor=actor)
time.sleep(60)
"""
# Presses Next until nothing is left, the first time under the given id.
TAKE = """
import sys
from datetime import UTC, datetime
from uuid import UUID, uuid5
from data_access.db import database
from data_access.review import claims
from program.review.queue_filters import Filters

actor, number = sys.argv[1], UUID(sys.argv[2])
taken = claims.Taken(0)
while taken.application_id is not None:
    command = claims.TakeNext(
        filters=Filters(), actor=actor, at=datetime.now(UTC), request_id=number
    )
    taken = claims.take_next(database.writer(), command)
    number = uuid5(number, "then")
"""
# Uploads a form's export on the Import page, presses Load, and keeps serving.
IMPORT_FILE = """
import sys, time
from datetime import UTC, datetime, timedelta
from dashboard.forms import sending
from dashboard.shell import sign_in
from dashboard.shell.screens import IMPORT
from data_access.db import database
from tests.dashboard.pages.imports.test_import_page import ROWS, press, uploaded
from tests.dashboard.pages.imports.test_import_page import HEADER, ROWS
from tests.builders import session
from tests.dashboard.pages.screen import Desk

sign_in.local_obstacle = lambda: None
sign_in.session_key = lambda: session(desk.engine, sys.argv[1])
sending.pressed_at = lambda: datetime.now(UTC) + timedelta(seconds=1)
desk = Desk(database.writer(), datetime.now(UTC), sys.argv[1])
press(uploaded(desk.open(IMPORT), *ROWS, name="spring_[1].csv"), "Load 2 rows")
time.sleep(60)
"""


class Process:
    """A dashboard process over the desk's database."""

    def __init__(self, desk: Desk, home: Path, code: str, *given: str) -> None:
        address = desk.engine.url.render_as_string(hide_password=False)
        ours = ("DATABASE_", "STREAMLIT_", "SMTP_", "NOTIFY_")
        kept = {name: v for name, v in os.environ.items() if not name.startswith(ours)}
        self.child = subprocess.Popen(
            [sys.executable, "-c", code, *given],
            cwd=ROOT,
            env={**kept, "DATABASE_URL": address, "AFFILIATE_REVIEW_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def die(self) -> None:
        """Kill the process."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()


class Server(Process):
    """A process that answers over HTTP."""

    def __init__(self, desk: Desk, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        super().__init__(desk, home, SERVER, str(self.port))

    @contextmanager
    def get(self, path: str, **cookies: str) -> Iterator[HTTPResponse]:
        held = {**cookies, browsers.MARK_COOKIE: BROWSER}
        cookie = "; ".join(f"{name}={value}" for name, value in held.items())
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path, headers={"Cookie": cookie})
            yield connection.getresponse()

    def is_ready(self) -> bool:
        try:
            with self.get("/readyz") as answer:
                return answer.status == 200
        except OSError:
            return False


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder shared by the processes of one host."""
    monkeypatch.setattr(export_links, "SECRET_FILE", tmp_path / "links.secret")
    monkeypatch.setattr(local_sign_in, "SECRET_FILE", tmp_path / "local-sign-in.secret")
    monkeypatch.setattr(spool, "SPOOL", tmp_path / "spool")
    return tmp_path


@pytest.fixture
def servers(desk: Desk, home: Path) -> Iterator[tuple[Server, Server]]:
    both = Server(desk, home), Server(desk, home)
    try:
        until(lambda: all(server.is_ready() for server in both))
        yield both
    finally:
        for server in both:
            server.die()


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def lease_runs_out(desk: Desk) -> None:
    """Let the time pass within which a live process renews its leases."""
    with desk.engine.begin() as conn:
        conn.execute(text("update review.jobs set lease_until = now() where ended_at is null"))


def test_an_export_is_shown_canceled_and_reported_by_any_process(
    desk: Desk, servers: tuple[Server, Server]
) -> None:
    first, second = servers
    with desk.engine.begin() as conn:
        add_refresh(conn)
    activity = {"dataset": "activity", "day": f"{T - timedelta(days=9)}..{T}"}
    promise = Promise(email=desk.who, role=Role.REVIEWER, query=activity, expected=500)
    link = "/" + export_links.view_link(promise, "activity", browser=BROWSER)

    with ExitStack() as stack, desk.engine.connect() as holder, holder.begin():
        holder.execute(text("lock table review.affiliate_daily in access exclusive mode"))
        answers = [
            stack.enter_context(one.get(link, who=session(desk.engine, desk.who) or ""))
            for one in servers
        ]
        assert [answer.read(4) for answer in answers] == [b"day,"] * 2
        under_way = [bar.text for bar in protos(desk.open(EXPLORE), "progress")]
        assert len(under_way) == 2
        assert all("0 of 500 rows" in words for words in under_way)

        of_first, _ = jobs.of(desk.who)
        jobs.cancel(of_first.job_id, actor=PEOPLE[Role.MANAGER])
        jobs.cancel(of_first.job_id, actor=desk.who)
        with pytest.raises(IncompleteRead):
            answers[0].read()
        until(lambda: jobs.of(desk.who)[0].ending is Ending.CANCELLED)
        assert jobs.of(desk.who)[1].ending is None

        second.die()
        lease_runs_out(desk)
        words = [line.replace("\\", "") for line in texts(desk.open(EXPLORE))]
        sentence = "the server stopped; 0 of 500 rows were written. Export again."
        assert any(sentence in line for line in words), words

    with first.get(link, who=session(desk.engine, desk.who) or "") as again:
        assert again.read().startswith(b"day,")
    until(lambda: len(endings(desk)) == 3)
    assert endings(desk) == [Ending.COMPLETE, Ending.FAILED, Ending.CANCELLED]


def endings(desk: Desk) -> list[Ending]:
    """Return the outcomes of logged exports, newest first."""
    return [line.outcome for line in log.log(desk.engine, viewer=PEOPLE[Role.MANAGER])]


def test_a_bulk_run_goes_on_in_another_process_where_the_first_was_killed(
    desk: Desk, home: Path
) -> None:
    with desk.engine.begin() as conn:
        add_refresh(conn)
        for id_ in (1, 2, 3):
            add_application(conn, id_, submitted_at=desk.now - timedelta(days=1))
    number = uuid4()
    with desk.engine.connect() as holder, holder.begin():
        lock = "select from exchange.applications where application_id = 3 for update"
        holder.execute(text(lock))
        pressed = Process(desk, home, PRESS, desk.who, str(number), "1", "2", "3")
        until(lambda: claimed(desk) == 2)

        # A press in this process waits for the other one, and the page shows its progress.
        background.begin(number, partial(pytest.fail, "begun twice"), actor=desk.who)
        (bar,) = protos(desk.open(QUEUE), "progress")
        assert bar.text == "Claim: 2 of 3"

        pressed.die()
    lease_runs_out(desk)
    ended = "**Claim ended unfinished: the server stopped; 2 of 3 were done.**"
    assert any(ended in words for words in texts(desk.open(QUEUE)))

    background.begin(number, partial(claim_all, desk, number), actor=desk.who)

    assert claimed(desk) == 3
    assert any("**Claimed 3 of 3 applications**" in words for words in texts(desk.open(QUEUE)))


def test_next_in_two_processes_gives_each_application_to_one_press_of_its_person(
    desk: Desk, home: Path
) -> None:
    with desk.engine.begin() as conn:
        add_refresh(conn)
        for id_ in range(1, 41):
            add_application(conn, id_, submitted_at=desk.now - timedelta(days=1))
    first, second = uuid4(), uuid4()
    with desk.engine.connect() as holder, holder.begin():
        # Both know the same order by the time their first presses reach the database.
        holder.execute(text("lock table review.requests in exclusive mode"))
        both = [Process(desk, home, TAKE, desk.who, str(number)) for number in (first, second)]
        until(lambda: waiting_for_a_lock(desk) == 2)
    assert [process.child.wait(60) for process in both] == [0, 0]

    with desk.engine.connect() as conn:
        taken = conn.execute(text("select application_id from review.requests")).scalars().all()
        events = scalar(conn, "select count(*) from review.events where kind = 'claimed'")
    assert sorted(taken) == list(range(1, 41))
    assert (events, claimed(desk)) == (40, 40)
    # A press sent again, now answered by this process, means the application it took then.
    again = [take_again(desk, number) for number in (first, second)]
    assert len(set(again)) == 2
    assert claimed(desk) == 40


def waiting_for_a_lock(desk: Desk) -> int:
    waiting = """
        select count(*) from pg_locks lock join pg_database on pg_database.oid = lock.database
        where datname = current_database() and not granted
    """
    with desk.engine.connect() as conn:
        return scalar(conn, waiting)


def take_again(desk: Desk, number: UUID) -> int | None:
    command = claims.TakeNext(filters=Filters(), actor=desk.who, at=desk.now, request_id=number)
    return claims.take_next(desk.engine, command).application_id


def claim_all(desk: Desk, number: UUID) -> object:
    command = bulk.ClaimEach(ids=[1, 2, 3], actor=desk.who, at=desk.now, request_id=number)
    return bulk.claim(desk.engine, command)


def claimed(desk: Desk) -> int:
    with desk.engine.connect() as conn:
        return scalar(conn, "select count(*) from review.desk where assignee is not null")


def test_an_import_that_was_cut_off_is_reported_in_another_session_until_dismissed(
    desk: Desk, home: Path
) -> None:
    with desk.engine.begin() as conn:
        for account_id in (1, 2, 3):
            add_account(conn, account_id)
    with desk.engine.connect() as holder, holder.begin():
        holder.execute(text(f"select pg_advisory_xact_lock({locks.LOAD})"))
        pressed = Process(desk, home, IMPORT_FILE, desk.who)
        until(lambda: waiting_for_a_lock(desk))
        assert "Loading the rows." in " ".join(texts(desk.open(IMPORT)))
        pressed.die()
    lease_runs_out(desk)
    report = (
        f":material/warning: **Import of {escape('spring_[1].csv')} ended unfinished: "
        "the server stopped; nothing was loaded.** Send it again."
    )

    page = desk.open(IMPORT)
    assert report in texts(page)
    assert page.file_uploader
    with desk.engine.connect() as conn:
        assert scalar(conn, "select count(*) from exchange.applications") == 0

    page.button(key="import-dismiss").click().run()
    assert report not in texts(page)
    assert report not in texts(desk.open(IMPORT))


def test_an_import_that_was_loaded_before_its_server_stopped_leads_to_its_report(
    desk: Desk,
) -> None:
    with desk.engine.begin() as conn:
        add_account(conn, 1)
    upload = Upload(name="grid.csv", content="\r\n".join([HEADER, ROWS[0], ""]).encode())
    number = uuid4()
    command = imports.MakeImport(
        upload=upload, read_by=FormMap(), actor=desk.who, at=desk.now, request_id=number
    )
    imports.make(desk.engine, command)
    new_job = NewJob(
        job_id=number, kind=JobKind.IMPORT, person=desk.who, request={"file": upload.name}
    )
    with desk.engine.begin() as conn:
        people_jobs.claim(conn, new_job)
    page = desk.open(IMPORT)
    assert "Loading the rows." in " ".join(texts(page))
    lease_runs_out(desk)

    assert any(line.startswith("##### Import 1: grid") for line in texts(page.run()))
    assert not any("ended unfinished" in line for line in texts(desk.open(IMPORT)))

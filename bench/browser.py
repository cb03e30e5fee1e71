"""Response times in the browser at scale: milliseconds from an act to its result.

The server under test uses the bench's database; browser and server share the machine.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Engine, text
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from bench import database
from bench.measurements import Failures

ROOT = Path(__file__).resolve().parent.parent
REVIEWER = "ana@example.com"
MARK = "Measured"
TURNS = 9
CROWD = 10
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NAMES = ("chromium", "chromium-browser", "chromium-headless-shell")
# Acts, and the maximum median in milliseconds.
BARS = {
    "queue, warm reload": 500,
    "filter click, alone": 200,
    f"filter click, {CROWD} people": 500,
    "open an application": 300,
    "decide, confirmed": 400,
}


def report(engine: Engine, failures: Failures) -> None:
    """Measure every act and print a row for each."""
    prepare(engine)
    print(f"{'in the browser':<28} {'median ms':>10} {'[min - max]':>15} {'bar':>6}")
    try:
        with served() as address, opened() as page:
            sign_in(page, address)
            for name, work in measurements(page, address):
                failures.print_row(name, partial(row, name, work))
    finally:
        take_back(engine)


@contextmanager
def opened() -> Iterator[Page]:
    """Open a page in a new browser."""
    path = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        browser.close()


def measurements(
    page: Page, address: str, *, times: int = TURNS, people: int = CROWD, warmed: bool = True
) -> Iterator[tuple[str, Callable[[], list[float]]]]:
    """Yield measurements by name, each to be run before the next is requested.

    With ``warmed`` the first turn of each is not counted.
    """

    def turns(act: Callable[[], float]) -> list[float]:
        if warmed:
            act()
        return [act() for _ in range(times)]

    def crowded() -> list[float]:
        reload(page, address)
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
        with crowd(address, cookies, people):
            return turns(lambda: click_filter(page))

    def alone() -> list[float]:
        reload(page, address)
        return turns(lambda: click_filter(page))

    yield "queue, warm reload", lambda: turns(lambda: reload(page, address))
    yield "filter click, alone", alone
    yield f"filter click, {CROWD} people", crowded
    yield "open an application", lambda: turns(lambda: open_first(page, address))
    yield "decide, confirmed", lambda: turns(lambda: reject(page, address))


def row(name: str, work: Callable[[], list[float]]) -> str:
    return line(name, work())


def line(name: str, found: list[float]) -> str:
    median = statistics.median(found)
    spread = f"[{min(found):.0f} - {max(found):.0f}]"
    verdict = "ok" if median <= BARS[name] else "OVER"
    return f"{name:<28} {median:>10.0f} {spread:>15} {BARS[name]:>6} {verdict}"


def settled(page: Page) -> None:
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(300)


def since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(f"a.person[title='{REVIEWER}']").click()
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    settled(page)


def shown_range(page: Page) -> str:
    return page.locator(".st-key-queue-pages p").first.inner_text()


def reload(page: Page, address: str) -> float:
    page.goto(address)
    settled(page)
    began = time.perf_counter()
    page.reload(wait_until="commit")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    page.locator(".st-key-queue-pages p").first.wait_for()
    took = since(began)
    settled(page)
    return took


def click_filter(page: Page) -> float:
    """Toggle "met" and wait until the number of rows has changed."""
    before = shown_range(page)
    chip = page.locator(".st-key-queue-eligibility").get_by_text("not met").first
    began = time.perf_counter()
    chip.click()
    page.wait_for_function(
        "before => document.querySelector('.st-key-queue-pages p')?.innerText !== before"
        " && document.querySelector('.st-key-queue-pages p')",
        arg=before,
        polling="raf",
    )
    took = since(began)
    settled(page)
    return took


def open_first(page: Page, address: str, eligibility: str = "met") -> float:
    page.goto(f"{address}/?eligibility={eligibility}")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    page.wait_for_function("() => window.reviewDesk")
    settled(page)
    began = time.perf_counter()
    page.keyboard.press("o")
    page.locator(".st-key-desk").get_by_text("Eligibility").first.wait_for()
    page.get_by_role("radio", name="Approve").or_(page.get_by_text("Approve")).first.wait_for()
    took = since(began)
    settled(page)
    return took


def reject(page: Page, address: str) -> float:
    """Time a rejection from the keys that send it to its confirmation, by keyboard."""
    # Not against the computed eligibility, so one person is enough.
    open_first(page, address, "not_met")
    for key, brings in (
        ("r", ".st-key-hot-1 button"),
        ("1", "[class*='st-key-preview-'] button"),
    ):
        page.keyboard.press(key)
        page.locator(brings).first.wait_for()
        settled(page)
    page.get_by_label("Rationale (internal)").fill(MARK)
    page.keyboard.press("Control+Enter")
    # A sending button responds only after it was visible for a moment.
    page.locator("[class*='st-key-send-'] button:not([aria-disabled])").first.wait_for()
    settled(page)
    began = time.perf_counter()
    page.keyboard.press("Control+Enter")
    page.get_by_text("is rejected").first.wait_for()
    took = since(began)
    settled(page)
    return took


@contextmanager
def crowd(address: str, cookies: str, number: int) -> Iterator[None]:
    """Run ``number`` people who change a filter about once a second, each in their own session."""
    done = threading.Event()
    people = [
        threading.Thread(target=click_about, args=[address, cookies, one, done])
        for one in range(number)
    ]
    for person in people:
        person.start()
    time.sleep(3)
    try:
        yield
    finally:
        done.set()
        for person in people:
            person.join()


def click_about(address: str, cookies: str, number: int, done: threading.Event) -> None:
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    headers = {"Cookie": cookies, "Origin": address}
    queries = ("eligibility=met", "", "country=BR", "sort=volume", "eligibility=unknown")
    with connect(
        stream, subprotocols=["streamlit"], additional_headers=headers, max_size=None
    ) as socket_:
        turn = number
        while not done.is_set():
            began = time.monotonic()
            message = BackMsg()
            message.rerun_script.query_string = queries[turn % len(queries)]
            socket_.send(message.SerializeToString())
            answer = ForwardMsg()
            while answer.WhichOneof("type") != "script_finished":
                answer.ParseFromString(bytes(socket_.recv(timeout=30)))
            turn += 1
            done.wait(max(0.0, 1.0 - (time.monotonic() - began)))


def prepare(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into review.staff values (:email, 'Ana Duarte', 'reviewer', true)"
                " on conflict do nothing"
            ),
            {"email": REVIEWER},
        )
    take_back(engine)


def take_back(engine: Engine) -> None:
    """Undo what the measurement decided, so that the next one finds the same queue."""
    measured = f"(select decision_id from review.decisions where rationale = '{MARK}')"
    with database.taking_back(engine, "events", "decisions") as connection:
        for statement in (
            "update exchange.applications set status = 'pending' where application_id in"
            f" (select application_id from review.decisions where rationale = '{MARK}')",
            f"delete from review.outbox where decision_id in {measured}",
            f"delete from review.events where (detail ->> 'decision_id')::bigint in {measured}",
            f"delete from review.requests where result in {measured} and act = 'DECIDE'",
            f"delete from review.decisions where rationale = '{MARK}'",
        ):
            connection.execute(text(statement))


@contextmanager
def served() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "STREAMLIT_"))}
    process = subprocess.Popen(
        [sys.executable, "serve.py", "--port", str(port)],
        cwd=ROOT,
        env={**kept, "AFFILIATE_REVIEW_HOME": str(database.CLUSTER.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(port)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not start")

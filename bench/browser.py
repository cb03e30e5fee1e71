"""What a person waits for in the browser at scale: milliseconds from the act to its result.

The server under test runs on the bench's database; browser and server share the machine.
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
from http.client import HTTPConnection
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Engine, text
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from bench import database

ROOT = Path(__file__).resolve().parent.parent
REVIEWER = "ana@example.com"
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
# Act, and the most milliseconds its median may take.
BARS = {
    "queue, warm reload": 500,
    "filter click, alone": 200,
    f"filter click, {CROWD} people": 500,
    "open an application": 300,
    "decide, confirmed": 400,
}


def report(engine: Engine) -> str:
    """Measure every act and return one table."""
    prepare(engine)
    lines = [f"{'':<28} {'median ms':>10} {'[min - max]':>15} {'bar':>6}"]
    with served() as address, sync_playwright() as driver:
        path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))))
        browser = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        sign_in(page, address)
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
        for name, found in measured(page, address, cookies):
            lines.append(line(name, found))
            print(lines[-1], flush=True)
        browser.close()
    take_back(engine)
    return "\n".join(["", *lines])


def measured(page: Page, address: str, cookies: str) -> Iterator[tuple[str, list[float]]]:
    yield "queue, warm reload", turns(lambda: reload(page, address))
    yield "filter click, alone", turns(lambda: click_filter(page))
    with crowd(address, cookies):
        yield f"filter click, {CROWD} people", turns(lambda: click_filter(page))
    yield "open an application", turns(lambda: open_first(page, address))
    yield "decide, confirmed", turns(lambda: reject(page))


def line(name: str, found: list[float]) -> str:
    median = statistics.median(found)
    spread = f"[{min(found):.0f} - {max(found):.0f}]"
    verdict = "ok" if median <= BARS[name] else "OVER"
    return f"{name:<28} {median:>10.0f} {spread:>15} {BARS[name]:>6} {verdict}"


def turns(act: Callable[[], float]) -> list[float]:
    act()
    return [act() for _ in range(TURNS)]


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
    """Switch "met" on or off, until the number of rows shown has changed."""
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


def open_first(page: Page, address: str) -> float:
    page.goto(f"{address}/?eligibility=met")
    settled(page)
    began = time.perf_counter()
    page.keyboard.press("o")
    page.locator(".st-key-desk").get_by_text("Eligibility").first.wait_for()
    page.get_by_role("radio", name="Approve").or_(page.get_by_text("Approve")).first.wait_for()
    took = since(began)
    settled(page)
    return took


def reject(page: Page) -> float:
    """From the click that sends the decision to its confirmation; then on to the next."""
    page.get_by_text("Reject", exact=True).first.click()
    settled(page)
    page.get_by_label("Reason").click()
    page.get_by_role("option").first.click()
    settled(page)
    page.get_by_label("Rationale, internal").fill("Measured")
    agreed = page.get_by_text("I decide against")
    if agreed.count():
        agreed.click()
    began = time.perf_counter()
    page.locator("[data-testid=stFormSubmitButton] button", has_text="Reject").click()
    page.get_by_text("is rejected").wait_for()
    took = since(began)
    settled(page)
    page.get_by_role("button", name="Open the next one").click()
    page.get_by_text("Reject", exact=True).first.wait_for()
    settled(page)
    return took


@contextmanager
def crowd(address: str, cookies: str) -> Iterator[None]:
    """Ten people who change a filter about once a second, each in a session of their own."""
    done = threading.Event()
    people = [
        threading.Thread(target=click_about, args=[address, cookies, number, done])
        for number in range(CROWD)
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
            asked = BackMsg()
            asked.rerun_script.query_string = queries[turn % len(queries)]
            socket_.send(asked.SerializeToString())
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
    """Undo what the measurement decided, so that the next finds the same queue."""
    measured = "(select decision_id from review.decisions where rationale = 'Measured')"
    with database.taking_back(engine, "events", "decisions") as connection:
        for statement in (
            "update exchange.applications set status = 'pending' where application_id in"
            " (select application_id from review.decisions where rationale = 'Measured')",
            f"delete from review.outbox where decision_id in {measured}",
            f"delete from review.events where (detail ->> 'decision_id')::bigint in {measured}",
            f"delete from review.requests where result in {measured} and act = 'DECIDE'",
            "delete from review.decisions where rationale = 'Measured'",
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

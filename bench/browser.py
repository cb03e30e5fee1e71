"""Response times in the browser at scale: milliseconds from an act to its result.

Each act is done in turns here and in the peer, so that a disturbance affects both. The servers use
the bench's database, and browser and servers share the machine.
"""

import shutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Engine, text

from bench import database, pages, sessions
from bench.measurements import Failures
from bench.peer.acts import Peer
from bench.peer.serving import WORKERS
from bench.peer.serving import served as peer_served
from bench.people import QUERIES
from tests.browser import screen
from tests.browser.serving import served

REVIEWER = "ana@example.com"
MARK = "Measured"
TURNS = 9
CROWD = 10
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NAMES = ("chromium", "chromium-browser", "chromium-headless-shell")


@dataclass(frozen=True, kw_only=True)
class Act:
    """What a person does, and at most how long it takes: in ms, or compared with the peer."""

    name: str
    ours: Callable[[], float]
    peer: Callable[[], float] | None = None
    bar: float | None = None
    bar_ms: float | None = None


class Ours:
    """The dashboard in a browser: each act starts where a person would, and returns milliseconds."""

    def __init__(self, page: Page, address: str, name: str) -> None:
        self.page, self.address, self.name = page, address, name

    def sign_in(self) -> None:
        self.page.goto(self.address)
        screen.sign_in(self.page, REVIEWER.partition("@")[0])

    def open_queue(self, query: str = "") -> None:
        self.page.goto(f"{self.address}/{query}")
        screen.table(self.page).wait_for()
        screen.answers_to_keys(self.page)
        settled(self.page)

    def reload(self) -> float:
        self.open_queue()
        began = time.perf_counter()
        self.page.reload(wait_until="commit")
        self._wait_until(
            "() => document.querySelector('[data-testid=stDataFrame] canvas')"
            " && document.querySelector('.st-key-queue-pages p')"
        )
        return since(began)

    def filter(self) -> float:
        self.open_queue()
        before = screen.range_shown(self.page).inner_text()
        chip = screen.eligibility(self.page, "not met")
        began = time.perf_counter()
        chip.click()
        self._wait_for_another_range(before)
        return since(began)

    def search(self) -> float:
        """Type a whole name, and time from Enter."""
        return self._search("Enter")

    def search_while_typing(self) -> float:
        """Type a whole name, and time from its last letter."""
        return self._search()

    def _search(self, *keys: str) -> float:
        self.open_queue()
        before = screen.range_shown(self.page).inner_text()
        field = screen.search(self.page)
        field.click()
        settled(self.page)
        field.fill(self.name)
        began = time.perf_counter()
        for key in keys:
            self.page.keyboard.press(key)
        self._wait_for_another_range(before)
        return since(began)

    def open_first(self, eligibility: str = "met") -> float:
        self.open_queue(f"?eligibility={eligibility}")
        began = time.perf_counter()
        self.page.keyboard.press("o")
        self._wait_until(
            "() => ['Eligibility', 'Approve'].every(words =>"
            " document.querySelector('.st-key-desk')?.textContent.includes(words))"
        )
        return since(began)

    def decide(self) -> float:
        """Reject by keyboard, and time from the keys that send it to its confirmation."""
        # Not against the computed eligibility, so one person is enough.
        self.open_first("not_met")
        settled(self.page)
        for key, brings in (
            ("r", ".st-key-hot-1 button"),
            ("1", "[class*='st-key-preview-'] button"),
        ):
            self.page.keyboard.press(key)
            self.page.locator(brings).first.wait_for()
            settled(self.page)
        screen.write_rationale(self.page, MARK)
        self.page.keyboard.press("Control+Enter")
        screen.armed(self.page).wait_for()
        settled(self.page)
        began = time.perf_counter()
        self.page.keyboard.press("Control+Enter")
        self._wait_until(
            "() => document.querySelector('[data-testid=stToast]')"
            "?.textContent.includes('is rejected')"
        )
        return since(began)

    def decide_by_four_keys(self) -> float:
        """Reject by four keys, and see the next: the sum of what each key took.

        Not timed: the moment that the sending button waits until its message can have been seen.
        """
        self.open_first("not_met")
        settled(self.page)
        name = screen.head(self.page).get_by_role("heading").inner_text()
        took = self._press("r", "() => document.querySelector('.st-key-hot-1 button')")
        took += self._press("1", "() => document.querySelector('[class*=st-key-preview-] button')")
        settled(self.page)
        screen.write_rationale(self.page, MARK)
        took += self._press(
            "Control+Enter", "() => document.querySelector('[class*=st-key-send-] button')"
        )
        screen.armed(self.page).wait_for()
        settled(self.page)
        return took + self._press(
            "Control+Enter",
            "name => { const head = document.querySelector('.st-key-application-head h3');"
            " return head && head.textContent !== name; }",
            name,
        )

    def _press(self, keys: str, brings: str, given: object = None) -> float:
        began = time.perf_counter()
        self.page.keyboard.press(keys)
        self._wait_until(brings, given)
        return since(began)

    def filter_in_a_crowd(self, people: int) -> Iterator[float]:
        """Filter while ``people`` others do."""
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in self.page.context.cookies())
        with crowd(self.address, cookies, people):
            while True:
                yield self.filter()

    def _wait_for_another_range(self, before: str) -> None:
        # Of the whole page: the words are drawn after the table.
        self._wait_until(
            "before => ![undefined, before].includes("
            "document.querySelector('.st-key-queue-pages p')?.innerText)",
            before,
        )

    def _wait_until(self, script: str, given: object = None) -> None:
        """Wait until a function in the page is true, asked at every frame.

        A locator asks less and less often, in the end twice a second, and what it reports is then
        up to half a second late.
        """
        self.page.wait_for_function(script, arg=given, polling="raf")


def settled(page: Page) -> None:
    """Wait until the server is idle, and the browser too."""
    screen.settled(page)
    page.wait_for_timeout(300)


def since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def acts(ours: Ours, peer: Peer | None = None, *, people: int = CROWD) -> Iterator[Act]:
    """Yield every act, each to be done before the next is requested."""
    yield Act(name="queue, warm reload", ours=ours.reload, peer=peer and peer.reload, bar=0.8)
    yield Act(name="filter click", ours=ours.filter, peer=peer and peer.filter, bar=0.3)
    yield Act(name="search, Enter", ours=ours.search, peer=peer and peer.search, bar=0.4)
    yield Act(name="search, while typing", ours=ours.search_while_typing)
    yield Act(name="open an application", ours=ours.open_first, peer=peer and peer.open, bar=1.0)
    yield Act(name="decide, confirmed", ours=ours.decide, peer=peer and peer.decide, bar=0.5)
    yield Act(name="decide by four keys", ours=ours.decide_by_four_keys, bar_ms=1_000)
    turns = ours.filter_in_a_crowd(people)
    yield Act(name=f"filter click, {CROWD} people", ours=partial(next, turns), bar_ms=500)
    turns.close()


def report(engine: Engine, failures: Failures) -> None:
    """Do every act here and in the peer, and print a row for each."""
    report_over(engine, database.CLUSTER.home, failures)


def report_over(engine: Engine, home: Path, failures: Failures, *, turns: int = TURNS) -> None:
    """Do every act ``turns`` times, after one that does not count; without the peer if it fails."""
    prepare(engine)
    with ExitStack() as stack:
        stack.callback(take_back, engine)
        address, window = stack.enter_context(served(home)), stack.enter_context(windows())
        applicant = pages.applicant(engine)
        ours = Ours(window(), address, applicant["name"])
        ours.sign_in()
        peers: list[Peer] = []

        def start_peer() -> str:
            peer = Peer(
                window(), *stack.enter_context(peer_served(engine)), handle=applicant["handle"]
            )
            peer.sign_in()
            peers.append(peer)
            return f"the peer is the admin of Django {version('Django')}, with {WORKERS} workers"

        failures.print_row("the peer", start_peer)
        print(HEADER)
        for act in acts(ours, *peers):
            failures.print_row(act.name, partial(row, act, turns))


HEADER = (
    f"{'in the browser, ms':<28} {'median':>7} {'[min - max]':>15} {'peer':>7} {'[min - max]':>15}"
    f" {'ratio':>6} {'bar':>7}"
)


def row(act: Act, turns: int) -> str:
    """Do the act in turns with the peer, and return its row."""
    ours, peer = [], []
    for turn in range(1 + turns):
        # The first is a warm-up.
        for act_of, found in ((act.ours, ours), (act.peer, peer)):
            if act_of is not None:
                ms = act_of()
                found += [ms] if turn else []
    return line(act, ours, peer)


def line(act: Act, ours: Sequence[float], peer: Sequence[float]) -> str:
    median = statistics.median(ours)
    ratio = median / statistics.median(peer) if peer else None
    bar, kept = "", ""
    if act.bar_ms is not None:
        bar, kept = f"{act.bar_ms:g} ms", "ok" if median <= act.bar_ms else "OVER"
    elif act.bar is not None and ratio is not None:
        bar, kept = f"{act.bar:g}x", "ok" if ratio <= act.bar else "OVER"
    shown = f"{ratio:.2f}" if ratio else ""
    return f"{act.name:<28} {spread(ours)} {spread(peer)} {shown:>6} {bar:>7} {kept}".rstrip()


def spread(found: Sequence[float]) -> str:
    if not found:
        return " " * 23
    ends = f"[{min(found):.0f} - {max(found):.0f}]"
    return f"{statistics.median(found):>7.0f} {ends:>15}"


@contextmanager
def windows() -> Iterator[Callable[[], Page]]:
    """Start a browser, and yield what opens a page in a private window."""
    path = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield lambda: browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        browser.close()


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
    with sessions.opened(address, cookies) as session:
        turn = number
        while not done.is_set():
            began = time.monotonic()
            session.click(query=QUERIES[turn % len(QUERIES)])
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
    database.take_back_decisions(engine, "rationale = :mark", mark=MARK)

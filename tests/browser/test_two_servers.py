"""Two dashboard processes behind one address: a person does not notice which one answers."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect
from sqlalchemy import text

from tests.browser import screen
from tests.browser.balancer import Balancer
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site, Visit, served
from tests.browser.test_drafts import KEPT, WORDS, begin_rejection, is_back, note, opened, typed

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@dataclass
class Pair:
    """Two servers over one database, and ana's browser, which knows only their common address."""

    balancer: Balancer
    first: served
    second: served
    context: BrowserContext

    def open_at(self, server: served, path: str) -> Page:
        """Open a page whose session is at this server."""
        self.balancer.to = server.port
        page = self.context.new_page()
        page.goto(path)
        page.locator(".st-key-header").wait_for()
        assert self.balancer.reached[-1] == server.port
        screen.settled(page)
        screen.answers_to_keys(page)
        return page

    def lose_first(self, page: Page) -> None:
        """Kill the first server; the page goes on at the second one by itself."""
        self.balancer.to = self.second.port
        self.first.process.kill()
        self.first.process.wait(10)
        page.locator("[data-test-connection-state=CONNECTED]").wait_for()
        screen.settled(page)


@pytest.fixture
def pair(
    site: Site, chromium: Browser, cookies: dict[str, StorageState], visit: Visit
) -> Iterator[Pair]:
    visit("ana").close()
    home = Path(site.cluster.home)
    first, second = served(home), served(home)
    with first, second, Balancer(first.port) as balancer:
        context = chromium.new_context(
            base_url=balancer.address, viewport=DESKTOP, storage_state=cookies["ana"]
        )
        context.set_default_timeout(PATIENCE_MS)
        yield Pair(balancer, first, second, context)
        context.close()


def test_next_opens_another_application_whichever_server_answers(site: Site, pair: Pair) -> None:
    ids = [site.applicant(account={"username": f"pair_{n}"}) for n in range(4)]
    pages = [pair.open_at(server, "/?search=pair_") for server in (pair.first, pair.second)]
    for page in pages:
        may_press_next(page)

    taken: list[int] = []
    for _ in range(2):
        for page in pages:
            page.keyboard.press("u")
        for page in pages:
            taken.append(opened_besides(page, taken))
            screen.shows_application(page, f"pair_{ids.index(taken[-1])}")
            may_press_next(page)

    assert sorted(taken) == ids
    assert site.rows(
        "select application_id, count(*) from review.events "
        "where kind = 'claimed' and application_id = any(:ids) group by 1 order by 1",
        ids=ids,
    ) == [(id_, 1) for id_ in ids]


def may_press_next(page: Page) -> None:
    """Wait for the button, which the key presses, and until what it opened last has been seen."""
    page.locator(".st-key-take-next button:visible").first.wait_for()
    screen.settled(page)
    page.locator("html:not([data-taking-next])").wait_for(state="attached")


def opened_besides(page: Page, taken: list[int]) -> int:
    """Wait for the page of another application; returns its number.

    The address of the list has it first, before the page has changed.
    """
    page.wait_for_url(lambda url: urlsplit(url).path == "/application" and id_in(url) not in taken)
    return id_in(page.url)


def test_unsent_texts_are_there_when_another_server_answers(site: Site, pair: Pair) -> None:
    number = site.applicant(meets=False, account={"username": "moved"})
    page = pair.open_at(pair.first, f"/application?id={number}")
    typed(opened(page, number, "moved"))
    rationale = page.get_by_label("Rationale (internal)")
    page.keyboard.press("Escape")
    begin_rejection(page)
    rationale.fill("Written at the first.")

    pair.lose_first(page)

    expect(note(page)).to_have_value(WORDS)
    begin_rejection(page)
    expect(rationale).to_have_value("Written at the first.")
    page.reload()
    is_back(page)
    screen.settled(page)
    page.get_by_role("button", name="Add note").click()
    expect(screen.toast(page, "Note added.")).to_be_visible()

    assert site.rows("select body from review.notes where application_id = :n", n=number) == [
        (WORDS,)
    ]
    assert len(page.evaluate(KEPT)) == 1


def test_an_act_is_done_before_a_server_that_was_told_to_stop_ends(site: Site, pair: Pair) -> None:
    number = site.applicant(account={"username": "stopping"})
    page = pair.open_at(pair.first, f"/application?id={number}")
    lock = text("select from exchange.applications where application_id = :n for update")
    with site.engine.begin() as holding:
        holding.execute(lock, {"n": number})
        claim = page.locator(f".st-key-Claim-{number} button").first
        expect(claim).not_to_have_attribute("data-arming", "")
        screen.settled(page)
        claim.click()
        waits_for_lock(site)
        pair.balancer.to = pair.second.port

        pair.first.process.terminate()
        says(pair.first, "Waiting for application shutdown")
        assert pair.first.process.poll() is None

    # The server ends by the signal, after it has finished.
    assert pair.first.process.wait(30) == -signal.SIGTERM
    says(pair.first, "stopped")
    page.locator("[data-test-connection-state=CONNECTED]").wait_for()
    page.reload()
    expect(page.locator(f".st-key-Release-{number} button").first).to_be_visible()
    assert site.rows(
        "select kind, count(*) from review.events where application_id = :n group by 1", n=number
    ) == [("claimed", 1)]


def waits_for_lock(site: Site) -> None:
    # The activity of other logins is hidden from the owner; their locks are not.
    until(
        lambda: site.one("select count(*) from pg_locks where not granted"),
        "the act does not wait",
    )


def says(server: served, words: str) -> None:
    log = server.home / f"serve-{server.port}.log"
    until(lambda: words in log.read_text(), f"no {words}")


def until(holds: Callable[[], object], otherwise: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def id_in(url: str) -> int:
    """Return the application in an address; 0 if there is none."""
    return int(dict(parse_qsl(urlsplit(url).query)).get("id", 0))

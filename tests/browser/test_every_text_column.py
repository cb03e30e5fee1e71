"""Forty texts of an attacker in every column that people type, on every page, for every role.

Which columns hold them, and why the others cannot: see `tests/dashboard/pages/test_planting.py`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import create_engine

from dashboard.shell.addresses import PAGES
from data_access.db import migrate, privileges
from data_access.db.embedded import Cluster
from program.review.permissions import Act, Role, may
from tests.browser import screen
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Watch
from tests.browser.serving import served
from tests.browser.test_hostile_text import nothing_came_alive
from tests.dashboard.pages.planting import (
    APPROVED,
    NUMBERS,
    REJECTED,
    address_of,
    plant,
    plant_elsewhere,
)
from tests.dashboard.pages.planting_records import plant_records

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser-reading")]

# Only a press on the page itself signs in.
PRESS = "email => [...document.querySelectorAll('a.person')].find(a => a.title === email).click()"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard over a database that an attacker filled."""
    home: Path = tmp_path_factory.mktemp("planted")
    cluster = Cluster(home)
    cluster.ensure_running()
    engine = create_engine(cluster.url())
    try:
        migrate.migrate(engine)
        privileges.apply(engine, {})
        now = datetime.now(UTC)
        plant(engine, now=now)
        plant_elsewhere(engine, now=now)
        plant_records(engine, now=now)
        with served(home) as address:
            yield address
    finally:
        engine.dispose()
        cluster.stop("immediate")


@pytest.fixture
def watched(planted: str, chromium: Browser, watch: Watch) -> Iterator[BrowserContext]:
    """A browser that may ask only this computer, and must show no dialog."""
    context = chromium.new_context(base_url=planted, viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    watch.over(context)
    yield context
    watch.rest()
    context.close()
    assert not watch.seen


@pytest.mark.parametrize("role", Role)
def test_no_page_gives_life_to_any_typed_text(role: Role, watched: BrowserContext) -> None:
    """Each role opens the applications of a quarter of the texts; lists show all of them."""
    page = watched.new_page()
    page.goto("/")
    page.locator("a.person").first.wait_for()
    nothing_came_alive(page)
    page.evaluate(PRESS, address_of(4, role))
    is_drawn(page)

    for path in addresses(role):
        page.goto(path)
        is_drawn(page)
        expect(page.get_by_test_id("stApp"), path).not_to_contain_text("Something went wrong")
        nothing_came_alive(page)


def addresses(role: Role) -> Iterator[str]:
    yield from sorted(PAGES)
    yield from (f"/outbox?show={part}" for part in ("parked", "templates", "settings"))
    yield from (f"/policy?part={part}" for part in ("draft", "history"))
    yield from (f"/import?show={part}" for part in ("kept", "history"))
    for number in NUMBERS[list(Role).index(role) :: len(Role)]:
        for offset in (0, APPROVED if number % 2 else REJECTED):
            yield f"/application?id={number + offset}"
    yield from (f"/?status={word}&page=1" for word in ("approved", "rejected"))
    if may(role, Act.MANAGE_STAFF):
        people = (quote(address_of(n, Role.REVIEWER), safe="") for n in NUMBERS[::10])
        yield from (f"/staff?person={person}" for person in people)


def is_drawn(page: Page) -> None:
    page.locator(".st-key-header").wait_for()
    screen.settled(page)

"""A real server with demo data, and people with a real browser.

Everything lasts as long as this folder's tests: the browser's driver keeps an event loop running,
which other tests must not meet.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    StorageState,
    sync_playwright,
)
from sqlalchemy import Engine, create_engine, text

from bench import sessions
from data_access import demo, rollups
from data_access.db import migrate, privileges
from data_access.db.embedded import Cluster
from tests.browser import screen
from tests.browser.serving import served
from tests.builders import (
    add_application,
    add_evidence,
    add_metrics,
    know_the_desk,
    pass_checks,
)

# The first has no window of its own to draw, which saves a fifth of the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
DESKTOP = {"width": 1440, "height": 900}
AFFILIATES = 60
FIRST_NUMBER = 900_001
# Streamlit looks for its own address below the page's path first, and finds it at the root.
PROBE = re.compile(
    r"/(application|program|affiliates|explore|outbox|policy|settings|staff|import)/_stcore/(health|host-config)"
)
PATIENCE_MS = 60_000
FORGET = "() => localStorage.clear()"


@dataclass(frozen=True)
class Site:
    """A running dashboard, the database behind it, and the dashboard's log."""

    address: str
    cluster: Cluster
    engine: Engine
    log: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(FIRST_NUMBER))

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def one(self, statement: str, **values: Any) -> Any:
        [[value]] = self.rows(statement, **values)
        return value

    def applicant(self, *, meets: bool = True, checked: bool = False, **given: Any) -> int:
        """Add a pending application of a new account that meets the on-exchange minimums, or none.

        If it meets none, all figures are known. ``checked`` answers its checklist.
        """
        number = next(self.numbers)
        with self.engine.begin() as connection:
            add_application(connection, number, **{"submitted_at": datetime.now(UTC), **given})
            if meets:
                add_metrics(connection, number, volume=25_000_000, active=20, new=9)
            else:
                at = datetime.now(UTC) - timedelta(days=2)
                add_evidence(connection, number, value=100, observed_at=at, recorded_at=at)
                add_evidence(
                    connection,
                    number,
                    kind="external_volume",
                    value=1_000,
                    exchange_name="ExA",
                    observed_at=at,
                    recorded_at=at,
                )
            if checked:
                pass_checks(connection, number)
        return number


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    cluster = Cluster(home)
    cluster.ensure_running()
    engine = create_engine(cluster.url(), pool_pre_ping=True)
    try:
        migrate.migrate(engine)
        privileges.apply(engine, {})
        now = datetime.now(UTC)
        demo.fill(engine, now=now, affiliates=AFFILIATES)
        rollups.refresh(engine, now=now)
        demo.work_desk(engine)
        with engine.begin() as connection:
            know_the_desk(connection)
        server = served(home)
        with server as address:
            yield Site(address, cluster, engine, server.log)
    finally:
        engine.dispose()
        cluster.stop("immediate")


@pytest.fixture(autouse=True)
def streamlit_warns_of_nothing(site: Site) -> Iterator[None]:
    """Fail a test in which the server logs a warning of Streamlit's, as tests without it do."""
    begins = site.log.stat().st_size
    yield
    with site.log.open() as log:
        log.seek(begins)
        logged = [json.loads(line) for line in log if line.startswith("{")]
    assert not [one["message"] for one in logged if one["logger"] == "streamlit"]


@pytest.fixture(autouse=True)
def no_leftovers(site: Site) -> Iterator[None]:
    """Remove a test's applicants from the queue of the next."""
    yield
    with site.engine.begin() as connection:
        connection.execute(
            text(
                "update exchange.applications set status = 'withdrawn' "
                "where status = 'pending' and application_id >= :first"
            ),
            {"first": FIRST_NUMBER},
        )


@pytest.fixture(scope="package")
def chromium(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose own profile keeps compiled scripts, unlike a private window."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path is not None, "The browser tests need Chromium: run .ci/browser"
    with sync_playwright() as driver:
        profile = driver.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=path,
            args=list(ARGUMENTS),
            viewport=DESKTOP,
            base_url=site.address,
        )
        profile.set_default_timeout(PATIENCE_MS)
        assert profile.browser is not None
        yield profile.browser
        profile.close()


@dataclass
class Watch:
    """Fails a test on console errors, dialogs and requests to other hosts."""

    seen: list[str] = field(default_factory=list)
    watched: list[tuple[BrowserContext, str, Callable[[Any], None]]] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        self._watch(context, "request", lambda request: self._request(request.url))
        self._watch(context, "dialog", self._dialog)
        self._watch(
            context, "weberror", lambda error: self.seen.append(f"script error: {error.error}")
        )
        self._watch(
            context,
            "console",
            lambda message: self._console(message.type, message.text, message.location),
        )

    def rest(self) -> None:
        """Ignore browsers that stay open from now on."""
        for context, event, see in self.watched:
            context.remove_listener(event, see)

    def _watch(self, context: BrowserContext, event: str, see: Callable[[Any], None]) -> None:
        context.on(event, see)  # type: ignore[call-overload]
        self.watched.append((context, event, see))

    def _request(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "localhost":
            self.seen.append(f"request to {address}")

    def _dialog(self, dialog: Any) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, kind: str, words: str, location: Any) -> None:
        probe = PROBE.fullmatch(urlsplit(location["url"]).path) and "404" in words
        if kind == "error" and not probe:
            self.seen.append(f"console: {words} {location['url']}")


Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def cookies() -> dict[str, StorageState]:
    """Cookies and storage of people who have signed in."""
    return {}


@pytest.fixture
def watch() -> Watch:
    return Watch()


@dataclass
class Desks:
    """The browsers that people use.

    The first person gets the browser's own profile with compiled scripts, in which pages load in
    half the time. Others get private windows, which stay open for their next visit.
    """

    chromium: Browser
    address: str
    cookies: dict[str, StorageState]
    windows: dict[str, BrowserContext] = field(default_factory=dict)

    def __post_init__(self) -> None:
        [self.profile] = self.chromium.contexts
        # The browser ends without a page, and only a page of this server may empty its storage.
        [self.anchor] = self.profile.pages
        self.anchor.goto("/livez")

    def first(self, who: str) -> BrowserContext:
        """Return the profile, signed in as this person if they have been before."""
        return self._as(who, self.profile)

    def another(self, who: str) -> BrowserContext:
        """Return a private window as the person left it, without the pages' own storage."""
        window = self.windows.pop(who, None)
        return self._as(who, window) if window else self.new(storage_state=self.cookies.get(who))

    def new(self, **options: Any) -> BrowserContext:
        context = self.chromium.new_context(
            **{"viewport": DESKTOP, "base_url": self.address, **options}
        )
        context.set_default_timeout(PATIENCE_MS)
        return context

    def leave(self, who: str, context: BrowserContext) -> None:
        """Empty the browser for the next person, or close it if that is impossible."""
        if context is self.profile:
            for page in context.pages:
                if page is not self.anchor:
                    page.close()
            self.anchor.evaluate(FORGET)
            return
        try:
            for page in context.pages:
                page.evaluate(FORGET)
                page.close()
        except Error:
            context.close()
        else:
            self.windows[who] = context

    def _as(self, who: str, context: BrowserContext) -> BrowserContext:
        context.clear_cookies()
        if who in self.cookies:
            context.add_cookies([*self.cookies[who]["cookies"]])  # type: ignore[list-item]
        return context


@pytest.fixture(scope="package")
def desks(site: Site, chromium: Browser, cookies: dict[str, StorageState]) -> Desks:
    return Desks(chromium, site.address, cookies)


def signed_in(address: str, who: str) -> StorageState:
    """Sign in without a browser, which takes a tenth of the time; see `test_way_in` for both."""
    given = [
        pair.split("=", 1) for pair in sessions.sign_in(address, f"{who}@example.com").split("; ")
    ]
    rest: dict[str, Any] = {
        "domain": urlsplit(address).hostname,
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    return {
        "cookies": [{"name": name, "value": value, **rest} for name, value in given],
        "origins": [],
    }


@pytest.fixture
def visit(desks: Desks, cookies: dict[str, StorageState], watch: Watch) -> Iterator[Visit]:
    """Open pages: ``visit("ana", "/program")`` in her browser; ``None`` is signed out.

    Her second visit in a test uses another browser.
    """
    theirs: dict[str, BrowserContext] = {}
    others: list[BrowserContext] = []

    def opened(who: str | None, path: str = "/", **options: Any) -> Page:
        if who and who not in cookies:
            cookies[who] = signed_in(desks.address, who)
        if who and who not in theirs and not options:
            take = desks.another if theirs else desks.first
            context = theirs[who] = take(who)
        else:
            state = cookies.get(who) if who else None
            context = desks.new(**{"storage_state": state, **options})
            others.append(context)
        watch.over(context)
        page = context.new_page()
        page.goto(path)
        if who:
            screen.answers_to_keys(page)
        return page

    yield opened
    watch.rest()
    for context in others:
        context.close()
    for who, context in theirs.items():
        desks.leave(who, context)
    assert not watch.seen

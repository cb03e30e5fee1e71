"""Sign-in by a proxy's header, in a browser: the proxy names the person in every request."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from dashboard.shell import proxied
from dashboard.shell.sign_in import SESSION_OVER
from tests.browser import screen
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site
from tests.browser.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser-deciding")]

HEADER = "X-Auth-Email"
PIA, NOBODY = "pia@exchange.example", "nobody@exchange.example"


@contextmanager
def behind_proxy(chromium: Browser, address: str, email: str | None) -> Iterator[Page]:
    """A page of a browser whose requests all name this person."""
    headers = {HEADER: email} if email else {}
    context = chromium.new_context(base_url=address, viewport=DESKTOP, extra_http_headers=headers)
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    """A dashboard that believes this computer's header; Pia is on its staff list."""
    person = "insert into review.staff (email, display_name, role) values (:e, 'Pia', 'reviewer')"
    with site.engine.begin() as connection:
        connection.execute(text(person), {"e": PIA})
    settings = {proxied.NAME: HEADER, proxied.PEERS: "127.0.0.1"}
    with served(site.cluster.home, **settings) as address:
        yield address


def test_the_person_whom_the_proxy_names_presses_once_and_works(
    site: Site, chromium: Browser, address: str
) -> None:
    id_ = site.applicant(account={"username": "proxied"})
    with behind_proxy(chromium, address, PIA) as page:
        page.goto(f"/application?id={id_}")
        card = page.locator("a.person")
        expect(card).to_contain_text("Pia")
        card.click()
        screen.shows_application(page, "proxied")
        expect(page.locator(".st-key-header")).to_contain_text("Pia")
        expect(page.get_by_text("Local sign-in")).to_have_count(0)
        page.reload()
        screen.shows_application(page, "proxied")
        screen.settled(page)

        page.get_by_role("button", name="Pia").click()
        page.get_by_role("link", name="Sign out").click()
        card.click()
        expect(page.locator(".st-key-header")).to_contain_text("Pia")
        page.goto(f"/application?id={id_}")
        screen.shows_application(page, "proxied")

        # A change of role ends it at the next act, and the next sign-in has the new one.
        screen.settled(page)
        with site.engine.begin() as connection:
            promoted = text("update review.staff set role = 'manager' where email = :e")
            connection.execute(promoted, {"e": PIA})
        page.locator(f".st-key-Claim-{id_} button").first.click()
        expect(page.get_by_text(SESSION_OVER)).to_be_visible()
        assert site.one("select count(*) from review.events where application_id = :n", n=id_) == 0
        card.click()
        expect(page.locator(".st-key-header")).to_contain_text("manager")

        with site.engine.begin() as connection:
            disabled = text("update review.staff set active = false where email = :e")
            connection.execute(disabled, {"e": PIA})
        page.reload()
        expect(page.get_by_text("ended your access")).to_be_visible()


@pytest.mark.parametrize(
    ("email", "part"),
    [
        (NOBODY, f"{NOBODY} but not on the staff list"),
        ("mira@example.com", "a person of the demo"),
        (None, "Your proxy does not say who you are"),
    ],
)
def test_whoever_is_not_let_in_is_told_why(
    chromium: Browser, address: str, email: str | None, part: str
) -> None:
    with behind_proxy(chromium, address, email) as page:
        page.goto("/")
        expect(page.get_by_text(part)).to_be_visible()
        expect(page.locator("a.person")).to_have_count(0)

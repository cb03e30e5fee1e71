"""The database goes away and comes back; page and server survive."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from tests.browser import screen
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site, Visit
from tests.browser.identity_provider import IdentityProvider, write_secrets
from tests.browser.serving import free_port, served
from tests.browser.test_openid import as_person

pytestmark = [pytest.mark.browser]


@pytest.mark.slow
def test_an_open_page_goes_on_after_a_restart_of_the_database(site: Site, visit: Visit) -> None:
    number = site.applicant(checked=True, account={"username": "interrupted"})
    page = visit("ana", f"/application?id={number}")
    screen.shows_application(page, "interrupted")
    screen.begin(page, "Approve")
    screen.write_rationale(page, "Before the restart.")
    send = screen.preview(page)

    site.cluster.stop("immediate")
    site.cluster.ensure_running()
    send.click()

    expect(screen.toast(page, "is approved.")).to_be_visible()
    assert site.rows(
        "select outcome, rationale from review.decisions where application_id = :n", n=number
    ) == [("approved", "Before the restart.")]


@pytest.fixture
def elsewhere(site: Site, chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """A reviewer's page on a server that has only the database's address, and cannot start it."""
    port = free_port()
    with site.engine.begin() as connection:
        connection.execute(
            text(
                "insert into review.staff (email, display_name, role) "
                "values ('olga@exchange.example', 'Olga', 'reviewer')"
            )
        )
    with IdentityProvider(free_port()) as provider, pytest.MonkeyPatch.context() as patch:
        as_person(provider, "olga@exchange.example")
        patch.setenv("HOME", str(tmp_path))
        write_secrets(tmp_path, f"http://localhost:{port}", provider.issuer)
        with served(tmp_path, port=port, DATABASE_URL=site.cluster.url()) as address:
            context = chromium.new_context(base_url=address, viewport=DESKTOP)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.goto("/")
            page.get_by_role("button", name="Sign in").click()
            page.locator(".st-key-header").wait_for()
            yield page
            context.close()


@pytest.mark.slow
def test_during_an_outage_the_page_says_so_and_keeps_the_rationale(
    site: Site, elsewhere: Page
) -> None:
    number = site.applicant(checked=True, account={"username": "unlucky"})
    page = elsewhere
    page.goto(f"/application?id={number}")
    screen.shows_application(page, "unlucky")
    screen.begin(page, "Approve")
    screen.write_rationale(page, "Written before the outage.")
    send = screen.preview(page)

    site.cluster.stop("immediate")
    try:
        send.click()
        expect(page.get_by_text("The database is not responding.")).to_be_visible()
        screen.settled(page)
        assert page.get_by_text("Traceback").count() == 0
        assert page.get_by_text("Something went wrong").count() == 0
        assert page.request.get("/readyz").status == 503
        assert page.request.get("/healthz").status == 200
    finally:
        site.cluster.ensure_running()
    page.keyboard.press("r")

    screen.shows_application(page, "unlucky")
    expect(screen.head(page)).to_contain_text("pending")
    expect(page.get_by_label("Rationale (internal)")).to_have_value("Written before the outage.")
    screen.preview(page).click()
    expect(screen.toast(page, "is approved.")).to_be_visible()

"""Every screen fits common window sizes, in both themes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser]

WIDTHS = (1440, 1024)
# Tables adapt to a resized window a moment later.
FITS = """() => ['html', '[data-testid=stMain]']
    .map(name => document.querySelector(name))
    .every(box => box.scrollWidth === box.clientWidth)"""


def drawn_queue(page: Page) -> None:
    expect(screen.names(page).first).to_be_attached()


def drawn_application(page: Page) -> None:
    expect(page.locator(".js-plotly-plot .bars").first).to_be_visible()
    expect(page.get_by_text("Thread · ")).to_be_visible()


def drawn_program(page: Page) -> None:
    expect(page.locator(".js-plotly-plot")).to_have_count(4)


def busiest(site: Site) -> int:
    """Return the pending application with the most content."""
    number: int = site.one(
        "select application_id from exchange.applications "
        "join review.affiliate_window on affiliate_account_id = account_id "
        "where status = 'pending' order by volume_usd desc limit 1"
    )
    return number


def drawn_affiliates(page: Page) -> None:
    expect(page.get_by_text("Approved affiliates")).to_be_visible()


def drawn_policy(page: Page) -> None:
    expect(page.get_by_text("Minimum requirements")).to_be_visible()


def drawn_explore(page: Page) -> None:
    expect(page.locator(".stDataFrame").first).to_be_visible()


def drawn_outbox(page: Page) -> None:
    expect(page.get_by_text("Outbox", exact=True).last).to_be_visible()


def drawn_settings(page: Page) -> None:
    expect(page.get_by_text("Holidays", exact=True)).to_be_visible()


def drawn_import(page: Page) -> None:
    expect(page.get_by_text("Import applications from a form.")).to_be_visible()


def drawn_staff(page: Page) -> None:
    expect(page.get_by_text("Recent activity", exact=True)).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_scrolls_sideways_and_the_header_fits(
    scheme: str, site: Site, visit: Visit
) -> None:
    screens: list[tuple[str, Callable[[Page], None]]] = [
        ("/", drawn_queue),
        (f"/application?id={busiest(site)}", drawn_application),
        ("/program", drawn_program),
        ("/affiliates", drawn_affiliates),
        ("/policy", drawn_policy),
        ("/explore", drawn_explore),
        ("/outbox", drawn_outbox),
        ("/settings", drawn_settings),
        ("/import?show=history", drawn_import),
        ("/staff", drawn_staff),
    ]
    page = visit("mira", color_scheme=scheme)
    for path, drawn in screens:
        page.goto(path)
        drawn(page)
        screen.settled(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(FITS)
            header_fits(page, width)


def header_fits(page: Page, width: int) -> None:
    """Check that the tabs do not overlap the person, and nothing is outside the window."""
    ours = page.locator(".st-key-header").get_by_role("button").last.bounding_box()
    tab = page.locator("header").get_by_role("link", name="Settings").bounding_box()
    freshness = page.locator(".st-key-header").get_by_text("data through").bounding_box()
    assert ours is not None
    assert tab is not None
    assert freshness is not None
    assert tab["x"] + tab["width"] < freshness["x"]
    assert ours["x"] + ours["width"] <= width
    assert ours["height"] < 50, "on one line"

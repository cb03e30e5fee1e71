"""Staff in a browser: a person is added, and the page fits in both themes."""

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.conftest import Site, Visit
from tests.browser.test_look import FITS, WIDTHS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser-writing")]


def test_a_manager_adds_a_reviewer(site: Site, visit: Visit) -> None:
    page = visit("mira")
    page.goto("/settings")
    page.get_by_role("link", name="Staff and roles").click()
    page.get_by_label("Email address").fill("nia@example.com")
    page.get_by_label("Name", exact=True).fill("Nia")
    page.get_by_label("Reason").fill("Joins the team")
    button = page.get_by_role("button", name="Add")
    screen.settled(page)
    expect(button).to_be_enabled()
    button.click()

    # The accepted form is empty again.
    expect(page.get_by_label("Email address")).to_have_value("")
    assert site.one("select role from review.staff where email = 'nia@example.com'") == "reviewer"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?person=nia@example.com"])
def test_the_page_fits(scheme: str, query: str, visit: Visit) -> None:
    page = visit("mira", color_scheme=scheme)
    page.goto(f"/staff{query}")
    expect(page.get_by_text("Recent activity", exact=True)).to_be_visible()
    screen.settled(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(FITS)

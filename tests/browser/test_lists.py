"""Lists: the address says what is shown, whatever was pressed to get there."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from data_access import saved_views
from program.queue import Filters
from tests.browser import screen
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-reading")]


@pytest.fixture
def chip(site: Site) -> Iterator[str]:
    """A saved view of ana's that holds the applicants of this file."""
    name = "Those of the chip"
    saved_views.save(
        site.engine,
        name=name,
        filters=Filters(search="chip_"),
        shared=False,
        actor="ana@example.com",
        now=datetime.now(UTC),
    )
    yield name
    with site.engine.begin() as connection:
        connection.execute(text("delete from review.saved_views where name = :n"), {"n": name})


def at(page: Page, address: str) -> None:
    expect(page).to_have_url(re.compile(re.escape(address) + "$"))
    screen.settled(page)


def test_a_link_to_another_view_of_the_page_moves_address_list_next_and_way_back(
    site: Site, visit: Visit, chip: str
) -> None:
    wanted = [site.applicant(account={"username": f"chip_{n}"}) for n in range(2)]
    page = visit("ana", "/?country=TR&eligibility=unknown&id=7&part=history")
    # What belongs to other pages is taken out.
    at(page, "/?country=TR&eligibility=unknown")

    page.get_by_role("link", name=chip).click()
    at(page, "/?search=chip_")
    screen.shows_names(page, ["chip_0", "chip_1"])
    page.reload()
    screen.shows_names(page, ["chip_0", "chip_1"])
    screen.settled(page)

    page.go_back()
    at(page, "/?country=TR&eligibility=unknown")
    expect(page.get_by_role("combobox", name="Country")).to_have_value("TR")
    page.go_forward()
    at(page, "/?search=chip_")
    screen.shows_names(page, ["chip_0", "chip_1"])

    page.keyboard.press("u")
    screen.shows_application(page, "chip_0")
    expect(screen.head(page)).to_contain_text("1 of 2")
    page.go_back()
    at(page, "/?search=chip_")
    screen.shows_names(page, ["chip_0", "chip_1"])
    assert site.rows(
        "select application_id from review.desk where application_id = any(:ids)", ids=wanted
    ) == [(wanted[0],)]

    # The page's own tab is a link to it as well.
    page.get_by_test_id("stTopNavLink").filter(has_text="Queue").click()
    at(page, "/")
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("")


@pytest.mark.slow
def test_every_page_forgets_what_belongs_to_another_and_the_way_back_keeps_its_parts(
    visit: Visit,
) -> None:
    page = visit("mira", "/")
    for path, foreign, own in [
        ("/program", "id=1&country=BR", "tab=reviewers"),
        ("/affiliates", "id=1&tab=volume", "part=outcomes"),
        ("/outbox", "id=1&part=outcomes", "show=sent"),
        ("/policy", "id=1&show=sent", "part=history"),
        ("/settings", "id=1&page=3", ""),
        ("/explore", "id=1&part=history", "group=status"),
    ]:
        page.goto(f"{path}?{'&'.join(filter(None, [foreign, own]))}")
        at(page, f"{path}?{own}" if own else path)

    page.goto("/policy")
    for part in ("Next version", "History"):
        page.get_by_role("radio", name=part).or_(page.get_by_role("button", name=part)).click()
        screen.settled(page)
    at(page, "/policy?part=history")
    page.go_back()
    at(page, "/policy?part=draft")

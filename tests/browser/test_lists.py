"""Lists: the address always holds what is shown."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from data_access.explore import saved_views
from program.review.queue_filters import Filters
from tests.browser import screen
from tests.browser.conftest import Site, Visit
from tests.browser.screen import ARMED
from tests.builders import add_metrics
from tests.data_access import clicks

pytestmark = [pytest.mark.browser]


@pytest.fixture
def chip(site: Site) -> Iterator[str]:
    """Save a view of ana's with the applicants of this file."""
    name = "Those of the chip"
    saved_views.save(
        site.engine,
        clicks.command(
            saved_views.SaveView,
            name=name,
            view=Filters(search="chip_"),
            shared=False,
            actor="ana@example.com",
            now=datetime.now(UTC),
        ),
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
    # Parameters of other pages are removed.
    at(page, "/?country=TR&eligibility=unknown")

    page.get_by_role("link", name=chip).click()
    at(page, "/?search=chip_")
    screen.shows_names(page, ["chip_0", "chip_1"])
    screen.settled(page)

    page.go_back()
    at(page, "/?country=TR&eligibility=unknown")
    expect(page.locator(".st-key-queue-fields").get_by_text("TR", exact=True)).to_be_visible()
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

    # The page's own tab is a link to it too.
    page.get_by_test_id("stTopNavLink").filter(has_text="Queue").click()
    at(page, "/")
    expect(screen.search(page)).to_have_value("")


@pytest.mark.slow
def test_a_view_of_the_same_name_is_replaced_knowingly_and_a_double_click_saves_once(
    site: Site, visit: Visit
) -> None:
    def kept() -> list[tuple[str, str]]:
        statement = "select name, query from review.saved_views where name ilike 'kept%' order by 1"
        return [(name, query) for name, query in site.rows(statement)]

    page = visit("ana", "/?search=kept_")
    screen.settled(page)
    views = page.locator(".st-key-queue-views")
    name = page.get_by_label("Name of the view")
    save = page.get_by_role("button", name="Save this view")
    views.get_by_role("button").first.click()
    name.fill("Kept BR")
    save.dblclick()
    expect(page.get_by_role("link", name="Kept BR").first).to_be_visible()
    screen.settled(page)
    expect(page.get_by_text("You have a view")).to_have_count(0)
    expect(screen.results(page)).to_have_count(0)
    assert kept() == [("Kept BR", "search=kept_")]

    page.goto("/?country=BR&search=kept_")
    screen.settled(page)
    views.get_by_role("button").first.click()
    name.fill("KEPT  br")
    screen.press_twice(page, save, 300)
    expect(page.get_by_text("You have a view “Kept BR” already.")).to_be_visible()
    screen.settled(page)
    expect(name).to_have_value("KEPT  br")
    assert kept() == [("Kept BR", "search=kept_")]

    replace = page.get_by_role("button", name="Replace “Kept BR”")
    replace.and_(page.locator(ARMED)).click()
    expect(page.get_by_text("The view KEPT br is replaced.")).to_be_visible()
    screen.settled(page)
    expect(replace).to_have_count(0)
    assert kept() == [("KEPT  br", "search=kept_&country=BR")]


# The middle of these headings on a desktop screen, with checkboxes.
WAITING_AT, VOLUME_AT = 292, 846


def press_heading(page: Page, x: int) -> None:
    page.locator(".stDataFrame .dvn-scroller").click(position={"x": x, "y": 15})


def headed(site: Site, visit: Visit) -> tuple[Page, int]:
    """Open the second page of a list, whose richest is the second number."""
    for n in range(52):
        site.applicant(
            meets=False,
            account={"username": f"heading_{n:02}"},
            submitted_at=datetime.now(UTC) - timedelta(hours=n),
        )
    richest = site.applicant(account={"username": "heading_rich"})
    page = visit("ana", "/?search=heading_&sort=submitted&page=2")
    expect(page.get_by_text("51–53 of 53")).to_be_visible()
    screen.settled(page)
    return page, richest


def press_waiting(page: Page) -> None:
    press_heading(page, WAITING_AT)
    at(page, "/?search=heading_&sort=waiting")
    expect(screen.names(page).first).to_have_text("heading_51")


def test_a_heading_sorts_the_whole_list_and_never_the_page_alone(site: Site, visit: Visit) -> None:
    page, _ = headed(site, visit)

    press_waiting(page)


@pytest.mark.slow
def test_headings_sort_both_ways_and_a_columns_menu_does_not(site: Site, visit: Visit) -> None:
    page, richest = headed(site, visit)
    press_waiting(page)
    press_heading(page, VOLUME_AT)
    at(page, "/?search=heading_&sort=volume")
    expect(screen.names(page).first).to_have_text("heading_rich")
    expect(screen.order(page)).to_have_text(re.compile("Order: volume, largest first"))
    page.reload()
    expect(screen.names(page).first).to_have_text("heading_rich")
    screen.settled(page)
    press_heading(page, VOLUME_AT)
    at(page, "/?search=heading_&sort=-volume")
    expect(screen.order(page)).to_have_text(re.compile("Order: volume, smallest first"))
    expect(screen.names(page).first).to_have_text("heading_51")
    screen.settled(page)
    press_heading(page, VOLUME_AT)
    at(page, "/?search=heading_&sort=volume")
    expect(screen.names(page).first).to_have_text("heading_rich")
    screen.settled(page)

    # The column's menu offers no sorting of the loaded rows.
    page.locator(".stDataFrame .dvn-scroller").hover(position={"x": VOLUME_AT, "y": 15})
    press_heading(page, VOLUME_AT - 52)
    menu = page.get_by_test_id("stDataFrameColumnMenu")
    expect(menu.get_by_text("Hide column")).to_be_visible()
    expect(menu.get_by_text("Sort ascending")).to_be_hidden()
    page.keyboard.press("Escape")

    page.keyboard.press("u")
    screen.shows_application(page, "heading_rich")
    assert (
        site.one("select assignee from review.desk where application_id = :id", id=richest)
        == "ana@example.com"
    )


@pytest.mark.slow
def test_every_page_drops_other_pages_parameters_and_the_way_back_keeps_its_own(
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


def test_a_clicked_cell_of_explore_offers_its_value_and_headings_still_sort(
    site: Site, visit: Visit
) -> None:
    for n, country in enumerate(("BR", "DE")):
        site.applicant(account={"username": f"cell_{n}", "country_code": country})
    page = visit("ana", "/explore?columns=country_code&username=~cell_&sort=country_code")
    table = page.locator(".st-key-explore-table .stDataFrame .dvn-scroller")
    only = page.get_by_role("button", name="Only BR")
    expect(table).to_be_visible()
    screen.settled(page)

    table.click(position={"x": 60, "y": 32 + 16})
    expect(only).to_be_visible()

    table.click(position={"x": 60, "y": 15})
    expect(page).to_have_url(re.compile("sort=-country_code"))
    expect(only).to_have_count(0)
    screen.settled(page)

    table.click(position={"x": 60, "y": 32 + 16})
    page.get_by_role("button", name="Without DE").click()
    expect(page).to_have_url(re.compile("country_code=%3F%21DE"))
    expect(page.get_by_text("1–1 of 1")).to_be_visible()


# The end of the second heading of the table of cohorts; at its start is the menu.
USERS_AT = 118


def test_a_charts_table_stays_open_while_it_is_sorted_and_runs_nothing_else_of_the_page(
    visit: Visit,
) -> None:
    page = visit("mira")
    received: list[str | bytes] = []
    page.on("websocket", lambda it: it.on("framereceived", lambda one: received.append(one)))
    page.goto("/program?tab=cohorts")
    opener = page.get_by_role("button", name="Table").first
    opener.wait_for()
    screen.settled(page)
    rest_of_page = b"Median time to decision"
    assert rest_of_page in joined(received)
    received.clear()

    opener.click()
    rows = page.locator("[data-testid=stPopoverBody] .stDataFrame")
    heading = rows.locator("[role=columnheader]").nth(1)
    expect(heading).to_have_text(re.compile("Users$"))
    rows.locator(".dvn-scroller").click(position={"x": USERS_AT, "y": screen.HEADER_HEIGHT // 2})
    expect(heading).to_have_text(re.compile("Users ↓$"))
    at(page, "&sort=retention-table%3A-users")
    expect(rows).to_be_visible()

    page.keyboard.press("Escape")
    expect(rows).to_have_count(0)
    screen.settled(page)
    assert rest_of_page not in joined(received)


def joined(frames: list[str | bytes]) -> bytes:
    return b"".join(one.encode() if isinstance(one, str) else one for one in frames)


# Keeps what the tables draw.
DRAWN = """window.drawn = new Set();
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
  window.drawn.add(text);
  return fillText.call(this, text, ...at);
};"""


def test_a_name_longer_than_its_column_ends_with_an_ellipsis(site: Site, visit: Visit) -> None:
    name = "ellipsis_of_a_long_name"
    site.applicant(account={"username": name})
    page = visit("ana")
    page.add_init_script(DRAWN)
    page.goto("/?search=ellipsis_of")

    # The table for screen readers has all of it.
    screen.shows_names(page, [name])
    page.wait_for_function("() => [...window.drawn].some(text => /^ellipsis_.*…$/.test(text))")


def test_a_cell_aligned_right_loses_its_end_and_never_its_first_digits(
    site: Site, visit: Visit
) -> None:
    number = site.applicant(meets=False, account={"username": "right_aligned"})
    with site.engine.begin() as connection:
        add_metrics(connection, number, volume=Decimal("123456789012345678.99"))
    page = visit("ana")
    page.add_init_script(DRAWN)
    page.goto("/?search=right_aligned")

    screen.shows_names(page, ["right_aligned"])
    page.wait_for_function("() => [...window.drawn].some(text => /^123[0-9,.]*…$/.test(text))")

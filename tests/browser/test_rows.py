"""The queue is a list for the keyboard: a cursor moves, ticks and opens; a click opens anywhere."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.browser import screen
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser]


def stands_at(page: Page, row: int) -> None:
    """Check where the cursor is drawn."""
    cursor = page.locator(".row-cursor")
    expect(cursor).to_be_visible()
    grid = page.locator(".stDataFrame").bounding_box()
    assert grid is not None
    page.wait_for_function(
        "row => getComputedStyle(document.documentElement).getPropertyValue('--row') == row",
        arg=str(row),
    )
    box = cursor.bounding_box()
    assert box is not None
    assert abs(box["y"] - grid["y"] - screen.ROW_HEIGHT * row - 33) < 2


def listed(page: Page, names: list[str]) -> None:
    screen.shows_names(page, names)
    screen.settled(page)


def visits(page: Page) -> int:
    return int(page.evaluate("() => history.length"))


def test_keys_and_a_double_click_open_a_row_once_and_come_back_to_it(
    site: Site, visit: Visit
) -> None:
    names = [f"rows_{n}" for n in range(3)]
    for name in names:
        site.applicant(account={"username": name})
    page = visit("ana", "/?search=rows_")
    listed(page, names)
    stands_at(page, 0)

    # A control that was pressed before does not get the list's Enter.
    page.locator(".st-key-queue-owner button").first.focus()
    for key in ("k", "j", "j", "j", "k", "x"):
        page.keyboard.press(key)
    expect(page.locator(".st-key-bulk-bar")).to_contain_text("1 chosen")
    screen.settled(page)
    stands_at(page, 1)
    expect(page.locator(".row-cursor")).to_have_text("rows_1, 2 of 3")
    before = visits(page)
    for _ in range(3):
        page.keyboard.press("Enter")

    screen.shows_application(page, "rows_1")
    assert visits(page) == before + 1
    page.keyboard.press("Escape")
    listed(page, names)
    stands_at(page, 1)

    # Anywhere in the row.
    before = visits(page)
    page.locator(".stDataFrame .dvn-scroller").dblclick(position={"x": 700, "y": 32 + 36 * 2 + 4})
    screen.shows_application(page, "rows_2")
    assert visits(page) == before + 1
    screen.address_has(page, "/application?search=rows_&id=")
    page.go_back()
    listed(page, names)
    stands_at(page, 2)

    screen.search(page).focus()
    page.keyboard.type("j")
    expect(screen.search(page)).to_have_value(re.compile("j"))
    stands_at(page, 2)


@pytest.mark.slow
def test_the_cursor_turns_pages_at_both_ends(site: Site, visit: Visit) -> None:
    for n in range(52):
        site.applicant(meets=False, account={"username": f"turn_{n:02}"})
    page = visit("ana", "/?search=turn_")
    expect(page.get_by_text("1–50 of 52")).to_be_visible()
    screen.settled(page)

    for _ in range(50):
        page.keyboard.press("j")
    expect(page.get_by_text("51–52 of 52")).to_be_visible()
    screen.settled(page)
    stands_at(page, 0)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    screen.shows_application(page, "turn_51")
    page.keyboard.press("Escape")
    expect(page.get_by_text("51–52 of 52")).to_be_visible()
    screen.settled(page)
    stands_at(page, 1)
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(page.get_by_text("1–50 of 52")).to_be_visible()
    stands_at(page, 49)


@pytest.mark.slow
def test_a_decided_row_leaves_the_cursor_at_its_place(site: Site, visit: Visit) -> None:
    ids = [site.applicant(account={"username": f"gone_{n}"}) for n in range(3)]
    page = visit("ana", "/?search=gone_")
    listed(page, ["gone_0", "gone_1", "gone_2"])
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    screen.shows_application(page, "gone_1")

    with site.engine.begin() as connection:
        connection.execute(
            text("update exchange.applications set status = 'withdrawn' where application_id = :n"),
            {"n": ids[1]},
        )
    page.go_back()

    listed(page, ["gone_0", "gone_2"])
    stands_at(page, 1)


@pytest.mark.slow
def test_ten_applications_are_rejected_from_the_queue_by_four_keys_each(
    site: Site, visit: Visit
) -> None:
    """Enter opens; r and 1 choose the reason; Ctrl+Enter goes on, and sends what was seen."""
    ids = [
        site.applicant(meets=False, account={"username": f"press_{n}", "country_code": "ZT"})
        for n in range(10)
    ]
    page = visit("ana", "/?country=ZT")
    listed(page, [f"press_{n}" for n in range(10)])
    page.keyboard.press("Enter")

    for n in range(10):
        screen.shows_application(page, f"press_{n}")
        for key, brings in (
            ("r", page.locator(".st-key-hot-1 button")),
            ("1", page.locator("[class*='st-key-preview-'] button")),
            ("Control+Enter", screen.armed(page)),
        ):
            page.keyboard.press(key)
            brings.first.wait_for()
            screen.settled(page)
        page.keyboard.press("Control+Enter")

    expect(page.get_by_text("matches these filters")).to_be_visible()
    assert site.rows(
        "select count(*) from review.decisions where application_id = any(:ids)", ids=ids
    ) == [(10,)]

"""What a person looks for and presses on the screens."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

expect.set_options(timeout=60_000)

HEADER_HEIGHT, ROW_HEIGHT = 36, 36


def settled(page: Page) -> None:
    """Nothing runs on the server for this page any more."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def answers_to_keys(page: Page) -> None:
    """The script that hears the keys is loaded; a page just opened is seen a moment earlier."""
    page.wait_for_function("() => window.reviewDesk")


def sign_in(page: Page, who: str) -> None:
    page.locator(f"a.person[title='{who}@example.com']").click()
    page.locator(".st-key-header").wait_for()
    settled(page)


def column(page: Page, title: str) -> Locator:
    """The cells of one column of the queue, from the table that screen readers get."""
    headers = page.locator(".stDataFrame [role=columnheader]")
    # Headings of numbers begin with an invisible mark; the one the list is sorted by ends in a sign.
    header = headers.filter(has_text=re.compile(f"^\u061c?{title}( [↑↓])?$"))
    header.wait_for(state="attached")
    place = header.get_attribute("aria-colindex")
    return page.locator(f".stDataFrame [role=gridcell][aria-colindex='{place}']")


def names(page: Page) -> Locator:
    return column(page, "Applicant")


def shows_names(page: Page, expected: list[str]) -> None:
    expect(names(page)).to_have_text(expected)
    grid = page.locator(".stDataFrame [role=grid]")
    expect(grid).to_have_attribute("aria-rowcount", str(len(expected) + 1))


def press_open(page: Page, row: int) -> None:
    """Click where the button of a row is painted."""
    names(page).nth(row).wait_for(state="attached")
    settled(page)
    # What takes the clicks lies over the canvas that shows the cells.
    below = HEADER_HEIGHT + ROW_HEIGHT * row + ROW_HEIGHT // 2
    # Within the button's column, whether or not the boxes to tick stand before it.
    page.locator(".stDataFrame .dvn-scroller").click(position={"x": 44, "y": below})


def tick(page: Page, row: int) -> None:
    """Click where the box of a row is painted."""
    names(page).nth(row).wait_for(state="attached")
    tick_row(page, row)


def tick_each(page: Page, *rows: int) -> None:
    """Tick these, each once the one before it is counted: a table being drawn loses clicks."""
    for number, row in enumerate(rows, start=1):
        tick(page, row)
        expect(page.locator(".st-key-bulk-bar")).to_contain_text(f"{number} chosen")


def tick_row(page: Page, row: int) -> None:
    """The same of any table that is drawn."""
    settled(page)
    below = HEADER_HEIGHT + ROW_HEIGHT * row + ROW_HEIGHT // 2
    page.locator(".stDataFrame .dvn-scroller").click(position={"x": 16, "y": below})


def head(page: Page) -> Locator:
    """The line of an application's page that says whose it is and how it stands."""
    return page.locator(".st-key-application-head")


def shows_application(page: Page, username: str) -> None:
    expect(head(page)).to_contain_text(username)
    settled(page)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def begin(page: Page, word: str, reason: str = "") -> None:
    """Choose to approve or to reject for a reason, and wait for the fields."""
    page.locator(f".st-key-hot-{word[0].lower()} button").first.click()
    if reason:
        page.get_by_role("button", name=reason).first.click()
    expect(page.get_by_label("Rationale (internal)")).to_be_visible()
    settled(page)


def preview(page: Page) -> Locator:
    """Go to what the applicant will get; returns the button that sends it."""
    page.locator("[class*='st-key-preview-'] button").first.click()
    send = page.locator("[class*='st-key-send-'] button").first
    expect(send).to_be_visible()
    settled(page)
    return send


def preview_sends(page: Page) -> Locator:
    """The button of the second step that sends."""
    return page.locator("[class*='st-key-send-'] button").first


def write_rationale(page: Page, words: str) -> None:
    page.get_by_label("Rationale (internal)").fill(words)


def message(page: Page) -> Locator:
    """What the applicant will be sent; while another reason is being chosen there are two."""
    return page.get_by_label("Message to the applicant").first


def said(page: Page) -> Locator:
    """What forms answer with; notices that the page itself carries are not among it."""
    return page.locator("[class*='st-key-answer-'] [data-testid=stAlert] p")


def toast(page: Page, words: str) -> Locator:
    return page.get_by_test_id("stToast").filter(has_text=words)


def address_has(page: Page, part: str) -> None:
    expect(page).to_have_url(re.compile(re.escape(part)))


def press_twice(
    page: Page, button: Locator, pause_ms: int, between: Callable[[], object] = lambda: None
) -> None:
    """Press at one place, and once more after a pause, the pointer at rest between."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*place)
    page.wait_for_timeout(pause_ms)
    between()
    page.mouse.click(*place)

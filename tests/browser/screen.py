"""What a person looks for and presses on the screens."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

expect.set_options(timeout=60_000)

HEADER_HEIGHT, ROW_HEIGHT = 36, 36
# A sending button that has been visible long enough to work.
ARMED = "button:not([aria-disabled])"


def settled(page: Page) -> None:
    """Wait until no run of this page is active on the server."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def answers_to_keys(page: Page) -> None:
    """Wait for the keyboard script, which loads a moment after the page."""
    page.wait_for_function("() => window.reviewDesk")


def sign_in(page: Page, who: str) -> None:
    page.locator(f"a.person[title='{who}@example.com']").click()
    page.locator(".st-key-header").wait_for()
    settled(page)


def column(page: Page, title: str) -> Locator:
    """Return a column's cells in the queue, from the table for screen readers."""
    headers = page.locator(".stDataFrame [role=columnheader]")
    # Headings of numbers start with an invisible mark; the sorted one ends in an arrow.
    header = headers.filter(has_text=re.compile(f"^\u061c?{title}( [↑↓])?$"))
    header.wait_for(state="attached")
    place = header.get_attribute("aria-colindex")
    return page.locator(f".stDataFrame [role=gridcell][aria-colindex='{place}']")


def names(page: Page) -> Locator:
    return column(page, "Applicant")


def table(page: Page) -> Locator:
    """Return the canvas of the list."""
    return page.locator("[data-testid=stDataFrame] canvas").first


def range_shown(page: Page) -> Locator:
    """Return the words below the queue: which of how many are shown."""
    return page.locator(".st-key-queue-pages p").first


def search(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search")


def eligibility(page: Page, word: str) -> Locator:
    """Return the queue's filter by an outcome, with its count."""
    return page.get_by_role("button", name=re.compile(rf"^{word} [\d,]+$"))


def shows_names(page: Page, expected: list[str]) -> None:
    expect(names(page)).to_have_text(expected)
    grid = page.locator(".stDataFrame [role=grid]")
    expect(grid).to_have_attribute("aria-rowcount", str(len(expected) + 1))


def press_open(page: Page, row: int) -> None:
    """Click into a row."""
    names(page).nth(row).wait_for(state="attached")
    settled(page)
    # The element that takes clicks covers the canvas with the cells.
    below = HEADER_HEIGHT + ROW_HEIGHT * row + ROW_HEIGHT // 2
    # Beside the boxes to tick, if there are any.
    page.locator(".stDataFrame .dvn-scroller").click(position={"x": 44, "y": below})


def tick(page: Page, row: int) -> None:
    """Click the checkbox of a row on the canvas."""
    names(page).nth(row).wait_for(state="attached")
    tick_row(page, row)


def tick_each(page: Page, *rows: int) -> None:
    """Tick rows one by one, waiting for each count: a table being redrawn loses clicks."""
    for number, row in enumerate(rows, start=1):
        tick(page, row)
        expect(page.locator(".st-key-bulk-bar")).to_contain_text(f"{number} chosen")


def tick_row(page: Page, row: int) -> None:
    """Tick a row of any table."""
    settled(page)
    below = HEADER_HEIGHT + ROW_HEIGHT * row + ROW_HEIGHT // 2
    page.locator(".stDataFrame .dvn-scroller").click(position={"x": 16, "y": below})


def head(page: Page) -> Locator:
    """Return the line with an application's owner and status."""
    return page.locator(".st-key-application-head")


def shows_application(page: Page, username: str) -> None:
    expect(head(page)).to_contain_text(username)
    settled(page)


def other_filters(page: Page) -> None:
    """Open the popover with the queue's rarer filters."""
    page.locator(".st-key-queue-others button").first.click()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def order(page: Page) -> Locator:
    """Return the button that says the queue's order and opens the others."""
    return page.locator(".st-key-queue-order button")


def begin(page: Page, word: str, reason: str = "") -> None:
    """Choose to approve, or to reject for a reason, and wait for the fields."""
    page.locator(f".st-key-hot-{word[0].lower()} button").first.click()
    if reason:
        page.get_by_role("button", name=reason).first.click()
    expect(page.get_by_label("Rationale (internal)")).to_be_visible()
    settled(page)


def preview(page: Page) -> Locator:
    """Go to the preview of the message; returns the button that sends it."""
    page.locator("[class*='st-key-preview-'] button").first.click()
    send = page.locator("[class*='st-key-send-'] button").first
    expect(send).to_be_visible()
    settled(page)
    return send


def preview_sends(page: Page) -> Locator:
    """Return the sending button of the second step."""
    return page.locator("[class*='st-key-send-'] button").first


def armed(page: Page) -> Locator:
    """Return the sending button of the second step once it works."""
    return page.locator(f"[class*='st-key-send-'] {ARMED}").first


def write_rationale(page: Page, words: str) -> None:
    page.get_by_label("Rationale (internal)").fill(words)


def message(page: Page) -> Locator:
    """Return the message's field; while another reason is chosen there are two."""
    return page.get_by_label("Message to the applicant").first


def results(page: Page) -> Locator:
    """Return the results of forms, without the page's own notices."""
    return page.locator("[class*='st-key-answer-'] [data-testid=stAlert] p")


def toast(page: Page, words: str) -> Locator:
    return page.get_by_test_id("stToast").filter(has_text=words)


def address_has(page: Page, part: str) -> None:
    expect(page).to_have_url(re.compile(re.escape(part)))


def press_twice(
    page: Page, button: Locator, pause_ms: int, between: Callable[[], object] = lambda: None
) -> None:
    """Press at one place twice with a pause, without moving the pointer."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*place)
    page.wait_for_timeout(pause_ms)
    between()
    page.mouse.click(*place)

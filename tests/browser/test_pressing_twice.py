"""Nothing is sent that was not on the screen long enough before the press."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import screen
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser]

PAUSES_MS = (450,)
ALL_PAUSES_MS = (100, 200, 300, 400, 450, 500, 550, 600, 650, 700, 800, 900, 1100, 1300, 1500)
# The key of each decision, and the choice it needs.
WAYS = {"a": None, "r": "Reach could not", "i": "Proof of the profile", "d": "In a week"}
# Label of each bulk act, and how its fields are filled.
MANY: dict[str, Callable[[Page], None] | None] = {
    "Claim": None,
    "Assign": lambda page: screen.choose(page, "Colleague", "Ben Okafor"),
    "Defer": lambda page: page.get_by_text("Until a criterion's result").click(),
    "Ask for information": lambda page: screen.choose(page, "Question", "Proof of the profile"),
    "Reject": lambda page: screen.choose(page, "Reason", "Reach could not be confirmed"),
}


def happened(site: Site, *numbers: int) -> list[str]:
    """Return the acts on these applications, without views."""
    rows = site.rows(
        "select kind from review.events where application_id = any(:ids) "
        "union all select outcome from review.decisions where application_id = any(:ids)",
        ids=list(numbers),
    )
    return [kind for (kind,) in rows]


def send_button(page: Page, number: int) -> Locator:
    return page.locator(f".st-key-send-{number} button").first


@pytest.mark.slow
def test_pressing_preview_twice_shows_it_and_sends_nothing(site: Site, visit: Visit) -> None:
    twice_on_preview(site, visit, PAUSES_MS, ways=("a",))


@pytest.mark.slow
def test_pressing_preview_twice_at_any_pace_sends_nothing(site: Site, visit: Visit) -> None:
    twice_on_preview(site, visit, ALL_PAUSES_MS)


def twice_on_preview(
    site: Site, visit: Visit, pauses: Sequence[int], ways: Sequence[str] = tuple(WAYS)
) -> None:
    number = site.applicant(checked=True, account={"username": "pressed_twice"})
    page = visit("ana", f"/application?id={number}")
    screen.shows_application(page, "pressed_twice")
    for key in ways:
        chosen = WAYS[key]
        page.locator(f".st-key-choose-{key}-{number} button").first.click()
        if chosen:
            page.get_by_role("button", name=chosen).first.click()
        preview = page.locator(f".st-key-preview-{number} button").first
        for pause in pauses:
            preview.wait_for()
            screen.settled(page)
            if key == "r":
                page.get_by_label("Override reason").fill("A test of the hand.")
            screen.press_twice(page, preview, pause)

            expect(send_button(page, number)).to_be_visible()
            screen.settled(page)
            expect(send_button(page, number)).to_be_visible()
            page.locator(f".st-key-back-{number} button").first.click()
            preview.wait_for()
            assert happened(site, number) == [], (key, pause)


@pytest.mark.slow
def test_pressing_twice_in_a_dialog_sends_nothing(site: Site, visit: Visit) -> None:
    twice_in_dialogs(site, visit, PAUSES_MS)


@pytest.mark.slow
def test_pressing_twice_in_a_dialog_at_any_pace_sends_nothing(site: Site, visit: Visit) -> None:
    twice_in_dialogs(site, visit, ALL_PAUSES_MS)


def twice_in_dialogs(site: Site, visit: Visit, pauses: Sequence[int]) -> None:
    numbers = [
        site.applicant(meets=False, account={"username": f"many_{n}", "country_code": "ZM"})
        for n in range(2)
    ]
    page = visit("mira", "/?country=ZM")
    screen.names(page).first.wait_for(state="attached")
    screen.tick_each(page, 0, 1)
    for label, fill in MANY.items():
        opens = page.locator(".st-key-bulk-bar").get_by_role("button", name=label)
        for pause in pauses:
            screen.settled(page)
            dialog = page.get_by_role("dialog")
            if fill is None:
                before_second: list[int] = []
                look = partial(note_number, dialog, before_second)
                screen.press_twice(page, opens, pause, between=look)
                if before_second == [0]:
                    # Both presses came before the dialog was drawn.
                    dialog.wait_for()
            else:
                opens.click()
                dialog.wait_for()
                fill(page)
                screen.settled(page)
                screen.press_twice(page, page.locator(".st-key-bulk-go-on button").first, pause)
            # The second press may lead back, or close the dialog; it sends nothing.
            screen.settled(page)
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
            assert happened(site, *numbers) == [], (label, pause)


def note_number(of: Locator, notes: list[int]) -> None:
    notes.append(of.count())

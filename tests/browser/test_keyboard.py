"""Shortcuts work while nobody types, and only then."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import screen
from tests.browser.conftest import Site, Visit
from tests.browser.screen import ARMED

pytestmark = [pytest.mark.browser]


def opened(site: Site, visit: Visit, username: str) -> tuple[Page, int]:
    number = site.applicant(meets=False, account={"username": username})
    page = visit("ana", f"/application?id={number}")
    ready(page, username)
    return page, number


def ready(page: Page, username: str) -> None:
    """Wait until the page is drawn to its last button."""
    screen.shows_application(page, username)
    page.locator(".st-key-hot-r button").first.wait_for()
    note(page).wait_for()
    page.wait_for_function("() => window.reviewDesk")


def note(page: Page) -> Locator:
    return page.get_by_label("Internal note").first


def fence(page: Page) -> None:
    """Save a note: the server processes acts in order, so all presses before are done."""
    note(page).fill("A fence.")
    page.get_by_role("button", name="Add note").click()
    expect(screen.toast(page, "Note added.").last).to_be_visible()
    screen.settled(page)


def decided(site: Site, number: int) -> list[str]:
    return [
        outcome
        for (outcome,) in site.rows(
            "select outcome from review.decisions where application_id = :n", n=number
        )
    ]


def test_keys_are_letters_in_the_note_and_rest_below_the_help(site: Site, visit: Visit) -> None:
    page, _ = opened(site, visit, "lettered")

    page.keyboard.press("n")
    expect(note(page)).to_be_focused()
    page.keyboard.type("no crj / ? 1")

    expect(note(page)).to_have_value("no crj / ? 1")
    screen.shows_application(page, "lettered")
    expect(page.get_by_text("Press its number")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(note(page)).not_to_be_focused()
    expect(note(page)).to_have_value("no crj / ? 1")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    page.keyboard.press("n")
    expect(note(page)).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Help")).to_have_count(0)


@pytest.mark.slow
def test_slash_goes_to_the_search(site: Site, visit: Visit) -> None:
    site.applicant(account={"username": "slashed"})
    page = visit("ana")
    search = screen.search(page)
    search.wait_for()
    page.wait_for_function("() => window.reviewDesk")

    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("slashed/")

    expect(search).to_have_value("slashed/")


@pytest.mark.slow
def test_a_letter_with_a_modifier_is_no_key(site: Site, visit: Visit) -> None:
    page, _ = opened(site, visit, "modified")

    for held in ("Control", "Alt", "Meta", "Shift"):
        page.keyboard.press(f"{held}+n")
        expect(note(page)).not_to_be_focused()

    page.keyboard.press("n")
    expect(note(page)).to_be_focused()


@pytest.mark.slow
def test_control_and_enter_in_the_note_sends_the_note_alone(site: Site, visit: Visit) -> None:
    page, number = opened(site, visit, "two_forms")
    for key, brings in (("r", ".st-key-hot-1"), ("1", f".st-key-preview-{number}")):
        page.keyboard.press(key)
        page.locator(brings).first.wait_for()
        screen.settled(page)
    page.keyboard.press("Control+Enter")
    page.locator(f".st-key-send-{number}").wait_for()
    screen.settled(page)

    page.keyboard.press("n")
    page.keyboard.type("Beside the decision.")
    page.keyboard.press("Control+Enter")

    expect(screen.toast(page, "Note added.")).to_be_visible()
    screen.settled(page)
    assert decided(site, number) == []
    assert site.rows("select body from review.notes where application_id = :n", n=number) == [
        ("Beside the decision.",)
    ]
    expect(page.locator(f".st-key-send-{number}")).to_be_visible()


def test_keys_pressed_faster_than_the_server_draws_wait_but_send_nothing_unseen(
    site: Site, visit: Visit
) -> None:
    page, number = opened(site, visit, "fast_hands")

    # Held down it acts once: a second press would close the fields again.
    page.keyboard.down("r")
    page.keyboard.down("r")
    page.keyboard.up("r")
    for key in ("1", "Control+Enter", "Control+Enter", "Control+Enter"):
        page.keyboard.press(key)

    page.locator(f".st-key-send-{number} {ARMED}").wait_for()
    screen.settled(page)
    fence(page)
    assert decided(site, number) == []
    page.keyboard.press("Control+Enter")
    expect(screen.toast(page, "is rejected.")).to_be_visible()
    assert decided(site, number) == ["rejected"]


@pytest.mark.slow
def test_two_quick_presses_in_a_field_show_the_preview_and_send_nothing(
    site: Site, visit: Visit
) -> None:
    page, number = opened(site, visit, "twice_pressed")
    for key, brings in (("r", ".st-key-hot-1"), ("1", f".st-key-preview-{number}")):
        page.keyboard.press(key)
        page.locator(brings).first.wait_for()
        screen.settled(page)
    page.get_by_label("Rationale (internal)").fill("Edited by hand.")

    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")

    page.locator(f".st-key-send-{number}").wait_for()
    screen.settled(page)
    fence(page)
    assert decided(site, number) == []


@pytest.mark.slow
def test_a_key_held_down_acts_once(site: Site, visit: Visit) -> None:
    first, second, _ = (site.applicant(account={"username": f"heldkey_{n}"}) for n in "abc")
    page = visit("ana", f"/application?id={first}&search=heldkey_")
    ready(page, "heldkey_a")

    for _ in range(4):
        page.keyboard.down("j")
    page.keyboard.up("j")

    screen.shows_application(page, "heldkey_b")
    fence(page)
    screen.shows_application(page, "heldkey_b")
    assert site.rows(
        "select application_id from review.notes where body = 'A fence.' and application_id >= :n",
        n=first,
    ) == [(second,)]


@pytest.mark.slow
def test_help_opens_with_a_question_mark_and_keys_rest_below_it(visit: Visit) -> None:
    page = visit("ana")
    page.locator(".st-key-help button").first.wait_for()
    page.wait_for_function("() => window.reviewDesk")
    screen.settled(page)
    help_ = page.get_by_role("dialog", name="Help")

    page.keyboard.press("?")
    expect(help_).to_be_visible()
    page.keyboard.press("/")
    expect(screen.search(page)).not_to_be_focused()
    page.keyboard.press("Escape")

    expect(help_).to_have_count(0)

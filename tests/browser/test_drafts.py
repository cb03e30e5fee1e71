"""Unsent text belongs to its author until it is sent, whatever happens in between."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from tests.browser import screen
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site, Visit, signed_in
from tests.browser.screen import ARMED
from tests.browser.serving import served

pytestmark = [pytest.mark.browser]

WORDS = "Asked for a media kit.\n<img src=x onerror=alert(1)> **Friday**"
KEPT = (
    "() => Object.keys(localStorage).filter(place => place.startsWith('affiliate-review-draft:'))"
)
AGED = """days => { for (const place of Object.keys(localStorage)) {
    const kept = JSON.parse(localStorage[place]);
    localStorage[place] = JSON.stringify({...kept, at: kept.at - days * 24 * 60 * 60 * 1000});
} }"""


def opened(page: Page, number: int, username: str) -> Locator:
    """Return the application's note field."""
    page.goto(f"/application?id={number}")
    screen.shows_application(page, username)
    return note(page)


def note(page: Page) -> Locator:
    # The field of a note just sent may remain below the new one until the run ends.
    return page.get_by_label("Internal note").first


def restored(page: Page) -> Locator:
    return page.get_by_text("Draft restored")


def typed(field: Locator, words: str = WORDS) -> None:
    """Type without sending; the field keeps the focus."""
    field.page.wait_for_function("() => window.reviewDesk")
    field.press_sequentially(words)


def is_back(page: Page, words: str = WORDS) -> None:
    expect(note(page)).to_have_value(words)
    expect(restored(page)).to_be_visible()


def test_an_unsent_note_is_there_again_for_its_author_alone_and_is_sent_as_it_was(
    site: Site, visit: Visit
) -> None:
    number = site.applicant(account={"username": "reloaded"})
    page = visit("ana")
    typed(opened(page, number, "reloaded"))
    ana = page.context.cookies()

    # Somebody else in the same browser.
    page.context.clear_cookies()
    page.context.add_cookies(signed_in(site.address, "ben")["cookies"])  # type: ignore[arg-type]
    expect(opened(page, number, "reloaded")).to_have_value("")
    expect(restored(page)).to_have_count(0)

    page.context.clear_cookies()
    page.context.add_cookies(ana)  # type: ignore[arg-type]
    page.reload()
    is_back(page)
    screen.settled(page)
    page.get_by_role("button", name="Add note").click()
    expect(screen.toast(page, "Note added.")).to_be_visible()
    expect(note(page)).to_have_value("")
    assert site.rows("select body from review.notes where application_id = :n", n=number) == [
        (WORDS,)
    ]


@pytest.mark.slow
def test_a_sent_note_leaves_nothing_behind(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "sent_off"})
    page = visit("ana")
    field = opened(page, number, "sent_off")
    typed(field, "First.")
    # The second click interrupts the first one's run.
    page.get_by_role("button", name="Add note").dblclick()
    expect(screen.toast(page, "Note added.")).to_be_visible()
    screen.settled(page)
    assert page.evaluate(KEPT) == []

    typed(field, "Second.")
    assert len(page.evaluate(KEPT)) == 1
    page.reload()
    is_back(page, "Second.")


@pytest.mark.slow
def test_a_refused_note_is_kept(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "refused_note"})
    page = visit("ana")
    field = opened(page, number, "refused_note")
    page.wait_for_function("() => window.reviewDesk")
    field.fill("x" * 20_000)
    page.get_by_role("button", name="Add note").click()
    expect(screen.results(page).first).to_be_visible()
    screen.settled(page)

    page.reload()

    is_back(page, "x" * 20_000)


@pytest.mark.slow
def test_an_unsent_note_waits_while_one_looks_at_the_next(site: Site, visit: Visit) -> None:
    number, _ = (site.applicant(account={"username": f"drafted_{n}"}) for n in "ab")
    page = visit("ana", f"/application?id={number}&search=drafted_")
    screen.shows_application(page, "drafted_a")
    typed(note(page), "About a.")
    page.keyboard.press("Escape")

    page.keyboard.press("j")
    screen.shows_application(page, "drafted_b")
    expect(note(page)).to_have_value("")
    expect(restored(page)).to_have_count(0)
    typed(note(page), "About b.")
    page.keyboard.press("Escape")

    page.keyboard.press("k")
    screen.shows_application(page, "drafted_a")
    is_back(page, "About a.")
    page.keyboard.press("j")
    screen.shows_application(page, "drafted_b")
    is_back(page, "About b.")


@pytest.mark.slow
def test_an_unsent_note_survives_the_end_of_the_server(
    site: Site, chromium: Browser, cookies: dict[str, StorageState], visit: Visit
) -> None:
    number = site.applicant(account={"username": "outlives"})
    visit("ana").close()
    server = served(Path(site.cluster.home))
    with server as address:
        context = chromium.new_context(
            base_url=address, viewport=DESKTOP, storage_state=cookies["ana"]
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        typed(opened(page, number, "outlives"))
        server.process.kill()
        server.process.wait(10)
    with server:
        # The page reconnects by itself.
        page.locator("[data-test-connection-state=CONNECTED]").wait_for()
        screen.settled(page)
        # The text was never lost, so no restored text is announced.
        expect(note(page)).to_have_value(WORDS)
        page.reload()
        is_back(page)
        context.close()


@pytest.mark.slow
def test_nobody_else_sees_a_draft_who_signs_in_with_the_same_browser(
    site: Site, visit: Visit
) -> None:
    number = site.applicant(account={"username": "private"})
    page = visit("ana")
    typed(opened(page, number, "private"))

    page.context.clear_cookies()
    page.goto(f"/application?id={number}")
    screen.sign_in(page, "ben")
    screen.shows_application(page, "private")
    expect(note(page)).to_have_value("")
    expect(restored(page)).to_have_count(0)

    page.context.clear_cookies()
    page.goto(f"/application?id={number}")
    screen.sign_in(page, "ana")
    is_back(page)


@pytest.mark.slow
def test_signing_out_takes_every_draft_along(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "signed_out"})
    page = visit(None, f"/application?id={number}")
    screen.sign_in(page, "ben")
    typed(opened(page, number, "signed_out"))
    assert len(page.evaluate(KEPT)) == 1

    page.get_by_role("button", name="Ben Okafor").click()
    page.get_by_role("link", name="Sign out").click()

    expect(page.get_by_text("Choose a person")).to_be_visible()
    assert page.evaluate(KEPT) == []


@pytest.mark.slow
@pytest.mark.parametrize(("days", "kept"), [(6.9, True), (7.1, False)])
def test_a_draft_lives_for_a_week(site: Site, visit: Visit, days: float, kept: bool) -> None:
    number = site.applicant(account={"username": "aged"})
    page = visit("ana")
    typed(opened(page, number, "aged"))
    page.evaluate(AGED, days)

    page.reload()
    screen.shows_application(page, "aged")

    if kept:
        is_back(page)
    else:
        expect(note(page)).to_have_value("")
        assert page.evaluate(KEPT) == []


@pytest.mark.slow
def test_a_restored_draft_can_be_discarded(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "discarded"})
    page = visit("ana")
    typed(opened(page, number, "discarded"))
    page.reload()
    is_back(page)

    page.get_by_role("button", name="Discard").click()

    expect(note(page)).to_have_value("")
    expect(restored(page)).to_have_count(0)
    page.reload()
    screen.shows_application(page, "discarded")
    expect(note(page)).to_have_value("")


@pytest.mark.slow
def test_an_edited_rationale_is_there_again_when_its_reason_is_chosen(
    site: Site, visit: Visit
) -> None:
    number = site.applicant(meets=False, account={"username": "reasoned"})
    page = visit("ana", f"/application?id={number}")
    screen.shows_application(page, "reasoned")
    rationale = page.get_by_label("Rationale (internal)")
    begin_rejection(page)
    rationale.fill("First words.")
    page.keyboard.press("Control+Enter")
    page.locator(f".st-key-send-{number}").wait_for()
    page.keyboard.press("Escape")
    expect(rationale).to_have_value("First words.")
    rationale.fill("Better words.")

    page.reload()
    screen.shows_application(page, "reasoned")
    begin_rejection(page)
    expect(rationale).to_have_value("Better words.")
    screen.settled(page)
    page.keyboard.press("Control+Enter")
    page.locator(f".st-key-send-{number} {ARMED}").wait_for()
    screen.settled(page)
    page.keyboard.press("Control+Enter")
    expect(screen.toast(page, "is rejected.")).to_be_visible()

    screen.settled(page)
    assert site.rows(
        "select rationale from review.decisions where application_id = :n", n=number
    ) == [("Better words.",)]
    assert page.evaluate(KEPT) == []


def begin_rejection(page: Page) -> None:
    page.wait_for_function("() => window.reviewDesk")
    page.locator(".st-key-hot-r button").first.wait_for()
    page.keyboard.press("r")
    page.locator(".st-key-hot-1 button").wait_for()
    screen.settled(page)
    page.keyboard.press("1")
    page.get_by_label("Rationale (internal)").wait_for()
    screen.settled(page)

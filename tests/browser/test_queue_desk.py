"""Working in the queue: ticking rows, bulk acts, news that moves nothing, shortcuts."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from data_access.review import claims
from tests.browser import screen
from tests.browser.conftest import Site, Visit
from tests.browser.screen import ARMED

pytestmark = [pytest.mark.browser]

SEARCH = "/?search=desk_"


@pytest.fixture
def three(site: Site) -> list[int]:
    return [site.applicant(account={"username": f"desk_{n}"}) for n in range(3)]


def bar(page: Page) -> screen.Locator:
    return page.locator(".st-key-bulk-bar")


def claimed(site: Site, ids: list[int]) -> list[str]:
    return [
        assignee
        for (assignee,) in site.rows(
            "select assignee from review.desk where application_id = any(:ids) order by 1", ids=ids
        )
    ]


@pytest.mark.slow
def test_ticked_rows_are_claimed_after_a_confirmation_that_names_them(
    three: list[int], site: Site, visit: Visit
) -> None:
    page = visit("ana", SEARCH)
    screen.shows_names(page, ["desk_0", "desk_1", "desk_2"])
    screen.tick_each(page, 0, 2)

    bar(page).get_by_role("button", name="Claim").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("desk_0, desk_2")
    assert claimed(site, three) == []
    dialog.locator(f".st-key-bulk-confirm {ARMED}").wait_for()
    screen.settled(page)
    page.keyboard.press("Control+Enter")

    expect(page.locator(".st-key-bulk-report")).to_contain_text("Claimed 2 of 2 applications")
    expect(dialog).to_have_count(0)
    assert claimed(site, three) == ["ana@example.com"] * 2
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".st-key-bulk-report")).to_have_count(0)


@pytest.mark.slow
def test_escape_leaves_the_dialog_and_the_ticks_stay(three: list[int], visit: Visit) -> None:
    page = visit("ana", SEARCH)
    screen.tick(page, 1)
    bar(page).get_by_role("button", name="Defer").click()
    expect(page.get_by_role("dialog")).to_contain_text("Until")
    screen.settled(page)

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    screen.settled(page)
    expect(bar(page)).to_contain_text("1 chosen")


@pytest.mark.slow
def test_news_come_without_a_reload_and_leave_the_ticks_alone(
    three: list[int], site: Site, visit: Visit
) -> None:
    page = visit("ana", SEARCH)
    screen.shows_names(page, ["desk_0", "desk_1", "desk_2"])
    screen.tick(page, 1)
    expect(bar(page)).to_contain_text("1 chosen")

    site.applicant(account={"username": "desk_3"})
    claims.claim(
        site.engine,
        claims.Claim(
            application_id=three[0],
            actor="ben@example.com",
            at=datetime.now(UTC),
            request_id=uuid4(),
        ),
    )

    news = page.locator(".st-key-queue-news")
    expect(news).to_contain_text("1 new · 1 changed")
    expect(bar(page)).to_contain_text("1 chosen")
    screen.shows_names(page, ["desk_0", "desk_1", "desk_2"])

    news.get_by_role("button", name="Show").click()
    expect(screen.names(page)).to_have_count(4)
    expect(news).to_have_count(0)


@pytest.mark.slow
def test_the_keys_search_and_explain_themselves(three: list[int], visit: Visit) -> None:
    page = visit("ana")
    expect(screen.names(page).first).to_be_attached()
    screen.settled(page)

    page.keyboard.press("/")
    expect(screen.search(page)).to_be_focused()
    page.keyboard.type("desk_2")
    screen.shows_names(page, ["desk_2"])
    page.keyboard.press("Escape")
    page.keyboard.press("?")

    expect(page.get_by_role("dialog")).to_contain_text("claim and open the next unassigned")


def test_next_takes_the_best_and_the_following_the_next_best(
    three: list[int], site: Site, visit: Visit
) -> None:
    page = visit("ana", SEARCH)
    screen.shows_names(page, ["desk_0", "desk_1", "desk_2"])
    screen.settled(page)

    page.keyboard.press("u")
    # A second press before that page was visible means the same application.
    page.keyboard.press("u")
    screen.shows_application(page, "desk_0")
    page.locator("html:not([data-taking-next])").wait_for(state="attached")
    assert claimed(site, three) == ["ana@example.com"]
    page.keyboard.press("u")
    screen.shows_application(page, "desk_1")

    assert claimed(site, three) == ["ana@example.com"] * 2


# Without the browser's guard every press reaches the server.
UNGUARDED = "() => { document.documentElement.hasAttribute = () => false; }"


@pytest.mark.slow
def test_presses_of_next_before_its_application_was_seen_count_once(
    site: Site, visit: Visit
) -> None:
    ids = [site.applicant(account={"username": f"twice_{n}"}) for n in range(7)]
    page = visit("ana", "/?search=twice_")
    screen.shows_names(page, [f"twice_{n}" for n in range(7)])
    screen.settled(page)
    page.evaluate(UNGUARDED)
    button = page.locator(".st-key-take-next button").first

    # From the list and from an application.
    press_twice_at_once(button)
    wait_until_shown(page, "twice_0")
    button.dblclick()
    wait_until_shown(page, "twice_1")
    # A key pressed while the server is busy waits there; the guard drops it.
    page.evaluate("() => { delete document.documentElement.hasAttribute; }")
    for _ in range(3):
        page.keyboard.press("u")
    wait_until_shown(page, "twice_2")
    page.keyboard.press("u")
    wait_until_shown(page, "twice_3")
    assert claimed(site, ids) == ["ana@example.com"] * 4

    # Another tab is another view.
    other = page.context.new_page()
    other.goto("/?search=twice_")
    screen.shows_names(other, [f"twice_{n}" for n in range(7)])
    screen.settled(other)
    other.evaluate(UNGUARDED)
    press_twice_at_once(other.locator(".st-key-take-next button").first)
    wait_until_shown(other, "twice_4")
    press_twice_at_once(button)
    wait_until_shown(page, "twice_5")
    assert claimed(site, ids) == ["ana@example.com"] * 6


def press_twice_at_once(button: Locator) -> None:
    """Send both presses before the first is answered."""
    button.evaluate("button => { button.click(); button.click(); }")


def wait_until_shown(page: Page, username: str) -> None:
    """Wait until the application has been visible for a moment."""
    screen.shows_application(page, username)
    page.locator("html:not([data-taking-next])").wait_for(state="attached")
    screen.shows_application(page, username)

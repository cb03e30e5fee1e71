"""One application: whatever is written, recorded and decided is in Postgres, once."""

import re
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import screen
from tests.browser.conftest import DESKTOP, Site, Visit

pytestmark = [pytest.mark.browser]


def opened(visit: Visit, who: str, number: int, username: str) -> Page:
    page = visit(who, f"/application?id={number}")
    screen.shows_application(page, username)
    return page


def decisions(site: Site, number: int) -> list[tuple[Any, ...]]:
    return site.rows(
        "select outcome, decided_by, rationale from review.decisions where application_id = :n",
        n=number,
    )


@pytest.mark.slow
def test_a_note_is_in_the_thread_with_its_author(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "noted"})
    page = opened(visit, "ana", number, "noted")

    page.get_by_label("Internal note").fill("Asked for a media kit.\nAnswer by Friday.")
    page.get_by_role("button", name="Add note").click()

    expect(screen.toast(page, "Note added.")).to_be_visible()
    expect(page.get_by_text("Thread · 2")).to_be_visible()
    thread = page.get_by_test_id("stText").filter(has_text="Asked for a media kit.")
    expect(thread).to_have_text("Asked for a media kit.\nAnswer by Friday.")
    expect(page.get_by_label("Internal note")).to_have_value("")
    assert site.rows(
        "select body, author from review.notes where application_id = :n", n=number
    ) == [("Asked for a media kit.\nAnswer by Friday.", "ana@example.com")]


@pytest.mark.slow
def test_a_double_click_writes_one_note(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "noted_once"})
    page = opened(visit, "ana", number, "noted_once")

    page.get_by_label("Internal note").fill("Once.")
    page.get_by_role("button", name="Add note").dblclick()

    expect(page.get_by_text("Thread · 2")).to_be_visible()
    screen.settled(page)
    expect(screen.results(page)).to_have_count(0)
    assert site.one("select count(*) from review.notes where application_id = :n", n=number) == 1


@pytest.mark.slow
def test_evidence_counts_as_soon_as_it_is_recorded(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, account={"username": "well_known"})
    page = opened(visit, "ana", number, "well_known")
    expect(screen.head(page)).to_contain_text("not met")

    page.get_by_role("button", name="Record followers").click()
    page.get_by_label("Followers on X").fill("5,001 or so")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(screen.results(page)).to_contain_text("Write the value as a plain number")
    expect(page.get_by_label("Followers on X")).to_have_value("5,001 or so")
    page.get_by_label("Followers on X").fill("5001")
    page.get_by_label("Source").fill("https://x.example/well_known")
    page.get_by_role("button", name="Record", exact=True).click()

    expect(screen.head(page)).to_contain_text("met · external")
    screen.settled(page)
    expect(page.get_by_text("5,001 of > 5,000")).to_be_visible()
    assert site.rows(
        "select kind, value, source_url, recorded_by from review.evidence"
        " where application_id = :n order by evidence_id desc limit 1",
        n=number,
    ) == [("x_followers", Decimal(5001), "https://x.example/well_known", "ana@example.com")]


def done(page: Page, number: int, word: str) -> None:
    """Check that a toast names the act and the page has moved on."""
    expect(screen.toast(page, f" is {word}.")).to_be_visible()
    screen.settled(page)


def test_an_approval_by_a_double_click_is_one_whole(site: Site, visit: Visit) -> None:
    number = site.applicant(checked=True, account={"username": "welcome"})
    page = opened(visit, "ana", number, "welcome")
    opens_where_it_has_room(page)

    screen.begin(page, "Approve")
    page.get_by_label("Rebate").fill("25.50")
    screen.write_rationale(page, "Steady volume.")
    screen.preview(page).dblclick()

    done(page, number, "approved")
    expect(screen.results(page)).to_have_count(0)
    assert site.rows(
        "select outcome, rebate_rate, rationale, decided_by, is_override, status, "
        "(select array_agg(kind || ' ' || actor) from review.events e"
        "  where e.application_id = a.application_id), "
        "(select array_agg(channel || ' ' || recipient) from review.outbox o"
        "  where o.decision_id = d.decision_id) "
        "from review.decisions d join exchange.applications a using (application_id) "
        "where application_id = :n",
        n=number,
    ) == [
        (
            "approved",
            Decimal("0.2550"),
            "Steady volume.",
            "ana@example.com",
            False,
            "approved",
            ["approved ana@example.com"],
            [f"telegram contact{number}"],
        )
    ]
    page.goto(f"/application?id={number}")
    expect(page.get_by_text("Rebate 25.5 % of net fees")).to_be_visible()


def test_the_letter_has_more_room_than_the_form_and_the_buttons_a_line_each(
    site: Site, visit: Visit
) -> None:
    number = site.applicant(checked=True, account={"username": "lettered_widely"})
    page = opened(visit, "ana", number, "lettered_widely")
    panel = page.locator(".st-key-decision")
    for width in (1440, 1281, 1024):
        page.set_viewport_size({"width": width, "height": 900})
        screen.begin(page, "Approve")
        before = height_and_width(panel)[1]
        send = screen.preview(page)
        expect(page.locator("[class*='st-key-letter']")).to_be_visible()
        assert height_and_width(panel)[1] > before, width
        assert height_and_width(send)[0] < 50, width
        page.keyboard.press("Escape")
        expect(page.get_by_label("Rebate")).to_be_visible()


def height_and_width(part: Locator) -> tuple[float, float]:
    box = part.bounding_box()
    assert box is not None
    return box["height"], box["width"]


@pytest.mark.slow
def test_a_rejection_names_its_reason(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, account={"username": "not_yet"})
    page = opened(visit, "ben", number, "not_yet")

    screen.begin(page, "Reject", "Below the minimums")
    screen.write_rationale(page, "Too early.")
    expect(screen.message(page)).to_have_value(re.compile("^Hello not_yet,"))
    screen.preview(page).click()

    done(page, number, "rejected")
    assert decisions(site, number) == [("rejected", "ben@example.com", "Too early.")]
    assert site.one(
        "select reason_code from review.decisions where application_id = :n", n=number
    ) == ("below_minimums")


@pytest.mark.slow
def test_going_against_eligibility_waits_for_a_second_person(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, checked=True, account={"username": "promising"})
    page = opened(visit, "ana", number, "promising")

    screen.begin(page, "Approve")
    screen.write_rationale(page, "A known voice.")
    page.get_by_label("Override reason (internal)").fill("Known for years.")
    send = screen.preview(page)
    expect(send).to_contain_text("Ask for a second approval")
    send.click()
    expect(screen.toast(page, "waits for a second approval")).to_be_visible()
    assert decisions(site, number) == []

    manager = opened(visit, "mira", number, "promising")
    expect(manager.get_by_text("Known for years.").first).to_be_visible()
    manager.get_by_role("button", name="Confirm").first.click()

    expect(screen.head(manager)).to_contain_text("approved")
    assert site.rows(
        "select decided_by, second_approver, is_override from review.decisions"
        " where application_id = :n",
        n=number,
    ) == [("ana@example.com", "mira@example.com", True)]


@pytest.mark.slow
def test_typed_text_survives_another_choice(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, account={"username": "undecided"})
    page = opened(visit, "ana", number, "undecided")
    screen.begin(page, "Reject", "9 · Other")
    screen.write_rationale(page, "Weighed at length.")

    page.locator(".st-key-hot-d button").first.click()
    expect(page.get_by_label("Rationale (internal)")).to_have_count(0)
    page.locator(".st-key-hot-r button").first.click()
    expect(page.get_by_label("Rationale (internal)")).to_have_value("Weighed at length.")
    page.get_by_label("Internal note").fill("Ask again.")
    page.get_by_role("button", name="Add note").first.click()
    expect(page.get_by_text("Thread · 4")).to_be_visible()
    expect(page.get_by_label("Rationale (internal)")).to_have_value("Weighed at length.")


def opens_where_it_has_room(page: Page) -> None:
    """Check a form at the end of the window, and leave it."""
    opener = page.get_by_role("button", name="Record followers")
    place = opener.bounding_box()
    assert place is not None
    # Room for an empty popover below the button, and for the form only above it.
    page.set_viewport_size({"width": 1440, "height": round(place["y"] + place["height"] + 80)})

    opener.click()

    expect(page.get_by_label("Followers on X")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Followers on X")).to_have_count(0)
    page.set_viewport_size(DESKTOP)


TWICE = "button => { button.click(); button.click(); }"


@pytest.mark.slow
@pytest.mark.parametrize("quicker", [False, True], ids=["double click", "two clicks at once"])
def test_a_double_click_decides_once_and_shows_no_error(
    quicker: bool, site: Site, visit: Visit
) -> None:
    number = site.applicant(checked=True, account={"username": "double"})
    page = opened(visit, "ana", number, "double")
    screen.begin(page, "Approve")
    screen.write_rationale(page, "Steady volume.")
    send = screen.preview(page)

    if quicker:
        # A script's click does not wait, as a pointer's does, until the button works.
        screen.armed(page).evaluate(TWICE)
    else:
        send.dblclick()

    expect(screen.head(page)).not_to_contain_text("double")
    screen.settled(page)
    expect(screen.results(page)).to_have_count(0)
    assert decisions(site, number) == [("approved", "ana@example.com", "Steady volume.")]
    assert site.one("select count(*) from review.outbox where application_id = :n", n=number) == 1


@pytest.mark.slow
def test_one_of_two_simultaneous_decisions_wins_and_the_other_keeps_its_text(
    site: Site, visit: Visit
) -> None:
    number = site.applicant(checked=True, account={"username": "wanted"})
    texts = {"ana": "Ana's reasons, at length.", "ben": "Ben's reasons, at length."}
    pages = {who: opened(visit, who, number, "wanted") for who in texts}
    for who, page in pages.items():
        screen.begin(page, "Approve")
        screen.write_rationale(page, texts[who])
        screen.preview(page)
    pages["ben"].get_by_label("Internal note").fill("A note half written")

    screen.preview_sends(pages["ana"]).click()
    done(pages["ana"], number, "approved")
    screen.preview_sends(pages["ben"]).click()

    expect(screen.results(pages["ben"]).first).to_contain_text("Already approved by Ana")
    expect(pages["ben"].get_by_text("What you had written")).to_be_visible()
    expect(pages["ben"].get_by_text(texts["ben"])).to_be_visible()
    expect(pages["ben"].get_by_label("Internal note")).to_have_value("A note half written")
    assert decisions(site, number) == [("approved", "ana@example.com", texts["ana"])]


@pytest.mark.slow
def test_a_takeover_is_shown_to_the_first_within_fifteen_seconds(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "taken"})
    first = opened(visit, "ana", number, "taken")
    first.locator(".st-key-hot-c button").first.click()
    screen.settled(first)
    first.get_by_label("Internal note").fill("A note half written")
    second = opened(visit, "ben", number, "taken")

    second.get_by_role("button", name="Take over").first.click()

    expect(first.get_by_text("took this over").first).to_be_visible(timeout=15_000)
    expect(first.get_by_label("Internal note")).to_have_value("A note half written")


@pytest.mark.slow
def test_after_a_decision_work_goes_on_with_the_next(site: Site, visit: Visit) -> None:
    numbers = [
        site.applicant(checked=True, account={"username": f"chain_{name}"})
        for name in ("one", "two")
    ]
    page = visit("ana", "/?search=chain_&sort=waiting")
    screen.shows_names(page, ["chain_one", "chain_two"])
    screen.press_open(page, row=0)
    screen.shows_application(page, "chain_one")
    screen.begin(page, "Approve")
    screen.preview(page).click()

    screen.shows_application(page, "chain_two")
    screen.address_has(page, "search=chain_")
    link = screen.toast(page, "is approved.").get_by_role("link")
    expect(link).to_have_attribute("href", re.compile(f"id={numbers[0]}$"))

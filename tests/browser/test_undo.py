"""An act is undone before its message leaves; a refused act leaves the form unchanged."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.conftest import Site, Visit
from tests.data_access import clicks

pytestmark = [pytest.mark.browser]
OUTBOX = "select stopped_as from review.outbox where application_id = :n"
STATUS = "select status from exchange.applications where application_id = :n"


def test_a_rejection_is_undone_and_its_text_is_there_again(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, account={"username": "taken_back"})
    page = visit("ana", f"/application?id={number}&search=taken_back")
    screen.shows_application(page, "taken_back")
    screen.begin(page, "Reject", "Below the minimums")
    screen.write_rationale(page, "Too hasty.")
    screen.preview(page).click()
    expect(screen.toast(page, "is rejected.")).to_be_visible()
    assert site.one(STATUS, n=number) == "rejected"

    page.locator(".st-key-undo-bar").get_by_role("button", name="Undo").click()

    screen.shows_application(page, "taken_back")
    expect(page.get_by_label("Rationale (internal)")).to_have_value("Too hasty.")
    expect(page.locator(".st-key-undo-bar")).to_have_count(0)
    assert site.one(STATUS, n=number) == "pending"
    assert site.one(OUTBOX, n=number) == "cancelled"


@pytest.mark.slow
def test_many_are_undone_from_their_report(site: Site, visit: Visit) -> None:
    account = {"country_code": "ZU"}
    numbers = [
        site.applicant(meets=False, account={"username": f"back_{n}", **account}) for n in range(2)
    ]
    page = visit("ana", "/?country=ZU")
    screen.shows_names(page, ["back_0", "back_1"])
    screen.tick_each(page, 0, 1)
    page.locator(".st-key-bulk-bar").get_by_role("button", name="Reject").click()
    screen.choose(page, "Reason", "Reach could not be confirmed")
    screen.settled(page)
    page.locator(".st-key-bulk-go-on button").first.click()
    page.locator(".st-key-bulk-confirm button").first.click()
    report = page.locator(".st-key-bulk-report")
    expect(report).to_contain_text("Rejected 2 of 2 applications")

    report.get_by_role("button", name="Undo").click()

    expect(report).to_contain_text("Undone 2 of 2 applications")
    assert [site.one(STATUS, n=number) for number in numbers] == ["pending", "pending"]
    assert [site.one(OUTBOX, n=number) for number in numbers] == ["cancelled", "cancelled"]


@pytest.mark.slow
def test_a_refused_reopening_stays_open_under_the_hand(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, account={"username": "to_reopen"})
    clicks.reject(site.engine, number, now=datetime.now(UTC))
    page = visit("mira", f"/application?id={number}")
    screen.shows_application(page, "to_reopen")
    page.locator("summary", has_text="Reopen").click()
    reason = page.get_by_label("Reason for reopening")
    send = page.locator(f".st-key-reopen-{number} button").first
    send.click()
    expect(screen.results(page).filter(has_text="The reason is empty")).to_be_visible()

    expect(reason).to_be_visible()
    reason.press_sequentially("Wrong account")
    screen.settled(page)

    expect(reason).to_have_value("Wrong account")
    expect(page.get_by_text("Draft restored")).to_have_count(0)
    send.click()
    expect(screen.results(page).filter(has_text="Reopened")).to_be_visible()
    assert site.one(STATUS, n=number) == "pending"

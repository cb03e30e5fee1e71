"""One application: what is written, recorded and decided stands in Postgres, once."""

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-deciding")]


def opened(visit: Visit, who: str, number: int, username: str) -> Page:
    page = visit(who, f"/application?id={number}")
    screen.shows_application(page, username)
    return page


def decisions(site: Site, number: int) -> list[tuple[Any, ...]]:
    return site.rows(
        "select outcome, decided_by, rationale from review.decisions where application_id = :n",
        n=number,
    )


def test_a_note_stands_in_the_thread_with_its_author(site: Site, visit: Visit) -> None:
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


def test_a_double_click_writes_one_note(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "noted_once"})
    page = opened(visit, "ana", number, "noted_once")

    page.get_by_label("Internal note").fill("Once.")
    page.get_by_role("button", name="Add note").dblclick()

    expect(page.get_by_text("Thread · 2")).to_be_visible()
    screen.settled(page)
    expect(screen.said(page)).to_have_count(0)
    assert site.one("select count(*) from review.notes where application_id = :n", n=number) == 1


def test_evidence_counts_as_soon_as_it_is_recorded(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, account={"username": "well_known"})
    page = opened(visit, "ana", number, "well_known")
    expect(screen.head(page)).to_contain_text("unknown")

    page.get_by_role("button", name="Record followers").click()
    page.get_by_label("Followers on X").fill("5,001 or so")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(screen.said(page)).to_contain_text("Write the value as a plain number")
    expect(page.get_by_label("Followers on X")).to_have_value("5,001 or so")
    page.get_by_label("Followers on X").fill("5001")
    page.get_by_label("Source").fill("https://x.example/well_known")
    page.get_by_role("button", name="Record", exact=True).click()

    expect(screen.head(page)).to_contain_text("met · external")
    screen.settled(page)
    expect(page.get_by_text("5,001 of > 5,000")).to_be_visible()
    assert site.rows(
        "select kind, value, source_url, recorded_by from review.evidence where application_id = :n",
        n=number,
    ) == [("x_followers", Decimal(5001), "https://x.example/well_known", "ana@example.com")]


def test_an_approval_is_one_whole(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "welcome"})
    page = opened(visit, "ana", number, "welcome")

    send = screen.begin(page, "Approve")
    page.get_by_label("Rebate").fill("25.50")
    screen.write_rationale(page, "Steady volume.")
    send.click()

    expect(screen.said(page)).to_have_text(f"Application {number} is approved.")
    expect(screen.head(page)).to_contain_text("approved")
    expect(page.get_by_text("Rebate 25.5 % of net fees")).to_be_visible()
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
    page.goto("/?search=welcome")
    expect(page.get_by_text("matches these filters.")).to_be_visible()


def test_a_rejection_names_its_reason(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, account={"username": "not_yet"})
    page = opened(visit, "ben", number, "not_yet")

    screen.begin(page, "Reject")
    screen.choose(page, "Reason", "Below the minimums")
    screen.write_rationale(page, "Too early.")
    expect(screen.message(page)).to_have_value(
        "Thank you for applying to the affiliate program. Your referrals do not yet reach the "
        "program's minimums. You are welcome to apply again once they do."
    )
    page.get_by_role("button", name="Reject", exact=True).click()

    expect(page.get_by_text("Reason: Below the minimums")).to_be_visible()
    expect(screen.head(page)).to_contain_text("rejected")
    assert decisions(site, number) == [("rejected", "ben@example.com", "Too early.")]
    assert site.one(
        "select reason_code from review.decisions where application_id = :n", n=number
    ) == ("below_minimums")


def test_going_against_eligibility_is_confirmed_and_a_refusal_keeps_the_text(
    site: Site, visit: Visit
) -> None:
    number = site.applicant(meets=False, account={"username": "promising"})
    page = opened(visit, "ana", number, "promising")

    send = screen.begin(page, "Approve")
    screen.write_rationale(page, "A known voice.")
    screen.message(page).fill("Welcome aboard.")
    page.get_by_label("Rebate").fill("30")
    send.click()

    expect(screen.said(page)).to_contain_text("Confirm that you decide against")
    screen.settled(page)
    expect(page.get_by_label("Rationale, internal")).to_have_value("A known voice.")
    expect(screen.message(page)).to_have_value("Welcome aboard.")
    expect(page.get_by_label("Rebate")).to_have_value("30.00")
    assert decisions(site, number) == []

    page.get_by_text("I decide against the computed eligibility").click()
    send.click()

    expect(screen.head(page)).to_contain_text("approved")
    expect(page.get_by_text("approved against the computed eligibility")).to_be_visible()
    assert decisions(site, number) == [("approved", "ana@example.com", "A known voice.")]
    assert site.one("select is_override from review.decisions where application_id = :n", n=number)


def test_what_is_typed_outlives_another_choice(site: Site, visit: Visit) -> None:
    number = site.applicant(meets=False, account={"username": "undecided"})
    page = opened(visit, "ana", number, "undecided")
    screen.begin(page, "Approve")
    screen.write_rationale(page, "Weighed at length.")

    screen.begin(page, "Reject")
    expect(page.get_by_label("Rebate")).to_have_count(0)
    expect(page.get_by_label("Rationale, internal")).to_have_value("Weighed at length.")
    screen.choose(page, "Reason", "Other")
    expect(screen.message(page)).to_have_value("Thank you for applying to the affiliate program. ")
    expect(page.get_by_label("Rationale, internal")).to_have_value("Weighed at length.")
    page.get_by_label("Internal note").fill("Ask again.")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Thread · 2")).to_be_visible()
    expect(page.get_by_label("Rationale, internal")).to_have_value("Weighed at length.")


TWICE = "button => { button.click(); button.click(); }"


@pytest.mark.parametrize("quicker", [False, True], ids=["double click", "two clicks at once"])
def test_a_double_click_decides_once_and_shows_no_error(
    quicker: bool, site: Site, visit: Visit
) -> None:
    number = site.applicant(account={"username": "double"})
    page = opened(visit, "ana", number, "double")

    send = screen.begin(page, "Approve")
    screen.write_rationale(page, "Steady volume.")
    if quicker:
        page.get_by_label("Rationale, internal").blur()
        send.evaluate(TWICE)
    else:
        send.dblclick()

    expect(screen.head(page)).to_contain_text("approved")
    screen.settled(page)
    expect(screen.said(page)).to_have_text(f"Application {number} is approved.")
    assert decisions(site, number) == [("approved", "ana@example.com", "Steady volume.")]
    assert site.one("select count(*) from review.outbox where application_id = :n", n=number) == 1


def test_of_two_who_decide_at_once_one_wins_and_the_other_keeps_the_text(
    site: Site, visit: Visit
) -> None:
    number = site.applicant(account={"username": "wanted"})
    texts = {"ana": "Ana's reasons, at length.", "ben": "Ben's reasons, at length."}
    pages = {who: opened(visit, who, number, "wanted") for who in texts}
    for who, page in pages.items():
        screen.begin(page, "Approve")
        screen.write_rationale(page, texts[who])
        page.get_by_label("Rationale, internal").blur()

    for page in pages.values():
        page.get_by_role("button", name="Approve", exact=True).evaluate("button => button.click()")

    for page in pages.values():
        expect(screen.head(page)).to_contain_text("approved")
        screen.settled(page)
    [(_, winner, rationale)] = decisions(site, number)
    first = winner.split("@")[0]
    [second] = set(texts) - {first}
    assert rationale == texts[first]
    expect(screen.said(pages[first])).to_contain_text(f"Application {number} is approved.")
    expect(screen.said(pages[second])).to_contain_text(f"Already approved by {first}")
    expect(pages[second].get_by_text("What you had written")).to_be_visible()
    expect(pages[second].get_by_text(texts[second])).to_be_visible()


def test_after_a_decision_work_goes_on_with_the_next(site: Site, visit: Visit) -> None:
    for name in ("one", "two"):
        site.applicant(account={"username": f"chain_{name}"})
    page = visit("ana", "/?search=chain_")
    screen.shows_names(page, ["chain_one", "chain_two"])
    screen.press_open(page, row=0)
    screen.shows_application(page, "chain_one")
    send = screen.begin(page, "Approve")
    screen.write_rationale(page, "Steady volume.")
    send.click()

    page.get_by_role("button", name="Open the next one").click()

    screen.shows_application(page, "chain_two")
    screen.address_has(page, "search=chain_")
    expect(screen.said(page)).to_have_count(0)

"""Who gets in, where they land, and what their role hides."""

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.conftest import Site, Visit
from tests.cases import first_of

pytestmark = [pytest.mark.browser]


@pytest.mark.parametrize("path", first_of("/application?id={id}", "/", "/program"))
def test_strangers_see_only_the_sign_in(site: Site, visit: Visit, path: str) -> None:
    name, number = site.rows(
        "select username, application_id from exchange.applications "
        "join exchange.accounts using (account_id) where status = 'pending' limit 1"
    )[0]
    page = visit(None, path.format(id=number))

    expect(page.get_by_text("Choose a person")).to_be_visible()
    screen.settled(page)
    people = site.one("select count(*) from review.staff where active")
    expect(page.locator("a.person")).to_have_count(people)
    assert name not in page.content()
    assert page.locator(".stButton, .stForm, .stTextInput, .stDataFrame").count() == 0


def test_signing_in_leads_to_the_requested_application(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "deep_link"})
    page = visit(None, f"/application?id={number}")

    screen.sign_in(page, "ana")

    expect(page).to_have_url(f"{site.address}/application?id={number}")
    screen.shows_application(page, "deep_link")


@pytest.mark.slow
def test_signing_out_ends_the_visit(site: Site, visit: Visit) -> None:
    page = visit(None, "/")
    screen.sign_in(page, "ben")

    page.get_by_role("button", name="Ben Okafor").click()
    page.get_by_role("link", name="Sign out").click()

    expect(page.get_by_text("Choose a person")).to_be_visible()


@pytest.mark.slow
def test_an_analyst_reads_everything_and_has_no_form(site: Site, visit: Visit) -> None:
    number = site.applicant(account={"username": "read_only"})
    page = visit("noor", f"/application?id={number}")

    screen.shows_application(page, "read_only")
    expect(page.get_by_text("Waiting for a reviewer. Your role, analyst, does not")).to_be_visible()
    expect(page.get_by_text("Thread · ")).to_be_visible()
    expect(page.get_by_text("No external evidence is recorded yet.")).to_be_visible()
    for words in ("Approve", "Reject", "Add note", "Record followers"):
        assert page.get_by_text(words).count() == 0, words


@pytest.mark.slow
def test_the_program_page_is_refused_to_a_reviewer(visit: Visit) -> None:
    page = visit("ana", "/program")

    expect(page.get_by_text("Your role, reviewer, may not see the program page.")).to_be_visible()
    page.get_by_role("link", name="Back to the queue").click()
    expect(page.get_by_text("Pending ")).to_be_visible()


@pytest.mark.slow
def test_the_program_page_is_open_to_a_manager(visit: Visit) -> None:
    page = visit("mira", "/")

    page.get_by_role("link", name="Program").click()

    expect(page.get_by_text("Open now")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    screen.settled(page)


@pytest.mark.slow
def test_a_link_and_a_file_need_the_current_sign_in(site: Site, visit: Visit) -> None:
    page = visit(None, "/")
    screen.sign_in(page, "mira")
    link = page.get_by_role("link", name="Export").get_attribute("href") or ""
    link = f"{site.address}/{link.lstrip('./')}"
    other = page.context.new_page()
    other.goto("/program")
    other.get_by_role("button", name="CSV").first.click(timeout=60_000)
    with other.expect_download(timeout=60_000) as given:
        other.get_by_test_id("stPopoverBody").get_by_role("button").first.click()
    file = given.value.url

    assert "/media/" in file
    assert page.request.get(file).status == 200
    assert "@example.com" in page.request.get(link).text()

    page.get_by_role("button", name="Mira").click()
    page.get_by_role("link", name="Sign out").click()
    expect(page.get_by_text("Choose a person")).to_be_visible()
    # Streamlit forgets a file soon after serving it; refused or gone, nobody gets it.
    assert page.request.get(file).status in (403, 404)
    answer = page.request.get(link)
    assert (answer.status, "Sign in" in answer.text()) == (403, True), answer.text()

    screen.sign_in(page, "noor")
    assert page.request.get(file).status in (403, 404)
    answer = page.request.get(link)
    assert (answer.status, "made for another person" in answer.text()) == (403, True)

    # Another tab still shows her page after she left; the next click there is refused.
    other.get_by_text("Weeks", exact=True).click()
    expect(other.get_by_text("Choose a person")).to_be_visible()

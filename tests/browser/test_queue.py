"""The queue shows what the database holds, and the address holds the view."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect
from sqlalchemy import text

from data_access.eligibility import judging
from data_access.queue import listing
from program.policy.outcomes import Outcome
from program.review.queue_filters import Filters, Sort
from tests.browser import screen
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site, Visit, Watch
from tests.browser.serving import served

pytestmark = [pytest.mark.browser]

WAITING = """
    select username from exchange.applications join exchange.accounts using (account_id)
    where status = 'pending' {} order by submitted_at, application_id
"""


def waiting(site: Site, condition: str = "") -> list[str]:
    """Return the names in the queue, longest waiting first."""
    return [name for (name,) in site.rows(WAITING.format(condition))]


def matching(site: Site, filters: Filters) -> list[str]:
    """Return the names that match the filters, in order."""
    with site.engine.connect() as connection:
        context = judging.read_context(connection, now=datetime.now(UTC))
        return [row.username for row in listing.page(connection, filters, context)]


@pytest.mark.slow
def test_the_counts_add_up_to_the_rows(site: Site, visit: Visit) -> None:
    page = visit("ana", "/?sort=waiting")
    everybody = waiting(site)

    screen.shows_names(page, everybody)
    expect(page.get_by_text(re.compile(r"^Pending "))).to_have_text(f"Pending {len(everybody)}")
    chips = page.locator(".st-key-queue-eligibility button").all_inner_texts()
    counted = [int(re.findall(r"\d+", words)[-1]) for words in chips]
    assert len(counted) == 3
    assert sum(counted) == len(everybody)
    shown = [words.split()[1] for words in screen.column(page, "Eligibility").all_text_contents()]
    assert [shown.count(word) for word in ("met", "not", "unknown")] == counted


@pytest.mark.slow
def test_a_filtered_view_survives_a_reload_and_can_be_shared(site: Site, visit: Visit) -> None:
    page = visit("ana")
    screen.eligibility(page, "met").click()
    screen.address_has(page, "eligibility=met")
    screen.other_filters(page)
    screen.choose(page, "Country", "BR")
    screen.address_has(page, "country=BR")
    page.keyboard.press("Escape")
    screen.order(page).click()
    page.get_by_role("menuitem", name="Newest first").click()
    screen.address_has(page, "sort=submitted")
    expected = matching(
        site, Filters(eligibility=(Outcome.MET,), country="BR", sort=Sort.SUBMITTED)
    )
    assert 0 < len(expected) < len(waiting(site))
    screen.shows_names(page, expected)

    page.reload()
    screen.shows_names(page, expected)
    expect(page.locator(".st-key-queue-fields").get_by_text("BR", exact=True)).to_be_visible()

    shared = visit("ben", page.url)
    screen.shows_names(shared, expected)


@pytest.mark.slow
def test_a_click_before_the_server_has_sent_the_table_gets_the_whole_answer(
    site: Site, chromium: Browser, cookies: dict[str, StorageState], visit: Visit, watch: Watch
) -> None:
    visit("ana").close()
    program = ("-m", "tests.browser.busy_server")
    with served(Path(site.cluster.home), program=program) as address:
        context = chromium.new_context(
            base_url=address, viewport=DESKTOP, storage_state=cookies["ana"]
        )
        watch.over(context)
        page = context.new_page()
        page.goto("/")

        screen.eligibility(page, "met").click(timeout=PATIENCE_MS)

        screen.shows_names(page, matching(site, Filters(eligibility=(Outcome.MET,))))
        expect(screen.order(page)).to_be_visible()
        context.close()


@pytest.mark.slow
def test_searching_looks_while_one_types(site: Site, visit: Visit) -> None:
    site.applicant(account={"username": "needle_one"})
    site.applicant(account={"username": "other_two"}, social_handle="@a_needle_too")
    page = visit("ana")

    screen.search(page).press_sequentially("NEEDLE", delay=20)

    screen.shows_names(page, ["needle_one", "other_two"])
    screen.address_has(page, "search=NEEDLE")


@pytest.mark.slow
def test_a_view_without_rows_shows_it_with_a_way_back(site: Site, visit: Visit) -> None:
    page = visit("ana", "/?search=nobody_is_called_so")

    expect(page.get_by_text("pending applications matches these filters.")).to_be_visible()
    page.get_by_role("link", name="Show all of them").click()

    screen.shows_names(page, matching(site, Filters()))


@pytest.mark.slow
def test_nonsense_in_the_address_is_as_good_as_nothing(site: Site, visit: Visit) -> None:
    page = visit("ana", "/?eligibility=hacked&country=<b>&page=-3&sort=1;drop&waiting=9&x=1")

    screen.shows_names(page, matching(site, Filters()))


@pytest.fixture
def crowd(site: Site) -> list[str]:
    """Add more people than fit on a page."""
    names = [f"crowd{n}" for n in range(53)]
    for name in names:
        site.applicant(meets=False, account={"username": name})
    return names


@pytest.mark.slow
def test_pages_turn_and_the_way_back_leads_to_the_same_page(crowd: list[str], visit: Visit) -> None:
    page = visit("ana", "/?search=crowd")
    expect(page.get_by_text("1–50 of 53")).to_be_visible()
    page.get_by_role("button", name="Page 2").click()
    expect(page.get_by_text("51–53 of 53")).to_be_visible()
    screen.shows_names(page, crowd[50:])

    screen.press_open(page, row=1)
    screen.shows_application(page, "crowd51")
    expect(screen.head(page)).to_contain_text("52 of 53")
    page.go_back()

    expect(page.get_by_text("51–53 of 53")).to_be_visible()
    screen.shows_names(page, crowd[50:])

    screen.press_open(page, row=2)
    screen.shows_application(page, "crowd52")
    page.get_by_role("link", name="Queue 53").click()
    screen.shows_names(page, crowd[50:])


@pytest.mark.slow
def test_the_keyboard_opens_and_steps(site: Site, visit: Visit) -> None:
    for name in ("first", "second"):
        site.applicant(account={"username": f"keys_{name}"})
    page = visit("ana", "/?search=keys_")
    screen.shows_names(page, ["keys_first", "keys_second"])
    screen.settled(page)

    page.keyboard.press("o")
    screen.shows_application(page, "keys_first")
    page.keyboard.press("j")
    screen.shows_application(page, "keys_second")
    expect(screen.head(page)).to_contain_text("2 of 2")
    page.keyboard.press("k")
    screen.shows_application(page, "keys_first")


@pytest.mark.slow
def test_the_export_is_the_view_as_a_file(site: Site, visit: Visit) -> None:
    page = visit("noor", "/?country=BR&sort=waiting")
    expected = waiting(site, "and country_code = 'BR'")
    screen.shows_names(page, expected)

    with page.expect_download() as waited:
        page.get_by_role("link", name="Export CSV").click()

    assert re.fullmatch(r"applications-[\d-]+\.csv", waited.value.suggested_filename)
    rows = list(csv.DictReader(io.StringIO(waited.value.path().read_text())))
    assert [row["username"] for row in rows] == expected
    assert all(row["status"] == "pending" for row in rows)
    logged = site.rows(
        "select exported_by, row_count, filters from review.exports order by export_id desc limit 1"
    )
    assert logged[0][:2] == ("noor@example.com", len(expected))
    assert logged[0][2]["country"] == "BR"


def export_address(page: Page) -> str:
    return page.get_by_role("link", name="Export CSV").get_attribute("href") or ""


@pytest.mark.slow
def test_an_altered_export_link_is_refused(site: Site, visit: Visit) -> None:
    page = visit("ana")
    address = export_address(page)
    [token] = parse_qs(urlsplit(address).query)["token"]
    claims, rest = token.split(".", 1)
    assert page.request.get(address).ok

    for forged in (token[:-3] + "abc", f"{claims[:-2]}AA.{rest}", "", claims):
        answer = page.request.get(address.split("?")[0], params={"token": forged})
        assert answer.status == 403
        assert "Reload the page" in answer.text()


@pytest.mark.slow
def test_an_export_link_works_only_for_its_person(site: Site, visit: Visit) -> None:
    address = export_address(visit("ana"))
    noor = visit("noor")
    stranger = visit(None)

    for page in (noor, stranger):
        answer = page.request.get(address)
        assert answer.status == 403
        assert "another browser" in answer.text()


def set_active(site: Site, email: str, active: bool) -> None:
    with site.engine.begin() as connection:
        connection.execute(
            text("update review.staff set active = :active where email = :email"),
            {"email": email, "active": active},
        )


@pytest.fixture
def leaving(site: Site) -> Iterator[str]:
    """Somebody whom a test may remove from the staff list."""
    yield "leo"
    set_active(site, "leo@example.com", active=True)


@pytest.mark.slow
def test_an_export_link_ends_with_its_persons_rights(
    site: Site, visit: Visit, leaving: str
) -> None:
    page = visit(leaving)
    address = export_address(page)
    set_active(site, f"{leaving}@example.com", active=False)

    answer = page.request.get(address)

    assert answer.status == 403
    assert "no longer signed in" in answer.text()
    page.reload()
    expect(page.get_by_text("Choose a person")).to_be_visible()

"""A damaged export of the form, imported from upload to the last row without the command line."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import screen
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser]

HEADER = "Your UID;Social Media Account Name;Contact Platform;Contact Information;Created;State"
TRICKY = "*a* :red[b] <i>c</i>"


def export(first: int) -> bytes:
    """Return a file as a spreadsheet saves it: semicolons, UTF-16, blank rows, local dates."""
    rows = [
        "sep=;",
        HEADER,
        f"{first};@good;Telegram;@good;25/4/2026 3:01pm;Under review",
        f"{first};@good;Telegram;@good;25/4/2026 3:02pm;Under review",
        ";;;;;",
        f"{first + 1};\u202a@marked\u202c;Telegram;@marked;25/4/2026 3:03pm;Under review",
        f";{TRICKY};Telegram;@blank;25/4/2026 3:04pm;Under review",
        f'{first + 2};@two;"Telegram,Email";@two;25/4/2026 3:05pm;Under review',
        f"{first + 3}.0;@decimal;;;25/4/2026 3:06pm;Under review",
    ]
    return "\r\n".join(rows).encode("utf-16")


@pytest.fixture
def first(site: Site) -> Iterator[int]:
    """Return the first of four consecutive accounts without a pending application."""
    numbers = [site.applicant(status="withdrawn") for _ in range(4)]
    yield numbers[0]
    # The import numbers its applications from there; other tests continue after them.
    newest = site.one("select max(application_id) from exchange.applications")
    while next(site.numbers) < newest:
        pass


def pick(page: Page, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=re.compile(re.escape(label)))
    box.click()
    box.fill(option)
    expect(page.get_by_role("option", name=option, exact=True).first).to_be_visible()
    # The list moves while it narrows; a click might miss, a key does not.
    box.press("Enter")
    expect(page.get_by_role("option")).to_have_count(0)
    screen.settled(page)


def kept(page: Page, row: int) -> Locator:
    return page.get_by_test_id("stExpander").filter(has_text=f"Row {row} of grid")


@pytest.mark.slow
def test_a_damaged_form_export_is_imported_without_the_command_line(
    first: int, site: Site, visit: Visit
) -> None:
    page = visit("ana", "/import")
    page.locator("input[type=file]").set_input_files(
        {"name": "grid <b>.csv", "mimeType": "text/csv", "buffer": export(first)}
    )
    expect(page.get_by_text("Read as UTF-16, columns separated by semicolons")).to_be_visible()
    screen.settled(page)
    pick(page, "Account ID", "Your UID")
    pick(page, "Date format", "European, 25/4/2026")
    pick(page, "Status", "State")
    pick(page, "Under review", "pending")
    load = page.get_by_role("button", name="Load 2 rows and keep 3 for later")
    expect(load).to_be_enabled()
    page.get_by_label("Name of the map").fill("Spring form")
    page.get_by_role("button", name="Save as").click()
    expect(page.get_by_text("The map Spring form is saved.")).to_be_visible()

    expect(load).to_be_enabled()
    load.dblclick()

    expect(page.get_by_text(re.compile("Import [0-9]+: grid <b>.csv"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"show=history&import=\d+"))
    assert site.one("select count(*) from review.form_imports") == 1
    page.get_by_role("link", name="Correct the kept rows").click()
    expect(page.get_by_text("3 of 3 rows that could not be loaded")).to_be_visible()
    two, nameless = kept(page, 8), kept(page, 7)
    two.get_by_text("Row 8 of grid").click()
    two.get_by_label("Contact platform (Contact Platform)").fill("Telegram")
    two.get_by_role("button", name="Correct and load").click()
    expect(page.get_by_text("Row 8 is loaded.")).to_be_visible()
    nameless.get_by_text("Row 7 of grid").click()
    expect(nameless.get_by_label("Social media account")).to_have_value(TRICKY)
    nameless.get_by_label("Reason for dismissing (internal)").fill("nobody's")
    nameless.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("1 of 1 rows")).to_be_visible()

    page.goto(f"{site.address}/?search=%40two")
    screen.shows_names(page, [f"user{first + 2}"])

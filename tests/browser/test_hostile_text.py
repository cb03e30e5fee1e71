"""Typed text is shown as typed: it draws, loads and runs nothing."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from dashboard.shell.addresses import PAGES
from dashboard.ui import keyboard
from dashboard.ui.safe_text import WORD_JOINER, visible
from data_access.loading import kept_rows
from tests.browser import screen
from tests.browser.conftest import Site, Visit
from tests.builders import add_evidence
from tests.dashboard.ui.hostile import HOSTILE
from tests.data_access import clicks

pytestmark = [pytest.mark.browser]

WORST = (
    "<img src=x onerror=alert(1)>",
    "![x](http://127.0.0.1:9/c)",
    "[a](javascript:alert(1))",
    ":red[x] :material/check:",
    "$$x$$ https://evil.example",
    "abc\u202egnp.exe",
)
# Postgres stores no NUL, so it cannot have been typed.
KEPT = tuple(typed for typed in HOSTILE if "\0" not in typed)
LIVE = (
    "a[href^='javascript'], a[href^='data:'], a[href^='mailto'], a[href^='ftp'], "
    # A link of ours may search for them.
    "a[href*='//evil' i], a[href*='//www.evil' i], "
    "img[src*=':9/'], img[src='x'], .katex, .stMain :is(h1, h2, blockquote), "
    ".stMain script" + "".join(f":not([src*='{name}'])" for name in keyboard.NAMES)
)


def nothing_came_alive(page: Page) -> None:
    alive = page.locator(LIVE).evaluate_all("all => all.map(one => one.outerHTML.slice(0, 300))")
    assert alive == [], page.url
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert loaded
    assert not [address for address in loaded if ":9/" in address or "evil" in address]


def plain(words: str) -> str:
    """Return the text as a person reads it, on one line."""
    return " ".join(words.replace(WORD_JOINER, "").split())


@pytest.mark.slow
def test_the_queue_shows_names_and_handles_as_typed(site: Site, visit: Visit) -> None:
    for typed in KEPT:
        site.applicant(
            meets=False,
            account={"username": typed},
            social_handle=typed,
            contact_handle="somebody strange",
        )
    page = visit("ana", "/?search=somebody+strange")

    screen.shows_names(page, list(KEPT))
    expect(screen.column(page, "Handle")).to_have_text(list(KEPT))
    screen.settled(page)
    nothing_came_alive(page)


def test_an_application_shows_everything_as_typed(site: Site, visit: Visit) -> None:
    typed = " ".join(WORST)
    number = site.applicant(
        account={"username": typed, "email": typed},
        social_handle=typed,
        contact_platform="other",
        contact_handle=typed,
    )
    now = datetime.now(UTC)
    with site.engine.begin() as connection:
        for kind, value in (("x_followers", 6000), ("external_volume", 1)):
            add_evidence(
                connection,
                number,
                kind=kind,
                value=value,
                exchange_name=typed if kind == "external_volume" else None,
                source_url=typed,
                recorded_by=typed,
                observed_at=now - timedelta(days=1),
                recorded_at=now - timedelta(days=1),
            )
    page = visit("ana", f"/application?id={number}")
    expect(page.get_by_text("Thread · 3")).to_be_visible()

    page.get_by_label("Internal note").fill(typed)
    page.get_by_role("button", name="Add note").click()

    expect(page.get_by_text("Thread · 4")).to_be_visible()
    screen.settled(page)
    title = screen.head(page).get_by_role("heading")
    assert plain(title.inner_text()) == plain(visible(typed))
    contacts = page.locator(".st-key-contacts").get_by_test_id("stText")
    assert typed in [words.strip() for words in contacts.all_text_contents()]
    note = page.get_by_test_id("stText").filter(has_text=typed).first
    assert typed in (note.text_content() or "")
    nothing_came_alive(page)


@pytest.mark.slow
def test_an_import_shows_a_files_text_as_typed(site: Site, visit: Visit) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(["UID", "Social Media Account Name", "Created", WORST[0]])
    # No account has such an id, so every row is kept back.
    writer.writerows([typed, typed, typed, typed] for typed in WORST)
    page = visit("ana", "/import")
    page.locator("input[type=file]").set_input_files(
        {"name": WORST[0] + ".csv", "mimeType": "text/csv", "buffer": written.getvalue().encode()}
    )
    load = page.get_by_role("button", name=f"Nothing new to load and keep {len(WORST)}")
    expect(load).to_be_enabled()
    screen.settled(page)
    nothing_came_alive(page)
    load.click()
    expect(page.get_by_text(re.compile("Import [0-9]+: "))).to_contain_text(WORST[0])
    screen.settled(page)
    nothing_came_alive(page)

    page.goto(f"{site.address}/import?show=kept")

    expect(page.get_by_text(f"{len(WORST)} of {len(WORST)} rows")).to_be_visible()
    for row in page.get_by_test_id("stExpander").all():
        row.locator("summary").click()
    expect(page.get_by_label("Social media account")).to_have_count(len(WORST))
    screen.settled(page)
    nothing_came_alive(page)
    with site.engine.connect() as connection:
        ids = [row.row_id for row in kept_rows.listed(connection)[0]]
    command = clicks.command(
        kept_rows.DismissRows, row_ids=ids, reason="Nobody's", now=datetime.now(UTC)
    )
    kept_rows.dismiss(site.engine, command)


LONG = "*_[x](https://evil.example)_* " * 170  # 5,100 characters
BEYOND = (*WORST, LONG[:5_000], "\u2066$\\frac{1}{2}$\u2069 <svg onload=alert(1)>")
EVERYBODY = {"ana": "reviewer", "mira": "manager", "noor": "analyst", "ada": "admin"}


@pytest.mark.slow
@pytest.mark.parametrize("who", EVERYBODY)
def test_no_page_of_any_role_gives_life_to_names(who: str, site: Site, visit: Visit) -> None:
    """Of applicants, colleagues and shared views; in full length where the database takes it."""
    for typed in BEYOND:
        site.applicant(
            account={"username": typed, "email": typed},
            social_handle=typed,
            contact_platform="other",
            contact_handle=typed,
        )
    number = site.applicant(account={"username": LONG}, social_handle=LONG, contact_handle=LONG)
    shared = (
        "insert into review.saved_views (owner, screen, name, shared, query, created_at, request_id)"
        " values ('mira@example.com', :screen, :name, true, '', now(), gen_random_uuid())"
    )
    with site.engine.begin() as connection:
        connection.execute(text("delete from review.saved_views where name like '%evil%'"))
        for screen_name in ("queue", "explore"):
            connection.execute(text(shared), {"screen": screen_name, "name": WORST[4]})
        people = text("select email, display_name from review.staff")
        before = {row.email: row.display_name for row in connection.execute(people)}
        connection.execute(text("update review.staff set display_name = :n"), {"n": WORST[1]})
    try:
        for path in sorted(PAGES):
            page = visit(who, f"{path}?id={number}" if path == "/application" else path)
            screen.settled(page)
            expect(page.get_by_test_id("stApp")).not_to_contain_text("Something went wrong")
            nothing_came_alive(page)
    finally:
        with site.engine.begin() as connection:
            for email, name in before.items():
                connection.execute(
                    text("update review.staff set display_name = :n where email = :e"),
                    {"n": name, "e": email},
                )
            connection.execute(
                text("delete from review.saved_views where name = :n"), {"n": WORST[4]}
            )

"""The dashboard below a path of its host, from the sign-in to the sign-out."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Response, expect

from tests.browser import screen
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site
from tests.browser.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser-deciding")]

BASE = "/affiliates-desk"
# Streamlit looks for its own address below the page's path first.
PROBE = re.compile(rf"{BASE}/[a-z]+/_stcore/(health|host-config)")


class Answers:
    """The paths of all answers to a browser that are refusals, or from beside the path."""

    def __init__(self) -> None:
        self.wrong: list[tuple[int, str]] = []

    def note(self, response: Response) -> None:
        path = urlsplit(response.url).path
        is_ours = f"{path}/".startswith(f"{BASE}/") and response.status < 400
        if not is_ours and not PROBE.fullmatch(path):
            self.wrong.append((response.status, path))


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    home = Path(site.cluster.home)
    with served(home, STREAMLIT_SERVER_BASE_URL_PATH=BASE.strip("/")) as address:
        yield address


@pytest.fixture
def context(address: str, chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=address, viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def test_a_day_below_a_path_never_leaves_it(
    site: Site, address: str, context: BrowserContext
) -> None:
    number = site.applicant(meets=False, account={"username": "below_a_path"})
    answers = Answers()
    context.on("response", answers.note)
    page = context.new_page()

    page.goto(f"{BASE}/application?id={number}")
    screen.sign_in(page, "ana")
    screen.shows_application(page, "below_a_path")
    assert page.url == f"{address}{BASE}/application?id={number}"

    page.goto(f"{BASE}?search=below_a_path")
    screen.shows_names(page, ["below_a_path"])
    with page.expect_download() as waited:
        page.get_by_role("link", name="Export CSV").click()
    assert "below_a_path" in waited.value.path().read_text()
    screen.press_open(page, 0)
    screen.shows_application(page, "below_a_path")
    assert urlsplit(page.url).path == f"{BASE}/application"

    screen.begin(page, "Reject", "Below the minimums")
    screen.write_rationale(page, "Too early.")
    screen.preview(page).click()
    expect(screen.toast(page, "is rejected.")).to_be_visible()
    assert site.rows(
        "select outcome from review.decisions where application_id = :n", n=number
    ) == [("rejected",)]

    page.get_by_role("link", name="Queue").first.click()
    page.wait_for_url(f"**{BASE}/")
    screen.settled(page)
    page.get_by_role("button", name="Ana").click()
    page.get_by_role("link", name="Sign out").click()
    page.locator("a.person").first.wait_for()
    assert urlsplit(page.url).path == f"{BASE}/"
    assert {cookie["path"] for cookie in context.cookies()} == {BASE}
    assert answers.wrong == []

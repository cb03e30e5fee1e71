"""Sign-in through an identity provider, from the first page to the staff list."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site
from tests.browser.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.browser.screen import settled
from tests.browser.serving import free_port, served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-deciding")]

SECRETS = """
[auth]
redirect_uri = "{address}/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "{client_id}"
client_secret = "{client_secret}"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider(free_port()) as made:
        yield made


@pytest.fixture(scope="module")
def address(
    site: Site, provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A second server over the site's database with sign-in through the provider."""
    home = tmp_path_factory.mktemp("person")
    with pytest.MonkeyPatch.context() as patch:
        # Streamlit also reads the user's own secrets.
        patch.setenv("HOME", str(home))
        server = served(site.cluster.home, port=free_port())
        (home / ".streamlit").mkdir()
        (home / ".streamlit" / "secrets.toml").write_text(
            SECRETS.format(
                address=server.address,
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                issuer=provider.issuer,
            )
        )
        with server as found:
            yield found


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address, viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def sign_in(page: Page, path: str = "/") -> None:
    page.goto(path)
    page.get_by_role("button", name="Sign in").click()


def test_staff_land_on_the_requested_page_after_sign_in(
    site: Site, provider: IdentityProvider, page: Page
) -> None:
    provider.claims = {"email": "ana@example.com", "email_verified": True}
    id_ = site.applicant()

    sign_in(page, f"/application?id={id_}")

    expect(page.locator(".st-key-application-head")).to_contain_text(f"user{id_}")
    expect(page.locator(".st-key-header")).to_contain_text("Ana Duarte")
    assert urlsplit(page.url).path == "/application"
    assert "Local sign-in" not in page.content()


@pytest.mark.slow
def test_a_person_not_on_the_staff_list_gets_an_explanation(
    provider: IdentityProvider, page: Page
) -> None:
    provider.claims = {"email": "stranger@example.com", "email_verified": True}

    sign_in(page)

    expect(page.get_by_text("stranger@example.com but not on the staff list")).to_be_visible()
    assert not page.locator(".stDataFrame").count()


@pytest.mark.slow
def test_an_address_the_provider_has_not_verified_is_not_believed(
    provider: IdentityProvider, page: Page
) -> None:
    provider.claims = {"email": "mira@example.com", "email_verified": False}

    sign_in(page)

    expect(page.get_by_text("has not verified your email address")).to_be_visible()


@pytest.mark.slow
def test_somebody_taken_off_the_list_is_out_at_the_next_click(
    site: Site, provider: IdentityProvider, page: Page
) -> None:
    provider.claims = {"email": "ben@example.com", "email_verified": True}
    sign_in(page)
    expect(page.locator(".st-key-header")).to_contain_text("Ben Okafor")
    settled(page)
    with site.engine.begin() as connection:
        connection.exec_driver_sql(
            "update review.staff set active = false where email = 'ben@example.com'"
        )
    try:
        page.get_by_text(re.compile(r"unknown \d+")).first.click()

        expect(page.get_by_text("not on the staff list")).to_be_visible()
    finally:
        with site.engine.begin() as connection:
            connection.exec_driver_sql(
                "update review.staff set active = true where email = 'ben@example.com'"
            )


@pytest.mark.slow
def test_a_tampered_cookie_signs_nobody_in(
    provider: IdentityProvider, page: Page, address: str
) -> None:
    provider.claims = {"email": "ana@example.com", "email_verified": True}
    sign_in(page)
    expect(page.locator(".st-key-header")).to_contain_text("Ana Duarte")
    cookies = page.context.cookies()
    for cookie in cookies:
        if cookie["name"].startswith("_streamlit_user"):
            cookie["value"] = cookie["value"][:-3] + "abc"
    page.context.clear_cookies()
    page.context.add_cookies(cookies)

    page.goto("/")

    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_signing_out_ends_links_and_other_tabs_of_the_same_browser(
    site: Site, provider: IdentityProvider, page: Page, address: str
) -> None:
    provider.claims = {"email": "mira@example.com", "email_verified": True}
    sign_in(page)
    link = page.get_by_role("link", name="Export").get_attribute("href") or ""
    link = f"{address}/{link.lstrip('./')}"
    other = page.context.new_page()
    other.goto("/")
    expect(other.locator(".st-key-header")).to_contain_text("Mira")
    settled(other)
    assert page.request.get(link).status == 200
    cookies = page.context.cookies()

    page.get_by_role("button", name="Mira").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()

    assert page.request.get(link).status == 403
    # Not even with the cookie that the browser was told to delete.
    page.context.add_cookies(cookies)
    assert page.request.get(link).status == 403
    other.get_by_text(re.compile(r"unknown \d+")).first.click()
    expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    page.context.clear_cookies()

    provider.claims = {"email": "noor@example.com", "email_verified": True}
    sign_in(page)
    expect(page.locator(".st-key-header")).to_contain_text("Noor")
    assert page.request.get(link).status == 403

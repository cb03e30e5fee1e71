"""Sign-in through an identity provider, from the first page to the staff list."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import text

from dashboard.shell.sign_in import SESSION_OVER
from dashboard.shell.websockets import parsed
from program.review.sign_in import IDLE
from tests.browser.balancer import Balancer
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site
from tests.browser.identity_provider import CLIENT_ID, IdentityProvider, write_secrets
from tests.browser.screen import settled
from tests.browser.serving import free_port, served

pytestmark = [pytest.mark.browser]

# Not the demo's people, who cannot come in this way.
STAFF = {
    "vera@exchange.example": ("Vera Stein", "reviewer"),
    "omar@exchange.example": ("Omar Nasser", "manager"),
}
VERA, OMAR = STAFF


@pytest.fixture(scope="module")
def staffed(site: Site) -> Site:
    with site.engine.begin() as connection:
        for email, (name, role) in STAFF.items():
            connection.execute(
                text(
                    "insert into review.staff (email, display_name, role) values (:e, :n, :r)"
                    " on conflict do nothing"
                ),
                {"e": email, "n": name, "r": role},
            )
    return site


@pytest.fixture(scope="module")
def running_provider() -> Iterator[IdentityProvider]:
    with IdentityProvider(free_port()) as made:
        yield made


@pytest.fixture
def provider(running_provider: IdentityProvider) -> IdentityProvider:
    running_provider.ends_sessions = False
    return running_provider


@pytest.fixture(scope="module")
def balancer(
    staffed: Site,
    running_provider: IdentityProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Balancer]:
    """One address before two servers over the site's database; ``ports`` are theirs."""
    home = tmp_path_factory.mktemp("person")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        # Streamlit also reads the user's own secrets.
        patch.setenv("HOME", str(home))
        ports = [free_port(), free_port()]
        front = stack.enter_context(Balancer(ports[0]))
        write_secrets(home, front.address, running_provider.issuer)
        for port in ports:
            stack.enter_context(served(staffed.cluster.home, port=port))
        front.ports = ports
        yield front


@pytest.fixture
def address(balancer: Balancer) -> str:
    balancer.to = balancer.ports[0]
    return balancer.address


def opened(chromium: Browser, address: str) -> BrowserContext:
    context = chromium.new_context(base_url=address, viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = opened(chromium, address)
    yield context.new_page()
    context.close()


def as_person(provider: IdentityProvider, email: str, **claims: Any) -> None:
    """Let the provider sign everybody in as the owner of this address."""
    provider.claims = {"sub": f"of {email}", "email": email, "email_verified": True, **claims}


def sign_in(page: Page, path: str = "/") -> None:
    page.goto(path)
    page.get_by_role("button", name="Sign in").click()


def is_let_in(page: Page, name: str) -> None:
    expect(page.locator(".st-key-header")).to_contain_text(name)
    settled(page)


def export_link(page: Page, address: str) -> str:
    link = page.get_by_role("link", name="Export").get_attribute("href") or ""
    return f"{address}/{link.lstrip('./')}"


def test_staff_land_on_the_requested_page_after_sign_in(
    site: Site,
    provider: IdentityProvider,
    page: Page,
    balancer: Balancer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where another server than the one at which they began completes it."""
    first, second = balancer.ports
    monkeypatch.setattr(provider, "meanwhile", partial(balancer.move, second))
    balancer.reached.clear()
    groups = {"groups": [f"0b5f3f6e-3c1c-4b6a-9d5e-{number:012}" for number in range(400)]}
    as_person(provider, VERA, **groups)
    id_ = site.applicant()

    sign_in(page, f"/application?id={id_}")

    expect(page.locator(".st-key-application-head")).to_contain_text(f"user{id_}")
    is_let_in(page, "Vera Stein")
    assert (balancer.reached[0], balancer.reached[-1]) == (first, second)
    assert urlsplit(page.url).path == "/application"
    assert "Local sign-in" not in page.content()
    assert provider.scopes[-1] == "openid email"
    cookies = page.context.cookies()
    assert sum(len(f"{cookie['name']}={cookie['value']}; ") for cookie in cookies) < 4096
    assert not [cookie for cookie in cookies if cookie["expires"] > cookie_limit(page)]


def cookie_limit(page: Page) -> float:
    """Return when a cookie of this sign-in must have expired, in seconds since 1970."""
    return float(page.evaluate("Date.now() / 1000 + 12 * 3600 + 1"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("email", "claims", "part"),
    [
        ("stranger@exchange.example", {}, "stranger@exchange.example but not on the staff list"),
        ("mira@example.com", {}, "a person of the demo"),
        (OMAR, {"email_verified": False}, "has not verified your email address"),
        (OMAR, {"email_verified": "true"}, "has not verified your email address"),
        (OMAR, {"iat": 4_000_000_000}, ""),
    ],
)
def test_whoever_is_not_let_in_is_told_why(
    provider: IdentityProvider, page: Page, email: str, claims: dict[str, Any], part: str
) -> None:
    as_person(provider, email, **claims)

    sign_in(page)

    # A token from the future is not even taken from the provider.
    expect(page.get_by_text(part) if part else button(page, "Sign in")).to_be_visible()
    assert not page.locator(".stDataFrame").count()


def button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name)


@pytest.mark.slow
def test_an_address_bound_to_one_account_is_refused_to_another(
    provider: IdentityProvider, page: Page, chromium: Browser, address: str
) -> None:
    as_person(provider, OMAR)
    sign_in(page)
    is_let_in(page, "Omar Nasser")

    as_person(provider, OMAR, sub="somebody else")
    other = opened(chromium, address).new_page()
    sign_in(other)

    expect(other.get_by_text("omar@exchange.example signs in with another account")).to_be_visible()
    page.reload()
    is_let_in(page, "Omar Nasser")
    other.context.close()


@pytest.mark.slow
def test_a_tampered_cookie_signs_nobody_in(provider: IdentityProvider, page: Page) -> None:
    as_person(provider, VERA)
    sign_in(page)
    is_let_in(page, "Vera Stein")
    cookies = page.context.cookies()
    for cookie in cookies:
        if cookie["name"].startswith("_streamlit_user"):
            cookie["value"] = cookie["value"][:-3] + "abc"
    page.context.clear_cookies()
    page.context.add_cookies(cookies)

    page.goto("/")

    expect(button(page, "Sign in")).to_be_visible()


@pytest.mark.slow
def test_a_sign_in_begun_at_one_server_ends_at_another_and_a_sign_out_ends_both(
    provider: IdentityProvider,
    page: Page,
    balancer: Balancer,
    chromium: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = balancer.ports
    as_person(provider, OMAR)
    balancer.reached.clear()
    page.goto("/")
    button(page, "Sign in").wait_for()
    assert set(balancer.reached) == {first}
    monkeypatch.setattr(provider, "meanwhile", partial(balancer.move, second))
    button(page, "Sign in").click()
    is_let_in(page, "Omar Nasser")
    assert balancer.reached[-1] == second
    link = export_link(page, balancer.address)
    assert page.request.get(link).status == 200
    cookies = page.context.cookies()
    other = page.context.new_page()
    other.goto("/")
    is_let_in(other, "Omar Nasser")
    copied = opened(chromium, balancer.address)
    copied.add_cookies(cookies)
    balancer.move(first)
    elsewhere = copied.new_page()
    elsewhere.goto("/")
    is_let_in(elsewhere, "Omar Nasser")

    page.get_by_role("button", name="Omar").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(button(page, "Sign in")).to_be_visible()

    # Not in another tab, not at a link, not with the cookie that the browser was told to delete.
    other.get_by_text(re.compile(r"unknown \d+")).first.click()
    expect(button(other, "Sign in")).to_be_visible()
    assert page.request.get(link).status == 403
    page.context.add_cookies(cookies)
    assert page.request.get(link).status == 403
    page.goto("/")
    expect(page.get_by_text(SESSION_OVER)).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.get_by_text(SESSION_OVER)).to_be_visible()
    copied.close()


@pytest.mark.slow
def test_signing_out_also_ends_the_session_at_the_provider_if_it_offers_that(
    provider: IdentityProvider, page: Page
) -> None:
    provider.ends_sessions = True
    as_person(provider, VERA)
    sign_in(page)
    is_let_in(page, "Vera Stein")

    page.get_by_role("button", name="Vera").click()
    with page.expect_request(lambda request: request.url.startswith(f"{provider.issuer}/end")):
        page.get_by_role("button", name="Sign out", exact=True).click()

    page.wait_for_url("**/")
    expect(button(page, "Sign in")).to_be_visible()
    [sign_out] = provider.sign_outs
    assert sign_out["client_id"] == CLIENT_ID
    assert sign_out["id_token_hint"]


REVOKED = {
    "disabled": "update review.staff set active = false where email = :e",
    "demoted": "update review.staff set role = 'analyst' where email = :e",
    "idle": "update review.sessions set last_seen_at = now() - cast(:idle as interval)"
    " where email = :e",
}


@pytest.mark.slow
@pytest.mark.parametrize("change", REVOKED.values(), ids=list(REVOKED))
def test_access_ends_at_the_next_act_link_and_reconnect(
    staffed: Site, provider: IdentityProvider, page: Page, address: str, change: str
) -> None:
    as_person(provider, VERA)
    sign_in(page)
    is_let_in(page, "Vera Stein")
    link = export_link(page, address)
    other = page.context.new_page()
    other.goto("/")
    is_let_in(other, "Vera Stein")
    with staffed.engine.begin() as connection:
        connection.execute(
            text(change), {"e": VERA} | ({"idle": IDLE} if ":idle" in change else {})
        )
    try:
        page.get_by_text(re.compile(r"unknown \d+")).first.click()
        expect(page.get_by_text("ended")).to_be_visible()
        assert page.request.get(link).status == 403
        other.reload()
        expect(other.get_by_text("ended")).to_be_visible()
    finally:
        restore(staffed)


def restore(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(
            text("update review.staff set active = true, role = 'reviewer' where email = :e"),
            {"e": VERA},
        )


@pytest.mark.slow
def test_a_page_that_polls_says_that_nobody_pressed_anything(
    staffed: Site, provider: IdentityProvider, page: Page
) -> None:
    """The server counts the other messages as activity: see `Activity`."""
    runs: list[bool] = []

    def record(data: bytes | str) -> None:
        message = parsed(data) if isinstance(data, bytes) else None
        if message is not None and message.WhichOneof("type") == "rerun_script":
            runs.append(message.rerun_script.is_auto_rerun)

    page.on("websocket", lambda socket: socket.on("framesent", record))
    as_person(provider, VERA)
    id_ = staffed.applicant()
    sign_in(page, f"/application?id={id_}")
    is_let_in(page, "Vera Stein")
    runs.clear()

    while len(runs) < 2:
        page.wait_for_timeout(100)
    assert all(runs)
    runs.clear()
    page.get_by_role("link", name="Queue").first.click()
    page.wait_for_url("**/")
    assert False in runs

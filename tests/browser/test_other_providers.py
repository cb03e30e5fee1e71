"""Sign-in at identity providers that others wrote."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from tests.browser import canaille
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site
from tests.browser.identity_provider import write_secrets
from tests.browser.serving import ROOT, free_port, served, wait_until_ready
from tests.browser.test_openid import button, is_let_in, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser-deciding")]

NOT_VERIFIED = "has not verified your email address"


def setup_module() -> None:
    missing = [name for name in ("canaille", "oidc_provider_mock") if not find_spec(name)]
    assert not missing, f"{missing} are not installed; `make prove` installs them first."


@contextmanager
def running(folder: Path, *program: str, port: int) -> Iterator[str]:
    """Run a provider; yields its address."""
    with (folder / f"provider-{port}.log").open("w") as log:
        provider = subprocess.Popen(
            [sys.executable, "-m", *program], cwd=ROOT, stdout=log, stderr=log
        )
    try:
        # Under another name than its issuer's, Canaille only redirects.
        wait_until_ready(port, "/.well-known/openid-configuration", host="localhost")
        yield f"http://localhost:{port}"
    finally:
        provider.terminate()
        provider.wait(10)


@contextmanager
def dashboard(
    site: Site, folder: Path, port: int, issuer: str, *, of_one_organization: bool = False
) -> Iterator[str]:
    """Run a dashboard for people of this provider; yields its address."""
    tenant = f'\n[sign_in]\nsingle_tenant_issuers = ["{issuer}"]\n'
    more = tenant if of_one_organization else ""
    write_secrets(folder, f"http://localhost:{port}", issuer, more=more)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        with served(site.cluster.home, port=port) as address:
            yield address


@contextmanager
def browser(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=address, viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def add(site: Site, email: str, name: str) -> None:
    with site.engine.begin() as connection:
        connection.execute(
            text(
                "insert into review.staff (email, display_name, role) values (:e, :n, 'reviewer')"
                " on conflict do nothing"
            ),
            {"e": email, "n": name},
        )


def test_somebody_signs_in_at_canaille_and_out_there_too(
    site: Site, chromium: Browser, tmp_path: Path
) -> None:
    add(site, canaille.EMAIL, canaille.NAME)
    own, its = free_port(), free_port()
    program = ("tests.browser.canaille", str(its), f"http://localhost:{own}")
    with running(tmp_path, *program, port=its) as issuer:
        with dashboard(site, tmp_path, own, issuer) as address, browser(chromium, address) as page:
            sign_in_at_canaille(page)
            expect(page.get_by_text(NOT_VERIFIED)).to_be_visible()
        known = dashboard(site, tmp_path, own, issuer, of_one_organization=True)
        with known as address, browser(chromium, address) as page:
            sign_in_at_canaille(page)
            is_let_in(page, canaille.NAME)

            page.get_by_role("button", name=canaille.NAME).click()
            button(page, "Sign out").first.click()

            expect(button(page, "Sign in")).to_be_visible()
            assert page.url == f"{address}/"
            button(page, "Sign in").click()
            expect(page.get_by_label("Login")).to_be_visible()
    assert site.rows(
        "select issuer, subject from review.staff where email = :e", e=canaille.EMAIL
    ) == [(issuer, canaille.USER)]


def sign_in_at_canaille(page: Page) -> None:
    sign_in(page)
    page.get_by_label("Login").fill(canaille.USER)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("textbox", name="Password").fill(canaille.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


# What a provider says of an address, and whether that signs its owner in.
SAID: dict[str, tuple[dict[str, object], bool]] = {
    "true": ({"email_verified": True}, True),
    "the word false": ({"email_verified": "false"}, False),
    "the word true": ({"email_verified": "true"}, False),
    "one": ({"email_verified": 1}, False),
    "nothing": ({}, False),
}


def test_only_an_address_that_is_said_to_be_verified_signs_in(
    site: Site, chromium: Browser, tmp_path: Path
) -> None:
    own, its = free_port(), free_port()
    with (
        running(tmp_path, "oidc_provider_mock", "--port", str(its), port=its) as issuer,
        dashboard(site, tmp_path, own, issuer) as address,
    ):
        for number, (said, (claims, is_verified)) in enumerate(SAID.items()):
            email = f"odd{number}@exchange.example"
            add(site, email, f"Odd {number}")
            httpx.put(
                f"{issuer}/users/{number}", json={"email": email, **claims}
            ).raise_for_status()
            with browser(chromium, address) as page:
                sign_in(page)
                page.get_by_placeholder("sub").fill(str(number))
                page.get_by_role("button", name="Authorize").click()
                if is_verified:
                    is_let_in(page, f"Odd {number}")
                else:
                    expect(page.get_by_text(NOT_VERIFIED), said).to_be_visible()

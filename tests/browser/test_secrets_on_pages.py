"""The five secrets are on no page, for no role: in nothing that the server sends a browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Response, WebSocket, expect
from sqlalchemy import make_url, text

from dashboard.shell.addresses import PAGES
from program.review.permissions import Role
from tests.browser import screen
from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site
from tests.browser.identity_provider import CLIENT_SECRET, SECRETS, IdentityProvider, write_secrets
from tests.browser.serving import free_port, served
from tests.browser.test_look import busiest
from tests.browser.test_openid import as_person, is_let_in, sign_in
from tests.test_secrets import CLIENT, HOOK_KEY, HOOK_TOKEN, SMTP, found_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser-deciding")]

[COOKIE] = re.findall(r'cookie_secret = "(.+)"', SECRETS)


class Heard:
    """Everything that a page's server sends: answers, and messages of the websocket."""

    def __init__(self, page: Page) -> None:
        self.parts: list[bytes] = []
        page.on("response", self._answer)
        page.on("websocket", self._listen)

    def _answer(self, response: Response) -> None:
        self.parts.append(repr(response.headers).encode())

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: self.parts.append(as_bytes(data)))

    def words(self) -> str:
        return b"\n".join(self.parts).decode(errors="replace")


def as_bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


@pytest.fixture
def secretive(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, IdentityProvider, dict[str, str]]]:
    """A dashboard with all secrets in its settings; its provider; and the secrets by name."""
    port = free_port()
    database = str(make_url(site.cluster.url()).password)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".streamlit").mkdir()
    settings = {
        "SMTP_URL": f"smtp://team:{quote(SMTP, safe='')}@127.0.0.1:{free_port()}?from=a@example.com",
        "NOTIFY_WEBHOOK_URL": f"http://127.0.0.1:{free_port()}/{HOOK_TOKEN}",
        "NOTIFY_WEBHOOK_SECRET": f"whsec_{HOOK_KEY}",
        "DATABASE_URL": site.cluster.url(),
    }
    secrets = {
        "database": database,
        "smtp": SMTP,
        "cookie": COOKIE,
        "client": CLIENT,
        "webhook key": HOOK_KEY,
        "webhook token": HOOK_TOKEN,
    }
    with IdentityProvider(free_port()) as provider:
        write_secrets(tmp_path, f"http://localhost:{port}", provider.issuer, client_secret=CLIENT)
        assert CLIENT_SECRET != CLIENT
        with served(site.cluster.home, port=port, **settings) as address:
            yield address, provider, secrets


@pytest.mark.parametrize("role", Role)
def test_no_page_for_a_signed_in_person_holds_a_secret(
    role: Role,
    site: Site,
    chromium: Browser,
    secretive: tuple[str, IdentityProvider, dict[str, str]],
) -> None:
    address, provider, secrets = secretive
    email, name = f"secretive-{role}@exchange.example", f"Sasha the {role}"
    person = "insert into review.staff (email, display_name, role) values (:e, :n, :r)"
    with site.engine.begin() as connection:
        connection.execute(text(person), {"e": email, "n": name, "r": role})
    as_person(provider, email)
    context = chromium.new_context(base_url=address, viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    heard = Heard(page)
    sign_in(page)
    is_let_in(page, name)

    drawn = {}
    for path in sorted(PAGES):
        page.goto(f"{path}?id={busiest(site)}" if path == "/application" else path)
        page.locator(".st-key-header").wait_for()
        screen.settled(page)
        expect(page.get_by_test_id("stApp"), path).not_to_contain_text("Something went wrong")
        drawn[path] = page.content()
    context.close()

    assert found_in({**drawn, "sent": heard.words()}, secrets) == []
    # It did listen.
    assert name in heard.words()

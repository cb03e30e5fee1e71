"""Sign-in by a proxy's header: whose header counts, whom it lets in, and what ends that."""

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

import serve
from dashboard.shell import (
    browsers,
    export_links,
    files,
    identity,
    openid,
    proxied,
    routes,
    settings,
)
from dashboard.shell.static_files import StaticFiles
from data_access.db.errors import SettingMissing
from program.review.permissions import Role
from program.review.queue_filters import Filters
from program.review.trusted_header import PROXY_ISSUER
from tests.browser.serving import free_port, wait_until_ready

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PROXY, ELSEWHERE = "10.0.0.5", "10.0.0.6"
HEADER = "X-Auth-Email"
ANA = "ana@example.com"


async def who(request: Request) -> JSONResponse:
    person = identity.person(request)
    return JSONResponse(
        {"named": proxied.email(request.headers), "person": person and person.email}
    )


class Visitor:
    """Requests the server's routes as uvicorn passes them on; keeps cookies."""

    def __init__(self, peer: str = PROXY) -> None:
        # Without the files that are the same for everybody, among them the frame of the pages.
        checks = [one for one in serve.MIDDLEWARE if one.cls is not StaticFiles]
        app = Starlette(routes=[*routes.ROUTES, Route("/", who)], middleware=checks)
        # The proxy on this computer tells the browser's address, as deploy/nginx does.
        self.app = proxied.NotedPeers(app, trusted_hosts="*")
        self.peer = peer
        self.cookies = httpx.Cookies()

    def get(self, path: str, *headers: tuple[str, str]) -> httpx.Response:
        return self.ask("GET", path, *headers)

    def ask(self, method: str, path: str, *headers: tuple[str, str]) -> httpx.Response:
        return asyncio.run(self._ask(method, path, list(headers)))

    async def _ask(self, method: str, path: str, headers: list[tuple[str, str]]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(self.peer, 50_000))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost:8501", cookies=self.cookies
        ) as client:
            response = await client.request(method, path, headers=headers)
            self.cookies = client.cookies
        return response

    def sign_in(self, email: str = ANA) -> httpx.Response:
        return self.get("/proxy-sign-in?to=/application?id=5", (HEADER, email))

    def sees(self, *headers: tuple[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/", *headers).json()
        return found

    def is_in(self, email: str = ANA) -> bool:
        return self.sees((HEADER, email))["person"] == email


@pytest.fixture
def staffed(staffed: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A database with staff, behind a proxy that names people."""
    monkeypatch.setenv(proxied.NAME, HEADER)
    monkeypatch.setenv(proxied.PEERS, f"{PROXY},fd00::/64")
    return staffed


def test_whom_the_proxy_names_signs_in_on_record_and_goes_on_to_their_page(
    staffed: Engine,
) -> None:
    visitor = Visitor()
    assert visitor.sees((HEADER, ANA)) == {"named": ANA, "person": None}

    response = visitor.sign_in()

    assert response.headers["location"] == "/application?id=5"
    assert "HttpOnly" in response.headers["set-cookie"]
    assert "SameSite=strict" in response.headers["set-cookie"]
    assert visitor.is_in()
    assert visitor.sees((HEADER.lower(), " ANA@example.com ")) == {"named": ANA, "person": ANA}
    with staffed.connect() as connection:
        [(issuer, events)] = connection.execute(
            text(
                "select issuer, (select count(*) from review.staff_events where kind = 'bound') "
                "from review.staff where email = :e"
            ),
            {"e": ANA},
        )
    assert (issuer, events) == (PROXY_ISSUER, 1)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((HEADER, ""),),
        ((HEADER, "mira@example.com"),),
        ((HEADER, f"{ANA}, {ANA}"),),
        ((HEADER, ANA), (HEADER, ANA)),
        ((HEADER, ANA), ("x-auth-email", "mira@example.com")),
        (("X_Auth_Email", ANA),),
        (("X-Forwarded-Email", ANA),),
        ((proxied.CHECKED, ANA),),
        ((proxied.CHECKED, f"guessed {ANA}"),),
    ],
)
def test_a_session_counts_only_while_the_proxy_names_its_person_once(
    staffed: Engine, headers: tuple[tuple[str, str], ...]
) -> None:
    visitor = Visitor()
    visitor.sign_in()
    assert visitor.is_in()

    assert visitor.sees(*headers)["person"] is None
    assert visitor.is_in()


@pytest.mark.parametrize("peer", [ELSEWHERE, "127.0.0.1", "::1", ""])
def test_the_header_of_another_peer_is_ignored(staffed: Engine, peer: str) -> None:
    visitor, other = Visitor(), Visitor(peer)
    visitor.sign_in()
    other.cookies = visitor.cookies

    claimed = ((HEADER, ANA), ("X-Forwarded-For", PROXY), ("Forwarded", f"for={PROXY}"))
    assert other.sees(*claimed) == {"named": None, "person": None}
    assert not Visitor(peer).sign_in().headers.get_list("set-cookie")


def test_the_proxys_own_address_counts_not_the_browsers_that_it_tells(staffed: Engine) -> None:
    visitor = Visitor()
    visitor.sign_in()

    told = visitor.sees((HEADER, ANA), ("X-Forwarded-For", "203.0.113.7"))

    assert told["person"] == ANA


def test_a_server_that_does_not_note_peers_believes_no_header(staffed: Engine) -> None:
    visitor = Visitor()
    assert isinstance(visitor.app, proxied.NotedPeers)
    visitor.app = ProxyHeadersMiddleware(visitor.app.app)  # type: ignore[assignment]

    assert visitor.sees((HEADER, ANA)) == {"named": None, "person": None}


def test_without_the_settings_the_header_is_ignored(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (proxied.NAME, proxied.PEERS):
        with monkeypatch.context() as patch:
            patch.delenv(name)
            visitor = Visitor()
            assert visitor.sign_in().status_code == 403
            assert visitor.sees((HEADER, ANA)) == {"named": None, "person": None}


def test_with_openid_the_header_is_ignored(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor()
    visitor.sign_in()
    assert visitor.is_in()

    monkeypatch.setattr(openid, "settings", lambda: {"cookie_secret": "x" * 40})
    monkeypatch.setattr(identity, "get_cookie_secret", lambda: "x" * 40)

    assert visitor.sign_in().status_code == 403
    assert not visitor.is_in()


ENDED = {
    "disabled": "update review.staff set active = false where email = :e",
    "another role": "update review.staff set role = 'analyst' where email = :e",
    "signed out everywhere": "update review.staff set signed_in_after = clock_timestamp() "
    "where email = :e",
    "idle": "update review.sessions set last_seen_at = now() - interval '61 minutes' "
    "where email = :e",
    "too long": "update review.sessions set begun_at = now() - interval '12 hours' "
    "where email = :e",
}


@pytest.mark.parametrize("change", ENDED.values(), ids=list(ENDED))
def test_what_ends_other_sessions_ends_these(staffed: Engine, change: str) -> None:
    visitor = Visitor()
    visitor.sign_in()
    assert visitor.is_in()

    with staffed.begin() as connection:
        connection.execute(text(change), {"e": ANA})

    assert not visitor.is_in()


def test_after_a_change_of_role_every_own_route_refuses_and_then_sees_the_new_one(
    staffed: Engine,
) -> None:
    visitor = Visitor()
    visitor.sign_in()
    assert visitor.is_in()
    mark = visitor.cookies[browsers.MARK_COOKIE]
    link = "/" + export_links.queue_link(ANA, Role.REVIEWER, Filters(), browser=mark)

    def answers() -> list[str]:
        origin = ("Origin", "http://localhost:8501")
        upload = visitor.ask("PUT", "/_stcore/upload_file/a/b", (HEADER, ANA), origin)
        export = visitor.get(link, (HEADER, ANA))
        return [f"{one.status_code} {one.text}" for one in (export, upload)]

    # Whoever may, gets as far as the export, which has no database here, and Streamlit's route.
    assert [one[:40] for one in answers()] == [
        "403 The export failed, so the file is in",
        "404 Not Found",
    ]

    with staffed.begin() as connection:
        changed = text("update review.staff set role = 'analyst' where email = :e")
        connection.execute(changed, {"e": ANA})

    refused = f"403 {files.NO_UPLOAD}"
    assert answers() == ["403 You are no longer signed in. Sign in, and export again.", refused]
    visitor.sign_in()
    assert visitor.is_in()
    assert answers() == [
        "403 Your role changed since this link was made. Reload the page and export again.",
        refused,
    ]


def test_a_sign_out_ends_the_session_also_for_copies_of_its_cookie(staffed: Engine) -> None:
    visitor, copy = Visitor(), Visitor()
    visitor.sign_in()
    copy.cookies = httpx.Cookies(visitor.cookies)
    assert copy.is_in()

    response = visitor.get("/proxy-sign-out", (HEADER, ANA))

    assert response.headers["location"] == "/"
    assert not visitor.is_in()
    assert not copy.is_in()


@pytest.mark.parametrize(
    "change",
    [
        "update review.staff set active = false where email = :e",
        "update review.staff set issuer = 'https://id.example', subject = '1' where email = :e",
        "update review.staff set issuer = 'demo', subject = '1' where email = :e",
    ],
)
def test_nobody_signs_in_who_is_disabled_or_bound_to_another_account(
    staffed: Engine, change: str
) -> None:
    with staffed.begin() as connection:
        connection.execute(text(change), {"e": ANA})
    visitor = Visitor()

    assert not visitor.sign_in().headers.get_list("set-cookie")
    assert not Visitor().sign_in("stranger@example.com").headers.get_list("set-cookie")
    assert not visitor.is_in()


def test_another_site_cannot_sign_anybody_in(staffed: Engine) -> None:
    for path in ("/proxy-sign-in", "/proxy-sign-out"):
        response = Visitor().get(path, (HEADER, ANA), ("Sec-Fetch-Site", "cross-site"))
        assert (response.status_code, response.headers.get("set-cookie")) == (403, None), path


# --- The whole server -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({proxied.NAME: HEADER}, "SIGN_IN_HEADER and SIGN_IN_HEADER_FROM go together"),
        ({proxied.PEERS: PROXY}, "SIGN_IN_HEADER and SIGN_IN_HEADER_FROM go together"),
        ({proxied.NAME: HEADER, proxied.PEERS: "0.0.0.0/0"}, "from everybody"),
    ],
)
def test_half_of_the_settings_keeps_the_server_from_starting(
    given: dict[str, str], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingMissing, match=part):
        settings.require()


def test_two_ways_to_sign_in_keep_the_server_from_starting(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.require()
    monkeypatch.setattr(settings, "_readable", lambda _: {"auth": {"client_id": "x"}})

    with pytest.raises(SettingMissing, match="one way or the other"):
        settings.require()


def test_the_running_server_believes_the_header_from_the_proxys_address_only(
    tmp_path: Path,
) -> None:
    """Both peers are this computer, by two of its addresses; nobody is on a staff list."""
    port = free_port()
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        proxied.NAME: HEADER,
        proxied.PEERS: "127.0.0.2",
    }
    with subprocess.Popen(
        [sys.executable, "serve.py", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until_ready(port, "/healthz")
            answers = {peer: _asks(port, peer) for peer in ("127.0.0.1", "127.0.0.2")}
        finally:
            process.terminate()
            process.wait(10)

    # Whom it believes, it looks for in the database, which is not there.
    assert answers == {"127.0.0.1": 303, "127.0.0.2": 503}


def _asks(port: int, peer: str) -> int:
    """Return the status of a sign-in from this address, which claims to be the other one."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60, source_address=(peer, 0))) as asking:
        asking.request(
            "GET", "/proxy-sign-in", headers={HEADER: ANA, "X-Forwarded-For": "127.0.0.2"}
        )
        return asking.getresponse().status

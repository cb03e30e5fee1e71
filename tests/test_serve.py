"""The plain routes, what every answer carries, and what a failure shows and logs."""

import asyncio
import logging
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

import serve
from dashboard import local_sign_in, visits
from dashboard.shell import failures
from data_access import database
from data_access.logs import LOG, RedactingFormatter
from data_access.refusals import DatabaseUnavailable

ROOT = Path(__file__).resolve().parent.parent
ORIGIN = "http://localhost:8501"
THIS_COMPUTER = ("127.0.0.1", 50000)


async def callback(_: Request) -> RedirectResponse:
    return RedirectResponse("/", status_code=302)


async def page(_: Request) -> RedirectResponse:
    return RedirectResponse("/elsewhere", status_code=302)


async def media(_: Request) -> PlainTextResponse:
    return PlainTextResponse("what is behind a download button")


class Browser:
    """Asks the routes directly, keeps cookies, follows nothing."""

    def __init__(
        self,
        *,
        origin: str = ORIGIN,
        address: tuple[str, int] = THIS_COMPUTER,
        cookies: dict[str, str] | None = None,
    ) -> None:
        routes = [
            *serve.ROUTES,
            Route("/oauth2callback", callback),
            Route("/", page),
            Route("/application", page),
            Route("/media/{name}", media),
        ]
        middleware = [
            Middleware(serve.SecurityHeaders),
            Middleware(serve.FilesForStaff),
            Middleware(serve.WayBack),
        ]
        self.app = Starlette(routes=routes, middleware=middleware)
        self.origin, self.address = origin, address
        self.cookies = httpx.Cookies(cookies)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return asyncio.run(self._get(path, headers))

    async def _get(self, path: str, headers: dict[str, str] | None) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=self.address)
        async with httpx.AsyncClient(
            transport=transport, base_url=self.origin, cookies=self.cookies
        ) as client:
            response = await client.get(path, headers=headers)
            self.cookies = client.cookies
        return response


def link(email: str = "ana@example.com", back_to: str = "/application?id=5") -> str:
    return "/" + local_sign_in.mint_link(email, back_to=back_to)


def test_readiness_is_more_than_health(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "reader", lambda: engine)
    assert answer("/readyz") == (200, "ready")

    def gone() -> Engine:
        raise DatabaseUnavailable("no postgresql://user:hunter2@host answers")

    monkeypatch.setattr(database, "reader", gone)
    assert answer("/readyz") == (503, "the database does not answer")
    assert answer("/healthz") == (200, "ok")


def answer(path: str) -> tuple[int, str]:
    response = Browser().get(path)
    return response.status_code, response.text


def test_a_link_signs_in_once_and_leads_back() -> None:
    address = link()

    first = Browser().get(address)
    again = Browser().get(address)

    assert (first.status_code, first.headers["location"]) == (303, "/application?id=5")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    value = cookie.split(";")[0].split("=", 1)[1]
    assert local_sign_in.read_session(value) == "ana@example.com"
    assert again.headers["location"] == "/"
    assert "affiliate_review_local" not in again.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "address",
    [
        "/local-sign-in",
        "/local-sign-in?token=",
        "/local-sign-in?token=forged",
        "/local-sign-in?email=ada@example.com&next=https://evil.example",
    ],
)
def test_a_forged_link_signs_nobody_in(address: str) -> None:
    response = Browser().get(address)

    assert response.headers["location"] == "/"
    assert "affiliate_review_local" not in response.headers.get("set-cookie", "")


@pytest.mark.parametrize("path", ["sign-in", "sign-out"])
@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({"origin": "http://review.example.com"}, {}),
        ({"origin": "http://localhost.evil.example"}, {}),
        ({"address": ("203.0.113.9", 50000)}, {}),
        ({}, {"X-Forwarded-For": "203.0.113.9"}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
        ({}, {"Sec-Fetch-Site": "none"}),
    ],
)
def test_the_local_sign_in_is_refused_from_anywhere_else(
    path: str, arguments: dict[str, object], headers: dict[str, str]
) -> None:
    address = link() if path == "sign-in" else "/local-sign-out"

    response = Browser(**arguments).get(address, headers=headers)

    assert response.status_code == 403
    assert "affiliate_review_local" not in response.headers.get("set-cookie", "")


def test_the_local_sign_in_is_refused_with_a_database_of_ones_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/review")

    assert Browser().get(link()).status_code == 403


def test_signing_out_ends_the_session_in_other_tabs_too() -> None:
    value = local_sign_in.mint_session("ana@example.com")

    response = Browser(cookies={local_sign_in.COOKIE: value}).get("/local-sign-out")

    assert 'affiliate_review_local=""' in response.headers["set-cookie"]
    assert local_sign_in.read_session(value) is None


def test_a_file_behind_a_button_is_for_browsers_that_are_signed_in() -> None:
    signed_in, stranger = Browser(cookies={visits.BROWSER_COOKIE: "hers"}), Browser()
    visits.seen("hers", now=time.time())

    assert signed_in.get("/media/5f3a.csv").status_code == 200
    assert stranger.get("/media/5f3a.csv").status_code == 403
    assert stranger.get("/media/5f3a.svg").status_code == 200

    signed_in.get("/local-sign-out")
    assert signed_in.get("/media/5f3a.csv").status_code == 403


def test_openid_leads_back_to_the_page_asked_for() -> None:
    browser = Browser()
    browser.get("/application?id=77&evil=%0d%0aX")

    back = browser.get("/oauth2callback")
    then = browser.get("/oauth2callback")

    assert back.headers["location"].startswith("/application?id=77&")
    assert then.headers["location"] == "/"


@pytest.mark.parametrize("kept", ["to=https://evil.example", "to=//evil.example", "rubbish"])
def test_a_planted_way_back_leads_nowhere(kept: str) -> None:
    browser = Browser(cookies={serve.WAY_BACK_COOKIE: kept})

    assert browser.get("/oauth2callback").headers["location"] == "/"


@pytest.mark.parametrize("path", ["/healthz", "/local-sign-in", "/nothing"])
def test_every_answer_carries_the_security_headers(path: str) -> None:
    headers = Browser().get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts is not None
    assert "unsafe" not in scripts[1]


def test_a_failure_shows_a_reference_and_logs_it_without_secrets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(failures.states, "broken", shown.append)
    monkeypatch.setattr(LOG, "propagate", True)

    assert failures.report(RuntimeError("postgresql://app:hunter2@db/x")) is True

    written = RedactingFormatter("%(message)s").format(caplog.records[-1])
    assert re.fullmatch(r"[0-9A-F]{6}", shown[0])
    assert f"reference {shown[0]}" in written
    assert "RuntimeError" in written
    assert "hunter2" not in written


def test_streamlit_does_not_log_the_same_error_unredacted() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "Uncaught app execution", (), None)
    other = logging.LogRecord("x", logging.ERROR, "", 0, "Something else", (), None)

    assert not serve._not_the_plain_copy(record)
    assert serve._not_the_plain_copy(other)


@pytest.fixture(scope="module")
def real_server() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}
    with subprocess.Popen(
        [sys.executable, "serve.py", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()
            server.wait(10)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            assert get(port, "/healthz") == (200, "ok")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the server did not start")


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_the_real_server_serves_the_shell_the_fonts_and_its_own_routes(real_server: int) -> None:
    assert get(real_server, "/healthz") == (200, "ok")
    assert "<title>" in get(real_server, "/")[1]
    status, _ = get_bytes(real_server, "/app/static/fonts/IBMPlexSans-Variable.woff2")
    assert status == 200
    assert get(real_server, "/local-sign-in?token=x", Host="review.example.com")[0] == 403


def get_bytes(port: int, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(("host", "status"), [("localhost", 101), ("review.example.com", 403)])
def test_the_websocket_opens_for_loopback_names_only(
    real_server: int, host: str, status: int
) -> None:
    upgrade = {
        "Host": f"{host}:{real_server}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with socket.create_connection(("127.0.0.1", real_server), timeout=10) as wire:
        lines = "".join(f"{name}: {value}\r\n" for name, value in upgrade.items())
        wire.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{lines}\r\n".encode())
        first = wire.recv(64).decode(errors="replace").split()

    assert status == int(first[1])

"""The plain routes, the headers of every response, and what a failure shows and logs."""

import asyncio
import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from streamlit.web.server.starlette import starlette_server

import serve
from dashboard.shell import (
    browsers,
    export_links,
    failures,
    local_sign_in,
    openid,
    readiness,
    routes,
)
from dashboard.shell.export_links import Promise
from data_access.db import database
from data_access.db.database import Purpose
from data_access.db.errors import DatabaseUnavailable
from data_access.db.logs import LOG, RedactingFormatter, path_asked
from data_access.people import sessions
from program.review.permissions import Role

ROOT = Path(__file__).resolve().parent.parent.parent.parent
ORIGIN = "http://localhost:8501"
THIS_COMPUTER = ("127.0.0.1", 50000)


async def callback(_: Request) -> RedirectResponse:
    return RedirectResponse("/", status_code=302)


async def page(_: Request) -> RedirectResponse:
    return RedirectResponse("/elsewhere", status_code=302)


class Browser:
    """Requests the routes directly, keeps cookies, follows no redirects."""

    def __init__(
        self,
        *,
        origin: str = ORIGIN,
        address: tuple[str, int] = THIS_COMPUTER,
        cookies: dict[str, str] | None = None,
    ) -> None:
        answered = [
            *routes.ROUTES,
            Route("/oauth2callback", callback),
            Route("/", page),
            Route("/application", page),
        ]
        self.app = Starlette(routes=answered, middleware=serve.MIDDLEWARE)
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


def signed_in(engine: Engine, value: str) -> str | None:
    """Return who a local cookie signs in."""
    key = local_sign_in.session_key(value)
    with engine.connect() as connection:
        person = sessions.find(connection, key or "")
    return person.email if person else None


def local_cookie(email: str = "ana@example.com") -> str:
    """Sign in locally; returns the cookie."""
    browser = Browser()
    browser.get(link(email))
    return browser.cookies[local_sign_in.COOKIE]


def link(email: str = "ana@example.com", back_to: str = "/application?id=5") -> str:
    return "/" + local_sign_in.mint_link(email, back_to=back_to)


def test_readiness_is_more_than_health(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "reader", lambda: engine)
    assert readiness.obstacle() is None

    with engine.begin() as connection:
        connection.execute(text("update review.alembic_version set version_num = '0000'"))
    older = readiness.obstacle()
    assert older is not None
    assert older.startswith("the schema is at revision 0000, and this program needs ")
    assert older.endswith("run `python -m data_access migrate`")

    with engine.begin() as connection:
        connection.execute(text("drop table review.alembic_version"))
    never = readiness.obstacle()
    assert never is not None
    assert "at revision none" in never

    def gone() -> Engine:
        raise DatabaseUnavailable("no postgresql://user:hunter2@host answers")

    monkeypatch.setattr(database, "reader", gone)
    assert readiness.obstacle() == "the database does not respond"
    assert answer("/healthz") == (200, "ok")


def test_simultaneous_readiness_checks_query_the_database_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[None] = []
    found: list[str | None] = ["the database does not respond"]

    def look() -> str | None:
        looks.append(None)
        return found[0]

    async def ask(probe: readiness.Readiness, times: int) -> set[tuple[int, str]]:
        request = Request({"type": "http", "headers": []})
        answers = await asyncio.gather(*(probe.answer(request) for _ in range(times)))
        return {(one.status_code, bytes(one.body).decode()) for one in answers}

    monkeypatch.setattr(readiness, "obstacle", look)
    patient, curious = readiness.Readiness(60), readiness.Readiness(-1)

    assert asyncio.run(ask(patient, 100)) == {(503, "the database does not respond")}
    assert len(looks) == 1
    asyncio.run(ask(curious, 1))
    found[0] = None
    assert asyncio.run(ask(curious, 1)) == {(200, "ready")}


def answer(path: str) -> tuple[int, str]:
    response = Browser().get(path)
    return response.status_code, response.text


def test_a_link_signs_in_once_and_leads_back(staffed: Engine) -> None:
    address = link()

    first = Browser().get(address)
    again = Browser().get(address)

    assert (first.status_code, first.headers["location"]) == (303, "/application?id=5")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    value = cookie.split(";")[0].split("=", 1)[1]
    assert signed_in(staffed, value) == "ana@example.com"
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


def forged_tokens(real: str) -> Iterator[str]:
    """Yield what an attacker would try in place of a real token: cut, changed, foreign."""
    content, _, rest = real.partition(".")
    yield from (real[:length] for length in range(0, len(real) - 1, 9))
    yield from (
        f"{real[:at]}{'B' if real[at] == 'A' else 'A'}{real[at + 1 :]}"
        for at in range(0, len(real) - 2, 7)
    )
    yield from (f"{content}.{'A' * 6}.{rest}", f"{content}..", "e30.AAAAAA.AAAA", f"{real}.{real}")
    yield from (
        "",
        "0",
        "-1",
        "9" * 4_000,
        "１",
        "\u202e1",
        "null",
        "[]",
        "../x",
        "%00",
        "' or 1=1--",
    )


def test_forged_links_are_answered_alike(staffed: Engine) -> None:
    """As for a link of another browser; nobody learns which exports or people there are."""
    promise = Promise(email="ana@example.com", role=Role.REVIEWER, query={}, of_queue=True)
    made = export_links.view_link(promise, "applications", browser="another browser")
    real = parse_qs(urlsplit(made).query)["token"][0]
    browser = Browser(cookies={browsers.MARK_COOKIE: "this browser"})
    tried = [*forged_tokens(real), real]

    said = {
        (answered.status_code, answered.text)
        for token in tried
        for answered in [browser.get("/export/x.csv?" + urlencode({"token": token}))]
    }

    assert len(tried) > 80
    assert said == {(403, routes.OF_ANOTHER_BROWSER)}


def test_forged_files_are_answered_alike(staffed: Engine) -> None:
    browser = Browser()
    names = ("0" * 32, "5f" * 16, "1", "-1", "١", "../../etc/passwd", "x" * 4_000)

    assert {browser.get(f"/media/{quote(name)}.csv").status_code for name in names} == {404}


@pytest.mark.parametrize("path", ["sign-in", "sign-out"])
@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({"origin": "http://review.example.com"}, {}),
        ({"origin": "http://localhost.evil.example"}, {}),
        ({"address": ("203.0.113.9", 50000)}, {}),
        ({}, {"X-Forwarded-For": "203.0.113.9"}),
        ({}, {"Via": "1.1 proxy"}),
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


def test_the_local_sign_in_is_refused_with_an_external_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/review")

    assert Browser().get(link()).status_code == 403


def test_signing_in_as_another_ends_the_session_that_was_there(staffed: Engine) -> None:
    value = local_cookie()
    assert signed_in(staffed, value) == "ana@example.com"

    Browser(cookies={local_sign_in.COOKIE: value}).get(link("mira@example.com"))

    assert signed_in(staffed, value) is None


def test_signing_out_ends_the_session_in_other_tabs_too(staffed: Engine) -> None:
    value = local_cookie()
    assert signed_in(staffed, value) == "ana@example.com"

    response = Browser(cookies={local_sign_in.COOKIE: value}).get("/local-sign-out")

    assert 'affiliate_review_local=""' in response.headers["set-cookie"]
    assert signed_in(staffed, value) is None


def test_openid_returns_to_the_requested_page() -> None:
    browser = Browser()
    browser.get("/application?id=77&evil=%0d%0aX")

    back = browser.get("/oauth2callback")
    then = browser.get("/oauth2callback")

    assert back.headers["location"].startswith("/application?id=77&")
    assert then.headers["location"] == "/"


@pytest.mark.parametrize("kept", ["to=https://evil.example", "to=//evil.example", "rubbish"])
def test_a_planted_way_back_leads_nowhere(kept: str) -> None:
    browser = Browser(cookies={browsers.WAY_BACK_COOKIE: kept})

    assert browser.get("/oauth2callback").headers["location"] == "/"


@pytest.mark.parametrize(
    ("origin", "redirect_uri", "secure"),
    [
        ("http://localhost:8501", "", False),
        ("http://localhost:8501", "http://localhost:8501/oauth2callback", False),
        ("https://localhost:8501", "", True),
        ("http://localhost:8501", "https://review.example.com/oauth2callback", True),
    ],
)
def test_cookies_are_secure_where_people_come_by_https(
    origin: str, redirect_uri: str, secure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "settings", lambda: {"redirect_uri": redirect_uri})

    set_cookies = Browser(origin=origin).get("/").headers.get_list("set-cookie")

    assert len(set_cookies) == 2
    assert [cookie.count("Secure") for cookie in set_cookies] == [int(secure)] * 2
    assert all("HttpOnly" in cookie for cookie in set_cookies)


@pytest.mark.parametrize("path", ["/healthz", "/local-sign-in", "/nothing", "/export/x"])
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


def test_a_route_that_fails_says_a_reference_and_logs_it_with_the_path(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(token: str, *, browser: str) -> None:
        raise RuntimeError("postgresql://app:hunter2@db/x")

    monkeypatch.setattr(routes.export_links, "redeem_export", fail)
    monkeypatch.setattr(LOG, "propagate", True)
    noted: list[dict[str, str]] = []
    monkeypatch.setattr(
        LOG, "error", lambda *_, extra, **__: noted.append({**extra, "path": path_asked.get()})
    )

    response = Browser().get("/export/x.csv?token=s3cret")

    assert response.status_code == 500
    assert response.headers["x-frame-options"] == "DENY"
    (one,) = noted
    assert one["path"] == "/export/x.csv"
    assert f"Reference {one['reference']}." in response.text
    assert "hunter2" not in response.text


def test_everything_that_the_server_logs_is_json_on_one_line(tmp_path: Path) -> None:
    """Of the product, Streamlit, the server below it, and warnings; started without a terminal."""
    script = (
        "import logging, warnings, serve; from streamlit.logger import get_logger;"
        "get_logger('streamlit.early'); serve._set_up_logging();"
        "[get_logger(n).warning('from\\n%s', n) for n in"
        " ('streamlit.early', 'streamlit.later', 'uvicorn.access', 'uvicorn.error',"
        " 'affiliate_review')];"
        "warnings.warn('soon gone')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    names = [line["logger"] for line in lines]
    assert names[:3] == ["streamlit.early", "streamlit.later", "uvicorn.error"]
    assert set(names) >= {"affiliate_review", "py.warnings"}
    assert "uvicorn.access" not in names, "requests' addresses hold searches and tokens"


def test_streamlit_does_not_log_the_same_error_unredacted() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "Uncaught app execution", (), None)
    other = logging.LogRecord("x", logging.ERROR, "", 0, "Something else", (), None)

    assert not serve._not_the_plain_copy(record)
    assert serve._not_the_plain_copy(other)


def test_the_server_sends_short_messages_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starlette_server, "_bind_socket", starlette_server._bind_socket)
    serve.send_at_once()

    with starlette_server._bind_socket("127.0.0.1", 0, 1) as listening:
        listening.setblocking(True)
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
    with accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_server_that_is_told_to_stop_waits_for_acts_under_way_and_not_forever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = [3, 1, 0]
    monkeypatch.setattr(database, "connections_in_use", lambda: {Purpose.WRITER: left.pop(0)})
    asyncio.run(serve.acts_end())
    assert left == []

    monkeypatch.setattr(database, "connections_in_use", lambda: {Purpose.WRITER: 1})
    monkeypatch.setattr(serve, "STOPS_WITHIN_S", 0)
    asyncio.run(serve.acts_end())


def test_what_the_pages_import_is_there_before_the_first_visit() -> None:
    """In a process of its own, which starts with nothing imported; no page runs."""
    script = (
        "import gc, sys, serve; serve.import_ahead();"
        "print('dashboard.pages.queue.table' in sys.modules,"
        " any(name.endswith('.page') for name in sys.modules if name.startswith('dashboard.')),"
        " gc.get_freeze_count() > 100_000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "False", "True"]

"""The server: the dashboard, its few plain routes, and what every answer carries.

``python serve.py --port 8501`` runs it; any ASGI server can run ``serve:app``.
"""

import argparse
import asyncio
import logging
import re
import secrets
import threading
import time
import webbrowser
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import downloads, links, local_sign_in, visits
from dashboard.screens import SCREENS, way_back
from dashboard.shell import failures
from data_access import database, export_jobs, export_spool, logs
from data_access.logs import LOG
from data_access.refusals import Refusal

ROOT = Path(__file__).resolve().parent
WAY_BACK_COOKIE = "affiliate_review_way_back"
WAY_BACK_SECONDS = 10 * 60
OPENID_CALLBACK = "/oauth2callback"
NOT_CACHED = {"Cache-Control": "no-store"}


def healthz(_: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok", headers=NOT_CACHED)


def readyz(_: Request) -> Response:
    """The process and the database answer."""
    try:
        with database.reader().connect() as connection:
            connection.execute(text("select 1"))
    except (Refusal, SQLAlchemyError):
        LOG.warning("not ready: the database does not answer")
        return PlainTextResponse(
            "the database does not answer", status_code=503, headers=NOT_CACHED
        )
    return PlainTextResponse("ready", headers=NOT_CACHED)


async def export(request: Request) -> Response:
    """Give a file to the person a page minted the link for, as it is written."""
    token = request.query_params.get("token", "")
    promise = links.redeem_export(token, browser=request.cookies.get(visits.BROWSER_COOKIE, ""))
    if promise is None:
        return _plainly(
            "This link is too old, was altered or was made for another browser. "
            "Reload the page and export again."
        )
    try:
        job = await run_in_threadpool(downloads.begin, promise, now=datetime.now(UTC))
    except Refusal as refusal:
        return _plainly(str(refusal))
    while not job.can_be_read:
        if await request.is_disconnected():
            job.hang_up()
        await asyncio.sleep(downloads.LOOK_EVERY_S)
    if job.ending is not None:
        return _plainly(job.sentence)
    return downloads.Download(job, headers=NOT_CACHED)


def _plainly(sentence: str) -> Response:
    return PlainTextResponse(sentence, status_code=403, headers=NOT_CACHED)


def sign_in_locally(request: Request) -> Response:
    """Follow a link the sign-in screen minted: set the cookie and go where it leads."""
    refused = _refused_locally(request)
    if refused is not None:
        return refused
    redeemed = local_sign_in.redeem_link(request.query_params.get("token", ""))
    if redeemed is None:
        # Too old or used: the screen offers a fresh one.
        return RedirectResponse("/", status_code=303, headers=NOT_CACHED)
    email, back_to = redeemed
    response = RedirectResponse(back_to, status_code=303, headers=NOT_CACHED)
    response.set_cookie(
        local_sign_in.COOKIE,
        local_sign_in.mint_session(email),
        max_age=local_sign_in.SESSION_SECONDS,
        httponly=True,
        samesite="strict",
    )
    return response


def sign_out_locally(request: Request) -> Response:
    """End the local session."""
    refused = _refused_locally(request)
    if refused is not None:
        return refused
    local_sign_in.end_session(request.cookies.get(local_sign_in.COOKIE))
    visits.ended(request.cookies.get(visits.BROWSER_COOKIE, ""))
    response = RedirectResponse("/", status_code=303, headers=NOT_CACHED)
    response.delete_cookie(local_sign_in.COOKIE, httponly=True, samesite="strict")
    return response


def _refused_locally(request: Request) -> Response | None:
    sentence = local_sign_in.obstacle(
        server_address=st.get_option("server.address"), headers=request.headers
    )
    client = request.client.host if request.client else None
    if sentence is None and not local_sign_in.is_loopback(client):
        sentence = "The local sign-in works on this computer only."
    # Another site may lead a browser here, but may not choose who one is.
    if sentence is None and request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        sentence = "Sign in and out from the dashboard's own page."
    if sentence is None:
        return None
    return PlainTextResponse(sentence, status_code=403, headers=NOT_CACHED)


def content_security_policy() -> str:
    """What the browser may load: this server only, and the scripts Streamlit ships inline."""
    shell = (Path(st.__file__).parent / "static" / "index.html").read_text()
    inline = re.findall(r"<script>(.*?)</script>", shell, re.DOTALL)
    hashes = [f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in inline]
    # No 'wasm-unsafe-eval': Streamlit's number library asks for it and does well without.
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *hashes]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


class SecurityHeaders:
    """Adds the headers that keep a browser from being talked into anything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": content_security_policy(),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; only the start of an answer is touched."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BrowserMark:
    """Gives every browser a secret of its own with the first page, for links bound to it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.paths = {f"/{screen.path}" for screen in SCREENS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the cookie on a page whose browser has none."""
        wanted = scope["type"] == "http" and scope["path"] in self.paths
        if not wanted or visits.BROWSER_COOKIE in Request(scope).cookies:
            await self.app(scope, receive, send)
            return
        made = Response()
        made.set_cookie(
            visits.BROWSER_COOKIE, secrets.token_urlsafe(32), httponly=True, samesite="lax"
        )

        async def send_with_mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", made.headers["set-cookie"])
            await send(message)

        await self.app(scope, receive, send_with_mark)


class FilesForStaff:
    """Gives the files behind download buttons to browsers in which somebody is signed in.

    Pictures pass: the sign-in screen has one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the others in a sentence."""
        if scope["type"] == "http" and _is_file(scope["path"]):
            mark = Request(scope).cookies.get(visits.BROWSER_COOKIE, "")
            if not visits.is_signed_in(mark, now=time.time()):
                refused = _plainly("Sign in, and download the file from its page again.")
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_file(path: str) -> bool:
    return path.startswith("/media/") and not path.endswith((".svg", ".png"))


class WayBack:
    """Remembers the page somebody asked for while they sign in through OpenID Connect.

    Streamlit returns everybody to ``/``. The page asked for last waits in a cookie, and the
    redirect that ends the sign-in goes there instead.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.paths = {f"/{screen.path}" for screen in SCREENS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the cookie on pages, use it up on the callback."""
        if scope["type"] != "http" or scope["path"] not in {*self.paths, OPENID_CALLBACK}:
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def send_with_way(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"] == OPENID_CALLBACK:
                    _lead_back(headers, request)
                else:
                    headers.append("Set-Cookie", _way_back_cookie(request))
            await send(message)

        await self.app(scope, receive, send_with_way)


def _way_back_cookie(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    response = Response()
    response.set_cookie(
        WAY_BACK_COOKIE,
        urlencode({"to": way_back(request.url.path + query)}),
        max_age=WAY_BACK_SECONDS,
        httponly=True,
        samesite="lax",
    )
    return response.headers["set-cookie"]


def _lead_back(headers: MutableHeaders, request: Request) -> None:
    if headers.get("location") != "/":
        return
    kept = request.cookies.get(WAY_BACK_COOKIE, "")
    headers["location"] = way_back(dict(parse_qsl(kept)).get("to", "/"))
    headers.append("Set-Cookie", f"{WAY_BACK_COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=lax")


@asynccontextmanager
async def _life(_: st.App) -> AsyncIterator[None]:
    _set_up_logging()
    for ready in (export_jobs.prepare, export_spool.clear):
        threading.Thread(target=ready, name="export-prepare", daemon=True).start()
    yield
    LOG.info("stopped")


def _set_up_logging() -> None:
    # `report` writes the same error with its reference and without secrets.
    logging.getLogger("streamlit.error_util").addFilter(_not_the_plain_copy)
    # The server's own tracebacks, of a route that failed, carry no values either.
    logs.set_up("uvicorn.error", "data_access", "dashboard")


def _not_the_plain_copy(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Uncaught app")


ROUTES = [
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route(f"/{links.EXPORT_PATH}/{{name}}", export),
    Route("/local-sign-in", sign_in_locally),
    Route("/local-sign-out", sign_out_locally),
]
app = st.App(
    ROOT / "streamlit_app.py",
    lifespan=_life,
    routes=ROUTES,
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(BrowserMark),
        Middleware(FilesForStaff),
        Middleware(WayBack),
    ],
    on_script_error=failures.report,
)


def main(port: int, *, open_browser: bool = False) -> None:
    """Serve on ``port`` until stopped; opens the browser once the server answers."""
    if open_browser:
        threading.Thread(target=_open_when_ready, args=[port], daemon=True).start()
    app.run(config={"server.port": port})


def _open_when_ready(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except (HTTPException, OSError):
            time.sleep(0.2)
        else:
            webbrowser.open(f"http://localhost:{port}")
            return


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--open-browser", action="store_true", help="open it once it answers")
    chosen = parser.parse_args()
    main(chosen.port, open_browser=chosen.open_browser)

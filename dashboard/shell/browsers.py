"""Cookies of a browser: its mark, its session, and the way back after signing in."""

import secrets
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.server_util import AUTH_COOKIE_NAME

from dashboard.shell import identity, origins, sessions
from dashboard.shell.files import plainly
from dashboard.shell.screens import SCREENS, way_back
from data_access.db.errors import DatabaseUnavailable

# A link works only in the browser for which it was made.
MARK_COOKIE = "affiliate_review_browser"
WAY_BACK_COOKIE = "affiliate_review_way_back"
WAY_BACK_SECONDS = 10 * 60
OPENID_CALLBACK = "/oauth2callback"
SIGN_OUT = "/auth/logout"


class BrowserMark:
    """Gives every browser a secret with its first page, to which links are bound."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.paths = {f"/{screen.path}" for screen in SCREENS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the cookie with a page if the browser has none."""
        wanted = scope["type"] == "http" and scope["path"] in self.paths
        if not wanted or MARK_COOKIE in Request(scope).cookies:
            await self.app(scope, receive, send)
            return
        made = Response()
        made.set_cookie(MARK_COOKIE, secrets.token_urlsafe(32), httponly=True, samesite="lax")

        async def send_with_mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", made.headers["set-cookie"])
            await send(message)

        await self.app(scope, receive, send_with_mark)


class SignOuts:
    """Ends a session with OpenID Connect, so that no open tab or copied cookie stays signed in.

    Streamlit only asks the browser to delete the cookie.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the browser's session at its sign-out, and when another begins."""
        if scope["type"] != "http" or scope["path"] not in (SIGN_OUT, OPENID_CALLBACK):
            await self.app(scope, receive, send)
            return
        key = identity.session_key(Request(scope))
        try:
            if scope["path"] == SIGN_OUT:
                await run_in_threadpool(sessions.end, key)
        except DatabaseUnavailable as unavailable:
            await plainly(str(unavailable), status=503)(scope, receive, send)
            return

        async def send_and_end(message: Message) -> None:
            if message["type"] == "http.response.start" and _replaces_session(message):
                with suppress(DatabaseUnavailable):
                    await run_in_threadpool(sessions.end, key)
            await send(message)

        await self.app(scope, receive, send_and_end)


def _replaces_session(start: Message) -> bool:
    set_cookies = Headers(raw=start["headers"]).getlist("set-cookie")
    return any(cookie.startswith(f"{AUTH_COOKIE_NAME}=") for cookie in set_cookies)


class WayBack:
    """Remembers the requested page during a sign-in through OpenID Connect.

    Streamlit returns everybody to ``/``. A cookie holds the last requested page, and the redirect
    that ends the sign-in goes there instead.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.paths = {f"/{screen.path}" for screen in SCREENS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the cookie with pages, and use it in the callback."""
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


class SecureCookies:
    """Marks every cookie as only for encrypted connections, where people come by them.

    They do if ``redirect_uri`` is an HTTPS address, or if the proxy says so: the server believes
    ``X-Forwarded-Proto`` from this computer and from the addresses in FORWARDED_ALLOW_IPS.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through and change only the cookies of a response."""

        async def send_secure(message: Message) -> None:
            if message["type"] == "http.response.start" and origins.is_secure(scope):
                message["headers"] = [_secured(name, value) for name, value in message["headers"]]
            await send(message)

        await self.app(scope, receive, send_secure)


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    attributes = {part.strip().lower() for part in value.split(b";")[1:]}
    if name.lower() != b"set-cookie" or b"secure" in attributes:
        return name, value
    return name, value + b"; Secure"

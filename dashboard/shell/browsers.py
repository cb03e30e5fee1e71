"""Cookies of a browser: its mark, and the way back after signing in."""

import secrets
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.shell import sign_outs
from dashboard.shell.screens import SCREENS, way_back

# A link works only in the browser for which it was made.
MARK_COOKIE = "affiliate_review_browser"
WAY_BACK_COOKIE = "affiliate_review_way_back"
WAY_BACK_SECONDS = 10 * 60
OPENID_CALLBACK = "/oauth2callback"
# Both end the browser's sign-in, the second by starting another.
ENDING = ("/auth/logout", OPENID_CALLBACK)


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
    """Records OpenID Connect sign-outs, so that no open tab stays signed in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record the browser's session before Streamlit asks it to delete the cookie."""
        if scope["type"] == "http" and scope["path"] in ENDING:
            sign_outs.end(Request(scope).cookies)
        await self.app(scope, receive, send)


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

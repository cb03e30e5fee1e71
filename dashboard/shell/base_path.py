"""The dashboard below a path of its host, such as ``/review``, by ``server.baseUrlPath``.

Only this file knows of it in requests. All checks and our own routes see addresses as at the root:
the path is taken off before them, and put in front of what leads back, which are redirects and the
paths of cookies. Streamlit's routes, behind them, expect it, so they are given it again.
"""

import re
from collections.abc import Callable, Sequence

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.shell.addresses import PROBES, not_found
from dashboard.ui import address

Header = tuple[bytes, bytes]
COOKIE_OF_HOST = re.compile(rb"(;\s*path=)/(?=\s*(?:;|$))", re.IGNORECASE)


class WithoutBase:
    """Takes the path off requests, before everything that compares addresses.

    The probes answer at the root too, where a load balancer asks a process itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is below the path; answer the rest."""
        base = _base_of(scope)
        if not base or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        path = address.within(scope["path"])
        if path:
            below = {**scope, "path": path}
            await self.app(below, receive, _changing(send, lambda one: _led_below(base, one)))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            answer = not_found() if path is None else _with_slash(scope)
            await answer(scope, receive, send)


class WithBase:
    """Gives Streamlit its addresses with the path, and takes it off its redirects."""

    def __init__(self, app: ASGIApp, own: Sequence[BaseRoute]) -> None:
        self.app, self.own = app, own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests of our own routes on as they are, and others with the path."""
        base = _base_of(scope)
        if not base or any(route.matches(scope)[0] is not Match.NONE for route in self.own):
            await self.app(scope, receive, send)
            return
        below = {**scope, "path": base + scope["path"]}
        await self.app(below, receive, _changing(send, _led_from_root))


def _base_of(scope: Scope) -> str:
    return address.base() if scope["type"] in ("http", "websocket") else ""


def _with_slash(scope: Scope) -> Response:
    # The frame names its files relative to the page.
    query = scope["query_string"].decode("latin-1")
    return RedirectResponse(address.of("/") + (f"?{query}" if query else ""), 307)


def _changing(send: Send, change: Callable[[Header], Header]) -> Send:
    async def send_changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [change(one) for one in message["headers"]]
        await send(message)

    return send_changed


def _led_below(base: str, header: Header) -> Header:
    name, value = header[0].lower(), header[1]
    if name == b"location" and value.startswith(b"/") and not value.startswith(b"//"):
        return name, base.encode() + value
    if name == b"set-cookie":
        # Other programs of the host do not get our cookies.
        return name, COOKIE_OF_HOST.sub(lambda found: found[1] + base.encode(), value)
    return header


def _led_from_root(header: Header) -> Header:
    name, value = header[0].lower(), header[1].decode("latin-1")
    path = address.within(value) if name == b"location" else None
    return header if path is None else (name, (path or "/").encode("latin-1"))

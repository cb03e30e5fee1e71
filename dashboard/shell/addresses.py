"""Known addresses. For any other, Streamlit would return its own empty page."""

from enum import StrEnum
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.shell import origins
from dashboard.shell.files import plainly
from dashboard.shell.screens import SCREENS
from dashboard.ui import address

PAGES = frozenset(f"/{screen.path}" for screen in SCREENS)


class Reach(StrEnum):
    """Who may reach an address; the value is the words of the documents."""

    HEALTH = "anybody: says only whether the server and its database work"
    SIGN_IN = "anybody: begins or ends a sign-in"
    SHELL = "anybody: the empty frame of every page, without data"
    MESSAGES = "pages of this server; without a sign-in they get the sign-in screen"
    STAFF = "only who is signed in, as their role allows"


# All other addresses are closed, also those of Streamlit: its metrics, components and agents.
# One that ends in a slash stands for all below it; Streamlit knows which of them exist.
ADDRESSES = {
    # Monitoring may use another host name.
    "/healthz": Reach.HEALTH,
    "/readyz": Reach.HEALTH,
    "/_stcore/health": Reach.HEALTH,
    "/auth/login": Reach.SIGN_IN,
    "/auth/logout": Reach.SIGN_IN,
    "/oauth2callback": Reach.SIGN_IN,
    "/local-sign-in": Reach.SIGN_IN,
    "/local-sign-out": Reach.SIGN_IN,
    "/proxy-sign-in": Reach.SIGN_IN,
    "/proxy-sign-out": Reach.SIGN_IN,
    "/_stcore/host-config": Reach.SHELL,
    "/static/": Reach.SHELL,
    "/app/static/": Reach.SHELL,
    "/_stcore/stream": Reach.MESSAGES,
    "/_stcore/upload_file/": Reach.STAFF,
    "/export/": Reach.STAFF,
    "/media/": Reach.STAFF,
}
PROBES = frozenset({"/healthz", "/readyz"})
OTHER_NAME = (
    "This server does not accept that host name. An administrator can set "
    "STREAMLIT_SERVER_ALLOWED_HOSTS to the names people use."
)


class KnownAddresses:
    """Answers 404 to unknown addresses, and refuses host names that are not configured."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass known addresses on; answer others with text."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path not in PROBES and not origins.answers_to(HTTPConnection(scope).headers.get("host")):
            await plainly(OTHER_NAME)(scope, receive, send)
        elif reach(path) is None:
            await not_found()(scope, receive, send)
        elif _is_page(path):
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, _without_pages(scope, receive, send))


def not_found() -> Response:
    """Return the answer at an unknown address."""
    sentence = f"This page does not exist. The dashboard starts at {address.of('/')}."
    return plainly(sentence, status=404)


def reach(path: str) -> Reach | None:
    """Return who may reach an address; ``None`` if nobody may."""
    if _is_page(path) or path in _shell_files():
        return Reach.SHELL
    above = (one for one in ADDRESSES if one.endswith("/") and path.startswith(one))
    return ADDRESSES.get(next(above, path))


@cache
def _shell_files() -> frozenset[str]:
    shell = Path(st.__file__).parent / "static"
    return frozenset(f"/{entry.name}" for entry in shell.iterdir() if entry.suffix != ".html")


def _is_page(path: str) -> bool:
    return path in PAGES or path.rstrip("/") in PAGES


def _without_pages(scope: Scope, receive: Receive, send: Send) -> Send:
    """Return a `send` that turns Streamlit's page for an unknown path into a 404."""
    replaced = False

    async def send_unless_page(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            replaced = message["status"] == 200 and kind.startswith("text/html")
            if replaced:
                await not_found()(scope, receive, send)
        if not replaced:
            await send(message)

    return send_unless_page

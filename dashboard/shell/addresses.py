"""Known addresses. For any other, Streamlit would return its own empty page."""

from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.shell import origins
from dashboard.shell.files import plainly
from dashboard.shell.screens import SCREENS

PAGES = frozenset(f"/{screen.path}" for screen in SCREENS)
# Streamlit's own paths; it knows which of them exist below these.
PREFIXES = ("/_stcore/", "/media/", "/component/", "/app/static/", "/static/")
SIGN_IN = frozenset({"/auth/login", "/auth/logout", "/oauth2callback"})
# Monitoring may use another host name.
PROBES = frozenset({"/healthz", "/readyz"})
NOT_FOUND = "This page does not exist. The dashboard starts at /."
OTHER_NAME = (
    "This server does not accept that host name. An administrator can set "
    "STREAMLIT_SERVER_ALLOWED_HOSTS to the names people use."
)


class KnownAddresses:
    """Answers 404 to unknown addresses, and refuses host names that are not configured."""

    def __init__(self, app: ASGIApp, own: Iterable[str]) -> None:
        self.app = app
        shell = Path(st.__file__).parent / "static"
        files = {f"/{entry.name}" for entry in shell.iterdir() if entry.suffix != ".html"}
        self.exact = PAGES | PROBES | SIGN_IN | files
        self.prefixes = (*PREFIXES, *own)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass known addresses on; answer others with text."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path not in PROBES and not origins.answers_to(HTTPConnection(scope).headers.get("host")):
            await plainly(OTHER_NAME)(scope, receive, send)
        elif not self._is_known(path):
            await plainly(NOT_FOUND, status=404)(scope, receive, send)
        elif _is_page(path):
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, _without_pages(scope, receive, send))

    def _is_known(self, path: str) -> bool:
        return path in self.exact or _is_page(path) or path.startswith(self.prefixes)


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
                await plainly(NOT_FOUND, status=404)(scope, receive, send)
        if not replaced:
            await send(message)

    return send_unless_page

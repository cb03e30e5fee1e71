"""Which pages may connect to this server: its own, by scheme, name and port."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope
from streamlit.web.server.server_util import allowlisted_origins
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from dashboard.shell import openid

SECURE = ("https", "wss")


def answers_to(host: str | None) -> bool:
    """Whether ``server.allowedHosts`` contains the requested host."""
    return is_host_allowed(host)


def is_own(connection: HTTPConnection) -> bool:
    """Whether the requesting page is this server's; a request without an origin is not.

    Behind a proxy the public address is that of ``redirect_uri``, for OpenID Connect, or those in
    ``server.corsAllowedOrigins``.
    """
    asking = connection.headers.get("origin", "").lower()
    return bool(asking) and asking in _own(connection)


def is_secure(scope: Scope) -> bool:
    """Whether people reach this server through an encrypted connection."""
    public = _public(openid.settings())
    return scope["scheme"] in SECURE or (public is not None and public.startswith("https://"))


def with_page_host(scope: Scope) -> Scope:
    """Return ``scope`` with the page's host, where a proxy replaced it.

    Streamlit compares the two, and if they differ it asks an external server for this machine's
    address, which blocks all requests.
    """
    headers = HTTPConnection(scope).headers
    host = urlsplit(headers["origin"]).netloc.encode("latin-1")
    kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "headers": [*kept, (b"host", host)]}


def _own(connection: HTTPConnection) -> set[str]:
    own = {origin.lower().rstrip("/") for origin in allowlisted_origins()}
    public = _public(openid.settings())
    if public is not None:
        own.add(public)
    host = connection.headers.get("host")
    if host and answers_to(host):
        scheme = "https" if connection.scope["scheme"] in SECURE else "http"
        own.add(f"{scheme}://{host.lower()}")
    return own


def _public(auth: Mapping[str, object]) -> str | None:
    try:
        parts = urlsplit(str(auth.get("redirect_uri", "")))
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else None

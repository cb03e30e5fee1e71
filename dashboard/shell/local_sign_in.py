"""Sign in as a demo person, for trials on this computer only.

A page creates a link that works once within five minutes; following it begins a session, whose
secret is that of the link.
Everything is refused unless the embedded database is used and the request comes from this computer,
because nobody proves who they are.
"""

import ipaddress
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from dashboard.shell.screens import way_back
from data_access.db import database
from data_access.db.embedded import HOME
from data_access.people.sessions import key_of

COOKIE = "affiliate_review_local"
LINK_SECONDS = 5 * 60
SECRET_FILE = HOME / "local-sign-in.secret"
# Headers that proxies, load balancers and tunnels add but browsers do not send: behind one the
# visitor's address is unknown.
PROXY_HEADERS = frozenset(
    {
        *("via", "forwarded", "forwarded-for", "cdn-loop", "client-ip", "true-client-ip"),
        *("x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-originating-ip", "x-remote-ip"),
        *("x-remote-addr", "x-proxyuser-ip", "proxy-client-ip", "wl-proxy-client-ip"),
        *("x-host", "x-scheme", "x-url-scheme", "x-varnish", "remote-user", "x-remote-user"),
        *("do-connecting-ip", "surrogate-capability"),
    }
)
PROXY_FAMILIES = (
    *("x-forwarded", "x-original-", "x-envoy-", "x-auth-request-", "x-arr-", "cf-", "fastly-"),
    *("fly-", "x-azure-", "x-appengine-", "x-amz", "x-goog-", "x-vercel-", "x-nf-", "ngrok-"),
    "tailscale-",
)


def is_loopback(host: str | None) -> bool:
    """Whether ``host``, a name or address with or without a port, means this computer."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if name is None:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def obstacle(*, server_address: str | None, headers: Mapping[str, str]) -> str | None:
    """Return why the local sign-in is refused here; ``None`` if it is allowed."""
    if not database.is_embedded():
        return "DATABASE_URL is set, and the local sign-in works with the embedded database only."
    if server_address is None or not is_loopback(_bracketed(server_address)):
        return (
            f"The server listens on {server_address or 'every address'}, and the local sign-in "
            "works on a loopback address only: set STREAMLIT_SERVER_ADDRESS to 127.0.0.1."
        )
    lowered = {name.lower(): value for name, value in headers.items()}
    if not is_loopback(lowered.get("host")):
        return "This page was not opened by a loopback name: open it on this computer as localhost."
    if any(name in PROXY_HEADERS or name.startswith(PROXY_FAMILIES) for name in lowered):
        return "This page came through a proxy, and the local sign-in works without one only."
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Whom a link signs in, and where it leads; ``secret`` is that of the session."""

    email: str
    back_to: str
    secret: str


def mint_link(email: str, *, back_to: str) -> str:
    """Return a relative URL that signs ``email`` in, once, and leads to ``back_to``."""
    claims = [email, way_back(back_to), secrets.token_urlsafe(32)]
    token = _signer(SECRET_FILE, "link").dumps(claims)
    return "local-sign-in?" + urlencode({"token": token})


def read_link(token: str) -> Link | None:
    """Return the content of a link; ``None`` if it is forged or expired."""
    try:
        email, back_to, secret = _signer(SECRET_FILE, "link").loads(token, max_age=LINK_SECONDS)
    except BadData:
        return None
    return Link(email=email, back_to=way_back(back_to), secret=secret)


def mint_cookie(secret: str) -> str:
    """Return the value of the cookie of the session with this secret.

    It is signed because the secret was also part of a link.
    """
    return _signer(SECRET_FILE, "session").dumps(secret)


def session_key(value: str | None) -> str | None:
    """Return the key of the session in a cookie; ``None`` if it is missing or forged."""
    try:
        return key_of(_signer(SECRET_FILE, "session").loads(value or ""))
    except BadData:
        return None


def secret_in(path: Path) -> str:
    """Return the secret in ``path``, readable only by this user; created at first use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written aside and linked when complete, so that concurrent processes use the same secret.
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            with suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text()


@cache
def _signer(secret_file: Path, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_in(secret_file), salt=f"local sign-in {purpose}")


def _bracketed(address: str) -> str:
    return f"[{address}]" if address.count(":") > 1 else address

"""Sign in as a demo person, for trials on this computer only.

A page creates a link that works once within five minutes; following it sets a signed cookie.
Everything is refused unless the embedded database is used and the request comes from this computer,
because nobody proves who they are.
"""

import ipaddress
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from dashboard.shell.screens import way_back
from data_access.db import database
from data_access.db.embedded import HOME

COOKIE = "affiliate_review_local"
LINK_SECONDS = 5 * 60
SESSION_SECONDS = 12 * 60 * 60
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

# Used links and ended sessions. A restart forgets them; by then links have expired, and a session
# only lasts beyond its sign-out.
_used: set[str] = set()


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


def mint_link(email: str, *, back_to: str) -> str:
    """Return a relative URL that signs ``email`` in, once, and leads to ``back_to``."""
    claims = [email, way_back(back_to), secrets.token_urlsafe(12)]
    token = _signer(SECRET_FILE, "link").dumps(claims)
    return "local-sign-in?" + urlencode({"token": token})


def redeem_link(token: str) -> tuple[str, str] | None:
    """Return (email, way back) of a link; ``None`` if it is forged, expired or used."""
    claims = _opened("link", token, LINK_SECONDS)
    if claims is None:
        return None
    email, back_to, once = claims
    _used.add(once)
    return email, way_back(back_to)


def mint_session(email: str) -> str:
    """Return the value of the session cookie for ``email``."""
    return _signer(SECRET_FILE, "session").dumps([email, "", secrets.token_urlsafe(12)])


def read_session(value: str | None) -> str | None:
    """Return the address in a session cookie; ``None`` if missing, forged, expired or ended."""
    claims = _opened("session", value or "", SESSION_SECONDS)
    return None if claims is None else claims[0]


def end_session(value: str | None) -> None:
    """Invalidate this session cookie, in other tabs too."""
    claims = _opened("session", value or "", SESSION_SECONDS)
    if claims is not None:
        _used.add(claims[2])


def secret(path: Path) -> str:
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


def _opened(purpose: str, text: str, seconds: int) -> list[str] | None:
    try:
        claims: list[str] = _signer(SECRET_FILE, purpose).loads(text, max_age=seconds)
    except BadData:
        return None
    return None if claims[2] in _used else claims


@cache
def _signer(secret_file: Path, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret(secret_file), salt=f"local sign-in {purpose}")


def _bracketed(address: str) -> str:
    return f"[{address}]" if address.count(":") > 1 else address

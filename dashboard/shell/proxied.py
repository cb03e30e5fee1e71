"""Sign-in by a header of a proxy that has already signed people in.

Off unless two settings name the header and the proxy's addresses. Each request is checked before
anything reads it: the header counts only on connections from those addresses, and only once. It
says who a person is; a session, begun by the person as with the other sign-ins, lets them in.
"""

import hmac
import secrets
from collections.abc import Mapping
from functools import lru_cache

import uvicorn.config
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from data_access.db import environment
from data_access.db.logs import LOG
from data_access.people.sessions import key_of
from program.review import people, trusted_header
from program.review.sign_in import Identity
from program.review.trusted_header import PROXY_ISSUER, TrustedHeader

NAME, PEERS = "SIGN_IN_HEADER", "SIGN_IN_HEADER_FROM"
COOKIE = "affiliate_review_proxied"
# In the scope of a request: the address that its connection comes from.
PEER = "affiliate_review.peer"
# What the proxy's header becomes once it has been checked, for the routes and pages that read it.
# The token shows that this process wrote it.
CHECKED = "x-affiliate-review-checked"
_TOKEN = secrets.token_urlsafe(32)
_parse = lru_cache(maxsize=4)(trusted_header.parse)


class NotedPeers(ProxyHeadersMiddleware):
    """Notes the address of a connection before it is replaced by what a proxy says of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        """Note the address, and go on as before."""
        client = scope.get("client")
        scope[PEER] = client[0] if client else None
        await super().__call__(scope, receive, send)  # type: ignore[arg-type]


def note_peers() -> None:
    """Let uvicorn note the addresses of connections. Without that the header never counts."""
    uvicorn.config.ProxyHeadersMiddleware = NotedPeers  # type: ignore[misc]


def trusted() -> TrustedHeader | None:
    """Return the header that signs people in here; ``None`` if none does."""
    return _parse(environment.get(NAME), environment.get(PEERS))


def fault() -> str:
    """Return what is wrong in the two settings, as a sentence; empty if they hold or are unset."""
    name, peers = environment.get(NAME), environment.get(PEERS)
    wrong = trusted_header.fault(name, peers) if name or peers else ""
    return f"{NAME} and {PEERS} {wrong}." if wrong else ""


class CheckedHeaders:
    """Leaves of a request's headers only a proxy's word that counts."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests on with the checked header, or without it."""
        is_request = scope["type"] in ("http", "websocket")
        await self.app(_checked(scope) if is_request else scope, receive, send)


def _checked(scope: Scope) -> Scope:
    header = trusted()
    name = header.name.encode() if header else b""
    given = [value for key, value in scope["headers"] if key.lower() == name]
    dropped = {name, CHECKED.encode()}
    kept = [(key, value) for key, value in scope["headers"] if key.lower() not in dropped]
    if header and given and header.counts_from(scope.get(PEER)):
        if len(given) == 1:
            kept.append((CHECKED.encode(), f"{_TOKEN} ".encode() + given[0]))
        else:
            _warn(len(given), header.name)
    return {**scope, "headers": kept}


@lru_cache(maxsize=4)
def _warn(count: int, name: str) -> None:
    """Log, once each, so that requests cannot fill the log."""
    LOG.warning(
        "ignored %d headers %s of one request: the proxy must replace what browsers send",
        count,
        name,
    )


def email(headers: Mapping[str, str]) -> str | None:
    """Return the address of the person whom the proxy names; ``None`` if it names nobody."""
    token, _, named = headers.get(CHECKED, "").partition(" ")
    if not hmac.compare_digest(token.encode(), _TOKEN.encode()) or people.fault(named):
        return None
    return people.normal(named)


def identity(named: str) -> Identity:
    """Return who the person with this address is, to the proxy."""
    return Identity(issuer=PROXY_ISSUER, subject=named, email=named)


def session_secret(named: str, secret: str) -> str:
    """Return the secret of a session: the cookie's, and whom the proxy must name with it."""
    return f"{secret} {named}"


def session_key(headers: Mapping[str, str], cookies: Mapping[str, str]) -> str | None:
    """Return the key of the browser's session; ``None`` unless the proxy names its person."""
    named, secret = email(headers), cookies.get(COOKIE)
    return key_of(session_secret(named, secret)) if named and secret else None

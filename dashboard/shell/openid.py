"""OpenID Connect: what is asked of the provider, and what is kept of its answer.

Streamlit asks for the profile too, and keeps all claims and tokens in cookies, which some providers
fill with hundreds of groups. Here the cookie holds a session's secret, and the few claims that say
why somebody is not let in.
"""

import secrets
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.web.server.starlette import starlette_auth_routes
from streamlit.web.server.starlette.starlette_server_config import (
    TOKENS_COOKIE_NAME,
    USER_COOKIE_NAME,
)

from dashboard.shell import sessions
from data_access.db.errors import DatabaseUnavailable
from data_access.db.logs import LOG
from data_access.people.sessions import key_of
from program.review import sign_in as rules

SCOPE = "openid email"
CLAIMS = ("iss", "sub", "email", "email_verified", "iat")
STREAMLITS = ("origin", "is_logged_in", "provider")
SESSION = "session"
METADATA = "/.well-known/openid-configuration"
# Of all cookies of a sign-in: proxies refuse requests with longer headers.
LONGEST_COOKIES = 4_000

_create_client = starlette_auth_routes._create_oauth_client
_set_cookies = starlette_auth_routes._set_auth_cookie


def keep_little() -> None:
    """Ask for no more than the address, and keep no more than a session."""
    starlette_auth_routes._create_oauth_client = _create_modest_client
    starlette_auth_routes._set_auth_cookie = _set_small_cookies
    starlette_auth_routes.AUTH_COOKIE_MAX_AGE_SECONDS = int(rules.LONGEST.total_seconds())


def _create_modest_client(provider: str) -> tuple[Any, str]:
    client, redirect_uri = _create_client(provider)
    client.client_kwargs["scope"] = SCOPE
    return client, redirect_uri


async def _set_small_cookies(
    response: Response, user_info: dict[str, Any], tokens: dict[str, Any]
) -> None:
    """Begin the session of whom the provider names, and set its cookies."""
    kept = {name: user_info[name] for name in STREAMLITS if name in user_info}
    kept |= {name: _short(user_info[name]) for name in CLAIMS if name in user_info}
    secret = secrets.token_urlsafe(32)
    if await run_in_threadpool(_begins, user_info, secret):
        kept[SESSION] = secret
    # Some providers end their own session without asking again only with the id token.
    hint = {name: token for name, token in tokens.items() if name == "id_token"}
    await _set_cookies(response, kept, hint if _fits(kept, hint) else {})


def _begins(claims: Mapping[str, Any], secret: str) -> bool:
    if fault(claims):
        return False
    try:
        return sessions.begin(rules.identity(claims), secret=secret)
    except DatabaseUnavailable as error:
        # The page says so.
        LOG.warning("a sign-in did not begin: %s", error)
        return False


def _short(claim: object) -> object:
    """Return the claim, or the beginning of what only explains a refusal."""
    if isinstance(claim, str):
        return claim[: rules.LONGEST_CLAIM + 1]
    return claim if isinstance(claim, bool | int | float) else None


def _fits(user: dict[str, Any], tokens: dict[str, Any]) -> bool:
    sign = starlette_auth_routes._create_signed_value_wrapper
    dumps = starlette_auth_routes.json.dumps
    cookies = ((USER_COOKIE_NAME, user), (TOKENS_COOKIE_NAME, tokens))
    return sum(len(name) + len(sign(name, dumps(value))) for name, value in cookies) <= (
        LONGEST_COOKIES
    )


def session_key(claims: Mapping[str, Any]) -> str | None:
    """Return the key of the session in a cookie's content; ``None`` if there is none."""
    secret = claims.get(SESSION)
    return key_of(secret) if secret and isinstance(secret, str) else None


def fault(claims: Mapping[str, Any]) -> str:
    """Return why these claims sign nobody in, as a sentence; empty if they are accepted."""
    found = rules.fault(claims, now=time.time(), single_tenant=single_tenant_issuers())
    if not found and not _is_from(claims["iss"], claims.get("provider")):
        return "Your identity provider speaks for another issuer. Ask an administrator."
    return found


def _is_from(issuer: str, provider: object) -> bool:
    """Whether the provider's own address is the issuer's; its metadata may name any issuer."""
    auth = settings()
    section = auth.get(str(provider), auth if provider == "default" else {})
    return section.get("server_metadata_url") == issuer.rstrip("/") + METADATA


def single_tenant_issuers() -> tuple[str, ...]:
    """Return the issuers whose addresses count as verified although they do not say so."""
    issuers = section("sign_in").get("single_tenant_issuers", ())
    return tuple(str(issuer) for issuer in issuers)


def settings() -> Mapping[str, Any]:
    """Return the section ``[auth]`` of the secrets; empty if there is none."""
    return section("auth")


def section(name: str) -> Mapping[str, Any]:
    """Return this section of the secrets; empty if there is none."""
    try:
        found = st.secrets.get(name, {})
    except StreamlitSecretNotFoundError:
        return {}
    return found if isinstance(found, Mapping) else {}

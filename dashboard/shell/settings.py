"""The server's settings, checked before it accepts connections."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from dashboard.shell import browsers, local_sign_in, openid, proxied
from dashboard.ui import address
from data_access.db import database, logs
from data_access.db.errors import SettingMissing
from program.review import sign_in as rules

BASE_PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._~-]*)*")


def require() -> None:
    """Raise SettingMissing for a setting that cannot be read, or that would let strangers in."""
    database.require_settings()
    logs.formatter()
    secrets: dict[str, Any] = {}
    for path in st.get_option("secrets.files"):
        secrets |= _readable(Path(path))
    logs.hide(*_secrets_in(secrets))
    faults = [*_header_faults(auth=secrets.get("auth")), *auth_faults(secrets.get("auth", {}))]
    faults += base_path_faults(secrets.get("auth"))
    faults += sign_in_faults(secrets.get("sign_in", {}))
    if faults:
        raise SettingMissing(faults[0])


def _readable(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        # The error's text may contain a secret.
        raise SettingMissing(
            f"{path} cannot be read as TOML, so nobody could sign in. Correct or remove it."
        ) from None


def _secrets_in(section: Mapping[str, Any]) -> Iterator[str]:
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _secrets_in(value)
        elif isinstance(value, str) and "secret" in name:
            yield value


def _header_faults(*, auth: object) -> Iterator[str]:
    if st.get_option("server.trustedUserHeaders"):
        yield (
            "server.trustedUserHeaders lets every visitor say who they are, and is not supported. "
            "Remove it, and let people sign in through OpenID Connect, or set "
            f"{proxied.NAME} and {proxied.PEERS}."
        )
    if wrong := proxied.fault():
        yield f"{wrong} See docs/sign-in.md."
    if auth and proxied.trusted():
        yield (
            f"{proxied.NAME} is set and .streamlit/secrets.toml has [auth]: people sign in one way "
            "or the other. Remove one of them."
        )


def auth_faults(auth: object) -> Iterator[str]:
    """Yield what is unsafe in the section ``[auth]``; the sign-in screen names what is missing."""
    if not isinstance(auth, Mapping):
        yield "[auth] in .streamlit/secrets.toml is not a section. Correct or remove it."
        return
    secret = auth.get("cookie_secret")
    weakness = rules.secret_fault(secret) if secret else None
    if weakness is not None:
        yield (
            f"cookie_secret in .streamlit/secrets.toml {weakness}, so anybody could sign in as "
            f"anybody. Set it to the output of: {rules.HOW_TO_MAKE_ONE}"
        )
    parts = urlsplit(str(auth.get("redirect_uri") or "https://"))
    if parts.scheme != "https" and not local_sign_in.is_loopback(parts.netloc):
        yield (
            "redirect_uri in .streamlit/secrets.toml is not an HTTPS address, so sign-ins could be "
            "read on the way. Serve the dashboard by HTTPS; see docs/sign-in.md."
        )
    for section in (auth, *(value for value in auth.values() if isinstance(value, Mapping))):
        yield from _provider_faults(section)


def base_path_faults(auth: object) -> Iterator[str]:
    """Yield what does not fit the path below which the dashboard is served."""
    base = address.base()
    if not BASE_PATH.fullmatch(base):
        yield (
            f"server.baseUrlPath is {base}, which is not a path such as /affiliates-desk, of "
            "letters, digits, dots, hyphens and slashes. Correct or remove it."
        )
    uri = auth.get("redirect_uri") if isinstance(auth, Mapping) else None
    callback = address.of(browsers.OPENID_CALLBACK)
    if uri and urlsplit(str(uri)).path != callback:
        yield (
            f"redirect_uri in .streamlit/secrets.toml does not lead back to this dashboard: let it "
            f"end in {callback}, here and at the identity provider."
        )


def _provider_faults(provider: Mapping[str, Any]) -> Iterator[str]:
    scope = provider.get("client_kwargs", {}).get("scope", openid.SCOPE)
    if set(str(scope).split()) != set(openid.SCOPE.split()):
        yield (
            f'scope in .streamlit/secrets.toml is not "{openid.SCOPE}". Nothing else is needed: '
            "remove it."
        )
    if provider.get("expose_tokens"):
        yield "expose_tokens in .streamlit/secrets.toml is not supported. Remove it."


def sign_in_faults(section: object) -> Iterator[str]:
    """Yield what is wrong in the section ``[sign_in]``."""
    known = "single_tenant_issuers"
    issuers = section.get(known, []) if isinstance(section, Mapping) else None
    texts = isinstance(issuers, list) and all(isinstance(one, str) for one in issuers)
    if not texts or set(section) - {known}:
        yield (
            "[sign_in] in .streamlit/secrets.toml may have one setting, "
            f'{known} = ["https://…"]. Correct or remove it.'
        )

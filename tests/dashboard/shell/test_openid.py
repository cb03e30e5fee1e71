"""What is kept of a provider's answer, and what the server refuses to start with."""

import asyncio
import json
import time
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import Engine, text
from starlette.requests import HTTPConnection
from starlette.responses import Response
from streamlit.web.server.starlette import starlette_auth_routes
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from dashboard.shell import identity, openid, settings, sign_in
from data_access.db import database
from data_access.db.errors import DatabaseUnavailable, SettingMissing
from data_access.people import sessions
from program.review import sign_in as rules

SECRET = "uT5nWq8ZcR2yKd7LhVx4PbJm9GfSa3Ee"
ISSUER = "https://id.example.com"
AUTH: dict[str, Any] = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": SECRET,
    "client_id": "affiliate-review",
    "client_secret": "a secret",
    "server_metadata_url": f"{ISSUER}/.well-known/openid-configuration",
}
GROUPS = [f"0b5f3f6e-3c1c-4b6a-9d5e-{number:012}" for number in range(400)]


@pytest.fixture
def staffed(staffed: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A database with staff, and a provider."""
    monkeypatch.setattr(openid, "section", lambda name: AUTH if name == "auth" else {})
    for module in (starlette_auth_routes, identity):
        monkeypatch.setattr(module, "get_cookie_secret", lambda: SECRET)
    return staffed


def claims(**changed: Any) -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "sub": "1",
        "email": "ana@example.com",
        "email_verified": True,
        "iat": int(time.time()),
        "exp": int(time.time()) + 300,
        "nonce": "x" * 20,
        "name": "Ana Duarte",
        "groups": GROUPS,
        "origin": "http://localhost:8501",
        "is_logged_in": True,
        "provider": "default",
        **changed,
    }


def cookies(user: dict[str, Any], *, id_token: str = "x" * 900) -> dict[str, str]:
    """Return what the callback sets for this answer of the provider."""
    response = Response()
    tokens = {"id_token": id_token, "access_token": "y" * 2_000}
    asyncio.run(openid._set_small_cookies(response, user, tokens))
    lines = [value.decode() for name, value in response.raw_headers if name == b"set-cookie"]
    return dict(line.split(";")[0].split("=", 1) for line in lines)


def content(held: dict[str, str], name: str) -> dict[str, Any]:
    signed = decode_signed_value(SECRET, name, held[name].strip('"').encode())
    assert signed is not None
    found: dict[str, Any] = json.loads(signed)
    return found


def person(held: dict[str, str], **headers: str) -> str | None:
    """Return who sends a request with these cookies."""
    header = "; ".join(f"{name}={value}" for name, value in held.items())
    sent = {"cookie": header, **headers}
    scope = {"type": "http", "headers": [(n.lower().encode(), v.encode()) for n, v in sent.items()]}
    found = identity.person(HTTPConnection(scope))
    return found.email if found else None


def test_a_sign_in_keeps_a_session_and_little_else(staffed: Engine) -> None:
    held = cookies(claims())

    assert person(held) == "ana@example.com"
    assert set(held) == {"_streamlit_user", "_streamlit_user_tokens"}
    user = content(held, "_streamlit_user")
    assert set(user) == {*openid.CLAIMS, *openid.STREAMLITS, openid.SESSION}
    assert set(content(held, "_streamlit_user_tokens")) == {"id_token"}
    with staffed.connect() as connection:
        keys = connection.execute(text("select session_key from review.sessions")).scalars().all()
    assert keys == [sessions.key_of(user[openid.SESSION])], "the secret itself is not stored"


@pytest.mark.parametrize(
    ("changed", "id_token"),
    [
        ({}, "x" * 900),
        ({}, "x" * 40_000),
        ({"sub": "s" * 255, "email": f"{'m' * 240}@example.com"}, "x" * 2_000),
        ({"sub": "s" * 40_000, "email": "m" * 40_000, "iss": ISSUER + "i" * 40_000}, "x" * 900),
        ({"email_verified": "f" * 40_000, "iat": "1" * 40_000}, "x" * 900),
        ({"sub": GROUPS, "email": GROUPS, "iat": GROUPS}, "x" * 900),
    ],
)
def test_cookies_stay_below_four_kilobytes(
    staffed: Engine, changed: dict[str, Any], id_token: str
) -> None:
    held = cookies(claims(**changed), id_token=id_token)

    assert sum(len(f"{name}={value}; ") for name, value in held.items()) < 4_096


@pytest.mark.parametrize(
    "changed",
    [
        {"email_verified": "true"},
        {"email_verified": 1},
        {"iat": int(time.time()) + 86_400},
        {"iss": "https://other.example.com"},
        {"sub": ""},
        {"sub": 1},
        {"sub": ["1"]},
        {"email": "eve@example.com"},
        {"provider": "other"},
    ],
)
def test_whoever_is_not_let_in_gets_no_session(staffed: Engine, changed: dict[str, Any]) -> None:
    held = cookies(claims(**changed))

    assert person(held) is None
    assert openid.SESSION not in content(held, "_streamlit_user")
    assert openid.fault({**content(held, "_streamlit_user"), "email": "a@b.c"}) or (
        changed == {"email": "eve@example.com"}
    ), "the page can say why"


def test_without_a_database_a_sign_in_begins_no_session(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Engine:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(database, "writer", gone)

    assert openid.SESSION not in content(cookies(claims()), "_streamlit_user")


def test_a_forged_cookie_or_header_names_nobody(staffed: Engine) -> None:
    held = cookies(claims())
    value = held["_streamlit_user"]
    sign = starlette_auth_routes._create_signed_value_wrapper
    # Even from somebody who knows the cookie secret.
    minted = sign("_streamlit_user", json.dumps(claims(session="guessed"))).decode()

    for forged in ("", value[:-4] + 'abc"', value[4:], minted, "chunks-1"):
        assert person({"_streamlit_user": forged}) is None, forged
    for name in ("X-Auth-Email", "X-Forwarded-User", "X-Forwarded-Email", "Remote-User"):
        assert person({}, **{name: "ana@example.com"}) is None, name
    assert person(held, **{"X-Auth-Email": "mira@example.com"}) == "ana@example.com"


def test_a_single_tenant_issuer_is_named_in_the_settings(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = claims()
    del answer["email_verified"]
    assert person(cookies(answer)) is None

    sections = {"auth": AUTH, "sign_in": {"single_tenant_issuers": [ISSUER]}}
    monkeypatch.setattr(openid, "section", lambda name: sections.get(name, {}))

    assert person(cookies(answer)) == "ana@example.com"
    assert person(cookies({**answer, "email_verified": False})) is None


# --- What the server does not start with ----------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "part"),
    [
        ({}, None),
        ({"client_id": "missing others"}, None),
        (AUTH, None),
        ({**AUTH, "redirect_uri": "https://review.example.com/oauth2callback"}, None),
        ({**AUTH, "redirect_uri": "http://127.0.0.1:8501/oauth2callback"}, None),
        ({**AUTH, "redirect_uri": "http://review.example.com/oauth2callback"}, "not an HTTPS"),
        ({**AUTH, "redirect_uri": "http://localhost.evil.example/x"}, "not an HTTPS"),
        ({**AUTH, "cookie_secret": "x" * 64}, "cookie_secret"),
        ({**AUTH, "cookie_secret": "short"}, "cookie_secret"),
        ({**AUTH, "cookie_secret": 12345678901234567890123456789012345}, "cookie_secret"),
        ({**AUTH, "client_kwargs": {"scope": "openid email"}}, None),
        ({**AUTH, "client_kwargs": {"scope": "email openid"}}, None),
        ({**AUTH, "client_kwargs": {"scope": "openid email profile"}}, "scope"),
        ({**AUTH, "okta": {"client_kwargs": {"scope": "openid email groups"}}}, "scope"),
        ({**AUTH, "okta": {"client_kwargs": {"prompt": "login"}}}, None),
        ({**AUTH, "expose_tokens": ["id"]}, "expose_tokens"),
        ("text", "not a section"),
    ],
)
def test_unsafe_settings_are_named(auth: object, part: str | None) -> None:
    faults = list(settings.auth_faults(auth))

    assert bool(faults) is bool(part)
    assert (part or "") in " ".join(faults)
    assert "x" * 64 not in " ".join(faults), "the secret is not repeated"


@pytest.mark.parametrize(
    ("section", "accepted"),
    [
        ({}, True),
        ({"single_tenant_issuers": [ISSUER]}, True),
        ({"single_tenant_issuers": ISSUER}, False),
        ({"single_tenant_issuers": [1]}, False),
        ({"single_tenant_issuer": [ISSUER]}, False),
        ("text", False),
    ],
)
def test_the_section_for_sign_in_is_checked(section: object, accepted: bool) -> None:
    assert (list(settings.sign_in_faults(section)) == []) is accepted


def test_trusted_headers_keep_the_server_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    option = st.get_option

    def changed(name: str) -> Any:
        return {"X-Auth-Email": "email"} if name == "server.trustedUserHeaders" else option(name)

    settings.require()
    monkeypatch.setattr(st, "get_option", changed)

    with pytest.raises(SettingMissing, match="trustedUserHeaders"):
        settings.require()


def test_the_example_on_the_sign_in_screen_is_not_accepted() -> None:
    found = sign_in.EXAMPLE_SECRETS.partition('cookie_secret = "')[2].partition('"')[0]

    assert "secrets.token_urlsafe" in found
    assert rules.secret_fault(found) is not None

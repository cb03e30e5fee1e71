"""The person signed in now in the browser that sends a request, and what they may do.

Checked for every route, file and message. A drawn page or a link only says who it was then.
"""

import json
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import AUTH_COOKIE_NAME, get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from dashboard.shell import local_sign_in, openid, proxied, sign_in
from data_access.db import database
from data_access.people import sessions
from data_access.people.staff import Person


def person(connection: HTTPConnection) -> Person | None:
    """Return the member of staff who sends the request, read from the database now.

    Raises DatabaseUnavailable.
    """
    key = session_key(connection)
    if key is None:
        return None
    with database.reading(database.reader()) as reading:
        return sessions.find(reading, key)


def session_key(connection: HTTPConnection) -> str | None:
    """Return the key of the browser's session, which may have ended."""
    if sign_in.uses_openid():
        return openid.session_key(_claims(connection))
    if proxied.trusted():
        return proxied.session_key(connection.headers, connection.cookies)
    if local_sign_in.obstacle(
        server_address=st.get_option("server.address"), headers=connection.headers
    ):
        return None
    return local_sign_in.session_key(connection.cookies.get(local_sign_in.COOKIE))


def _claims(connection: HTTPConnection) -> dict[str, Any]:
    """Return what Streamlit stored in its cookie at sign-in; empty if there is none."""
    secret = get_cookie_secret()

    def signed(name: str) -> bytes | None:
        value = connection.cookies.get(name)
        if value is None:
            return None
        # Headers are Latin-1; the signature is over their bytes.
        return decode_signed_value(secret, name, value.encode("latin-1"))

    try:
        found = get_cookie_with_chunks(signed, AUTH_COOKIE_NAME)
        claims = json.loads(found) if found else {}
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}

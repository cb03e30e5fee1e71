"""Ended sessions, for every tab and link of a browser.

Streamlit only asks the browser to delete its cookie. Open tabs and running requests hold a copy, so
the server records which cookies have ended. A restart forgets them, and with them every open tab.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256

from streamlit.web.server.server_util import AUTH_COOKIE_NAME

MOST = 100_000
PIECE = re.compile(rf"{AUTH_COOKIE_NAME}(_\d+)?")

_over: OrderedDict[str, None] = OrderedDict()


def end(cookies: Mapping[str, str]) -> None:
    """Invalidate the session in these cookies."""
    key = _key(cookies)
    if key is None:
        return
    _over[key] = None
    while len(_over) > MOST:
        _over.popitem(last=False)


def is_over(cookies: Mapping[str, str]) -> bool:
    """Whether the session in these cookies was ended."""
    return _key(cookies) in _over


def _key(cookies: Mapping[str, str]) -> str | None:
    # A long cookie is split into numbered pieces.
    held = sorted((name, cookies[name]) for name in cookies if PIECE.fullmatch(name))
    return sha256(repr(held).encode()).hexdigest() if held else None

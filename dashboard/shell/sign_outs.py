"""The sessions that somebody has ended, for every tab and every link of their browser.

Streamlit only asks the browser to forget its cookie. Tabs that are open, and requests under
way, hold a copy; so the server notes which cookies are over. A restart forgets them, and with
them every open tab.
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
    """Make the sign-in that these cookies hold count no longer."""
    key = _key(cookies)
    if key is None:
        return
    _over[key] = None
    while len(_over) > MOST:
        _over.popitem(last=False)


def is_over(cookies: Mapping[str, str]) -> bool:
    """Whether the sign-in that these cookies hold was ended."""
    return _key(cookies) in _over


def _key(cookies: Mapping[str, str]) -> str | None:
    # A long cookie comes in pieces, each under a number of its own.
    held = sorted((name, cookies[name]) for name in cookies if PIECE.fullmatch(name))
    return sha256(repr(held).encode()).hexdigest() if held else None

"""Links to files: signed, short-lived, and bound to a person, a browser and the filters."""

from functools import cache
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeTimedSerializer

from dashboard import local_sign_in
from data_access.embedded import HOME
from program.queue import Filters

SECRET_FILE = HOME / "links.secret"
LINK_SECONDS = 15 * 60
# Given to every browser with its first page; a link works in the browser it was made for.
BROWSER_COOKIE = "affiliate_review_browser"
EXPORT_PATH = "export/applications.csv"


def export_link(email: str, filters: Filters, *, browser: str) -> str:
    """A relative address that gives ``email`` the filtered queue as CSV, for 15 minutes."""
    token = _signer(SECRET_FILE).dumps([email, filters.on_page(1).to_query(), _mark(browser)])
    return f"{EXPORT_PATH}?{urlencode({'token': token})}"


def redeem_export(token: str, *, browser: str) -> tuple[str, Filters] | None:
    """The (email, filters) of a link; ``None`` if it is forged, too old or passed on.

    ``browser`` is what the browser that follows it holds in BROWSER_COOKIE.
    """
    try:
        email, query, mark = _signer(SECRET_FILE).loads(token, max_age=LINK_SECONDS)
    except BadData:
        return None
    if not browser or not compare_digest(mark, _mark(browser)):
        return None
    return email, Filters.from_query(query)


def _mark(browser: str) -> str:
    # The link may be copied out of the page; what the browser holds must not stand in it.
    return sha256(browser.encode()).hexdigest()


@cache
def _signer(secret_file: Path) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(local_sign_in.secret(secret_file), salt="export link")

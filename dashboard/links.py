"""Links to files: signed, short-lived, and bound to a person and to what was filtered."""

from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeTimedSerializer

from dashboard import local_sign_in
from data_access.embedded import HOME
from program.queue import Filters

SECRET_FILE = HOME / "links.secret"
LINK_SECONDS = 15 * 60
EXPORT_PATH = "export/applications.csv"


def export_link(email: str, filters: Filters) -> str:
    """A relative address that gives ``email`` the filtered queue as CSV, for 15 minutes."""
    token = _signer(SECRET_FILE).dumps([email, filters.on_page(1).to_query()])
    return f"{EXPORT_PATH}?{urlencode({'token': token})}"


def redeem_export(token: str) -> tuple[str, Filters] | None:
    """The (email, filters) of a link; ``None`` if it is forged, altered or too old."""
    try:
        email, query = _signer(SECRET_FILE).loads(token, max_age=LINK_SECONDS)
    except BadData:
        return None
    return email, Filters.from_query(query)


@cache
def _signer(secret_file: Path) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(local_sign_in.secret(secret_file), salt="export link")

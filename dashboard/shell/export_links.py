"""Links to files: signed, short-lived, and bound to a person, a browser and the filters."""

from dataclasses import asdict, dataclass, field
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeTimedSerializer

from dashboard.shell import local_sign_in
from data_access.db.embedded import HOME
from program.reports.export_formats import FileFormat, Form
from program.review.permissions import Role
from program.review.queue_filters import Filters

SECRET_FILE = HOME / "links.secret"
LINK_SECONDS = 15 * 60
EXPORT_PATH = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The content of a link: which rows, in which format, for whom in which role.

    ``query`` is of a view, or with ``of_queue`` of the queue's filters; ``expected`` is the number
    of rows on the page.
    """

    email: str
    role: Role
    query: dict[str, str]
    of_queue: bool = False
    form: Form = field(default_factory=Form)
    view_name: str | None = None
    expected: int | None = None


def queue_link(email: str, role: Role, filters: Filters, *, browser: str) -> str:
    """Return a relative URL for the filtered queue as CSV, valid for 15 minutes."""
    query = filters.on_page(1).to_query()
    promise = Promise(email=email, role=role, query=query, of_queue=True)
    return _link(promise, "applications.csv", browser=browser)


def view_link(promise: Promise, dataset: str, *, browser: str) -> str:
    """Return a relative URL for a view as a file, valid for 15 minutes."""
    return _link(promise, f"{dataset}.{promise.form.ending}", browser=browser)


def redeem_export(token: str, *, browser: str) -> Promise | None:
    """Return the content of a link; ``None`` if it is forged, expired or passed on.

    ``browser`` is the value of BROWSER_COOKIE in the browser that follows it.
    """
    try:
        content, mark = _signer(SECRET_FILE).loads(token, max_age=LINK_SECONDS)
    except BadData:
        return None
    if not browser or not compare_digest(mark, _mark(browser)):
        return None
    form = content.pop("form")
    return Promise(
        **{**content, "role": Role(content["role"])},
        form=Form(**{**form, "file_format": FileFormat(form["file_format"])}),
    )


def _link(promise: Promise, name: str, *, browser: str) -> str:
    token = _signer(SECRET_FILE).dumps([asdict(promise), _mark(browser)])
    return f"{EXPORT_PATH}/{name}?{urlencode({'token': token})}"


def _mark(browser: str) -> str:
    # A link may be copied out of the page, so it must not contain the cookie's value.
    return sha256(browser.encode()).hexdigest()


@cache
def _signer(secret_file: Path) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(local_sign_in.secret_in(secret_file), salt="export link")

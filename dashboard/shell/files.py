"""Access checks for the files that Streamlit serves and accepts.

Streamlit gives the file behind a download button to anybody who has its URL, and keeps any upload.
Here a file is only for the person to whom its URL was sent, while they are signed in with the role
they had then; and only people who may import can upload.
"""

import re
from collections import OrderedDict
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.shell import identity, origins
from data_access.db.errors import DatabaseUnavailable
from data_access.people.staff import Person
from program.review.permissions import Act

Held = TypeVar("Held")
MEDIA = "/media/"
UPLOADS = "/_stcore/upload_file"
# A file's name is the hash of its content, which also appears in messages to the page.
NAMED = re.compile(rb"/media/([0-9a-f]{32})")
NAME = re.compile(r"/media/([0-9a-f]{32})(?:\.\w+)?")
MOST_FILES = 50_000
MOST_UPLOADS = 20
NOT_YOURS = "This file was made for another person or role. Get it from its page."
NOT_NOW = "You are no longer signed in. Sign in, and get the file from its page."
NO_UPLOAD = "Only reviewers and managers who are signed in may upload files, from the import page."
TOO_MANY = f"{MOST_UPLOADS} files are waiting in this page. Remove one, or reload the page."

_meant_for: OrderedDict[str, set[tuple[str, str]]] = OrderedDict()
_uploaded: OrderedDict[str, set[str]] = OrderedDict()


async def note_addresses(sent: bytes, connection: HTTPConnection) -> None:
    """Record the people to whose page file URLs are sent."""
    if b"/media/" not in sent:
        return
    try:
        person = await run_in_threadpool(identity.person, connection)
    except DatabaseUnavailable:
        return
    if person is not None:
        for name in NAMED.findall(sent):
            _newest(_meant_for, name.decode()).add((person.email, person.role))


def _newest(kept: OrderedDict[str, set[Held]], key: str) -> set[Held]:
    """Return the set under ``key``, used last from now on; drop the oldest beyond MOST_FILES."""
    held = kept.setdefault(key, set())
    kept.move_to_end(key)
    while len(kept) > MOST_FILES:
        kept.popitem(last=False)
    return held


class FileGate:
    """Checks for every download and upload who is signed in now and what they may do."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with a sentence before anything is read or sent."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(MEDIA):
            await self._hand_out(scope, receive, send)
        elif scope["type"] == "http" and path.startswith(UPLOADS):
            await self._take_in(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _hand_out(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: PlainTextResponse | None = None

        async def send_if_theirs(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and _is_download(message):
                refused = await _refused(scope)
                if refused is not None:
                    await refused(scope, receive, send)
            if refused is None:
                await send(message)

        await self.app(scope, receive, send_if_theirs)

    async def _take_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        person = await _asking(connection) if origins.is_own(connection) else None
        if person is None or not person.may(Act.IMPORT):
            await plainly(NO_UPLOAD)(scope, receive, send)
        elif not _has_room(scope["method"], scope["path"]):
            await plainly(TOO_MANY, status=413)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def plainly(sentence: str, *, status: int = 403) -> PlainTextResponse:
    """Return a response of one sentence, not cached."""
    return PlainTextResponse(sentence, status_code=status, headers={"Cache-Control": "no-store"})


def _is_download(start: Message) -> bool:
    # Images of the page, such as the logo, are shown and not downloaded.
    return start["status"] < 300 and "content-disposition" in Headers(raw=start["headers"])


async def _refused(scope: Scope) -> PlainTextResponse | None:
    person = await _asking(HTTPConnection(scope))
    if person is None:
        return plainly(NOT_NOW)
    name = NAME.fullmatch(scope["path"])
    meant_for = _meant_for.get(name[1], set()) if name else set()
    theirs = (person.email, person.role) in meant_for and person.may(Act.EXPORT)
    return None if theirs else plainly(NOT_YOURS)


async def _asking(connection: HTTPConnection) -> Person | None:
    try:
        return await run_in_threadpool(identity.person, connection)
    except DatabaseUnavailable:
        return None


def _has_room(method: str, path: str) -> bool:
    """Limit a page's uploads, which are kept in memory until they are removed or it closes."""
    session, _, file = path.removeprefix(f"{UPLOADS}/").partition("/")
    kept = _newest(_uploaded, session)
    if method == "DELETE":
        kept.discard(file)
        return True
    if len(kept) >= MOST_UPLOADS and file not in kept:
        return False
    kept.add(file)
    return True

"""The check before Streamlit's websocket: which pages may connect, and which messages pass.

Before it refuses a page, Streamlit would ask an external server for this machine's address; and it
would clear every cache for anybody.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard.shell import files, identity, origins, sessions
from data_access.db.errors import Refusal
from data_access.db.logs import LOG
from program.review.permissions import Act

STREAM = "/_stcore/stream"
# A message is at most the content of a page's fields.
LONGEST_MESSAGE = 2_000_000
LONGEST_OF_NOBODY = 64_000
FROM_ANYBODY = frozenset({"rerun_script", "stop_script", "app_heartbeat"})
FROM_STAFF = frozenset({"deferred_file", "dataframe_chunk"})
FROM_IMPORTERS = frozenset({"file_urls_request"})
POLICY_VIOLATION, NOT_TEXT, TOO_BIG = 1008, 1003, 1009
MOST_NAMED = 100


class WebsocketGate:
    """Refuses foreign pages before Streamlit sees them, and drops messages no page here sends."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.named: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the server's own pages through, message by message."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if scope["path"] != STREAM or not origins.is_own(connection):
            self._note(connection)
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return

        activity = Activity(connection)

        async def receive_wanted() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                fault = _fault(message, connection)
                if fault is not None:
                    await send({"type": "websocket.close", "code": fault})
                    return {"type": "websocket.disconnect", "code": fault}
                if await _is_wanted(message["bytes"], connection):
                    activity.note(message["bytes"])
                    return message

        async def send_noted(message: Message) -> None:
            await files.note_addresses(message.get("bytes") or b"", connection)
            await send(message)

        await self.app(origins.with_page_host(scope), receive_wanted, send_noted)

    def _note(self, connection: HTTPConnection) -> None:
        # Once per origin, so that requests cannot fill the log.
        asking = repr(connection.headers.get("origin", ""))[:200]
        if asking not in self.named and len(self.named) < MOST_NAMED:
            self.named.add(asking)
            LOG.warning("refused a connection from the page %s; see docs/architecture.md", asking)


class Activity:
    """Tells what a person does in a page from what the page does by itself.

    Fragments that poll, and a page that reconnects after its network was away, must not keep
    anybody signed in.
    """

    def __init__(self, connection: HTTPConnection) -> None:
        self.key = identity.session_key(connection)
        # A page that had a session before names it third, and then asks to be drawn again.
        names = connection.headers.get("sec-websocket-protocol", "").split(",")
        self.reconnects = len(names) > 2 and bool(names[2].strip())

    def note(self, data: bytes) -> None:
        """Record the person's activity if this message is an act of theirs."""
        if self.key is None or not sessions.is_due(self.key):
            return
        message = parsed(data)
        if message is None or message.WhichOneof("type") != "rerun_script":
            return
        if self.reconnects:
            self.reconnects = False
        elif not message.rerun_script.is_auto_rerun:
            sessions.note_activity(self.key)


def _fault(message: Message, connection: HTTPConnection) -> int | None:
    """Return the close code for this message; ``None`` if it may pass."""
    data = message.get("bytes")
    if data is None:
        return NOT_TEXT
    is_short = len(data) <= LONGEST_OF_NOBODY
    if is_short or (len(data) <= LONGEST_MESSAGE and identity.session_key(connection)):
        return None
    return TOO_BIG


async def _is_wanted(data: bytes, connection: HTTPConnection) -> bool:
    kind = kind_of(data)
    if kind in FROM_ANYBODY:
        return True
    if kind not in FROM_STAFF | FROM_IMPORTERS:
        return False
    try:
        person = await run_in_threadpool(identity.person, connection)
    except Refusal:
        return False
    return person is not None and (kind in FROM_STAFF or person.may(Act.IMPORT))


def kind_of(data: bytes) -> str | None:
    """Return the kind of a browser's message; ``None`` if it cannot be parsed."""
    message = parsed(data)
    if message is None:
        return None
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload")
    return kind


def parsed(data: bytes) -> BackMsg | None:
    """Return a browser's message; ``None`` if it cannot be parsed."""
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except Exception:  # noqa: BLE001 - the library has an error class of its own for each build
        return None
    return message

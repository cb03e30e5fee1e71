"""Pages, files and the websocket answer only the server's own pages, and only staff."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection as Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.web.server.starlette.starlette_websocket import _is_origin_allowed

from dashboard.shell import files, identity, openid, origins, sessions, websockets
from dashboard.shell.files import FileGate
from dashboard.shell.websockets import WebsocketGate
from data_access.people.staff import Person
from program.review.permissions import Role
from tests.cases import first_of

ROOT = Path(__file__).resolve().parent.parent.parent.parent
OWN = "http://localhost:8501"
PEOPLE = {role: Person(email=f"{role}@example.com", display_name=role, role=role) for role in Role}


@dataclass
class Asking:
    """The person signed in in the requesting browser."""

    who: Person | None = None
    checks: list[None] = field(default_factory=list)


async def unnoted(_: str) -> None:
    pass


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    now = Asking()

    def person(_: Connection) -> Person | None:
        now.checks.append(None)
        return now.who

    monkeypatch.setattr(identity, "person", person)
    monkeypatch.setattr(identity, "session_key", lambda _: now.who.email if now.who else None)
    # What people do is noted in the background; here there is no database to note it in.
    monkeypatch.setattr(sessions, "_note", unnoted)
    monkeypatch.setattr(files, "_meant_for", type(files._meant_for)())
    monkeypatch.setattr(files, "_uploaded", type(files._uploaded)())
    return now


# --- The websocket --------------------------------------------------------------------------------


def handshake(**given: Any) -> Scope:
    headers = {"host": "localhost:8501", "origin": OWN, **given.pop("headers", {})}
    return {
        "type": "websocket",
        "path": "/_stcore/stream",
        "scheme": "ws",
        "headers": [(n.encode(), v.encode()) for n, v in headers.items() if v is not None],
        **given,
    }


@dataclass
class Streamlit:
    """The app behind the gate: records messages and scope, and sends its own messages."""

    says: tuple[bytes, ...] = ()
    scope: Scope | None = None
    heard: list[Message] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        for data in self.says:
            await send({"type": "websocket.send", "bytes": data})
        while True:
            message = await receive()
            self.heard.append(message)
            if message["type"] == "websocket.disconnect":
                return


def talk(behind: Streamlit, scope: Scope, *messages: Message) -> list[Message]:
    """Return what the browser receives after sending ``messages`` and leaving."""
    sent: list[Message] = []
    coming = iter([*messages, {"type": "websocket.disconnect", "code": 1001}])

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(WebsocketGate(behind)(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("headers", "scheme", "passes"),
    [
        ({}, "ws", True),
        ({"origin": "http://LOCALHOST:8501"}, "ws", True),
        ({"origin": "http://127.0.0.1:8501", "host": "127.0.0.1:8501"}, "ws", True),
        ({"origin": "http://[::1]:8501", "host": "[::1]:8501"}, "ws", True),
        ({"origin": "https://localhost:8501"}, "wss", True),
        ({"origin": "http://localhost:9000"}, "ws", False),
        ({"origin": "http://localhost"}, "ws", False),
        ({"origin": "http://127.0.0.1:8501"}, "ws", False),
        ({"origin": "https://localhost:8501"}, "ws", False),
        ({"origin": "http://localhost:8501"}, "wss", False),
        ({"origin": "http://localhost:8501.evil.example"}, "ws", False),
        ({"origin": "http://localhost:8501/"}, "ws", False),
        ({"origin": "https://evil.example"}, "ws", False),
        ({"origin": "http://evil.example:8501", "host": "evil.example:8501"}, "ws", False),
        ({"origin": "null"}, "ws", False),
        ({"origin": ""}, "ws", False),
        ({"origin": None}, "ws", False),
        ({"host": None}, "ws", False),
        ({"origin": "http://review.example.com", "host": "review.example.com"}, "ws", False),
    ],
)
def test_only_a_page_of_this_server_opens_the_websocket(
    headers: dict[str, Any], scheme: str, passes: bool
) -> None:
    behind = Streamlit()

    sent = talk(behind, handshake(headers=headers, scheme=scheme))

    assert (behind.scope is not None) is passes
    assert sent == ([] if passes else [{"type": "websocket.close", "code": 1008}])


@pytest.mark.parametrize("path", ["/", "/nothing", "/application", "/_stcore/stream/x"])
def test_there_is_one_websocket(path: str) -> None:
    behind = Streamlit()

    assert talk(behind, handshake(path=path)) == [{"type": "websocket.close", "code": 1008}]
    assert behind.scope is None


@pytest.fixture
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    public = {"redirect_uri": "https://review.example.com/oauth2callback"}
    monkeypatch.setattr(openid, "settings", lambda: public)
    monkeypatch.setattr(origins, "allowlisted_origins", lambda: {"https://second.example.com"})


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        ("https://review.example.com", True),
        ("https://second.example.com", True),
        ("http://review.example.com", False),
        ("https://review.example.com:8443", False),
        ("https://third.example.com", False),
    ],
)
@pytest.mark.usefixtures("behind_a_proxy")
def test_behind_a_proxy_the_public_address_is_what_was_set(
    origin: str, passes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    monkeypatch.setattr("streamlit.net_util.get_external_ip", lambda: looked_up.append("elsewhere"))
    behind = Streamlit()

    talk(behind, handshake(headers={"origin": origin, "host": "127.0.0.1:8501"}))

    assert (behind.scope is not None) is passes
    if behind.scope is not None:
        given = Connection(behind.scope).headers
        # Streamlit looks nothing up if the page and the host are the same.
        assert given["host"] == origin.partition("://")[2]
        _is_origin_allowed(given["origin"], given["host"])
    assert looked_up == []


def from_browser(**what: Any) -> Message:
    message = BackMsg()
    for name, value in what.items():
        if isinstance(value, bool):
            setattr(message, name, value)
        else:
            getattr(message, name).SetInParent()
            for inner in value:
                getattr(getattr(message, name), inner).SetInParent()
    return {"type": "websocket.receive", "bytes": message.SerializeToString()}


ANYBODY = (None, *Role)
STAFF = tuple(Role)
IMPORTERS = (Role.REVIEWER, Role.MANAGER)


@pytest.mark.parametrize(
    ("message", "from_whom"),
    [
        (from_browser(rerun_script=[]), ANYBODY),
        (from_browser(stop_script=True), ANYBODY),
        (from_browser(app_heartbeat=True), ANYBODY),
        (from_browser(backend_operation_request=["deferred_file"]), STAFF),
        (from_browser(backend_operation_request=["dataframe_chunk"]), STAFF),
        (from_browser(file_urls_request=[]), IMPORTERS),
        (from_browser(clear_cache=True), ()),
        (from_browser(set_run_on_save=True), ()),
        (from_browser(load_git_info=True), ()),
        (from_browser(debug_disconnect_websocket=True), ()),
        (from_browser(debug_shutdown_runtime=True), ()),
        (from_browser(backend_operation_request=["install_skills"]), ()),
        (from_browser(backend_operation_request=["dismiss_skills_nudge"]), ()),
        (from_browser(backend_operation_request=[]), ()),
        ({"type": "websocket.receive", "bytes": b""}, ()),
        ({"type": "websocket.receive", "bytes": b"\xff\xff\xff"}, ()),
    ],
)
def test_a_message_that_no_page_of_theirs_sends_is_dropped(
    message: Message, from_whom: tuple[Role | None, ...], asking: Asking
) -> None:
    for role in ANYBODY:
        asking.who = PEOPLE[role] if role else None
        behind = Streamlit()

        sent = talk(behind, handshake(), message, from_browser(app_heartbeat=True))

        passed = [heard for heard in behind.heard if heard == message]
        assert bool(passed) is (role in from_whom or message == from_browser(app_heartbeat=True)), (
            role
        )
        assert behind.heard[-2] == from_browser(app_heartbeat=True)
        assert sent == []


@pytest.mark.parametrize(
    ("size", "who", "code"),
    [
        (60_000, None, None),
        (70_000, None, 1009),
        (70_000, Role.ANALYST, None),
        (2_100_000, Role.MANAGER, 1009),
    ],
)
def test_a_message_may_be_as_large_as_a_pages_fields(
    size: int, who: Role | None, code: int | None, asking: Asking
) -> None:
    asking.who = PEOPLE[who] if who else None
    message = BackMsg()
    message.rerun_script.query_string = "x" * size
    behind = Streamlit()

    sent = talk(
        behind, handshake(), {"type": "websocket.receive", "bytes": message.SerializeToString()}
    )

    assert [one["code"] for one in sent] == ([] if code is None else [code])
    assert behind.heard[-1]["type"] == "websocket.disconnect"
    assert len(behind.heard) == (2 if code is None else 1)


def test_a_message_in_text_ends_the_connection() -> None:
    behind = Streamlit()

    sent = talk(behind, handshake(), {"type": "websocket.receive", "text": "hello"})

    assert sent == [{"type": "websocket.close", "code": websockets.NOT_TEXT}]


# --- Files ----------------------------------------------------------------------------------------

FILE, PICTURE = "5f" * 16, "ab" * 16


async def handed_out(request: Request) -> Response:
    kept = {} if PICTURE in request.url.path else {"Content-Disposition": "attachment"}
    return Response(b"a row with an email", headers=kept)


async def taken_in(_: Request) -> Response:
    return Response(status_code=204)


def request(method: str, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        app = Starlette(
            routes=[
                Route("/media/{name:path}", handed_out),
                Route("/_stcore/upload_file/{rest:path}", taken_in, methods=["PUT", "DELETE"]),
            ]
        )
        transport = httpx.ASGITransport(FileGate(app))
        async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())


def test_a_file_is_only_for_its_recipient_while_person_and_role_are_unchanged(
    asking: Asking,
) -> None:
    manager, analyst = PEOPLE[Role.MANAGER], PEOPLE[Role.ANALYST]
    demoted = Person(email=manager.email, display_name="", role=Role.ANALYST)
    asking.who = manager
    # The address may be followed by what looks like more of it.
    talk(Streamlit(says=(b"\x12\x2c/media/" + FILE.encode() + b"2B.csv",)), handshake())

    for who, status in (
        (manager, 200),
        (analyst, 403),
        (demoted, 403),
        (None, 403),
        (manager, 200),
    ):
        asking.who = who
        for name in (f"{FILE}.csv", FILE, f"{FILE}.svg", f"{FILE}.png"):
            given = request("GET", f"/media/{name}")
            assert given.status_code == status, (who, name)
            assert ("email" in given.text) is (status == 200)
    asking.who = manager
    assert request("GET", f"/media/{'0' * 32}.csv").status_code == 403
    asking.who = None
    assert request("GET", f"/media/{PICTURE}.svg").status_code == 200


def test_an_address_that_names_nobody_has_no_identity(asking: Asking) -> None:
    talk(Streamlit(says=(b"/media/" + FILE.encode() + b".csv",)), handshake())

    asking.who = PEOPLE[Role.MANAGER]
    assert request("GET", f"/media/{FILE}.csv").status_code == 403


def test_messages_without_file_addresses_cost_no_query(asking: Asking) -> None:
    asking.who = PEOPLE[Role.MANAGER]

    talk(Streamlit(says=(b"x" * 100_000,)), handshake(), from_browser(rerun_script=[]))

    assert asking.checks == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "GET"])
def test_uploads_need_permission_to_import_and_a_page_of_this_server(
    method: str, asking: Asking
) -> None:
    path = "/_stcore/upload_file/a-session/a-file"
    taken = 204 if method in ("PUT", "DELETE") else 405
    for role in ANYBODY:
        asking.who = PEOPLE[role] if role else None
        expected = taken if role in IMPORTERS else 403
        assert request(method, path, Origin=OWN).status_code == expected, role
    asking.who = PEOPLE[Role.MANAGER]
    assert request(method, path, Origin="http://localhost:9000").status_code == 403
    assert request(method, path).status_code == 403


def test_one_page_keeps_only_so_many_files(asking: Asking) -> None:
    asking.who = PEOPLE[Role.REVIEWER]

    def put(number: int, session: str = "a") -> int:
        return request("PUT", f"/_stcore/upload_file/{session}/{number}", Origin=OWN).status_code

    assert [put(number) for number in range(files.MOST_UPLOADS)] == [204] * files.MOST_UPLOADS
    assert put(files.MOST_UPLOADS) == 413
    assert put(0) == 204, "the same file again"
    assert put(0, session="b") == 204
    request("DELETE", "/_stcore/upload_file/a/0", Origin=OWN)
    assert put(files.MOST_UPLOADS) == 204


# --- The whole server -----------------------------------------------------------------------------

# Records every look-up of the machine's own address, at the start and later.
TRIPWIRE = """
import pathlib, runpy, sys
from streamlit import net_util
noted = pathlib.Path(sys.argv.pop(1))
def look_up():
    noted.write_text("looked up")
net_util.get_external_ip = look_up
net_util._make_blocking_http_get = lambda *given, **named: look_up()
sys.argv[0] = "serve.py"
runpy.run_path("serve.py", run_name="__main__")
"""


@dataclass(frozen=True)
class Server:
    port: int
    noted: Path
    listens_on: str


@pytest.fixture(scope="module", params=first_of("0.0.0.0", "127.0.0.1"))
def server(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    folder = tmp_path_factory.mktemp("server")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}
    with subprocess.Popen(
        [sys.executable, "-c", TRIPWIRE, str(folder / "noted"), "--port", str(port)],
        cwd=ROOT,
        env={
            **environment,
            "STREAMLIT_SERVER_ADDRESS": request.param,
            "STREAMLIT_SERVER_ALLOWED_HOSTS": "localhost,127.0.0.1,desk.example",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(port)
            yield Server(port, folder / "noted", request.param)
        finally:
            process.terminate()
            process.wait(10)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert get(port, "/healthz") == (200, "text/plain; charset=utf-8", b"ok")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not start")


def get(port: int, path: str, **headers: str) -> tuple[int, str, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.getheader("content-type", ""), response.read()
    finally:
        connection.close()


def opened(port: int, host: str, origin: str | None) -> int:
    """Return the status of the websocket's handshake."""
    upgrade = {
        "Host": f"{host}:{port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **({"Origin": origin} if origin is not None else {}),
    }
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        lines = "".join(f"{name}: {value}\r\n" for name, value in upgrade.items())
        wire.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{lines}\r\n".encode())
        return int(wire.recv(64).decode(errors="replace").split()[1])


def test_the_websocket_opens_for_the_servers_own_page_without_a_look_up(
    server: Server,
) -> None:
    port = server.port
    assert opened(port, "localhost", f"http://localhost:{port}") == 101
    for host, origin in (
        ("localhost", None),
        ("localhost", "http://localhost:1"),
        ("localhost", "https://evil.example"),
        ("localhost", "http://203.0.113.7"),
        ("review.example.com", f"http://review.example.com:{port}"),
    ):
        assert opened(port, host, origin) == 403, origin
    assert not server.noted.exists()


def test_the_server_listens_and_answers_as_its_environment_says(server: Server) -> None:
    assert get(server.port, "/", Host=f"desk.example:{server.port}")[0] == 200
    assert get(server.port, "/", Host="[::1]")[0] == 403
    with socket.socket() as elsewhere:
        reached = elsewhere.connect_ex(("127.0.0.2", server.port)) == 0
    assert reached is (server.listens_on == "0.0.0.0")


HTML, TEXT = "text/html", "text/plain"


def test_known_addresses_are_served_and_others_are_not_found_in_text(server: Server) -> None:
    for path, status, kind in (
        ("/", 200, HTML),
        ("/?eligibility=met", 200, HTML),
        ("/application?id=7", 200, HTML),
        ("/program", 200, HTML),
        ("/settings", 200, HTML),
        ("/healthz", 200, TEXT),
        ("/_stcore/health", 200, TEXT),
        ("/_stcore/host-config", 200, "application/json"),
        ("/favicon.png", 200, "image/png"),
        ("/app/static/fonts/IBMPlexSans-Variable.woff2", 200, "font/woff2"),
        ("/metrics", 404, TEXT),
        ("/foo", 404, TEXT),
        ("/application/7", 404, TEXT),
        ("/index.html", 404, TEXT),
        ("/static/nothing.js", 404, TEXT),
        ("/_stcore/nothing", 404, TEXT),
        ("/program/_stcore/health", 404, TEXT),
        ("/healthz/x", 404, TEXT),
        ("/.env", 404, TEXT),
        ("/export", 404, TEXT),
        ("/export/x.csv", 403, TEXT),
    ):
        found = get(server.port, path)
        assert (found[0], found[1].partition(";")[0]) == (status, kind), path
        if status == 404:
            assert b"This page does not exist" in found[2], path
    assert get(server.port, "/", Host="review.example.com")[0] == 403
    assert get(server.port, "/healthz", Host="10.0.0.7")[0] == 200
    shell = get(server.port, "/")[2].decode()
    script = shell.partition('src="./static/js/')[2].partition('"')[0]
    assert get(server.port, f"/static/js/{script}")[0] == 200


@pytest.mark.parametrize(
    ("settings", "sentence"),
    first_of(
        ({"DATABASE_URL": "mysql://ana:s3cret@db/review"}, "DATABASE_URL is not a Postgres"),
        ({"DATABASE_REPLICA_URL": "s3cret"}, "DATABASE_REPLICA_URL is not a Postgres"),
        ({"secrets": 'cookie_secret = "s3cret'}, "secrets.toml cannot be read as TOML"),
        (
            {"secrets": '[auth]\ncookie_secret = "s3cret"'},
            "cookie_secret in .streamlit/secrets.toml",
        ),
        ({"config": '[server.trustedUserHeaders]\nX-User = "email"'}, "trustedUserHeaders"),
    ),
)
def test_a_setting_that_cannot_be_used_keeps_the_server_from_starting(
    settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    for name in ("secrets", "config"):
        if name in settings:
            (tmp_path / ".streamlit").mkdir()
            (tmp_path / ".streamlit" / f"{name}.toml").write_text(settings[name])
            settings = {"HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "serve.py", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("trusted", "secure"), first_of(("203.0.113.7", False), ("127.0.0.1", True))
)
def test_the_proxy_is_believed_from_its_own_address_only(
    trusted: str, secure: bool, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "serve.py", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path), "FORWARDED_ALLOW_IPS": trusted},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(port)
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/", headers={"X-Forwarded-Proto": "https"})
            cookies = connection.getresponse().headers.get_all("set-cookie") or []
            connection.close()
        finally:
            process.terminate()
            process.wait(10)

    assert cookies
    assert {"; secure" in cookie.lower() for cookie in cookies} == {secure}


# --- Activity -------------------------------------------------------------------------------------


CLICK = BackMsg(rerun_script=ClientState(query_string="a click"))
POLL = BackMsg(rerun_script=ClientState(is_auto_rerun=True))
BEAT = BackMsg(app_heartbeat=True)
AGAIN = {"sec-websocket-protocol": "streamlit, token, an-earlier-session"}
FRESH = {"sec-websocket-protocol": "streamlit, token"}


@pytest.mark.parametrize(
    ("messages", "headers", "noted"),
    [
        ([CLICK], {}, 1),
        ([CLICK], FRESH, 1),
        ([CLICK, CLICK, CLICK], FRESH, 1),
        ([POLL, POLL, BEAT], FRESH, 0),
        ([POLL, CLICK], FRESH, 1),
        ([CLICK], AGAIN, 0),
        ([CLICK, POLL], AGAIN, 0),
        ([CLICK, CLICK], AGAIN, 1),
    ],
)
def test_only_what_a_person_does_is_their_activity(
    messages: list[BackMsg],
    headers: dict[str, str],
    noted: int,
    asking: Asking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []

    async def note(key: str) -> None:
        written.append(key)

    monkeypatch.setattr(sessions, "_note", note)
    monkeypatch.setattr(sessions, "_noted_at", type(sessions._noted_at)())
    asking.who = PEOPLE[Role.ANALYST]
    sent = [{"type": "websocket.receive", "bytes": one.SerializeToString()} for one in messages]

    talk(Streamlit(), handshake(headers=headers), *sent)

    assert written == ["analyst@example.com"] * noted


def test_nobodys_messages_are_nobodys_activity(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "note_activity", lambda _: pytest.fail("noted"))

    click = {"type": "websocket.receive", "bytes": CLICK.SerializeToString()}
    talk(Streamlit(), handshake(), click)

"""The dashboard below a path of its host: requests, redirects, cookies, links and settings.

All routes below it: see `test_addresses`. Pages in a browser: see `tests/browser/test_base_path`.
"""

import asyncio
import copy
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Scope
from streamlit import config

import serve
from dashboard.shell import browsers, local_sign_in, routes, server_options, settings
from dashboard.shell.base_path import WithBase, WithoutBase
from dashboard.ui import address, grid
from data_access.db.errors import SettingMissing

BASE = "/affiliates-desk"
ORIGIN = "http://localhost:8501"


@pytest.fixture(autouse=True)
def options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of this test's own, which serve the dashboard below a path."""
    monkeypatch.setattr(config, "_config_options", copy.deepcopy(config.get_config_options()))
    config.set_option("server.baseUrlPath", "affiliates-desk/")


async def shown(request: Request) -> Response:
    return PlainTextResponse(request.url.path)


async def sign_in_ends(_: Request) -> Response:
    """Answer as Streamlit's callback does."""
    response = RedirectResponse(f"{BASE}/", status_code=302)
    response.set_cookie("of-streamlit", "x", path=BASE)
    return response


def get(path: str, **cookies: str) -> httpx.Response:
    """Ask our routes, and two that stand for Streamlit's, which have the path."""
    streamlits = [
        Route(f"{BASE}/oauth2callback", sign_in_ends),
        Route(f"{BASE}/_stcore/host-config", shown),
    ]
    app = Starlette(routes=[*routes.ROUTES, *streamlits], middleware=serve.MIDDLEWARE)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, cookies=cookies
        ) as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_probes_answer_at_the_root_and_below_the_path(
    staffed: Engine, monkeypatch: pytest.MonkeyPatch, probe: str
) -> None:
    assert get(probe).status_code == get(BASE + probe).status_code == 200


@pytest.mark.parametrize("path", ["/", "/application", "/affiliates-desks/", "/export/x.csv"])
def test_what_is_beside_the_path_does_not_exist(path: str) -> None:
    answer = get(path)

    assert (answer.status_code, answer.text) == (
        404,
        "This page does not exist. The dashboard starts at /affiliates-desk/.",
    )


def test_the_path_without_its_slash_leads_to_the_queue_as_it_was_asked_for() -> None:
    assert get(f"{BASE}?search=a%26b").headers["location"] == f"{BASE}/?search=a%26b"
    assert get(BASE).headers["location"] == f"{BASE}/"


def test_streamlits_routes_are_asked_with_the_path() -> None:
    assert get(f"{BASE}/_stcore/host-config").text == f"{BASE}/_stcore/host-config"


def test_a_sign_in_leads_back_below_the_path_and_its_cookie_stays_there(staffed: Engine) -> None:
    link = local_sign_in.mint_link("ana@example.com", back_to="/application?id=5")

    answer = get(f"{BASE}/{link}")

    assert answer.headers["location"] == f"{BASE}/application?id=5"
    assert f"; Path={BASE};" in f"{answer.headers['set-cookie']};"
    out = get(f"{BASE}/local-sign-out")
    assert out.headers["location"] == f"{BASE}/"
    assert f"; Path={BASE};" in f"{out.headers['set-cookie']};"


def test_a_sign_in_at_a_provider_leads_back_to_the_requested_page() -> None:
    kept = urlencode({"to": "/application?id=5"})

    answer = get(f"{BASE}/oauth2callback", **{browsers.WAY_BACK_COOKIE: kept})

    assert answer.headers["location"] == f"{BASE}/application?id=5"
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all(f"; Path={BASE};" in f"{one};" for one in cookies)


def test_a_websocket_beside_the_path_is_refused() -> None:
    assert connects(f"{BASE}/_stcore/stream") == [f"{BASE}/_stcore/stream"]
    assert connects("/_stcore/stream") == []


def connects(path: str) -> list[str]:
    """Return the addresses under which Streamlit is reached."""
    reached: list[str] = []

    async def streamlit(scope: Scope, *_: object) -> None:
        reached.append(scope["path"])

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        assert message["type"] == "websocket.close"

    app = WithoutBase(WithBase(streamlit, own=[WebSocketRoute("/own", shown)]))
    asyncio.run(app({"type": "websocket", "path": path, "headers": []}, receive, send))
    return reached


def test_links_in_tables_lead_below_the_path() -> None:
    cells = grid.applications([5, None]).cells

    assert cells.to_pylist() == [f"{BASE}/application?id=5", ""]


@pytest.mark.parametrize(
    ("found", "path"),
    [(BASE, ""), (f"{BASE}/staff", "/staff"), ("/staff", None), (f"{BASE}s/staff", None)],
)
def test_an_address_is_one_of_ours_if_it_is_below_the_path(found: str, path: str | None) -> None:
    assert address.within(found) == path


# --- Settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "uri", "part"),
    [
        ("", "https://review.example.com/oauth2callback", None),
        ("desk", "https://example.com/desk/oauth2callback", None),
        ("/a/b-c_d.e/", "https://example.com/a/b-c_d.e/oauth2callback", None),
        ("desk", None, None),
        ("desk", "https://example.com/oauth2callback", "let it end in /desk/oauth2callback"),
        ("", "https://example.com/desk/oauth2callback", "let it end in /oauth2callback"),
        ("a b", None, "not a path"),
        ("a//b", None, "not a path"),
        ("../a", None, "not a path"),
        ("https://example.com/desk", None, "not a path"),
    ],
)
def test_a_path_that_does_not_fit_is_named(base: str, uri: str | None, part: str | None) -> None:
    config.set_option("server.baseUrlPath", base)

    faults = list(settings.base_path_faults({"redirect_uri": uri} if uri else None))

    assert bool(faults) is bool(part)
    assert (part or "") in " ".join(faults)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("STREAMLIT_SERVER_ALLOWED_HOSTS", "review.example.com, 127.0.0.1")
    monkeypatch.setenv("STREAMLIT_SERVER_ENABLE_STATIC_SERVING", "true")
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "desk")
    return monkeypatch


def test_streamlits_options_are_read_from_the_environment(
    environment: pytest.MonkeyPatch,
) -> None:
    given = server_options.set_all(server_port=8502, server_baseUrlPath=None)

    assert given == {
        "server.allowedHosts": ["review.example.com", "127.0.0.1"],
        "server.enableStaticServing": True,
        "server.baseUrlPath": "desk",
        "server.port": 8502,
    }
    assert {name: config.get_option(name) for name in given} == given
    assert server_options.set_all(server_baseUrlPath="/x")["server.baseUrlPath"] == "/x"


def test_an_option_that_cannot_be_read_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "much")

    with pytest.raises(SettingMissing, match="STREAMLIT_SERVER_MAX_UPLOAD_SIZE"):
        server_options.set_all()

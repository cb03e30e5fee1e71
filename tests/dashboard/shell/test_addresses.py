"""Every route of the server, as it is assembled, is for whom the record of addresses says."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dashboard.shell.addresses import ADDRESSES, PROBES, Reach, reach
from dashboard.shell.screens import SCREENS
from tests.cases import first_of

ROOT = Path(__file__).resolve().parent.parent.parent.parent
# In a process of its own, since the server may be assembled once. Nobody is signed in.
ASK_EVERYTHING = """
import asyncio, json, re, sys
import httpx, serve
from dashboard.ui import address
from starlette.routing import Mount, WebSocketRoute

serve.app._runtime = serve.app._create_runtime()
assembled = serve.app._build_starlette_app()

async def ask():
    found = []
    transport = httpx.ASGITransport(assembled, client=("127.0.0.1", 50000), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8501") as client:
        for route in assembled.routes:
            path = re.sub("{[^}]*}", "0" * 32, route.path.removeprefix(address.base()))
            kind = type(route).__name__
            for method in sorted(getattr(route, "methods", None) or [""]):
                said = await client.request(method, address.of(path)) if method else None
                beside = await client.request(method, path) if method else None
                found.append({
                    "kind": kind, "path": path, "method": method,
                    "status": said and said.status_code, "text": said and said.text[:300],
                    "beside": beside and beside.status_code,
                })
    return found

print(json.dumps(asyncio.run(ask())))
"""
HEALTHY = {
    "/healthz": ("ok",),
    "/readyz": ("ready", "the database does not respond"),
    # The server behind it was not started.
    "/_stcore/health": ("ok", "runtime not started"),
}


@pytest.fixture(scope="module", params=first_of("/affiliates-desk/", ""))
def base(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def answers(base: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    # No database listens there.
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    below = {"STREAMLIT_SERVER_BASE_URL_PATH": base} if base else {}
    done = subprocess.run(
        [sys.executable, "-c", ASK_EVERYTHING],
        cwd=ROOT,
        env={"PATH": "", "HOME": str(tmp_path_factory.mktemp("home")), **nowhere, **below},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    asked: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return asked


def test_every_route_says_without_a_sign_in_what_its_record_allows(
    answers: list[dict[str, Any]],
) -> None:
    """A route that is new, here or in Streamlit, answers 404 until it is in the record."""
    assert len({one["path"] for one in answers}) > 20
    wrong = [one for one in answers if not is_as_recorded(one)]
    assert wrong == []


def test_below_a_path_nothing_but_the_probes_answers_beside_it(
    base: str, answers: list[dict[str, Any]]
) -> None:
    asked = [one for one in answers if one["method"] and base]
    assert {one["path"] for one in asked if one["beside"] != 404} == (PROBES if base else set())


def is_as_recorded(one: dict[str, Any]) -> bool:
    # The files of Streamlit's page are mounted at the root, and the websocket has its own tests.
    if one["kind"] == "Mount":
        return one["path"] == ""
    if one["kind"] == "WebSocketRoute":
        return reach(one["path"]) is Reach.MESSAGES
    who = reach(one["path"])
    if who is None:
        return one["status"] == 404
    if one["method"] == "OPTIONS":
        return one["status"] in (200, 204) and not one["text"].strip()
    if who is Reach.HEALTH:
        said = HEALTHY[one["path"]]
        return one["method"] == "HEAD" or one["text"].lower().startswith(said)
    if who is Reach.STAFF:
        return one["status"] in (403, 404)
    return who in (Reach.SIGN_IN, Reach.SHELL)


def test_what_is_recorded_exists(answers: list[dict[str, Any]]) -> None:
    """A record of an address that is gone would let a later one in unseen."""
    paths = {one["path"] for one in answers}
    mounted = {"/static/"}
    assert {
        address
        for address in set(ADDRESSES) - mounted
        if not any(path.startswith(address) for path in paths)
    } == set()


def test_only_health_answers_a_question_to_anybody() -> None:
    assert {address for address, who in ADDRESSES.items() if who is Reach.HEALTH} == {
        "/healthz",
        "/readyz",
        "/_stcore/health",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/agent/interact",
        "/_stcore/agent/mcp",
        "/_stcore/agent/openapi.json",
        "/_stcore/bidi-components/x",
        "/_stcore/script-health-check",
        "/component/x/y",
        "/_stcore/health/x",
        "/healthz/",
        "//_stcore/health",
        "/export",
    ],
)
def test_other_addresses_are_closed(path: str) -> None:
    assert reach(path) is None


def test_pages_are_an_empty_frame_to_anybody() -> None:
    assert {reach(f"/{screen.path}") for screen in SCREENS} == {Reach.SHELL}

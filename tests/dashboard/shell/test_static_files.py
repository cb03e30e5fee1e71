"""Scripts, styles and the pages' frame are sent compressed; nothing else is."""

import asyncio
import gzip
import re

import brotli
import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from dashboard.shell import frame
from dashboard.shell.addresses import PAGES
from dashboard.shell.headers import content_security_policy
from dashboard.shell.static_files import StaticFiles, files

SCRIPT = next(path for path in files() if path.startswith("/static/js/index."))
TAKES_BOTH = {"accept-encoding": "gzip, deflate, br, zstd"}


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """Streamlit's own routes."""
    await PlainTextResponse("behind", headers={"Cache-Control": "old"})(scope, receive, send)


def ask(path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Return the answer with its body as it was sent."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(StaticFiles(behind))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            async with client.stream(method, path, headers={"accept-encoding": "", **names}) as got:
                got._content = b"".join([chunk async for chunk in got.aiter_raw()])
                return got

    return asyncio.run(asked())


def test_a_script_is_sent_in_the_best_encoding_the_browser_takes() -> None:
    plain = files()[SCRIPT].read_bytes()

    by_brotli = ask(SCRIPT, accept_encoding="gzip, deflate, br, zstd")
    by_gzip = ask(SCRIPT, accept_encoding="gzip, br;q=0")

    assert by_brotli.headers["content-encoding"] == "br"
    assert brotli.decompress(by_brotli.content) == plain
    assert by_gzip.headers["content-encoding"] == "gzip"
    assert gzip.decompress(by_gzip.content) == plain
    for one in (by_brotli, by_gzip):
        assert int(one.headers["content-length"]) == len(one.content) < len(plain) / 3
        assert one.headers["content-type"].startswith("text/javascript")
        assert one.headers["vary"] == "Accept-Encoding"
        assert one.headers["cache-control"] == "public, immutable, max-age=31536000"
    assert by_brotli.headers["etag"] != by_gzip.headers["etag"]


@pytest.mark.parametrize(
    "headers",
    [
        {"accept_encoding": "identity"},
        {"accept_encoding": "br", "range": "bytes=0-99"},
        {"accept_encoding": "br;q=0, gzip; q=0"},
    ],
)
def test_ranges_and_browsers_without_encodings_get_the_file_itself(headers: dict[str, str]) -> None:
    found = ask(SCRIPT, **headers)

    assert found.content == b"behind"
    assert "content-encoding" not in found.headers
    assert found.headers["vary"] == "Accept-Encoding", "caches keep it apart from the compressed"
    assert found.headers["cache-control"] == "public, immutable, max-age=31536000"


def test_what_the_browser_has_is_not_sent_again() -> None:
    tag = ask(SCRIPT, accept_encoding="br").headers["etag"]

    again = ask(SCRIPT, accept_encoding="br", if_none_match=f'"other", {tag}')

    assert (again.status_code, again.content) == (304, b"")
    assert "content-encoding" not in again.headers


@pytest.mark.parametrize(
    "path",
    [
        "/export/applications.csv?token=secret",
        "/media/0123456789abcdef0123456789abcdef.csv",
        "/_stcore/host-config",
        "/_stcore/upload_file/a/b",
        "/healthz",
        "/application/",
        "/static/../serve.py",
        "/static/js/nothing.js",
        "/app/static/../../serve.py",
    ],
)
def test_only_files_that_are_the_same_for_everybody_are_compressed(path: str) -> None:
    found = ask(path, accept_encoding="br, gzip")

    assert found.content == b"behind"
    assert "content-encoding" not in found.headers


def test_a_post_is_passed_on() -> None:
    assert ask("/", "POST", accept_encoding="br").content == b"behind"


def test_fonts_of_ours_are_kept_for_a_day() -> None:
    found = ask("/app/static/fonts/IBMPlexSans-Variable.woff2", accept_encoding="br")

    assert found.content == b"behind"
    assert found.headers["cache-control"] == "public, max-age=86400"


@pytest.mark.parametrize("path", sorted(PAGES))
def test_the_frame_of_a_page_is_asked_for_again_and_takes_a_quarter(path: str) -> None:
    found = ask(path, accept_encoding="br")

    page = brotli.decompress(found.content)
    assert page == frame.of_page(path)
    assert len(found.content) < len(page) / 3
    assert found.headers["cache-control"] == "no-cache"
    assert found.headers["content-type"] == "text/html; charset=utf-8"


def test_head_says_what_get_would() -> None:
    got, head = (ask(SCRIPT, method, accept_encoding="br") for method in ("GET", "HEAD"))

    assert dict(head.headers) == dict(got.headers)


# The frame.


@pytest.fixture(scope="module")
def queue() -> str:
    return frame.of_page("/").decode()


def test_the_frame_names_the_scripts_of_its_own_elements_and_leaves_others_for_later(
    queue: str,
) -> None:
    now, _, later = queue.partition('<meta name="fetched-later"')
    charts = next(file.name for file in frame.SCRIPTS.glob("PlotlyChart.*.js"))

    assert "/DataFrame." in now
    assert charts not in now
    assert charts in later.partition(">")[0]
    assert f'{charts}" fetchpriority="low">' in frame.of_page("/application").decode()


def test_every_file_that_a_frame_names_is_there() -> None:
    for path in PAGES:
        named = re.findall(r'(?:href|src)="\./([^"]+)"', frame.of_page(path).decode())
        for file in named:
            root = frame.ROOT / "static" if file.startswith("app/") else frame.SHELL / "static"
            assert (root / file.partition("static/")[2]).is_file(), file


def test_the_frame_has_the_style_and_no_script_of_its_own(queue: str) -> None:
    assert frame.STYLE.read_text() in queue
    assert queue.count("<script>") == 1, "Streamlit's, whose hash the policy names"
    assert "'sha256-" in content_security_policy()
    assert "agent" not in queue.partition("<body>")[0]

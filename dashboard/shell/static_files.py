"""The frame of the pages and its scripts and styles, compressed once and kept in memory.

Only files that are the same for everybody are compressed: what is sent beside a secret must not
tell by its length what else is in it. Streamlit's own routes answer the rest, such as fonts, ranges
of bytes, and browsers that take neither Brotli nor gzip.
"""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.shell import frame
from dashboard.shell.addresses import PAGES

COMPRESSED = (".js", ".css", ".svg")
# By the fifth of Brotli's eleven levels a page's scripts take 0.2 s, and are 5 % larger than by
# the ninth.
BROTLI, GZIP = 5, 6
# Streamlit's files have a hash in their names. Ours have one in their address, or rarely change.
FOREVER, A_DAY = "public, immutable, max-age=31536000", "public, max-age=86400"
ASK_AGAIN = "no-cache"

_packed: dict[tuple[str, str], "Packed"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A file as it is sent."""

    body: bytes
    headers: dict[str, str]

    def response(self, asked: Headers) -> Response:
        """Return the file, or that the browser has it."""
        if self.headers["ETag"] in asked.get("if-none-match", ""):
            unchanged = {k: v for k, v in self.headers.items() if k != "Content-Encoding"}
            return Response(status_code=304, headers=unchanged)
        return Response(self.body, headers=self.headers)


class StaticFiles:
    """Answers for the pages' frame, and for scripts and styles that a browser takes compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is kept here, and pass the rest on."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        asked, path = Headers(scope=scope), scope["path"]
        encoding = _encoding(asked)
        if path in PAGES or (encoding and path in files()):
            packed = _packed.get((path, encoding)) or await run_in_threadpool(pack, path, encoding)
            await packed.response(asked)(scope, receive, send)
        elif path in files() or path.startswith("/app/static/"):
            await self.app(scope, receive, _as_static(path, send))
        else:
            await self.app(scope, receive, send)


@cache
def files() -> dict[str, Path]:
    """Return the files that are compressed, by their paths."""
    roots = {"/static/": frame.SHELL / "static", "/app/static/": frame.ROOT / "static"}
    return {
        f"{prefix}{file.relative_to(root).as_posix()}": file
        for prefix, root in roots.items()
        for file in root.rglob("*")
        if file.suffix in COMPRESSED
    }


def pack(path: str, encoding: str) -> Packed:
    """Return a page's frame or one of `files` in an encoding; by "", as it is."""
    is_page = path in PAGES
    body = frame.of_page(path) if is_page else files()[path].read_bytes()
    kind = "text/html" if is_page else guess_type(path)[0] or "application/octet-stream"
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Cache-Control": ASK_AGAIN if is_page else _kept_for(path),
        "Vary": "Accept-Encoding",
        "ETag": f'"{sha256(body).hexdigest()[:20]}{encoding}"',
    }
    if encoding:
        headers["Content-Encoding"] = encoding
    if encoding == "br":
        body = brotli.compress(body, quality=BROTLI)
    elif encoding == "gzip":
        body = gzip.compress(body, GZIP, mtime=0)
    _packed[path, encoding] = packed = Packed(body=body, headers=headers)
    return packed


def _kept_for(path: str) -> str:
    return A_DAY if path.startswith("/app/") else FOREVER


def _encoding(asked: Headers) -> str:
    """Return the encoding to send; "" as it is."""
    if "range" in asked:
        return ""
    taken = {
        name.strip().lower()
        for name, _, weight in (
            one.partition(";") for one in asked.get("accept-encoding", "").split(",")
        )
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    }
    return next((one for one in ("br", "gzip") if one in taken), "")


def _as_static(path: str, send: Send) -> Send:
    """Return a `send` that adds the headers a file is kept by."""

    async def send_kept(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in (200, 206, 304):
            headers = MutableHeaders(scope=message)
            headers["Cache-Control"] = _kept_for(path)
            if path in files():
                headers.add_vary_header("Accept-Encoding")
        await send(message)

    return send_kept

"""The server: the dashboard, its plain routes, and the checks before them.

``python serve.py --port 8501`` runs it; any ASGI server can run ``serve:app``.
"""

import argparse
import asyncio
import gc
import importlib
import logging
import pkgutil
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import logger as streamlit_logger
from streamlit.web.server.starlette import starlette_server

import dashboard
from dashboard.shell import (
    failures,
    metrics,
    openid,
    past_widgets,
    proxied,
    routes,
    server_options,
    settings,
    unsent,
)
from dashboard.shell.addresses import KnownAddresses
from dashboard.shell.base_path import WithBase, WithoutBase
from dashboard.shell.browsers import BrowserMark, SecureCookies, SignOuts, WayBack
from dashboard.shell.files import FileGate
from dashboard.shell.headers import SecurityHeaders
from dashboard.shell.static_files import StaticFiles
from dashboard.shell.websockets import WebsocketGate
from dashboard.ui import address
from data_access.db import database, logs
from data_access.db.database import Purpose
from data_access.db.errors import DatabaseRefused, SettingMissing
from data_access.db.logs import LOG
from data_access.exports import jobs

ROOT = Path(__file__).resolve().parent
# Less than the limit of deploy/systemd. A statement of an act may take this long.
STOPS_WITHIN_S = 15


@asynccontextmanager
async def _life(_: st.App) -> AsyncIterator[None]:
    _set_up_logging()
    settings.require()
    unsent.keep_for_fragments()
    past_widgets.forget()
    openid.keep_little()
    for ready in (jobs.prepare, jobs.clear, import_ahead):
        threading.Thread(target=ready, name="prepare", daemon=True).start()
    yield
    await acts_end()
    LOG.info("stopped")


async def acts_end() -> None:
    """Wait for acts under way, since threads of pages end with the process.

    Each is one transaction: one that takes longer leaves nothing.
    """
    deadline = time.monotonic() + STOPS_WITHIN_S
    while database.connections_in_use().get(Purpose.WRITER) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


def import_ahead() -> None:
    """Import what the pages will, before the first visit, and leave it out of later collections.

    A page file runs when it is imported, so only what it imports is.
    """
    try:
        for module in pkgutil.walk_packages(dashboard.__path__, f"{dashboard.__name__}."):
            if not module.name.endswith(".page"):
                importlib.import_module(module.name)
    except Exception:  # noqa: BLE001 - the thread has nobody else to tell
        # The first visit will fail with the same error, and show its reference.
        LOG.exception("a part of the dashboard cannot be imported")
    gc.collect()
    gc.freeze()


def _set_up_logging() -> None:
    # `report` logs the same error with its reference and without secrets.
    logging.getLogger("streamlit.error_util").addFilter(_not_the_plain_copy)
    # Streamlit gives each of its loggers a handler, also later.
    streamlit_logger.setup_formatter = _set_up_streamlits
    streamlit_logger.update_formatter()
    # Tracebacks of failed routes contain no values either.
    logs.set_up("uvicorn.error", "data_access", "dashboard")


def _set_up_streamlits(logger: logging.Logger) -> None:
    # No log of requests: their addresses hold what people search for, and links' tokens.
    of_requests = logger.name == "uvicorn.access"
    logger.handlers = [logging.NullHandler() if of_requests else logs.handler()]


def _not_the_plain_copy(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Uncaught app")


MIDDLEWARE = [
    Middleware(SecurityHeaders),
    Middleware(WithoutBase),
    Middleware(failures.LoggedRequests),
    Middleware(proxied.CheckedHeaders),
    Middleware(SecureCookies),
    Middleware(KnownAddresses),
    Middleware(WebsocketGate),
    Middleware(BrowserMark),
    Middleware(FileGate),
    Middleware(SignOuts),
    Middleware(WayBack),
    Middleware(StaticFiles),
    Middleware(WithBase, own=routes.ROUTES),
]
# Also for another server than `main`: uvicorn loads this file before it wraps the app.
proxied.note_peers()
app = st.App(
    ROOT / "streamlit_app.py",
    lifespan=_life,
    routes=routes.ROUTES,
    middleware=MIDDLEWARE,
    on_script_error=failures.report,
)
try:
    # Before the app is assembled, whichever server does that.
    server_options.set_all()
except SettingMissing as missing:
    sys.exit(f"Error: {missing}")


def main(port: int, *, base_path: str | None = None, open_browser: bool = False) -> None:
    """Serve on ``port`` until stopped; opens the browser once the server responds."""
    try:
        options = server_options.set_all(server_port=port, server_baseUrlPath=base_path)
        settings.require()
        database.require_admission()
        metrics.serve()
    except (SettingMissing, DatabaseRefused) as missing:
        sys.exit(f"Error: {missing}")
    if open_browser:
        threading.Thread(target=_open_when_ready, args=[port], daemon=True).start()
    send_at_once()
    app.run(config=options)


def send_at_once() -> None:
    """Turn off Nagle's algorithm for all connections to Streamlit's own server.

    With it a short message waits for the acknowledgement of the previous one, up to 40 ms. asyncio
    turns it off only for sockets that name their protocol, and Streamlit's does not.
    """
    bind = starlette_server._bind_socket

    def bound(host: str, port: int, backlog: int) -> socket.socket:
        # Connections inherit the option.
        listening = bind(host, port, backlog)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening

    starlette_server._bind_socket = bound


def _open_when_ready(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except (HTTPException, OSError):
            time.sleep(0.2)
        else:
            webbrowser.open(f"http://localhost:{port}{address.of('/')}")
            return


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--base-path", help="serve below this path, such as /affiliates-desk")
    parser.add_argument("--open-browser", action="store_true", help="open it once it answers")
    chosen = parser.parse_args()
    main(chosen.port, base_path=chosen.base_path, open_browser=chosen.open_browser)

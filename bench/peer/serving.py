"""Preparing and serving the peer, each in a process of its own."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from tests.browser.serving import ROOT, free_port, wait_until_ready

ADDRESS, SECRET, PASSWORD = "PEER_DATABASE", "PEER_SECRET", "DJANGO_SUPERUSER_PASSWORD"
SCHEMA = "peer"
WORKERS = 2
LOGIN = "reviewer"
WHO = (f"--username={LOGIN}", "--email=reviewer@example.com")


@contextmanager
def served(engine: Engine) -> Iterator[tuple[str, str, str]]:
    """Serve the admin over the engine's database; yields its address, a login and its password."""
    password = secrets.token_urlsafe(12)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bench.peer.settings",
        ADDRESS: engine.url.render_as_string(hide_password=False),
        SECRET: secrets.token_urlsafe(32),
        PASSWORD: password,
    }
    drop(engine)
    with engine.begin() as connection:
        connection.execute(text(f"create schema {SCHEMA}"))
    try:
        for command in (
            ("migrate", "--run-syncdb", "--verbosity=0"),
            ("createsuperuser", "--noinput", "--verbosity=0", *WHO),
        ):
            subprocess.run(
                [sys.executable, "-m", "django", *command], cwd=ROOT, env=environment, check=True
            )
        with gunicorn(environment) as port:
            yield f"http://localhost:{port}", LOGIN, password
    finally:
        drop(engine)


@contextmanager
def gunicorn(environment: dict[str, str]) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", f"--workers={WORKERS}"),
            *(f"--bind=127.0.0.1:{port}", "--log-level=error", "bench.peer.wsgi"),
        ],
        cwd=ROOT,
        env=environment,
    )
    try:
        wait_until_ready(port, "/login/")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def drop(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"drop schema if exists {SCHEMA} cascade"))

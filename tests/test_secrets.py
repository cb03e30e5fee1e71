"""Five secrets, planted in the settings, come out nowhere, whatever fails."""

import base64
import os
import socketserver
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Engine, insert, make_url, text

from data_access.db import tables
from tests.browser.serving import free_port, wait_until_ready
from tests.builders import NOW, add_application, add_staff
from tests.data_access.receivers import FAIL, Arrivals, endpoint

ROOT = Path(__file__).resolve().parent.parent
SMTP, COOKIE, CLIENT = "Smtp-c4nary/9@x", "C00kie-c4nary-Jq7vTz2LkWm5RbXc9NdYf4", "Client-c4nary-7"
HOOK_KEY = base64.b64encode(b"Hook-c4nary-of-thirty-two-bytes!").decode()
HOOK_TOKEN = "Hook-t0ken-c4nary-AbCdEfGhIjKl"
SECRETS_FILE = f"""
[auth]
redirect_uri = "http://localhost:{{port}}/oauth2callback"
cookie_secret = "{COOKIE}"
client_id = "affiliate-review"
client_secret = "{CLIENT}"
server_metadata_url = "http://localhost:{{nobody}}/.well-known/openid-configuration"
"""


class Repeating(socketserver.StreamRequestHandler):
    """A mail server that takes any login, and repeats it when it refuses a recipient."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        password = ""
        for line in self.rfile:
            word, *given = line.decode().split()
            if word.upper() == "EHLO":
                self.wfile.write(b"250-here\r\n250 AUTH PLAIN\r\n")
            elif word.upper() == "AUTH":
                password = base64.b64decode(given[-1]).decode().split("\0")[-1]
                self.wfile.write(b"235 fine\r\n")
            elif word.upper() == "RCPT":
                self.wfile.write(f"550 not for {password} of team\r\n".encode())
            else:
                self.wfile.write(b"250 fine\r\n")


@contextmanager
def repeating_mail_server() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Repeating) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def forms(secret: str) -> set[str]:
    """Return how a secret may be written: as it is, in an address, and in base64."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), quote(secret), encoded}


def found_in(outputs: dict[str, str], secrets: dict[str, str]) -> list[str]:
    return [
        f"{name} in {where}: …{said[max(0, said.find(form) - 80) : said.find(form) + 20]}"
        for where, said in outputs.items()
        for name, secret in secrets.items()
        for form in forms(secret)
        if form in said
    ]


def commands_of_processes() -> str:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(lines)


def stored(engine: Engine) -> str:
    with engine.connect() as connection:
        names = connection.execute(
            text(
                "select format('%I.%I', schemaname, tablename) from pg_tables"
                " where schemaname in ('review', 'exchange')"
            )
        ).scalars()
        rows = [connection.execute(text(f"select t::text from {n} t")).scalars() for n in names]
        return "\n".join(str(line) for of_table in rows for line in of_table)


def failed_messages(engine: Engine) -> list[str]:
    statement = "select last_error from review.outbox where last_error is not null"
    with engine.connect() as connection:
        return list(connection.execute(text(statement)).scalars())


def add_messages(engine: Engine) -> None:
    with engine.begin() as connection:
        add_staff(connection)
        add_application(connection, 7)
        for channel, recipient in (("email", "user7@example.com"), ("telegram", "@user7")):
            message = {
                "message_id": uuid.uuid4(),
                "application_id": 7,
                "channel": channel,
                "recipient": recipient,
                "payload": {"kind": "approved", "message": "Welcome."},
                "created_at": NOW,
                "next_attempt_at": NOW,
            }
            connection.execute(insert(tables.outbox).values(message))


def run(settings: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "data_access", *arguments],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return f"{done.returncode}\n{done.stdout}\n{done.stderr}"


def visited(settings: dict[str, str], log: Path, port: int, *, ready: str) -> dict[str, str]:
    """Serve, ask for what fails, and return answers, the log, and the processes meanwhile."""
    paths = (
        *("/", "/readyz", "/auth/login", "/auth/logout", "/oauth2callback?error=x&state=y"),
        *("/export/x.csv?token=x", "/local-sign-in?token=x", "/_stcore/metrics", "/media/x"),
        "/_stcore/host-config",
    )
    with (
        log.open("w") as written,
        subprocess.Popen(
            [sys.executable, "serve.py", "--port", str(port)],
            cwd=ROOT,
            env=settings,
            stdout=written,
            stderr=written,
        ) as process,
    ):
        try:
            wait_until_ready(port, ready)
            answers = {}
            with httpx.Client(base_url=f"http://localhost:{port}", timeout=60) as client:
                for path in paths:
                    answer = client.get(path)
                    answers[path] = f"{answer.status_code} {answer.headers} {answer.text}"
            answers["processes"] = commands_of_processes()
        finally:
            process.terminate()
            process.wait(20)
    return answers | {"log": log.read_text()}


@pytest.mark.slow
def test_five_secrets_come_out_nowhere(engine: Engine, database_url: str, tmp_path: Path) -> None:
    password = make_url(database_url).password
    assert password
    add_messages(engine)
    secrets = {
        "database": password,
        "smtp": SMTP,
        "cookie": COOKIE,
        "client": CLIENT,
        "webhook key": HOOK_KEY,
        "webhook token": HOOK_TOKEN,
    }
    port = free_port()
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        SECRETS_FILE.format(port=port, nobody=free_port())
    )
    ours = ("DATABASE_", "STREAMLIT_", "SMTP_", "NOTIFY_", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    folders = {"HOME": str(tmp_path), "AFFILIATE_REVIEW_HOME": str(tmp_path / "data")}
    with (
        repeating_mail_server() as mail,
        endpoint(Arrivals(mood=lambda: FAIL)) as hook,
    ):
        good = {
            **kept,
            **folders,
            "DATABASE_URL": database_url,
            "SMTP_URL": f"smtp://team:{quote(SMTP, safe='')}@127.0.0.1:{mail}?from=a@example.com",
            "NOTIFY_WEBHOOK_URL": f"{hook.rstrip('/')}/{HOOK_TOKEN}",
            "NOTIFY_WEBHOOK_SECRET": f"whsec_{HOOK_KEY}",
        }
        nowhere = make_url(database_url).set(host="127.0.0.1", port=free_port(), query={})
        cut_off = {**good, "DATABASE_URL": nowhere.render_as_string(hide_password=False)}
        file = tmp_path / "out.csv"
        outputs = {
            "notify": run(good, "notify", "--once"),
            "doctor": run(good, "doctor"),
            "export": run(good, "export", "applications", str(file)),
            "notify without a database": run(cut_off, "notify", "--once"),
            "doctor without a database": run(cut_off, "doctor"),
            "export without a database": run(cut_off, "export", "applications", "-"),
            "broken setting": run({**good, "SMTP_URL": f"smtp://a:{SMTP}@[x"}, "notify", "--once"),
            "file": file.read_text(),
            "tables": stored(engine),
        }
        for name, settings, ready in (
            ("served", good, "/readyz"),
            ("served without a database", cut_off, "/healthz"),
        ):
            said = visited(settings, tmp_path / f"{name}.log", port, ready=ready)
            outputs |= {f"{name}: {where}": words for where, words in said.items()}

    assert found_in(outputs, secrets) == []
    # The errors were forced: each secret was used, and each failure is told.
    failed = " ".join(failed_messages(engine))
    assert "not for *** of team" in failed, outputs["notify"]
    assert "404" in failed
    assert '"level": "WARNING"' in outputs["served without a database: log"]
    assert outputs["served: /auth/login"][0] in "345"


def test_the_search_finds_what_it_looks_for() -> None:
    for form in forms(SMTP):
        assert found_in({"log": f"it said {form} there"}, {"smtp": SMTP})
    assert found_in({"log": "it said nothing"}, {"smtp": SMTP}) == []

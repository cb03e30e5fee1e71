"""From an empty Debian PostgreSQL 15 to the first decision, by the commands of docs/deploy.md."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser import screen
from tests.browser.conftest import DESKTOP, PATIENCE_MS
from tests.browser.identity_provider import IdentityProvider, write_secrets
from tests.browser.serving import ROOT, free_port, wait_until_ready
from tests.browser.test_openid import as_person, is_let_in, sign_in
from tests.data_access.db.fifteen import (
    BINARIES,
    PASSWORD,
    folder_of_server_user,
    running,
    started_as_server_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser-deciding")]

POOLER = Path("/usr/sbin/pgbouncer")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES = ("accounts", "applications", "referrals", "activity")
ADMIN, REVIEWER = "you@example.com", "rita@example.com"


def commands(title: str) -> list[str]:
    """Return the blocks of commands below a heading of the document."""
    document = (ROOT / "docs" / "deploy.md").read_text()
    [part] = [
        one for one in re.split(r"^#+ ", document, flags=re.MULTILINE) if one.startswith(title)
    ]
    return BLOCK.findall(part)


@dataclass
class Newcomer:
    """A shell that keeps its environment from one block to the next."""

    server: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, block: str, *, typed: str = "", **settings: str) -> None:
        """Run a block, with this server and passwords in place of the document's."""
        script = block.replace("db.example:5432", self.server).replace("PASSWORD@", f"{PASSWORD}@")
        script = re.sub(r"(\w+)_PASSWORD=\.\.\.", rf"\1_PASSWORD=\1-{PASSWORD}", script)
        # From the folder of the files, where the document has names without one.
        for name in FILES:
            script = script.replace(f" {name}.csv", f" {self.folder / name}.csv")
        kept = self.folder / "environment"
        done = subprocess.run(
            ["bash", "-c", f"set -e\n{script}\nenv -0 > '{kept}'"],
            cwd=ROOT,
            env={**self.environment, **settings},
            input=typed,
            text=True,
            capture_output=True,
            # Without a terminal, passwords are read from the input.
            start_new_session=True,
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        pairs = (line.partition("=")[::2] for line in kept.read_text().split("\0") if line)
        own = dict(pairs)
        self.environment = {name: own[name] for name in own if name not in settings}


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    ours = ("DATABASE_", "STREAMLIT_", "SMTP_", "NOTIFY_", "PG")
    environment = {name: v for name, v in os.environ.items() if not name.startswith(ours)}
    path = f"{BINARIES}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment |= {"PATH": path, "HOME": str(tmp_path), "AFFILIATE_REVIEW_HOME": str(tmp_path)}
    port = free_port()
    with running("listen_addresses=127.0.0.1", f"port={port}"):
        yield Newcomer(f"127.0.0.1:{port}", tmp_path, environment)


def write_files(folder: Path) -> None:
    now = datetime.now(UTC)

    def ago(days: int) -> str:
        return f"{now - timedelta(days):%Y-%m-%dT%H:%M:%SZ}"

    users = range(2, 22)
    rows = {
        "accounts": [
            "account_id,username,kyc_status,created_at",
            *(f"{id_},user{id_},verified,{ago(300)}" for id_ in (1, *users)),
        ],
        "applications": [
            "account_id,social_handle,contact_platform,contact_handle,submitted_at",
            f"1,@meadow,telegram,@meadow,{ago(2)}",
        ],
        "referrals": [
            "affiliate_account_id,referred_account_id,referred_at",
            *(f"1,{id_},{ago(20)}" for id_ in users),
        ],
        "activity": [
            "affiliate_account_id,referred_account_id,activity_date,volume_usd,fees_usd,trade_count",
            *(f"1,{id_},{ago(day)[:10]},1000.00,0.5,7" for id_ in users for day in range(1, 11)),
        ],
    }
    for name in FILES:
        (folder / f"{name}.csv").write_text("\n".join(rows[name]) + "\n")


@contextmanager
def started(block: str, environment: Mapping[str, str], folder: Path, port: int) -> Iterator[str]:
    """Run the document's server, on a port that is free here."""
    [line] = block.splitlines()
    command = line.replace("8501", str(port)).split()
    with (folder / "serve.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=log, stderr=log)
    try:
        wait_until_ready(port)
        yield f"http://localhost:{port}"
    except Exception as failure:
        failure.add_note((folder / "serve.log").read_text()[-3_000:])
        raise
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def person(chromium: Browser, provider: IdentityProvider, address: str, who: str) -> Iterator[Page]:
    as_person(provider, who)
    context = chromium.new_context(base_url=address, viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = context.new_page()
        sign_in(page)
        yield page
    except Exception as failure:
        with suppress(Error):
            failure.add_note(f"{page.url}\n{page.locator('body').inner_text(timeout=5_000)}")
        raise
    finally:
        context.close()


def test_a_newcomer_comes_from_an_empty_server_to_a_decision_by_the_document_alone(
    newcomer: Newcomer, chromium: Browser
) -> None:
    make_database(newcomer)
    comes_to_a_decision(newcomer, chromium)


def test_the_same_way_leads_through_a_pooler_in_transaction_mode(
    newcomer: Newcomer, chromium: Browser
) -> None:
    make_database(newcomer)
    direct = newcomer.environment["DATABASE_URL"]
    with pooler(newcomer) as (port, log):
        newcomer.environment["DATABASE_DIRECT_URL"] = direct
        newcomer.environment["DATABASE_URL"] = direct.replace(newcomer.server, f"127.0.0.1:{port}")
        comes_to_a_decision(newcomer, chromium)
        said = log.read_text()
    for login in ("reader", "writer", "deliverer"):
        assert f"affiliates/{login}@127.0.0.1" in said
    assert "affiliates/loader@" not in said
    assert "unsupported startup parameter" not in said


def make_database(newcomer: Newcomer) -> None:
    as_administrator, as_owner, as_nobody = commands("2. Make the database")
    newcomer.run(as_administrator, typed=f"{PASSWORD}\n" * 2, **superuser(newcomer))
    newcomer.run(as_owner)
    newcomer.run(as_nobody)


def comes_to_a_decision(newcomer: Newcomer, chromium: Browser) -> None:
    port, folder = free_port(), newcomer.folder
    with IdentityProvider(free_port()) as provider:
        write_secrets(folder, f"http://localhost:{port}", provider.issuer)
        newcomer.run(*commands("3. Let people sign in"))
        write_files(folder)
        newcomer.run(*commands("4. Load"))
        serve, notify = commands("5. Start")
        with started(serve, newcomer.environment, folder, port) as address:
            with person(chromium, provider, address, ADMIN) as page:
                add_reviewer(page)
            with person(chromium, provider, address, REVIEWER) as page:
                reject(page)
        newcomer.run(f"{notify.strip()} --once --mailbox {folder / 'mail'}")


@contextmanager
def pooler(newcomer: Newcomer) -> Iterator[tuple[int, Path]]:
    """Run Debian's PgBouncer before the server, with few connections; yields port and log."""
    if not POOLER.exists():
        pytest.fail(f"PgBouncer is not installed as {POOLER}: apt-get install pgbouncer")
    port = free_port()
    host, _, server_port = newcomer.server.partition(":")
    words = {
        login: newcomer.environment[f"DATABASE_{login.upper()}_PASSWORD"]
        for login in ("reader", "writer", "deliverer")
    }
    with folder_of_server_user("pooler-") as folder:
        people, settings, log = folder / "people", folder / "settings.ini", folder / "log"
        people.write_text("".join(f'"{name}" "{word}"\n' for name, word in words.items()))
        settings.write_text(
            f"[databases]\naffiliates = host={host} port={server_port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {people}\nlogfile = {log}\n"
            "pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 200\n"
        )
        with started_as_server_user(POOLER, settings):
            yield port, log


def superuser(newcomer: Newcomer) -> dict[str, str]:
    host, _, port = newcomer.server.partition(":")
    return {"PGHOST": host, "PGPORT": port, "PGUSER": "postgres", "PGPASSWORD": PASSWORD}


def add_reviewer(page: Page) -> None:
    is_let_in(page, "Your Name")
    page.get_by_role("link", name="Settings").first.click()
    page.get_by_role("link", name="Staff and roles").click()
    page.get_by_label("Email address").fill(REVIEWER)
    page.get_by_label("Name", exact=True).fill("Rita")
    page.get_by_label("Reason").fill("Joins the team")
    screen.settled(page)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("2 active")).to_be_visible()


def reject(page: Page) -> None:
    is_let_in(page, "Rita")
    screen.shows_names(page, ["user1"])
    screen.press_open(page, 0)
    screen.shows_application(page, "user1")
    expect(page.get_by_text("200 k").first).to_be_visible()
    screen.begin(page, "Reject", "Below the minimums")
    # Nobody has looked for followers or volume elsewhere yet.
    page.get_by_text("Reject anyway").click()
    screen.settled(page)
    screen.write_rationale(page, "Too early.")
    screen.preview(page).click()
    expect(screen.toast(page, "is rejected.")).to_be_visible()

"""Signed heads, and the commands that print, check and erase."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy import Engine, create_engine, text

from data_access.__main__ import main
from data_access.db import database
from data_access.db.errors import Invalid, SettingMissing
from data_access.history import chain, heads
from tests.builders import add_application, add_staff
from tests.data_access.history.test_chain import CUT, note, tampering


@pytest.fixture
def configured(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    made = create_engine(database_url, connect_args={"options": "-c timezone=UTC"})
    with made.begin() as conn:
        add_staff(conn)
        add_application(conn, 7)
    note(made, "one")
    yield made
    made.dispose()
    for purpose in database.Purpose:
        database.engine(purpose).dispose()


def write_key(file: Path) -> None:
    """Write a new key, as `openssl genpkey -algorithm ed25519` does."""
    made = Ed25519PrivateKey.generate()
    file.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "history.pem"
    file.touch(mode=0o600)
    write_key(file)
    monkeypatch.setenv(heads.SETTING, str(file))
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_kept_head_finds_a_cut_tail(configured: Engine, key: Path, tmp_path: Path) -> None:
    note(configured, "two")
    printed = run("history", "head")
    assert printed.exit_code == 0, printed.output
    lines = printed.stdout.splitlines()
    kept = tmp_path / "head"
    kept.write_text(printed.stdout)
    assert lines[0].startswith("affiliate-review/")
    assert lines[1] == "3"
    assert lines[3] == ""
    assert lines[4].startswith(f"— {lines[0]} ")
    assert run("history", "verify", "--head", kept).exit_code == 0

    with tampering(configured) as conn:
        conn.execute(text(CUT.format(left=2)))

    assert run("history", "verify").exit_code == 0
    found = run("history", "verify", "--head", kept)
    assert found.exit_code == 1
    assert found.stderr == (
        "Error: The kept head names link 3, but the history ends at link 2: its tail was cut off.\n"
    )


def test_the_first_bad_row_is_named_in_one_line(configured: Engine) -> None:
    with tampering(configured) as conn:
        conn.execute(text("update review.notes set body = 'other'"))

    found = run("history", "verify")

    assert found.exit_code == 1
    assert found.stderr.startswith("Error: Row 1 of review.notes was changed since it was recorded")
    assert found.stderr.count("\n") == 1


def test_a_head_can_be_checked_with_the_public_key_alone(
    configured: Engine, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = heads.sign(chain.head(configured), heads.private_key())
    public = tmp_path / "public.pem"
    public.write_bytes(
        heads.private_key()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    monkeypatch.setenv(heads.SETTING, str(public))

    assert heads.read(signed, heads.public_key()) == chain.head(configured)
    with pytest.raises(SettingMissing, match="holds no Ed25519 key"):
        heads.private_key()


def test_a_head_that_was_changed_or_signed_by_another_is_refused(
    configured: Engine, key: Path
) -> None:
    signed = heads.sign(chain.head(configured), heads.private_key())
    public = heads.public_key()
    write_key(key)

    for note_, reader in (
        (signed.replace("\n2\n", "\n1\n"), public),
        (signed.replace("— affiliate", "— someone"), public),
        (signed.partition("—")[0], public),
        (signed, heads.public_key()),
        ("not a head", public),
    ):
        with pytest.raises(Invalid):
            heads.read(note_, reader)


@pytest.mark.parametrize("state", ["unset", "absent", "open", "malformed"])
def test_a_missing_or_open_key_says_how_to_make_one(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    monkeypatch.setenv(heads.SETTING, str(file))
    if state == "unset":
        monkeypatch.delenv(heads.SETTING)
    elif state != "absent":
        write_key(file)
        if state == "malformed":
            file.write_text("-----BEGIN PRIVATE KEY-----")
        file.chmod(0o644 if state == "open" else 0o600)

    with pytest.raises(SettingMissing, match="chmod 600"):
        heads.private_key()


def test_a_person_is_held_and_erased_by_commands(configured: Engine) -> None:
    with configured.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))
        account = conn.execute(text("select account_id from exchange.applications")).scalar_one()
    who = ("--account", str(account), "--reason", "Asked")

    assert run("hold", *who).exit_code == 0
    refused = run("erase", *who)
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"Error: Account {account} is under a legal hold. Lift it first with `hold --lift`.\n",
    )
    assert run("hold", *who, "--lift").exit_code == 0
    assert run("erase", *who).stdout == "Erased, as erasure 1.\n"

    verified = run("history", "verify")
    assert (verified.exit_code, "the texts of 1 of them erased" in verified.stdout) == (0, True)

"""The nightly run: files by kind, all of a kind or none, then a refresh."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.deploy.files import DEPLOY

pytestmark = pytest.mark.slow
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
FILES = {
    "accounts-1.csv": "account_id,username,email,country_code,kyc_status,created_at\n"
    "1,ana,ana@example.org,DE,verified,2026-01-01T00:00:00Z\n",
    "accounts-2.csv": "account_id,username,email,country_code,kyc_status,created_at\n"
    "2,ben,ben@example.org,DE,verified,2026-01-01T00:00:00Z\n",
    "referrals.csv": "affiliate_account_id,referred_account_id,referred_at\n"
    "1,2,2026-01-02T00:00:00Z\n",
    "activity.csv": "affiliate_account_id,referred_account_id,activity_date,volume_usd,fees_usd,"
    f"trade_count\n1,2,{YESTERDAY},1000.00,1.000000,3\n",
}


def nightly(folder: Path, database_url: str) -> subprocess.CompletedProcess[str]:
    python = Path(sys.executable).parent
    address = database_url.replace("postgresql+psycopg", "postgresql")
    return subprocess.run(
        [DEPLOY / "nightly.sh", folder],
        cwd=DEPLOY.parent,
        env={"PATH": f"{python}:{os.environ['PATH']}", "DATABASE_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )


def test_files_are_loaded_moved_away_and_shown(
    database_url: str, engine: Engine, tmp_path: Path
) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)

    told = nightly(tmp_path, database_url)

    assert [path.name for path in tmp_path.iterdir()] == ["loaded"], told.stderr
    with engine.connect() as conn:
        shown = conn.execute(text("select data_through from review.refreshes")).scalar_one()
        volume = conn.execute(text("select volume_usd from review.affiliate_window")).scalar_one()
    assert (shown, volume) == (YESTERDAY, 1000)


def test_a_refused_file_stays_and_what_depends_on_it_too(
    database_url: str, engine: Engine, tmp_path: Path
) -> None:
    for name, content in {**FILES, "accounts-2.csv": "account_id,colour\n2,green\n"}.items():
        (tmp_path / name).write_text(content)

    told = nightly(tmp_path, database_url)

    assert told.returncode == 1
    assert "colour" in told.stderr
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    with engine.connect() as conn:
        assert conn.execute(text("select count(*) from exchange.accounts")).scalar_one() == 0

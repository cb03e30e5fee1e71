"""A day's work under the separate logins: load, refresh, decide, deliver, export, erase."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from data_access.__main__ import main
from data_access.db import database, roles
from data_access.db.database import Purpose
from data_access.explore import saved_views
from data_access.people import preferences
from data_access.reports import weekly_settings
from data_access.reports.weekly_settings import SaveWeeklyMail
from program.reports.weekly import Schedule
from program.review.queue_filters import Filters
from tests.builders import add_staff
from tests.data_access import clicks
from tests.data_access.db.separated import Separated
from tests.deploy.files import passwords

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
FILES = {
    "accounts": "account_id,username,email,country_code,kyc_status,created_at\n"
    + "".join(
        f"{n},name{n},name{n}@example.com,BR,verified,2025-01-01T00:00:00Z\n" for n in range(1, 9)
    ),
    "applications": "application_id,account_id,social_handle,contact_platform,contact_handle,submitted_at\n"
    + "".join(
        f"{n},{n},@handle{n},email,name{n}@example.com,2026-01-0{n}T00:00:00Z\n"
        for n in range(1, 9)
    ),
    "referrals": "affiliate_account_id,referred_account_id,referred_at\n1,100,2026-01-01T00:00:00Z\n",
    "activity": "affiliate_account_id,referred_account_id,activity_date,volume_usd,fees_usd,trade_count\n"
    + "".join(
        f"1,100,{YESTERDAY - timedelta(days=days)},1234.50,1.5,3\n" for days in (0, 1, 40, 80)
    ),
}


def work_a_day(
    there: Separated, folder: Path, monkeypatch: pytest.MonkeyPatch, *, all_day: bool
) -> None:
    """Do the work of a day, each part with its own login; without ``all_day`` once each."""
    monkeypatch.setenv("DATABASE_URL", there.owner.url.render_as_string(hide_password=False))
    monkeypatch.delenv("DATABASE_REPLICA_URL", raising=False)
    for login, url in there.urls.items():
        monkeypatch.setenv(roles.variable(login), str(url.password))
    with there.owner.begin() as conn:
        add_staff(conn)
    try:
        for kind, content in FILES.items():
            (folder / f"{kind}.csv").write_text(content)
            _run("load", kind, str(folder / f"{kind}.csv"))
        _run("refresh")
        _decide(database.writer())
        _personal(database.writer())
        _deliver(there, folder, monkeypatch)
        _run("export", "applications", str(folder / "applications.csv"))
        if all_day:
            _load_and_export_again(folder)
            _run("history", "verify")
            _run("erase", "--account", "2", "--reason", "asked by mail")
            _run("history", "verify")
        assert "PROBLEM" not in _run("doctor")
        _look(there)
    finally:
        for purpose in Purpose:
            database.engine(purpose).dispose()


def _deliver(there: Separated, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what waits and a weekly report, with no more than the worker of compose is given."""
    set_up = clicks.command(
        SaveWeeklyMail,
        actor=clicks.MIRA,
        now=datetime.now(UTC) - timedelta(days=8),
        is_on=True,
        schedule=Schedule(weekday=1, hour=0, zone="UTC"),
        recipients=[clicks.MIRA],
        shown_version=0,
    )
    weekly_settings.save(there.owner, set_up)
    nobody = there.owner.url.set(username=None, password=None)
    with monkeypatch.context() as only:
        only.setenv("DATABASE_URL", nobody.render_as_string())
        for login in roles.Login:
            if roles.variable(login) not in passwords("worker"):
                only.delenv(roles.variable(login))
        _run("notify", "--once", "--mailbox", str(folder / "mail"))
    mails = [message_from_bytes(one.read_bytes()) for one in (folder / "mail").glob("*.eml")]
    subjects = [str(one["Subject"]).partition(",")[0] for one in mails]
    assert subjects.count("Affiliate program") == 1
    assert len(subjects) > 1


def _load_and_export_again(folder: Path) -> None:
    _run("refresh")
    _run("load", "activity", str(folder / "activity.csv"))
    _run("refresh", "--since", str(YESTERDAY - timedelta(days=50)))
    for dataset in ("decisions", "affiliates", "monthly"):
        _run("export", dataset, str(folder / f"{dataset}.csv"))
    _archive_and_bring_back(folder)


def _archive_and_bring_back(folder: Path) -> None:
    long_ago = YESTERDAY - timedelta(days=450)
    header, *_ = FILES["activity"].splitlines()
    (folder / "old.csv").write_text(f"{header}\n1,100,{long_ago},1234.50,1.5,3\n")
    _run("load", "activity", str(folder / "old.csv"))
    _run("refresh")
    before = (long_ago + timedelta(days=31)).strftime("%Y-%m")
    assert "(1 rows)" in _run("archive", "--before", before, "--to", str(folder / "archive"))
    _run("load", "activity", *map(str, (folder / "archive").iterdir()))
    _run("refresh")


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == 0, (arguments, done.stderr, done.exception)
    return done.stdout


def _decide(engine: Engine) -> None:
    """Take every step that a person can take with an application."""
    long_ago = datetime.now(UTC) - timedelta(minutes=5)

    def do(verb: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return verb(engine, *given, **{"now": datetime.now(UTC), **named})

    do(clicks.claim, 1)
    do(clicks.note, 1)
    do(clicks.record_evidence, 1, entry=clicks.followers(6000, observed_at=long_ago))
    do(clicks.ask_applicant, 1)
    do(clicks.record_answer, 1)
    do(clicks.declare_conflict, 8, actor=clicks.BEN)
    items = (
        *("identity_and_account", "owns_social_account", "not_api_broker"),
        *("no_self_referral", "no_prior_ban"),
    )
    for item in items:
        do(clicks.check, 1, item=item)
        do(clicks.check, 4, item=item)
    do(clicks.approve, 1)
    # Long enough ago to be delivered at once.
    do(clicks.reject, 2, now=long_ago)
    do(clicks.reopen, 2, now=long_ago)
    do(clicks.reject, 2, now=long_ago)
    do(clicks.defer, 3, until=datetime.now(UTC).date() + timedelta(days=3))
    do(clicks.bring_back, 3)
    do(clicks.ask_second, 4)
    do(clicks.confirm, 4)
    do(clicks.assign, 5, actor=clicks.MIRA)
    do(clicks.take_over, 5, actor=clicks.MIRA)
    do(clicks.take_next)


def _personal(engine: Engine) -> None:
    now = datetime.now(UTC)
    preferences.put(engine, clicks.command(preferences.PutPreference, now=now, name="x", value=[]))
    view = clicks.command(saved_views.SaveView, now=now, name="Mine", view=Filters(), shared=False)
    saved = saved_views.save(engine, view)
    saved_views.remove(engine, clicks.command(saved_views.RemoveView, now=now, view_id=saved))


def _look(there: Separated) -> None:
    """The analyst's views have what was decided, and no contact."""
    with there.connect("analyst") as conn:
        applications = conn.execute("select * from report.applications order by 1").fetchall()
        outcomes = conn.execute("select outcome from report.decisions").fetchall()
        affiliates = conn.execute("select account_id, volume_usd from report.affiliates").fetchall()
        monthly = conn.execute("select count(*) from report.monthly").fetchone()
    assert len(applications) == len(range(1, 9))
    assert "example.com" not in str([row[2:10] for row in applications])
    assert {outcome for (outcome,) in outcomes} == {"approved", "rejected"}
    assert (1, Decimal("2469.00")) in affiliates
    assert monthly is not None
    assert monthly[0] > 0
    with there.owner.connect() as conn:
        owners = conn.execute(
            text("select distinct relowner::regrole::text from pg_class where relispartition")
        ).scalars()
        assert list(owners) == [roles.FACTS_OWNER]

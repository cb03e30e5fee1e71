"""Near misses: above the on-exchange minimums or a tenth short, and free to apply."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from dashboard.shell import downloads
from dashboard.shell.export_links import Promise
from data_access.affiliates import near_misses
from data_access.db import database
from data_access.db.errors import NotAllowed
from data_access.eligibility import judging
from data_access.explore import queries
from data_access.exports import files
from data_access.exports.files import OfView, Order
from program.reports.datasets import NEAR_MISSES
from program.reports.export_formats import Form
from program.reports.views import View
from program.review.permissions import Act, Role, may
from tests.builders import (
    NOW,
    add_account,
    add_application,
    add_evidence,
    add_metrics,
    add_refresh,
    add_staff,
    scalar,
)
from tests.data_access.affiliate_months import add_approval, add_month
from tests.data_access.statements import sent

MILLION = 1_000_000
REJECTED = {"outcome": "rejected", "rebate_rate": None, "reason_code": "below_minimums"}


def add(conn: Connection, id_: int, *figures: int, **given: Any) -> None:
    """Add an account that never applied: volume in millions of cents, active and new users."""
    add_account(conn, id_, **given)
    volume, active, new = figures or (20, 15, 5)
    add_metrics(conn, id_, volume=Decimal(volume) * MILLION, active=active, new=new)


def volume_at(name: str, usd: int) -> dict[str, Any]:
    return {"kind": "external_volume", "exchange_name": name, "value": Decimal(usd)}


def reject(conn: Connection, id_: int, **given: Any) -> None:
    at = NOW - timedelta(days=20)
    add_application(
        conn, id_, account_id=id_, status="rejected", status_changed_at=at, submitted_at=at
    )
    add_approval(conn, id_, at, **{**REJECTED, **given})


def listed(conn: Connection, **given: Any) -> list[int]:
    context = judging.read_context(conn, now=NOW)
    return [row.account_id for row in near_misses.page(conn, context, **given).rows]


def test_both_sides_of_a_tenth_below_each_minimum(conn: Connection) -> None:
    add_refresh(conn)
    for id_, figures in enumerate(
        [(20, 15, 5), (18, 14, 5), (18, 13, 5), (18, 14, 4), (17, 99, 99)], start=1
    ):
        add(conn, id_, *figures)
    add(conn, 9, 30, 15, 5)

    found = near_misses.page(conn, judging.read_context(conn, now=NOW))

    assert [row.account_id for row in found.rows] == [9, 1, 2]
    assert (found.total, found.over) == (3, 2)
    assert [row.closest and row.closest.criterion.key for row in found.rows][-1] == "volume_usd"
    assert [str(row.assessment.outcome) for row in found.rows][:2] == ["met"] * 2


def test_reach_elsewhere_by_the_newest_applications_current_evidence(conn: Connection) -> None:
    """At and below a tenth short; expired evidence and that of older applications is ignored."""
    add_refresh(conn)
    long_ago = NOW - timedelta(days=200)
    seen = {
        1: [{"value": 5001}],
        2: [{"value": 4500}],
        3: [{"value": 4499}],
        4: [{"value": 9000, "observed_at": long_ago}],
        5: [volume_at("ExA", 9_000_000), volume_at("ExB", 8_999_999)],
        6: [volume_at("ExA", 9_000_000), volume_at("ExB", 9_000_000)],
    }
    for id_, observed in seen.items():
        add_application(conn, id_, status="withdrawn")
        for one in observed:
            add_evidence(conn, id_, **one)
    add_application(conn, 7, status="withdrawn", submitted_at=long_ago)
    add_evidence(conn, 7, value=9000)
    add_application(conn, 8, account_id=7, status="rejected")
    add_application(conn, 9)
    add_evidence(conn, 9, value=9000)

    found = near_misses.page(conn, judging.read_context(conn, now=NOW))

    assert [row.account_id for row in found.rows] == [1, 2, 6]
    assert (found.total, found.over) == (3, 1)
    assert [row.closest and row.closest.criterion.key for row in found.rows] == [
        *["x_followers"] * 2,
        "external_volume_usd",
    ]
    # Without referrals the figures here are zero.
    assert found.rows[0].facts.volume_usd == 0


def test_approvals_with_missing_days_are_not_counted(conn: Connection) -> None:
    add_refresh(conn)
    add(conn, 1)
    add_metrics(conn, 2, volume=40 * MILLION, active=20, new=9)

    found = near_misses.page(conn, judging.read_context(conn, now=NOW))

    assert ([row.account_id for row in found.rows], found.total, found.over) == ([1], 1, 1)


def test_pending_approved_and_permanently_rejected_accounts_are_left_out(conn: Connection) -> None:
    add_refresh(conn)
    for id_ in range(1, 7):
        add(conn, id_)
    add_application(conn, 1, account_id=1)
    add_application(conn, 2, account_id=2, status="approved")
    reject(conn, 3, reapply="never")
    reject(conn, 4, reapply="after_30_days", reapply_from=NOW.date() + timedelta(days=1))
    reject(conn, 5, reapply="after_30_days", reapply_from=NOW.date())
    add_application(conn, 6, account_id=6, status="withdrawn")

    context = judging.read_context(conn, now=NOW)
    rows = {row.account_id: row for row in near_misses.page(conn, context).rows}

    assert set(rows) == {4, 5, 6}
    assert rows[4].may_apply_from == NOW.date() + timedelta(days=1)
    assert rows[5].may_apply_from is None
    assert (str(rows[6].last_status), rows[6].reason_code) == ("withdrawn", None)


def test_the_trend_is_six_months_and_a_month_without_activity_is_zero(conn: Connection) -> None:
    add_refresh(conn)
    add(conn, 1)
    add_month(conn, 1, date(2026, 3, 1), Decimal(5))
    add_month(conn, 1, date(2025, 10, 1), Decimal(7))
    add_month(conn, 1, date(2025, 9, 1), Decimal(9))

    (row,) = near_misses.page(conn, judging.read_context(conn, now=NOW)).rows

    assert row.months == (7, 0, 0, 0, 0, 5)


def test_pages_and_a_page_beyond_the_last(conn: Connection) -> None:
    add_refresh(conn)
    for id_ in range(1, 6):
        add(conn, id_, 30 - id_, 15, 5)

    assert listed(conn, size=2) == [1, 2]
    assert listed(conn, size=2, number=3) == [5]
    assert listed(conn, size=2, number=9) == [5]


def test_without_metrics_no_near_misses_are_listed(conn: Connection) -> None:
    add(conn, 1)

    found = near_misses.page(conn, judging.read_context(conn, now=NOW))

    assert (found.rows, found.total) == ([], 0)


COLUMNS = [
    *("account_id", "username", "country_code", "kyc_status"),
    *("data_through", "window_start", "window_end"),
    *("volume_usd", "active_users", "new_users", "x_followers", "external_volume_usd"),
    *("on_exchange", "external", "policy_version"),
    *("last_application_id", "last_status", "last_at", "reason_code", "may_apply_from"),
]


def test_the_file_holds_all_of_them_is_logged_and_runs_no_formula(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for purpose in ("exporter", "writer"):
        monkeypatch.setattr(database, purpose, lambda: engine)
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add(conn, 1, username="=1+1")
        add(conn, 2, username='a"b,c')
        add(conn, 3, 17, 99, 99)
        add(conn, 4, 19, 15, 5)
        reject(conn, 4, reapply="after_30_days", reapply_from=NOW.date() + timedelta(days=1))
        add_evidence(conn, 4, value=4600)

    rows = exported()

    assert list(rows[0]) == COLUMNS
    assert [row["username"] for row in rows] == ["'=1+1", 'a"b,c', "user4"]
    assert [row["may_apply_from"] for row in rows] == ["", "", "2026-03-16"]
    assert list(rows[2].values()) == [
        *("4", "user4", "BR", "verified", "2026-03-14", "2026-02-13", "2026-03-14"),
        *("19000000.00", "15", "5", "4600", "", "not_met", "unknown", "1"),
        *("4", "rejected", "2026-02-23T09:00:00Z", "below_minimums", "2026-03-16"),
    ]
    with engine.connect() as conn:
        logged = "select exported_by || dataset || row_count from review.exports"
        assert scalar(conn, logged) == "noor@example.comnear_misses3"


def exported() -> list[dict[str, str]]:
    """Return the rows of the file that the page links to."""
    view = View(dataset=NEAR_MISSES, columns=NEAR_MISSES.names)
    order = Order(selection=OfView(view=view), form=Form(), exported_by="noor@example.com", now=NOW)
    written = BytesIO()
    files.write_and_keep(order, written)
    return list(csv.DictReader(StringIO(written.getvalue().decode())))


@pytest.mark.parametrize("role", Role)
def test_a_link_to_the_file_works_only_for_those_who_may_see_affiliates(role: Role) -> None:
    query = View(dataset=NEAR_MISSES).to_query()
    promise = Promise(email="somebody@example.com", role=role, query=query)

    if may(role, Act.SEE_AFFILIATES):
        assert downloads.selection(promise).dataset == "near_misses"
    else:
        with pytest.raises(NotAllowed, match="may not see the affiliates page"):
            downloads.selection(promise)


def test_without_metrics_the_file_has_no_rows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for purpose in ("exporter", "writer"):
        monkeypatch.setattr(database, purpose, lambda: engine)
    with engine.begin() as conn:
        add(conn, 1)

    assert exported() == []


def test_the_page_lists_what_the_dataset_holds(conn: Connection) -> None:
    """Chance figures around the minimums, here and elsewhere, and every state of application."""
    chance = Random(4)
    add_refresh(conn)
    for id_ in range(1, 121):
        figures = (chance.choice([17, 18, 20, 25]), chance.choice([13, 14, 15]), 5)
        late = {"first_seen_at": NOW} if id_ % 9 == 0 else {}
        if chance.random() < 0.6:
            add(conn, id_, *figures, **late)
        else:
            add_account(conn, id_, **late)
        status = chance.choice([None, "pending", "approved", "withdrawn", "rejected"])
        if status == "rejected":
            reject(conn, id_, reapply=chance.choice(["never", None]))
        elif status is not None:
            add_application(conn, id_, account_id=id_, status=status)
        if status and chance.random() < 0.7:
            add_evidence(conn, id_, value=chance.choice([4499, 4500, 5000, 5001]))
    context = judging.read_context(conn, now=NOW)
    found = near_misses.page(conn, context, size=200)

    rows = queries.rows_of(conn, NEAR_MISSES, ("account_id", "eligibility"), context, range(1, 121))
    assert {row.account_id for row in found.rows} == set(rows)
    assert found.total == len(rows) > 20
    over = {id_ for id_, row in rows.items() if row["eligibility"] == "met"}
    assert {row.account_id for row in found.rows[: found.over]} == over
    in_order = [(row.facts.volume_usd is None, -(row.facts.volume_usd or 0)) for row in found.rows]
    assert in_order[: found.over] == sorted(in_order[: found.over])
    assert in_order[found.over :] == sorted(in_order[found.over :])


def test_a_page_takes_four_statements(conn: Connection) -> None:
    add_refresh(conn)
    for id_ in range(1, 6):
        add(conn, id_, 30 - id_, 15, 5)
    context = judging.read_context(conn, now=NOW)
    for size in (1, 5):
        with sent(conn) as statements:
            near_misses.page(conn, context, size=size)
        assert len(statements) == 4

"""Approved affiliates with past months, as a refresh would have tested them."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert

from data_access.affiliates import approved, requalification
from data_access.affiliates.requalification import Refreshed
from data_access.db import tables
from data_access.eligibility import freshness
from program.periods import ONE_DAY, months_later
from program.policy.policy import Policy
from tests.builders import NOW, T, add_application, add_evidence

MINIMUM = Decimal("20000000.00")
LONG_AGO = date(2024, 6, 1)
APPROVED = datetime(2025, 6, 10, 12, tzinfo=NOW.tzinfo)
# T is 14 March 2026, so February is the newest whole month.
FEBRUARY = date(2026, 2, 1)


def add_affiliate(
    conn: Connection,
    id_: int,
    months: str = "",
    *,
    approved_at: datetime = APPROVED,
    seen_short: bool = True,
    **given: Any,
) -> int:
    """Add an affiliate whose months up to February 2026 are ``months``.

    ``+`` meets the minimums to the cent, ``-`` misses them by one, ``.`` has no row. Unless
    ``seen_short`` is off, its reach was looked at every month and falls short.
    """
    add_application(
        conn, id_, status="approved", submitted_at=approved_at - timedelta(days=2), **given
    )
    add_approval(conn, id_, approved_at)
    for place, sign in enumerate(reversed(months)):
        month = months_later(FEBRUARY, -place)
        if sign != ".":
            add_month(conn, id_, month, MINIMUM - (sign == "-") * Decimal("0.01"))
        if seen_short:
            add_short_reach(conn, id_, month)
    return id_


def add_approval(conn: Connection, id_: int, at: datetime, **given: Any) -> None:
    conn.execute(
        insert(tables.decisions).values(
            {
                "application_id": id_,
                "outcome": "approved",
                "rationale": "Meets them.",
                "message_to_applicant": "Welcome.",
                "rebate_rate": Decimal("0.40"),
                "is_override": False,
                "decided_by": "ana@example.com",
                "decided_at": at,
                "policy_version": 1,
                "snapshot": {},
                **given,
            }
        )
    )


def add_month(
    conn: Connection,
    id_: int,
    month: date,
    volume: Decimal | int,
    *,
    active: int = 15,
    new: int = 5,
) -> None:
    conn.execute(
        insert(tables.affiliate_monthly).values(
            affiliate_account_id=id_,
            month=month,
            volume_usd=volume,
            fees_usd=0,
            trade_count=0,
            active_users=active,
            new_users=new,
        )
    )


def add_short_reach(conn: Connection, id_: int, month: date) -> None:
    at = datetime(month.year, month.month, 20, tzinfo=NOW.tzinfo)
    add_evidence(conn, id_, value=100, observed_at=at, recorded_at=at)
    add_evidence(
        conn,
        id_,
        kind="external_volume",
        value=5,
        exchange_name="ExA",
        observed_at=at,
        recorded_at=at,
    )


def deliver(
    conn: Connection, first: date, last: date, *, without: Collection[date] = (), **given: int
) -> None:
    """Trade on each day from ``first`` to ``last`` except some."""
    table = tables.segment_daily
    days = [first + n * ONE_DAY for n in range((last - first).days + 1)]
    conn.execute(table.delete().where(table.c.day.in_(days)))
    row = {"dimension": "program", "segment": "all", "affiliates": 1, "volume_usd": 0}
    row |= {"fees_usd": 0, "trade_count": 1, "active_users": 0, "new_users": 0, **given}
    kept = [day for day in days if day not in without]
    if kept:
        conn.execute(insert(table), [{**row, "day": day} for day in kept])


def refresh(
    conn: Connection,
    *,
    start: date = date.min,
    through: date = T,
    delivered: bool = True,
    **given: Any,
) -> None:
    """Test the months as a refresh through ``through`` would.

    With ``delivered``, somebody traded on every day up to then.
    """
    if delivered:
        deliver(conn, LONG_AGO, through)
    changed_accounts = approved.keep(conn)
    requalification.test(
        conn,
        Refreshed(
            **{
                "start": start,
                "through": through,
                "policy": Policy(),
                "before": freshness.newest(conn),
                "now": NOW,
                **given,
            }
        ),
        changed_accounts=changed_accounts,
    )

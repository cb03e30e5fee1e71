"""Read an affiliate's referral trends: by day, by month, and by referred user."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Table, case, cast, func, select

from data_access.db import tables
from data_access.eligibility import delivered
from program.periods import Window
from program.reports.periods import Dimension

FIGURES = ("volume_usd", "active_users", "new_users")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One day's or month's figures of an affiliate; ``start`` is its first day. USD, UTC.

    Volume and active users are ``None`` if upstream delivered no day of it.
    """

    start: date
    volume_usd: Decimal | None
    active_users: int | None
    new_users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferredUser:
    """A referred user's part in the window."""

    referred_account_id: int
    referred_at: datetime | None
    volume_usd: Decimal
    fees_usd: Decimal
    trading_days: int


def daily(connection: Connection, account_id: int, span: Window) -> list[Point]:
    """Return the known days of ``span`` in order, zeros included."""
    program, own = tables.segment_daily, tables.affiliate_daily
    mine = (own.c.day == program.c.day) & (own.c.affiliate_account_id == account_id)
    rows = connection.execute(
        select(program.c.day.label("start"), *_figures(own, delivered.traded(program)))
        .outerjoin_from(program, own, mine)
        .where(
            program.c.dimension == str(Dimension.PROGRAM),
            program.c.day >= span.start,
            program.c.day < span.end,
        )
        .order_by(program.c.day)
    ).mappings()
    return [Point(**row) for row in rows]


def monthly(connection: Connection, account_id: int, *, since: date) -> list[Point]:
    """Return the known months from ``since`` on in order, zeros included."""
    sums, own = tables.segment_daily, tables.affiliate_monthly
    month = cast(func.date_trunc("month", sums.c.day), Date).label("month")
    program = (
        select(month, func.bool_or(delivered.traded(sums)).label("traded"))
        .where(sums.c.dimension == str(Dimension.PROGRAM), sums.c.day >= since)
        .group_by(month)
        .subquery("program")
    )
    mine = (own.c.month == program.c.month) & (own.c.affiliate_account_id == account_id)
    rows = connection.execute(
        select(program.c.month.label("start"), *_figures(own, program.c.traded))
        .outerjoin_from(program, own, mine)
        .order_by(program.c.month)
    ).mappings()
    return [Point(**row) for row in rows]


def _figures(own: Table, known: ColumnElement[bool]) -> list[ColumnElement[Any]]:
    """Return an affiliate's figures on delivered days; a missing row is zero."""
    figures = {name: func.coalesce(own.c[name], 0) for name in FIGURES}
    return [
        (figure if name == "new_users" else case((known, figure))).label(name)
        for name, figure in figures.items()
    ]


def top_referred_users(
    connection: Connection, account_id: int, window: Window, *, limit: int = 10
) -> list[ReferredUser]:
    """Return the window's referred users with the most volume."""
    activity, referral = tables.referral_activity, tables.referrals
    top = (
        select(
            activity.c.referred_account_id,
            func.sum(activity.c.volume_usd).label("volume_usd"),
            func.sum(activity.c.fees_usd).label("fees_usd"),
            func.count().filter(activity.c.volume_usd > 0).label("trading_days"),
        )
        .where(
            activity.c.affiliate_account_id == account_id,
            activity.c.activity_date >= window.start,
            activity.c.activity_date < window.end,
        )
        .group_by(activity.c.referred_account_id)
        .order_by(func.sum(activity.c.volume_usd).desc(), activity.c.referred_account_id)
        .limit(limit)
        .subquery("top")
    )
    rows = connection.execute(
        select(top, referral.c.referred_at)
        .outerjoin(
            referral,
            (referral.c.affiliate_account_id == account_id)
            & (referral.c.referred_account_id == top.c.referred_account_id),
        )
        .order_by(top.c.volume_usd.desc(), top.c.referred_account_id)
    ).mappings()
    return [ReferredUser(**row) for row in rows]

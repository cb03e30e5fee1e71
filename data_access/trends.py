"""How an affiliate's referrals developed: by day, by month, and by referred user."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, func, select

from data_access import tables
from program.periods import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One day's or month's figures of an affiliate; ``start`` is its first day. USD, UTC."""

    start: date
    volume_usd: Decimal
    active_users: int
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
    """The days of ``span`` on which anything happened, in order."""
    table = tables.affiliate_daily
    rows = connection.execute(
        select(
            table.c.day.label("start"), table.c.volume_usd, table.c.active_users, table.c.new_users
        )
        .where(
            table.c.affiliate_account_id == account_id,
            table.c.day >= span.start,
            table.c.day < span.end,
        )
        .order_by(table.c.day)
    ).mappings()
    return [Point(**row) for row in rows]


def monthly(connection: Connection, account_id: int, *, since: date) -> list[Point]:
    """The months from ``since`` on in which anything happened, in order."""
    table = tables.affiliate_monthly
    rows = connection.execute(
        select(
            table.c.month.label("start"),
            table.c.volume_usd,
            table.c.active_users,
            table.c.new_users,
        )
        .where(table.c.affiliate_account_id == account_id, table.c.month >= since)
        .order_by(table.c.month)
    ).mappings()
    return [Point(**row) for row in rows]


def top_referred_users(
    connection: Connection, account_id: int, window: Window, *, limit: int = 10
) -> list[ReferredUser]:
    """The window's referred users with the most volume."""
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

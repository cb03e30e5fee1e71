"""Read an affiliate's referral trends: by day, by month, and by referred user."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Select,
    Table,
    bindparam,
    case,
    cast,
    func,
    select,
)

from data_access.applications.read import ACCOUNT_ID
from data_access.db import tables
from data_access.db.bundles import Bundle
from data_access.eligibility import delivered
from program.periods import Window
from program.reports.periods import Dimension

FIGURES = ("volume_usd", "active_users", "new_users")
USERS_SHOWN = 10
# Parameters: the days shown, the first month shown, and the window of the referred users.
FIRST, END, SINCE, WINDOW_START, WINDOW_END = (
    bindparam(name, type_=Date())
    for name in ("first", "end", "since", "window_start", "window_end")
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """Known days and months in order, zeros included, and the users with the most volume."""

    days: list[Point]
    months: list[Point]
    users: list[ReferredUser]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The days of the daily figures, the first month, and the window of the referred users."""

    days: Window
    since: date
    window: Window


def read(connection: Connection, account_id: int, spans: Spans) -> Trends:
    """Return an affiliate's trends."""
    found = _TRENDS.read(
        connection,
        account_id=account_id,
        first=spans.days.start,
        end=spans.days.end,
        since=spans.since,
        window_start=spans.window.start,
        window_end=spans.window.end,
    )
    return Trends(
        days=[Point(**row) for row in found["days"]],
        months=[Point(**row) for row in found["months"]],
        users=[ReferredUser(**row) for row in found["users"]],
    )


def _days() -> Select[Any]:
    program, own = tables.segment_daily, tables.affiliate_daily
    mine = (own.c.day == program.c.day) & (own.c.affiliate_account_id == ACCOUNT_ID)
    return (
        select(program.c.day.label("start"), *_figures(own, delivered.traded(program)))
        .outerjoin_from(program, own, mine)
        .where(
            program.c.dimension == str(Dimension.PROGRAM),
            program.c.day >= FIRST,
            program.c.day < END,
        )
        .order_by(program.c.day)
    )


def _months() -> Select[Any]:
    sums, own = tables.segment_daily, tables.affiliate_monthly
    month = cast(func.date_trunc("month", sums.c.day), Date).label("month")
    program = (
        select(month, func.bool_or(delivered.traded(sums)).label("traded"))
        .where(sums.c.dimension == str(Dimension.PROGRAM), sums.c.day >= SINCE)
        .group_by(month)
        .subquery("program")
    )
    mine = (own.c.month == program.c.month) & (own.c.affiliate_account_id == ACCOUNT_ID)
    return (
        select(program.c.month.label("start"), *_figures(own, program.c.traded))
        .outerjoin_from(program, own, mine)
        .order_by(program.c.month)
    )


def _figures(own: Table, known: ColumnElement[bool]) -> list[ColumnElement[Any]]:
    """Return an affiliate's figures on delivered days; a missing row is zero."""
    figures = {name: func.coalesce(own.c[name], 0) for name in FIGURES}
    return [
        (figure if name == "new_users" else case((known, figure))).label(name)
        for name, figure in figures.items()
    ]


def top_users(
    start: ColumnElement[date], end: ColumnElement[date], most: int, *also: ColumnElement[Any]
) -> Select[Any]:
    """Select the referred users with the most volume from ``start`` until before ``end``.

    ``also`` are columns of the user's account, which upstream may not have.
    """
    account = tables.accounts
    activity, referral = tables.referral_activity, tables.referrals
    top = (
        select(
            activity.c.referred_account_id,
            func.sum(activity.c.volume_usd).label("volume_usd"),
            func.sum(activity.c.fees_usd).label("fees_usd"),
            func.count().filter(activity.c.volume_usd > 0).label("trading_days"),
        )
        .where(
            activity.c.affiliate_account_id == ACCOUNT_ID,
            activity.c.activity_date >= start,
            activity.c.activity_date < end,
        )
        .group_by(activity.c.referred_account_id)
        .order_by(func.sum(activity.c.volume_usd).desc(), activity.c.referred_account_id)
        .limit(most)
        .subquery("top")
    )
    mine = (referral.c.affiliate_account_id == ACCOUNT_ID) & (
        referral.c.referred_account_id == top.c.referred_account_id
    )
    found = select(top, referral.c.referred_at, *also).outerjoin_from(top, referral, mine)
    if also:
        found = found.outerjoin(account, account.c.account_id == top.c.referred_account_id)
    return found.order_by(top.c.volume_usd.desc(), top.c.referred_account_id)


_USERS = top_users(WINDOW_START, WINDOW_END, USERS_SHOWN)
_TRENDS = Bundle(days=_days(), months=_months(), users=_USERS)

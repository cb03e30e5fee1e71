"""Read the rows behind an account's risk signals: its users, and its days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Date, Select, Text, bindparam, cast, func, select

from data_access.db import tables
from data_access.db.bundles import Bundle
from data_access.risk.reading import ACCOUNT_ID
from program.periods import ONE_DAY, Window
from program.reports.periods import Dimension
from program.risk.signals import DAYS

USERS_SHOWN = 50
# Three windows of 30 days: the month, and what it is compared with.
DAYS_SHOWN = 3 * DAYS
FIRST, START, END = (bindparam(name, type_=Date()) for name in ("first", "start", "end"))


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A referred user's part in the window. The account is unknown if upstream has none."""

    referred_account_id: int
    volume_usd: Decimal
    fees_usd: Decimal
    trading_days: int
    referred_at: datetime | None
    kyc_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the account beside the program's, USD."""

    day: date
    volume_usd: Decimal
    new_users: int
    program_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The users with the most volume in ``window``, and the days up to its end."""

    window: Window
    users: list[User]
    days: list[Day]


def read(connection: Connection, account_id: int, *, through: date) -> Rows:
    """Return the rows behind the signals measured up to ``through``."""
    end = through + ONE_DAY
    window = Window(end - timedelta(days=DAYS), end)
    found = _ROWS.read(
        connection,
        **{ACCOUNT_ID.key: account_id},
        first=end - timedelta(days=DAYS_SHOWN),
        start=window.start,
        end=end,
    )
    return Rows(
        window=window,
        users=[User(**row) for row in found["users"]],
        days=[Day(**row) for row in found["days"]],
    )


def _users() -> Select[Any]:
    activity, referral, account = (
        tables.referral_activity,
        tables.referrals,
        tables.accounts,
    )
    top = (
        select(
            activity.c.referred_account_id,
            func.sum(activity.c.volume_usd).label("volume_usd"),
            func.sum(activity.c.fees_usd).label("fees_usd"),
            func.count().filter(activity.c.volume_usd > 0).label("trading_days"),
        )
        .where(
            activity.c.affiliate_account_id == ACCOUNT_ID,
            activity.c.activity_date >= START,
            activity.c.activity_date < END,
        )
        .group_by(activity.c.referred_account_id)
        .order_by(func.sum(activity.c.volume_usd).desc(), activity.c.referred_account_id)
        .limit(USERS_SHOWN)
        .subquery("top")
    )
    mine = (referral.c.affiliate_account_id == ACCOUNT_ID) & (
        referral.c.referred_account_id == top.c.referred_account_id
    )
    return (
        select(top, referral.c.referred_at, cast(account.c.kyc_status, Text).label("kyc_status"))
        .outerjoin_from(top, referral, mine)
        .outerjoin(account, account.c.account_id == top.c.referred_account_id)
        .order_by(top.c.volume_usd.desc(), top.c.referred_account_id)
    )


def _days() -> Select[Any]:
    program, own = tables.segment_daily, tables.affiliate_daily
    mine = (own.c.day == program.c.day) & (own.c.affiliate_account_id == ACCOUNT_ID)
    return (
        select(
            program.c.day,
            func.coalesce(own.c.volume_usd, 0).label("volume_usd"),
            func.coalesce(own.c.new_users, 0).label("new_users"),
            program.c.volume_usd.label("program_usd"),
        )
        .outerjoin_from(program, own, mine)
        .where(
            program.c.dimension == str(Dimension.PROGRAM),
            program.c.day >= FIRST,
            program.c.day < END,
        )
        .order_by(program.c.day)
    )


_ROWS = Bundle(users=_users(), days=_days())

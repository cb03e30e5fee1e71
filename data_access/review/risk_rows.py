"""Read the rows behind an account's risk signals: its users, and its days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Date, Select, Text, bindparam, cast, func, select

from data_access.applications.read import ACCOUNT_ID
from data_access.db import tables
from data_access.db.bundles import Bundle
from data_access.review.trends import top_users
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

    @property
    def volume_usd(self) -> Decimal:
        """The volume of all users in the window."""
        inside = (day.volume_usd for day in self.days if day.day >= self.window.start)
        return sum(inside, Decimal(0))


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


_KYC = cast(tables.accounts.c.kyc_status, Text).label("kyc_status")
_ROWS = Bundle(users=top_users(START, END, USERS_SHOWN, _KYC), days=_days())

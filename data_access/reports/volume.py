"""Trading of referred users by step and segment, its rebate cost, and the largest affiliates.

Read from the sums that a refresh stores, never from the activity itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Numeric,
    Subquery,
    Table,
    case,
    cast,
    func,
    select,
    union_all,
)

from data_access.db import tables
from data_access.reports.buckets import bucket
from program.periods import ONE_DAY, Window, around_months, month_start, months_later
from program.policy.delivered import Delivered, Known
from program.reports.periods import Dimension, Grain

STANDARD, RATE = "standard", "rate"
SUMS = ("volume_usd", "fees_usd", "active_users", "new_users")
TOP = 10
POINTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """One segment over one step, from its first day ``start``. Money in USD, exact.

    ``user_days`` adds up the active users of each day.
    """

    start: date
    segment: str
    volume_usd: Decimal
    fees_usd: Decimal
    user_days: int
    new_users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebates:
    """The rebate cost of a period's net fees, USD; negative if the fees are."""

    fees_usd: Decimal
    standard_usd: Decimal
    extra_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One calendar month of the whole program, up to the data-through day.

    ``trading`` is how much of it was delivered; if nothing was, its figures are None. So are
    ``new_users`` before the first referral. ``concentration`` is the Herfindahl-Hirschman index in
    points of 10,000; None without volume.
    """

    trading: Known
    volume_usd: Decimal | None
    fees_usd: Decimal | None
    active_users: int | None
    new_users: int | None
    concentration: Decimal | None

    @property
    def month(self) -> date:
        """The month's first day."""
        return self.trading.window.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """One of the affiliates with the most volume of a period, largest first."""

    affiliate_account_id: int
    username: str | None
    volume_usd: Decimal


def steps(
    connection: Connection, period: Window, grain: Grain, dimension: Dimension = Dimension.PROGRAM
) -> list[Traded]:
    """Return every step and segment with activity, in order."""
    return _steps(connection, _segments(period, dimension, grain), period, grain)


def rebates(connection: Connection, period: Window, *, standard: Decimal) -> Rebates:
    """Return the cost of the period's rebates, by the rates as of the last refresh.

    A granted rate that is now below the standard rate is counted as the standard rate.
    """
    sums = _segments(period, RATE).c
    rate = cast(case((sums.segment != STANDARD, sums.segment)), Numeric)
    extra = (func.greatest(rate, standard) - standard) * sums.fees_usd
    row = connection.execute(
        select(
            func.coalesce(func.sum(sums.fees_usd), 0).label("fees_usd"),
            func.coalesce(func.sum(extra), 0).label("extra_usd"),
        )
    ).one()
    return Rebates(
        fees_usd=row.fees_usd, standard_usd=standard * row.fees_usd, extra_usd=row.extra_usd
    )


def months(
    connection: Connection, *, first: date, through: date, delivered: Delivered
) -> list[Month]:
    """Return the calendar months from ``first`` to that of ``through``, also without activity.

    ``through`` is the last day that counts. Months before the first known one are left out.
    """
    table = tables.program_monthly
    last = month_start(through)
    rows = connection.execute(
        select(table).where(table.c.month >= first, table.c.month <= last)
    ).all()
    found = {row.month: row for row in rows}
    shown: list[Month] = []
    month = first
    while month <= last:
        window = Window(month, min(months_later(month, 1), through + ONE_DAY))
        made = _month(found.get(month), window, delivered)
        if shown or made.volume_usd is not None or made.new_users is not None:
            shown.append(made)
        month = months_later(month, 1)
    return shown


def _month(row: Any, window: Window, delivered: Delivered) -> Month:  # noqa: ANN401 - a row of program_monthly, or None
    trading = delivered.trading(window)
    new_users = (row.new_users if row else 0) if delivered.referring(window).any else None
    if row is None or not trading.any:
        return Month(
            trading=trading,
            volume_usd=None,
            fees_usd=None,
            active_users=None,
            new_users=new_users,
            concentration=None,
        )
    squares, whole = row.sum_of_squared_volumes, row.volume_usd
    return Month(
        trading=trading,
        volume_usd=whole,
        fees_usd=row.fees_usd,
        active_users=row.active_users,
        new_users=new_users,
        concentration=POINTS * squares / whole**2 if whole else None,
    )


def leaders(connection: Connection, period: Window, *, most: int = TOP) -> list[Leader]:
    """Return the affiliates with the most volume of the period, among its months' leaders."""
    leader, account = tables.month_leaders, tables.accounts
    known = (
        select(leader.c.affiliate_account_id)
        .where(leader.c.month >= month_start(period.start), leader.c.month < period.end)
        .distinct()
        .subquery("known")
    )
    # One after the other, by index; a join would read everybody's sums.
    each = (
        select(func.coalesce(func.sum(table.c.volume_usd), 0))
        .where(
            table.c.affiliate_account_id == known.c.affiliate_account_id,
            start >= days.start,
            start < days.end,
        )
        .correlate(known)
        .scalar_subquery()
        for table, start, days in _parts(period, tables.affiliate_daily, tables.affiliate_monthly)
    )
    volume = reduce(add, each).label("volume_usd")
    summed = (
        select(known.c.affiliate_account_id, volume)
        .order_by(volume.desc(), known.c.affiliate_account_id)
        .limit(most)
        .subquery("summed")
    )
    rows = connection.execute(
        select(summed, account.c.username)
        .outerjoin(account, account.c.account_id == summed.c.affiliate_account_id)
        .where(summed.c.volume_usd > 0)
        .order_by(summed.c.volume_usd.desc(), summed.c.affiliate_account_id)
    ).mappings()
    return [Leader(**row) for row in rows]


def of_affiliates(
    connection: Connection, period: Window, grain: Grain, ids: Sequence[int]
) -> list[Traded]:
    """Return the steps of these affiliates, with the account id as segment."""
    daily = tables.affiliate_daily.c
    # By day: the active users of a month are not the sum of those of its days.
    sums = select(
        daily.day, daily.affiliate_account_id.label("segment"), *(daily[name] for name in SUMS)
    ).where(daily.affiliate_account_id.in_(ids), daily.day >= period.start, daily.day < period.end)
    return _steps(connection, sums.subquery("sums"), period, grain)


def _segments(period: Window, dimension: str, grain: Grain = Grain.MONTH) -> Subquery:
    """Return the period's sums by segment; a step may be no finer than the grain."""
    daily = tables.segment_daily
    monthly = tables.segment_monthly if grain is Grain.MONTH else None
    return union_all(
        *(
            select(start.label("day"), *(table.c[name] for name in ("segment", *SUMS))).where(
                table.c.dimension == str(dimension), start >= days.start, start < days.end
            )
            for table, start, days in _parts(period, daily, monthly)
        )
    ).subquery("sums")


def _parts(
    period: Window, daily: Table, monthly: Table | None
) -> list[tuple[Table, ColumnElement[date], Window]]:
    """Return where to read the period's sums: whole months from ``monthly``, the rest by day.

    Each part is a table, the column with the first day of its rows, and the days to read.
    """
    before, months, after = around_months(period)
    if monthly is None or not months.days:
        return [(daily, daily.c.day, period)]
    parts = ((daily, "day", before), (monthly, "month", months), (daily, "day", after))
    return [(table, table.c[name], days) for table, name, days in parts if days.days]


def _steps(connection: Connection, sums: Subquery, period: Window, grain: Grain) -> list[Traded]:
    found = connection.execute(
        select(
            bucket(sums.c.day, period, grain).label("start"),
            sums.c.segment,
            func.sum(sums.c.volume_usd).label("volume_usd"),
            func.sum(sums.c.fees_usd).label("fees_usd"),
            func.sum(sums.c.active_users).label("user_days"),
            func.sum(sums.c.new_users).label("new_users"),
        )
        .group_by("start", sums.c.segment)
        .order_by("start", sums.c.segment)
    )
    return [
        Traded(
            start=row.start,
            segment=str(row.segment),
            volume_usd=row.volume_usd,
            fees_usd=row.fees_usd,
            user_days=int(row.user_days),
            new_users=int(row.new_users),
        )
        for row in found
    ]

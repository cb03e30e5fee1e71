"""Users by the month in which they were referred, and how many still trade."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, Date, DateTime, and_, cast, func, select

from data_access.db import tables
from program.periods import ONE_DAY, Window, months_later
from program.policy.delivered import Delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """Of the users referred in ``month``, how many had volume ``after`` months later.

    None if a day of that later month was not delivered.
    """

    month: date
    after: int
    referred: int
    active: int | None

    @property
    def share(self) -> Decimal | None:
        """Active among referred, a fraction."""
        return None if self.active is None else Decimal(self.active) / self.referred


def retained(
    connection: Connection, *, first: date, complete: date, delivered: Delivered
) -> list[Retained]:
    """Return cohorts from ``first`` on over their complete months, in order; zeros included.

    ``complete`` is the first month that is not complete at the data-through day.
    """
    cohort, table = tables.program_monthly.c, tables.referral_cohorts
    last, month = cast(complete - ONE_DAY, DateTime), func.make_interval(0, 1)
    after = cast(func.generate_series(cast(cohort.month, DateTime), last, month), Date)
    grid = (
        select(cohort.month, cohort.new_users, after.label("active_month"))
        .where(cohort.month >= first, cohort.new_users > 0)
        .subquery("grid")
    )
    matching = and_(
        table.c.referral_month == grid.c.month, table.c.active_month == grid.c.active_month
    )
    found = connection.execute(
        select(grid.c.month, grid.c.active_month, grid.c.new_users, table.c.active_users)
        .outerjoin(table, matching)
        .order_by(grid.c.month, grid.c.active_month)
    )
    return [
        Retained(
            month=month,
            after=_months(month, then),
            referred=referred,
            active=number or 0 if _is_whole(then, delivered) else None,
        )
        for month, then, referred, number in found
    ]


def _is_whole(month: date, delivered: Delivered) -> bool:
    return delivered.trading(Window(month, months_later(month, 1))).whole


def _months(month: date, then: date) -> int:
    return (then.year - month.year) * 12 + then.month - month.month

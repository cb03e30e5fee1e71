"""Users by the month they were referred in, and how many of them still trade."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, and_, select

from data_access import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """Of the users referred in ``month``, how many had volume ``after`` months later."""

    month: date
    after: int
    referred: int
    active: int

    @property
    def share(self) -> Decimal:
        """Active among referred, a fraction."""
        return Decimal(self.active) / self.referred


def retained(connection: Connection, *, first: date, complete: date) -> list[Retained]:
    """Cohorts from ``first`` on over their complete months, in order; zeros included.

    ``complete`` is the first month that is not complete at the data-through day.
    """
    cohort, active, table = tables.program_monthly, tables.program_monthly.alias("active"), _COHORTS
    matching = and_(
        table.c.referral_month == cohort.c.month, table.c.active_month == active.c.month
    )
    found = connection.execute(
        select(cohort.c.month, active.c.month, cohort.c.new_users, table.c.active_users)
        .join(active, active.c.month >= cohort.c.month)
        .outerjoin(table, matching)
        .where(cohort.c.month >= first, active.c.month < complete, cohort.c.new_users > 0)
        .order_by(cohort.c.month, active.c.month)
    )
    return [
        Retained(month=month, after=_months(month, then), referred=referred, active=number or 0)
        for month, then, referred, number in found
    ]


_COHORTS = tables.referral_cohorts


def _months(month: date, then: date) -> int:
    return (then.year - month.year) * 12 + then.month - month.month

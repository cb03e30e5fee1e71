"""The days that upstream has delivered, read from the sums that a refresh keeps."""

from datetime import date

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    exists,
    func,
    or_,
    select,
)

from data_access import tables
from program.delivered import Delivered
from program.periods import months_later
from program.reports import Dimension


def traded(sums: FromClause) -> ColumnElement[bool]:
    """Whether a row of sums holds anything that was delivered as trading.

    A row of zeros is there for a day on which users were referred, and says nothing of trading.
    """
    return or_(sums.c.trade_count > 0, sums.c.volume_usd > 0, sums.c.fees_usd != 0)


def of_program() -> ColumnElement[bool]:
    """Condition on ``segment_daily``: the delivered days of the whole program."""
    table = tables.segment_daily
    return (table.c.dimension == str(Dimension.PROGRAM)) & traded(table)


def first_day() -> ScalarSelect[date | None]:
    """The first delivered day of the program, as part of a statement."""
    return select(func.min(tables.segment_daily.c.day)).where(of_program()).scalar_subquery()


def read(connection: Connection) -> Delivered:
    """Every delivered day there is, and the first with a referral."""
    table = tables.segment_daily
    days = connection.execute(select(table.c.day).where(of_program()).order_by(table.c.day))
    referred = select(func.min(table.c.day)).where(
        table.c.dimension == str(Dimension.PROGRAM), table.c.new_users > 0
    )
    return Delivered(
        days=days.scalars().all(), first_referral=connection.execute(referred).scalar_one()
    )


def first_month(connection: Connection) -> date | None:
    """The first month that upstream has delivered from its first day on; ``None``: none.

    Affiliates are judged by months from there on. Referrals alone leave rows too, of months whose
    activity nobody delivered.
    """
    monthly, daily = tables.affiliate_monthly, tables.affiliate_daily
    first = connection.execute(
        select(func.min(monthly.c.month)).where(traded(monthly))
    ).scalar_one()
    if first is None:
        return None
    at_once = exists().where(daily.c.day == first, traded(daily))
    return first if connection.execute(select(at_once)).scalar_one() else months_later(first, 1)

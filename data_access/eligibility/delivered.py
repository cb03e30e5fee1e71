"""The days that upstream has delivered, read from the sums that a refresh keeps."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    and_,
    case,
    func,
    or_,
    select,
)

from data_access.db import tables
from data_access.eligibility import judging
from program.policy.delivered import ADDED_UP, Delivered
from program.policy.policy import Policy
from program.reports.periods import Dimension


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


# How many days of a row with ``first_day`` and ``after``, the day after its last, are missing.
# ``:delivered`` are the delivered days in order; a test holds this equal to `Known.missing`.
MISSING = """
    (after - first_day - width_bucket(after - 1, cast(:delivered as date[]))
     + width_bucket(first_day - 1, cast(:delivered as date[])))
"""


def known_values(
    values: Mapping[str, ColumnElement[Any]],
    policy: Policy,
    *,
    missing: ColumnElement[int],
    days: ColumnElement[int],
) -> dict[str, ColumnElement[Any]]:
    """`program.delivered.known_facts` as SQL, where ``missing`` of ``days`` are."""
    added_up = {
        criterion.key: case(
            (missing == 0, values[criterion.key]),
            (
                and_(
                    missing < days,
                    judging.criterion_truth(criterion, values[criterion.key], policy),
                ),
                values[criterion.key],
            ),
        )
        for criterion in ADDED_UP
    }
    return {**values, **added_up}

"""The days delivered by upstream, read from the sums that a refresh stores."""

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
    """Return whether a row of sums contains delivered trading.

    A row of zeros exists for a day on which users were referred; trading of that day is unknown.
    """
    return or_(sums.c.trade_count > 0, sums.c.volume_usd > 0, sums.c.fees_usd != 0)


def of_program() -> ColumnElement[bool]:
    """Return the condition on ``segment_daily`` for the whole program's delivered days."""
    table = tables.segment_daily
    return (table.c.dimension == str(Dimension.PROGRAM)) & traded(table)


def first_day() -> ScalarSelect[date | None]:
    """Return the first delivered day of the program, as a subquery."""
    return select(func.min(tables.segment_daily.c.day)).where(of_program()).scalar_subquery()


def read(connection: Connection) -> Delivered:
    """Read all delivered days, and the first day with a referral."""
    table = tables.segment_daily
    days = connection.execute(select(table.c.day).where(of_program()).order_by(table.c.day))
    referred = select(func.min(table.c.day)).where(
        table.c.dimension == str(Dimension.PROGRAM), table.c.new_users > 0
    )
    return Delivered(
        days=days.scalars().all(), first_referral=connection.execute(referred).scalar_one()
    )


# How many days are missing from a row's ``first_day`` up to, not including, ``after``.
# ``:delivered`` are the delivered days in order; a test compares this with `Known.missing`.
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
    """What values summed over the delivered days say of all ``days``, of which ``missing`` are not.

    A figure that does not reach its minimum is unknown where a day is missing, and each is where
    no day was delivered.
    """
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

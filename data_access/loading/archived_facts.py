"""Months that are archived: their activity comes back whole, and nothing else changes them.

A refresh leaves the figures of an archived month as they are, so a fact of such a month could not
be counted.
"""

# ruff: noqa: S608 - names come from the tables in `kinds`; what a file says is never in a text

from collections.abc import Collection
from datetime import date

from sqlalchemy import delete, text

from data_access.db import archived, tables
from data_access.db.archived import ArchivedMonth
from data_access.loading.arrival import CHANGES, Arrival
from data_access.loading.staging import TABLE

STAGED = f"""
select count(*), coalesce(sum(volume_usd), 0), coalesce(sum(fees_usd), 0),
    coalesce(sum(trade_count), 0)
from {TABLE} where date_trunc('month', activity_date) = :month
"""


def take_back(arrival: Arrival, months: Collection[date]) -> None:
    """Let ``months`` that are archived and staged whole be facts again.

    Raises LoadRefused, which names the first row of a month that is not whole, and its file.
    """
    wanted = [one for one in archived.read(arrival.connection) if one.month in months]
    for one in wanted:
        if not _is_whole(arrival, one):
            arrival.name_rows(
                f"select min(staged), '{one.month:%Y-%m}', null::bigint from {TABLE} "
                f"where date_trunc('month', activity_date) = '{one.month}'",
                "activity_date",
                f"is archived and comes back whole: {one.row_count:,} rows with the sums of "
                f"{one.file}. Load that file first",
            )
    arrival.problems.refuse_if_any()
    table = tables.archived_months
    gone = [one.month for one in wanted]
    arrival.connection.execute(delete(table).where(table.c.month.in_(gone)))


def _is_whole(arrival: Arrival, one: ArchivedMonth) -> bool:
    staged = arrival.connection.execute(text(STAGED), {"month": one.month}).one()
    return tuple(staged) == (one.row_count, one.volume_usd, one.fees_usd, one.trade_count)


def refuse_referrals(arrival: Arrival) -> None:
    """Raise LoadRefused if referrals of an archived month are new or changed.

    They count as new users of that month, and of its days.
    """
    among = " or ".join(
        f"date_trunc('month', {day}::timestamp) in (select month from review.archived_months)"
        for day in ("c.old_day", "c.new_day")
    )
    arrival.name_rows(
        "select s.staged, (s.referred_at at time zone 'UTC')::date::text, null::bigint "
        f"from {CHANGES} c join {TABLE} s using (affiliate_account_id, referred_account_id) "
        f"where {among}",
        "referred_at",
        "would change a month whose activity is archived. Load the month's archive first",
    )
    arrival.problems.refuse_if_any()

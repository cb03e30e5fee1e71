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


def take_back(arrival: Arrival, months: Collection[date]) -> list[date]:
    """Let those of ``months`` that are archived be facts again, if their files are staged.

    Returns them. Raises LoadRefused, which names the first row of a month whose file is not there,
    or not alone.
    """
    wanted = [one for one in archived.read(arrival.connection) if one.month in months]
    for one in wanted:
        if not _is_whole(arrival, one):
            arrival.name_rows(
                f"select min(staged), '{one.month:%Y-%m}', null::bigint from {TABLE} "
                f"where date_trunc('month', activity_date) = '{one.month}'",
                "activity_date",
                f"is archived and comes back as the file that was archived, and nothing else: "
                f"{one.file} with {one.row_count:,} rows and SHA-256 {one.sha256}. "
                "Load that file first",
            )
    arrival.problems.refuse_if_any()
    table = tables.archived_months
    gone = [one.month for one in wanted]
    arrival.connection.execute(delete(table).where(table.c.month.in_(gone)))
    return gone


def _is_whole(arrival: Arrival, one: ArchivedMonth) -> bool:
    """Whether the month's rows are those of its file: it is there, and there are no others."""
    staged = arrival.connection.execute(text(STAGED), {"month": one.month}).one()
    sums = (one.row_count, one.volume_usd, one.fees_usd, one.trade_count)
    return one.sha256 in arrival.sha256s and tuple(staged) == sums


def refuse_referrals(arrival: Arrival) -> None:
    """Raise LoadRefused if referrals of an archived month are new or changed.

    They count as new users of that month, and of its days.
    """
    for one in _touched(arrival):
        among = " or ".join(
            f"date_trunc('month', {day}::timestamp) = '{one.month}'"
            for day in ("c.old_day", "c.new_day")
        )
        arrival.name_rows(
            "select s.staged, (s.referred_at at time zone 'UTC')::date::text, null::bigint "
            f"from {CHANGES} c join {TABLE} s using (affiliate_account_id, referred_account_id) "
            f"where {among}",
            "referred_at",
            f"would change the figures of {one.month:%Y-%m}, whose activity is archived. "
            f"Load {one.file} first",
        )
    arrival.problems.refuse_if_any()


def _touched(arrival: Arrival) -> list[ArchivedMonth]:
    """Return the archived months of referrals that are new or changed, before or now."""
    months = archived.read(arrival.connection)
    if not months:
        return []
    found = arrival.connection.execute(
        text(
            "select distinct date_trunc('month', day::timestamp)::date "
            f"from {CHANGES} c, unnest(array[c.old_day, c.new_day]) day"
        )
    )
    days = {*found.scalars()}
    return [one for one in months if one.month in days]

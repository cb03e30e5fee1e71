"""Near misses: accounts to invite, a page at a time (`data_access/explore/invitable.py`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from data_access.db import tables
from data_access.eligibility import delivered
from data_access.eligibility.judging import JudgingContext
from data_access.explore import invitable, queries
from program.affiliates.requalification import closest
from program.periods import month_start, recent_months
from program.policy.criteria import CRITERIA, VOLUME, X_FOLLOWERS
from program.policy.eligibility import Assessment, CriterionResult, Facts, assess
from program.reports.datasets import NEAR_MISSES
from program.review.workflow import Status

PAGE_SIZE = 50
MONTHS_SHOWN = 6
# Values that a near miss has as the dataset has them.
AS_READ = (
    *("account_id", "username", "country_code", "kyc_status"),
    *("last_application_id", "last_at", "reason_code", "may_apply_from"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """An account to invite. ``months`` are volumes in USD; the last is the running month of T.

    ``closest`` is the deciding criterion: the weakest on-exchange one or the strongest external
    one, whichever came closer. ``last_application_id`` is ``None`` if they never applied.
    ``may_apply_from`` is in the future if the last rejection says so; otherwise they may apply now.
    """

    account_id: int
    username: str
    country_code: str | None
    kyc_status: str
    facts: Facts
    assessment: Assessment
    closest: CriterionResult | None
    months: tuple[Decimal, ...]
    last_application_id: int | None
    last_status: Status | None
    last_at: datetime | None
    reason_code: str | None
    may_apply_from: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMisses:
    """One page, its number, the total, and how many meet every minimum."""

    rows: list[NearMiss]
    page: int
    total: int
    over: int


def page(
    connection: Connection, context: JudgingContext, *, number: int = 1, size: int = PAGE_SIZE
) -> NearMisses:
    """Return a page, those above the minimums first, then by volume.

    A number beyond the last page gives the last. Empty while metrics are unknown.
    """
    if context.freshness is None:
        return NearMisses(rows=[], page=1, total=0, over=0)
    near = invitable.listed(context)
    counted = select(
        near.c.account_id,
        func.count().over().label("total"),
        func.count().filter(near.c.over).over().label("met"),
    ).order_by(near.c.over.desc(), near.c[VOLUME.key].desc().nulls_last(), near.c.account_id)
    found = connection.execute(counted.offset((number - 1) * size).limit(size)).all()
    if not found and number > 1:
        total = connection.execute(select(func.count()).select_from(near)).scalar_one()
        return page(connection, context, number=max(1, -(-total // size)), size=size)
    if not found:
        return NearMisses(rows=[], page=1, total=0, over=0)
    rows = _rows(connection, [row.account_id for row in found], context)
    return NearMisses(rows=rows, page=number, total=found[0].total, over=found[0].met)


def _rows(connection: Connection, ids: Sequence[int], context: JudgingContext) -> list[NearMiss]:
    rows = queries.rows_of(connection, NEAR_MISSES, NEAR_MISSES.names, context, ids)
    months = _months(connection, ids, context)
    return [_near_miss(rows[id_], months[id_], context) for id_ in ids if id_ in rows]


def _near_miss(
    row: Mapping[str, Any], months: tuple[Decimal, ...], context: JudgingContext
) -> NearMiss:
    followers = row[X_FOLLOWERS.key]
    known = {criterion.key: row[criterion.key] for criterion in CRITERIA}
    facts = Facts(**{**known, X_FOLLOWERS.key: None if followers is None else int(followers)})
    status = row["last_status"]
    return NearMiss(
        **{name: row[name] for name in AS_READ},
        facts=facts,
        assessment=assess(facts, context.policy),
        closest=closest(facts, context.policy),
        months=months,
        last_status=None if status is None else Status(status),
    )


def _months(
    connection: Connection, ids: Sequence[int], context: JudgingContext
) -> dict[int, tuple[Decimal, ...]]:
    assert context.freshness is not None
    last = month_start(context.freshness.data_through)
    begin = connection.execute(select(delivered.first_day())).scalar_one()
    shown = recent_months(last, MONTHS_SHOWN, begin)
    table = tables.affiliate_monthly
    rows = connection.execute(
        select(table.c.affiliate_account_id, table.c.month, table.c.volume_usd).where(
            table.c.affiliate_account_id.in_(ids), table.c.month.in_(shown)
        )
    )
    held = {(row.affiliate_account_id, row.month): row.volume_usd for row in rows}
    return {id_: tuple(held.get((id_, month), Decimal(0)) for month in shown) for id_ in ids}

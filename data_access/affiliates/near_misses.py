"""Near misses: accounts to invite, which meet the minimums of a track or nearly do.

"Nearly" means short by a tenth at most: in every on-exchange criterion, or in one external
criterion by the current evidence of the account's newest application. Accounts with a pending or
approved application, or rejected forever, are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    union,
)

from data_access.db import tables
from data_access.eligibility import delivered, judging
from data_access.eligibility.judging import METRIC_TYPES, JudgingContext
from program.affiliates.requalification import closest, nearly
from program.periods import month_start, recent_months, utc_day
from program.policy.criteria import (
    CRITERIA,
    EXTERNAL,
    ON_EXCHANGE,
    VOLUME,
    X_FOLLOWERS,
    Requires,
    Track,
)
from program.policy.eligibility import Assessment, CriterionResult, Facts, assess
from program.policy.policy import Policy
from program.review.reapplication import NEVER, may_reapply
from program.review.workflow import Decision, Status

PAGE_SIZE = 50
MONTHS_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """An account to invite. ``months`` are volumes in USD; the last is the running month of T.

    ``closest`` is the deciding criterion: the weakest on-exchange one or the strongest external
    one, whichever came closer. ``last_application_id`` is ``None`` if they never applied.
    ``reapply_from`` is in the future if the last rejection says so; otherwise they may apply now.
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
    reapply_from: date | None


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
    near = _near(context)
    counted = _in_order(near).add_columns(
        func.count().over().label("total"), func.count().filter(near.c.over).over().label("met")
    )
    found = connection.execute(counted.offset((number - 1) * size).limit(size)).mappings().all()
    if not found and number > 1:
        total = connection.execute(select(func.count()).select_from(near)).scalar_one()
        return page(connection, context, number=max(1, -(-total // size)), size=size)
    if not found:
        return NearMisses(rows=[], page=1, total=0, over=0)
    rows = _rows(connection, found, context)
    return NearMisses(rows=rows, page=number, total=found[0]["total"], over=found[0]["met"])


def every(connection: Connection, context: JudgingContext) -> list[NearMiss]:
    """Return all near misses in the same order, for the file."""
    if context.freshness is None:
        return []
    found = connection.execute(_in_order(_near(context))).mappings().all()
    return _rows(connection, found, context)


def _in_order(near: Subquery) -> Select[Any]:
    return select(near).order_by(
        near.c.over.desc(), near.c[VOLUME.key].desc().nulls_last(), near.c.account_id
    )


def _near(context: JudgingContext) -> Subquery:
    """Return the accounts to invite with everything they are judged on, if it was delivered."""
    account, window, late = tables.accounts, tables.affiliate_window, judging.uncovered(context)
    assert late is not None
    external = _external(context)
    reaching = union(
        select(window.c.affiliate_account_id.label("account_id")).where(
            _nearly(ON_EXCHANGE, window, context.policy)
        ),
        select(external.c.account_id).where(_nearly(EXTERNAL, external, context.policy)),
    ).subquery("reaching")
    values = {key: judging.metric(key, late) for key in METRIC_TYPES}
    values |= {criterion.key: external.c[criterion.key] for criterion in EXTERNAL.criteria}
    source = (
        account.join(reaching, reaching.c.account_id == account.c.account_id)
        .outerjoin(window, window.c.affiliate_account_id == account.c.account_id)
        .outerjoin(external, external.c.account_id == account.c.account_id)
        .outerjoin(late, late.c.account_id == account.c.account_id)
    )
    return (
        select(
            *(account.c[n] for n in ("account_id", "username", "country_code", "kyc_status")),
            *(value.label(key) for key, value in values.items()),
            func.coalesce(judging.whole_truth(values, context.policy), False).label("over"),
        )
        .select_from(source)
        .where(*_free_to_apply())
        .subquery("near")
    )


def _nearly(track: Track, values: FromClause, policy: Policy) -> ColumnElement[bool]:
    truths = [values.c[c.key] >= nearly(c, policy) for c in track.criteria]
    return and_(*truths) if track.requires is Requires.ALL else or_(*truths)


def _external(context: JudgingContext) -> CTE:
    """Return what the current evidence of each account's newest application establishes."""
    application, evidence = tables.applications, judging.established_evidence(context)
    later = application.alias("later")
    newer = exists().where(
        later.c.account_id == application.c.account_id,
        tuple_(later.c.submitted_at, later.c.application_id)
        > tuple_(application.c.submitted_at, application.c.application_id),
    )
    return (
        select(
            application.c.account_id,
            *(evidence.c[criterion.key] for criterion in EXTERNAL.criteria),
        )
        .join(evidence, evidence.c.application_id == application.c.application_id)
        .where(~newer)
        .cte("external")
    )


def _free_to_apply() -> list[ColumnElement[bool]]:
    application, decision = tables.applications, tables.current_decisions
    of_account = application.c.account_id == tables.accounts.c.account_id
    taken = application.c.status.in_([str(Status.PENDING), str(Status.APPROVED)])
    for_ever = (
        select(1)
        .select_from(decision)
        .join(application, application.c.application_id == decision.c.application_id)
        .where(of_account, decision.c.reapply == NEVER.key)
        .correlate(tables.accounts)
    )
    return [
        ~exists().where(of_account, taken).correlate(tables.accounts),
        ~for_ever.exists(),
    ]


def _rows(
    connection: Connection, found: Sequence[Mapping[Any, Any]], context: JudgingContext
) -> list[NearMiss]:
    ids = [row["account_id"] for row in found]
    if not ids:
        return []
    months = _months(connection, ids, context)
    last = _last_applications(connection, ids)
    return [
        _near_miss(row, months[id_], last.get(id_, NOTHING), context)
        for id_, row in zip(ids, found, strict=True)
    ]


NOTHING: dict[str, Any] = {
    "last_application_id": None,
    "last_status": None,
    "last_at": None,
    "reason_code": None,
    "reapply_from": None,
}


def _near_miss(
    row: Mapping[Any, Any],
    months: tuple[Decimal, ...],
    last: dict[str, Any],
    context: JudgingContext,
) -> NearMiss:
    followers = row[X_FOLLOWERS.key]
    known = {criterion.key: row[criterion.key] for criterion in CRITERIA}
    facts = Facts(**{**known, X_FOLLOWERS.key: None if followers is None else int(followers)})
    opens = last["reapply_from"]
    waits = opens is not None and not may_reapply(None, opens, on=utc_day(context.now))
    return NearMiss(
        **{name: row[name] for name in ("account_id", "username", "country_code", "kyc_status")},
        facts=facts,
        assessment=assess(facts, context.policy),
        closest=closest(facts, context.policy),
        months=months,
        **{**last, "reapply_from": opens if waits else None},
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


def _last_applications(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the newest application of each, with its current decision."""
    application, decision = tables.applications, tables.current_decisions
    rows = connection.execute(
        select(
            application.c.account_id,
            application.c.application_id.label("last_application_id"),
            application.c.status.label("last_status"),
            func.coalesce(application.c.status_changed_at, application.c.submitted_at).label(
                "last_at"
            ),
            decision.c.reason_code,
            decision.c.reapply_from,
        )
        .outerjoin_from(
            application,
            decision,
            and_(
                decision.c.application_id == application.c.application_id,
                decision.c.outcome == str(Decision.REJECTED),
            ),
        )
        .where(application.c.account_id.in_(ids))
        .order_by(application.c.submitted_at, application.c.application_id)
    ).mappings()
    last: dict[int, dict[str, Any]] = {}
    for row in rows:
        values = dict(row)
        id_ = values.pop("account_id")
        last[id_] = {**values, "last_status": Status(values["last_status"])}
    return last

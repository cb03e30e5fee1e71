"""Whom to invite: accounts that reach the on-exchange minimums now, or nearly do.

"Nearly" is short by a tenth at most in every one of them. Whoever has a pending or approved
application, or was rejected for ever, is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select

from data_access import tables
from data_access.standings import Basis
from program.affiliates import nearly
from program.criteria import ON_EXCHANGE
from program.eligibility import CriterionResult, Facts, judge_track
from program.outcomes import Outcome
from program.periods import month_start, months_later, utc_day
from program.reapplying import NEVER, may_reapply
from program.workflow import Decision, Status

PAGE_SIZE = 50
MONTHS_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """An account to invite. ``months`` are volumes in USD, the last one T's, still running.

    ``last_application_id`` is ``None`` for who never applied. ``reapply_from`` lies in the
    future where the last rejection says so; otherwise they may apply now.
    """

    account_id: int
    username: str
    country_code: str | None
    kyc_status: str
    facts: Facts
    outcome: Outcome
    criteria: tuple[CriterionResult, ...]
    months: tuple[Decimal, ...]
    last_application_id: int | None
    last_status: Status | None
    last_at: datetime | None
    reason_code: str | None
    reapply_from: date | None

    @property
    def closest(self) -> CriterionResult:
        """The criterion that falls shortest, or is passed by least."""
        return min(self.criteria, key=lambda result: result.margin or Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page, which page that is, how many there are, and how many reach every minimum."""

    rows: list[NearMiss]
    page: int
    total: int
    over: int


def page(connection: Connection, ground: Basis, *, number: int = 1, size: int = PAGE_SIZE) -> Found:
    """A page, those over the minimums first, then by volume; the last one for any beyond it.

    Empty while metrics are unknown.
    """
    if ground.freshness is None:
        return Found(rows=[], page=1, total=0, over=0)
    counted = _matching(ground).add_columns(
        func.count().over().label("total"), func.count().filter(_over(ground)).over().label("over")
    )
    found = connection.execute(counted.offset((number - 1) * size).limit(size)).all()
    if not found and number > 1:
        matching = _matching(ground).order_by(None).subquery()
        total = connection.execute(select(func.count()).select_from(matching)).scalar_one()
        return page(connection, ground, number=max(1, -(-total // size)), size=size)
    rows = _rows(connection, [row.affiliate_account_id for row in found], ground)
    if not found:
        return Found(rows=[], page=1, total=0, over=0)
    return Found(rows=rows, page=number, total=found[0].total, over=found[0].over)


def every(connection: Connection, ground: Basis) -> list[NearMiss]:
    """All of them, in the same order; for the file."""
    if ground.freshness is None:
        return []
    return _rows(connection, list(connection.execute(_matching(ground)).scalars()), ground)


def _over(ground: Basis) -> ColumnElement[bool]:
    window = tables.affiliate_window.c
    least = {c.key: getattr(ground.policy, c.minimum) for c in ON_EXCHANGE.criteria}
    return and_(*(window[key] >= minimum for key, minimum in least.items()))


def _conditions(ground: Basis) -> list[ColumnElement[bool]]:
    window, application = tables.affiliate_window.c, tables.applications
    near = [window[c.key] >= nearly(c, ground.policy) for c in ON_EXCHANGE.criteria]
    of_account = application.c.account_id == window.affiliate_account_id
    taken = application.c.status.in_([str(Status.PENDING), str(Status.APPROVED)])
    decision = tables.decisions
    for_ever = (
        select(1)
        .select_from(decision)
        .join(application, application.c.application_id == decision.c.application_id)
        .where(of_account, decision.c.reapply == NEVER.key, ~_superseded())
    )
    return [*near, ~exists().where(of_account, taken), ~for_ever.exists()]


def _superseded() -> ColumnElement[bool]:
    later = tables.decisions.alias("later")
    return exists().where(later.c.supersedes == tables.decisions.c.decision_id)


def _matching(ground: Basis) -> Select[Any]:
    window = tables.affiliate_window
    return (
        select(window.c.affiliate_account_id)
        .where(*_conditions(ground))
        .order_by(_over(ground).desc(), window.c.volume_usd.desc(), window.c.affiliate_account_id)
    )


def _rows(connection: Connection, ids: list[int], ground: Basis) -> list[NearMiss]:
    if not ids:
        return []
    account, window = tables.accounts, tables.affiliate_window
    keys = [criterion.key for criterion in ON_EXCHANGE.criteria]
    found = connection.execute(
        select(
            *(account.c[n] for n in ("account_id", "username", "country_code", "kyc_status")),
            *(window.c[key] for key in keys),
        )
        .join(window, window.c.affiliate_account_id == account.c.account_id)
        .where(account.c.account_id.in_(ids))
    ).mappings()
    by_id = {row["account_id"]: dict(row) for row in found}
    months = _months(connection, ids, ground)
    last = _last_applications(connection, ids)
    return [
        _near_miss(by_id[id_], months[id_], last.get(id_, NOTHING), ground)
        for id_ in ids
        if id_ in by_id
    ]


NOTHING: dict[str, Any] = {
    "last_application_id": None,
    "last_status": None,
    "last_at": None,
    "reason_code": None,
    "reapply_from": None,
}


def _near_miss(
    row: dict[str, Any], months: tuple[Decimal, ...], last: dict[str, Any], ground: Basis
) -> NearMiss:
    keys = [criterion.key for criterion in ON_EXCHANGE.criteria]
    facts = Facts(**{key: row.pop(key) for key in keys})
    judged = judge_track(ON_EXCHANGE, facts, ground.policy)
    opens = last["reapply_from"]
    waits = opens is not None and not may_reapply(None, opens, on=utc_day(ground.now))
    return NearMiss(
        **row,
        facts=facts,
        outcome=judged.outcome,
        criteria=judged.criteria,
        months=months,
        **{**last, "reapply_from": opens if waits else None},
    )


def _months(
    connection: Connection, ids: Sequence[int], ground: Basis
) -> dict[int, tuple[Decimal, ...]]:
    assert ground.freshness is not None
    last = month_start(ground.freshness.data_through)
    shown = [months_later(last, -back) for back in range(MONTHS_SHOWN - 1, -1, -1)]
    table = tables.affiliate_monthly
    rows = connection.execute(
        select(table.c.affiliate_account_id, table.c.month, table.c.volume_usd).where(
            table.c.affiliate_account_id.in_(ids), table.c.month >= shown[0]
        )
    )
    held = {(row.affiliate_account_id, row.month): row.volume_usd for row in rows}
    return {id_: tuple(held.get((id_, month), Decimal(0)) for month in shown) for id_ in ids}


def _last_applications(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The newest application of each, with the decision that stands on it."""
    application, decision = tables.applications, tables.decisions
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
                ~_superseded(),
            ),
        )
        .where(application.c.account_id.in_(ids))
        .order_by(application.c.submitted_at, application.c.application_id)
    ).mappings()
    last: dict[int, dict[str, Any]] = {}
    for row in rows:
        told = dict(row)
        id_ = told.pop("account_id")
        last[id_] = {**told, "last_status": Status(told["last_status"])}
    return last

"""Read one application's facts and assess them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Select,
    Subquery,
    bindparam,
    select,
)

from data_access.db import records, tables
from data_access.db.errors import DataChanged, FiguresMoved, NotFound
from data_access.db.records import APPLICATION_ID
from data_access.eligibility.freshness import Freshness
from data_access.eligibility.judging import (
    FEES,
    METRIC_TYPES,
    JudgingContext,
    added_after,
    measured,
    metric,
)
from program.policy.eligibility import Assessment, Facts, assess
from program.policy.evidence import (
    Established,
    EvidenceKind,
    EvidenceMethod,
    Observation,
    establish,
)
from program.policy.policy import Policy
from program.policy.viewed import SecondReasons, ViewedFacts, compare
from program.review import rebates
from program.review.rebates import RebateCost

__all__ = ["ViewedFacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Observation):
    """An observation with its source."""

    method: EvidenceMethod
    source_url: str | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedApplication:
    """The assessment of one application, with all its inputs.

    ``fees_usd`` are the window's net fees; they decide nothing but give the cost of a rebate.
    """

    policy: Policy
    freshness: Freshness | None
    facts: Facts
    fees_usd: Decimal | None
    evidence: tuple[Evidence, ...]
    established: Established
    assessment: Assessment

    def cost(self, rate: Decimal) -> RebateCost | None:
        """Return the cost of a rebate rate beyond the standard; ``None`` if fees are unknown."""
        if self.freshness is None:
            return None
        return rebates.cost(
            self.fees_usd,
            window=self.freshness.window,
            rate=rate,
            standard=self.policy.standard_rebate_rate,
        )

    @property
    def viewed_facts(self) -> ViewedFacts:
        """The facts that the person viewing this assessment sees."""
        return ViewedFacts(
            data_through=self.freshness.data_through if self.freshness else None,
            policy_version=self.policy.version,
            facts=self.facts,
            newest_evidence_id=max((e.evidence_id for e in self.evidence), default=0),
            fees_usd=self.fees_usd,
            evidence_ids=tuple(sorted(self.established.evidence_ids)),
        )


def read(
    connection: Connection, application_id: int, context: JudgingContext
) -> AssessedApplication:
    """Assess one application now; raises NotFound."""
    given = {"application_id": application_id, **metric_values(context)}
    row = connection.execute(metrics(context.freshness is not None), given).mappings().first()
    if row is None:
        raise NotFound(f"There is no application {application_id}.")
    return judge(row, list_evidence(connection, application_id), context)


def judge(
    metrics: Mapping[Any, Any], evidence: Sequence[Evidence], context: JudgingContext
) -> AssessedApplication:
    """Assess an application by the columns of `metric_columns` and its evidence."""
    established = establish(
        evidence,
        data_through=context.freshness.data_through if context.freshness else None,
        now=context.now,
        policy=context.policy,
    )
    facts = Facts(
        **{key: metrics[key] for key in METRIC_TYPES},
        x_followers=established.x_followers,
        external_volume_usd=established.external_volume_usd,
    )
    return AssessedApplication(
        policy=context.policy,
        freshness=context.freshness,
        facts=facts,
        fees_usd=metrics[FEES],
        evidence=tuple(evidence),
        established=established,
        assessment=assess(facts, context.policy),
    )


def list_evidence(connection: Connection, application_id: int) -> Sequence[Evidence]:
    """Return all evidence of an application, newest observation first; none is ever removed."""
    return evidence_of(records.read(connection, tables.evidence, application_id))


def evidence_of(rows: Iterable[Mapping[Any, Any]]) -> Sequence[Evidence]:
    """Return the evidence in rows of ``review.evidence``, newest observation first."""
    found = [
        Evidence(
            evidence_id=row["evidence_id"],
            kind=EvidenceKind(row["kind"]),
            value=row["value"],
            observed_at=row["observed_at"],
            exchange_name=row["exchange_name"],
            told_apart=row["told_apart"],
            method=EvidenceMethod(row["method"]),
            source_url=row["source_url"],
            recorded_by=row["recorded_by"],
            recorded_at=row["recorded_at"],
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.observed_at, one.evidence_id), reverse=True)


def require_unchanged(
    shown: ViewedFacts,
    now: ViewedFacts,
    policy: Policy,
    second_reasons: SecondReasons | None = None,
) -> None:
    """Raise if the facts on the page have changed.

    Raises DataChanged if facts that a decision rests on changed, and FiguresMoved if only figures
    moved; each names the differences, and the person can review and confirm.
    """
    differs = compare(shown, now, policy, second_reasons)
    if differs.changed:
        raise DataChanged((*differs.changed, *differs.moved))
    if differs.moved:
        raise FiguresMoved(differs.moved)


# A parameter of statements that are built once.
COVERED_UNTIL = bindparam("covered_until", type_=DateTime(timezone=True))


def late_accounts(known: bool) -> Subquery | None:
    """Return `judging.uncovered` as of `COVERED_UNTIL`, if metrics are ``known`` at all."""
    return added_after(COVERED_UNTIL) if known else None


def metric_values(context: JudgingContext) -> dict[str, Any]:
    """Return the parameters of `metric_columns`."""
    return {COVERED_UNTIL.key: context.freshness.refreshed_at} if context.freshness else {}


def metric_columns(late: Subquery | None) -> list[ColumnElement[Any]]:
    """Return the columns that `judge` reads; needs `judging.measured` joined."""
    return [metric(key, late).label(key) for key in (*METRIC_TYPES, FEES)]


@cache
def metrics(known: bool) -> Select[Any]:
    """Select what `judge` reads of one application; metrics are ``known`` after a refresh."""
    late = late_accounts(known)
    return (
        select(*metric_columns(late))
        .select_from(measured(late))
        .where(tables.applications.c.application_id == APPLICATION_ID)
    )

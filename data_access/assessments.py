"""One application's facts and the assessment that follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from data_access import tables
from data_access.freshness import Freshness
from data_access.refusals import DataChanged, NotFound
from data_access.standings import FEES, METRIC_TYPES, Basis, measured, metric, uncovered
from program import rebates
from program.criteria import CRITERIA
from program.eligibility import Assessment, Facts, assess
from program.evidence import Established, EvidenceKind, EvidenceMethod, Observation, establish
from program.policy import Policy
from program.rebates import RebateCost


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Observation):
    """An observation with where it came from."""

    method: EvidenceMethod
    source_url: str | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a page showed when its form was drawn; a decision on anything else is refused."""

    data_through: date | None
    policy_version: int
    facts: Facts
    newest_evidence_id: int
    # Unknown before there were metrics, and in what was kept before fees were.
    fees_usd: Decimal | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; numbers as text, so that no reader makes a float of money."""
        values = {c.key: self.facts.value(c) for c in CRITERIA}
        return {
            "data_through": self.data_through.isoformat() if self.data_through else None,
            "policy_version": self.policy_version,
            "facts": {key: None if v is None else str(v) for key, v in values.items()},
            "newest_evidence_id": self.newest_evidence_id,
            "fees_usd": None if self.fees_usd is None else str(self.fees_usd),
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Seen":
        """What `to_json` wrote."""
        through = kept["data_through"]
        whole = {"active_users", "new_users", "x_followers"}
        facts: dict[str, Any] = {
            key: None if text is None else int(text) if key in whole else Decimal(text)
            for key, text in kept["facts"].items()
        }
        return cls(
            data_through=date.fromisoformat(through) if through else None,
            policy_version=kept["policy_version"],
            facts=Facts(**facts),
            newest_evidence_id=kept["newest_evidence_id"],
            fees_usd=Decimal(kept["fees_usd"]) if kept.get("fees_usd") is not None else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One application judged, with all it was judged on.

    ``fees_usd`` are the window's net fees; they decide nothing but say what a rebate costs.
    """

    policy: Policy
    freshness: Freshness | None
    facts: Facts
    fees_usd: Decimal | None
    evidence: tuple[Evidence, ...]
    established: Established
    assessment: Assessment

    def cost(self, rate: Decimal) -> RebateCost | None:
        """What a rebate rate costs beyond the standard one; ``None`` while fees are unknown."""
        if self.freshness is None:
            return None
        return rebates.cost(
            self.fees_usd,
            window=self.freshness.window,
            rate=rate,
            standard=self.policy.standard_rebate_rate,
        )

    @property
    def seen(self) -> Seen:
        """What the person looking at this standing sees, in short."""
        return Seen(
            data_through=self.freshness.data_through if self.freshness else None,
            policy_version=self.policy.version,
            facts=self.facts,
            newest_evidence_id=max((e.evidence_id for e in self.evidence), default=0),
            fees_usd=self.fees_usd,
        )


def read(connection: Connection, application_id: int, ground: Basis) -> Standing:
    """Judge one application now; raises NotFound."""
    measured = _metrics(connection, application_id, ground)
    fees = measured.pop(FEES)
    evidence = list_evidence(connection, application_id)
    established = establish(
        evidence,
        data_through=ground.freshness.data_through if ground.freshness else None,
        now=ground.now,
        policy=ground.policy,
    )
    facts = Facts(
        **measured,
        x_followers=established.x_followers,
        external_volume_usd=established.external_volume_usd,
    )
    return Standing(
        policy=ground.policy,
        freshness=ground.freshness,
        facts=facts,
        fees_usd=fees,
        evidence=tuple(evidence),
        established=established,
        assessment=assess(facts, ground.policy),
    )


def list_evidence(connection: Connection, application_id: int) -> Sequence[Evidence]:
    """All evidence of an application, newest observation first; nothing is ever removed."""
    table = tables.evidence
    rows = connection.execute(
        select(table)
        .where(table.c.application_id == application_id)
        .order_by(table.c.observed_at.desc(), table.c.evidence_id.desc())
    )
    return [
        Evidence(
            evidence_id=row.evidence_id,
            kind=EvidenceKind(row.kind),
            value=row.value,
            observed_at=row.observed_at,
            exchange_name=row.exchange_name,
            method=EvidenceMethod(row.method),
            source_url=row.source_url,
            recorded_by=row.recorded_by,
            recorded_at=row.recorded_at,
        )
        for row in rows
    ]


def require_unchanged(shown: Seen, now: Seen) -> None:
    """Raise DataChanged, naming what moved, unless the page showed what still holds."""
    changes: list[tuple[str, str, str]] = []
    if shown.data_through != now.data_through:
        changes.append(("data through", str(shown.data_through), str(now.data_through)))
    if shown.policy_version != now.policy_version:
        changes.append(("policy version", str(shown.policy_version), str(now.policy_version)))
    for criterion in CRITERIA:
        before, after = shown.facts.value(criterion), now.facts.value(criterion)
        if before != after:
            changes.append((criterion.label.lower(), _spoken(before), _spoken(after)))
    fees = (shown.fees_usd, now.fees_usd)
    if None not in fees and fees[0] != fees[1]:
        changes.append(("net fees", _spoken(fees[0]), _spoken(fees[1])))
    if shown.newest_evidence_id != now.newest_evidence_id and not changes:
        changes.append(("evidence", "without the newest entry", "recorded by a colleague"))
    if changes:
        raise DataChanged(tuple(changes))


def _metrics(connection: Connection, application_id: int, ground: Basis) -> dict[str, Any]:
    late = uncovered(ground)
    row = (
        connection.execute(
            select(*(metric(key, late).label(key) for key in (*METRIC_TYPES, FEES)))
            .select_from(measured(late))
            .where(tables.applications.c.application_id == application_id)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound(f"There is no application {application_id}.")
    return dict(row)


def _spoken(value: Decimal | int | None) -> str:
    return "unknown" if value is None else f"{value:,}"

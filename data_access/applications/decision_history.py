"""Past decisions, each with the facts known at the time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from data_access.db import tables
from data_access.db.records import APPLICATION_ID
from program.review.workflow import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeDecision:
    """A decision for display."""

    decision_id: int
    application_id: int
    outcome: Decision
    reason_code: str | None
    rationale: str
    message_to_applicant: str
    rebate_rate: Decimal | None
    is_override: bool
    decided_by: str
    decided_at: datetime
    policy_version: int
    snapshot: dict[str, Any]
    second_approver: str | None = None
    override_reason: str | None = None
    reapply: str | None = None
    reapply_from: date | None = None
    supersedes: int | None = None


def current(connection: Connection, application_id: int) -> MadeDecision | None:
    """Return the current decision on an application: the one that no other supersedes."""
    found = connection.execute(_CURRENT, {"application_id": application_id}).mappings()
    return next(iter(of_rows(found)), None)


def of_rows(rows: Iterable[Mapping[Any, Any]]) -> list[MadeDecision]:
    """Return the decisions in rows of ``review.decisions``, in their order."""
    return [
        MadeDecision(
            **{**{name: row[name] for name in _SHOWN}, "outcome": Decision(row["outcome"])}
        )
        for row in rows
    ]


# Without the position, which only serves pollers of decisions.
_SHOWN = [field.name for field in fields(MadeDecision)]
_CURRENT = select(tables.current_decisions).where(
    tables.current_decisions.c.application_id == APPLICATION_ID
)

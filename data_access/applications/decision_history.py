"""Past decisions, each with the facts known at the time."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, select

from data_access.db import tables
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
    return next(iter(_read(connection, tables.current_decisions, application_id)), None)


def history(connection: Connection, application_id: int) -> list[MadeDecision]:
    """Return all decisions on an application, newest first; none is ever removed."""
    return _read(connection, tables.decisions, application_id)


def _read(connection: Connection, table: Table, application_id: int) -> list[MadeDecision]:
    rows = connection.execute(
        # The position only serves pollers of decisions.
        select(*(column for column in table.c if column.name != "position"))
        .where(table.c.application_id == application_id)
        .order_by(table.c.decision_id.desc())
    ).mappings()
    return [MadeDecision(**{**row, "outcome": Decision(row["outcome"])}) for row in rows]

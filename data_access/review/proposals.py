"""Stored proposals of decisions; none is ever removed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, update

from data_access.applications.decision_history import MadeDecision
from data_access.applications.read import Application
from data_access.db import records, tables
from data_access.eligibility.assessments import ViewedFacts
from program.review.workflow import Decision, Move, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A decision as the first person proposed it. ``needed_for`` says why two people are needed."""

    proposal_id: int
    application_id: int
    outcome: Decision
    reason_code: str | None
    override_reason: str
    rationale: str
    message_to_applicant: str
    rebate_rate: Decimal | None
    reapply: str | None
    is_override: bool
    needed_for: tuple[str, ...]
    seen: ViewedFacts
    proposed_by: str
    proposed_at: datetime
    closed_as: str | None
    closed_by: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """A proposal that expired because facts changed: (what, shown then, current) in words."""

    proposal: Proposal
    changes: tuple[tuple[str, str, str], ...]


def waiting(connection: Connection, application_id: int) -> Proposal | None:
    """Return the proposal that waits for a second person, or ``None``."""
    return waiting_of(history(connection, application_id))


def waiting_of(proposed: Sequence[Proposal]) -> Proposal | None:
    """The one of an application's proposals that waits, if one does."""
    return next((proposal for proposal in proposed if proposal.closed_as is None), None)


def lapsed(
    application: Application,
    proposed: Sequence[Proposal],
    decisions: Sequence[MadeDecision],
    events: Iterable[Mapping[str, Any]],
) -> Lapsed | None:
    """The last one ``proposed``, if it lapsed and none of the ``decisions`` came after it."""
    last = next(iter(proposed), None)
    if application.status is not Status.PENDING or last is None or last.closed_as != "lapsed":
        return None
    if any(last.closed_at and made.decided_at >= last.closed_at for made in decisions):
        return None
    details = (event["detail"] for event in events if event["kind"] == Move.LAPSE)
    of_last = (one for one in details if one.get("proposal_id") == last.proposal_id)
    found = (next(of_last, None) or {}).get("changes") or ()
    changes = tuple((one["what"], one["old"], one["new"]) for one in found)
    return Lapsed(proposal=last, changes=changes)


def history(connection: Connection, application_id: int) -> list[Proposal]:
    """Return all proposals for an application, newest first; none is ever removed."""
    return of_rows(records.read(connection, tables.proposals, application_id))


def of_rows(rows: Iterable[Mapping[Any, Any]]) -> list[Proposal]:
    """Return the proposals in rows of ``review.proposals``, in their order."""
    return [
        Proposal(
            **{
                **row,
                "outcome": Decision(row["outcome"]),
                "needed_for": tuple(row["needed_for"]),
                "seen": ViewedFacts.from_json(row["seen"]),
            }
        )
        for row in rows
    ]


def close(
    connection: Connection, proposal_id: int, closed_as: str, by: str | None, at: datetime
) -> None:
    """Close a proposal; ``by`` is None if changed facts closed it."""
    table = tables.proposals
    connection.execute(
        update(table)
        .where(table.c.proposal_id == proposal_id)
        .values(closed_as=closed_as, closed_by=by, closed_at=at)
    )

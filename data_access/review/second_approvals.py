"""Propose, confirm, decline and cancel decisions that need a second person.

The proposal stores what its proposer saw. If a result that it rests on changes, the proposal
expires, so that nobody confirms facts that nobody reviewed. Figures that changed without changing a
result are shown to the second person beside those of the proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from sqlalchemy import Connection, Engine

from data_access.applications import commands, decision_basis
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import text_rules
from data_access.db.errors import (
    ApprovalLapsed,
    ConflictOfInterest,
    NotAllowed,
    NotInState,
)
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import AssessedApplication, ViewedFacts
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.review import checklist, conflicts, decisions, proposals, transitions
from data_access.review.decisions import Decided, Draft, Judgment, Settlement
from data_access.review.proposals import Proposal
from data_access.risk import reading
from program.periods import utc_day
from program.policy import viewed
from program.policy.checklist import CheckOutcome
from program.policy.viewed import Change, Comparison
from program.review.permissions import Act
from program.review.workflow import Decision, Move, Status

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(ApplicationCommand):
    """Make the proposed decision; ``shown`` is what the second person saw."""

    act: ClassVar[Act] = Act.APPROVE_SECOND
    proposal_id: int
    shown: ViewedFacts | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline(ApplicationCommand):
    """Decline a proposal with a reason."""

    act: ClassVar[Act] = Act.APPROVE_SECOND
    proposal_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(ApplicationCommand):
    """Cancel a proposal: the first person's own, or any as a manager."""

    act: ClassVar[Act] = Act.DECIDE
    proposal_id: int
    reason: str


@dataclass(frozen=True)
class ProposalLapsed(Judgment):
    """The facts changed, so the application is pending again; ``id`` is the proposal's."""


def confirm(engine: Engine, command: Confirm) -> Decided:
    """Make the proposed decision as its second person.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, RequestReused, FiguresMoved, Invalid
    while a required check is not passed any more, or ApprovalLapsed, after which the application
    is pending again.
    """

    def do(connection: Connection, application: Application) -> Judgment:
        transitions.require_way(connection, application, Move.CONFIRM)
        proposal = _require_confirmable(connection, application, command)
        context = judging.read_context(connection, now=command.at)
        standing = assessments.read(connection, command.application_id, context)
        checks = checklist.outcomes(connection, command.application_id)
        differs = difference(proposal, standing, application, checks)
        if differs.changed:
            lapse(connection, application, proposal, differs, command)
            return ProposalLapsed(proposal.proposal_id)
        if command.shown is not None:
            current = decision_basis.view(standing, application, checks)
            assessments.require_unchanged(command.shown, current, standing.policy)
        if proposal.outcome is Decision.APPROVED:
            decisions.require_checklist(checks, standing.policy)
        proposals.close(connection, proposal.proposal_id, "confirmed", command.actor, command.at)
        settlement = Settlement(
            draft=_draft(proposal),
            standing=standing,
            checks=checks,
            risk=reading.read(
                connection,
                application.account_id,
                facts=standing.facts,
                policy=standing.policy,
            ),
            decided_by=proposal.proposed_by,
            second_approver=command.actor,
            message_day=utc_day(proposal.proposed_at),
            detail={"proposal_id": proposal.proposal_id, "moved": _as_json(differs.moved)},
        )
        return decisions.settle(connection, application, command, Move.CONFIRM, settlement)

    result = commands.perform_as(Judgment, engine, command, do)
    # The expiry must be committed before the refusal is raised.
    if isinstance(result, ProposalLapsed):
        raise ApprovalLapsed(
            "The facts changed since this was proposed, so the proposal expired and the "
            "application is pending again. Review the new figures and decide again."
        )
    assert isinstance(result, Decided)
    return result


def decline(engine: Engine, command: Decline) -> int:
    """Decline a proposal; the application is pending again. Returns the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, Invalid or RequestReused.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)
    command = replace(command, reason=reason)

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.DECLINE)
        proposal = _require_open(connection, command.application_id, command.proposal_id)
        if command.actor == proposal.proposed_by:
            raise NotAllowed("You proposed this yourself. Cancel it instead.")
        conflicts.require_none(connection, application, command.actor)
        return _send_back(connection, application, proposal, command, Move.DECLINE)

    return commands.perform(engine, command, do)


def cancel(engine: Engine, command: Cancel) -> int:
    """Cancel a proposal; the application is pending again. Returns the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, Invalid or RequestReused.
    """
    reason = text_rules.allow(command.reason, what="The reason", longest=LONGEST_REASON)
    command = replace(command, reason=reason)

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.CANCEL)
        proposal = _require_open(connection, command.application_id, command.proposal_id)
        if not may_cancel(connection, proposal, command.actor):
            proposer = staff.name_of(connection, proposal.proposed_by)
            raise NotAllowed(f"Only {proposer} or a manager may cancel this.")
        if command.actor != proposal.proposed_by:
            conflicts.require_none(connection, application, command.actor)
        return _send_back(connection, application, proposal, command, Move.CANCEL)

    return commands.perform(engine, command, do)


def _require_confirmable(
    connection: Connection, application: Application, command: Confirm
) -> Proposal:
    """Return the proposal, if the actor may confirm it and its proposer has no conflict."""
    proposal = _require_open(connection, command.application_id, command.proposal_id)
    if command.actor == proposal.proposed_by:
        raise NotAllowed("You proposed this yourself; another person must confirm it.")
    conflicts.require_none(connection, application, command.actor)
    _require_proposer_free(connection, application, proposal)
    return proposal


def _draft(proposal: Proposal) -> Draft:
    """Return the proposal as a draft of the decision."""
    return Draft(
        outcome=proposal.outcome,
        rationale=proposal.rationale,
        message=proposal.message_to_applicant,
        reason_code=proposal.reason_code,
        rebate_rate=proposal.rebate_rate,
        override_reason=proposal.override_reason,
        reapply=proposal.reapply,
    )


@known_by("actor")
def may_cancel(connection: Connection, proposal: Proposal, actor: str) -> bool:
    """Return whether ``actor`` is the proposer or may give second approvals."""
    if actor == proposal.proposed_by:
        return True
    person = staff.find(connection, actor)
    return person is not None and person.may(Act.APPROVE_SECOND)


def difference(
    proposal: Proposal,
    standing: AssessedApplication,
    application: Application,
    checks: Mapping[str, CheckOutcome],
) -> Comparison:
    """Compare with what the proposer saw: what expires the proposal, and what only moved."""
    return viewed.compare(
        proposal.seen,
        decision_basis.view(standing, application, checks),
        standing.policy,
        decisions.second_reasons(standing, proposal.outcome, proposal.rebate_rate),
    )


def lapse(
    connection: Connection,
    application: Application,
    proposal: Proposal,
    differs: Comparison,
    command: ApplicationCommand,
) -> None:
    """Expire the proposal, since its facts changed; old and new values stay readable."""
    proposals.close(connection, proposal.proposal_id, "lapsed", None, command.at)
    detail = {
        "proposal_id": proposal.proposal_id,
        "changes": _as_json((*differs.changed, *differs.moved)),
    }
    transitions.move(
        connection, application, Move.LAPSE, command, new=Status.PENDING, detail=detail
    )


def _as_json(changes: Sequence[Change]) -> list[dict[str, str]]:
    return [{"what": what, "old": old, "new": new} for what, old, new in changes]


def end_with_the_application(connection: Connection, command: ApplicationCommand) -> None:
    """Close a proposal whose application was decided or withdrawn upstream."""
    proposal = proposals.waiting(connection, command.application_id)
    if proposal is not None:
        proposals.close(connection, proposal.proposal_id, "withdrawn", None, command.at)
        # If upstream reverts that, the application is pending here as well.
        transitions.put(connection, command, status=str(Status.PENDING), status_at=command.at)
        commands.record_event(
            connection,
            command,
            "second_approval_ended",
            proposal_id=proposal.proposal_id,
            why="the application was withdrawn",
        )


def _send_back(
    connection: Connection,
    application: Application,
    proposal: Proposal,
    command: Decline | Cancel,
    by: Move,
) -> int:
    closed_as = "declined" if by is Move.DECLINE else "cancelled"
    proposals.close(connection, proposal.proposal_id, closed_as, command.actor, command.at)
    detail = {"proposal_id": proposal.proposal_id, "reason": command.reason}
    return transitions.move(connection, application, by, command, new=Status.PENDING, detail=detail)


def _require_proposer_free(
    connection: Connection, application: Application, proposal: Proposal
) -> None:
    """Raise if the proposer has declared a conflict of interest since."""
    if conflicts.refusal(connection, application, proposal.proposed_by) is not None:
        proposer = staff.name_of(connection, proposal.proposed_by)
        raise ConflictOfInterest(
            f"{proposer}, who proposed this, has a conflict of interest with the "
            "applicant. Decline it; another colleague decides again."
        )


def _require_open(connection: Connection, application_id: int, proposal_id: int) -> Proposal:
    proposal = proposals.waiting(connection, application_id)
    if proposal is None or proposal.proposal_id != proposal_id:
        raise NotInState("This proposal is no longer open. Reload the page.")
    return proposal

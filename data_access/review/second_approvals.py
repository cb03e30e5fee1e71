"""Propose, confirm, decline and cancel decisions that need a second person.

The proposal stores what its proposer saw. If a result that it rests on changes, the proposal
expires: nobody confirms what nobody reviewed. Figures that changed without changing a result are
shown to the second person beside those of the proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, update

from data_access.applications import commands, decision_basis, decision_history, requests
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import tables, text_rules
from data_access.db.errors import (
    ApprovalLapsed,
    ConflictOfInterest,
    Invalid,
    NotAllowed,
    NotInState,
)
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import Seen, Standing
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.review import checklist, conflicts, decisions, transitions
from data_access.review.decisions import Draft
from program.periods import utc_day
from program.policy import viewed
from program.policy.checklist import CheckOutcome
from program.policy.viewed import Change, Comparison
from program.review.permissions import Act
from program.review.workflow import Decision, Move, Status

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposed decision. ``needed_for`` lists why it needs a second person."""

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
    seen: Seen
    proposed_by: str
    proposed_at: datetime
    closed_as: str | None
    closed_by: str | None
    closed_at: datetime | None

    @property
    def draft(self) -> Draft:
        """Return the proposal as a draft of the decision."""
        return Draft(
            outcome=self.outcome,
            rationale=self.rationale,
            message=self.message_to_applicant,
            reason_code=self.reason_code,
            rebate_rate=self.rebate_rate,
            override_reason=self.override_reason,
            reapply=self.reapply,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """A proposal that ended because facts changed: (what, shown then, found) in words."""

    proposal: Proposal
    changes: tuple[tuple[str, str, str], ...]


@known_by("actor")
def ask(
    engine: Engine,
    *,
    application_id: int,
    draft: Draft,
    shown: Seen,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Propose a decision that needs a second person; return the proposal's id.

    Raises what a decision raises, and Invalid where one person is enough.
    """
    form = decisions.form_of(
        draft, application_id=application_id, actor=actor, now=now, request_id=request_id, ask=True
    )

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.ASK_SECOND_APPROVAL)
        weighed = decisions.weigh(connection, application, draft, form, shown)
        if not weighed.needed_for:
            raise Invalid("One person is enough for this decision. Decide it.")
        proposal_id: int = connection.execute(
            insert(tables.proposals)
            .values(
                application_id=application_id,
                outcome=str(draft.outcome),
                reason_code=draft.reason_code,
                override_reason=draft.override_reason.strip(),
                rationale=draft.rationale.strip(),
                message_to_applicant=draft.message.strip(),
                rebate_rate=draft.rebate_rate,
                reapply=draft.reapply,
                is_override=weighed.is_override,
                needed_for=list(weighed.needed_for),
                seen=weighed.seen.to_json(),
                proposed_by=actor,
                proposed_at=now,
            )
            .returning(tables.proposals.c.proposal_id)
        ).scalar_one()
        transitions.move(
            connection,
            application,
            Move.ASK_SECOND_APPROVAL,
            form,
            new=Status.AWAITING_SECOND_APPROVAL,
            detail={
                "proposal_id": proposal_id,
                "outcome": str(draft.outcome),
                "needed_for": list(weighed.needed_for),
                "override_reason": draft.override_reason.strip(),
                "figures": [list(one) for one in viewed.figures(weighed.seen)],
            },
            **transitions.NO_CLAIM,
        )
        return proposal_id

    return commands.perform(engine, form, do)


@known_by("actor")
def confirm(
    engine: Engine,
    *,
    application_id: int,
    proposal_id: int,
    actor: str,
    now: datetime,
    request_id: UUID,
    shown: Seen | None = None,
) -> int:
    """Confirm the proposal as its second person; return the decision's id.

    ``shown`` is what the second person saw beside what the first one did. Raises NotAllowed,
    NotFound, AlreadyDecided, NotInState, RequestReused, FiguresMoved, Invalid while a required
    check is not passed any more, or ApprovalLapsed, after which the application is pending again.
    """
    form = requests.form(
        Act.APPROVE_SECOND, {"confirm": proposal_id}, application_id, actor, now, request_id
    )

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.CONFIRM)
        proposal = _require_open(connection, application_id, proposal_id)
        if actor == proposal.proposed_by:
            raise NotAllowed("You proposed this yourself; another person must confirm it.")
        conflicts.require_none(connection, application, actor)
        _require_proposer_free(connection, application, proposal)
        ground = judging.basis(connection, now=now)
        standing = assessments.read(connection, application_id, ground)
        checks = checklist.outcomes(connection, application_id)
        differs = difference(proposal, standing, application, checks)
        if differs.changed:
            lapse(connection, application, proposal, differs, form)
            return LAPSED
        if shown is not None:
            seen = decision_basis.view(standing, application, checks)
            assessments.require_unchanged(shown, seen, standing.policy)
        if proposal.outcome is Decision.APPROVED:
            decisions.require_checklist(checks, standing.policy)
        _close(connection, proposal_id, "confirmed", actor, now)
        return decisions.settle(
            connection,
            application,
            proposal.draft,
            standing,
            form,
            checks=checks,
            by=Move.CONFIRM,
            decided_by=proposal.proposed_by,
            second_approver=actor,
            told_on=utc_day(proposal.proposed_at),
            proposal={"proposal_id": proposal_id, "moved": _as_json(differs.moved)},
        )

    # A lapse has to outlive the refusal, so it is a result of the act and refused afterwards.
    result = commands.perform(engine, form, do)
    if result == LAPSED:
        raise ApprovalLapsed(
            "The facts changed since this was proposed, so the proposal lapsed and the "
            "application is pending again. Review the new figures and decide again."
        )
    return result


@known_by("actor")
def decline(
    engine: Engine,
    *,
    application_id: int,
    proposal_id: int,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Decline a proposal with a reason; the application is pending again.

    Returns the event's id. Raises NotAllowed, NotFound, AlreadyDecided, NotInState, Invalid
    or RequestReused.
    """
    text = text_rules.require(reason, what="The reason", longest=LONGEST_REASON)
    content = {"decline": proposal_id, "reason": text}
    form = requests.form(Act.APPROVE_SECOND, content, application_id, actor, now, request_id)

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.DECLINE)
        proposal = _require_open(connection, application_id, proposal_id)
        if actor == proposal.proposed_by:
            raise NotAllowed("You proposed this yourself. Cancel it instead.")
        conflicts.require_none(connection, application, actor)
        return _send_back(connection, application, proposal, form, Move.DECLINE, text)

    return commands.perform(engine, form, do)


@known_by("actor")
def cancel(
    engine: Engine,
    *,
    application_id: int,
    proposal_id: int,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Cancel a proposal: the actor's own, or any as a manager.

    Returns the event's id. Raises NotAllowed, NotFound, AlreadyDecided, NotInState, Invalid
    or RequestReused.
    """
    text = text_rules.allow(reason, what="The reason", longest=LONGEST_REASON)
    content = {"cancel": proposal_id, "reason": text}
    form = requests.form(Act.DECIDE, content, application_id, actor, now, request_id)

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.CANCEL)
        proposal = _require_open(connection, application_id, proposal_id)
        if not may_cancel(connection, proposal, actor):
            raise NotAllowed(f"Only {proposal.proposed_by} or a manager may cancel this.")
        if actor != proposal.proposed_by:
            conflicts.require_none(connection, application, actor)
        return _send_back(connection, application, proposal, form, Move.CANCEL, text)

    return commands.perform(engine, form, do)


@known_by("actor")
def may_cancel(connection: Connection, proposal: Proposal, actor: str) -> bool:
    """Return whether ``actor`` is the proposer or may give second approvals."""
    if actor == proposal.proposed_by:
        return True
    person = staff.find(connection, actor)
    return person is not None and person.may(Act.APPROVE_SECOND)


def waiting(connection: Connection, application_id: int) -> Proposal | None:
    """Return the open proposal, if there is one."""
    return next((p for p in history(connection, application_id) if p.closed_as is None), None)


def lapsed(connection: Connection, application: Application) -> Lapsed | None:
    """Return the last proposal if it expired and there was no decision since."""
    id_ = application.application_id
    last = next(iter(history(connection, id_)), None)
    if application.status is not Status.PENDING or last is None or last.closed_as != "lapsed":
        return None
    made = decision_history.current(connection, id_)
    if made is not None and last.closed_at is not None and made.decided_at >= last.closed_at:
        return None
    table = tables.events
    found: list[dict[str, str]] | None = connection.execute(
        select(table.c.detail["changes"]).where(
            table.c.application_id == id_,
            table.c.kind == str(Move.LAPSE),
            table.c.detail["proposal_id"].as_integer() == last.proposal_id,
        )
    ).scalar()
    changes = tuple((one["what"], one["old"], one["new"]) for one in found or ())
    return Lapsed(proposal=last, changes=changes)


def history(connection: Connection, application_id: int) -> list[Proposal]:
    """Return every proposal for an application, newest first; none is ever removed."""
    table = tables.proposals
    rows = connection.execute(
        select(table)
        .where(table.c.application_id == application_id)
        .order_by(table.c.proposal_id.desc())
    ).mappings()
    return [
        Proposal(
            **{
                **row,
                "outcome": Decision(row["outcome"]),
                "needed_for": tuple(row["needed_for"]),
                "seen": Seen.from_json(row["seen"]),
            }
        )
        for row in rows
    ]


def difference(
    proposal: Proposal,
    standing: Standing,
    application: Application,
    checks: Mapping[str, CheckOutcome],
) -> Comparison:
    """Compare with what the proposer saw: what ends the proposal, and what only moved."""
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
    form: Form,
) -> None:
    """End the proposal because its facts changed; old and new values stay readable."""
    _close(connection, proposal.proposal_id, "lapsed", None, form.at)
    detail = {
        "proposal_id": proposal.proposal_id,
        "changes": _as_json((*differs.changed, *differs.moved)),
    }
    transitions.move(connection, application, Move.LAPSE, form, new=Status.PENDING, detail=detail)


def _as_json(changes: Sequence[Change]) -> list[dict[str, str]]:
    return [{"what": what, "old": old, "new": new} for what, old, new in changes]


def end_with_the_application(connection: Connection, form: Form) -> None:
    """End an open proposal because upstream settled the application."""
    proposal = waiting(connection, form.application_id)
    if proposal is not None:
        _close(connection, proposal.proposal_id, "withdrawn", None, form.at)
        # Should upstream bring it back, it is as pending here as there.
        transitions.put(connection, form, status=str(Status.PENDING), status_at=form.at)
        commands.tell(
            connection,
            form,
            "second_approval_ended",
            proposal_id=proposal.proposal_id,
            why="the application was withdrawn",
        )


LAPSED = -1


def _send_back(
    connection: Connection,
    application: Application,
    proposal: Proposal,
    form: Form,
    by: Move,
    reason: str,
) -> int:
    closed_as = "declined" if by is Move.DECLINE else "cancelled"
    _close(connection, proposal.proposal_id, closed_as, form.actor, form.at)
    detail = {"proposal_id": proposal.proposal_id, "reason": reason}
    return transitions.move(connection, application, by, form, new=Status.PENDING, detail=detail)


def _require_proposer_free(
    connection: Connection, application: Application, proposal: Proposal
) -> None:
    """Raise if the proposer has declared a conflict of interest since."""
    if conflicts.found(connection, application, proposal.proposed_by) is not None:
        raise ConflictOfInterest(
            f"{proposal.proposed_by}, who proposed this, has a conflict of interest with the "
            "applicant. Decline it; another colleague decides again."
        )


def _require_open(connection: Connection, application_id: int, proposal_id: int) -> Proposal:
    proposal = waiting(connection, application_id)
    if proposal is None or proposal.proposal_id != proposal_id:
        raise NotInState("This proposal is no longer open. Reload the page.")
    return proposal


def _close(
    connection: Connection, proposal_id: int, closed_as: str, by: str | None, at: datetime
) -> None:
    table = tables.proposals
    connection.execute(
        update(table)
        .where(table.c.proposal_id == proposal_id)
        .values(closed_as=closed_as, closed_by=by, closed_at=at)
    )

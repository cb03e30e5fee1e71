"""Approving and rejecting: one transaction that locks, checks, decides and tells.

The order inside matters. The application's row is locked first, so that two people and two
clicks wait for each other; then a repeated request gets its first answer; then role,
status and staleness are checked; and only then anything is written.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from data_access import applications, assessments, database, requests, staff, standings, tables
from data_access.applications import Application
from data_access.assessments import Seen, Standing
from data_access.notes import require_text
from data_access.refusals import AlreadyDecided, Invalid
from data_access.requests import Form
from program import snapshots
from program.outcomes import Outcome
from program.permissions import Act
from program.policy import Policy
from program.workflow import REASONS_BY_CODE, TRANSITIONS, Decision, Status, is_override

LONGEST_TEXT = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A decision as the form gives it. ``override`` says it goes against the computation."""

    outcome: Decision
    rationale: str
    message: str
    reason_code: str | None = None
    rebate_rate: Decimal | None = None
    override: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeDecision:
    """A decision that stands, as it is shown."""

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


def approve(
    engine: Engine,
    *,
    application_id: int,
    rebate_rate: Decimal,
    rationale: str,
    message: str,
    shown: Seen,
    actor: str,
    now: datetime,
    request_id: UUID,
    override: bool = False,
) -> int:
    """Approve with a rebate rate above the standard one; returns the decision's id.

    Raises NotAllowed, NotFound, AlreadyDecided, DataChanged, Invalid or RequestReused.
    """
    draft = Draft(
        outcome=Decision.APPROVED,
        rationale=rationale,
        message=message,
        rebate_rate=rebate_rate,
        override=override,
    )
    form = _form(draft, application_id=application_id, actor=actor, now=now, request_id=request_id)
    return _decide(engine, draft, shown, form)


def reject(
    engine: Engine,
    *,
    application_id: int,
    reason_code: str,
    rationale: str,
    message: str,
    shown: Seen,
    actor: str,
    now: datetime,
    request_id: UUID,
    override: bool = False,
) -> int:
    """Reject with a reason and a message to the applicant; returns the decision's id.

    Raises NotAllowed, NotFound, AlreadyDecided, DataChanged, Invalid or RequestReused.
    """
    draft = Draft(
        outcome=Decision.REJECTED,
        rationale=rationale,
        message=message,
        reason_code=reason_code,
        override=override,
    )
    form = _form(draft, application_id=application_id, actor=actor, now=now, request_id=request_id)
    return _decide(engine, draft, shown, form)


def current(connection: Connection, application_id: int) -> MadeDecision | None:
    """The decision that stands for an application: the one no other supersedes."""
    table = tables.decisions
    successor = table.alias("successor")
    superseded = select(1).where(successor.c.supersedes == table.c.decision_id)
    row = connection.execute(
        select(table).where(table.c.application_id == application_id, ~superseded.exists())
    ).first()
    if row is None:
        return None
    return MadeDecision(
        decision_id=row.decision_id,
        application_id=row.application_id,
        outcome=Decision(row.outcome),
        reason_code=row.reason_code,
        rationale=row.rationale,
        message_to_applicant=row.message_to_applicant,
        rebate_rate=row.rebate_rate,
        is_override=row.is_override,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        policy_version=row.policy_version,
        snapshot=row.snapshot,
    )


def _decide(engine: Engine, draft: Draft, shown: Seen, form: Form) -> int:
    with database.acting(engine) as connection:
        application = applications.read(connection, form.application_id, lock=True)
        earlier = requests.first_result(connection, form)
        if earlier is not None:
            return earlier
        staff.require(connection, form.actor, Act.DECIDE)
        _require_undecided(connection, application, draft)
        ground = standings.basis(connection, now=form.at)
        standing = assessments.read(connection, form.application_id, ground)
        assessments.require_unchanged(shown, standing.seen)
        _check(draft, standing.policy, standing.assessment.outcome)
        decision_id = _insert_decision(connection, draft, standing, form)
        _write_back(connection, application, draft, decision_id, form)
        _tell(connection, application, draft, decision_id, form)
        requests.record(connection, form, result=decision_id)
        return decision_id


def _form(
    draft: Draft, *, application_id: int, actor: str, now: datetime, request_id: UUID
) -> Form:
    return Form(
        request_id=request_id,
        act=Act.DECIDE,
        actor=actor,
        application_id=application_id,
        content=_asked(draft),
        at=now,
    )


def _asked(draft: Draft) -> dict[str, Any]:
    return {
        "outcome": str(draft.outcome),
        "rationale": draft.rationale.strip(),
        "message": draft.message.strip(),
        "reason_code": draft.reason_code,
        "rebate_rate": None if draft.rebate_rate is None else str(draft.rebate_rate.normalize()),
        "override": draft.override,
    }


def _require_undecided(connection: Connection, application: Application, draft: Draft) -> None:
    if Status(draft.outcome) in TRANSITIONS[application.status]:
        return
    made = current(connection, application.application_id)
    raise AlreadyDecided(
        status=application.status,
        by=made.decided_by if made else None,
        at=made.decided_at if made else application.status_changed_at,
    )


def _check(draft: Draft, policy: Policy, outcome: Outcome) -> None:
    require_text(draft.rationale, what="The rationale", longest=LONGEST_TEXT)
    require_text(draft.message, what="The message to the applicant", longest=LONGEST_TEXT)
    if draft.outcome is Decision.REJECTED and draft.reason_code not in REASONS_BY_CODE:
        raise Invalid("Choose a reason for the rejection.")
    if draft.rebate_rate is not None:
        _check_rate(draft.rebate_rate, policy)
    if is_override(draft.outcome, outcome) and not draft.override:
        word = {"met": "met", "not_met": "not met", "unknown": "unknown"}[outcome]
        raise Invalid(
            f"Eligibility is {word}, so this goes against it. "
            "Confirm that you decide against the computed eligibility."
        )


def _check_rate(rate: Decimal, policy: Policy) -> None:
    standard, most = policy.standard_rebate_rate, policy.max_rebate_rate
    if not (rate.is_finite() and standard < rate <= most):
        raise Invalid(
            f"The rebate rate must be above the standard {standard * 100:.4g} % "
            f"and at most {most * 100:.4g} %."
        )
    if rate != rate.quantize(Decimal("0.0001")):
        raise Invalid("The rebate rate takes at most two decimals of a percent.")


def _insert_decision(connection: Connection, draft: Draft, standing: Standing, form: Form) -> int:
    freshness = standing.freshness
    snapshot = snapshots.take(
        standing.assessment,
        policy=standing.policy,
        data_through=freshness.data_through if freshness else None,
        window=freshness.window if freshness else None,
        evidence_ids=standing.established.evidence_ids,
        checklist=_checklist(connection, form.application_id),
    )
    decision_id: int = connection.execute(
        insert(tables.decisions)
        .values(
            application_id=form.application_id,
            outcome=str(draft.outcome),
            reason_code=draft.reason_code,
            rationale=draft.rationale.strip(),
            message_to_applicant=draft.message.strip(),
            rebate_rate=draft.rebate_rate,
            is_override=is_override(draft.outcome, standing.assessment.outcome),
            decided_by=form.actor,
            decided_at=form.at,
            policy_version=standing.policy.version,
            snapshot=snapshot,
        )
        .returning(tables.decisions.c.decision_id)
    ).scalar_one()
    return decision_id


def _checklist(connection: Connection, application_id: int) -> dict[str, str]:
    table = tables.checks
    newest = (
        select(table.c.item, table.c.outcome)
        .where(table.c.application_id == application_id)
        .ext(distinct_on(table.c.item))
        .order_by(table.c.item, table.c.check_id.desc())
    )
    return {row.item: row.outcome for row in connection.execute(newest)}


def _write_back(
    connection: Connection,
    application: Application,
    draft: Draft,
    decision_id: int,
    form: Form,
) -> None:
    table = tables.applications
    # The status guard repeats what the lock already gives: of two decisions one finds no row.
    moved = connection.execute(
        update(table)
        .where(
            table.c.application_id == application.application_id,
            table.c.status == application.status,
        )
        .values(status=str(draft.outcome), status_changed_at=form.at)
    )
    if moved.rowcount != 1:
        raise AlreadyDecided(status=str(draft.outcome), by=None, at=None)
    connection.execute(
        insert(tables.events).values(
            application_id=application.application_id,
            kind=str(draft.outcome),
            actor=form.actor,
            at=form.at,
            detail={
                "status": {"old": str(application.status), "new": str(draft.outcome)},
                "decision_id": decision_id,
            },
        )
    )


def _tell(
    connection: Connection,
    application: Application,
    draft: Draft,
    decision_id: int,
    form: Form,
) -> None:
    # A platform without a handle reaches nobody, and a handle without one is of anywhere.
    channel, recipient = "email", application.email
    if application.contact_platform and application.contact_handle:
        channel, recipient = application.contact_platform, application.contact_handle
    connection.execute(
        insert(tables.outbox).values(
            message_id=uuid5(form.request_id, "outbox"),
            application_id=application.application_id,
            decision_id=decision_id,
            channel=channel,
            recipient=recipient,
            payload={
                "kind": str(draft.outcome),
                "application_id": application.application_id,
                "account_id": application.account_id,
                "username": application.username,
                "message": draft.message.strip(),
                "reason_code": draft.reason_code,
                "rebate_rate": None if draft.rebate_rate is None else str(draft.rebate_rate),
            },
            created_at=form.at,
            next_attempt_at=form.at,
        )
    )

"""Approve, reject and reopen: lock, validate, write, notify, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, insert

from data_access.applications import commands, decision_basis, decision_history
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import tables, text_rules
from data_access.db.errors import Invalid, NotInState, SecondApprovalNeeded
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import Seen, Standing
from data_access.messages import outbox
from data_access.people.identities import known_by
from data_access.review import checklist, conflicts, transitions
from program import wording
from program.messages import canned_texts
from program.messages.delivery import UNDO_FOR
from program.periods import is_behind, utc_day
from program.policy import snapshots
from program.policy.checklist import CheckOutcome, obstacles
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.policy.viewed import SecondReasons
from program.review import assertions, reapplication, rebates
from program.review.permissions import Act
from program.review.rebates import RebateCost, SecondReason
from program.review.workflow import REASONS_BY_CODE, Decision, Move, Status, is_override
from program.text import invisible

LONGEST_TEXT = 4_000
LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A decision as the form gives it.

    ``override_reason`` is needed if it goes against the computed eligibility or costs
    much; ``reapply`` is the rule for applying again, by default the reason's own;
    ``knowingly`` confirms that the reason states facts that are not established.
    """

    outcome: Decision
    rationale: str
    message: str
    reason_code: str | None = None
    rebate_rate: Decimal | None = None
    override_reason: str = ""
    reapply: str | None = None
    knowingly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A validated draft; ``needed_for`` lists why a second person is needed."""

    standing: Standing
    seen: Seen
    checks: Mapping[str, CheckOutcome]
    is_override: bool
    needed_for: tuple[str, ...]


@known_by("actor")
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
    override_reason: str = "",
) -> int:
    """Approve with a rebate rate above the standard one; return the decision's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, ClaimedByAnother, DataChanged,
    SecondApprovalNeeded, Invalid or RequestReused.
    """
    draft = Draft(
        outcome=Decision.APPROVED,
        rationale=rationale,
        message=message,
        rebate_rate=rebate_rate,
        override_reason=override_reason,
    )
    form = form_of(
        draft, application_id=application_id, actor=actor, now=now, request_id=request_id
    )
    return decide(engine, draft, shown, form)


@known_by("actor")
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
    override_reason: str = "",
    reapply: str | None = None,
    knowingly: bool = False,
    leaves_after: timedelta = UNDO_FOR,
) -> int:
    """Reject with a reason and a message to the applicant; return the decision's id.

    The message leaves after ``leaves_after``.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, ClaimedByAnother, DataChanged,
    SecondApprovalNeeded, Invalid or RequestReused.
    """
    draft = Draft(
        outcome=Decision.REJECTED,
        rationale=rationale,
        message=message,
        reason_code=reason_code,
        override_reason=override_reason,
        reapply=reapply,
        knowingly=knowingly,
    )
    form = form_of(
        draft, application_id=application_id, actor=actor, now=now, request_id=request_id
    )
    return decide(engine, draft, shown, replace(form, leaves_after=leaves_after))


@known_by("actor")
def reopen(
    engine: Engine,
    *,
    application_id: int,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Put a decided application back into the queue; the decision stays readable.

    The next decision supersedes it, and the review clock restarts. Returns the event's id.
    Raises NotAllowed, NotFound, NotInState, Invalid or RequestReused.
    """
    text = text_rules.require(reason, what="The reason", longest=LONGEST_REASON)
    form = Form(
        request_id=request_id,
        act=Act.REOPEN,
        actor=actor,
        application_id=application_id,
        content={"reopen": text},
        at=now,
    )

    def do(connection: Connection, application: Application) -> int:
        conflicts.require_none(connection, application, actor)
        if application.status not in (Status.APPROVED, Status.REJECTED):
            raise NotInState("This application is not decided, so there is nothing to reopen.")
        made = decision_history.current(connection, application_id)
        return transitions.move(
            connection,
            application,
            Move.REOPEN,
            form,
            new=Status.PENDING,
            detail={"reason": text, "decision_id": made.decision_id if made else None},
            clock_from=now,
            answered_at=None,
        )

    return commands.perform(engine, form, do)


def decide(engine: Engine, draft: Draft, shown: Seen, form: Form) -> int:
    """Decide if one person is enough; return the decision's id."""

    def do(connection: Connection, application: Application) -> int:
        by = Move.APPROVE if draft.outcome is Decision.APPROVED else Move.REJECT
        transitions.require_way(connection, application, by)
        weighed = weigh(connection, application, draft, form, shown)
        if weighed.needed_for:
            raise SecondApprovalNeeded(
                f"This needs a second person ({', '.join(weighed.needed_for)}). "
                "Ask for a second approval; your text is kept."
            )
        return settle(
            connection, application, draft, weighed.standing, form, checks=weighed.checks, by=by
        )

    return commands.perform(engine, form, do)


def weigh(
    connection: Connection, application: Application, draft: Draft, form: Form, shown: Seen
) -> Weighed:
    """Validate a draft for the locked application against the current facts."""
    conflicts.require_none(connection, application, form.actor)
    transitions.require_not_claimed_by_another(application, form)
    ground = judging.basis(connection, now=form.at)
    standing = assessments.read(connection, form.application_id, ground)
    checks = checklist.outcomes(connection, form.application_id)
    seen = decision_basis.view(standing, application, checks)
    assessments.require_unchanged(
        shown, seen, standing.policy, second_reasons(standing, draft.outcome, draft.rebate_rate)
    )
    _check(draft, standing.policy)
    if draft.outcome is Decision.APPROVED:
        require_checklist(checks, standing.policy)
    override = is_override(draft.outcome, standing.assessment.outcome)
    needed = needed_for(standing, draft.outcome, draft.rebate_rate)
    if override or needed:
        _require_override_reason(draft, standing.assessment.outcome, override=override)
    require_proven(draft, unproven(draft, standing, checks))
    return Weighed(
        standing=standing,
        seen=seen,
        checks=checks,
        is_override=override,
        needed_for=tuple(reason.label for reason in needed),
    )


def needed_for(
    standing: Standing, outcome: Decision, rate: Decimal | None
) -> tuple[SecondReason, ...]:
    """Return why a second person is needed; empty if one is enough."""
    return _needed_for(standing, outcome, standing.cost(rate) if rate is not None else None)


def second_reasons(standing: Standing, outcome: Decision, rate: Decimal | None) -> SecondReasons:
    """Return in words why a second person is needed at the given net fees."""

    def at(fees_usd: Decimal | None) -> tuple[str, ...]:
        if rate is None or not rate.is_finite():
            return ()
        cost = replace(standing, fees_usd=fees_usd).cost(rate)
        return tuple(reason.label for reason in _needed_for(standing, outcome, cost))

    return at


def _needed_for(
    standing: Standing, outcome: Decision, cost: RebateCost | None
) -> tuple[SecondReason, ...]:
    return rebates.needs_second_person(
        override=is_override(outcome, standing.assessment.outcome),
        cost=cost,
        for_overrides=standing.policy.second_approval_for_overrides,
        from_monthly_extra_usd=standing.policy.second_approval_monthly_extra_usd,
    )


def settle(
    connection: Connection,
    application: Application,
    draft: Draft,
    standing: Standing,
    form: Form,
    *,
    checks: Mapping[str, CheckOutcome],
    by: Move,
    decided_by: str | None = None,
    second_approver: str | None = None,
    told_on: date | None = None,
    proposal: Mapping[str, Any] | None = None,
) -> int:
    """Write the decision, the status, the event and the message; return the decision's id.

    ``told_on`` is the UTC day the message was written for, where that was before today: the day
    from which one may apply again is the one it names. ``proposal`` is what the event tells of the
    proposal that was confirmed.
    """
    before = decision_history.current(connection, form.application_id)
    reapply = _reapply(draft)
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
            override_reason=draft.override_reason.strip() or None,
            reapply=reapply,
            reapply_from=(
                reapplication.reapply_from(reapply, told_on or utc_day(form.at))
                if reapply
                else None
            ),
            decided_by=decided_by or form.actor,
            decided_at=form.at,
            second_approver=second_approver,
            policy_version=standing.policy.version,
            snapshot=_snapshot(draft, standing, checks, form.at),
            supersedes=before.decision_id if before else None,
        )
        .returning(tables.decisions.c.decision_id)
    ).scalar_one()
    detail: dict[str, Any] = {"decision_id": decision_id}
    if second_approver is not None:
        detail |= {"proposed_by": decided_by, "second_approver": second_approver}
    detail |= proposal or {}
    transitions.move(connection, application, by, form, new=Status(draft.outcome), detail=detail)
    outbox.put(
        connection,
        application,
        form,
        kind=str(draft.outcome),
        message=draft.message.strip(),
        decision_id=decision_id,
        reason_code=draft.reason_code,
        rebate_rate=None if draft.rebate_rate is None else str(draft.rebate_rate),
    )
    return decision_id


@known_by("actor")
def form_of(
    draft: Draft,
    *,
    application_id: int,
    actor: str,
    now: datetime,
    request_id: UUID,
    ask: bool = False,
) -> Form:
    """Return the draft as a form; with ``ask``, one that asks for a second person."""
    rate = draft.rebate_rate
    content: dict[str, Any] = {
        "outcome": str(draft.outcome),
        "rationale": draft.rationale.strip(),
        "message": draft.message.strip(),
        "reason_code": draft.reason_code,
        "rebate_rate": None if rate is None else str(rate.normalize()),
        "override_reason": draft.override_reason.strip(),
        "reapply": draft.reapply,
        "knowingly": draft.knowingly,
        "ask": ask,
    }
    return Form(
        request_id=request_id,
        act=Act.DECIDE,
        actor=actor,
        application_id=application_id,
        content=content,
        at=now,
    )


def require_reason(reason_code: str | None) -> None:
    """Raise Invalid unless it is one of the reasons for a rejection."""
    if reason_code not in REASONS_BY_CODE:
        raise Invalid("Choose a reason for the rejection.")


def require_reapply(rule: str | None) -> None:
    """Raise Invalid unless it is a rule for applying again, or None for the reason's own."""
    if rule is not None and rule not in reapplication.RULES_BY_KEY:
        raise Invalid("Choose when the applicant may apply again.")


def _reapply(draft: Draft) -> str | None:
    if draft.outcome is Decision.APPROVED:
        return None
    return draft.reapply or reapplication.default_rule(draft.reason_code or "")


def _check(draft: Draft, policy: Policy) -> None:
    text_rules.require(draft.rationale, what="The rationale", longest=LONGEST_TEXT)
    text_rules.require_message(draft.message)
    text_rules.allow(draft.override_reason, what="The reason", longest=LONGEST_REASON)
    if draft.outcome is Decision.REJECTED:
        require_reason(draft.reason_code)
        require_reapply(draft.reapply)
    else:
        check_rate(draft.rebate_rate, policy)


def require_checklist(checks: Mapping[str, CheckOutcome], policy: Policy) -> None:
    """Raise Invalid if a required check is not passed."""
    left = obstacles(policy.required_checks, checks)
    if left:
        raise Invalid(" ".join(left))


def unproven(
    draft: Draft, standing: Standing, checks: Mapping[str, CheckOutcome]
) -> tuple[str, ...]:
    """Return in words what a rejection asserts but is not established."""
    reason = REASONS_BY_CODE.get(draft.reason_code or "")
    if draft.outcome is not Decision.REJECTED or reason is None:
        return ()
    policy = standing.policy
    asked = {*policy.checklist, *policy.required_checks}
    return assertions.unproven(reason, standing.assessment, checks, asked=asked)


def require_proven(draft: Draft, missing: Sequence[str]) -> None:
    """Raise Invalid if a rejection asserts what is ``missing`` and ``knowingly`` is not set.

    With ``knowingly``, the message may not claim it either.
    """
    if not missing:
        return
    reason = REASONS_BY_CODE[draft.reason_code or ""]
    if not draft.knowingly:
        raise Invalid(assertions.unproven_sentence(reason, missing))
    if canned_texts.asserts_unproven(reason.code, draft.message, missing):
        raise Invalid(
            "The message states facts that are not established: "
            f"{wording.listed(list(missing))}. Remove that from the message."
        )


def _require_override_reason(draft: Draft, outcome: Outcome, *, override: bool) -> None:
    if not invisible.shows_nothing(draft.override_reason):
        return
    word = {"met": "met", "not_met": "not met", "unknown": "unknown"}[outcome]
    if override:
        raise Invalid(f"Eligibility is {word}, so this goes against it. Write the override reason.")
    raise Invalid("The cost needs a second person. Write why it is justified.")


def check_rate(rate: Decimal | None, policy: Policy) -> None:
    """Raise Invalid unless the rate is within the policy's limits."""
    standard, most = policy.standard_rebate_rate, policy.max_rebate_rate
    if rate is None or not (rate.is_finite() and standard < rate <= most):
        raise Invalid(
            f"The rebate rate must be above the standard {standard * 100:.4g} % "
            f"and at most {most * 100:.4g} %."
        )
    if rate != rate.quantize(Decimal("0.0001")):
        raise Invalid("The rebate rate takes at most two decimals of a percent.")


def _snapshot(
    draft: Draft, standing: Standing, checks: Mapping[str, CheckOutcome], at: datetime
) -> dict[str, Any]:
    freshness = standing.freshness
    return snapshots.take(
        standing.assessment,
        policy=standing.policy,
        data_through=freshness.data_through if freshness else None,
        window=freshness.window if freshness else None,
        evidence_ids=standing.established.evidence_ids,
        checklist={item: str(outcome) for item, outcome in checks.items()},
        provisional=freshness is not None and is_behind(freshness.data_through, utc_day(at)),
        unproven=unproven(draft, standing, checks),
    )

"""Deciding and reopening: one transaction that locks, validates, writes and notifies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Connection, Engine, bindparam, insert, select

from data_access.applications import commands, decision_basis, decision_history
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import ACCOUNT_ID, Application
from data_access.db import records, tables, text_rules
from data_access.db.bundles import Bundle, Row
from data_access.db.errors import Invalid, NotInState
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import AssessedApplication, ViewedFacts
from data_access.eligibility.judging import JudgingContext
from data_access.messages import outbox
from data_access.people.commands import Result
from data_access.review import checklist, conflicts, transitions
from data_access.risk import reading
from data_access.risk.reading import AccountRisk
from program import wording
from program.messages import canned_texts
from program.periods import is_behind, utc_day
from program.policy import snapshots, viewed
from program.policy.checklist import CheckOutcome, obstacles
from program.policy.outcomes import OUTCOME_WORDS, Outcome
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
    """A decision as submitted.

    ``override_reason`` is needed if it goes against the computed eligibility or its cost needs a
    second person; ``reapply`` is the rule for applying again, by default the reason's;
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

    standing: AssessedApplication
    viewed_facts: ViewedFacts
    checks: Mapping[str, CheckOutcome]
    risk: AccountRisk | None
    is_override: bool
    needed_for: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The content of a decision: the draft, the facts it rests on, and who made it.

    ``message_day`` is the UTC day for which the message was written, from which the day of
    reapplication is counted. ``detail`` is added to the event for a proposal.
    """

    draft: Draft
    standing: AssessedApplication
    checks: Mapping[str, CheckOutcome]
    risk: AccountRisk | None
    decided_by: str
    message_day: date
    second_approver: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(ApplicationCommand):
    """Decide as drafted, on the facts that were ``shown``."""

    act: ClassVar[Act] = Act.DECIDE
    draft: Draft
    shown: ViewedFacts = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen(ApplicationCommand):
    """Return a decided application to the queue."""

    act: ClassVar[Act] = Act.REOPEN
    reason: str


@dataclass(frozen=True)
class Judgment(Result):
    """The result of submitting a decision."""


@dataclass(frozen=True)
class Decided(Judgment):
    """The application is decided; ``id`` is the decision's."""


@dataclass(frozen=True)
class Proposed(Judgment):
    """The decision waits for a second person; ``id`` is the proposal's."""


def submit(engine: Engine, command: Decide) -> Decided | Proposed:
    """Decide, or propose the decision if it needs a second person.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, ClaimedByAnother, DataChanged,
    FiguresMoved, Invalid or RequestReused.
    """

    def do(connection: Connection, application: Application) -> Judgment:
        draft = command.draft
        by = Move.APPROVE if draft.outcome is Decision.APPROVED else Move.REJECT
        transitions.require_way(connection, application, by)
        weighed = weigh(connection, application, command)
        if weighed.needed_for:
            return _propose(connection, application, command, weighed)
        settlement = Settlement(
            draft=draft,
            standing=weighed.standing,
            checks=weighed.checks,
            risk=weighed.risk,
            decided_by=command.actor,
            message_day=utc_day(command.at),
        )
        return settle(connection, application, command, by, settlement)

    result = commands.perform_as(Judgment, engine, command, do)
    assert isinstance(result, Decided | Proposed)
    return result


def reopen(engine: Engine, command: Reopen) -> int:
    """Return a decided application to the queue; the decision stays readable.

    The next decision supersedes it, and the review clock restarts. Returns the event's id. Raises
    NotAllowed, NotFound, NotInState, Invalid or RequestReused.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)
    command = replace(command, reason=reason)

    def do(connection: Connection, application: Application) -> int:
        conflicts.require_none(connection, application, command.actor)
        if application.status not in (Status.APPROVED, Status.REJECTED):
            raise NotInState("This application is not decided, so there is nothing to reopen.")
        made = decision_history.current(connection, command.application_id)
        return transitions.move(
            connection,
            application,
            Move.REOPEN,
            command,
            new=Status.PENDING,
            detail={"reason": reason, "decision_id": made.decision_id if made else None},
            clock_from=command.at,
            answered_at=None,
        )

    return commands.perform(engine, command, do)


def weigh(connection: Connection, application: Application, command: Decide) -> Weighed:
    """Validate a draft on the locked application against the current facts."""
    draft = command.draft
    context = judging.read_context(connection, now=command.at)
    found = _read_basis(connection, application, command.actor, context)
    [conflict], [metrics] = found["conflict"], found["metrics"]
    conflicts.require_none_for(application, command.actor, conflict["reason"])
    transitions.require_not_claimed_by_another(connection, application, command)
    standing = assessments.judge(metrics, assessments.evidence_of(found["evidence"]), context)
    checks = checklist.outcomes_of(checklist.answers_of(found["checks"]))
    viewed_facts = decision_basis.view(standing, application, checks)
    assessments.require_unchanged(
        command.shown,
        viewed_facts,
        standing.policy,
        second_reasons(standing, draft.outcome, draft.rebate_rate),
    )
    # Missing facts are reported before a placeholder that is empty because of them.
    require_proven(draft, unproven(draft, standing, checks))
    _check(draft, standing.policy)
    if draft.outcome is Decision.APPROVED:
        require_checklist(checks, standing.policy)
    override = is_override(draft.outcome, standing.assessment.outcome)
    needed = needed_for(standing, draft.outcome, draft.rebate_rate)
    if override or needed:
        _require_override_reason(draft, standing.assessment.outcome, override=override)
    return Weighed(
        standing=standing,
        viewed_facts=viewed_facts,
        checks=checks,
        risk=reading.of_rows(
            found["measures"], found["dismissals"], facts=standing.facts, policy=standing.policy
        ),
        is_override=override,
        needed_for=tuple(reason.label for reason in needed),
    )


@cache
def _basis(known: bool) -> Bundle:
    """Return what a decision is weighed on, in one statement; metrics are ``known`` or not."""
    return Bundle(
        metrics=assessments.metrics(known),
        evidence=records.newest_first(tables.evidence),
        checks=records.newest_first(tables.checks),
        conflict=conflicts.REASON,
        measures=reading.MEASURES,
        dismissals=reading.DISMISSALS,
    )


def _read_basis(
    connection: Connection, application: Application, actor: str, context: JudgingContext
) -> dict[str, list[Row]]:
    given = {
        "application_id": application.application_id,
        ACCOUNT_ID.key: application.account_id,
        conflicts.PERSON.key: actor,
        **assessments.metric_values(context),
    }
    return _basis(context.freshness is not None).read(connection, **given)


def needed_for(
    standing: AssessedApplication, outcome: Decision, rate: Decimal | None
) -> tuple[SecondReason, ...]:
    """Return why a second person is needed; empty if one is enough."""
    return _needed_for(standing, outcome, standing.cost(rate) if rate is not None else None)


def second_reasons(
    standing: AssessedApplication, outcome: Decision, rate: Decimal | None
) -> SecondReasons:
    """Return in words why a second person is needed at the given net fees."""

    def at(fees_usd: Decimal | None) -> tuple[str, ...]:
        if rate is None or not rate.is_finite():
            return ()
        cost = replace(standing, fees_usd=fees_usd).cost(rate)
        return tuple(reason.label for reason in _needed_for(standing, outcome, cost))

    return at


def _needed_for(
    standing: AssessedApplication, outcome: Decision, cost: RebateCost | None
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
    command: ApplicationCommand,
    by: Move,
    settlement: Settlement,
) -> Decided:
    """Write the decision, the status, the event and the message."""
    draft, second = settlement.draft, settlement.second_approver
    decision_id = _insert(connection, command, settlement)
    detail: dict[str, Any] = {"decision_id": decision_id}
    if second is not None:
        detail |= {"proposed_by": settlement.decided_by, "second_approver": second}
    detail |= settlement.detail
    transitions.move(connection, application, by, command, new=Status(draft.outcome), detail=detail)
    outbox.put(
        connection,
        application,
        command,
        kind=str(draft.outcome),
        message=draft.message.strip(),
        decision_id=decision_id,
        reason_code=draft.reason_code,
        rebate_rate=None if draft.rebate_rate is None else str(draft.rebate_rate),
    )
    return Decided(decision_id)


def _insert(connection: Connection, command: ApplicationCommand, settlement: Settlement) -> int:
    """Insert the decision, which supersedes the current one; returns its id."""
    draft, standing = settlement.draft, settlement.standing
    rule = _reapply(draft)
    from_day = reapplication.reapply_from(rule, settlement.message_day) if rule else None
    row = {
        "application_id": command.application_id,
        "outcome": str(draft.outcome),
        "reason_code": draft.reason_code,
        "rationale": draft.rationale.strip(),
        "message_to_applicant": draft.message.strip(),
        "rebate_rate": draft.rebate_rate,
        "is_override": is_override(draft.outcome, standing.assessment.outcome),
        "override_reason": draft.override_reason.strip() or None,
        "reapply": rule,
        "reapply_from": from_day,
        "decided_by": settlement.decided_by,
        "decided_at": command.at,
        "second_approver": settlement.second_approver,
        "policy_version": standing.policy.version,
        "snapshot": _snapshot(settlement, command.at),
    }
    given = {**row, _DECIDED.key: command.application_id}
    decision_id: int = connection.execute(_INSERT, given).scalar_one()
    return decision_id


# Composed once: a statement takes longer to compose than to send.
_DECIDED = bindparam("decided_application", type_=BigInteger())
_INSERT = (
    insert(tables.decisions)
    .values(
        supersedes=select(tables.current_decisions.c.decision_id)
        .where(tables.current_decisions.c.application_id == _DECIDED)
        .scalar_subquery()
    )
    .returning(tables.decisions.c.decision_id)
)


def _propose(
    connection: Connection, application: Application, command: Decide, weighed: Weighed
) -> Proposed:
    """Propose the decision to a second person, with the facts that the first one saw."""
    draft, needed = command.draft, list(weighed.needed_for)
    proposal_id: int = connection.execute(
        insert(tables.proposals)
        .values(
            application_id=command.application_id,
            outcome=str(draft.outcome),
            reason_code=draft.reason_code,
            override_reason=draft.override_reason.strip(),
            rationale=draft.rationale.strip(),
            message_to_applicant=draft.message.strip(),
            rebate_rate=draft.rebate_rate,
            reapply=draft.reapply,
            is_override=weighed.is_override,
            needed_for=needed,
            seen=weighed.viewed_facts.to_json() | _frozen(weighed.risk),
            proposed_by=command.actor,
            proposed_at=command.at,
        )
        .returning(tables.proposals.c.proposal_id)
    ).scalar_one()
    transitions.move(
        connection,
        application,
        Move.ASK_SECOND_APPROVAL,
        command,
        new=Status.AWAITING_SECOND_APPROVAL,
        detail={
            "proposal_id": proposal_id,
            "outcome": str(draft.outcome),
            "needed_for": needed,
            "override_reason": draft.override_reason.strip(),
            "figures": [list(one) for one in viewed.figures(weighed.viewed_facts)],
        },
        **transitions.NO_CLAIM,
    )
    return Proposed(proposal_id)


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
    draft: Draft, standing: AssessedApplication, checks: Mapping[str, CheckOutcome]
) -> tuple[str, ...]:
    """Return in words what a rejection asserts but is not established."""
    reason = REASONS_BY_CODE.get(draft.reason_code or "")
    if draft.outcome is not Decision.REJECTED or reason is None:
        return ()
    policy = standing.policy
    items = {*policy.checklist, *policy.required_checks}
    return assertions.unproven(reason, standing.assessment, checks, items=items)


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
    word = OUTCOME_WORDS[outcome]
    if override:
        raise Invalid(f"Eligibility is {word}, so this goes against it. Write the override reason.")
    raise Invalid("The cost needs a second person. Write why it is justified.")


def check_rate(rate: Decimal | None, policy: Policy) -> None:
    """Raise Invalid unless the rate is within the policy's limits."""
    problem = rebates.rate_problem(
        rate, standard=policy.standard_rebate_rate, most=policy.max_rebate_rate
    )
    if problem is not None:
        raise Invalid(problem)


def _frozen(risk: AccountRisk | None) -> dict[str, Any]:
    if risk is None:
        return snapshots.risk_of(None, None)
    return snapshots.risk_of(risk.risk, risk.data_through)


def _snapshot(settlement: Settlement, at: datetime) -> dict[str, Any]:
    standing, metrics = settlement.standing, None
    if (fresh := standing.freshness) is not None:
        metrics = snapshots.Metrics(
            data_through=fresh.data_through,
            window=fresh.window,
            provisional=is_behind(fresh.data_through, utc_day(at)),
        )
    return snapshots.take(
        standing.assessment,
        policy=standing.policy,
        metrics=metrics,
        evidence_ids=standing.established.evidence_ids,
        checklist={item: str(outcome) for item, outcome in settlement.checks.items()},
        unproven=unproven(settlement.draft, standing, settlement.checks),
        risk=_frozen(settlement.risk),
    )

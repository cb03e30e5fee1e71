"""What was judged about decided and withdrawn applications: from evidence to decision and message.

Decisions use the metrics that the generated activity had on their day, so that an old snapshot can
be compared with the facts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from data_access.demo import moments, names
from data_access.demo.calendar import Calendar
from data_access.demo.plans import Account, Application, Sighting
from data_access.demo.trading import Trading
from program.messages import canned_texts
from program.messages.canned_texts import MessageFacts, Use
from program.periods import ONE_DAY, Window, day_start, utc_day, window
from program.policy import snapshots, viewed
from program.policy.checklist import CheckOutcome
from program.policy.criteria import VOLUME
from program.policy.eligibility import Assessment, Facts, assess
from program.policy.evidence import Established, EvidenceKind, Observation, establish
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.policy.viewed import ViewedFacts
from program.review import reapplication, rebates
from program.review.workflow import Decision, Move, Status, is_override

RowValues = dict[str, Any]
# The check that fails if a decision rests on its failure.
FAILED_FOR = {
    "account_not_in_order": "identity_and_account",
    "api_broker": "not_api_broker",
    "self_referral": "no_self_referral",
    "audience_not_genuine": "audience_real",
}


@dataclass(slots=True)
class Written:
    """Rows for the review tables, by table, unordered."""

    evidence: list[RowValues] = field(default_factory=list)
    notes: list[RowValues] = field(default_factory=list)
    checks: list[RowValues] = field(default_factory=list)
    decisions: list[RowValues] = field(default_factory=list)
    proposals: list[RowValues] = field(default_factory=list)
    events: list[RowValues] = field(default_factory=list)
    outbox: list[RowValues] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """An application with its id, and its evidence, with ids if it was settled."""

    application_id: int
    account: Account
    application: Application
    sightings: tuple[tuple[int, Sighting], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The known facts about one application at a time. Money in USD."""

    data_through: date
    window: Window
    facts: Facts
    fees_usd: Decimal
    established: Established
    assessment: Assessment
    newest_evidence_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One application with everything needed to judge it."""

    case: Filed
    trading: Trading
    calendar: Calendar
    policy: Policy
    rng: np.random.Generator

    @property
    def application(self) -> Application:
        """The application as planned."""
        return self.case.application

    def known(self, at: datetime) -> Known:
        """Return the facts from metrics and evidence at a time."""
        through = utc_day(at) - ONE_DAY
        days = self.calendar.window(self.calendar.index(through) + 1)
        established = _established(self.case, at, self.policy)
        facts = _facts(self.trading.measured(days), established)
        return Known(
            data_through=through,
            window=window(self.policy.window_kind, through),
            facts=facts,
            fees_usd=Decimal(self.trading.fees_in(days)).scaleb(-6),
            established=established,
            assessment=assess(facts, self.policy),
            newest_evidence_id=max((id_ for id_, _ in self.case.sightings), default=0),
        )

    def viewed_facts(self, known: Known) -> ViewedFacts:
        """Return the facts that a page showed."""
        return ViewedFacts(
            data_through=known.data_through,
            policy_version=self.policy.version,
            facts=known.facts,
            newest_evidence_id=known.newest_evidence_id,
        )

    def filled(self, use: Use, key: str, known: Known, at: datetime, **given: Any) -> str:  # noqa: ANN401
        """Fill a canned text with the applicant's values; ``given`` is a rate or a rule."""
        facts = MessageFacts(
            username=self.case.account.username,
            application_id=self.case.application_id,
            social_handle=self.case.account.social_handle,
            assessment=known.assessment,
            window=known.window,
            policy=self.policy,
            day=utc_day(at),
        )
        values = canned_texts.values(facts, **given)
        return canned_texts.fill(canned_texts.CANNED_BY_KEY[use, key].message, values)


def filed(accounts: Iterable[Account]) -> dict[int, list[Filed]]:
    """Number applications and evidence chronologically; by account id, oldest first.

    Evidence about open applications is numbered when it is recorded.
    """
    sent = sorted(
        ((application, account) for account in accounts for application in account.applications),
        key=lambda pair: (pair[0].submitted_at, pair[1].account_id),
    )
    sightings = sorted(
        (
            (sighting, number)
            for number, (application, _) in enumerate(sent)
            for sighting in application.sightings
            if application.settled_at is not None
        ),
        key=lambda pair: (pair[0].recorded_at, pair[1]),
    )
    evidence: dict[int, list[tuple[int, Sighting]]] = {}
    for evidence_id, (sighting, number) in enumerate(sightings, start=1):
        evidence.setdefault(number, []).append((evidence_id, sighting))
    by_account: dict[int, list[Filed]] = {}
    for number, (application, account) in enumerate(sent):
        by_account.setdefault(account.account_id, []).append(
            Filed(
                application_id=number + 1,
                account=account,
                application=application,
                sightings=tuple(
                    evidence.get(number, ((0, sighting) for sighting in application.sightings))
                ),
            )
        )
    return by_account


def write(written: Written, matter: Matter) -> None:
    """Add what the desk did about a decided or withdrawn application to ``written``."""
    case, settled = matter.case, matter.application.settled_at
    if settled is None:
        return
    written.evidence += _evidence(case)
    written.notes += _notes(case, settled, matter.rng)
    if matter.application.status is Status.WITHDRAWN:
        moved = {"status": _change(Status.PENDING, Status.WITHDRAWN)}
        _record_event(written, case, Move.WITHDRAW, "applicant", settled, moved)
        return
    claimed = moments.between(matter.application.submitted_at, settled, 0.25, 0.25, matter.rng)
    reviewer = matter.application.reviewer
    _record_event(
        written, case, "claimed", reviewer, claimed, {"assignee": _change(None, reviewer)}
    )
    _decide(written, matter, settled)


def _decide(written: Written, matter: Matter, at: datetime) -> None:
    approved = matter.application.status is Status.APPROVED
    outcome = Decision.APPROVED if approved else Decision.REJECTED
    known = matter.known(at)
    draft = drafted(matter, outcome, known, at)
    answers = _answered(written, matter, draft, at)
    reviewer, second = matter.application.reviewer, None
    detail: RowValues = {"status": _change(Status.PENDING, Status(outcome))}
    if draft["needed_for"]:
        second = _confirmed(written, matter, draft, known, at)
        detail["status"] = _change(Status.AWAITING_SECOND_APPROVAL, Status(outcome))
        # Proposed on the same day, so that no figure has moved since.
        detail |= {"proposed_by": reviewer, "second_approver": second, "moved": []}
    snapshot = snapshots.take(
        known.assessment,
        policy=matter.policy,
        metrics=snapshots.Metrics(data_through=known.data_through, window=known.window),
        evidence_ids=known.established.evidence_ids,
        checklist=answers,
    )
    written.decisions.append(_decision(draft, matter, at, snapshot, second))
    _record_event(written, matter.case, str(outcome), second or reviewer, at, detail)
    details = {name: draft[name] for name in ("reason_code", "rebate_rate")}
    _send(written, matter, str(outcome), draft["message_to_applicant"], at, **details)


def _confirmed(
    written: Written, matter: Matter, draft: RowValues, known: Known, at: datetime
) -> str:
    """Let the reviewer propose it and a manager confirm it; returns the manager."""
    second = names.MANAGERS[int(matter.rng.integers(2))]
    _propose(written, matter, draft, known, _proposed_before(at, matter))
    written.proposals[-1] |= {"closed_as": "confirmed", "closed_by": second, "closed_at": at}
    return second


def _proposed_before(at: datetime, matter: Matter) -> datetime:
    """Return a time after all findings and on the same day, since new data expire a proposal."""
    found_out = moments.between(matter.application.submitted_at, at, 0.9, 0.9, matter.rng)
    since = max(found_out, day_start(utc_day(at)) + moments.WORK_BEGINS - timedelta(hours=1))
    return moments.between(since, at, 0.2, 0.6, matter.rng)


def drafted(matter: Matter, outcome: Decision, known: Known, at: datetime) -> RowValues:
    """Return a decision as the form submits it, with the reasons for a second person."""
    rng, approved = matter.rng, outcome is Decision.APPROVED
    rate = _rate(known.assessment, rng) if approved else None
    reason = None if approved else _reason(matter.case, known.assessment, rng)
    rule = reapplication.default_rule(reason) if reason else None
    against = is_override(outcome, known.assessment.outcome)
    needed = rebates.needs_second_person(
        override=against,
        cost=_cost(matter, known, rate),
        for_overrides=matter.policy.second_approval_for_overrides,
        from_monthly_extra_usd=matter.policy.second_approval_monthly_extra_usd,
    )
    subject = _subject(reason, known.assessment)
    why = subject if against else "cost"
    use, key = (Use.REJECTION, reason) if reason else (Use.APPROVAL, "welcome")
    # In the demo a reason's facts are established: the minimums are missed, or its check failed.
    given = (
        {"reapply": rule, "finding": canned_texts.finding(reason, known.assessment, ())}
        if reason
        else {"rebate_rate": rate}
    )
    return {
        "outcome": str(outcome),
        "reason_code": reason,
        "rationale": _one_of(names.RATIONALES[subject], rng),
        "message_to_applicant": matter.filled(use, key, known, at, **given),
        "rebate_rate": None if rate is None else str(rate),
        "reapply": rule,
        "is_override": against,
        "override_reason": _one_of(names.OVERRIDE_REASONS[why], rng) if needed else None,
        "needed_for": [each.label for each in needed],
    }


def _propose(
    written: Written, matter: Matter, draft: RowValues, known: Known, at: datetime
) -> None:
    """Propose a decision to a second person."""
    viewed_facts = matter.viewed_facts(known)
    row = {
        "application_id": matter.case.application_id,
        **draft,
        "seen": viewed_facts.to_json(),
        "proposed_by": matter.application.reviewer,
        "proposed_at": at,
    }
    written.proposals.append(row)
    detail = {
        "status": _change(Status.PENDING, Status.AWAITING_SECOND_APPROVAL),
        **{name: draft[name] for name in ("outcome", "needed_for", "override_reason")},
        "figures": [list(one) for one in viewed.figures(viewed_facts)],
    }
    reviewer = matter.application.reviewer
    _record_event(written, matter.case, Move.ASK_SECOND_APPROVAL, reviewer, at, detail)


def _cost(matter: Matter, known: Known, rate: Decimal | None) -> rebates.RebateCost | None:
    if rate is None:
        return None
    standard = matter.policy.standard_rebate_rate
    return rebates.cost(known.fees_usd, window=known.window, rate=rate, standard=standard)


def _decision(
    draft: RowValues, matter: Matter, at: datetime, snapshot: RowValues, second: str | None
) -> RowValues:
    rule = draft["reapply"]
    kept = {name: value for name, value in draft.items() if name != "needed_for"}
    return {
        "application_id": matter.case.application_id,
        **kept,
        "reapply_from": reapplication.reapply_from(rule, utc_day(at)) if rule else None,
        "decided_by": matter.application.reviewer,
        "decided_at": at,
        "second_approver": second,
        "policy_version": matter.policy.version,
        "snapshot": snapshot,
    }


def _established(case: Filed, at: datetime, policy: Policy) -> Established:
    observations = [
        Observation(
            evidence_id=evidence_id,
            kind=sighting.kind,
            value=Decimal(sighting.value),
            observed_at=sighting.observed_at,
            exchange_name=sighting.exchange_name,
        )
        for evidence_id, sighting in case.sightings
    ]
    return establish(observations, data_through=utc_day(at) - ONE_DAY, now=at, policy=policy)


def _facts(measured: tuple[int, int, int], established: Established) -> Facts:
    cents, active, new = measured
    return Facts(
        volume_usd=Decimal(cents).scaleb(-2),
        active_users=active,
        new_users=new,
        x_followers=established.x_followers,
        external_volume_usd=established.external_volume_usd,
    )


def _reason(case: Filed, assessment: Assessment, rng: np.random.Generator) -> str:
    if case.account.kyc_status != "verified":
        return "account_not_in_order"
    if assessment.outcome is Outcome.NOT_MET:
        return "below_minimums"
    if assessment.outcome is Outcome.UNKNOWN:
        return "evidence_missing"
    reasons = ("audience_not_genuine", "api_broker", "self_referral")
    return reasons[rng.choice(3, p=[0.55, 0.2, 0.25])]


def _subject(reason: str | None, assessment: Assessment) -> str:
    unproven = assessment.outcome is Outcome.UNKNOWN
    return reason or assessment.track or ("unproven" if unproven else "override")


def _one_of(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def _rate(assessment: Assessment, rng: np.random.Generator) -> Decimal:
    """Return a rate from 15 to 40 percent in steps of five, increasing with the volume."""
    volume = next(result for result in assessment.criteria if result.criterion is VOLUME)
    times = float((volume.value or 0) / volume.minimum)
    steps = int(np.clip(np.log2(max(times, 0.01)) + 1 + rng.integers(2), 0, 5))
    return Decimal(15 + 5 * steps).scaleb(-2)


def _evidence(case: Filed) -> Iterator[RowValues]:
    for evidence_id, sighting in case.sightings:
        yield {
            "evidence_id": evidence_id,
            "application_id": case.application_id,
            "kind": str(sighting.kind),
            "value": sighting.value,
            "exchange_name": sighting.exchange_name,
            "source_url": f"https://example.com/seen/{evidence_id}",
            "method": str(sighting.method),
            "observed_at": sighting.observed_at,
            "recorded_by": sighting.recorded_by,
            "recorded_at": sighting.recorded_at,
        }


def _notes(case: Filed, until: datetime, rng: np.random.Generator) -> Iterator[RowValues]:
    for body, at in noted(case, until, rng):
        yield {
            "application_id": case.application_id,
            "body": body,
            "author": case.application.reviewer,
            "created_at": at,
        }


def noted(case: Filed, until: datetime, rng: np.random.Generator) -> Iterator[tuple[str, datetime]]:
    """Yield the notes about an application, each with its time."""
    settled = case.application.settled_at is not None
    count = rng.choice(4, p=[0.15, 0.4, 0.3, 0.15] if settled else [0.6, 0.25, 0.1, 0.05])
    since = case.application.submitted_at
    for body in rng.choice(names.NOTES, count, replace=False):
        yield str(body), moments.between(since, until, 0.2, 0.95, rng)


def _answered(written: Written, matter: Matter, draft: RowValues, at: datetime) -> dict[str, str]:
    """Answer the checklist before the decision: everything that an approval requires."""
    rng, policy = matter.rng, matter.policy
    approved = draft["outcome"] == Decision.APPROVED
    least = len(policy.required_checks) if approved else 0
    items = policy.checklist[: rng.integers(least, len(policy.checklist) + 1)]
    failed = FAILED_FOR.get(draft["reason_code"] or "")
    answered_at = moments.between(matter.application.submitted_at, at, 0.5, 0.85, rng)
    given = answers(matter.case, items, failed)
    written.checks += [
        {
            "application_id": matter.case.application_id,
            "item": item,
            "outcome": str(outcome),
            "comment": names.FAILED_CHECKS[item] if item == failed else "",
            "author": matter.application.reviewer,
            "created_at": answered_at,
        }
        for item, outcome in given.items()
    ]
    return {item: str(outcome) for item, outcome in given.items()}


def answers(case: Filed, items: Sequence[str], failed: str | None) -> dict[str, CheckOutcome]:
    """Return the answers to these items of the checklist, and to the ``failed`` one."""
    external = any(s.kind is EvidenceKind.EXTERNAL_VOLUME for _, s in case.sightings)
    given = dict.fromkeys(items, CheckOutcome.PASSED)
    if failed:
        given[failed] = CheckOutcome.FAILED
    if not external and "external_volume_proven" in given:
        given["external_volume_proven"] = CheckOutcome.NOT_APPLICABLE
    return given


def _record_event(
    written: Written, case: Filed, kind: str, actor: str, at: datetime, detail: RowValues
) -> None:
    """Record an event on the timeline."""
    written.events.append(
        {
            "application_id": case.application_id,
            "kind": str(kind),
            "actor": actor,
            "at": at,
            "detail": detail,
        }
    )


def _change(old: str | None, new: str | None) -> RowValues:
    """Return an old and a new value as events store them."""
    return {"old": old if old is None else str(old), "new": new if new is None else str(new)}


def _send(
    written: Written,
    matter: Matter,
    kind: str,
    message: str,
    at: datetime,
    **more: Any,  # noqa: ANN401
) -> None:
    """Write a message to the applicant that was delivered soon after."""
    account = matter.case.account
    written.outbox.append(
        {
            "message_id": str(UUID(bytes=matter.rng.bytes(16), version=4)),
            "application_id": matter.case.application_id,
            "channel": account.contact_platform,
            "recipient": account.contact_handle,
            "payload": {
                "kind": kind,
                "application_id": matter.case.application_id,
                "account_id": account.account_id,
                "username": account.username,
                "message": message,
                **more,
            },
            "created_at": at,
            "attempts": 1,
            "next_attempt_at": at,
            "delivered_at": at + timedelta(seconds=int(matter.rng.integers(2, 90))),
        }
    )

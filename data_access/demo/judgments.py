"""What the desk wrote about the applications: evidence, notes, checks, decisions, messages.

Decisions are taken on the metrics that the grown activity really had on the day, so that an
old snapshot can be compared with the facts under it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from data_access.demo import names
from data_access.demo.calendar import Calendar
from data_access.demo.plans import Account, Application, Sighting
from data_access.demo.trading import Trading
from program import snapshots
from program.criteria import VOLUME
from program.eligibility import Assessment, Facts, assess
from program.evidence import Established, Observation, establish
from program.outcomes import Outcome
from program.periods import ONE_DAY, utc_day, window
from program.policy import Policy
from program.workflow import APPROVAL_MESSAGE, REASONS_BY_CODE, Decision, Status, is_override

Row = dict[str, Any]
CHECK_ITEMS = ("identity_verified", "handle_belongs_to_applicant", "not_an_api_broker")


@dataclass(slots=True)
class Written:
    """Rows for the review tables, by table, not yet in order."""

    evidence: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    checks: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """An application with its id and its evidence under ids."""

    application_id: int
    account: Account
    application: Application
    sightings: tuple[tuple[int, Sighting], ...]


def filed(accounts: Iterable[Account]) -> dict[int, list[Filed]]:
    """Number applications and evidence as they came in; by account id, oldest first."""
    sent = sorted(
        ((application, account) for account in accounts for application in account.applications),
        key=lambda pair: (pair[0].submitted_at, pair[1].account_id),
    )
    seen = sorted(
        (
            (sighting, number)
            for number, (application, _) in enumerate(sent)
            for sighting in application.sightings
        ),
        key=lambda pair: (pair[0].recorded_at, pair[1]),
    )
    evidence: dict[int, list[tuple[int, Sighting]]] = {}
    for evidence_id, (sighting, number) in enumerate(seen, start=1):
        evidence.setdefault(number, []).append((evidence_id, sighting))
    by_account: dict[int, list[Filed]] = {}
    for number, (application, account) in enumerate(sent):
        by_account.setdefault(account.account_id, []).append(
            Filed(
                application_id=number + 1,
                account=account,
                application=application,
                sightings=tuple(evidence.get(number, ())),
            )
        )
    return by_account


def write(
    written: Written,
    case: Filed,
    trading: Trading,
    *,
    calendar: Calendar,
    policy: Policy,
    rng: np.random.Generator,
) -> None:
    """Add to ``written`` everything the desk did about one application."""
    until = case.application.settled_at or calendar.now
    written.evidence += _evidence(case)
    written.notes += _notes(case, until, rng)
    if case.application.status is Status.PENDING:
        return
    if case.application.status is Status.WITHDRAWN:
        written.events.append(_event(case, "withdrawn", "applicant", until, _moved(case)))
        return
    checklist = _checks(written, case, until, rng)
    claimed = case.application.submitted_at + (until - case.application.submitted_at) * 0.25
    written.events.append(_event(case, "claimed", case.application.reviewer, claimed, {}))
    _decide(written, case, trading, checklist, calendar=calendar, policy=policy, rng=rng)


def _decide(
    written: Written,
    case: Filed,
    trading: Trading,
    checklist: dict[str, str],
    *,
    calendar: Calendar,
    policy: Policy,
    rng: np.random.Generator,
) -> None:
    at = case.application.settled_at
    if at is None:
        raise ValueError("a decided application needs the moment it was decided")
    established = _established(case, at, policy)
    measured = trading.measured(calendar.window(calendar.index(utc_day(at))))
    assessment = assess(_facts(measured, established), policy)
    through = utc_day(at) - ONE_DAY
    snapshot = snapshots.take(
        assessment,
        policy=policy,
        data_through=through,
        window=window(policy.window_kind, through),
        evidence_ids=established.evidence_ids,
        checklist=checklist,
    )
    row = _decision(case, at, assessment, snapshot, rng)
    written.decisions.append(row)
    written.events.append(_event(case, row["outcome"], row["decided_by"], at, _moved(case)))
    written.outbox.append(_message(case, row, at, rng))


def _decision(
    case: Filed, at: datetime, assessment: Assessment, snapshot: Row, rng: np.random.Generator
) -> Row:
    decision = Decision(case.application.status)
    approved = decision is Decision.APPROVED
    reason = None if approved else _reason(case, assessment, rng)
    against = is_override(decision, assessment.outcome)
    return {
        "application_id": case.application_id,
        "outcome": str(decision),
        "reason_code": reason,
        "rationale": _rationale(reason, assessment, rng),
        "message_to_applicant": REASONS_BY_CODE[reason].message if reason else APPROVAL_MESSAGE,
        "rebate_rate": _rate(assessment, rng) if approved else None,
        "is_override": against,
        "decided_by": case.application.reviewer,
        "decided_at": at,
        "second_approver": names.MANAGERS[rng.integers(2)] if approved and against else None,
        "policy_version": snapshot["policy_version"],
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


def _rationale(reason: str | None, assessment: Assessment, rng: np.random.Generator) -> str:
    subject = reason or assessment.track or "override"
    texts = names.RATIONALES[subject]
    return texts[rng.integers(len(texts))]


def _rate(assessment: Assessment, rng: np.random.Generator) -> str:
    """From 15 to 40 percent in steps of five, the more the larger the volume."""
    volume = next(result for result in assessment.criteria if result.criterion is VOLUME)
    times = float((volume.value or 0) / volume.minimum)
    steps = int(np.clip(np.log2(max(times, 0.01)) + 1 + rng.integers(2), 0, 5))
    return str(Decimal(15 + 5 * steps).scaleb(-2))


def _evidence(case: Filed) -> Iterator[Row]:
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


def _notes(case: Filed, until: datetime, rng: np.random.Generator) -> Iterator[Row]:
    settled = case.application.settled_at is not None
    count = rng.choice(4, p=[0.15, 0.4, 0.3, 0.15] if settled else [0.6, 0.25, 0.1, 0.05])
    since = case.application.submitted_at
    for body in rng.choice(names.NOTES, count, replace=False):
        yield {
            "application_id": case.application_id,
            "body": str(body),
            "author": case.application.reviewer,
            "created_at": (since + (until - since) * rng.uniform(0.2, 0.95)).replace(microsecond=0),
        }


def _checks(
    written: Written, case: Filed, until: datetime, rng: np.random.Generator
) -> dict[str, str]:
    """Some of the checklist answered shortly before the decision; returns the answers."""
    answers = {}
    for item in CHECK_ITEMS[: rng.choice(4, p=[0.45, 0.2, 0.2, 0.15])]:
        failed = item == "identity_verified" and case.account.kyc_status != "verified"
        answers[item] = "failed" if failed else "passed"
        written.checks.append(
            {
                "application_id": case.application_id,
                "item": item,
                "outcome": answers[item],
                "comment": "",
                "author": case.application.reviewer,
                "created_at": until - timedelta(minutes=int(rng.integers(1, 40))),
            }
        )
    return answers


def _event(case: Filed, kind: str, actor: str, at: datetime, detail: Row) -> Row:
    return {
        "application_id": case.application_id,
        "kind": kind,
        "actor": actor,
        "at": at.replace(microsecond=0),
        "detail": detail,
    }


def _moved(case: Filed) -> Row:
    return {"status": {"old": str(Status.PENDING), "new": str(case.application.status)}}


def _message(case: Filed, decision: Row, at: datetime, rng: np.random.Generator) -> Row:
    return {
        "message_id": str(UUID(bytes=rng.bytes(16), version=4)),
        "application_id": case.application_id,
        "channel": case.account.contact_platform,
        "recipient": case.account.contact_handle,
        "payload": {
            "kind": decision["outcome"],
            "application_id": case.application_id,
            "account_id": case.account.account_id,
            "username": case.account.username,
            "message": decision["message_to_applicant"],
            "reason_code": decision["reason_code"],
            "rebate_rate": decision["rebate_rate"],
        },
        "created_at": at,
        "attempts": 1,
        "next_attempt_at": at,
        "delivered_at": at + timedelta(seconds=int(rng.integers(2, 90))),
    }

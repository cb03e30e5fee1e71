"""What the desk has done about pending applications, as its verbs would have written it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from data_access.demo import judgments, moments, names
from data_access.demo.judgments import Matter, RowValues, Written, change
from data_access.demo.plans import Turn
from program.messages.canned_texts import Use
from program.periods import ONE_DAY, day_start, utc_day
from program.policy.outcomes import Outcome
from program.review import business_time
from program.review.workflow import Decision, Move, Status

# People look at a demo for longer than an idle claim lasts.
CLAIMS_LAST = (3, 9)
DEFERRED_FOR = (6, 35)


def write(written: Written, matter: Matter) -> None:
    """Add what was done about an application that is pending upstream to ``written``."""
    at = matter.application.turned_at
    if at is None:
        return
    row = TAKE[matter.application.turn](written, matter, at)
    written.desk.append({"application_id": matter.case.application_id, **row})


def _claim(written: Written, matter: Matter, at: datetime) -> RowValues:
    rng, reviewer = matter.rng, matter.application.reviewer
    _check(written, matter, at, share=rng.uniform(0.2, 0.8))
    detail = {"assignee": change(None, reviewer)}
    judgments.record_event(written, matter.case, "claimed", reviewer, at, detail)
    until = matter.calendar.now + timedelta(hours=rng.uniform(*CLAIMS_LAST))
    return _held(reviewer, at, until.replace(microsecond=0))


def _assign(written: Written, matter: Matter, at: datetime) -> RowValues:
    reviewer = matter.application.reviewer
    _check(written, matter, at)
    detail = {"assignee": change(None, reviewer)}
    judgments.record_event(written, matter.case, "assigned", names.MANAGERS[0], at, detail)
    return _held(reviewer, at, None)


def _ask(written: Written, matter: Matter, at: datetime) -> RowValues:
    return _ask_for(
        list(names.ANSWERS)[matter.rng.integers(len(names.ANSWERS))], written, matter, at
    )


def _ask_for(key: str, written: Written, matter: Matter, at: datetime) -> RowValues:
    message = matter.filled(Use.INFORMATION, key, matter.known(at), at)
    _move(written, matter, Move.REQUEST_INFORMATION, Status.MORE_INFO_NEEDED, at, message=message)
    judgments.send(written, matter, str(Move.REQUEST_INFORMATION), message, at)
    return _at(Status.MORE_INFO_NEEDED, at, paused_at=at)


def _answer(written: Written, matter: Matter, at: datetime) -> RowValues:
    submitted = matter.application.submitted_at
    asked_at = moments.between(submitted, at, 0.05, 0.1, matter.rng)
    # Applicants without enough referrals can only show their reach.
    met = matter.known(at).assessment.outcome is Outcome.MET
    key = "profile_proof" if met else "external_statement"
    _ask_for(key, written, matter, asked_at)
    detail = {"answer": names.ANSWERS[key], "paused_since": asked_at.isoformat()}
    _move(written, matter, Move.RECORD_ANSWER, Status.PENDING, at, **detail)
    # None of the demo's holidays is in the past.
    clock_from = business_time.resume(submitted, asked_at, at)
    return _at(Status.PENDING, at, clock_from=clock_from, answered_at=at)


def _defer_to_a_day(written: Written, matter: Matter, at: datetime) -> RowValues:
    days = int(matter.rng.integers(*DEFERRED_FOR))
    until = utc_day(matter.calendar.now) + days * ONE_DAY
    _defer(written, matter, at, until=until.isoformat(), until_change=False)
    return _at(Status.DEFERRED, at, deferred_until=day_start(until))


def _defer_to_a_change(written: Written, matter: Matter, at: datetime) -> RowValues:
    _defer(written, matter, at, until=None, until_change=True)
    # The current outcomes: those of that time may differ, and the application would have returned.
    judged = matter.known(matter.calendar.now).assessment.criteria
    answers = " ".join(f"{result.criterion.key}={result.outcome}" for result in judged)
    return _at(Status.DEFERRED, at, deferred_answers=answers)


def _defer(written: Written, matter: Matter, at: datetime, **until: object) -> None:
    reason = names.DEFERRALS[matter.rng.integers(len(names.DEFERRALS))]
    _move(written, matter, Move.DEFER, Status.DEFERRED, at, reason=reason, **until)


def _propose(written: Written, matter: Matter, at: datetime) -> RowValues:
    known = matter.known(at)
    met = known.assessment.outcome is Outcome.MET
    # The opposite of the computed result, which one person may not decide alone.
    outcome = Decision.REJECTED if met else Decision.APPROVED
    draft = judgments.drafted(matter, outcome, known, at)
    failed = judgments.FAILED_FOR.get(draft["reason_code"] or "")
    _check(written, matter, at, failed=failed)
    judgments.propose(written, matter, draft, known, at)
    return _at(Status.AWAITING_SECOND_APPROVAL, at)


def _reopen(written: Written, matter: Matter, at: datetime) -> RowValues:
    moved = change(Status.REJECTED, Status.PENDING)
    detail = {"status": moved, "reason": names.REOPENED}
    judgments.record_event(written, matter.case, Move.REOPEN, names.MANAGERS[1], at, detail)
    return _at(Status.PENDING, at, clock_from=at)


TAKE: dict[Turn, Callable[[Written, Matter, datetime], RowValues]] = {
    Turn.CLAIMED: _claim,
    Turn.ASSIGNED: _assign,
    Turn.ASKED: _ask,
    Turn.ANSWERED: _answer,
    Turn.DEFERRED_TO_A_DAY: _defer_to_a_day,
    Turn.DEFERRED_TO_A_CHANGE: _defer_to_a_change,
    Turn.PROPOSED: _propose,
    Turn.REOPENED: _reopen,
}


def _check(
    written: Written,
    matter: Matter,
    at: datetime,
    *,
    share: float = 1.0,
    failed: str | None = None,
) -> None:
    """Answer this share of the checklist, shortly before the turn."""
    items = matter.policy.checklist[: round(share * len(matter.policy.checklist))]
    before = moments.between(matter.application.submitted_at, at, 0.85, 0.95, matter.rng)
    judgments.check(written, matter, items, failed, before)


def _move(
    written: Written,
    matter: Matter,
    by: Move,
    new: Status,
    at: datetime,
    **detail: object,
) -> None:
    """Record a reviewer's transition, out of pending or back to it."""
    old = Status.MORE_INFO_NEEDED if new is Status.PENDING else Status.PENDING
    moved = {"status": change(old, new), **detail}
    judgments.record_event(written, matter.case, by, matter.application.reviewer, at, moved)


def _held(assignee: str, at: datetime, until: datetime | None) -> RowValues:
    return {"status": "pending", "assignee": assignee, "claimed_at": at, "claim_until": until}


def _at(status: Status, at: datetime, **state: object) -> RowValues:
    return {"status": str(status), "status_at": at, **state}

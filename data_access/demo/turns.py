"""What the desk has done about open applications, made by calling the verbs with past times.

The thousands that were decided or withdrawn are written as rows instead (`judgments`): a verb
weighs the metrics of the newest refresh, and theirs are those of their own days.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Engine, exists, select, update

from data_access.applications import decision_basis, read
from data_access.applications.commands import ApplicationCommand
from data_access.db import database, tables
from data_access.demo import filling, judgments, moments, names
from data_access.demo.filling import Progress
from data_access.demo.judgments import Matter
from data_access.demo.plans import Turn
from data_access.eligibility import assessments, judging
from data_access.messages import leases
from data_access.review import (
    checklist,
    claims,
    decisions,
    deferrals,
    evidence,
    information_requests,
    notes,
)
from data_access.review.decisions import Decide, Draft
from data_access.review.evidence import Entry, ExchangeAnswer
from program.messages.canned_texts import Use
from program.periods import ONE_DAY, utc_day
from program.policy.outcomes import Outcome
from program.policy.viewed import ViewedFacts
from program.review.workflow import Decision

# People look at a demo for longer than an idle claim lasts.
CLAIMS_LAST = timedelta(hours=6)
DEFERRED_FOR = (6, 35)
DELIVERED_AFTER = timedelta(minutes=1)

# A verb and the command to call it with.
Step: TypeAlias = tuple[Callable[[Engine, Any], object], ApplicationCommand]


def work_desk(engine: Engine, *, progress: Progress | None = None) -> None:
    """Do what staff did about open applications, after a refresh; nothing if somebody did already.

    ``progress`` is called with the number of acts done and in total.
    """
    with database.acting(engine) as connection:
        demo = filling.find(connection)
        if demo is None or connection.execute(select(exists().select_from(tables.desk))).scalar():
            return
    steps = [step for matter in filling.open_matters(demo) for step in _steps(matter)]
    steps.sort(key=lambda step: step[1].at)
    for done, (verb, command) in enumerate(steps, start=1):
        verb(engine, command)
        if progress is not None:
            progress(done, len(steps))


def _steps(matter: Matter) -> Iterator[Step]:
    application = matter.application
    if application.settled_at is None:
        yield from _findings(matter)
    if application.turned_at is not None:
        yield from TAKE[application.turn](matter, application.turned_at)


def _by(matter: Matter, what: str, at: datetime, actor: str = "") -> dict[str, Any]:
    """Return the fields that all commands share, by default the reviewer's."""
    id_ = matter.case.application_id
    return {
        "application_id": id_,
        "actor": actor or matter.application.reviewer,
        "at": at,
        "request_id": uuid5(NAMESPACE_URL, f"demo:{id_}:{what}"),
    }


def _findings(matter: Matter) -> Iterator[Step]:
    """Yield evidence and notes."""
    for number, sighting in enumerate(matter.application.sightings):
        exchange = sighting.exchange_name or ""
        by = _by(matter, f"evidence {number}", sighting.recorded_at)
        entry = Entry(
            kind=sighting.kind,
            value=Decimal(sighting.value),
            observed_at=sighting.observed_at,
            method=sighting.method,
            exchange_name=exchange,
            source_url=f"https://example.com/seen/{by['application_id']}-{number}",
            answer=ExchangeAnswer(exchange, None),
        )
        yield evidence.record, evidence.RecordEvidence(entry=entry, **by)
    for number, (body, at) in enumerate(
        judgments.noted(matter.case, matter.calendar.now, matter.rng)
    ):
        yield notes.write, notes.WriteNote(body=body, **_by(matter, f"note {number}", at))


def _checks(
    matter: Matter, turned: datetime, *, share: float = 1.0, failed: str | None = None
) -> Iterator[Step]:
    """Answer this share of the checklist, after all evidence and shortly before the turn."""
    items = matter.policy.checklist[: round(share * len(matter.policy.checklist))]
    at = moments.between(matter.application.submitted_at, turned, 0.91, 0.96, matter.rng)
    for item, outcome in judgments.answers(matter.case, items, failed).items():
        yield (
            checklist.answer,
            checklist.AnswerCheck(
                item=item,
                outcome=outcome,
                comment=names.FAILED_CHECKS[item] if item == failed else "",
                **_by(matter, item, at),
            ),
        )


def _claim(matter: Matter, at: datetime) -> Iterator[Step]:
    yield from _checks(matter, at, share=matter.rng.uniform(0.2, 0.8))
    yield _claim_for_hours, claims.Claim(**_by(matter, "claim", at))


def _claim_for_hours(engine: Engine, command: claims.Claim) -> None:
    claims.claim(engine, command)
    desk = tables.desk
    with database.acting(engine) as connection:
        connection.execute(
            update(desk)
            .where(desk.c.application_id == command.application_id)
            .values(claim_until=command.at + CLAIMS_LAST)
        )


def _assign(matter: Matter, at: datetime) -> Iterator[Step]:
    yield from _checks(matter, at)
    by = _by(matter, "assign", at, names.MANAGERS[0])
    yield claims.assign, claims.Assign(assignee=matter.application.reviewer, **by)


def _ask(matter: Matter, at: datetime) -> Iterator[Step]:
    key = list(names.ANSWERS)[matter.rng.integers(len(names.ANSWERS))]
    yield _ask_and_deliver, _question(matter, key, at)


def _question(matter: Matter, key: str, at: datetime) -> information_requests.RequestInformation:
    message = matter.filled(Use.INFORMATION, key, matter.known(at), at)
    return information_requests.RequestInformation(message=message, **_by(matter, "ask", at))


def _ask_and_deliver(engine: Engine, command: information_requests.RequestInformation) -> None:
    information_requests.request(engine, command)
    at = command.at + DELIVERED_AFTER
    for taken in leases.take(engine, now=at, count=1, lease=DELIVERED_AFTER):
        leases.finish(engine, taken, delivered=True, reply="", now=at)


def _answer(matter: Matter, at: datetime) -> Iterator[Step]:
    asked_at = moments.between(matter.application.submitted_at, at, 0.05, 0.1, matter.rng)
    # Applicants without enough referrals can only show their reach.
    met = matter.known(at).assessment.outcome is Outcome.MET
    key = "profile_proof" if met else "external_statement"
    yield _ask_and_deliver, _question(matter, key, asked_at)
    answered = information_requests.RecordAnswer(
        answer=names.ANSWERS[key], **_by(matter, "answer", at)
    )
    yield information_requests.record_answer, answered


def _defer_to_a_day(matter: Matter, at: datetime) -> Iterator[Step]:
    days = int(matter.rng.integers(*DEFERRED_FOR))
    until = utc_day(matter.calendar.now) + days * ONE_DAY
    yield _deferral(matter, at, until=until, until_change=False)


def _defer_to_a_change(matter: Matter, at: datetime) -> Iterator[Step]:
    yield _deferral(matter, at, until=None, until_change=True)


def _deferral(matter: Matter, at: datetime, **until: Any) -> Step:  # noqa: ANN401
    reason = names.DEFERRALS[matter.rng.integers(len(names.DEFERRALS))]
    return deferrals.defer, deferrals.Defer(reason=reason, **until, **_by(matter, "defer", at))


def _propose(matter: Matter, at: datetime) -> Iterator[Step]:
    known = matter.known(at)
    met = known.assessment.outcome is Outcome.MET
    # The opposite of the computed result, which one person may not decide alone.
    outcome = Decision.REJECTED if met else Decision.APPROVED
    drafted = judgments.drafted(matter, outcome, known, at)
    reason, rate = drafted["reason_code"], drafted["rebate_rate"]
    yield from _checks(matter, at, failed=judgments.FAILED_FOR.get(reason or ""))
    draft = Draft(
        outcome=outcome,
        rationale=drafted["rationale"],
        message=drafted["message_to_applicant"],
        reason_code=reason,
        rebate_rate=None if rate is None else Decimal(rate),
        override_reason=drafted["override_reason"],
        reapply=drafted["reapply"],
    )
    shown = matter.viewed_facts(known)
    yield _decide_as_shown, Decide(draft=draft, shown=shown, **_by(matter, "propose", at))


def _decide_as_shown(engine: Engine, command: Decide) -> None:
    """Decide on what the page shows at that time."""
    decisions.submit(engine, replace(command, shown=_page_shows(engine, command)))


def _page_shows(engine: Engine, command: Decide) -> ViewedFacts:
    id_, at = command.application_id, command.at
    with database.acting(engine) as connection:
        standing = assessments.read(connection, id_, judging.read_context(connection, now=at))
        application = read.read(connection, id_, now=at)
        return decision_basis.view(standing, application, checklist.outcomes(connection, id_))


def _reopen(matter: Matter, at: datetime) -> Iterator[Step]:
    by = _by(matter, "reopen", at, names.MANAGERS[1])
    yield decisions.reopen, decisions.Reopen(reason=names.REOPENED, **by)


TAKE: dict[Turn, Callable[[Matter, datetime], Iterator[Step]]] = {
    Turn.CLAIMED: _claim,
    Turn.ASSIGNED: _assign,
    Turn.ASKED: _ask,
    Turn.ANSWERED: _answer,
    Turn.DEFERRED_TO_A_DAY: _defer_to_a_day,
    Turn.DEFERRED_TO_A_CHANGE: _defer_to_a_change,
    Turn.PROPOSED: _propose,
    Turn.REOPENED: _reopen,
}

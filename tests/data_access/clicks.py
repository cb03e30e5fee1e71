"""The desk's acts as a person's clicks; whatever a test does not set is filled in."""

import itertools
import uuid
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, text

from data_access.applications import decision_basis, decision_history
from data_access.applications.decision_history import MadeDecision
from data_access.applications.read import Application
from data_access.applications.read import read as read_application
from data_access.db.bundles import Bundle
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import ViewedFacts
from data_access.people.commands import Command
from data_access.review import (
    checklist,
    claims,
    conflicts,
    decisions,
    deferrals,
    dismissals,
    evidence,
    information_requests,
    notes,
    proposals,
    second_approvals,
    timeline,
    written,
)
from data_access.review.decisions import Draft
from data_access.review.evidence import Entry
from data_access.review.timeline import TimelineEntry
from program.policy.checklist import CheckOutcome
from program.policy.evidence import EvidenceKind, EvidenceMethod
from program.review.queue_filters import Filters
from program.review.workflow import Decision
from tests.builders import NOW, T

ANA, BEN, MIRA, NOOR, ADA = (
    f"{name}@example.com" for name in ("ana", "ben", "mira", "noor", "ada")
)
OTHER_WAY = "Known to us for years"  # why one decides against the computed eligibility
RATE = Decimal("0.20")
DRAFTED = {field.name for field in fields(Draft)}
WRITTEN = Bundle(**written.PARTS)
NUMBERS = itertools.count(1)  # of applications in a module's desk


CommandT = TypeVar("CommandT", bound=Command)


def command(kind: type[CommandT], /, **given: Any) -> CommandT:
    """Return a command of ana's at `NOW` unless ``given`` differs; ``now`` is its ``at``."""
    given = {"actor": ANA, "now": NOW, "request_id": uuid.uuid4(), **given}
    return kind(at=given.pop("now"), **given)


def read(engine: Engine, id_: int, *, now: Any = NOW) -> Application:
    with engine.connect() as conn:
        return read_application(conn, id_, now=now)


def thread(conn: Connection, id_: int, *, now: Any = NOW) -> list[TimelineEntry]:
    """The timeline as the application's page shows it."""
    application = read_application(conn, id_, now=now)
    return timeline.entries_of(application, decided(conn, id_), all_written(conn, id_))


def decided(conn: Connection, id_: int) -> list[MadeDecision]:
    """Return all decisions on an application, newest first, as its page reads them."""
    return decision_history.of_rows(all_written(conn, id_).decisions)


def all_written(conn: Connection, id_: int) -> written.Written:
    """Return all that was written about an application, as its page reads it."""
    return written.of_rows(WRITTEN.read(conn, application_id=id_))


def viewed(engine: Engine, id_: int, *, now: Any = NOW) -> ViewedFacts:
    """Return what a page opened now would show."""
    with engine.connect() as conn:
        return assessments.read(conn, id_, judging.read_context(conn, now=now)).viewed_facts


def viewed_with_checks(engine: Engine, id_: int, *, now: Any = NOW) -> ViewedFacts:
    """Return what a page opened now would show, with the checklist and the applicant."""
    with engine.connect() as conn:
        standing = assessments.read(conn, id_, judging.read_context(conn, now=now))
        application = read_application(conn, id_, now=now)
        return decision_basis.view(standing, application, checklist.outcomes(conn, id_))


def events(engine: Engine, id_: int) -> list[Any]:
    """Return kind, actor and detail of every event, oldest first."""
    statement = "select * from review.events where application_id = :id order by event_id"
    with engine.connect() as conn:
        return list(conn.execute(text(statement), {"id": id_}))


JUDGMENTS = (
    *("checks", "decisions", "desk", "events", "evidence", "notes"),
    *("outbox", "proposals", "requests"),
)
KEPT = " union all ".join(
    f"select '{name}', t::text from {table} t where {key} = :id"
    for name, table, key in (
        *((name, f"review.{name}", "application_id") for name in JUDGMENTS),
        ("application", "exchange.applications", "application_id"),
        ("conflicts", "review.conflicts", "account_id"),
    )
)


def kept(engine: Engine, id_: int) -> dict[str, list[str]]:
    """Return every row about an application, as text, for comparison."""
    found: dict[str, list[str]] = {name: [] for name in (*JUDGMENTS, "application", "conflicts")}
    with engine.connect() as conn:
        for name, row in conn.execute(text(KEPT), {"id": id_}):
            found[name].append(row)
    return {name: sorted(rows) for name, rows in found.items()}


def claim(engine: Engine, id_: int, **given: Any) -> int:
    return claims.claim(engine, command(claims.Claim, application_id=id_, **given))


def take_over(engine: Engine, id_: int, **given: Any) -> int:
    return claims.take_over(engine, command(claims.TakeOver, application_id=id_, **given))


def release(engine: Engine, id_: int, **given: Any) -> int:
    return claims.release(engine, command(claims.Release, application_id=id_, **given))


def assign(engine: Engine, id_: int, **given: Any) -> int:
    return claims.assign(
        engine, command(claims.Assign, application_id=id_, **{"assignee": BEN, **given})
    )


def take_next(engine: Engine, **given: Any) -> int | None:
    request = command(claims.TakeNext, **{"filters": Filters(), **given})
    return claims.take_next(engine, request).application_id


def ask_applicant(engine: Engine, id_: int, **given: Any) -> int:
    given = {"message": "Please send a statement.", **given}
    return information_requests.request(
        engine, command(information_requests.RequestInformation, application_id=id_, **given)
    )


def record_answer(engine: Engine, id_: int, **given: Any) -> int:
    given = {"answer": "Here it is.", **given}
    return information_requests.record_answer(
        engine, command(information_requests.RecordAnswer, application_id=id_, **given)
    )


def stop_waiting(engine: Engine, id_: int, **given: Any) -> int:
    given = {"reason": "No reply for weeks", **given}
    return information_requests.stop_waiting(
        engine, command(information_requests.StopWaiting, application_id=id_, **given)
    )


def defer(engine: Engine, id_: int, **given: Any) -> int:
    given = {"until": T + timedelta(days=8), "until_change": False, "reason": "", **given}
    return deferrals.defer(engine, command(deferrals.Defer, application_id=id_, **given))


def bring_back(engine: Engine, id_: int, **given: Any) -> int:
    return deferrals.bring_back(engine, command(deferrals.BringBack, application_id=id_, **given))


def _shown(engine: Engine, id_: int, given: dict[str, Any]) -> ViewedFacts:
    return given.pop("shown", None) or viewed(engine, id_, now=given.get("now", NOW))


def approve(engine: Engine, id_: int, **given: Any) -> int:
    given = {"rebate_rate": RATE, "rationale": "Steady referrals", "message": "Welcome", **given}
    return _decide(engine, id_, Decision.APPROVED, given)


def reject(engine: Engine, id_: int, **given: Any) -> int:
    given = {
        "reason_code": "below_minimums",
        "rationale": "Far below",
        "message": "Not yet",
        "knowingly": True,
        **given,
    }
    return _decide(engine, id_, Decision.REJECTED, given)


def _decide(engine: Engine, id_: int, outcome: Decision, given: dict[str, Any]) -> int:
    """Decide without a second person; returns the decision's id."""
    drafted = {name: given.pop(name) for name in DRAFTED & given.keys()}
    made = submit(engine, id_, draft=Draft(outcome=outcome, **drafted), **given)
    assert isinstance(made, decisions.Decided)
    return made.id


def submit(engine: Engine, id_: int, **given: Any) -> decisions.Decided | decisions.Proposed:
    given["shown"] = _shown(engine, id_, given)
    return decisions.submit(engine, command(decisions.Decide, application_id=id_, **given))


def reopen(engine: Engine, id_: int, **given: Any) -> int:
    given = {"reason": "Decided by mistake", "actor": MIRA, **given}
    return decisions.reopen(engine, command(decisions.Reopen, application_id=id_, **given))


def draft(**given: Any) -> Draft:
    """Return an approval that needs a second person unless eligibility is met."""
    return Draft(
        **{
            "outcome": Decision.APPROVED,
            "rationale": "Steady referrals",
            "message": "Welcome",
            "rebate_rate": RATE,
            "override_reason": OTHER_WAY,
            **given,
        }
    )


def rejection(**given: Any) -> Draft:
    return draft(
        **{
            "outcome": Decision.REJECTED,
            "reason_code": "promotion_methods",
            "message": "Sorry",
            "knowingly": True,
            "rebate_rate": None,
            **given,
        }
    )


def ask_second(engine: Engine, id_: int, **given: Any) -> int:
    """Propose what needs a second approval; returns the proposal's id."""
    made = submit(engine, id_, **{"draft": draft(), **given})
    assert isinstance(made, decisions.Proposed)
    return made.id


def waiting(engine: Engine, id_: int) -> proposals.Proposal | None:
    with engine.connect() as conn:
        return proposals.waiting(conn, id_)


def _proposal(engine: Engine, id_: int, given: dict[str, Any]) -> dict[str, Any]:
    if "proposal_id" in given:
        return given
    proposal = waiting(engine, id_)
    return {"proposal_id": proposal.proposal_id if proposal else 0, **given}


def confirm(engine: Engine, id_: int, **given: Any) -> int:
    given = _proposal(engine, id_, {"actor": MIRA, **given})
    request = command(second_approvals.Confirm, application_id=id_, **given)
    return second_approvals.confirm(engine, request).id


def decline(engine: Engine, id_: int, **given: Any) -> int:
    given = _proposal(engine, id_, {"actor": MIRA, "reason": "The reach is not shown", **given})
    return second_approvals.decline(
        engine, command(second_approvals.Decline, application_id=id_, **given)
    )


def cancel(engine: Engine, id_: int, **given: Any) -> int:
    given = _proposal(engine, id_, {"reason": "Thought again", **given})
    return second_approvals.cancel(
        engine, command(second_approvals.Cancel, application_id=id_, **given)
    )


def note(engine: Engine, id_: int, **given: Any) -> int:
    return notes.write(
        engine,
        command(notes.WriteNote, application_id=id_, **{"body": "Spoke on Telegram", **given}),
    )


def followers(number: int, **given: Any) -> Entry:
    return Entry(
        kind=EvidenceKind.X_FOLLOWERS,
        value=Decimal(number),
        method=EvidenceMethod.PROFILE_PAGE,
        **{"observed_at": NOW - timedelta(days=1), **given},
    )


def record_evidence(engine: Engine, id_: int, **given: Any) -> int:
    given = {"entry": followers(4000), **given}
    return evidence.record(engine, command(evidence.RecordEvidence, application_id=id_, **given))


def check(engine: Engine, id_: int, **given: Any) -> int:
    given = {"item": "jurisdiction", "outcome": CheckOutcome.PASSED, "comment": "", **given}
    return checklist.answer(engine, command(checklist.AnswerCheck, application_id=id_, **given))


def dismiss_signal(engine: Engine, id_: int, **given: Any) -> int:
    until = T + timedelta(days=90)
    given = {"signal": "R10", "reason": "A launch party", "until": until, **given}
    return dismissals.dismiss(
        engine, command(dismissals.DismissSignal, application_id=id_, **given)
    )


def end_dismissal(engine: Engine, id_: int, **given: Any) -> int:
    given = {"signal": "R10", **given}
    return dismissals.end(engine, command(dismissals.EndDismissal, application_id=id_, **given))


def declare_conflict(engine: Engine, id_: int, **given: Any) -> int:
    given = {"email": given.get("actor", ANA), "reason": "A friend", **given}
    return conflicts.declare(
        engine, command(conflicts.DeclareConflict, application_id=id_, **given)
    )

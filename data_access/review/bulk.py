"""Bulk acts: the same commands as for one application, with the same required fields.

Approvals are made one at a time.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Connection, Engine

from data_access.applications import read
from data_access.db import database, text_rules
from data_access.db.errors import Invalid
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import AssessedApplication
from data_access.review import checklist, claims, decisions, deferrals, information_requests
from data_access.review.bulk_runs import BulkCommand, Result, run
from program.messages import canned_texts
from program.messages.canned_texts import MessageFacts
from program.messages.delivery import undo_for
from program.periods import utc_day
from program.policy.outcomes import Outcome
from program.review.permissions import Act
from program.review.workflow import REASONS_BY_CODE, Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimEach(BulkCommand):
    """Claim each application."""

    act: ClassVar[Act] = Act.CLAIM


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignEach(BulkCommand):
    """Assign each application to one colleague."""

    act: ClassVar[Act] = Act.ASSIGN
    assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferEach(BulkCommand):
    """Defer each application in the same way."""

    act: ClassVar[Act] = Act.DEFER
    until: date | None
    until_change: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskEach(BulkCommand):
    """Ask each applicant for information; placeholders are filled per applicant."""

    act: ClassVar[Act] = Act.REQUEST_INFORMATION
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectEach(BulkCommand):
    """Reject each application with one reason; placeholders are filled per applicant.

    ``knowingly`` also rejects where the reason's facts are not established.
    """

    act: ClassVar[Act] = Act.DECIDE
    reason_code: str
    rationale: str
    message: str
    reapply: str
    knowingly: bool = False

    @property
    def draft(self) -> decisions.Draft:
        """The decision on each, with placeholders in its message."""
        return decisions.Draft(
            outcome=Decision.REJECTED,
            reason_code=self.reason_code,
            rationale=self.rationale,
            message=self.message,
            reapply=self.reapply,
            knowingly=self.knowingly,
        )


def claim(engine: Engine, command: ClaimEach) -> list[Result]:
    """Claim each application. Raises as `bulk_runs.run`."""

    def each(id_: int, request_id: UUID) -> object:
        one = claims.Claim(
            application_id=id_, actor=command.actor, at=command.at, request_id=request_id
        )
        return claims.claim(engine, one)

    return run(engine, command, each)


def assign(engine: Engine, command: AssignEach) -> list[Result]:
    """Assign each application to one colleague. Raises as `bulk_runs.run`."""
    if not command.assignee.strip():
        raise Invalid("Choose a colleague who reviews applications.")

    def each(id_: int, request_id: UUID) -> object:
        one = claims.Assign(
            application_id=id_,
            assignee=command.assignee,
            actor=command.actor,
            at=command.at,
            request_id=request_id,
        )
        return claims.assign(engine, one)

    return run(engine, command, each)


def defer(engine: Engine, command: DeferEach) -> list[Result]:
    """Defer each application in the same way. Raises as `bulk_runs.run`."""
    deferrals.check(command.until, command.until_change, command.at)

    def each(id_: int, request_id: UUID) -> object:
        one = deferrals.Defer(
            application_id=id_,
            until=command.until,
            until_change=command.until_change,
            reason=command.reason,
            actor=command.actor,
            at=command.at,
            request_id=request_id,
        )
        return deferrals.defer(engine, one)

    return run(engine, command, each)


def request_information(engine: Engine, command: AskEach) -> list[Result]:
    """Ask each applicant for information. Raises as `bulk_runs.run`."""
    _require_message(command.message)

    def each(id_: int, request_id: UUID) -> object:
        with database.acting(engine) as connection:
            _, message = filled(connection, command, id_)
        one = information_requests.RequestInformation(
            application_id=id_,
            message=message,
            actor=command.actor,
            at=command.at,
            request_id=request_id,
            leaves_after=undo_for(len(command.ids)),
        )
        return information_requests.request(engine, one)

    return run(engine, command, each)


def reject(engine: Engine, command: RejectEach) -> list[Result]:
    """Reject each application with one reason. Raises as `bulk_runs.run`.

    Refuses applications whose eligibility is met, which need their own page. Refuses those for
    which the reason's facts are not established, unless ``knowingly``.
    """
    text_rules.require(command.rationale, what="The rationale", longest=decisions.LONGEST_TEXT)
    _require_message(command.message)
    decisions.require_reason(command.reason_code)
    decisions.require_reapply(command.reapply)

    def each(id_: int, request_id: UUID) -> object:
        with database.acting(engine) as connection:
            standing, message = filled(connection, command, id_)
        if standing.assessment.outcome is Outcome.MET:
            raise Invalid(
                "Eligibility is met, so rejecting goes against it. Decide it on its own page."
            )
        one = decisions.Decide(
            application_id=id_,
            draft=replace(command.draft, message=message),
            shown=standing.viewed_facts,
            actor=command.actor,
            at=command.at,
            request_id=request_id,
            leaves_after=undo_for(len(command.ids)),
        )
        return decisions.submit(engine, one)

    return run(engine, command, each)


def filled(
    connection: Connection, command: AskEach | RejectEach, id_: int
) -> tuple[AssessedApplication, str]:
    """Return the assessment and the message as one applicant gets it."""
    context = judging.read_context(connection, now=command.at)
    application = read.read(connection, id_, now=command.at)
    standing = assessments.read(connection, id_, context)
    facts = MessageFacts(
        username=application.username,
        application_id=id_,
        social_handle=application.social_handle,
        assessment=standing.assessment,
        window=context.freshness.window if context.freshness else None,
        policy=context.policy,
        day=utc_day(command.at),
    )
    if isinstance(command, AskEach):
        return standing, canned_texts.fill(command.message, canned_texts.values(facts))
    finding = None
    if REASONS_BY_CODE[command.reason_code].asserts:
        checks = checklist.outcomes(connection, id_)
        missing = decisions.unproven(command.draft, standing, checks)
        finding = canned_texts.finding(command.reason_code, standing.assessment, missing)
    values = canned_texts.values(facts, reapply=command.reapply, finding=finding)
    return standing, canned_texts.fill(command.message, values)


def _require_message(message: str) -> None:
    text_rules.require(
        message, what="The message to the applicant", longest=text_rules.LONGEST_MESSAGE
    )

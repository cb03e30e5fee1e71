"""Ask applicants for information; the review clock stops until the answer is recorded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine

from data_access.applications import commands
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import text_rules
from data_access.eligibility import holidays
from data_access.messages import outbox
from data_access.review import transitions
from program.review import business_time
from program.review.permissions import Act
from program.review.workflow import Move, Status

LONGEST_TEXT = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInformation(ApplicationCommand):
    """Send a question to the applicant and wait for the answer."""

    act: ClassVar[Act] = Act.REQUEST_INFORMATION
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAnswer(ApplicationCommand):
    """Record the applicant's answer."""

    act: ClassVar[Act] = Act.RECORD_ANSWER
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWaiting(ApplicationCommand):
    """Continue without an answer."""

    act: ClassVar[Act] = Act.RECORD_ANSWER
    reason: str


def request(engine: Engine, command: RequestInformation) -> int:
    """Send a question to the applicant and wait for the answer; returns the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, ClaimedByAnother, Invalid or
    RequestReused.
    """
    message = text_rules.require_message(command.message)
    command = replace(command, message=message)

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.REQUEST_INFORMATION)
        transitions.require_not_claimed_by_another(connection, application, command)
        event_id = transitions.move(
            connection,
            application,
            Move.REQUEST_INFORMATION,
            command,
            new=Status.MORE_INFO_NEEDED,
            detail={"message": message},
            paused_at=command.at,
        )
        outbox.put(connection, application, command, kind="information_requested", message=message)
        return event_id

    return commands.perform(engine, command, do)


def record_answer(engine: Engine, command: RecordAnswer) -> int:
    """Record the applicant's answer; the clock continues. Returns the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, Invalid or RequestReused.
    """
    answer = text_rules.require(command.answer, what="The answer", longest=LONGEST_TEXT)
    command = replace(command, answer=answer)

    def do(connection: Connection, application: Application) -> int:
        return _resume(
            connection,
            application,
            command,
            Move.RECORD_ANSWER,
            detail={"answer": answer},
            answered_at=command.at,
        )

    return commands.perform(engine, command, do)


def stop_waiting(engine: Engine, command: StopWaiting) -> int:
    """Continue without an answer; returns the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, Invalid or RequestReused.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_TEXT)
    command = replace(command, reason=reason)

    def do(connection: Connection, application: Application) -> int:
        return _resume(
            connection, application, command, Move.STOP_WAITING, detail={"reason": reason}
        )

    return commands.perform(engine, command, do)


def question(application: Application, events: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the newest question to the applicant while an answer is awaited."""
    if application.status is not Status.MORE_INFO_NEEDED:
        return None
    return commands.newest_detail(events, Move.REQUEST_INFORMATION, "message")


def _resume(
    connection: Connection,
    application: Application,
    command: ApplicationCommand,
    by: Move,
    *,
    detail: dict[str, str],
    **state: datetime,
) -> int:
    transitions.require_way(connection, application, by)
    paused_at = application.desk.paused_at or command.at
    clock_from = business_time.resume(
        application.desk.clock_from, paused_at, command.at, holidays.days(connection)
    )
    return transitions.move(
        connection,
        application,
        by,
        command,
        new=Status.PENDING,
        detail={**detail, "paused_since": paused_at.isoformat()},
        clock_from=clock_from,
        **state,
    )

"""Ask applicants for information; the review clock stops until the answer is recorded."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from data_access.applications import commands, requests
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import text_rules
from data_access.eligibility import holidays
from data_access.messages import outbox
from data_access.people.identities import known_by
from data_access.review import transitions
from program.messages.delivery import UNDO_FOR
from program.review import business_time
from program.review.permissions import Act
from program.review.workflow import Move, Status

LONGEST_TEXT = 4_000


@known_by("actor")
def request(
    engine: Engine,
    *,
    application_id: int,
    message: str,
    actor: str,
    now: datetime,
    request_id: UUID,
    leaves_after: timedelta = UNDO_FOR,
) -> int:
    """Send a question to the applicant and wait for the answer; return the event's id.

    The question leaves after ``leaves_after``.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, ClaimedByAnother, Invalid or
    RequestReused.
    """
    text = text_rules.require_message(message)
    form = Form(
        request_id=request_id,
        act=Act.REQUEST_INFORMATION,
        actor=actor,
        application_id=application_id,
        content={"message": text},
        at=now,
        leaves_after=leaves_after,
    )

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.REQUEST_INFORMATION)
        transitions.require_not_claimed_by_another(application, form)
        event_id = transitions.move(
            connection,
            application,
            Move.REQUEST_INFORMATION,
            form,
            new=Status.MORE_INFO_NEEDED,
            detail={"message": text},
            paused_at=now,
        )
        outbox.put(connection, application, form, kind="information_requested", message=text)
        return event_id

    return commands.perform(engine, form, do)


@known_by("actor")
def record_answer(
    engine: Engine,
    *,
    application_id: int,
    answer: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Record the applicant's answer and restart the clock; return the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, Invalid or RequestReused.
    """
    text = text_rules.require(answer, what="The answer", longest=LONGEST_TEXT)
    form = requests.form(
        Act.RECORD_ANSWER, {"answer": text}, application_id, actor, now, request_id
    )

    def do(connection: Connection, application: Application) -> int:
        return _resume(
            connection,
            application,
            form,
            Move.RECORD_ANSWER,
            detail={"answer": text},
            answered_at=now,
        )

    return commands.perform(engine, form, do)


@known_by("actor")
def stop_waiting(
    engine: Engine,
    *,
    application_id: int,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Continue without an answer; return the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, Invalid or RequestReused.
    """
    text = text_rules.require(reason, what="The reason", longest=LONGEST_TEXT)
    form = requests.form(
        Act.RECORD_ANSWER, {"reason": text}, application_id, actor, now, request_id
    )

    def do(connection: Connection, application: Application) -> int:
        return _resume(connection, application, form, Move.STOP_WAITING, detail={"reason": text})

    return commands.perform(engine, form, do)


def question(connection: Connection, application: Application) -> str | None:
    """Return the newest question to the applicant while an answer is awaited."""
    if application.status is not Status.MORE_INFO_NEEDED:
        return None
    return commands.last_told(
        connection, application.application_id, Move.REQUEST_INFORMATION, "message"
    )


def _resume(
    connection: Connection,
    application: Application,
    form: Form,
    by: Move,
    *,
    detail: dict[str, str],
    **state: datetime,
) -> int:
    transitions.require_way(connection, application, by)
    paused_at = application.desk.paused_at or form.at
    clock_from = business_time.resume(
        application.desk.clock_from, paused_at, form.at, holidays.days(connection)
    )
    return transitions.move(
        connection,
        application,
        by,
        form,
        new=Status.PENDING,
        detail={**detail, "paused_since": paused_at.isoformat()},
        clock_from=clock_from,
        **state,
    )

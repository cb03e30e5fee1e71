"""React to changed facts: end proposals and return deferred applications.

New evidence is handled in its own transaction; new metrics after each refresh. The actor of these
events is `PROGRAM`.
"""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, Engine, Select, select

from data_access.applications import read
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import database, tables
from data_access.db.errors import DatabaseUnavailable
from data_access.eligibility import assessments, judging
from data_access.review import checklist, deferrals, proposals, second_approvals, transitions
from program.review.workflow import OPEN_STATUSES, Move, Status

PROGRAM = "program"


def react(connection: Connection, application: Application, command: ApplicationCommand) -> bool:
    """Let one locked application react to the current facts; returns whether its status changed."""
    if application.status is Status.AWAITING_SECOND_APPROVAL:
        return _lapse(connection, application, command)
    if application.status is Status.DEFERRED and application.desk.deferred_answers is not None:
        answers = deferrals.answers_now(connection, application.application_id, command.at)
        if answers != application.desk.deferred_answers:
            return _return(connection, application, command, "a criterion's result changes")
    return False


def react_to_refresh(engine: Engine, *, now: datetime) -> int:
    """Let all deferred and proposed applications react; returns how many changed status.

    One transaction each, so that nobody waits for all; safe to repeat and to kill. Applications
    that somebody is changing are retried at the end. Raises DatabaseUnavailable if they are still
    busy then.
    """
    moved, busy = 0, []
    with database.acting(engine) as connection:
        ids = list(connection.execute(_set_aside()).scalars())
    for id_ in ids:
        try:
            moved += _react_one(engine, id_, now)
        except DatabaseUnavailable:
            busy.append(id_)
    return moved + sum(_react_one(engine, id_, now) for id_ in busy)


def _react_one(engine: Engine, id_: int, now: datetime) -> bool:
    command = ApplicationCommand(request_id=uuid4(), actor=PROGRAM, application_id=id_, at=now)
    with database.acting(engine) as connection:
        application = read.read(connection, id_, now=now, lock=True)
        if application.status not in OPEN_STATUSES:
            # Dated to when it happened, not to the refresh that noticed.
            settled = min(application.status_changed_at or now, now)
            second_approvals.end_with_the_application(connection, replace(command, at=settled))
            return False
        due = application.desk.deferred_until
        if application.status is Status.PENDING and due is not None and due <= now:
            late = replace(application, status=Status.DEFERRED)
            return _return(connection, late, replace(command, at=due), "its date is reached")
        return react(connection, application, command)


def _set_aside() -> Select[int]:
    """Return applications that wait here, and those withdrawn upstream with an open proposal."""
    desk_, application, proposal = tables.desk, tables.applications, tables.proposals
    waiting = (str(Status.DEFERRED), str(Status.AWAITING_SECOND_APPROVAL))
    proposed = select(1).where(
        proposal.c.application_id == desk_.c.application_id, proposal.c.closed_as.is_(None)
    )
    return (
        select(desk_.c.application_id)
        .join(application, application.c.application_id == desk_.c.application_id)
        .where(
            desk_.c.status.in_(waiting),
            (application.c.status == str(Status.PENDING)) | proposed.exists(),
        )
        .order_by(desk_.c.application_id)
    )


def _lapse(connection: Connection, application: Application, command: ApplicationCommand) -> bool:
    proposal = proposals.waiting(connection, application.application_id)
    if proposal is None:
        return False
    context = judging.read_context(connection, now=command.at)
    standing = assessments.read(connection, application.application_id, context)
    checks = checklist.outcomes(connection, application.application_id)
    differs = second_approvals.difference(proposal, standing, application, checks)
    if not differs.changed:
        return False
    by_program = replace(command, actor=PROGRAM)
    second_approvals.lapse(connection, application, proposal, differs, by_program)
    return True


def _return(
    connection: Connection, application: Application, command: ApplicationCommand, why: str
) -> bool:
    transitions.move(
        connection,
        application,
        Move.BRING_BACK,
        replace(command, actor=PROGRAM),
        new=Status.PENDING,
        detail={"why": why},
    )
    return True

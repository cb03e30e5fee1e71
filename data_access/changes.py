"""What changed facts set in motion: proposals lapse, and deferred applications come back.

Evidence is followed in its own transaction; new metrics after each refresh. The actor of
what follows from facts alone is `PROGRAM`.
"""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, Engine, Select, select

from data_access import (
    applications,
    assessments,
    database,
    deferrals,
    desk,
    second_approvals,
    standings,
    tables,
)
from data_access.applications import Application
from data_access.requests import Form
from program.permissions import Act
from program.workflow import Move, Status

PROGRAM = "program"


def follow(connection: Connection, application: Application, form: Form) -> bool:
    """Let one locked application react to what is known now; returns whether it moved."""
    if application.status is Status.AWAITING_SECOND_APPROVAL:
        return _lapse(connection, application, form)
    if application.status is Status.DEFERRED and application.desk.deferred_answers is not None:
        answers = deferrals.answers_now(connection, application.application_id, form.at)
        if answers != application.desk.deferred_answers:
            return _return(connection, application, form, "a criterion has another answer")
    return False


def follow_all(engine: Engine, *, now: datetime) -> int:
    """Let all that is set aside react; returns how many applications moved.

    One transaction each, so that nobody waits for the whole; safe to repeat and to kill.
    """
    moved = 0
    with database.acting(engine) as connection:
        ids = list(connection.execute(_set_aside()).scalars())
    for id_ in ids:
        with database.acting(engine) as connection:
            form = Form(
                request_id=uuid4(),
                act=Act.READ,
                actor=PROGRAM,
                application_id=id_,
                content={},
                at=now,
            )
            application = applications.read(connection, id_, now=now, lock=True)
            due = application.desk.deferred_until
            if application.status is Status.PENDING and due is not None and due <= now:
                late = replace(application, status=Status.DEFERRED)
                moved += _return(connection, late, form, "its day has come")
            else:
                moved += follow(connection, application, form)
    return moved


def _set_aside() -> Select[int]:
    table = tables.desk
    waiting = (str(Status.DEFERRED), str(Status.AWAITING_SECOND_APPROVAL))
    return select(table.c.application_id).where(table.c.status.in_(waiting))


def _lapse(connection: Connection, application: Application, form: Form) -> bool:
    proposal = second_approvals.waiting(connection, application.application_id)
    if proposal is None:
        return False
    ground = standings.basis(connection, now=form.at)
    seen = assessments.read(connection, application.application_id, ground).seen
    by_program = replace(form, actor=PROGRAM)
    return second_approvals.lapse_if_changed(connection, application, proposal, seen, by_program)


def _return(connection: Connection, application: Application, form: Form, why: str) -> bool:
    desk.move(
        connection,
        application,
        Move.BRING_BACK,
        replace(form, actor=PROGRAM),
        new=Status.PENDING,
        detail={"why": why},
    )
    return True

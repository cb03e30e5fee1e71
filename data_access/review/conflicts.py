"""Conflicts of interest: neither the applicant nor a person with a conflict may decide."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select

from data_access.applications import commands
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import tables, text_rules
from data_access.db.errors import ConflictOfInterest, Invalid, NotAllowed
from data_access.people import staff
from data_access.people.identities import known_by
from program.review import people
from program.review.permissions import Act, Role

LONGEST_REASON = 2_000
LONGEST_ADDRESS = 320
OWN_APPLICATION = "You are the applicant: the account's address is yours."


@known_by("email")
def found(connection: Connection, application: Application, email: str) -> str | None:
    """Return the sentence why this person may not decide; ``None`` if they may.

    The newest recorded reason is quoted in it: typed text, never markup.
    """
    if email and people.same(application.email, email):
        return OWN_APPLICATION
    table = tables.conflicts
    reason = connection.execute(
        select(table.c.reason)
        .where(table.c.account_id == application.account_id, table.c.email == email)
        .order_by(table.c.conflict_id.desc())
        .limit(1)
    ).scalar()
    if reason is None:
        return None
    return f"You have a conflict of interest with this applicant, recorded as: “{reason}”."


@known_by("email")
def require_none(connection: Connection, application: Application, email: str) -> None:
    """Raise ConflictOfInterest if this person may not decide about the applicant."""
    sentence = found(connection, application, email)
    if sentence is not None:
        raise ConflictOfInterest(f"{sentence} Leave the decision to a colleague.")


@known_by("email", "actor")
def declare(
    engine: Engine,
    *,
    application_id: int,
    email: str,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Record a conflict of interest with the application's account; return its id.

    Everybody who decides declares their own; a manager declares anybody's.
    Raises NotAllowed, NotFound, Invalid or RequestReused.
    """
    whose = text_rules.require(email, what="The address", longest=LONGEST_ADDRESS)
    why = text_rules.require(reason, what="The reason", longest=LONGEST_REASON)
    form = Form(
        request_id=request_id,
        act=Act.DECLARE_CONFLICT,
        actor=actor,
        application_id=application_id,
        content={"email": whose, "reason": why},
        at=now,
    )

    def do(connection: Connection, application: Application) -> int:
        _require_may_declare(connection, actor, whose)
        conflict_id = _keep(connection, application, form)
        commands.tell(
            connection,
            form,
            "conflict_declared",
            conflict_id=conflict_id,
            email={"old": None, "new": whose},
            reason=why,
        )
        return conflict_id

    return commands.perform(engine, form, do)


def _require_may_declare(connection: Connection, actor: str, whose: str) -> None:
    person = staff.require(connection, actor, Act.DECLARE_CONFLICT)
    if whose != person.email and person.role is not Role.MANAGER:
        raise NotAllowed("You declare your own conflicts of interest; a manager declares others'.")
    if staff.find(connection, whose) is None:
        raise Invalid("This person is not on the staff list. Choose an active colleague.")


def _keep(connection: Connection, application: Application, form: Form) -> int:
    conflict_id: int = connection.execute(
        insert(tables.conflicts)
        .values(
            email=form.content["email"],
            account_id=application.account_id,
            reason=form.content["reason"],
            recorded_by=form.actor,
            recorded_at=form.at,
        )
        .returning(tables.conflicts.c.conflict_id)
    ).scalar_one()
    return conflict_id

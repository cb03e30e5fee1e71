"""Conflict of interest: neither the applicant nor a person with a conflict may decide."""

from dataclasses import dataclass, replace
from typing import ClassVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    ScalarSelect,
    Text,
    bindparam,
    insert,
    select,
)

from data_access.applications import commands
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import ACCOUNT_ID, Application
from data_access.db import tables, text_rules
from data_access.db.errors import ConflictOfInterest, Invalid, NotAllowed
from data_access.people import staff
from data_access.people.identities import known_by
from program.review import people
from program.review.permissions import Act, Role

LONGEST_REASON = 2_000
LONGEST_ADDRESS = 320
OWN_APPLICATION = "You are the applicant: the account has your email address."
# A parameter of statements that are built once: whose conflicts.
PERSON = bindparam("conflict_of", type_=Text())


def newest_reason(account_id: ColumnElement[int]) -> ScalarSelect[str]:
    """Return the newest recorded conflict of `PERSON` with an account, as a subquery."""
    table = tables.conflicts
    return (
        select(table.c.reason)
        .where(table.c.account_id == account_id, table.c.email == PERSON)
        .order_by(table.c.conflict_id.desc())
        .limit(1)
        .scalar_subquery()
    )


REASON = select(newest_reason(ACCOUNT_ID).label("reason"))


@known_by("email")
def refusal(connection: Connection, application: Application, email: str) -> str | None:
    """Return the sentence why this person may not decide; ``None`` if they may."""
    given = {ACCOUNT_ID.key: application.account_id, PERSON.key: email}
    return sentence(application, email, connection.execute(REASON, given).scalar_one())


@known_by("email")
def sentence(application: Application, email: str, reason: str | None) -> str | None:
    """Return why this person, with a conflict for ``reason`` if any, may not decide.

    The reason is quoted in it: typed text, never markup.
    """
    if email and people.same(application.email, email):
        return OWN_APPLICATION
    if reason is None:
        return None
    return f"You have a conflict of interest with this applicant, recorded as: “{reason}”."


@known_by("email")
def require_none(connection: Connection, application: Application, email: str) -> None:
    """Raise ConflictOfInterest if this person may not decide about the applicant."""
    _require_none(refusal(connection, application, email))


@known_by("email")
def require_none_for(application: Application, email: str, reason: str | None) -> None:
    """Do the same for a person with a conflict for ``reason``, read with `REASON`, if any."""
    _require_none(sentence(application, email, reason))


def _require_none(sentence: str | None) -> None:
    if sentence is not None:
        raise ConflictOfInterest(f"{sentence} Leave the decision to a colleague.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareConflict(ApplicationCommand):
    """Record that ``email`` has a conflict with the application's account."""

    act: ClassVar[Act] = Act.DECLARE_CONFLICT
    email: str
    reason: str


def declare(engine: Engine, command: DeclareConflict) -> int:
    """Record a conflict with the application's account and return its id.

    Everybody who decides declares their own; a manager declares anybody's.
    Raises NotAllowed, NotFound, Invalid or RequestReused.
    """
    command = replace(
        command,
        email=text_rules.require(command.email, what="The address", longest=LONGEST_ADDRESS),
        reason=text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON),
    )

    def do(connection: Connection, application: Application) -> int:
        _require_may_declare(connection, command.actor, command.email)
        conflict_id = _keep(connection, application, command)
        commands.record_event(
            connection,
            command,
            "conflict_declared",
            conflict_id=conflict_id,
            email={"old": None, "new": command.email},
            reason=command.reason,
        )
        return conflict_id

    return commands.perform(engine, command, do)


def _require_may_declare(connection: Connection, actor: str, email: str) -> None:
    person = staff.require(connection, actor, Act.DECLARE_CONFLICT)
    if email != person.email and person.role is not Role.MANAGER:
        raise NotAllowed("You declare your own conflicts of interest; a manager declares others'.")
    if staff.find(connection, email) is None:
        raise Invalid("This person is not on the staff list. Choose an active colleague.")


def _keep(connection: Connection, application: Application, command: DeclareConflict) -> int:
    conflict_id: int = connection.execute(
        insert(tables.conflicts)
        .values(
            email=command.email,
            account_id=application.account_id,
            reason=command.reason,
            recorded_by=command.actor,
            recorded_at=command.at,
        )
        .returning(tables.conflicts.c.conflict_id)
    ).scalar_one()
    return conflict_id

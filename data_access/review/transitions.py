"""Move an application between statuses, here and upstream, and record the event."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from data_access.applications import commands, decision_history
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import errors, tables
from data_access.db.errors import AlreadyDecided, ClaimedByAnother, NotInState
from data_access.people import staff
from program.review.workflow import OPEN_STATUSES, STATUS_WORDS, Move, Status, way

WAY_ON = {
    Status.PENDING: "It is pending: decide it, ask for information, or defer it.",
    Status.MORE_INFO_NEEDED: "Record the answer, or stop waiting, first.",
    Status.DEFERRED: "Bring it back first.",
    Status.AWAITING_SECOND_APPROVAL: "Confirm, decline or cancel that first.",
}
NO_DEFERRAL = {"deferred_until": None, "deferred_answers": None}
NO_CLAIM = {"assignee": None, "claimed_at": None, "claim_until": None}


def require_way(
    connection: Connection, application: Application, move: Move, *, new: Status | None = None
) -> None:
    """Raise AlreadyDecided or NotInState unless ``move`` is allowed in the current status."""
    if way(move, application.status, new=new) is not None:
        return
    if application.status not in OPEN_STATUSES:
        raise settled(connection, application)
    words = STATUS_WORDS[application.status]
    raise NotInState(f"This application is {words}. {WAY_ON[application.status]}")


def settled(connection: Connection, application: Application) -> AlreadyDecided:
    """Return the refusal for a decided or withdrawn application, with who and when."""
    made = decision_history.current(connection, application.application_id)
    named = made is not None and str(made.outcome) == str(application.status)
    return AlreadyDecided(
        status=application.status,
        by=staff.name_of(connection, made.decided_by) if made and named else None,
        at=made.decided_at if made and named else application.status_changed_at,
    )


def require_not_claimed_by_another(
    connection: Connection, application: Application, command: ApplicationCommand
) -> None:
    """Raise ClaimedByAnother while a colleague's claim holds."""
    claim = application.desk.claim
    if claim is not None and claim.holds(command.at) and claim.assignee != command.actor:
        raise ClaimedByAnother(staff.name_of(connection, claim.assignee), claim.until)


def move(
    connection: Connection,
    application: Application,
    by: Move,
    command: ApplicationCommand,
    *,
    new: Status,
    detail: dict[str, Any] | None = None,
    **state: Any,  # noqa: ANN401 - columns of the desk
) -> int:
    """Change the status, set further columns of the desk, and return the event's id.

    A claim ends with a decision. Raises AlreadyDecided or NotInState if it is not allowed.
    """
    require_way(connection, application, by, new=new)
    decided = new not in OPEN_STATUSES
    state = {"paused_at": None, **NO_DEFERRAL, **(NO_CLAIM if decided else {}), **state}
    state |= {"status": str(Status.PENDING if decided else new), "status_at": command.at}
    holder = application.desk.assignee(command.at)
    if holder is not None and state.get("assignee", holder) is None and not decided:
        detail = {"assignee": {"old": holder, "new": None}, **(detail or {})}
    moved = {"status": {"old": str(application.status), "new": str(new)}, **(detail or {})}
    event = commands.event(command, str(by if by is not Move.CONFIRM else new), moved)
    return _write(connection, application, command, new, event, _put(command, state))


def put(connection: Connection, command: ApplicationCommand, **state: Any) -> None:  # noqa: ANN401
    """Set columns of the application's row on the desk, creating the row if there is none."""
    connection.execute(_put(command, state))


def _put(command: ApplicationCommand, state: Mapping[str, Any]) -> Insert:
    return (
        insert(tables.desk)
        .values(application_id=command.application_id, **state)
        .on_conflict_do_update(index_elements=[tables.desk.c.application_id], set_=state)
    )


def _write(
    connection: Connection,
    application: Application,
    command: ApplicationCommand,
    new: Status,
    event: ReturningInsert[int],
    put_down: Insert,
) -> int:
    """Write the desk, the event and, if it changes there, the status upstream; one statement.

    Returns the event's id.
    """
    event = event.add_cte(put_down.cte("put_down"))
    moved: ColumnElement[int] = literal(1)
    if application.status.upstream is not new.upstream:
        found = _write_back(application, new, command).cte("moved")
        moved = select(func.count()).select_from(found).scalar_subquery()
    try:
        row = connection.execute(event.returning(moved.label("moved"))).one()
    except IntegrityError as error:
        if errors.constraint(error) != "applications_one_pending_per_account":
            raise
        raise NotInState(
            "This account has another pending application. Decide that one instead."
        ) from error
    if row.moved != 1:
        raise AlreadyDecided(status=str(new), by=None, at=None)
    event_id: int = row.event_id
    return event_id


def _write_back(
    application: Application, new: Status, command: ApplicationCommand
) -> ReturningUpdate[int]:
    table = tables.applications
    # The condition on the status repeats the lock: of two decisions one updates no row.
    where = (
        table.c.application_id == application.application_id,
        table.c.status == application.status.upstream,
    )
    changed = update(table).where(*where)
    changed = changed.values(status=str(new.upstream), status_changed_at=command.at)
    return changed.returning(table.c.application_id)

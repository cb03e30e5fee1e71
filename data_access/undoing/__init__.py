"""Undo of an act whose message has not been sent.

An undone decision, like a reopened one, and an undone change of standing stay readable; the message
is cancelled before any worker leases it. Both the worker and the undo lock the message's row, so
whoever is second finds the result of the first.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, select, update

from data_access.affiliates import standing_changes
from data_access.applications import commands, decision_history
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import tables
from data_access.db.errors import NotAllowed, NotFound, NotInState
from data_access.messages import outbox
from data_access.people import staff
from data_access.review import transitions
from data_access.review.bulk_runs import BulkCommand, Result, own_request, run
from program.messages.delivery import Stopped
from program.review.permissions import Act
from program.review.workflow import Move, Status

# Acts whose message can be cancelled together with their effect.
UNDOABLE = (Act.DECIDE, Act.APPROVE_SECOND, Act.REQUEST_INFORMATION, Act.REQUALIFY)
LEFT = "The message was already sent to the applicant, so this cannot be undone."
OVER = "The time to undo is over: the message is about to be sent."
OVERTAKEN = "The application changed meanwhile, so this cannot be undone. Reload the page."


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo(ApplicationCommand):
    """Undo the act of the request ``undone``."""

    act: ClassVar[Act] = Act.UNDO
    undone: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRun(BulkCommand):
    """Undo, for each of these, the act of the run ``undone``.

    It is stored under ``name``, by default the act's; ``noun`` names the items.
    """

    act: ClassVar[Act] = Act.UNDO
    undone: UUID
    name: str = ""
    noun: str = "application"


def undo(engine: Engine, command: Undo) -> int:
    """Undo an act; returns the event's id.

    The application is pending again and its clock continues as before; an affiliate's standing is
    restored. Only the act's actor may undo it, before its message is sent. Raises NotAllowed,
    NotFound, NotInState or RequestReused.
    """

    def do(connection: Connection, application: Application) -> int:
        act = _own_act(connection, command)
        message = _message(connection, command.undone)
        _require_unsent(message, command.at)
        if act.act == Act.REQUALIFY.name:
            staff.require(connection, command.actor, Act.REQUALIFY)
            _cancel(connection, message, command.at)
            return standing_changes.take_back(
                connection, command, act.result, message_id=message.message_id
            )
        _require_standing(connection, application, act, message)
        _cancel(connection, message, command.at)
        return transitions.move(
            connection,
            application,
            Move.UNDO,
            command,
            new=Status.PENDING,
            detail={"message_id": str(message.message_id), "decision_id": message.decision_id},
        )

    return commands.perform(engine, command, do)


def undo_run(engine: Engine, command: UndoRun) -> list[Result]:
    """Undo a run where messages have not been sent. Raises as `bulk_runs.run`."""

    def each(id_: int, request_id: UUID) -> object:
        one = Undo(
            application_id=id_,
            undone=own_request(command.undone, id_),
            actor=command.actor,
            at=command.at,
            request_id=request_id,
        )
        return undo(engine, one)

    return run(engine, command, each, name=command.name, noun=command.noun)


def _own_act(connection: Connection, command: Undo) -> Row[Any]:
    table = tables.requests
    act = connection.execute(
        select(table).where(
            table.c.request_id == command.undone,
            table.c.application_id == command.application_id,
            table.c.act.in_([one.name for one in UNDOABLE]),
        )
    ).first()
    if act is None:
        raise NotFound("There is nothing to undo.")
    if act.actor != command.actor:
        who = staff.name_of(connection, act.actor)
        raise NotAllowed(f"Only {who}, who did this, can undo it.")
    return act


def _message(connection: Connection, undone: UUID) -> Row[Any]:
    """Return the act's message, locked against workers until the transaction ends."""
    table = tables.outbox
    message = connection.execute(
        select(table).where(table.c.message_id == outbox.message_id(undone)).with_for_update()
    ).first()
    if message is None:
        raise NotFound("There is nothing to undo.")
    return message


def _require_unsent(message: Row[Any], now: datetime) -> None:
    if message.stopped_as == Stopped.CANCELLED:
        raise NotInState("This is already undone.")
    if message.delivered_at or message.leased_by or message.sent or message.attempts:
        raise NotInState(LEFT)
    # A withheld message is never sent, but the exchange's backend reads it after the same wait.
    waits = message.stopped_as in (None, Stopped.WITHHELD)
    if not waits or now >= message.next_attempt_at:
        raise NotInState(OVER)


def _require_standing(
    connection: Connection, application: Application, act: Row[Any], message: Row[Any]
) -> None:
    """Raise NotInState unless the act's effect is still the application's state."""
    transitions.require_way(connection, application, Move.UNDO)
    if message.decision_id is not None:
        made = decision_history.current(connection, application.application_id)
        stands = made is not None and made.decision_id == message.decision_id
        stands = stands and str(made.outcome) == application.status  # type: ignore[union-attr]
    else:
        table = tables.events
        newest = connection.execute(
            select(table.c.event_id)
            .where(
                table.c.application_id == application.application_id,
                table.c.kind == str(Move.REQUEST_INFORMATION),
            )
            .order_by(table.c.event_id.desc())
            .limit(1)
        ).scalar()
        stands = newest == act.result and application.status is Status.MORE_INFO_NEEDED
    if not stands:
        raise NotInState(OVERTAKEN)


def _cancel(connection: Connection, message: Row[Any], now: datetime) -> None:
    table = tables.outbox
    connection.execute(
        update(table)
        .where(table.c.message_id == message.message_id)
        .values(stopped_as=str(Stopped.CANCELLED), stopped_at=now)
    )

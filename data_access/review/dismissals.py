"""Set a risk signal aside after looking into it, for a while; and take that back."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, insert

from data_access.applications import commands
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import tables, text_rules
from data_access.db.errors import Invalid, NotInState
from data_access.eligibility import assessments, judging
from data_access.review import conflicts
from data_access.risk import reading
from data_access.risk.reading import AccountRisk
from program import wording
from program.periods import ONE_DAY, utc_day
from program.review.permissions import Act
from program.risk.judging import FLAGGED
from program.risk.signals import BY_ID

LONGEST_REASON = 2_000
CHOICES = (30, 90)
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissSignal(ApplicationCommand):
    """Set a flagged signal of the applicant aside until a day."""

    act: ClassVar[Act] = Act.DISMISS_SIGNAL
    signal: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDismissal(ApplicationCommand):
    """Let a dismissed signal count again."""

    act: ClassVar[Act] = Act.DISMISS_SIGNAL
    signal: str


def dismiss(engine: Engine, command: DismissSignal) -> int:
    """Dismiss a signal and return the dismissal's id; what was measured stays.

    Raises NotAllowed, NotFound, NotInState, ConflictOfInterest, Invalid or RequestReused.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)
    command = replace(command, reason=reason)

    def do(connection: Connection, application: Application) -> int:
        conflicts.require_none(connection, application, command.actor)
        _check_until(command)
        found = _read(connection, application, command)
        result = found.risk.of(command.signal) if found else None
        if found is None or result is None or result.severity not in FLAGGED:
            raise NotInState("This signal is not flagged any more, so there is nothing to dismiss.")
        if (before := found.dismissed(command.signal)) is not None:
            day = wording.day(before.until)
            raise NotInState(f"This signal is already dismissed until {day}.")
        return _keep(connection, application, command, reason=reason, until=command.until)

    return commands.perform(engine, command, do)


def end(engine: Engine, command: EndDismissal) -> int:
    """Let a signal count again and return the id of the row that ends the dismissal.

    Raises NotAllowed, NotFound, NotInState, ConflictOfInterest or RequestReused.
    """

    def do(connection: Connection, application: Application) -> int:
        conflicts.require_none(connection, application, command.actor)
        found = _read(connection, application, command)
        if found is None or found.dismissed(command.signal) is None:
            raise NotInState("This signal is not dismissed, so it counts already.")
        # A day of the measures has passed for them, and for every later one.
        ended = min(found.data_through, utc_day(command.at))
        reason = "dismissal ended"
        return _keep(connection, application, command, reason=reason, until=ended)

    return commands.perform(engine, command, do)


def _check_until(command: DismissSignal) -> None:
    if command.signal not in BY_ID:
        raise Invalid("There is no such signal.")
    today = utc_day(command.at)
    if not today + ONE_DAY <= command.until <= today + LONGEST:
        raise Invalid("Choose a day after today, at most a year ahead.")


def _read(
    connection: Connection, application: Application, command: ApplicationCommand
) -> AccountRisk | None:
    context = judging.read_context(connection, now=command.at)
    standing = assessments.read(connection, command.application_id, context)
    return reading.read(
        connection, application.account_id, facts=standing.facts, policy=standing.policy
    )


def _keep(
    connection: Connection,
    application: Application,
    command: DismissSignal | EndDismissal,
    *,
    reason: str,
    until: date,
) -> int:
    """Insert the row, from which the standings follow, and the event."""
    dismissal_id: int = connection.execute(
        insert(tables.risk_dismissals)
        .values(
            account_id=application.account_id,
            signal=command.signal,
            reason=reason,
            until=until,
            actor=command.actor,
            at=command.at,
        )
        .returning(tables.risk_dismissals.c.dismissal_id)
    ).scalar_one()
    detail: dict[str, Any] = {"signal": command.signal}
    if isinstance(command, DismissSignal):
        kind = "signal_dismissed"
        detail |= {"until": until.isoformat(), "reason": reason}
    else:
        kind = "signal_counts_again"
    commands.record_event(connection, command, kind, **detail)
    return dismissal_id

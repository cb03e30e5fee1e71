"""Defer applications until a date, or until a criterion's result changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine

from data_access.applications import commands
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import text_rules
from data_access.db.errors import Invalid
from data_access.eligibility import assessments, judging
from data_access.review import transitions
from program.periods import day_start, utc_day
from program.review.permissions import Act
from program.review.workflow import Move, Status

LONGEST_REASON = 2_000
FURTHEST = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer(ApplicationCommand):
    """Defer until the UTC day ``until`` begins, a criterion's result changes, or both."""

    act: ClassVar[Act] = Act.DEFER
    until: date | None
    until_change: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BringBack(ApplicationCommand):
    """End a deferral early."""

    act: ClassVar[Act] = Act.DEFER


def defer(engine: Engine, command: Defer) -> int:
    """Defer; the review clock keeps running, since the applicant still waits for us.

    Returns the event's id. Raises NotAllowed, NotFound, AlreadyDecided, NotInState,
    ClaimedByAnother, Invalid or RequestReused.
    """
    reason = text_rules.allow(command.reason, what="The reason", longest=LONGEST_REASON)
    check(command.until, command.until_change, command.at)
    command = replace(command, reason=reason)

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.DEFER)
        transitions.require_not_claimed_by_another(connection, application, command)
        id_, until = command.application_id, command.until
        answers = answers_now(connection, id_, command.at) if command.until_change else None
        return transitions.move(
            connection,
            application,
            Move.DEFER,
            command,
            new=Status.DEFERRED,
            detail={
                "until": until.isoformat() if until else None,
                "until_change": command.until_change,
                "reason": reason,
            },
            deferred_until=day_start(until) if until else None,
            deferred_answers=answers,
            **transitions.NO_CLAIM,
        )

    return commands.perform(engine, command, do)


def bring_back(engine: Engine, command: BringBack) -> int:
    """End a deferral early; returns the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState or RequestReused.
    """

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.BRING_BACK)
        return transitions.move(
            connection, application, Move.BRING_BACK, command, new=Status.PENDING
        )

    return commands.perform(engine, command, do)


def reason(application: Application, events: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the reason of the current deferral; ``None`` if there is none."""
    if application.status is not Status.DEFERRED:
        return None
    return commands.newest_detail(events, Move.DEFER, "reason") or None


def answers_now(connection: Connection, application_id: int, now: datetime) -> str:
    """Return every criterion's result at ``now`` in one line, for later comparison."""
    context = judging.read_context(connection, now=now)
    judged = assessments.read(connection, application_id, context).assessment
    return " ".join(f"{result.criterion.key}={result.outcome}" for result in judged.criteria)


def check(until: date | None, until_change: bool, now: datetime) -> None:
    """Raise Invalid unless the deferral ends within a year."""
    if until is None and not until_change:
        raise Invalid("Choose until when: a date, a changed result, or both.")
    if until is None:
        return
    today = utc_day(now)
    if until <= today:
        raise Invalid(f"{until:%-d %b %Y} is not in the future. Choose a day after today, UTC.")
    if until - today > FURTHEST:
        raise Invalid("That is more than a year away. Choose an earlier day.")

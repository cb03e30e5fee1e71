"""Defer applications until a date, or until a criterion's result changes."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from data_access.applications import commands, requests
from data_access.applications.read import Application
from data_access.db import text_rules
from data_access.db.errors import Invalid
from data_access.eligibility import assessments, judging
from data_access.people.identities import known_by
from data_access.review import transitions
from program.periods import day_start, utc_day
from program.review.permissions import Act
from program.review.workflow import Move, Status

LONGEST_REASON = 2_000
FURTHEST = timedelta(days=365)


@known_by("actor")
def defer(
    engine: Engine,
    *,
    application_id: int,
    until: date | None,
    until_change: bool,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Defer until the UTC day ``until`` begins, or a criterion's result changes, or both.

    The review clock keeps running: the applicant still waits. Returns the event's id.
    Raises NotAllowed, NotFound, AlreadyDecided, NotInState, ClaimedByAnother, Invalid or
    RequestReused.
    """
    text = text_rules.allow(reason, what="The reason", longest=LONGEST_REASON)
    check(until, until_change, now)
    form = requests.form(
        Act.DEFER,
        {
            "until": until.isoformat() if until else None,
            "until_change": until_change,
            "reason": text,
        },
        application_id,
        actor,
        now,
        request_id,
    )

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.DEFER)
        transitions.require_not_claimed_by_another(application, form)
        answers = answers_now(connection, application_id, now) if until_change else None
        return transitions.move(
            connection,
            application,
            Move.DEFER,
            form,
            new=Status.DEFERRED,
            detail=dict(form.content),
            deferred_until=day_start(until) if until else None,
            deferred_answers=answers,
            **transitions.NO_CLAIM,
        )

    return commands.perform(engine, form, do)


@known_by("actor")
def bring_back(
    engine: Engine, *, application_id: int, actor: str, now: datetime, request_id: UUID
) -> int:
    """End a deferral early; return the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, NotInState or RequestReused.
    """
    form = requests.form(Act.DEFER, {"bring_back": True}, application_id, actor, now, request_id)

    def do(connection: Connection, application: Application) -> int:
        transitions.require_way(connection, application, Move.BRING_BACK)
        return transitions.move(connection, application, Move.BRING_BACK, form, new=Status.PENDING)

    return commands.perform(engine, form, do)


def reason(connection: Connection, application: Application) -> str | None:
    """Return the reason of the current deferral; ``None`` if there is none."""
    if application.status is not Status.DEFERRED:
        return None
    return commands.last_told(connection, application.application_id, Move.DEFER, "reason") or None


def answers_now(connection: Connection, application_id: int, now: datetime) -> str:
    """Return every criterion's result at ``now`` in one line, for later comparison."""
    ground = judging.basis(connection, now=now)
    judged = assessments.read(connection, application_id, ground).assessment
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

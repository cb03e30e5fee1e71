"""Change affiliates' standing: one or many, always by a manager with a reason.

An affiliate is addressed by its approved application: its row is locked, its timeline records the
change, and its contact gets the message.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, delete, func, insert, or_, select, text
from sqlalchemy.dialects import postgresql

from data_access.affiliates import board
from data_access.affiliates.board import Affiliate
from data_access.applications import commands, read
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import database, tables, text_rules
from data_access.db.errors import AlreadyMoved, Invalid, NotInState
from data_access.eligibility import policies
from data_access.messages import outbox
from data_access.people import staff
from data_access.review import conflicts
from data_access.review.bulk_runs import BulkCommand, Result, run
from program.affiliates.requalification import (
    MESSAGES,
    REASONS_BY_CODE,
    STANDING_WORDS,
    STEP_LABELS,
    WAYS_BACK,
    Standing,
    Step,
    way,
)
from program.messages import canned_texts
from program.messages.canned_texts import MessageFacts
from program.messages.delivery import undo_for
from program.periods import Window, month_start, months_later, utc_day
from program.policy.eligibility import Facts, assess
from program.policy.policy import Policy
from program.review.permissions import Act

LONGEST_REASON = 2_000
# The kind of the affiliate's event and of the timeline's event when a step is undone.
UNDONE = "undone"
# The name of a bulk run that undoes a step.
UNDO_RUN = f"{Act.UNDO.name} {Act.REQUALIFY.name}"
HELD = text("select to_jsonb(s) from review.affiliate_standings s where account_id = :account_id")
PUT_BACK = text(
    "insert into review.affiliate_standings select * from "
    "jsonb_populate_record(null::review.affiliate_standings, cast(:before as jsonb))"
)
OVERTAKEN = "The affiliate's standing changed meanwhile, so this cannot be undone. Reload the page."
SILENT = (
    "The policy is silent: affiliates get no message when their standing changes. "
    "Review it again; your text is kept."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The form's content. ``message`` is empty while the policy is silent."""

    step: Step
    reason_code: str
    reason: str
    message: str = ""


def run_name(step: Step) -> str:
    """Return the name under which a bulk run is stored."""
    return f"{Act.REQUALIFY.name} {step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAffiliate(ApplicationCommand):
    """Change one affiliate's standing from the one that was ``shown``."""

    act: ClassVar[Act] = Act.REQUALIFY
    change: Change
    shown: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveEach(BulkCommand):
    """Change each in the same way, from the standing it was ``shown`` with, by application.

    The message's placeholders are filled for each.
    """

    act: ClassVar[Act] = Act.REQUALIFY
    change: Change
    shown: Mapping[int, Standing] = field(compare=False)


def move(engine: Engine, command: MoveAffiliate) -> int:
    """Change one affiliate's standing; returns the event's id.

    Raises NotAllowed, NotFound, NotInState, AlreadyMoved, Invalid or RequestReused.
    """
    change = command.change
    check(change)

    def do(connection: Connection, application: Application) -> int:
        conflicts.require_none(connection, application, command.actor)
        policy = policies.in_force(connection, now=command.at)
        affiliate = board.of_application(connection, command.application_id, policy)
        if affiliate is None:
            raise NotInState("This application is not the one that made the account an affiliate.")
        _require_way(connection, affiliate, change.step, command.shown)
        before = _held(connection, affiliate.account_id)
        _claim(connection, affiliate, command)
        event_id = _record_event(connection, affiliate, command, policy, before)
        outbox.put(
            connection,
            application,
            command,
            kind=change.step.event,
            message=_message(change, policy),
            withheld_message=_withheld(affiliate, application, change, policy, command.at),
            standing=_standing(affiliate, change.step),
        )
        return event_id

    return commands.perform(engine, command, do)


def move_each(engine: Engine, command: MoveEach) -> list[Result]:
    """Change each in the same way. Raises as `bulk_runs.run`."""
    change = command.change
    check(change)

    def each(id_: int, request_id: UUID) -> object:
        one = MoveAffiliate(
            application_id=id_,
            change=_filled(engine, command, id_) if change.message.strip() else change,
            shown=command.shown[id_],
            actor=command.actor,
            at=command.at,
            request_id=request_id,
            leaves_after=undo_for(len(command.ids)),
        )
        return move(engine, one)

    return run(engine, command, each, name=run_name(change.step), noun="affiliate")


def take_back(
    connection: Connection, command: ApplicationCommand, event_id: int, *, message_id: UUID
) -> int:
    """Restore the standing before that event; returns the id of the new event.

    Raises NotInState if the standing has changed since.
    """
    table, state = tables.affiliate_events, tables.affiliate_standings
    event = connection.execute(select(table).where(table.c.affiliate_event_id == event_id)).one()
    newest = connection.execute(
        select(func.max(table.c.affiliate_event_id)).where(table.c.account_id == event.account_id)
    ).scalar_one()
    if newest != event_id:
        raise NotInState(OVERTAKEN)
    connection.execute(delete(state).where(state.c.account_id == event.account_id))
    if before := _standing_before(connection, event):
        connection.execute(PUT_BACK, {"before": json.dumps(before)})
    standing = {"old": event.new, "new": event.old}
    undone: int = connection.execute(
        insert(table)
        .values(
            account_id=event.account_id,
            application_id=command.application_id,
            at=command.at,
            actor=command.actor,
            kind=UNDONE,
            **standing,
            reason_code=event.reason_code,
            reason=event.reason,
            misses=event.misses,
            silent=event.silent,
            request_id=command.request_id,
        )
        .returning(table.c.affiliate_event_id)
    ).scalar_one()
    commands.record_event(
        connection, command, f"affiliate_{UNDONE}", standing=standing, message_id=str(message_id)
    )
    return undone


def _held(connection: Connection, account_id: int) -> dict[str, Any] | None:
    """Return the stored standing as JSON; ``None`` if it never changed."""
    held: dict[str, Any] | None = connection.execute(HELD, {"account_id": account_id}).scalar()
    return held


def _standing_before(connection: Connection, event: Row[Any]) -> dict[str, Any] | None:
    """Return the standing before that event as JSON, from the timeline."""
    table = tables.events
    standing: dict[str, Any] | None = connection.execute(
        select(table.c.detail["before"]).where(
            table.c.application_id == event.application_id,
            table.c.kind == f"affiliate_{event.kind}",
            table.c.detail["affiliate_event_id"].as_integer() == event.affiliate_event_id,
        )
    ).scalar_one()
    return standing


def check(change: Change) -> None:
    """Raise Invalid unless the form can be sent."""
    reason = REASONS_BY_CODE.get(change.reason_code)
    if reason is None or change.step not in reason.steps:
        raise Invalid("Choose a reason for the change.")
    text_rules.require(change.reason, what="The reason", longest=LONGEST_REASON)
    text_rules.allow(
        change.message, what="The message to the affiliate", longest=text_rules.LONGEST_MESSAGE
    )


def values(
    affiliate: Affiliate, application: Application, policy: Policy, *, now: datetime
) -> dict[str, str]:
    """Return the values of a message's placeholders; figures are of the newest tested month."""
    newest = affiliate.newest
    facts = MessageFacts(
        username=application.username,
        application_id=application.application_id,
        social_handle=application.social_handle,
        assessment=assess(newest.facts if newest else Facts(), policy),
        window=Window(newest.month, months_later(newest.month, 1)) if newest else None,
        policy=policy,
        day=utc_day(now),
    )
    return canned_texts.values(facts, rebate_rate=affiliate.rebate_rate)


def preview(connection: Connection, application_id: int, message: str, *, now: datetime) -> str:
    """Return the message as this affiliate would get it; raises NotFound."""
    policy = policies.in_force(connection, now=now)
    application = read.read(connection, application_id, now=now)
    affiliate = board.of_application(connection, application_id, policy)
    if affiliate is None:
        return message
    return canned_texts.fill(message, values(affiliate, application, policy, now=now))


def suggested_message(step: Step) -> str:
    """Return the text to start from, with its placeholders."""
    return MESSAGES[step]


def _filled(engine: Engine, command: MoveEach, id_: int) -> Change:
    with database.acting(engine) as connection:
        message = preview(connection, id_, command.change.message, now=command.at)
    return replace(command.change, message=message)


def _message(change: Change, policy: Policy) -> str | None:
    """Return the message to the affiliate; ``None`` while the policy is silent."""
    if not policy.requalification_silent:
        return text_rules.require_message(change.message)
    if change.message.strip():
        raise Invalid(SILENT)
    return None


def _withheld(
    affiliate: Affiliate, application: Application, change: Change, policy: Policy, now: datetime
) -> str | None:
    """Return the message that the affiliate would have got; it is stored and can be sent later."""
    if not policy.requalification_silent:
        return None
    filled = values(affiliate, application, policy, now=now)
    return canned_texts.fill(suggested_message(change.step), filled)


def _standing(affiliate: Affiliate, step: Step) -> dict[str, str]:
    transition = way(step, affiliate.standing)
    assert transition is not None
    return {"old": str(transition.old), "new": str(transition.new)}


def _require_way(connection: Connection, affiliate: Affiliate, step: Step, shown: Standing) -> None:
    if affiliate.standing is not shown:
        raise _moved(connection, affiliate)
    if way(step, affiliate.standing) is None:
        words = STANDING_WORDS[affiliate.standing]
        raise NotInState(f"{STEP_LABELS[step]} does not apply: this affiliate is {words}.")


def _moved(connection: Connection, affiliate: Affiliate) -> AlreadyMoved:
    by = affiliate.changed_by and staff.name_of(connection, affiliate.changed_by)
    return AlreadyMoved(STANDING_WORDS[affiliate.standing], by, affiliate.since)


def _claim(connection: Connection, affiliate: Affiliate, command: MoveAffiliate) -> None:
    """Replace the expected standing; of two concurrent writers, one fails."""
    table, change = tables.affiliate_standings, command.change
    state: dict[str, Any] = {
        "status": _standing(affiliate, change.step)["new"],
        "since": command.at,
        "changed_by": command.actor,
        "reason_code": change.reason_code,
        "reason": change.reason.strip(),
        "misses": affiliate.misses,
    }
    if change.step in WAYS_BACK:
        state["count_from"] = month_start(utc_day(command.at))
    written = connection.execute(
        postgresql.insert(table)
        .values(account_id=affiliate.account_id, **state)
        .on_conflict_do_update(
            index_elements=[table.c.account_id],
            set_=state,
            where=or_(
                table.c.status == str(affiliate.standing),
                # The standing of an earlier approval no longer counts.
                table.c.since < affiliate.approved_at,
            ),
        )
        .returning(table.c.account_id)
    ).first()
    if written is None:
        raise _moved(connection, affiliate)


def _record_event(
    connection: Connection,
    affiliate: Affiliate,
    command: MoveAffiliate,
    policy: Policy,
    before: dict[str, Any] | None,
) -> int:
    """Record the affiliate's event, and one on its application's timeline."""
    table, change = tables.affiliate_events, command.change
    standing = _standing(affiliate, change.step)
    values = {
        "reason_code": change.reason_code,
        "reason": change.reason.strip(),
        "misses": affiliate.misses,
        "suggested": None if affiliate.suggestion is None else str(affiliate.suggestion),
        "silent": policy.requalification_silent,
    }
    event_id: int = connection.execute(
        insert(table)
        .values(
            account_id=affiliate.account_id,
            application_id=command.application_id,
            at=command.at,
            actor=command.actor,
            kind=str(change.step),
            **standing,
            request_id=command.request_id,
            **values,
        )
        .returning(table.c.affiliate_event_id)
    ).scalar_one()
    commands.record_event(
        connection,
        command,
        change.step.event,
        standing=standing,
        **values,
        affiliate_event_id=event_id,
        before=before,
    )
    return event_id

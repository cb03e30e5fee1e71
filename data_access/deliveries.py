"""Taking messages for delivery and saying what became of them. Nothing is sent in here.

A worker takes rows for a while; a taking that is not ended lapses by itself. What is handed
over is made at the first taking and kept, so every try sends the same. Whoever ends a taking
must still hold it: a worker that slept past its lease changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    bindparam,
    insert,
    not_,
    null,
    or_,
    select,
    update,
)

from data_access import composing, delivery_settings, letter_templates, tables
from data_access.database import acting
from program import delivery, letters
from program.delivery import DELIVERY, DeliverySettings, Patience, Reason, Route, Stopped
from program.letters import Template, Unsendable

LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is handed over, the same at every try. ``payload`` is the webhook's."""

    message_id: UUID
    route: Route
    to: str
    subject: str
    text: str
    made_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message in this worker's hands. Without ``outgoing``, ``refused`` says why not.

    ``withheld`` is why it is not to leave at all; ``tries`` counts the failures so far.
    """

    message_id: UUID
    application_id: int
    lease: UUID
    tries: int
    outgoing: Outgoing | None = None
    refused: Unsendable | None = None
    withheld: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A try that failed. A final one is not repeated; ``after`` is the wait that was asked for."""

    reason: Reason
    said: str
    final: bool = False
    after: timedelta | None = None


def is_waiting() -> ColumnElement[bool]:
    """Whether a message is still to leave."""
    return tables.outbox.c.delivered_at.is_(None) & tables.outbox.c.stopped_as.is_(None)


def take(
    engine: Engine,
    *,
    now: datetime,
    count: int,
    lease: timedelta,
    without: Collection[Route] = (),
) -> list[Taken]:
    """Take up to ``count`` messages that are due, the longest due first.

    Those that others hold are passed over; so is what would go ``without`` a route.
    """
    with acting(engine) as connection:
        settings = delivery_settings.in_force(connection)
        token = uuid4()
        rows = _lease(connection, settings, without, now, count, token, now + lease)
        if not rows:
            return []
        templates = letter_templates.in_force(connection)
        unmade = [row for row in rows if row["sent"] is None]
        taken = [_taken(row, token, settings, templates, now) for row in rows]
        _keep(connection, [row for row in unmade if row["sent"] is not None])
        return taken


def finish(engine: Engine, taken: Taken, *, delivered: bool, said: str, now: datetime) -> bool:
    """The receiver took it; ``delivered`` is whether it says that the applicant has it.

    Returns whether this taking still counted.
    """
    kind = "message_delivered" if delivered else "message_sent"
    state = {"delivered_at": now, "last_error": None, "last_reason": None}
    return _end(engine, taken, kind, now, told={"said": said}, state=state)


def fail(
    engine: Engine,
    taken: Taken,
    failure: Failure,
    *,
    patience: Patience,
    chance: float,
    now: datetime,
) -> bool:
    """A try failed: wait and try again, or park it. Returns whether this taking still counted."""
    tries = taken.tries + 1
    said = letters.harmless_line(failure.said)[:LONGEST_ERROR]
    told = {"reason": str(failure.reason), "said": said, "tries": tries}
    state: dict[str, Any] = {"last_error": said, "last_reason": str(failure.reason)}
    # On the timeline stand the first failure and the giving up, not every try between.
    kind = "message_failed" if taken.tries == 0 else None
    if failure.final or tries >= patience.tries:
        kind = "message_parked"
        state |= {"stopped_as": str(Stopped.PARKED), "stopped_at": now}
        if failure.reason is Reason.NOT_SET_UP:
            # It was never ready to leave: it is made anew when somebody retries it.
            state["sent"] = null()
    else:
        state["next_attempt_at"] = now + (failure.after or patience.wait(tries, chance))
    return _end(engine, taken, kind, now, told=told, state=state)


def withhold(engine: Engine, taken: Taken, *, now: datetime) -> bool:
    """It is not to leave. Returns whether this taking still counted."""
    state = {"stopped_as": str(Stopped.WITHHELD), "stopped_at": now}
    told = {"reason": taken.withheld}
    return _end(engine, taken, "message_withheld", now, told=told, state=state, tried=False)


def give_back(engine: Engine, taken: Sequence[Taken]) -> None:
    """Let others have what was not tried."""
    table = tables.outbox
    if not taken:
        return
    with acting(engine) as connection:
        connection.execute(
            update(table)
            .where(
                table.c.message_id.in_([one.message_id for one in taken]),
                table.c.leased_by == taken[0].lease,
            )
            .values(leased_by=None, lease_until=None)
        )


class _NotHeld(Exception):
    """Undoes the transaction of a taking that lapsed."""


def _end(
    engine: Engine,
    taken: Taken,
    kind: str | None,
    now: datetime,
    *,
    told: dict[str, Any],
    state: Mapping[str, Any],
    tried: bool = True,
) -> bool:
    table = tables.outbox
    try:
        with acting(engine) as connection:
            # The event first: its application's row is locked before the message's, as by
            # whoever acts on a message, and so no two wait for each other.
            if kind is not None:
                _tell(connection, taken, kind, now, told)
            ended = connection.execute(
                update(table)
                .where(
                    table.c.message_id == taken.message_id,
                    table.c.leased_by == taken.lease,
                    is_waiting(),
                )
                .values(
                    attempts=table.c.attempts + int(tried),
                    leased_by=None,
                    lease_until=None,
                    **state,
                )
            )
            _require_held(ended.rowcount)
    except _NotHeld:
        return False
    return True


def _require_held(changed: int) -> None:
    if changed != 1:
        raise _NotHeld


def _tell(
    connection: Connection, taken: Taken, kind: str, now: datetime, told: dict[str, Any]
) -> None:
    out = taken.outgoing
    way = {"route": str(out.route), "to": out.to} if out else {}
    connection.execute(
        insert(tables.events).values(
            application_id=taken.application_id,
            kind=kind,
            actor=DELIVERY,
            at=now,
            detail={"message_id": str(taken.message_id), **way, **told},
        )
    )


def _lease(
    connection: Connection,
    settings: DeliverySettings,
    without: Collection[Route],
    now: datetime,
    count: int,
    token: UUID,
    until: datetime,
) -> list[dict[str, Any]]:
    table, application, account = tables.outbox, tables.applications, tables.accounts
    due = (
        select(table.c.message_id)
        .where(
            is_waiting(),
            table.c.next_attempt_at <= now,
            or_(table.c.lease_until.is_(None), table.c.lease_until <= now),
            *_ways(settings, without),
        )
        .order_by(table.c.next_attempt_at)
        .limit(count)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = connection.execute(
        update(table)
        .where(
            table.c.message_id == due.c.message_id,
            application.c.application_id == table.c.application_id,
            account.c.account_id == application.c.account_id,
        )
        .values(leased_by=token, lease_until=until)
        .returning(
            *(table.c[name] for name in _NEEDED),
            account.c.account_id,
            account.c.username,
            account.c.email,
            account.c.country_code,
            application.c.social_handle,
        )
    )
    found = [dict(row) for row in rows.mappings()]
    return sorted(found, key=lambda row: (row["next_attempt_at"], row["created_at"]))


_NEEDED = (
    *("message_id", "application_id", "decision_id", "channel", "recipient", "payload"),
    *("created_at", "next_attempt_at", "attempts", "sent"),
)


def _ways(settings: DeliverySettings, without: Collection[Route]) -> list[ColumnElement[bool]]:
    by_email = tables.outbox.c.channel.in_((delivery.EMAIL_PLATFORM, *settings.email_instead))
    closed = {Route.EMAIL: not_(by_email), Route.WEBHOOK: by_email}
    return [closed[route] for route in without]


def _taken(
    row: dict[str, Any],
    token: UUID,
    settings: DeliverySettings,
    templates: Sequence[Template],
    now: datetime,
) -> Taken:
    held = {
        "message_id": row["message_id"],
        "application_id": row["application_id"],
        "lease": token,
        "tries": row["attempts"],
    }
    withheld = delivery.withheld(str(row["payload"].get("kind")), settings)
    if withheld is not None:
        return Taken(**held, withheld=withheld)
    try:
        row["sent"] = row["sent"] or composing.sent(row, settings, templates, now)
    except Unsendable as refused:
        return Taken(**held, refused=refused)
    return Taken(**held, outgoing=outgoing(row["message_id"], row["sent"]))


def outgoing(message_id: UUID, sent: Mapping[str, Any]) -> Outgoing:
    """What is kept as sent, as a channel takes it."""
    return Outgoing(
        message_id=message_id,
        route=Route(sent["route"]),
        to=sent["to"],
        subject=sent["subject"],
        text=sent["text"],
        made_at=datetime.fromisoformat(sent["made_at"]),
        payload=sent["payload"],
    )


def _keep(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What is sent is kept before it leaves, so that a later try sends the same."""
    if rows:
        table = tables.outbox
        connection.execute(
            update(table)
            .where(table.c.message_id == bindparam("id_"))
            .values(sent=bindparam("made", type_=table.c.sent.type)),
            [{"id_": row["message_id"], "made": row["sent"]} for row in rows],
        )

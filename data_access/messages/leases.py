"""Lease outbox messages and record the result. Nothing is sent here.

A worker leases rows for a while; an unfinished lease expires by itself. The content is rendered
with the first lease and stored, so every attempt sends the same. Results are recorded only while
the lease holds: a worker that slept past its lease changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Executable,
    bindparam,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from data_access.applications.read import platform_key
from data_access.db import logs, tables
from data_access.db.database import acting
from data_access.messages import rendering
from data_access.messages import settings as message_settings
from data_access.messages import templates as message_templates
from program.messages import delivery, letters
from program.messages.delivery import DELIVERY, DeliverySettings, Patience, Reason, Route, Stopped
from program.messages.letters import Template, Unsendable

LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file beside a mail: its name, its media type, and its bytes."""

    name: str
    media: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The rendered message, the same for every attempt. ``payload`` is the webhook's.

    A mail without ``html`` shows its text as a page.
    """

    message_id: UUID
    route: Route
    to: str
    subject: str
    text: str
    made_at: datetime
    payload: Mapping[str, Any]
    html: str | None = None
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A leased message. Without ``outgoing``, ``refused`` says why.

    ``withheld`` is why it must not be sent; ``tries`` counts the failures so far.
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
    """A failed attempt. A ``final`` one is not retried; ``after`` is the requested wait."""

    reason: Reason
    sentence: str
    final: bool = False
    after: timedelta | None = None


def is_waiting() -> ColumnElement[bool]:
    """Return whether a message is still to be sent."""
    return tables.outbox.c.delivered_at.is_(None) & tables.outbox.c.stopped_as.is_(None)


def take(
    engine: Engine,
    *,
    now: datetime,
    count: int,
    lease: timedelta,
    without: Collection[Route] = (),
) -> list[Taken]:
    """Lease up to ``count`` messages that are due, longest due first.

    Skips messages that others hold, and those of a route in ``without``.
    """
    with acting(engine) as connection:
        settings = message_settings.in_force(connection)
        token = uuid4()
        rows = _lease(connection, settings, without, now, count, token, now + lease)
        if not rows:
            return []
        templates = message_templates.in_force(connection)
        unmade = [row for row in rows if row["sent"] is None]
        taken = [_taken(row, token, settings, templates, now) for row in rows]
        _keep(connection, [row for row in unmade if row["sent"] is not None])
        return taken


def finish(engine: Engine, taken: Taken, *, delivered: bool, reply: str, now: datetime) -> bool:
    """Record that the receiver accepted it; ``delivered``: it confirms that the applicant has it.

    Returns whether the lease still held.
    """
    kind = "message_delivered" if delivered else "message_sent"
    state = {"delivered_at": now, "last_error": None, "last_reason": None}
    said = logs.without_secrets(reply)
    return _end(engine, taken, kind, now, detail={"said": said}, state=state)


def fail(
    engine: Engine,
    taken: Taken,
    failure: Failure,
    *,
    patience: Patience,
    chance: float,
    now: datetime,
) -> bool:
    """Record a failed try: retry later or park it. Returns whether the lease still held."""
    tries = taken.tries + 1
    # A receiver may repeat what it was sent, the login included.
    said = logs.without_secrets(failure.sentence)
    error = letters.harmless_line(said)[:LONGEST_ERROR]
    detail = {"reason": str(failure.reason), "said": error, "tries": tries}
    state: dict[str, Any] = {"last_error": error, "last_reason": str(failure.reason)}
    # The timeline shows the first failure and the last, not every attempt between.
    kind = "message_failed" if taken.tries == 0 else None
    if failure.final or tries >= patience.tries:
        kind = "message_parked"
        state |= {"stopped_as": str(Stopped.PARKED), "stopped_at": now}
        if failure.reason is Reason.NOT_SET_UP:
            # It was never ready to send: a retry renders it again.
            state["sent"] = None
    else:
        state["next_attempt_at"] = now + (failure.after or patience.wait(tries, chance))
    return _end(engine, taken, kind, now, detail=detail, state=state)


def withhold(engine: Engine, taken: Taken, *, now: datetime) -> bool:
    """Withhold the message. Returns whether the lease still held."""
    state = {"stopped_as": str(Stopped.WITHHELD), "stopped_at": now}
    detail = {"reason": taken.withheld}
    return _end(engine, taken, "message_withheld", now, detail=detail, state=state, tried=False)


def give_back(engine: Engine, taken: Sequence[Taken]) -> None:
    """Release leased messages that were not tried."""
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


def _end(
    engine: Engine,
    taken: Taken,
    kind: str | None,
    now: datetime,
    *,
    detail: Mapping[str, Any],
    state: Mapping[str, Any],
    tried: bool = True,
) -> bool:
    """Finish a lease and record the event, in one autocommitted statement."""
    given = {"of": taken.application_id, "id_": taken.message_id, "held": taken.lease}
    event = {} if kind is None else _event(taken, kind, now, detail)
    statement = _ending(tuple(sorted(state)), tells=kind is not None)
    # A single statement, so BEGIN and COMMIT are not needed.
    with acting(engine.execution_options(isolation_level="AUTOCOMMIT")) as connection:
        ended = connection.execute(
            statement, {**given, "tried": int(tried), **_named(state), **event}
        )
        return ended.rowcount == 1


def _event(taken: Taken, kind: str, now: datetime, values: Mapping[str, Any]) -> dict[str, Any]:
    out = taken.outgoing
    way = {"route": str(out.route), "to": out.to} if out else {}
    detail = {"message_id": str(taken.message_id), **way, **values}
    return {"kind": kind, "actor": DELIVERY, "at": now, "detail": detail}


def _named(state: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in state.items()}


@cache
def _ending(columns: tuple[str, ...], *, tells: bool) -> Executable:
    """Return the update that finishes a held lease, and the event for the changed row.

    The application's row is locked before the message's, as in every act on a message, so that no
    two wait for each other.
    """
    table, application, event = tables.outbox, tables.applications, tables.events
    applicant = (
        select(application.c.application_id)
        .where(application.c.application_id == bindparam("of"))
        .with_for_update(read=True, key_share=True)
        .cte("applicant")
    )
    ended = (
        update(table)
        .where(
            table.c.message_id == bindparam("id_"),
            table.c.application_id == applicant.c.application_id,
            table.c.leased_by == bindparam("held"),
            is_waiting(),
        )
        .values(
            attempts=table.c.attempts + bindparam("tried"),
            leased_by=None,
            lease_until=None,
            **{name: bindparam(f"new_{name}", type_=_typed(name)) for name in columns},
        )
    )
    if not tells:
        return ended
    done = ended.returning(table.c.application_id).cte("ended")
    binds = [
        bindparam(name, type_=event.c[name].type) for name in ("kind", "actor", "at", "detail")
    ]
    of = select(done.c.application_id, *binds)
    return (
        insert(event)
        .from_select(["application_id", "kind", "actor", "at", "detail"], of)
        .execution_options(preserve_rowcount=True)
    )


def _typed(column: str) -> TypeEngine[Any]:
    # An empty value is SQL NULL, not JSON null.
    is_json = column == tables.outbox.c.sent.name
    return JSONB(none_as_null=True) if is_json else tables.outbox.c[column].type


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
    by_email = platform_key(tables.outbox.c.channel).in_(delivery.email_platforms(settings))
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
        row["sent"] = row["sent"] or rendering.sent(row, settings, templates, now)
    except Unsendable as refused:
        return Taken(**held, refused=refused)
    return Taken(**held, outgoing=outgoing(row["message_id"], row["sent"]))


def outgoing(message_id: UUID, sent: Mapping[str, Any]) -> Outgoing:
    """Return the stored content for a channel."""
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
    """Store the content before sending, so that later attempts send the same."""
    if rows:
        table = tables.outbox
        connection.execute(
            update(table)
            .where(table.c.message_id == bindparam("id_"))
            .values(sent=bindparam("made", type_=table.c.sent.type)),
            [{"id_": row["message_id"], "made": row["sent"]} for row in rows],
        )

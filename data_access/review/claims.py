"""Claim, release, assign and take over applications; track who else is looking.

A claim expires when its holder has not acted for the policy's idle time. Nobody has to end it:
an expired claim no longer holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import IntegrityError

from data_access.applications import commands, contacts
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import database, errors
from data_access.db.errors import NotInState, RequestReused
from data_access.eligibility import policies
from data_access.people import staff
from data_access.people.commands import Command, read_asked
from data_access.people.identities import known_by
from data_access.queue import order_cache
from data_access.review import transitions
from program.periods import utc_day
from program.review import people
from program.review.permissions import Act
from program.review.queue_filters import Filters, Owner
from program.review.workflow import OPEN_STATUSES, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(ApplicationCommand):
    """Claim an unassigned application."""

    act: ClassVar[Act] = Act.CLAIM


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver(ApplicationCommand):
    """Take an application over from its holder."""

    act: ClassVar[Act] = Act.CLAIM


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(ApplicationCommand):
    """Release the actor's own claim."""

    act: ClassVar[Act] = Act.CLAIM


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(ApplicationCommand):
    """Assign an application to a colleague; the assignment does not expire."""

    act: ClassVar[Act] = Act.ASSIGN
    assignee: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The id of the claimed application; ``None`` if the view has no unassigned one."""

    application_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNext(Command):
    """Claim the first unassigned application of the view."""

    act: ClassVar[Act] = Act.CLAIM
    filters: Filters


def claim(engine: Engine, command: Claim) -> int:
    """Claim an unassigned application; return the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, ClaimedByAnother or RequestReused.
    """

    def do(connection: Connection, application: Application) -> int:
        _require_open(connection, application)
        transitions.require_not_claimed_by_another(connection, application, command)
        return hold(connection, application, command, "claimed")

    return commands.perform(engine, command, do)


def take_over(engine: Engine, command: TakeOver) -> int:
    """Take an application over from its holder; return the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided or RequestReused.
    """

    def do(connection: Connection, application: Application) -> int:
        _require_open(connection, application)
        return hold(connection, application, command, "taken_over")

    return commands.perform(engine, command, do)


def release(engine: Engine, command: Release) -> int:
    """Release the actor's own claim; return the event's id.

    Raises NotAllowed, NotFound, NotInState, ClaimedByAnother or RequestReused.
    """

    def do(connection: Connection, application: Application) -> int:
        transitions.require_not_claimed_by_another(connection, application, command)
        if application.desk.assignee(command.at) is None:
            raise NotInState("This application is unassigned, so there is nothing to release.")
        transitions.put(connection, command, **transitions.NO_CLAIM)
        return commands.record_event(
            connection, command, "released", assignee={"old": command.actor, "new": None}
        )

    return commands.perform(engine, command, do)


def assign(engine: Engine, command: Assign) -> int:
    """Assign an application to a colleague; the assignment does not expire. Returns the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, Invalid or RequestReused.
    """

    def do(connection: Connection, application: Application) -> int:
        _require_open(connection, application)
        new, old = command.assignee, application.desk.assignee(command.at)
        staff.require_assignable(connection, new, today=utc_day(command.at))
        transitions.put(connection, command, assignee=new, claimed_at=command.at, claim_until=None)
        return commands.record_event(
            connection, command, "assigned", assignee={"old": old, "new": new}
        )

    return commands.perform(engine, command, do)


def take_next(engine: Engine, command: TakeNext) -> Taken:
    """Claim the first unassigned application of the view.

    Two people never get the same one. Raises NotAllowed or RequestReused.
    """
    try:
        with database.acting(engine) as connection:
            return Taken(_take(connection, command))
    except IntegrityError as error:
        if errors.constraint(error) != "requests_pkey":
            raise
    # The first press of a double click was faster; its application is this request's too.
    with database.acting(engine) as connection:
        return Taken(_taken_before(connection, command))


def _take(connection: Connection, command: TakeNext) -> int | None:
    earlier = _taken_before(connection, command)
    if earlier is not None:
        return earlier
    view = replace(
        command.filters, owner=Owner.UNASSIGNED, status=Status.PENDING, page=1, viewer=""
    )
    for _ in range(2):
        while some := order_cache.offer(connection, view, now=command.at):
            taken = _take_first(connection, some, command)
            if taken is not None:
                return taken
            order_cache.pass_over(connection, view, now=command.at)
        # The cached order is used up and lacks applications that were added or released since.
        order_cache.forget(connection)
    return None


def _taken_before(connection: Connection, command: TakeNext) -> int | None:
    """Return what this request already claimed; for a new one, check the role in the same query."""
    asked = read_asked(connection, command)
    if asked["asked_act"] is None or asked["role_of_actor"] is None:
        staff.require_role(asked["role_of_actor"], Act.CLAIM)
        return None
    if (asked["asked_act"], asked["asked_actor"]) != (Act.CLAIM.name, command.actor):
        raise RequestReused
    taken: int = asked["asked_application_id"]
    return taken


# Lock the first application that is free and that the actor may decide, claim it, and write event
# and request, in one statement. The condition on the update covers claims that were committed after
# this statement began.
_TAKE_FIRST = text("""
with free as (
    select application.application_id
    from unnest(cast(:ids as bigint[])) with ordinality as candidates (application_id, number)
    join exchange.applications application using (application_id)
    left join exchange.accounts account using (account_id)
    left join review.desk desk using (application_id)
    where application.status = 'pending'
      and (desk.status is null or desk.status = 'pending'
           or (desk.status = 'deferred' and desk.deferred_until <= :now))
      and (desk.assignee is null or desk.claim_until <= :now)
      and coalesce(review.person(account.email), '') <> all(cast(:spellings as text[]))
      and not exists (select from review.conflicts conflict
                      where conflict.account_id = application.account_id
                        and conflict.email = :actor)
    order by candidates.number
    limit 1
    for update of application skip locked
), claimed as (
    insert into review.desk as held (application_id, assignee, claimed_at, claim_until)
    select application_id, :actor, :now, :now + (
        select make_interval(mins => claim_idle_minutes) from review.policies
        where version = review.policy_in_force(:now))
    from free
    on conflict (application_id) do update
        set assignee = excluded.assignee, claimed_at = excluded.claimed_at,
            claim_until = excluded.claim_until
        where (held.assignee is null or held.claim_until <= :now)
          and (held.status = 'pending'
               or (held.status = 'deferred' and held.deferred_until <= :now))
    returning application_id
), event as (
    insert into review.events (application_id, kind, actor, at, detail)
    select application_id, 'claimed', :actor, :now,
           jsonb_build_object(
               'assignee', jsonb_build_object('old', null, 'new', cast(:actor as text)),
               'next', true)
    from claimed
    returning event_id
)
insert into review.requests (request_id, act, actor, application_id, content, result, at)
select :request_id, 'CLAIM', :actor, claimed.application_id, '{"command": "TakeNext"}',
       event.event_id, :now
from claimed, event
returning application_id
""")


def _take_first(connection: Connection, ids: Sequence[int], command: TakeNext) -> int | None:
    taken: int | None = connection.execute(
        _TAKE_FIRST,
        {
            "ids": list(ids),
            "actor": command.actor,
            "spellings": list(people.spellings(command.actor)),
            "now": command.at,
            "request_id": command.request_id,
        },
    ).scalar_one_or_none()
    return taken


def hold(
    connection: Connection, application: Application, command: ApplicationCommand, kind: str
) -> int:
    """Claim the application for the actor until the idle time is over, and record it."""
    old = application.desk.assignee(command.at)
    until: datetime | None = command.at + idle_time(connection, command.at)
    held = application.desk.claim
    if old == command.actor and held is not None and held.until is None:
        # Claiming an assigned application does not make the assignment expire.
        until = None
    transitions.put(
        connection, command, assignee=command.actor, claimed_at=command.at, claim_until=until
    )
    return commands.record_event(
        connection, command, kind, assignee={"old": old, "new": command.actor}
    )


def idle_time(connection: Connection, now: datetime) -> timedelta:
    """Return how long a claim holds without activity, by the policy in force."""
    return timedelta(minutes=policies.in_force(connection, now=now).claim_idle_minutes)


@known_by("actor")
def stay(engine: Engine, *, application_id: int, actor: str, now: datetime) -> None:
    """Extend the actor's claim after activity on the open page, and do what `record_view` does.

    It also records, once a day, that somebody who may see the contacts was shown them. This is
    not an act: it leaves no event and takes nothing from anybody. Raises NotAllowed.
    """
    _note_presence(engine, _STAY, application_id, actor, now)


@known_by("actor")
def record_view(engine: Engine, *, application_id: int, actor: str, now: datetime) -> None:
    """Record that the page is open; colleagues see it for half a minute. Raises NotAllowed."""
    _note_presence(engine, _RECORD_VIEW, application_id, actor, now)


# One statement also checks the role, since these run often for every open page.
_VIEW = f"""
with {staff.ACTING}, view as (
    insert into review.viewers (application_id, email, seen_at)
    select :application_id, email, :now from person
    on conflict (application_id, email) do update set seen_at = excluded.seen_at
)
"""  # noqa: S608 - parts written here
_RENEWED = """
, renewed as (
    update review.desk set claim_until = :now + (
        select make_interval(mins => claim_idle_minutes) from review.policies
        where version = review.policy_in_force(:now))
    where application_id = :application_id and assignee = :actor and claim_until > :now
)
"""
_ROLE = "select role from person"
_RECORD_VIEW = text(_VIEW + _ROLE)
# The page that it stays on shows the contacts.
_STAY = text(f"{_VIEW}{_RENEWED}, {contacts.RECORDED} {_ROLE}").bindparams(
    list=None, readers=contacts.READERS
)


def _note_presence(
    engine: Engine, statement: TextClause, application_id: int, actor: str, now: datetime
) -> None:
    given = {"application_id": application_id, "actor": actor, "now": now}
    with database.acting(engine) as connection:
        # Raised inside, so that a stranger's view is not kept.
        staff.require_role(connection.execute(statement, given).scalar_one_or_none(), Act.READ)


def _require_open(connection: Connection, application: Application) -> None:
    if application.status not in OPEN_STATUSES:
        raise transitions.settled(connection, application)

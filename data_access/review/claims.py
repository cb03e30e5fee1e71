"""Claim, release, assign and take over applications; track who else is looking.

A claim expires when its holder has not acted for the policy's idle time. Nobody has to end it:
an expired claim no longer holds.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import IntegrityError

from data_access.applications import commands, requests
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import database, tables
from data_access.db.errors import Invalid, NotInState, RequestReused
from data_access.eligibility import policies
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.queue import order_cache
from data_access.review import transitions
from program.review import people
from program.review.permissions import Act
from program.review.queue_filters import Filters, Owner
from program.review.workflow import OPEN_STATUSES, Status

LOOKING_FOR = timedelta(seconds=30)


@known_by("actor")
def claim(
    engine: Engine, *, application_id: int, actor: str, now: datetime, request_id: UUID
) -> int:
    """Claim an unassigned application; return the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, ClaimedByAnother or RequestReused.
    """
    form = requests.form(Act.CLAIM, {"claim": True}, application_id, actor, now, request_id)

    def do(connection: Connection, application: Application) -> int:
        _require_open(connection, application)
        transitions.require_not_claimed_by_another(application, form)
        return hold(connection, application, form, "claimed")

    return commands.perform(engine, form, do)


@known_by("actor")
def take_over(
    engine: Engine, *, application_id: int, actor: str, now: datetime, request_id: UUID
) -> int:
    """Take an application over from its holder; return the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided or RequestReused.
    """
    form = requests.form(Act.CLAIM, {"take_over": True}, application_id, actor, now, request_id)

    def do(connection: Connection, application: Application) -> int:
        _require_open(connection, application)
        return hold(connection, application, form, "taken_over")

    return commands.perform(engine, form, do)


@known_by("actor")
def release(
    engine: Engine, *, application_id: int, actor: str, now: datetime, request_id: UUID
) -> int:
    """Release the actor's own claim; return the event's id.

    Raises NotAllowed, NotFound, NotInState, ClaimedByAnother or RequestReused.
    """
    form = requests.form(Act.CLAIM, {"release": True}, application_id, actor, now, request_id)

    def do(connection: Connection, application: Application) -> int:
        transitions.require_not_claimed_by_another(application, form)
        if application.desk.assignee(now) is None:
            raise NotInState("This application is unassigned, so there is nothing to release.")
        transitions.put(connection, form, **transitions.NO_CLAIM)
        return commands.tell(connection, form, "released", assignee={"old": actor, "new": None})

    return commands.perform(engine, form, do)


@known_by("assignee", "actor")
def assign(
    engine: Engine,
    *,
    application_id: int,
    assignee: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Assign an application to a colleague; assignments do not expire. Return the event's id.

    Raises NotAllowed, NotFound, AlreadyDecided, Invalid or RequestReused.
    """
    form = requests.form(Act.ASSIGN, {"assignee": assignee}, application_id, actor, now, request_id)

    def do(connection: Connection, application: Application) -> int:
        _require_open(connection, application)
        person = staff.find(connection, assignee)
        if person is None or not person.may(Act.CLAIM):
            raise Invalid("Choose a colleague who reviews applications.")
        old = application.desk.assignee(now)
        transitions.put(connection, form, assignee=assignee, claimed_at=now, claim_until=None)
        return commands.tell(connection, form, "assigned", assignee={"old": old, "new": assignee})

    return commands.perform(engine, form, do)


@known_by("actor")
def take_next(
    engine: Engine, *, filters: Filters, actor: str, now: datetime, request_id: UUID
) -> int | None:
    """Claim the first unassigned application of the view; ``None`` if there is none.

    Two people never get the same one. Returns the application's id. Raises NotAllowed or
    RequestReused.
    """
    view = replace(filters, owner=Owner.UNASSIGNED, status=Status.PENDING, page=1, viewer="")
    try:
        with database.acting(engine) as connection:
            return _take(connection, view, actor, now, request_id)
    except IntegrityError as error:
        if "requests_pkey" not in str(error.orig):
            raise
    # The other click of a double one was quicker; what it took is this one's as well.
    with database.acting(engine) as connection:
        return _taken_before(connection, request_id, actor)


def _take(
    connection: Connection, view: Filters, actor: str, now: datetime, request_id: UUID
) -> int | None:
    earlier = _taken_before(connection, request_id, actor)
    if earlier is not None:
        return earlier
    for _ in range(2):
        while some := order_cache.offer(connection, view, now=now):
            taken = _take_first(connection, some, actor, now, request_id)
            if taken is not None:
                return taken
            order_cache.pass_over(connection, view, now=now)
        # The remembered order is used up; what came or was given back since is not in it.
        order_cache.forget(connection)
    return None


def _taken_before(connection: Connection, request_id: UUID, actor: str) -> int | None:
    """Return what this request already took; if it is new, check the role in the same query."""
    before, person = tables.requests, tables.staff
    row = connection.execute(
        select(person.c.role, before.c.act, before.c.actor, before.c.application_id)
        .select_from(person)
        .outerjoin(before, before.c.request_id == request_id)
        .where(person.c.email == actor, person.c.active)
    ).first()
    if row is None or row.act is None:
        staff.require_role(row.role if row else None, Act.CLAIM)
        return None
    if (row.act, row.actor) != (Act.CLAIM.name, actor):
        raise RequestReused
    taken: int = row.application_id
    return taken


# Locks the first that is free and that the actor may decide, claims it, and leaves event and
# request, in one statement. The guard on the update is for a claim that was committed after
# this statement began.
_TAKE_FIRST = text("""
with free as (
    select application.application_id
    from unnest(cast(:ids as bigint[])) with ordinality as asked (application_id, number)
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
    order by asked.number
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
), told as (
    insert into review.events (application_id, kind, actor, at, detail)
    select application_id, 'claimed', :actor, :now,
           jsonb_build_object(
               'assignee', jsonb_build_object('old', null, 'new', cast(:actor as text)),
               'next', true)
    from claimed
    returning event_id
)
insert into review.requests (request_id, act, actor, application_id, content, result, at)
select :request_id, 'CLAIM', :actor, claimed.application_id, '{"next": true}', told.event_id, :now
from claimed, told
returning application_id
""")


def _take_first(
    connection: Connection, ids: Sequence[int], actor: str, now: datetime, request_id: UUID
) -> int | None:
    taken: int | None = connection.execute(
        _TAKE_FIRST,
        {
            "ids": list(ids),
            "actor": actor,
            "spellings": list(people.spellings(actor)),
            "now": now,
            "request_id": request_id,
        },
    ).scalar_one_or_none()
    return taken


def hold(connection: Connection, application: Application, form: Form, kind: str) -> int:
    """Assign the application to the actor until the idle time is over, and record it."""
    old = application.desk.assignee(form.at)
    until: datetime | None = form.at + idle_time(connection, form.at)
    held = application.desk.claim
    if old == form.actor and held is not None and held.until is None:
        # What a colleague assigned does not begin to lapse by being claimed as well.
        until = None
    transitions.put(connection, form, assignee=form.actor, claimed_at=form.at, claim_until=until)
    return commands.tell(connection, form, kind, assignee={"old": old, "new": form.actor})


def idle_time(connection: Connection, now: datetime) -> timedelta:
    """Return how long a claim holds without activity, by the policy in force."""
    return timedelta(minutes=policies.in_force(connection, now=now).claim_idle_minutes)


@known_by("actor")
def stay(engine: Engine, *, application_id: int, actor: str, now: datetime) -> None:
    """Extend the actor's claim, because they were just active on the open page.

    Not an act of its own: it leaves no event and never takes anything from anybody. Raises
    NotAllowed.
    """
    table = tables.desk
    with database.acting(engine) as connection:
        until = now + idle_time(connection, now)
        connection.execute(
            update(table)
            .where(
                table.c.application_id == application_id,
                table.c.assignee == actor,
                table.c.claim_until > now,
            )
            .values(claim_until=until)
        )
        _look(connection, application_id, actor, now)


@known_by("actor")
def look(engine: Engine, *, application_id: int, actor: str, now: datetime) -> None:
    """Record that the page is open; colleagues see it for half a minute. Raises NotAllowed."""
    with database.acting(engine) as connection:
        _look(connection, application_id, actor, now)


@known_by("actor")
def others_looking(
    connection: Connection, *, application_id: int, actor: str, now: datetime
) -> list[str]:
    """Return the addresses of others who have the application open."""
    table = tables.viewers
    found = connection.execute(
        select(table.c.email)
        .where(
            table.c.application_id == application_id,
            table.c.email != actor,
            table.c.seen_at > now - LOOKING_FOR,
        )
        .order_by(table.c.email)
    )
    return list(found.scalars())


# The role is asked in the same statement, as this runs every few seconds for every open page.
_LOOK = text("""
with person as (
    select email, role from review.staff where email = :actor and active
), seen as (
    insert into review.viewers (application_id, email, seen_at)
    select :application_id, email, :now from person
    on conflict (application_id, email) do update set seen_at = excluded.seen_at
)
select role from person
""")


def _look(connection: Connection, application_id: int, actor: str, now: datetime) -> None:
    role = connection.execute(
        _LOOK, {"application_id": application_id, "actor": actor, "now": now}
    ).scalar_one_or_none()
    staff.require_role(role, Act.READ)


def _require_open(connection: Connection, application: Application) -> None:
    if application.status not in OPEN_STATUSES:
        raise transitions.settled(connection, application)

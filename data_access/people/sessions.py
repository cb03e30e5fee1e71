"""Sign-ins of browsers: begun, found by the secret in a cookie, and ended, for all processes.

A cookie only holds a secret. Who it signs in, and whether it still does, is read from the database
for every page, act, link and message.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from sqlalchemy import Connection, Engine, and_, bindparam, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from data_access.db import database, errors, tables
from data_access.people import commands, staff
from data_access.people.commands import Command
from data_access.people.identities import known_by
from data_access.people.staff import Person
from program.review import people
from program.review.permissions import Act
from program.review.sign_in import DEMO_ISSUER, IDLE, LONGEST, NOTED_EVERY, Identity

SAME_SUBJECT = "staff_identity_unique"
# The sessions that count: everything that ends one, ends it here.
OPEN = and_(
    tables.staff.c.active,
    tables.sessions.c.ended_at.is_(None),
    tables.sessions.c.begun_at > func.now() - LONGEST,
    tables.sessions.c.last_seen_at > func.now() - IDLE,
    or_(
        tables.staff.c.signed_in_after.is_(None),
        tables.sessions.c.begun_at > tables.staff.c.signed_in_after,
    ),
)
WITH_STAFF = tables.sessions.join(tables.staff, tables.sessions.c.email == tables.staff.c.email)
_PERSON = select(tables.staff).select_from(WITH_STAFF).where(OPEN)
# One statement, so that of two people with one address only one is bound, and nobody's access can
# end between the check and the session. The update locks the person's row in any case.
_SIGN_IN = text("""
with unbound as (
    select email from review.staff where email = :email and issuer is null
), person as (
    update review.staff
    set issuer = :issuer, subject = :subject, last_seen_at = clock_timestamp()
    where active and (
        (issuer = :issuer and subject = :subject)
        or (
            email = :email and issuer is null
            and not exists (select from review.staff where issuer = :issuer and subject = :subject)
        )
    )
    returning email
), first_time as (
    insert into review.staff_events (email, kind, new, actor, at, request_id)
    select email, 'bound', jsonb_build_object(
            'issuer', cast(:issuer as text), 'subject', cast(:subject as text)
        ), email, clock_timestamp(), gen_random_uuid()
    from person join unbound using (email)
)
insert into review.sessions (session_key, email) select :key, email from person returning email
""")
_SIGN_IN_LOCALLY = text("""
with person as (
    update review.staff set last_seen_at = clock_timestamp()
    where email = :email and active
    returning email
)
insert into review.sessions (session_key, email) select :key, email from person
on conflict do nothing
returning email
""")
# Only of a session that still counts: a late click does not revive one.
_NOTED = (
    update(tables.sessions)
    .where(
        tables.sessions.c.session_key == bindparam("key"),
        tables.sessions.c.email == tables.staff.c.email,
        tables.sessions.c.last_seen_at <= func.now() - NOTED_EVERY,
        OPEN,
    )
    .values(last_seen_at=func.clock_timestamp())
    .returning(tables.sessions.c.email)
    .cte("noted")
)
_NOTE = (
    update(tables.staff)
    .where(tables.staff.c.email == _NOTED.c.email)
    .values(last_seen_at=func.clock_timestamp())
)
_FORGET = text("delete from review.sessions where begun_at < now() - interval '2 days'")


def key_of(secret: str) -> str:
    """Return the key of the session whose cookie holds ``secret``."""
    return sha256(secret.encode()).hexdigest()


def find(connection: Connection, key: str) -> Person | None:
    """Return the active member of staff with this session; ``None`` if it has ended."""
    query = _PERSON.where(tables.sessions.c.session_key == key)
    row = connection.execute(query).mappings().first()
    return None if row is None else staff.of_row(row)


def sign_in(engine: Engine, identity: Identity, *, key: str) -> bool:
    """Begin a session of the member of staff with this identity; returns whether there is one.

    Somebody on the staff list whose address is bound to no identity yet is bound to this one, on
    record.
    """
    values = {
        "issuer": identity.issuer,
        "subject": identity.subject,
        "email": people.normal(identity.email),
        "key": key,
    }
    try:
        with database.acting(engine) as connection:
            connection.execute(_FORGET)
            return connection.execute(_SIGN_IN, values).first() is not None
    except IntegrityError as error:
        if errors.constraint(error) != SAME_SUBJECT:
            raise
        # Bound at the same moment, by another address.
        return False


@known_by("email")
def sign_in_locally(engine: Engine, email: str, *, key: str) -> bool:
    """Begin a session without a proof, once for each key; returns whether it began."""
    with database.acting(engine) as connection:
        connection.execute(_FORGET)
        return (
            connection.execute(_SIGN_IN_LOCALLY, {"email": email, "key": key}).first() is not None
        )


def obstacle(connection: Connection, identity: Identity) -> str:
    """Return why this identity is not let in, as a sentence; empty if it is."""
    table, email = tables.staff, people.normal(identity.email)
    is_bound = and_(table.c.issuer == identity.issuer, table.c.subject == identity.subject)
    query = select(table, is_bound.label("is_bound")).where(or_(is_bound, table.c.email == email))
    rows = connection.execute(query).mappings().all()
    row = next((one for one in rows if one["is_bound"]), rows[0] if rows else None)
    if row is None:
        return f"You are signed in as {email} but not on the staff list. Ask an administrator."
    if not row["active"]:
        return "An administrator ended your access to this dashboard. Ask one to enable it."
    if row["is_bound"] or row["issuer"] is None:
        return ""
    if row["issuer"] == DEMO_ISSUER:
        return (
            f"{email} is a person of the demo, who cannot sign in through an identity provider. "
            "Ask an administrator to add you under your own address."
        )
    return (
        f"{email} signs in with another account. If this is your account now, ask an "
        f"administrator to release the address: python -m data_access staff unbind {email}"
    )


def note_activity(engine: Engine, key: str) -> None:
    """Record that the session's person did something, unless that was recorded just now."""
    with database.acting(engine) as connection:
        connection.execute(_NOTE, {"key": key})


def end(engine: Engine, key: str) -> None:
    """End the session, in every tab and for every copy of its cookie."""
    table = tables.sessions
    with database.acting(engine) as connection:
        connection.execute(
            update(table)
            .where(table.c.session_key == key, table.c.ended_at.is_(None))
            .values(ended_at=func.clock_timestamp())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutEverywhere(Command):
    """End all sessions of the actor."""

    act: ClassVar[Act] = Act.READ


def sign_out_everywhere(engine: Engine, command: SignOutEverywhere) -> int:
    """End every session that the actor began; returns 1. Raises NotAllowed or RequestReused."""
    table = tables.staff

    def do(connection: Connection) -> int:
        connection.execute(
            update(table)
            .where(table.c.email == command.actor)
            .values(signed_in_after=func.clock_timestamp())
        )
        return 1

    return commands.perform(engine, command, do)

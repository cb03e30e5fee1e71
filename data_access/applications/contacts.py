"""Who may read an applicant's contacts, and who has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, Engine, select, text

from data_access.applications.read import Application
from data_access.db import database, tables
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.people.staff import Person
from program.review.permissions import ALLOWED, Act

# The roles whose page views are recorded, since they show contacts.
READERS = sorted(ALLOWED[Act.SEE_CONTACT])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A day on which somebody was shown the contacts of an application."""

    by: str
    day: date
    first_at: datetime


# A CTE after `staff.ACTING`: it records that the person is shown the contacts, if they may be.
RECORDED = """read as (
    insert into review.contact_reads (email, day, application_id, list, first_at)
    select email, (cast(:now as timestamptz) at time zone 'UTC')::date,
        cast(:application_id as bigint), cast(:list as text), :now
    from person where role = any(:readers)
    on conflict do nothing
)"""
_RECORD_LIST = text(
    f"with {staff.ACTING}, {RECORDED} select role from person"  # noqa: S608 - parts written here
).bindparams(application_id=None, readers=READERS)


def shown_to(person: Person, application: Application) -> Application:
    """Return the application as this person may see it: without contacts if they may not."""
    return application if person.may(Act.SEE_CONTACT) else without(application)


def without(application: Application) -> Application:
    """Return the application without its contacts."""
    return replace(application, email=None, contact_platform=None, contact_handle=None)


@known_by("actor")
def record_list(engine: Engine, *, name: str, actor: str, now: datetime) -> None:
    """Record that ``actor`` is shown contacts in a list, once a day. Raises NotAllowed."""
    with database.acting(engine) as connection:
        given = {"actor": actor, "list": name, "now": now}
        role = connection.execute(_RECORD_LIST, given).scalar_one_or_none()
        staff.require_role(role, Act.SEE_CONTACT)


@known_by("viewer")
def readings(connection: Connection, application_id: int, *, viewer: str) -> Sequence[Reading]:
    """Return who was shown the contacts of an application, newest first. Raises NotAllowed."""
    staff.require(connection, viewer, Act.SEE_EXPORTS)
    table = tables.contact_reads
    found = connection.execute(
        select(table)
        .where(table.c.application_id == application_id)
        .order_by(table.c.first_at.desc(), table.c.email)
    )
    return [Reading(by=row.email, day=row.day, first_at=row.first_at) for row in found]

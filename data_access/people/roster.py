"""Reading the staff: who is on it, where they are, and what they did lately."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from data_access.people.identities import known_by
from data_access.people.staff import Person
from program.periods import utc_day
from program.review.permissions import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Person):
    """A person on the staff list, active or not; times are ``None`` if there was none.

    ``issuer`` and ``subject`` are the account they sign in with; ``None`` until it is bound.
    """

    active: bool
    issuer: str | None
    subject: str | None
    last_seen_at: datetime | None
    last_act_at: datetime | None
    away_until: date | None

    @property
    def state(self) -> str:
        """Return active, on leave or disabled."""
        if not self.active:
            return "disabled"
        return "on leave" if self.away_until else "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a person did: the command's name, when, and the application it was about, if any.

    Without a record of the command it is the act's name.
    """

    actor: str
    command: str
    application_id: int | None
    at: datetime


_LISTED = text("""
select email, display_name, role, active, issuer, subject, last_seen_at,
    (select max(at) from review.requests where actor = email and act <> 'READ') as last_act_at,
    (select max(last_day) from review.leave
     where leave.email = staff.email and :today between first_day and last_day) as away_until
from review.staff
order by active desc, role, email
""")
# Of each person only as many as are shown: an index finds them, however many acts there are.
_ACTS = text("""
select acted.actor, acted.application_id, acted.at,
    coalesce(acted.content ->> 'command', lower(replace(acted.act, '_', ' '))) as command
from review.staff, lateral (
    select * from review.requests where actor = staff.email and act <> 'READ'
    order by at desc limit :most
) as acted
where cast(:email as text) is null or staff.email = :email
order by acted.at desc limit :most
""")


def listed(connection: Connection, *, now: datetime) -> list[Member]:
    """Return everybody, active people first, by role and address."""
    rows = connection.execute(_LISTED, {"today": utc_day(now)}).mappings()
    return [_member(dict(row)) for row in rows]


@known_by("email")
def acts(connection: Connection, *, email: str | None = None, most: int = 50) -> list[Done]:
    """Return the newest acts of one person, or of everybody; personal settings are no acts."""
    rows = connection.execute(_ACTS, {"email": email, "most": most}).mappings()
    return [Done(**row) for row in rows]


def _member(row: dict[str, Any]) -> Member:
    return Member(**{**row, "role": Role(row["role"])})

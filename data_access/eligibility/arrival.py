"""Read what the frame of every page shows: the person, the newest refresh, and what waits."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, select, true

from data_access.db import tables
from data_access.eligibility import freshness
from data_access.eligibility.freshness import Freshness
from data_access.people import sessions, staff
from data_access.people.staff import Person
from program.messages.delivery import Stopped
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An active member of staff who opens a page; ``newest`` is the newest refresh, if any.

    ``proposals`` of other managers for the policy wait for this person, and ``undeliverable``
    messages, at most MOST_COUNTED, for anybody who may send them again.
    """

    person: Person
    newest: Freshness | None
    proposals: int
    undeliverable: int


_NEWEST = select(tables.refreshes).order_by(tables.refreshes.c.refresh_id.desc()).limit(1)
_REFRESH = _NEWEST.subquery("refresh")
MOST_COUNTED = 99
_DRAFT, _WITHDRAWAL, _OUTBOX = tables.policy_drafts.c, tables.policy_withdrawals.c, tables.outbox.c


def _counted(*conditions: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a scalar subquery
    return select(func.count()).where(*conditions).scalar_subquery()


_DRAFTS = _counted(
    _DRAFT.proposed_at.is_not(None),
    _DRAFT.closed_as.is_(None),
    _DRAFT.author != tables.staff.c.email,
)
# Once the version is in force it can no longer be withdrawn.
_WITHDRAWALS = _counted(
    _WITHDRAWAL.closed_as.is_(None),
    _WITHDRAWAL.proposed_by != tables.staff.c.email,
    _WITHDRAWAL.version == tables.policies.c.version,
    tables.policies.c.effective_from > func.now(),
)
_SOME = select(literal(1)).where(_OUTBOX.stopped_as == str(Stopped.PARKED)).limit(MOST_COUNTED)
_PARKED = select(func.count()).select_from(_SOME.subquery()).scalar_subquery()
_ARRIVAL = (
    select(
        tables.staff,
        _REFRESH,
        (_DRAFTS + _WITHDRAWALS).label("proposals"),
        _PARKED.label("undeliverable"),
    )
    .select_from(sessions.WITH_STAFF.outerjoin(_REFRESH, true()))
    .where(sessions.OPEN)
)


def read(connection: Connection, *, key: str) -> Arrival | None:
    """Return the arrival of the active member of staff with this session, or ``None``."""
    query = _ARRIVAL.where(tables.sessions.c.session_key == key)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    newest = freshness.of_row(row) if row["refresh_id"] is not None else None
    person = staff.of_row(row)
    return Arrival(
        person=person,
        newest=newest,
        proposals=row["proposals"] if person.may(Act.EDIT_POLICY) else 0,
        undeliverable=row["undeliverable"] if person.may(Act.KEEP_OUTBOX) else 0,
    )

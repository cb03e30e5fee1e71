"""Read applications: the applicant, the contact, and earlier applications."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Text, and_, case, func, or_, select

from data_access.db import tables
from data_access.db.errors import NotFound
from program.review.workflow import OPEN_STATUSES, Status

LARGEST_ID = 2**63 - 1


def platform_key(typed: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the key of the platform in a column, as `program.text.platforms` does."""
    return func.review.platform_key(typed, type_=Text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who works on an application. Without ``until`` it was assigned and does not expire."""

    assignee: str
    since: datetime
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Return whether the claim has not expired."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The desk's state of an application.

    The review clock counts from ``clock_from``; it stopped at ``paused_at`` if the applicant owes
    information.
    """

    status_at: datetime | None = None
    claim: Claim | None = None
    clock_from: datetime
    paused_at: datetime | None = None
    answered_at: datetime | None = None
    deferred_until: datetime | None = None
    deferred_answers: str | None = None

    def assignee(self, now: datetime) -> str | None:
        """Return who works on it at ``now``; an expired claim is nobody's."""
        return self.claim.assignee if self.claim and self.claim.holds(now) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application with its account. Names and handles are typed text, never markup.

    ``status`` is the desk's: upstream's status, or what a pending application waits for here.
    """

    application_id: int
    account_id: int
    username: str
    email: str | None
    country_code: str | None
    kyc_status: str
    account_created_at: datetime
    social_platform: str
    social_handle: str
    contact_platform: str | None
    contact_handle: str | None
    submitted_at: datetime
    status: Status
    status_changed_at: datetime | None
    desk: Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierApplication:
    """Another application of the same account, with its outcome.

    ``settled_at`` is when it was decided or withdrawn; ``None`` while it is open.
    """

    application_id: int
    submitted_at: datetime
    status: Status
    settled_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    reason_code: str | None
    reapply: str | None = None
    reapply_from: date | None = None


def possible_id(text: str) -> int | None:
    """Parse an id; ``None`` if ``text`` cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID))):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def read(
    connection: Connection, application_id: int, *, now: datetime, lock: bool = False
) -> Application:
    """Read one application at ``now``; ``lock`` locks its row for the transaction.

    Raises NotFound.
    """
    application, account, desk = tables.applications, tables.accounts, tables.desk
    statement = (
        select(
            *(column for column in application.c if column.name != "status"),
            account.c.username,
            account.c.email,
            account.c.country_code,
            account.c.kyc_status,
            account.c.created_at.label("account_created_at"),
            effective_status(now).label("status"),
            *desk_columns(),
        )
        .join_from(application, account, account.c.account_id == application.c.account_id)
        .outerjoin(desk, desk.c.application_id == application.c.application_id)
        .where(application.c.application_id == application_id)
    )
    # An id out of range would be a database error.
    possible = 0 < application_id <= LARGEST_ID
    if lock and possible:
        # Lock first and read then, so that a waiting transaction sees what the other wrote.
        connection.execute(
            select(application.c.application_id)
            .where(application.c.application_id == application_id)
            .with_for_update()
        )
    row = connection.execute(statement).mappings().first() if possible else None
    if row is None:
        raise NotFound(f"There is no application {application_id}.")
    facts = {name: value for name, value in row.items() if name not in DESK}
    facts["status"] = Status(row["status"])
    return Application(**facts, desk=desk_of(row))


def effective_status(now: datetime) -> ColumnElement[str]:
    """Return upstream's status, or the desk's for a pending application; needs the desk joined.

    A deferred application whose time has come is pending without a write.
    """
    upstream, desk = tables.applications.c.status, tables.desk.c
    due = and_(desk.status == Status.DEFERRED, desk.deferred_until <= now)
    return case(
        (upstream != Status.PENDING, upstream),
        (due, Status.PENDING),
        else_=func.coalesce(desk.status, Status.PENDING),
    )


def with_status(status: Status, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions for an effective status; for open ones, needs the desk joined.

    Upstream's status comes first and plain, so that the partial indexes of pending ones apply.
    """
    upstream, desk = tables.applications.c.status, tables.desk.c
    if status not in OPEN_STATUSES:
        return [upstream == status]
    due = and_(desk.status == Status.DEFERRED, func.coalesce(desk.deferred_until <= now, False))
    if status is Status.PENDING:
        # Written so that the planner estimates half of the rows, not a sliver.
        here = ~func.coalesce(and_(desk.status != Status.PENDING, ~due), False)
    else:
        here = and_(desk.status == status, ~due)
    return [upstream == Status.PENDING, here]


def with_desk(source: FromClause) -> FromClause:
    """Return ``source`` left-joined with the desk's state."""
    desk = tables.desk
    return source.outerjoin(desk, desk.c.application_id == tables.applications.c.application_id)


def clock_from() -> ColumnElement[datetime]:
    """Return when the review clock started; needs the desk joined."""
    return func.coalesce(tables.desk.c.clock_from, tables.applications.c.submitted_at)


def is_held(now: datetime) -> ColumnElement[bool]:
    """Return whether somebody works on it; never NULL. Needs the desk joined.

    Written so that the planner estimates it well: an estimate of zero rows leads to bad plans.
    """
    desk = tables.desk.c
    lasting = or_(desk.claim_until.is_(None), desk.claim_until > now)
    return func.coalesce(and_(desk.assignee.is_not(None), lasting), False)


def held_by(now: datetime) -> ColumnElement[str | None]:
    """Return who works on it, or NULL; an expired claim is nobody's. Needs the desk joined."""
    return case((is_held(now), tables.desk.c.assignee))


# The desk's columns that `desk_of` reads.
DESK = (
    "status_at",
    "assignee",
    "claimed_at",
    "claim_until",
    "clock_from",
    "paused_at",
    "answered_at",
    "deferred_until",
    "deferred_answers",
)


def desk_columns() -> list[ColumnElement[Any]]:
    """Return the columns that `desk_of` reads, besides ``submitted_at``."""
    return [tables.desk.c[name] for name in DESK]


def desk_of(row: Mapping[Any, Any]) -> Desk:
    """Build the desk's state from a row of `desk_columns` and ``submitted_at``."""
    claim = None
    if row["assignee"] is not None:
        claim = Claim(assignee=row["assignee"], since=row["claimed_at"], until=row["claim_until"])
    return Desk(
        status_at=row["status_at"],
        claim=claim,
        clock_from=row["clock_from"] or row["submitted_at"],
        paused_at=row["paused_at"],
        answered_at=row["answered_at"],
        deferred_until=row["deferred_until"],
        deferred_answers=row["deferred_answers"],
    )


def settled_at() -> ColumnElement[datetime | None]:
    """Return when an application was decided or withdrawn; needs its decision joined."""
    table, decision = tables.applications.c, tables.current_decisions.c
    at = func.coalesce(table.status_changed_at, decision.decided_at)
    return case((table.status != str(Status.PENDING), at))


def others_of_account(connection: Connection, application: Application) -> list[EarlierApplication]:
    """Return the account's other applications, newest first."""
    table, decision = tables.applications, tables.current_decisions
    rows = connection.execute(
        select(
            table.c.application_id,
            table.c.submitted_at,
            table.c.status,
            settled_at().label("settled_at"),
            decision.c.decided_at,
            decision.c.decided_by,
            decision.c.reason_code,
            decision.c.reapply,
            decision.c.reapply_from,
        )
        .outerjoin_from(table, decision, decision.c.application_id == table.c.application_id)
        .where(
            table.c.account_id == application.account_id,
            table.c.application_id != application.application_id,
        )
        .order_by(table.c.submitted_at.desc(), table.c.application_id.desc())
    ).mappings()
    return [EarlierApplication(**{**row, "status": Status(row["status"])}) for row in rows]
